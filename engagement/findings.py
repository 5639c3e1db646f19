"""What is found out about posts, as plain values: they are kept, and drawn without pandas.

Nothing here is said in a language: notes and findings are codes with their figures, and
reports/wording.py has the sentences. Imports nothing heavy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from catalog.models.calibration import Bin

LEAST = 50
"""Posts in pairs of an account below which nothing is said of the picture."""


class Split(StrEnum):
    """What keeps training and test apart."""

    ACCOUNT = "account"
    TIME = "time"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Auc:
    """The share of pairs, one post high and one low, in which the high one scores more.

    `n` posts were in pairs, of `units` accounts or groups, which were resampled for the 95 %
    interval. No value where there is no pair; no interval with fewer than LEAST_UNITS units.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    units: int

    @property
    def beats_chance(self) -> bool:
        """Whether the whole interval is above one half."""
        return self.low is not None and self.low > 0.5


@dataclass(frozen=True, slots=True)
class Rung:
    """How well one kind of knowledge ranks the test posts: all of them, and inside accounts."""

    name: str
    auc: Auc
    inside: Auc


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything measured over `n` labelled posts, of which `high` are high.

    Precision, recall and F1 are those of high; `majority` is the share of the commoner class, which
    is what always answering it would get right. `ece` is the expected calibration error over the
    bins of `reliability` (Naeini et al. 2015). `confusion` is ((low as low, low as high), (high as
    low, high as high)). `always` is the only answer given, where only one was. What is undefined is
    None.
    """

    n: int
    high: int
    precision: float | None
    recall: float | None
    f1: float | None
    accuracy: float | None
    majority: float | None
    roc_auc: Auc
    inside: Auc
    pr_auc: float | None
    brier: float | None
    ece: float | None
    confusion: tuple[tuple[int, int], tuple[int, int]]
    reliability: tuple[Bin, ...]
    always: Literal["high", "low"] | None

    @property
    def base_rate(self) -> float | None:
        """The share of the posts that is high."""
        return self.high / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Cutoff:
    """What comes of calling high whatever scores above a threshold: `called` posts.

    The thresholds are from `low` to `high` where each head has its own; else the two are one.
    Precision is None where none was called.
    """

    low: float
    high: float
    called: int
    precision: float | None
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Curves:
    """What each threshold would come to, over the posts that were measured, of both classes.

    `roc` are pairs of the share of low posts called high and that of high posts called high, from
    (0, 0) to (1, 1); `recalls` pairs of recall and precision, as the threshold falls, from ten
    posts on. `cutoffs` are thresholds spread over the scores, lowest first; `frozen` those that the
    model uses. The scores of `heads` heads are taken together, as ROC-AUC and PR-AUC of an
    Evaluation take them.
    """

    roc: tuple[tuple[float, float], ...]
    recalls: tuple[tuple[float, float], ...]
    cutoffs: tuple[Cutoff, ...]
    frozen: Cutoff
    heads: int


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """How posts were divided; `tested` of the folds were tested, and `cut` begins a test by time.

    `asked` is what was to be done, where that could not be.
    """

    kind: Split
    asked: Split
    tested: int
    cut: datetime | None


FindingKind = Literal[
    "metadata",  # nobody looked at a picture
    "no_pictures",  # not one could be had and read
    "none_new",  # the classifier has learned from every post
    "no_pairs",  # no account has both a high and a low post
    "no_interval",  # too few accounts for one
    "few_pairs",  # fewer than LEAST posts
    "chance",
    "better",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the picture tells more than the account that posted it, by the area inside accounts.

    `auc` is None where no post was measured.
    """

    kind: FindingKind
    auc: Auc | None = None


NoteCode = Literal[
    "few_accounts",  # n: split at random, for so few accounts are known
    "said",  # text: a sentence of an older card, in English
    "no_ladder_test",
    "no_ladder_one_class",
    "no_together",
    "times_unread",  # n posts
    "left_out",  # n posts scored and not measured
    "few_measured",  # n posts
    "suspicious",  # value: a ROC-AUC
    "always",  # text: high or low
    "aside",  # n posts on no side of the first fold
    "unpictured",  # n posts without a readable picture
    "undecodable",  # n pictures
    "fine_tuned",  # evaluated on one fold only
]


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader must not miss, and the figure or word that goes with it."""

    code: NoteCode
    n: int | None = None
    value: float | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The figures of one run: `evaluation` is None without a classifier or a post to measure.

    `unknown` counts the posts that can't be labelled by reason, the commonest first; `labelled`
    the others, of which `high` are high.
    """

    rule: str
    split: SplitFacts
    finding: Finding
    notes: tuple[Note, ...]
    ladder: tuple[Rung, ...]
    evaluation: Evaluation | None
    curves: Curves | None
    unknown: Mapping[str, int]
    labelled: int
    high: int
