"""Publishing: catalog.duckdb is written beside and swapped in by one rename.

A reader that has the old file open keeps it, and neither blocks nor is blocked.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from sql.files import replacing, write_text
from sql.manifests import Manifest, shown_report
from sql.store import Store, cards, current_models

_SQL = Path(__file__).parent


def publish(store: Store, manifests: Sequence[Manifest]) -> None:
    """Let the database show exactly these runs, and the store's models.

    A part that is named but gone is a ValueError, a full disk is `StoreFull`; in both cases the
    database stays as it was.
    """
    # DuckDB is loaded here: a run with nothing to do only asks whether it is published.
    from sql.database import write_database  # noqa: PLC0415

    state = _state(store, manifests)
    with replacing(store.database) as draft:
        write_database(draft, store, manifests)
        # What an analyst's session left behind would be replayed into a file that is not its.
        store.database.with_name(f"{store.database.name}.wal").unlink(missing_ok=True)
    write_text(store.published, state)


def is_published(store: Store, manifests: Sequence[Manifest]) -> bool:
    """Whether the database shows these runs and models, from this folder, by these views."""
    try:
        shown = store.published.read_text()
    except FileNotFoundError:
        return False
    return store.database.exists() and shown == _state(store, manifests)


def _state(store: Store, manifests: Sequence[Manifest]) -> str:
    """Digest what the database is made from."""
    made_from = [
        str(store.root),
        [[manifest.id, shown_report(store, manifest)] for manifest in manifests],
        [str(card) for card in cards(store)],
        sorted(current_models(store)),
        [path.read_text(encoding="utf-8") for path in sorted(_SQL.glob("views/*.sql"))],
        [(_SQL / name).read_text(encoding="utf-8") for name in ("database.py", "schemas.py")],
    ]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
