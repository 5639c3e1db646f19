"""The tagger that comes with the catalog, for a shop that has neither a model nor labels."""

import shutil
from pathlib import Path

import catalog
from catalog.models.artefact import load_card
from sql.files import replacing_folder
from sql.store import Store, make_current

NAME = "starter"
"""By which --model asks for it."""

FOLDER = Path(catalog.__file__).parent / NAME


def install(store: Store, *, serve: bool) -> str:
    """Put it into a store, where it may serve from now on; gives its name."""
    card = load_card(FOLDER)
    kept = store.model(card.name, card.version)
    if not kept.exists():
        with replacing_folder(kept) as draft:
            for path in FOLDER.iterdir():
                shutil.copy2(path, draft / path.name)
    if serve:
        make_current(store, card.task, card.model)
    return card.model
