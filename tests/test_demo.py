"""The demo: the sample drawn beside the store, really served, and handed to the tag job."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from jobs import demo, sample
from jobs.console import Console
from jobs.settings import Settings
from jobs.summary import Summary

QUIET = Console(quiet=True)


def summary_for(settings: Settings) -> Summary:
    """A summary of a run that did nothing."""
    zeros = dict.fromkeys(
        [
            "rows",
            "accepted",
            "rejected",
            "pictures",
            "fetched",
            "cached",
            "failed",
            "products",
            "tagged",
            "untagged",
            "unchanged",
            "gone",
            "seconds",
        ],
        0,
    )
    database = settings.store / "catalog.duckdb"
    return Summary(run=None, report=None, database=database, refused={}, reasons={}, **zeros)


class Tagger:
    """Stands in for the tag job: keeps what it was given, and asks for a few pictures."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.settings = Settings()
        self.products = Path()

    def __call__(self, products: Path, settings: Settings) -> Summary:
        """Fetch the last column of the first 30 rows."""
        self.products, self.settings = products, settings
        rows = products.read_text(encoding="utf-8").splitlines()[1:31]
        with requests.Session() as session:
            urls = [row.rpartition(",")[2] for row in rows]
            self.statuses = [session.get(url, timeout=5).status_code for url in urls]
        return summary_for(settings)


@pytest.fixture(autouse=True)
def _few_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the sample does here; test_sample.py draws all of it."""
    monkeypatch.setattr(sample, "PRODUCTS", 42)


@pytest.fixture
def free_port() -> int:
    """A port that nobody held a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_sample_is_served_while_the_job_runs(tmp_path, free_port):
    """Pictures come over HTTP from the port that the settings allow, and one is missing."""
    tagger = Tagger()
    demo.run_demo(tmp_path / "store", QUIET, tagger, free_port)
    assert sorted(tagger.statuses) == [200] * 29 + [404]
    assert tagger.settings.fetch.allow_hosts == (f"127.0.0.1:{free_port}",)


def test_server_is_gone_afterwards(tmp_path, free_port):
    """Nothing listens once the demo has ended."""
    demo.run_demo(tmp_path / "store", QUIET, Tagger(), free_port)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free_port)) != 0


def test_sample_lies_beside_the_store(tmp_path, free_port):
    """The store's own folder is the job's: the sample does not go into it."""
    tagger = Tagger()
    told = demo.run_demo(tmp_path / "store", QUIET, tagger, free_port)
    assert told.products == tagger.products == tmp_path / "store-sample" / "products.csv"
    assert not (tmp_path / "store").exists()


def test_settings_are_those_of_the_demo(tmp_path, free_port):
    """A small network from nothing, in the store that was asked for, rechecked after a week."""
    tagger = Tagger()
    demo.run_demo(tmp_path / "store", QUIET, tagger, free_port)
    assert tagger.settings.store == tmp_path / "store"
    assert (tagger.settings.train.backbone, tagger.settings.train.weights) == ("cnn", "none")
    assert tagger.settings.recheck_after == timedelta(days=7)


def test_taken_port_is_told(tmp_path, capsys):
    """When something else listens on the port, another one is used and the demo says so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        tagger = Tagger()
        demo.run_demo(tmp_path / "store", Console(), tagger, taken)
    assert f"port {taken} is taken" in capsys.readouterr().err
    assert 404 in tagger.statuses


def test_demo_tells_a_query_that_can_be_pasted(tmp_path):
    """The line to try names the database and is one shell word after -c."""
    told = str(demo.Demo(summary_for(Settings(store=tmp_path)), tmp_path / "products.csv"))
    assert str(tmp_path / "catalog.duckdb") in told
    assert told.count('"') == 2
    assert "nothing to do" in told
