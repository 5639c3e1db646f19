"""`catalog models use`: which model serves a task from now on."""

import json
from dataclasses import asdict, dataclass

from jobs.errors import BadInput, disk_error
from jobs.models import CLASSES, card_of
from jobs.verifying import verify_models
from sql.files import StoreTrouble
from sql.store import Store, current, make_current


@dataclass(frozen=True)
class Used:
    """The model that serves a task from now on, and the one that did before, if there was one."""

    model: str
    task: str
    before: str | None

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def __str__(self) -> str:
        return f"{self.model} serves from now on"


def use(store: Store, name: str) -> Used:
    """Make a model of the store the current one of its task; BadInput when it is not whole."""
    task = card_of(store, name).task
    if task == CLASSES:
        raise BadInput(f"{name} is a model for classes of pictures: no command of a store uses it")
    [verdict] = verify_models(store, [name]).verdicts
    if verdict.wrong:
        raise BadInput("; ".join(verdict.wrong), hint="put it back from a copy; nothing changed")
    try:
        before = current(store, task)
        make_current(store, task, name)
    except StoreTrouble as error:
        raise disk_error(error, "`catalog models` tells which model serves") from error
    return Used(name, task, before)
