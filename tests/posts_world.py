"""Posts drawn here, served by a loopback shop: red things are liked, and accounts differ."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from PIL import Image

from catalog.models.settings import TrainSettings
from jobs.cli import cli
from sql.store import Store, make_current
from tests.shop import Page, Shop
from tests.tiny_model import draw

ACCOUNTS = 6
SIDE = 32
EPOCHS = 2


def post(number: int) -> tuple[dict[str, str], Image.Image]:
    """One row of posts.csv without its picture's place, and that picture."""
    picture, labels = draw(7000 + number)
    account = number % ACCOUNTS
    red = labels["colour"] == "Red"
    likes = 300 * (account + 1) + 7 * number + (4000 if red else 0)
    row = {
        "post_id": f"q{number}",
        "account": f"shop_{account}",
        "followers": str(1000 * (account + 1)),
        "posted_at": f"2026-01-{1 + number % 28:02}T{number % 24:02}:00:00Z",
        "collected_at": "2026-03-01T00:00:00Z",
        "caption": f"Post {number} #new",
        "likes": str(likes),
        "comments": str(number),
    }
    return row, picture


def png(picture: Image.Image) -> bytes:
    """A picture as a file."""
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network that has learned nothing, as a file: a backbone to freeze."""
    return shared(tmp_path_factory, "tiny.weights.h5", _save_weights)


def _save_weights(path: Path) -> None:
    import keras  # noqa: PLC0415 - takes seconds, and few tests need it

    from catalog.models.backbones import build  # noqa: PLC0415

    keras.utils.set_random_seed(3)
    build("cnn", "none", SIDE).network.save_weights(path)


def small(weights: Path | str, **other: Any) -> TrainSettings:
    """A training of seconds."""
    return TrainSettings(
        **{
            "backbone": "mobilenetv2",
            "weights": str(weights),
            "image_size": SIDE,
            "epochs": EPOCHS,
            "batch_size": 16,
            "fine_tune_layers": 0,
        }
        | other
    )


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A file or folder that is made once for all workers of a test run."""
    root = factory.getbasetemp()
    root = root.parent if root.name.startswith("popen-") else root
    path = root / name
    with FileLock(root / f"{name}.lock"):
        if not path.exists():
            draft = root / f"draft-{name}"
            make(draft)
            draft.rename(path)
    return path


@dataclass
class PostBench:
    """Posts q0, q1, … with their pictures, as rows that a test may change; a store; the command."""

    folder: Path
    shop: Shop
    rows: list[dict[str, str]] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """The store that the command works on."""
        return Store(self.folder / "store")

    def fill(self, count: int) -> None:
        """Make `count` posts."""
        for number in range(count):
            row, picture = post(number)
            self.shop.pages[f"/{number}.png"] = Page(png(picture), etag=f'"{number}"')
            self.rows.append(row | {"image_url": self.shop.url(f"/{number}.png")})

    def write(self, name: str = "posts.csv") -> Path:
        """Write the rows as they are now."""
        path = self.folder / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        return path

    def use_model(self, model: Path, task: str, name: str) -> None:
        """Give the store a copy of this model for a task."""
        folder = self.store.models / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(model, folder)
        make_current(self.store, task, name)

    def copy_as(self, name: str, version: str) -> Path:
        """A copy of a model of the store outside it, as another version."""
        copy = self.folder / "copies" / version
        shutil.copytree(self.store.models / name, copy)
        card = json.loads((copy / "card.json").read_text(encoding="utf-8"))
        (copy / "card.json").write_text(json.dumps(card | {"version": version}), encoding="utf-8")
        return copy

    def run(self, *arguments: object) -> Result:
        """The command, in this process, with the bench's store and a training of seconds."""
        config = self.folder / "catalog.toml"
        settings = small("none", backbone="cnn")
        lines = [
            "[train_engagement]",
            f'backbone = "{settings.backbone}"',
            f'weights = "{settings.weights}"',
            f"image_size = {settings.image_size}",
            f"epochs = {settings.epochs}",
            f"batch_size = {settings.batch_size}",
            f"fine_tune_layers = {settings.fine_tune_layers}",
        ]
        config.write_text("\n".join(lines), encoding="utf-8")
        before = ["--store", self.store.root, "--config", config, "--quiet"]
        return CliRunner().invoke(cli, [str(word) for word in [*before, *arguments]])

    def train(self, *arguments: object) -> Result:
        """`catalog train engagement` over the rows as they are now."""
        return self.run(
            "train", "engagement", self.write(), "--allow-host", self.shop.host, *arguments
        )

    def engage(self, *arguments: object) -> dict[str, Any]:
        """`catalog engage --json` over the rows as they are now; the summary it printed."""
        allowed = ["--allow-host", self.shop.host]
        result = self.run("engage", self.write(), "--json", *allowed, *arguments)
        assert result.exit_code in {0, 3}, result.output
        summary: dict[str, Any] = json.loads(result.stdout)
        return summary | {"exit_code": result.exit_code}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query of the published database."""
        with duckdb.connect(str(self.store.database), read_only=True) as con:
            return con.sql(query).fetchall()
