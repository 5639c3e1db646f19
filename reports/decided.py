"""How a tagger's labels are decided, and how far to rely on them, as its card says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.decisions import Decisions, Line
from catalog.models.artefact import Card
from catalog.models.metrics import Share


@dataclass(frozen=True, slots=True)
class HeadDecided:
    """How right a head is on the test side `alone` (a share, 0 to 1), and as it is `decided`.

    `ece` is how far the confidence of what is decided lies from how often that is right, 0 to 1.
    `temperature` is None where too little was labelled to fit one, and `line` where too little was
    to draw one; with a line, `accepted_right` of the `accepted` labels of the test side are right.
    """

    head: str
    alone: float | None
    decided: Share
    ece: float | None
    temperature: float | None
    line: Line | None
    accepted: Share
    accepted_right: Share


@dataclass(frozen=True, slots=True)
class Decided:
    """Each head, and the rows right in all of them at once: each head `alone`, and as `decided`.

    Heads that are `together` are decided on as one.
    """

    together: tuple[str, ...]
    heads: tuple[HeadDecided, ...]
    alone: Share
    decided: Share


def decided_of(card: Card) -> Decided | None:
    """What a card says of its decisions; None where it is older than these.

    KeyError, TypeError or ValueError where it makes no sense.
    """
    if "decided" not in card.metrics:
        return None
    decisions = Decisions.of(card.decisions, card.vocabulary)
    alone, decided = card.metrics["heads"], card.metrics["decided"]
    return Decided(
        together=decisions.together,
        heads=tuple(
            HeadDecided(
                head=head,
                alone=alone[head]["accuracy"],
                decided=_share(said),
                ece=said["ece"],
                temperature=card.metrics["temperatures"][head],
                line=decisions.lines.get(head),
                accepted=_share(said.get("accepted", _NOTHING)),
                accepted_right=_share(said.get("accepted_right", _NOTHING)),
            )
            for head, said in decided["heads"].items()
        ),
        alone=_share(card.metrics["whole_row"]),
        decided=_share(decided["whole_row"]),
    )


_NOTHING: Mapping[str, int] = {"right": 0, "n": 0}


def _share(said: Mapping[str, Any]) -> Share:
    return Share(int(said["right"]), int(said["n"]))
