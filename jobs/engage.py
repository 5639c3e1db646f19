"""`catalog engage posts.csv`: which posts were high, and what their pictures have to do with it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from engagement.settings import MIN_AGE_HOURS, RULE, SPLITS, EngagementSettings
from jobs.console import Console
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.models import CLASSIFIER, TAGGER, Model, find_model, model_for
from jobs.pictures import get_and_look, rules_of
from jobs.plan import Plan, make_plan
from jobs.post_summary import PostSummary, summarise_posts
from jobs.run import Run, open_run
from jobs.settings import Settings, store_of
from sql import statements


@dataclass(frozen=True)
class Engaging:
    """One call of `catalog engage`."""

    catalogue: Catalogue
    engagement: EngagementSettings = field(default_factory=EngagementSettings)
    model: str | None = None
    refetch: bool = False
    retrain: bool = False
    metadata_only: bool = False


def engage_or_train(job: Engaging, settings: Settings, console: Console) -> PostSummary:
    """Score with the classifier that there is; train one first when there is none, or on asking."""
    store = store_of(settings)
    if job.retrain and job.model:
        raise BadInput("--train and --model ask for different models: give one of them")
    if job.metadata_only and (job.retrain or job.model):
        raise BadInput("--metadata-only looks at no picture: it needs no model")
    missing = not job.metadata_only and find_model(store, CLASSIFIER, job.model) is None
    if job.retrain or missing:
        job.catalogue.check_header()
        why = "asked to train" if job.retrain else "the store has no classifier"
        console.say(f"{why}: training one first on the posts of {job.catalogue.csv}")
        # Loaded here: most nights train nothing.
        from jobs.train_engagement import Training, train  # noqa: PLC0415
        from jobs.training import train_first  # noqa: PLC0415

        training = Training(job.catalogue, settings.train_engagement, job.engagement, job.refetch)
        model = train_first(store, train, training, settings, console)
        job = replace(job, model=model, refetch=False)
    return engage(job, settings, console)


def engage(job: Engaging, settings: Settings, console: Console) -> PostSummary:
    """Bring labels, scores, database and report up to date with the CSV."""
    store = store_of(settings)
    job.catalogue.check_header()
    with open_run(store, "engage", job.catalogue.source) as run:
        model = None if job.metadata_only else model_for(store, CLASSIFIER, job.model)
        if model:
            _refuse_otherwise(job.engagement, model)
        basis = _basis(job.engagement, model)
        lookers = [each for each in (model, find_model(store, TAGGER, None)) if model and each]
        source = job.catalogue.source
        intake = job.catalogue.take_in(run.work)
        with run.views(intake) as con:
            plans = _plans(run, con, job, settings, lookers, basis)
            if all(plan.nothing_to_do for plan in plans) and not run.adopted:
                run.republish()
                return summarise_posts(run, con, source, intake, plans[0], None)
            console.say(str(plans[0]))
            if model:
                get_and_look(run, con, plans[0], settings, model, console)
        for tagger in lookers[1:]:
            with run.views(intake) as con:
                rules = rules_of(settings, refetch=False)
                plan = make_plan(con, source, tagger.name, rules, run.work, kind=intake.kind)
                get_and_look(run, con, plan, settings, tagger, console)
        # Loaded here: a run with nothing to do has nothing to close.
        from jobs.engage_closing import Closing, close  # noqa: PLC0415

        closing = Closing(
            job.catalogue, job.engagement, model, basis, intake, plans[0], settings.lang
        )
        return close(run, closing)


def _refuse_otherwise(asked: EngagementSettings, model: Model) -> None:
    """BadInput when what was asked for is not what the classifier was trained on."""
    card = model.card
    trained = {
        "high": card.settings["rule"],
        "min_age_hours": card.settings["min_age_hours"],
        "split": card.split["asked"],
    }
    for name, value in trained.items():
        wanted = getattr(asked, name)
        if wanted is not None and _canonical(name, wanted) != value:
            raise BadInput(
                f"{model.name} was trained with {name} {value!r}, not {wanted!r}",
                hint="--train trains another classifier first; or leave that setting out",
            )


def _canonical(name: str, value: Any) -> Any:
    if name != "high":
        return value
    # Loaded here: pandas comes with it, and few runs say what is high.
    from jobs.posts import rule_of  # noqa: PLC0415

    return str(rule_of(EngagementSettings(high=value)))


def _basis(asked: EngagementSettings, model: Model | None) -> str:
    """What all labels and figures rest on: with another one, every post is decided on again."""
    if model:
        return model.name
    choices = {
        "high": asked.high or RULE,
        "min_age_hours": MIN_AGE_HOURS if asked.min_age_hours is None else asked.min_age_hours,
        "split": asked.split or SPLITS[0],
    }
    return json.dumps(choices)


def _plans(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    job: Engaging,
    settings: Settings,
    lookers: list[Model],
    basis: str,
) -> list[Plan]:
    """What is to do for the classifier, then for the tagger; without pictures, for the labels."""
    source = job.catalogue.source
    names: list[str | None] = [model.name for model in lookers]
    stale = statements.count(
        con, "stale_posts", source=source, basis=basis, model=names[0] if names else None
    )
    rules = rules_of(settings, refetch=job.refetch) if lookers else None
    return [
        make_plan(con, source, name, rules, run.work, kind="post", undecided=stale)
        for name in names or [None]
    ]
