"""Where things live in a store."""

from dataclasses import dataclass
from pathlib import Path

from sql.files import write_text


@dataclass(frozen=True)
class Store:
    """A store's folder, made absolute and free of links, and the places in it.

    A question mark in its path is a ValueError: DuckDB takes it for the end of a file's name.
    """

    root: Path

    def __post_init__(self) -> None:
        root = Path(self.root).expanduser().resolve()
        if "?" in str(root):
            raise ValueError(f"a store can't lie in a folder with a question mark: {root}")
        object.__setattr__(self, "root", root)

    @property
    def database(self) -> Path:
        """The DuckDB file with the views."""
        return self.root / "catalog.duckdb"

    @property
    def lock(self) -> Path:
        """The file that the one writer holds."""
        return self.root / ".lock"

    @property
    def runs(self) -> Path:
        """The folder of the manifests."""
        return self.root / "runs"

    @property
    def models(self) -> Path:
        """The folder of the models."""
        return self.root / "models"

    @property
    def trainings(self) -> Path:
        """The folder of what interrupted trainings go on from."""
        return self.root / "trainings"

    @property
    def published(self) -> Path:
        """The file that says what the database shows."""
        return self.runs / ".published"

    @property
    def picture_drafts(self) -> Path:
        """Where pictures are written before they have their name: images/ is too big to sweep."""
        return self.root.joinpath("images", ".drafts")

    def picture(self, sha: str) -> Path:
        """Where the bytes with this SHA-256 lie."""
        return self.root.joinpath("images", sha[:2], sha)

    def part(self, table: str, run_id: str, number: int) -> Path:
        """Where a run's part of a table lies; parts count from 1."""
        return self.root / table / f"run={run_id}" / f"part-{number:05}.parquet"

    def model(self, name: str, version: str) -> Path:
        """Tell the folder of one version of a model."""
        return self.models / name / version

    def manifest(self, run_id: str) -> Path:
        """Tell the file that makes a run visible."""
        return self.runs / f"{run_id}.json"

    def report(self, run_id: str) -> Path:
        """Tell where the page about a run lies."""
        return self.root / "reports" / run_id / "index.html"

    @property
    def index(self) -> Path:
        """The page that lists the runs."""
        return self.root / "reports" / "index.html"

    def relative(self, path: Path) -> str:
        """Say a path as manifests do, so that a store can be moved; outside it is ValueError."""
        return path.relative_to(self.root).as_posix()


def current(store: Store, task: str) -> str | None:
    """Tell the model ("<name>/<version>") that serves a task, or None before there is one."""
    try:
        return _current_file(store, task).read_text().strip()
    except FileNotFoundError:
        return None


def make_current(store: Store, task: str, model: str) -> None:
    """Let `model` ("<name>/<version>") serve the task from now on."""
    if not (store.models / model).is_dir():
        raise ValueError(f"the store has no model {model}")
    write_text(_current_file(store, task), f"{model}\n")


def current_models(store: Store) -> set[str]:
    """Tell the models ("<name>/<version>") that serve a task."""
    return {path.read_text().strip() for path in store.models.glob("[!.]*.current")}


def cards(store: Store) -> list[Path]:
    """Tell the card.json of every model of the store, by name and version."""
    return sorted(store.models.glob("[!.]*/[!.]*/card.json"))


def _current_file(store: Store, task: str) -> Path:
    return store.models / f"{task}.current"
