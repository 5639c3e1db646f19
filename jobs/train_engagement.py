"""`catalog train engagement posts.csv`: a classifier of high and low, with its honest figures."""

import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.intake import Intake
from catalog.models.artefact import TEST_SCORES, sha256
from catalog.models.kept import kept_table
from catalog.models.provenance import TEST_SCHEMA
from catalog.models.settings import TrainSettings
from catalog.models.weights import IMAGENET, NONE, PLAIN
from engagement import labels
from engagement.exams import division_of, picture_groups, questions
from engagement.findings import Note, Review, Split
from engagement.folds import Division
from engagement.material import Material
from engagement.review import review_scored
from engagement.rules import Rule
from engagement.scoring import tested_posts
from engagement.settings import TRAINING, EngagementSettings
from jobs.checkpoints import GoOn, going_on
from jobs.console import Console
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.models import CLASSIFIER, Model
from jobs.post_summary import as_figures, told
from jobs.posts import fingerprints, min_age_of, read_posts, rule_of
from jobs.recipe import Recipe, by_seeds
from jobs.report import write_index, write_report
from jobs.run import Run
from jobs.settings import Settings, store_of
from jobs.training import (
    Trained,
    check_weights,
    get_pictures,
    hush_tensorflow,
    keep,
    origin,
    outcome,
)
from reports.engagement import classifier_report
from reports.language import language
from reports.wording import note_in_words, split_in_words
from sql.store import Store


@dataclass(frozen=True)
class Training:
    """One call of `catalog train engagement`."""

    catalogue: Catalogue
    train: TrainSettings = TRAINING
    engagement: EngagementSettings = field(default_factory=EngagementSettings)
    refetch: bool = False
    recipe: Recipe | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the manifests say of it."""
        named = {"recipe": self.recipe.name} if self.recipe else {}
        return {
            **named,
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
        everything = read_posts(con)
        why = labels.unknown(everything, self.rule, min_age_of(self.engagement))
        posts = self.labelled(everything)
        self.divided(posts, np.arange(len(posts)), labels.told(why))

    def labelled(self, posts: pd.DataFrame) -> pd.DataFrame:
        """The posts whose likes can be labelled."""
        why = labels.unknown(posts, self.rule, min_age_of(self.engagement))
        known = pd.isna(why)
        # Medians of all posts: those without a picture count in their account's as well.
        medians = labels.account_medians(posts, known)
        return posts.assign(**{labels.MEDIAN: medians})[known].reset_index(drop=True)

    def divided(self, posts: pd.DataFrame, groups: np.ndarray, unknown: str = "") -> Division:
        """Labelled posts in trials; BadInput when that can't be, with what is `unknown`."""
        try:
            return division_of(self.split, posts, self.rule, groups)
        except ValueError as error:
            raise BadInput(
                f"no classifier can be trained on {self.catalogue.csv} with {self.rule}:"
                f" {error}{unknown}",
                hint="give more posts, another rule (--high) or another split (--split);"
                " `catalog engage --metadata-only` needs no classifier",
            ) from error


def train(job: Training, settings: Settings, console: Console) -> Trained:
    """Train a classifier on the CSV's labelled posts; the store is free while it trains."""
    since = time.monotonic()
    store = store_of(settings)
    job = replace(job, train=_startable(job.train))
    job.catalogue.check_header()

    def read(con: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, dict[str, str]]:
        posts = read_posts(con)
        return posts, fingerprints(con, posts["picture"])

    everything, prints = get_pictures(
        store,
        job.catalogue,
        settings,
        console,
        job.check,
        read,
        refetch=job.refetch,
        arguments=job.arguments,
    )
    labelled = job.labelled(everything)
    posts = labelled[labelled["picture"].notna()].reset_index(drop=True)
    groups = picture_groups(prints, posts["picture"])
    division = job.divided(posts, groups)
    english = language("en")
    console.say(f"what is high: {job.rule}. {split_in_words(english, division.facts)}")
    if division.accounts is not None:
        console.say(note_in_words(english, Note("few_accounts", n=division.accounts)))
    with (
        tempfile.TemporaryDirectory(prefix="vitrina-training-") as scratch,
        going_on(store) as go_on,
    ):
        unpictured = len(labelled) - len(posts)
        material = _material(store, job, posts, prints, groups, division, unpictured)
        one = partial(_train, go_on, job, material, console)
        folder = by_seeds(job.recipe, job.train, Path(scratch), one)

        reviews: list[Review] = []

        def write_page(run: Run, model: Model) -> Path:
            scored = tested_posts(everything, _tested(model))
            alike = partial(picture_groups, prints, everything["picture"])
            review = review_scored(everything, model.card, scored, alike).review
            reviews.append(review)
            report, source = classifier_report(review), job.catalogue.source
            return write_report(run, "classifier", source, report, model, settings.lang)

        trained = keep(
            store,
            folder,
            write_page,
            job.catalogue.source,
            job.arguments,
            since,
            serve=job.recipe is None,
        )
    write_index(store, settings.lang)
    return replace(trained, figures=as_figures(reviews[0]), told=told(reviews[0]))


def _tested(model: Model) -> pa.Table:
    return kept_table(model.folder, TEST_SCORES, model.card, TEST_SCHEMA)


def _startable(train: TrainSettings) -> TrainSettings:
    """The settings with weights that can be had: the plain network starts from nothing."""
    if train.backbone == PLAIN and train.weights not in (IMAGENET, NONE):
        raise BadInput(f"{PLAIN} is trained from nothing: it takes no weights")
    if train.backbone == PLAIN:
        return replace(train, weights=NONE)
    check_weights(train)
    return train


def _material(
    store: Store,
    job: Training,
    posts: pd.DataFrame,
    prints: dict[str, str],
    groups: np.ndarray,
    division: Division,
    unpictured: int,
) -> Material:
    return Material(
        posts=posts,
        files=[store.picture(sha) for sha in posts["picture"]],
        fingerprints=[prints[sha] for sha in posts["picture"]],
        groups=groups,
        rule=job.rule,
        min_age=min_age_of(job.engagement),
        division=division,
        questions=questions(posts, job.rule, division),
        unpictured=unpictured,
    )


def _train(
    go_on: GoOn,
    job: Training,
    material: Material,
    console: Console,
    train: TrainSettings,
    scratch: Path,
) -> Path:
    """The folder of the new model, complete, outside the store."""
    hush_tensorflow()
    # Loaded here, after the refusals: TensorFlow takes seconds.
    from engagement.classifier_training import train_classifier  # noqa: PLC0415

    work, folder = scratch / "work", scratch / "model"
    work.mkdir()
    folder.mkdir()
    count = len(material.posts)
    console.say(f"training {train.backbone} at {train.image_size} px on {count:,} posts")
    try:
        facts = {
            **outcome(train),
            "rule": str(job.rule),
            "questions": [
                (one.head, one.exam.high.tolist(), one.exam.train.tolist())
                for one in material.questions
            ],
            "pictures": list(material.posts["picture"]),
        }
        train_classifier(
            material,
            train,
            work,
            go_on(facts),
            folder,
            console.say,
            origin=origin(
                job.recipe.name if job.recipe else CLASSIFIER,
                job.catalogue.source,
                sha256(job.catalogue.csv),
            ),
        )
    except ValueError as error:
        raise BadInput(f"no classifier can be trained on {job.catalogue.csv}: {error}") from error
    return folder
