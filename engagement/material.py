"""What a classifier learns from. Loads no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement.exams import Question
from engagement.folds import Division
from engagement.rules import Rule

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Material:
    """Labelled posts with a readable picture, and how they are divided; rows as in `posts`.

    `posts` has the columns of the posts frame and `picture`, the SHA-256 of the first picture.
    """

    posts: pd.DataFrame
    files: Sequence[Path]
    fingerprints: Sequence[str]
    groups: NDArray[np.int64]
    rule: Rule
    min_age: timedelta
    division: Division
    questions: tuple[Question, ...]
    unpictured: int = 0  # labelled posts that are not here, for want of a picture

    def without(self, rows: Bools) -> "Material":
        """The same without some rows."""
        kept = ~rows
        places = np.flatnonzero(kept).tolist()
        return replace(
            self,
            posts=self.posts[kept].reset_index(drop=True),
            files=[self.files[row] for row in places],
            fingerprints=[self.fingerprints[row] for row in places],
            groups=self.groups[kept],
            questions=tuple(question.only(kept) for question in self.questions),
        )
