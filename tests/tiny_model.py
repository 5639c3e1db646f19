"""A tagger trained within seconds on pictures drawn here, shared by all tests that want one."""

import random
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from PIL import Image, ImageDraw

from catalog.attributes import Attribute
from catalog.images.fingerprint import fingerprint
from catalog.models.provenance import Origin
from catalog.models.settings import TrainSettings

if TYPE_CHECKING:
    from catalog.models.artefact import Card
    from catalog.tagger_training import Example

COLOURS = {"Red": (200, 30, 30), "Green": (30, 160, 60), "Blue": (30, 60, 200)}
SHAPES = ("Ball", "Box")
ATTRIBUTES = (Attribute("shape"), Attribute("colour"), Attribute("season"))
SETTINGS = TrainSettings(
    backbone="cnn", weights="none", image_size=32, epochs=2, batch_size=16, dense_units=4
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model of shape and colour (season is left out). Copy it to change it.

    Its card says tiny/1. Trained once for all workers of a test run.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if shared.name.startswith("popen-") else shared
    folder = shared / "tiny-model" / "tiny" / "1"
    with FileLock(shared / "tiny-model.lock"):
        if not folder.exists():
            draft = shared / "tiny-model-draft"
            train(draft, examples(shared / "tiny-pictures"))
            folder.parent.mkdir(parents=True)
            (draft / "model").rename(folder)
    return folder


def train(root: Path, given: "list[Example]", settings: TrainSettings = SETTINGS) -> "Card":
    """Train on these examples in the new folder `root`; the model is in root/model."""
    from catalog.tagger_training import train_tagger  # noqa: PLC0415 - Keras loads here

    for folder in (root / "work", root / "kept", root / "model"):
        folder.mkdir(parents=True)
    return train_tagger(
        given,
        settings,
        root / "work",
        root / "kept",
        root / "model",
        lambda _: None,
        origin=Origin("tiny", "1", "tests", "0" * 64),
        attributes=ATTRIBUTES,
    )


def examples(folder: Path, count: int = 40) -> "list[Example]":
    """Labelled pictures, kept in `folder`, as training takes them; every fifth has no colour."""
    from catalog.tagger_training import Example  # noqa: PLC0415 - Keras loads here

    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in range(count):
        picture, labels = draw(seed)
        if seed % 5 == 0:
            del labels["colour"]
        path = folder / f"{seed}.png"
        picture.save(path)
        sha = sha256(path.read_bytes()).hexdigest()
        found.append(Example(f"p{seed}", sha, path, labels, fingerprint(picture), None))
    return found


def draw(seed: int) -> tuple[Image.Image, dict[str, str]]:
    """One picture, 48 x 48, and its labels; the noise behind it makes it like no other."""
    chance = random.Random(seed)
    noise = bytes(chance.randrange(150, 256) for _ in range(12 * 12))
    picture = Image.frombytes("L", (12, 12), noise).resize((48, 48)).convert("RGB")
    left, top = chance.randrange(12), chance.randrange(12)
    box = (left, top, left + chance.randrange(20, 35), top + chance.randrange(20, 35))
    colour, shape = chance.choice(list(COLOURS)), chance.choice(SHAPES)
    pen = ImageDraw.Draw(picture)
    (pen.ellipse if shape == "Ball" else pen.rectangle)(box, fill=COLOURS[colour])
    return picture, {"shape": shape, "colour": colour, "season": "Summer"}
