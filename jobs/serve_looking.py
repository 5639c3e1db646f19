"""What the models of a store say about one picture that somebody put onto the served page."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from catalog.decoding import Guess, guesses
from catalog.images.decoders import Decoded, Decoder
from catalog.images.settings import DECODED_BEFORE, DecodeSettings
from catalog.models.artefact import Card, ModelRefused
from catalog.models.metrics import Share
from catalog.models.runtime import Output, Runtime
from engagement.classes import HEAD
from engagement.findings import Auc
from jobs.errors import BadInput, JobError
from jobs.models import CLASSIFIER, TAGGER, Model, find_model
from jobs.serve_pictures import SIDE, data_uri
from jobs.serve_store import Catalogue, Near

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one head says: its best labels, best first, and how often it was right on the test."""

    head: str
    guesses: tuple[Guess, ...]
    tested: Share | None


@dataclass(frozen=True, slots=True)
class Score:
    """P(high) of a picture, the threshold of the head that said so, and what that is worth.

    `auc` is of the posts that the classifier had not seen; None in a card that lacks it.
    """

    model: str
    value: float
    threshold: float | None
    rule: str
    bar: float | None
    auc: Auc | None

    @property
    def high(self) -> bool | None:
        """Whether the classifier says high; None where its card has no threshold."""
        return None if self.threshold is None else self.value >= self.threshold


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A near product with its picture as a data URI; None where the bytes can't be read now."""

    product: Near
    picture: str | None


@dataclass(frozen=True)
class Look:
    """What became of one picture: why it can't be read, or what the store's models say of it.

    A part that could not be had is None or empty, and `troubles` says why in one sentence each.
    """

    reason: str | None = None
    picture: str = ""  # data URI
    size: tuple[int, int] = (0, 0)
    tagger: str | None = None
    answers: tuple[Answer, ...] = ()
    score: Score | None = None
    near: tuple[Neighbour, ...] = ()
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Eyes:
    """A model that is loaded, and the decoder that makes pictures of its size."""

    model: Model
    runtime: Runtime
    decoder: Decoder


@dataclass
class Looker:
    """Looks at one picture at a time, with the models that are the store's current ones then."""

    catalogue: Catalogue
    limits: DecodeSettings
    _eyes: dict[str, _Eyes] = field(default_factory=dict, init=False)
    _showing: dict[DecodeSettings, Decoder] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        # A decoder is for one thread, and each thread has an interpreter of its own.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="looking")

    def look(self, path: Path) -> Look:
        """Tell what the models say about the picture in a file."""
        return self._thread.submit(self._look, path).result()

    def show(self, picture: str) -> str | None:
        """A picture of the store, by its SHA-256, as a data URI; None if it can't be read."""
        return self._thread.submit(self._shown, picture).result()

    def close(self) -> None:
        """End the decoders, at once: what is being looked at then fails."""
        for decoder in (*(eyes.decoder for eyes in self._eyes.values()), *self._showing.values()):
            decoder.close()
        self._thread.shutdown(cancel_futures=True)
        self._eyes.clear()

    def _look(self, path: Path) -> Look:
        shown = self._decoded(path, self.limits)
        if shown.pixels is None:
            return Look(reason=shown.reason)
        troubles: list[str] = []
        tagger = _or_trouble(troubles, lambda: self._open(TAGGER))
        said = _or_trouble(troubles, lambda: self._said(tagger, path))
        near = _or_trouble(troubles, lambda: self._near(tagger, said))
        score = _or_trouble(troubles, lambda: self._score(path))
        return Look(
            picture=_uri(shown),
            size=(shown.width or 0, shown.height or 0),
            tagger=tagger.model.name if tagger else None,
            answers=_answers(tagger.model.card, said) if tagger and said else (),
            score=score,
            near=near or (),
            troubles=tuple(troubles),
        )

    def _open(self, task: str) -> _Eyes | None:
        """The current model of a task, loaded anew only where it is another one now."""
        model = find_model(self.catalogue.store, task, None)
        kept = self._eyes.get(task)
        if kept and kept.model == model:
            return kept
        if kept:
            kept.decoder.close()
            del self._eyes[task]
        if model is None:
            return None
        try:
            runtime = Runtime(model.folder)
        except ModelRefused as error:
            raise BadInput(str(error)) from error
        eyes = _Eyes(model, runtime, Decoder(model.card.image_size, self.limits))
        self._eyes[task] = eyes
        return eyes

    def _said(self, eyes: _Eyes | None, path: Path) -> Output | None:
        if eyes is None:
            return None
        decoded = eyes.decoder.decode(path)
        if decoded.pixels is None:  # it could be read a moment ago
            raise BadInput(f"the picture can't be read ({decoded.reason})")
        return eyes.runtime.run(decoded.pixels[None])

    def _score(self, path: Path) -> Score | None:
        eyes = self._open(CLASSIFIER)
        said = self._said(eyes, path)
        return None if eyes is None or said is None else _score(eyes.model.card, said)

    def _near(self, eyes: _Eyes | None, said: Output | None) -> tuple[Neighbour, ...]:
        if eyes is None or said is None:
            return ()
        found = self.catalogue.nearest(eyes.model.name, said.embedding[0])
        return tuple(Neighbour(one, self._shown(one.picture)) for one in found)

    def _shown(self, picture: str) -> str | None:
        return _uri(self._decoded(self.catalogue.store.picture(picture), DECODED_BEFORE)) or None

    def _decoded(self, path: Path, limits: DecodeSettings) -> Decoded:
        """A picture in the size that the page shows."""
        if limits not in self._showing:
            self._showing[limits] = Decoder(SIDE, limits)
        return self._showing[limits].decode(path)


def _or_trouble(troubles: list[str], part: Callable[[], T]) -> T | None:
    """A part of an answer; where it can't be had, why goes into `troubles`."""
    try:
        return part()
    except JobError as error:
        troubles.append(error.message)
        return None


def _answers(card: Card, said: Output) -> tuple[Answer, ...]:
    tests = card.metrics.get("heads", {})
    return tuple(
        Answer(head, tuple(guesses(said.scores[head], labels)[0]), _share(tests.get(head)))
        for head, labels in card.vocabulary.items()
    )


def _share(test: dict[str, float] | None) -> Share | None:
    """How many of the test's pictures a head was right on, by its card."""
    if not test or not test.get("n") or test.get("accuracy") is None:
        return None
    return Share(round(test["accuracy"] * test["n"]), int(test["n"]))


def _score(card: Card, said: Output) -> Score:
    high = said.scores[HEAD][0, 1]
    honest = card.metrics.get("out_of_fold") or {}
    return Score(
        model=card.model,
        value=float(np.float64(high)),
        threshold=card.settings.get("thresholds", {}).get(HEAD),
        rule=str(card.settings.get("rule", "")),
        bar=card.settings.get("bars", {}).get(HEAD),
        auc=Auc(**honest["roc_auc"]) if honest.get("roc_auc") else None,
    )


def _uri(decoded: Decoded) -> str:
    if decoded.pixels is None or decoded.width is None or decoded.height is None:
        return ""
    return data_uri(decoded.pixels, decoded.width, decoded.height)
