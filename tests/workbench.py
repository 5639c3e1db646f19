"""A shop with pictures and a CSV, a store, and the command: what the tests of jobs work on."""

import csv
import io
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner, Result

from jobs.cli import cli
from sql.store import Store, make_current
from tests.shop import Page, Shop
from tests.tiny_model import draw

TOML = """
[attributes]
shape = []
colour = []
"""


@dataclass
class Bench:
    """Products p0, p1, … with the picture of that number, as rows that a test may change."""

    folder: Path
    shop: Shop
    rows: list[dict[str, str]] = field(default_factory=list)
    extra_settings: str = ""

    @property
    def store(self) -> Store:
        """The store that the command works on."""
        return Store(self.folder / "store")

    @property
    def csv(self) -> Path:
        """Where `write` puts the rows."""
        return self.folder / "products.csv"

    def fill(self, count: int) -> None:
        """Make `count` products; every fourth has no label."""
        for number in range(count):
            picture, labels = draw(1000 + number)
            given = {} if number % 4 == 3 else labels
            self.serve(f"/{number}.png", picture)
            self.rows.append(
                {
                    "id": f"p{number}",
                    "title": f"Product {number}",
                    "shape": given.get("shape", ""),
                    "colour": given.get("colour", ""),
                    "image": self.shop.url(f"/{number}.png"),
                }
            )

    def serve(self, path: str, picture: Any) -> None:
        """Let the shop have this picture at `path`."""
        data = io.BytesIO()
        picture.save(data, "PNG")
        tag = f'"{hash(data.getvalue())}"'
        self.shop.pages[path] = Page(data.getvalue(), etag=tag)

    def use_model(self, model: Path) -> None:
        """Give the store a copy of this model as its tagger."""
        folder = self.store.model("tiny", "1")
        folder.parent.mkdir(parents=True)
        shutil.copytree(model, folder)
        make_current(self.store, "tagger", "tiny/1")

    def write(self, name: str = "products.csv") -> Path:
        """Write the rows as they are now."""
        path = self.folder / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        return path

    def run(self, *arguments: object) -> Result:
        """The command, in this process, with the bench's store and settings."""
        config = self.folder / "catalog.toml"
        config.write_text(TOML + self.extra_settings, encoding="utf-8")
        before = ["--store", self.store.root, "--config", config, "--quiet"]
        return CliRunner().invoke(cli, [str(word) for word in [*before, *arguments]])

    def tag(self, *arguments: object, csv: Path | None = None) -> dict[str, Any]:
        """`catalog tag --json` over the rows as they are now; the summary it printed."""
        path = csv or self.write()
        allowed = ["--allow-host", self.shop.host]
        result = self.run("tag", path, "--json", *allowed, *arguments)
        assert result.exit_code in {0, 3}, result.output
        summary: dict[str, Any] = json.loads(result.stdout)
        return summary | {"exit_code": result.exit_code}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query of the published database."""
        with duckdb.connect(str(self.store.database), read_only=True) as con:
            return con.sql(query).fetchall()
