"""The picture stage as jobs call it: what is due, with the machine's own size."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from catalog.images.reasons import PASSING_IN_DECODING
from catalog.models.artefact import ModelRefused
from jobs.console import Console
from jobs.errors import BadInput
from jobs.models import Model
from jobs.plan import Plan, Rules
from jobs.run import Run
from jobs.settings import Settings
from sql import statements

if TYPE_CHECKING:
    from jobs.looking import Eyes

ROWS = 100_000  # of a batch from DuckDB


def rules_of(settings: Settings, *, refetch: bool, looks: bool = True) -> Rules:
    """When this run asks again for what is known, and whether it looks at what it has."""
    return Rules(settings.recheck_after, refetch, settings.fetch.allow_hosts, looks)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def get_and_look(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    plan: Plan,
    settings: Settings,
    model: Model | None,
    console: Console,
) -> None:
    """Get, decode and (with a model) score every picture that is due."""
    if not plan.asks:
        return
    # Loaded here: a run with nothing to do needs neither a server nor a model.
    from catalog.images.decoders import Decoder  # noqa: PLC0415
    from catalog.images.fetch import Fetcher  # noqa: PLC0415
    from jobs.looking import FINGERPRINT_SIZE, key, look, read_due  # noqa: PLC0415

    name = model.name if model else None
    found = statements.batches(
        con, "looked_at", ROWS, model=name, passing=sorted(PASSING_IN_DECODING)
    )
    done = {key(picture) for batch in found for picture in batch["picture"].to_pylist()}
    total = sum(plan.asks.values())
    size = model.card.image_size if model else FINGERPRINT_SIZE
    with ExitStack() as stack:
        # Their processes start while the model is loaded.
        decoders = [stack.enter_context(Decoder(size, settings.decode)) for _ in range(cores())]
        eyes = _eyes(model) if model else None
        fetcher = stack.enter_context(Fetcher(settings.fetch))
        advance = stack.enter_context(console.progress("pictures", total))
        look(run, read_due(plan.due), fetcher, eyes, done, decoders, advance)


def get_only(run: Run, due: Path, total: int, settings: Settings, console: Console) -> None:
    """Get the pictures that a plan's file names, so many; nothing looks at them."""
    from catalog.images.fetch import Fetcher  # noqa: PLC0415 - as above
    from jobs.looking import get, read_due  # noqa: PLC0415

    with Fetcher(settings.fetch) as fetcher, console.progress("pictures", total) as advance:
        get(run, read_due(due), fetcher, advance)


def _eyes(model: Model) -> "Eyes":
    from jobs.looking import Eyes  # noqa: PLC0415 - as above

    try:
        return Eyes(model.folder, model.name)
    except ModelRefused as error:
        raise BadInput(str(error), hint="`catalog models` lists those of the store") from error
