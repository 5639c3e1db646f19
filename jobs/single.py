"""`catalog tag picture.jpg …`: what the model says about single pictures. Nothing is stored."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.decoding import Guess, guesses
from catalog.images.decoders import Decoder
from catalog.images.settings import DecodeSettings
from catalog.models.artefact import ModelRefused
from catalog.models.runtime import Runtime
from jobs.errors import BadInput
from jobs.models import Model


@dataclass(frozen=True)
class Look:
    """What became of one picture: the best labels of each head, or why there are none.

    `not_a_product` is None where the model can't tell.
    """

    picture: Path
    model: str
    heads: dict[str, list[Guess]]
    reason: str | None = None
    not_a_product: bool | None = None

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), default=str, ensure_ascii=False)

    def __str__(self) -> str:
        if self.reason:
            return f"{self.picture}: can't be read ({self.reason})"
        width = max(map(len, self.heads))
        lines = [
            f"  {head:<{width}}  " + ", ".join(f"{one.label} {one.score:.3f}" for one in best)
            for head, best in self.heads.items()
        ]
        doubt = " is like no product the model knows; if it were one:" if self.not_a_product else ""
        return "\n".join([f"{self.picture}{doubt}", *lines])


def look_at(pictures: Sequence[Path], model: Model, limits: DecodeSettings) -> list[Look]:
    """The best five labels of each head, picture by picture."""
    try:
        runtime = Runtime(model.folder)
    except ModelRefused as error:
        raise BadInput(str(error)) from error
    with Decoder(runtime.card.image_size, limits) as decoder:
        return [_look(picture, model, runtime, decoder) for picture in pictures]


def _look(picture: Path, model: Model, runtime: Runtime, decoder: Decoder) -> Look:
    decoded = decoder.decode(picture)
    if decoded.pixels is None:
        return Look(picture, model.name, {}, decoded.reason)
    said, vocabulary = runtime.run(decoded.pixels[None]), runtime.card.vocabulary
    likeness = model.decisions.likeness
    return Look(
        picture,
        model.name,
        {head: guesses(said.scores[head], vocabulary[head])[0] for head in vocabulary},
        not_a_product=bool(likeness.strange(said.embedding)[0]) if likeness else None,
    )
