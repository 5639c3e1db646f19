"""`catalog check products.csv`: what a run would do, and nothing done."""

import json
import socket

import pytest


@pytest.fixture
def offline(monkeypatch):
    """Any attempt to connect is an error."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def check(bench, *flags):
    """The JSON that the command prints for the rows as they are now."""
    result = bench.run("check", bench.write(), "--json", *flags)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("offline")
def test_an_empty_store_makes_everything_new(bench):
    """Counts of what a first run would do, the model that would tag, and no run."""
    told = check(bench)
    assert (told["rows"], told["accepted"], told["rejected"]) == (12, 12, 0)
    assert (told["new"], told["asks"], told["model"]) == (12, {"new": 12}, "tiny/1")
    assert told["labelled"] == {"shape": 9, "colour": 9}
    assert not bench.store.runs.exists()


def test_after_a_run_only_what_differs_is_told(bench):
    """New, changed, unchanged and gone products, and pictures to get."""
    bench.tag()
    asked = len(bench.shop.asked)
    bench.rows[1]["title"] = "Other"
    bench.rows[2]["image"] = bench.shop.url("/else.png")
    del bench.rows[0]
    told = check(bench)
    assert (told["new"], told["changed"], told["unchanged"], told["gone"]) == (0, 2, 9, 1)
    assert told["asks"] == {"new": 1}
    assert len(bench.shop.asked) == asked


def test_refused_rows_are_told_with_line_column_and_reason(bench):
    """A person reads where to look; a script gets every row."""
    bench.rows[3]["id"] = "p0"
    bench.rows[4]["image"] = "ftp://shop/4.png"
    refused = check(bench)["refused"]
    assert [(row["line"], row["first_line"], row["reason"]) for row in refused] == [
        (6, None, "picture_scheme"),
        (5, 2, "duplicate_id"),
    ]
    text = bench.run("check", bench.csv).stdout
    assert f"{bench.csv}:6, column image: picture_scheme" in text
    assert f"{bench.csv}:5, column id: duplicate_id (first on line 2): p0" in text
