"""`catalog train engagement posts.csv`: a classifier of high and low, with its honest figures."""

import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from catalog.intake import Intake
from catalog.models.artefact import TEST_SCORES
from catalog.models.settings import TrainSettings
from engagement import labels
from engagement.exams import picture_groups, preliminary, questions
from engagement.folds import Division, Split, divide
from engagement.labels import Rule
from engagement.review import review_scored
from engagement.scoring import tested_posts
from engagement.settings import TRAINING, EngagementSettings
from jobs.console import Console
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.models import CLASSIFIER, Model
from jobs.post_summary import told
from jobs.posts import fingerprints, min_age_of, read_posts, rule_of
from jobs.report import write_classifier_report
from jobs.run import Run
from jobs.settings import Settings, store_of
from jobs.training import Trained, check_weights, get_pictures, hush_tensorflow, keep, origin
from sql.store import Store


@dataclass(frozen=True)
class Training:
    """One call of `catalog train engagement`."""

    catalogue: Catalogue
    train: TrainSettings = TRAINING
    engagement: EngagementSettings = field(default_factory=EngagementSettings)
    refetch: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """What the manifests say of it."""
        return {
            "csv": str(self.catalogue.csv.absolute()),
            "train": asdict(self.train),
            "engagement": asdict(self.engagement),
        }

    @property
    def rule(self) -> Rule:
        """What is high."""
        return rule_of(self.engagement)

    @property
    def split(self) -> Split:
        """What keeps training and test apart."""
        return Split(self.engagement.split or Split.ACCOUNT)

    def check(self, con: duckdb.DuckDBPyConnection, _: Intake) -> None:
        """BadInput when there is too little to learn from, whatever the pictures are."""
        posts = self.labelled(read_posts(con))
        self.divided(posts, np.arange(len(posts)))

    def labelled(self, posts: pd.DataFrame) -> pd.DataFrame:
        """The posts whose likes can be labelled."""
        why = labels.unknown(posts, self.rule, min_age_of(self.engagement))
        return posts[pd.isna(why)].reset_index(drop=True)

    def divided(self, posts: pd.DataFrame, groups: np.ndarray) -> Division:
        """Labelled posts in trials; BadInput when that can't be."""
        try:
            return divide(self.split, posts, preliminary(posts, self.rule), groups)
        except ValueError as error:
            raise BadInput(
                f"no classifier can be trained on {self.catalogue.csv} with {self.rule}: {error}",
                hint="give more posts, another rule (--high) or another split (--split);"
                " `catalog engage --metadata-only` needs no classifier",
            ) from error


def train(job: Training, settings: Settings, console: Console) -> Trained:
    """Train a classifier on the CSV's labelled posts; the store is free while it trains."""
    store = store_of(settings)
    job.catalogue.check_header()
    check_weights(job.train)

    def read(con: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, dict[str, str]]:
        posts = job.labelled(read_posts(con))
        pictured = posts[posts["picture"].notna()].reset_index(drop=True)
        return pictured, fingerprints(con, pictured["picture"])

    posts, prints = get_pictures(
        store,
        job.catalogue,
        settings,
        console,
        job.check,
        read,
        refetch=job.refetch,
        arguments=job.arguments,
    )
    groups = picture_groups(prints, posts["picture"])
    division = job.divided(posts, groups)
    console.say(f"what is high: {job.rule}. {division.rule}")
    if division.fallback:
        console.say(division.fallback)
    with tempfile.TemporaryDirectory(prefix="vitrina-training-") as scratch:
        folder = _train(store, job, (posts, prints, groups, division), Path(scratch), console)

        def write_report(run: Run, model: Model) -> Path:
            scored = tested_posts(posts, pq.read_table(model.folder / TEST_SCORES))
            review = review_scored(posts, model.card, scored, lambda: groups).review
            console.say(told(review))
            return write_classifier_report(run, model, review)

        return keep(store, folder, write_report, job.arguments)


def _train(
    store: Store,
    job: Training,
    given: tuple[pd.DataFrame, dict[str, str], np.ndarray, Division],
    scratch: Path,
    console: Console,
) -> Path:
    """The folder of the new model, complete, outside the store."""
    hush_tensorflow()
    # Loaded here, after the refusals: TensorFlow takes seconds.
    from engagement.classifier_training import Material, train_classifier  # noqa: PLC0415

    posts, prints, groups, division = given
    work, folder = scratch / "work", scratch / "model"
    work.mkdir()
    folder.mkdir()
    console.say(
        f"training {job.train.backbone} at {job.train.image_size} px on {len(posts):,} posts"
    )
    material = Material(
        posts=posts,
        files=[store.picture(sha) for sha in posts["picture"]],
        fingerprints=[prints[sha] for sha in posts["picture"]],
        groups=groups,
        rule=job.rule,
        min_age=min_age_of(job.engagement),
        division=division,
        questions=questions(posts, job.rule, division),
    )
    try:
        train_classifier(
            material,
            job.train,
            work,
            folder,
            console.say,
            origin=origin(CLASSIFIER, job.catalogue),
        )
    except ValueError as error:
        raise BadInput(f"no classifier can be trained on {job.catalogue.csv}: {error}") from error
    return folder
