"""Reading products.csv for a job: refusals become one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.intake import Intake, take_in
from catalog.products import Reading, find_columns
from catalog.tables import TableRefused, open_table
from jobs.errors import BadInput
from jobs.settings import Settings


@dataclass(frozen=True)
class Catalogue:
    """A products CSV and the name under which its products are kept."""

    csv: Path
    source: str
    reading: Reading

    @classmethod
    def of(cls, csv: Path, source: str | None, settings: Settings) -> "Catalogue":
        """The CSV as the settings want it read; the source is the file's stem by default."""
        reading = Reading(
            attributes=settings.attributes,
            overrides=settings.columns,
            image_root=settings.image_root,
            encoding=settings.encoding,
        )
        return cls(csv, source or csv.stem, reading)

    def check_header(self) -> None:
        """BadInput when the file can't be taken as products at all: before anything is written."""
        with _refusing(), open_table(self.csv, self.reading.encoding) as table:
            find_columns(table.header, self.reading.overrides, self.reading.attributes)

    def take_in(self, folder: Path) -> Intake:
        """Read the CSV whole and stage its products in `folder`.

        BadInput when not one row can be used: an export that failed in the night must not mark
        every product as gone.
        """
        with _refusing():
            intake = take_in(self.csv, self.source, self.reading, folder)
        if not intake.accepted:
            why = ", ".join(f"{count:,} {reason}" for reason, count in intake.reasons.items())
            raise BadInput(
                f"{self.csv} has no row that can be used ({why or 'only a header'})",
                hint="nothing was written; correct that and run again",
            )
        return intake


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except TableRefused as error:
        raise BadInput(
            str(error), hint="nothing was written; correct that and run again"
        ) from error
