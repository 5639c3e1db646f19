"""`catalog models use`: which model serves."""

import errno
import json
import os
import shutil

from catalog.models.artefact import LITERT
from sql import files
from sql.store import current


def second_model(bench):
    """A copy of the bench's model under another version."""
    folder = bench.store.model("tiny", "2")
    shutil.copytree(bench.store.model("tiny", "1"), folder)
    card = json.loads((folder / "card.json").read_text()) | {"version": "2"}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")


def test_a_script_is_told_what_served_before(bench):
    """With --json it is an object that says how to go back."""
    second_model(bench)
    told = json.loads(bench.run("models", "use", "tiny/2", "--json").stdout)
    assert told == {"model": "tiny/2", "task": "tagger", "before": "tiny/1"}
    assert current(bench.store, "tagger") == "tiny/2"


def test_the_first_has_none_before_it(bench):
    """A store in which nothing served yet says so."""
    (bench.store.models / "tagger.current").unlink()
    told = json.loads(bench.run("models", "use", "tiny/1", "--json").stdout)
    assert told["before"] is None


def test_a_person_reads_one_line(bench):
    """Without --json it is a sentence."""
    assert bench.run("models", "use", "tiny/1").stdout == "tiny/1 serves from now on\n"


def test_a_failing_disk_is_one_line(bench, monkeypatch):
    """The model that served goes on serving, and the line says where the trouble is."""
    second_model(bench)

    def replace(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files.os, "replace", replace)
    result = bench.run("models", "use", "tiny/2")
    assert result.exit_code == 1
    assert f"the disk that holds {bench.store.models} fails" in result.output
    assert current(bench.store, "tagger") == "tiny/1"


def test_a_model_that_was_altered_is_not_taken(bench):
    """`use` looks at every file first, so that no night finds out."""
    second_model(bench)
    (bench.store.models / "tiny" / "2" / LITERT).write_bytes(b"another")
    result = bench.run("models", "use", "tiny/2")
    assert result.exit_code == 2
    assert "not the file that its card describes" in result.output
    assert "* tiny/1" in bench.run("models").stdout
