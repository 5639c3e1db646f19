"""Reading a CSV for a job: refusals become one line that says what to do."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq

from catalog.intake import Intake, take_in
from catalog.products import PRODUCTS
from catalog.records import Reading, find_columns
from catalog.tables import TableRefused, open_table
from engagement.posts import FIELDS, METADATA, POSTS
from jobs.errors import BadInput
from jobs.settings import Settings

LOOKED_FOR, ENOUGH = 100, 10
"""Local pictures of which one must be there, where there are enough to tell."""


@dataclass(frozen=True)
class Catalogue:
    """A CSV of products or posts, and the name under which they are kept."""

    csv: Path
    source: str
    reading: Reading

    @classmethod
    def of(cls, csv: Path, source: str | None, settings: Settings) -> "Catalogue":
        """Products, as the settings want them read; the source is the file's stem by default."""
        reading = Reading(
            PRODUCTS,
            settings.attributes,
            settings.columns,
            settings.image_root,
            settings.encoding,
        )
        return cls(csv, source or csv.stem, reading)

    @classmethod
    def of_posts(
        cls,
        csv: Path,
        source: str | None,
        settings: Settings,
        columns: Mapping[str, Sequence[str]],
        *,
        metadata_only: bool = False,
    ) -> "Catalogue":
        """Posts, likewise; but the columns of the settings are those of products, not of these.

        With `metadata_only` neither ids nor pictures need be there.
        """
        layout = METADATA if metadata_only else POSTS
        reading = Reading(layout, FIELDS, columns, settings.image_root, settings.encoding)
        return cls(csv, source or csv.stem, reading)

    def check_header(self) -> None:
        """BadInput when the file can't be taken at all: before anything is written."""
        root = self.reading.image_root
        if root and not root.is_dir():  # else each picture of it is missing, and tags are emptied
            raise BadInput(
                f"there is no folder {root}, in which the pictures should lie",
                hint="nothing was written; name the folder that the CSV's paths begin from",
            )
        with _refusing(), open_table(self.csv, self.reading.encoding) as table:
            find_columns(table.header, self.reading)

    def take_in(self, folder: Path) -> Intake:
        """Read the CSV whole and stage its products or posts in `folder`.

        BadInput when not one row can be used: an export that failed in the night must not mark
        everything as gone.
        """
        with _refusing():
            intake = take_in(self.csv, self.source, self.reading, folder)
        if not intake.accepted:
            why = ", ".join(f"{count:,} {reason}" for reason, count in intake.reasons.items())
            raise BadInput(
                f"{self.csv} has no row that can be used ({why or 'only a header'})",
                hint="nothing was written; correct that and run again",
            )
        if self.reading.layout is not METADATA:
            self._check_pictures(intake)
        return intake

    def _check_pictures(self, intake: Intake) -> None:
        """BadInput when none of many pictures is there: each tag would be emptied for it."""
        first = list(islice(_local_pictures(intake), LOOKED_FOR))
        if len(first) < ENOUGH or any(map(os.path.exists, first)):
            return
        folder = self.reading.image_root or self.csv.absolute().parent
        raise BadInput(
            f"none of the first {len(first)} pictures that {self.csv} names is in {folder}",
            hint="nothing was written; --image-root names the folder that its paths begin from",
        )


def _local_pictures(intake: Intake) -> Iterator[str]:
    """The paths on this machine that a CSV names, in its order."""
    for batch in pq.ParquetFile(intake.records).iter_batches(1024, columns=["pictures"]):
        for pictures in batch["pictures"].to_pylist():
            yield from (one for one in pictures or () if one.startswith("/"))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except TableRefused as error:
        raise BadInput(
            str(error), hint="nothing was written; correct that and run again"
        ) from error
