"""How a run saw its CSV: the rows that changed since the last time, and those it refused."""

import duckdb
import pyarrow.parquet as pq

from catalog.intake import Intake
from jobs.run import Run, table_of
from sql import statements

ROWS = 20_000  # of a batch between DuckDB and Parquet


def write_snapshot(run: Run, con: duckdb.DuckDBPyConnection, source: str, intake: Intake) -> None:
    """Write a row for each product or post that is new, changed or gone; and what was refused."""
    for step in ("changed", "gone"):
        for batch in statements.batches(con, step, ROWS, source=source, seen_at=run.started):
            run.write(table_of(intake), batch)
    for batch in pq.ParquetFile(intake.rejects).iter_batches():
        run.write("rejects", batch)
