"""`catalog tag products.csv`: what is new gets fetched, looked at, tagged and published."""

from dataclasses import dataclass, replace

from jobs import starter
from jobs.console import Console
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.models import TAGGER, find_model, model_for
from jobs.pictures import get_and_look, rules_of
from jobs.plan import count_untagged, make_plan
from jobs.run import open_run
from jobs.settings import Settings, store_of
from jobs.summary import Summary, summarise
from sql.store import Store
from sql.without_pandas import spare_pandas


@dataclass(frozen=True)
class Tagging:
    """One call of `catalog tag`."""

    catalogue: Catalogue
    model: str | None = None
    refetch: bool = False
    retrain: bool = False


def tag_or_train(job: Tagging, settings: Settings, console: Console) -> Summary:
    """Tag with the model that there is; get one first when there is none, or when asked to."""
    store = store_of(settings)
    if job.retrain and job.model:
        raise BadInput("--train and --model ask for different models: give one of them")
    if job.model == starter.NAME:
        job = replace(job, model=starter.install(store, serve=False))
    if job.retrain or find_model(store, TAGGER, job.model) is None:
        job = _with_first_model(job, store, settings, console)
    return tag(job, settings, console)


def _with_first_model(job: Tagging, store: Store, settings: Settings, console: Console) -> Tagging:
    """The job with a model that was trained for it, or without labels with the starter."""
    job.catalogue.check_header()
    if job.retrain:
        console.say(f"asked to train: a tagger first, on the labelled rows of {job.catalogue.csv}")
    else:
        console.say(
            f"the store has no tagger: one is trained first if {job.catalogue.csv} has labels"
        )
    # Loaded here: most nights train nothing.
    from jobs.train_tagger import TooFewLabels, Training, train  # noqa: PLC0415
    from jobs.training import train_first  # noqa: PLC0415

    training = Training((job.catalogue,), settings.train, job.refetch)
    try:
        model = train_first(store, train, training, settings, console)
    except TooFewLabels as few:
        if job.retrain:
            raise
        model = starter.install(store, serve=True)
        console.say(f"{few.said}: {model}, which comes with the catalog, serves instead")
        return replace(job, model=model)
    return replace(job, model=model, refetch=False)


def tag(job: Tagging, settings: Settings, console: Console) -> Summary:
    """Bring tags, database and report up to date with the CSV. There must be a model."""
    spare_pandas()
    store = store_of(settings)
    job.catalogue.check_header()
    with open_run(store, "tag", job.catalogue.source) as run:
        model = model_for(store, TAGGER, job.model)
        intake = job.catalogue.take_in(run.work)
        with run.views(intake) as con:
            source, rules = job.catalogue.source, rules_of(settings, refetch=job.refetch)
            undecided = count_untagged(con, source, model.name)
            plan = make_plan(con, source, model.name, rules, run.work, undecided=undecided)
            if plan.nothing_to_do and not run.adopted:
                run.republish()
                return summarise(run, con, source, intake, plan, None)
            console.say(str(plan))
            get_and_look(run, con, plan, settings, model, console)
        # Loaded here: a run with nothing to do has nothing to close.
        from jobs.closing import close  # noqa: PLC0415

        return close(run, job.catalogue, settings, model, intake, plan)
