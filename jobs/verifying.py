"""`catalog models verify`: whether the models of a store are what their cards say."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.models.artefact import (
    CARD,
    KERAS,
    LITERT,
    SPLIT,
    Card,
    ModelRefused,
    load_card,
    verify,
)
from jobs.models import CLASSES, folder_of, names_of
from jobs.starter import NAME as STARTER
from sql.store import Store


@dataclass(frozen=True)
class Verdict:
    """One model: what is wrong with it, and the files in its folder that its card is silent on."""

    model: str
    wrong: tuple[str, ...]
    unnamed: tuple[str, ...]

    def __str__(self) -> str:
        said = "; ".join(self.wrong) or "ok"
        if not self.unnamed:
            return f"{self.model}  {said}"
        return f"{self.model}  {said} (its card does not name {', '.join(self.unnamed)})"


@dataclass(frozen=True)
class Verified:
    """The models that were looked at."""

    verdicts: tuple[Verdict, ...]

    @property
    def exit_code(self) -> int:
        """1 when anything is wrong with any of them."""
        return int(any(verdict.wrong for verdict in self.verdicts))

    def as_json(self) -> str:
        """One JSON array."""
        told = [{"ok": not one.wrong, **asdict(one)} for one in self.verdicts]
        return json.dumps(told, ensure_ascii=False)

    def __str__(self) -> str:
        return "\n".join(map(str, self.verdicts)) or "no models yet"


def verify_models(store: Store, names: Sequence[str]) -> Verified:
    """Look at these models, or at all; BadInput when the store has none of a name. Only reads."""
    folders = {name: folder_of(store, name) for name in names or names_of(store)}
    return Verified(tuple(_verdict(name, folder) for name, folder in folders.items()))


def _verdict(name: str, folder: Path) -> Verdict:
    try:
        card = load_card(folder)
    except ModelRefused as error:
        return Verdict(name, (str(error),), ())
    present = {path.name for path in folder.iterdir()}
    return Verdict(
        name, tuple(_wrong(name, folder, card)), tuple(sorted(present - {CARD, *card.files}))
    )


def _wrong(name: str, folder: Path, card: Card) -> Iterator[str]:
    """Tell what is wrong: first files that are not those named, then what they do not hold."""
    if card.model != name:
        yield f"its card is that of {card.model}"
    damaged = {file: told for file in card.files if (told := _refusal(folder, file, card))}
    yield from damaged.values()
    for file, opens in ((LITERT, _opens_network), (KERAS, _opens_keras), (SPLIT, _opens_split)):
        if file == SPLIT and card.task == CLASSES:
            continue  # the data themselves say which pictures were tested on
        if file == KERAS and card.name == STARTER and KERAS not in card.files:
            continue  # it comes without: it is to tag with, not to train on
        if file not in damaged:
            try:
                opens(folder, card)
            except ModelRefused as error:
                yield str(error)


def _refusal(folder: Path, file: str, card: Card) -> str | None:
    """Say why a file is not the one that the card names; None when it is."""
    try:
        verify(folder, file, card)
    except ModelRefused as error:
        return str(error)
    return None


def _opens_network(folder: Path, card: Card) -> None:  # noqa: ARG001 - it reads the card itself
    """Load the file that tags, and let it answer once: see `Runtime`."""
    from catalog.models.runtime import Runtime  # noqa: PLC0415 - `catalog --help` is quick

    Runtime(folder)


def _opens_keras(folder: Path, card: Card) -> None:
    """Look into the trained network without building it: Keras takes ten seconds to load."""
    from catalog.models.inspection import inspect  # noqa: PLC0415 - as above

    inspect(folder / KERAS, verify(folder, KERAS, card))


def _opens_split(folder: Path, card: Card) -> None:
    from catalog.models.splits import TrainedGroups  # noqa: PLC0415 - as above

    TrainedGroups.of_model(folder, card)
