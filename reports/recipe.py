"""What a card says of the recipe that a model was trained by: the source's figure, seeds, phases.

Everything is read from an untrusted card: what is not as it should be is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from catalog.models.artefact import Card
from catalog.models.metrics import Share
from reports.measured import Evaluation

MOST = 20
"""Seeds, or phases, that are shown at most."""
LARGEST = 10**9
"""Rows that a test can have had."""

Place = Literal["above", "inside", "below"]


@dataclass(frozen=True, slots=True)
class Seed:
    """How many test pictures the model of one seed gets right.

    `heads` has the accuracy of each head, 0 to 1, where there are several.
    """

    seed: int
    share: Share
    heads: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Phase:
    """How many test pictures were right after a phase of the training."""

    name: str
    share: Share


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe and what it came to, on the test set; figures are accuracies, 0 to 1.

    `source` is the published figure as the source words it, `published` the same as a number;
    `least` is what was asked of ours. Of a model of several `heads` the figure is the share of
    pictures that all are right about; `majority` is known of a single head. `own` is of the model
    in the folder, which is that of the first seed.
    """

    name: str
    variant: str
    source: str | None
    published: float | None
    least: float | None
    heads: tuple[str, ...]
    own: Share | None
    majority: Share | None
    seeds: tuple[Seed, ...]
    phases: tuple[Phase, ...]

    @property
    def at_once(self) -> bool:
        """Whether a picture is right only where several heads are right about it."""
        return len(self.heads) > 1

    @property
    def head_rows(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """The accuracy of each of several heads, seed by seed; heads that a seed lacks are not."""
        if not self.at_once or self.mean is None:
            return ()
        return tuple(
            (head, tuple(seed.heads[head] for seed in self.seeds))
            for head in self.heads
            if all(head in seed.heads for seed in self.seeds)
        )

    @property
    def mean(self) -> float | None:
        """The mean over the seeds, where there are several."""
        values = _values(self.seeds)
        return fmean(values) if len(values) > 1 else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation between seeds, of a sample."""
        values = _values(self.seeds)
        return stdev(values) if len(values) > 1 else None

    @property
    def figure(self) -> float | None:
        """The accuracy to hold against the source's: the mean of the seeds, else this model's."""
        own = self.own.value if self.own else None
        return own if self.mean is None else self.mean

    @property
    def rows(self) -> int | None:
        """How many test pictures the figure is of; None where the seeds differ in it."""
        if self.mean is None:
            return self.own.n if self.own else None
        counts = {seed.share.n for seed in self.seeds}
        return counts.pop() if len(counts) == 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the figure, as of one test: all seeds share its pictures."""
        if self.figure is None or self.rows is None:
            return None
        return Share(round(self.figure * self.rows), self.rows).interval

    @property
    def reached(self) -> bool | None:
        """Whether the figure is what was asked at least; None where one of the two is missing."""
        if self.least is None or self.figure is None:
            return None
        return self.figure >= self.least

    @property
    def published_lies(self) -> Place | None:
        """Where the source's figure lies, seen from the interval of ours."""
        if self.published is None or self.interval is None:
            return None
        low, high = self.interval
        if self.published > high:
            return "above"
        return "below" if self.published < low else "inside"

    @property
    def gain(self) -> float | None:
        """How much better the last phase is than the first, -1 to 1; None of a single phase."""
        if len(self.phases) < 2:
            return None
        first, last = self.phases[0].share, self.phases[-1].share
        return last.right / last.n - first.right / first.n

    @property
    def phases_overlap(self) -> bool:
        """Whether the intervals of the first and the last phase have a part in common."""
        ends = [self.phases[place].share.interval for place in (0, -1)] if self.phases else []
        spans = [span for span in ends if span]
        return bool(spans) and max(low for low, _ in spans) <= min(high for _, high in spans)


def recipe_of(card: Card, tested: Evaluation | None) -> Recipe | None:
    """Read which recipe a model was trained by; None where it was trained by none."""
    said = card.settings.get("recipe")
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        return None
    heads = tuple(card.vocabulary)
    head = tested.heads[0] if tested and len(heads) == 1 and tested.n else None
    counted = [share for _, share in _measured([card.metrics.get("whole_row")])]
    return Recipe(
        name=said["name"],
        variant=str(said.get("variant", "")),
        source=said["source"] if isinstance(said.get("source"), str) else None,
        published=_accuracy(said.get("published")),
        least=_accuracy(said.get("least")),
        heads=heads,
        own=counted[0] if counted else (head.share if head else None),
        majority=head.majority if head else None,
        seeds=tuple(
            Seed(row["seed"], share, _accuracies(row.get("heads")))
            for row, share in _measured(card.metrics.get("seeds"))
            if type(row.get("seed")) is int
        ),
        phases=tuple(
            Phase(row["phase"], share)
            for row, share in _measured(card.metrics.get("after_phase"))
            if isinstance(row.get("phase"), str)
        ),
    )


def _values(seeds: tuple[Seed, ...]) -> list[float]:
    return [seed.share.right / seed.share.n for seed in seeds]


def _accuracies(said: Any) -> dict[str, float]:
    heads = said if isinstance(said, dict) else {}
    read = {head: _accuracy(value) for head, value in heads.items()}
    return {head: value for head, value in read.items() if value is not None}


def _accuracy(said: Any) -> float | None:
    """Read an accuracy, 0 to 1; a bool is none."""
    known = type(said) in (int, float) and 0 <= said <= 1
    return float(said) if known else None


def _measured(said: Any) -> list[tuple[Mapping[str, Any], Share]]:
    """Read rows with a share each: `right` of `n` pictures."""
    rows = said[:MOST] if isinstance(said, list) else []
    return [
        (row, Share(row["right"], row["n"]))
        for row in rows
        if isinstance(row, dict)
        and type(row.get("right")) is type(row.get("n")) is int
        and 0 <= row["right"] <= row["n"]
        and 0 < row["n"] <= LARGEST
    ]
