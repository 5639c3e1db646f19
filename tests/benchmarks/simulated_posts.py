"""The simulated posts of the data folder as a training takes them, with features of pictures."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pandas as pd
from taggers import WEIGHTS

from catalog.images.decoders import Decoder
from catalog.intake import take_in
from catalog.models.datasets import Targets, in_order, lay_out
from catalog.models.settings import TrainSettings
from catalog.models.sides import FlatSide
from catalog.models.training import frozen, pooled
from catalog.records import Reading
from engagement import labels
from engagement.classifier import trunk
from engagement.posts import FIELDS, METADATA
from engagement.rules import Rule
from engagement.settings import MIN_AGE_HOURS, TRAINING
from sql.statements import read

TEXTS = ("account", "likes_given", "caption", "product_id")


@dataclass(frozen=True)
class Simulated:
    """Labelled posts by a rule, and for each the features and the fingerprint of its picture."""

    posts: pd.DataFrame
    features: np.ndarray  # float32 [n, d]
    fingerprints: dict[str, str]  # by picture


def settings(data: Path) -> TrainSettings:
    """What `catalog train engagement` uses, with the weights of the data folder."""
    return replace(TRAINING, weights=str(data / "weights" / WEIGHTS), fine_tune_layers=0)


def simulated(data: Path, name: str, rule: Rule) -> Simulated:
    """The posts of posts_<name>.csv whose likes can be labelled."""
    posts = read_posts(data / "posts-simulated" / f"posts_{name}.csv")
    known = pd.isna(labels.unknown(posts, rule, timedelta(hours=MIN_AGE_HOURS)))
    posts = posts[known].reset_index(drop=True)
    files = [Path(location) for location in posts["location"]]
    posts["picture"] = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    with Decoder(32) as decoder:
        prints = {
            sha: str(decoder.decode(file).fingerprint)
            for sha, file in zip(posts["picture"], files, strict=True)
        }
    return Simulated(posts, features_of(files, settings(data)), prints)


def features_of(files: Sequence[Path], chosen: TrainSettings) -> np.ndarray:
    """The frozen features of pictures, float32 [n, d]."""
    with TemporaryDirectory() as folder:
        side = laid_out(files, Path(folder) / "all", chosen, np.zeros(len(files), bool))
        return pooled(frozen(trunk(chosen)), side, chosen)


def laid_out(
    files: Sequence[Path], folder: Path, chosen: TrainSettings, high: np.ndarray
) -> FlatSide:
    """Pictures as a flat side that learns `high` under the head "engagement"."""
    lay_out(files, in_order(folder, len(files)), chosen.image_size)
    codes = {"engagement": high.astype(np.int32)}
    weights = {"engagement": np.ones(len(files), np.float32)}
    return FlatSide(folder, Targets(codes, weights), len(files))


def read_posts(csv: Path) -> pd.DataFrame:
    """The posts of a CSV by the reader of the commands, with the place of each picture."""
    with TemporaryDirectory() as folder, duckdb.connect() as con:
        reading = Reading(METADATA, FIELDS, image_root=csv.parent.parent)
        intake = take_in(csv, "posts", reading, Path(folder))
        con.execute("set timezone = 'UTC'")
        con.from_parquet(str(intake.records)).create_view("accepted")
        staged = con.sql(read("staged_posts")).order("line").df()
    staged["location"] = staged["pictures"].str[0]
    staged["likes_given"] = [dict(given).get("likes") for given in staged["given"]]
    for name in ("likes", "followers", "comments"):
        staged[name] = staged[name].astype(float)
    for name in ("posted_at", "collected_at"):
        staged[name] = pd.to_datetime(staged[name], utc=True)
    staged["time_unread"] = False
    for name in TEXTS:
        staged[name] = staged[name].astype(object).where(staged[name].notna(), None)
    return staged
