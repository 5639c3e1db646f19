"""The tagger that comes with the catalog, for a shop that has neither a model nor labels."""

import shutil
from pathlib import Path

import catalog
from catalog.models.artefact import load_card
from jobs.errors import disk_error
from sql.files import StoreTrouble, replacing_folder
from sql.store import Store, make_current

NAME = "starter"
"""By which --model asks for it."""

FOLDER = Path(catalog.__file__).parent / NAME


def install(store: Store, *, serve: bool) -> str:
    """Put it into a store, where it may serve from now on; gives its name."""
    card = load_card(FOLDER)
    kept = store.model(card.name, card.version)
    try:
        if not kept.exists():
            with replacing_folder(kept) as draft:
                for path in FOLDER.iterdir():
                    shutil.copy2(path, draft / path.name)
        if serve:
            make_current(store, card.task, card.model)
    except StoreTrouble as error:
        raise disk_error(error, "nothing was tagged") from error
    return card.model
