"""Posts as the arithmetic takes them: read from a run's connection, with their pictures."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from catalog.models.artefact import TEST_SCORES, Card
from catalog.models.kept import kept_table
from catalog.models.provenance import TEST_SCHEMA
from catalog.models.splits import VALIDATE, split_of
from engagement.frame import posts_frame
from engagement.rules import Rule
from engagement.scoring import Trial
from engagement.settings import MIN_AGE_HOURS, RULE, EngagementSettings
from jobs.errors import BadInput
from sql import statements


def read_posts(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The staged posts, as engagement.frame describes them."""
    return posts_frame(statements.table(con, "posts_frame"))


def fingerprints(con: duckdb.DuckDBPyConnection, pictures: pd.Series) -> dict[str, str]:
    """The perceptual hash of each picture that is not None."""
    found = _about(con, pictures, "fingerprints")
    return dict(zip(found["picture"].to_pylist(), found["fingerprint"].to_pylist(), strict=True))


def picture_scores(con: duckdb.DuckDBPyConnection, pictures: pd.Series, model: str) -> pd.DataFrame:
    """What a classifier says of each picture: a column of P(high) a head, and `trained_on`."""
    found = _about(con, pictures, "picture_scores", model=model).to_pandas()
    said = found.pivot_table(index="picture", columns="head", values="high")
    return said.join(found.groupby("picture")["trained_on"].any())


def trial_of(folder: Path, card: Card) -> Trial:
    """What a classifier was tested on, and by what its epoch was chosen; or ModelRefused."""
    columns = ("id", "picture", "head")
    rows = kept_table(folder, TEST_SCORES, card, TEST_SCHEMA, columns).to_pylist()
    return Trial(
        tested={(row["id"], row["picture"]): row["head"] for row in rows},
        chosen_by={one.picture for one in split_of(folder, card) if one.side == VALIDATE},
    )


def rule_of(asked: EngagementSettings) -> Rule:
    """What is high; BadInput when the words mean nothing."""
    try:
        return Rule.parse(RULE if asked.high is None else asked.high)
    except ValueError as error:
        raise BadInput(str(error)) from error


def min_age_of(asked: EngagementSettings) -> timedelta:
    """How old a post must be to be labelled."""
    hours = MIN_AGE_HOURS if asked.min_age_hours is None else asked.min_age_hours
    return timedelta(hours=hours)


def _about(
    con: duckdb.DuckDBPyConnection, pictures: pd.Series, step: str, **params: object
) -> pa.Table:
    """The rows of a step about these pictures."""
    wanted: Mapping[str, pa.Array] = {"picture": pa.array(pictures.dropna().unique(), pa.string())}
    con.register("asked_pictures", pa.table(wanted))
    found = statements.table(con, step, **params)
    con.unregister("asked_pictures")
    return found
