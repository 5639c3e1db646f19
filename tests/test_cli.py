"""The command line itself: usage, interruptions, faults."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_model import draw

pytestmark = pytest.mark.usefixtures("traced_children")


def command(*words: object, code: str = "from jobs.cli import main; main()"):
    """The command in a process of its own; `code` starts it."""
    arguments = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ["tag"],
        ["tag", "a.csv", "b.csv"],
        ["check", "a.csv", "--column", "image"],
        ["tag", "a.csv", "--max-failed", "2"],
        ["tag", "a.csv", "--allow-host", "nowhere"],
        ["train", "tagger", "a.csv", "--backbone", "resnet"],
        ["train", "tagger", "a.csv", "--epochs", "0"],
        ["unheard-of"],
    ],
)
def test_wrong_usage_exits_2(words, tmp_path):
    """A clear message, nothing written, no traceback."""
    done = command("--store", tmp_path / "store", *words)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "store").exists()


def test_a_fault_of_ours_is_one_line_and_a_file():
    """No traceback reaches the cron mail; it is kept where the line says."""
    code = "import jobs.cli, sys\njobs.cli.load = lambda *_: 1 / 0\njobs.cli.main()\n"
    done = command("models", code=code)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    kept = done.stderr.split("its details are in ")[1].strip()
    assert "Traceback" in Path(kept).read_text(encoding="utf-8")


def test_a_query_that_is_interrupted_is_no_fault():
    """Ctrl-C while DuckDB answers is Ctrl-C, though DuckDB 2.0 makes a RuntimeError of it."""
    code = (
        "import jobs.cli\n"
        "def load(*_):\n"
        "    raise RuntimeError('Query interrupted')\n"
        "jobs.cli.load = load\n"
        "jobs.cli.main()\n"
    )
    done = command("models", code=code)
    assert done.returncode == 1
    assert done.stderr == "interrupted: what was finished is kept, the next run goes on\n"


def test_log_lines_can_be_json(bench):
    """Every line on standard error is an object with a time and a message."""
    bench.write()
    bench.run("check", bench.csv)
    words = ["--store", bench.store.root, "--config", bench.folder / "catalog.toml"]
    done = command(
        *words, "--log-format", "json", "tag", bench.csv, "--allow-host", bench.shop.host
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines
    assert all({"time", "message"} <= line.keys() for line in lines)


def test_quiet_says_nothing_but_the_result(bench):
    """Cron mails only what matters."""
    bench.write()
    bench.run("check", bench.csv)
    words = ["--store", bench.store.root, "--config", bench.folder / "catalog.toml", "--quiet"]
    done = command(*words, "tag", bench.csv, "--allow-host", bench.shop.host)
    assert (done.returncode, done.stderr) == (0, "")
    assert "12 tagged" in done.stdout


@pytest.mark.parametrize("kind", ["fifo", "text", "empty", "missing"])
def test_a_single_picture_that_cannot_be_read_is_told(bench, kind, tmp_path):
    """What is named like a picture is answered like one: by a reason, and exit 3."""
    path = tmp_path / "picture.jpg"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind != "missing":
        path.write_bytes(b"id,image\n" if kind == "text" else b"")
    result = bench.run("tag", path)
    assert result.exit_code == 3
    assert "picture.jpg: can't be read (" in result.stdout


def test_settings_in_a_pipe_are_not_waited_for(tmp_path):
    """A file of settings that is no file is one line."""
    os.mkfifo(tmp_path / "catalog.toml")
    done = command("--config", tmp_path / "catalog.toml", "models")
    assert (done.returncode, "there is no file" in done.stderr) == (2, True)


def test_control_characters_do_not_reach_the_terminal(bench):
    """A cell that would clear the screen is shown without what would do it."""
    bench.rows[0]["image"] = "../\x1b[2Jx.jpg\x07"
    said = bench.run("check", bench.write()).stdout
    assert "picture_invalid: ../\ufffd[2Jx.jpg" in said
    assert "\x1b" not in said


def test_the_command_as_installed_says_nothing_but_the_result(bench):
    """Nothing is told at its end either, as DuckDB does of what it takes for leaked."""
    bench.write()
    bench.run("check", bench.csv)
    words = ["--store", bench.store.root, "--config", bench.folder / "catalog.toml", "--quiet"]
    words += ["tag", bench.csv, "--allow-host", bench.shop.host]
    done = command(*words, code="from jobs.entry import main; main()")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_that_ends_early_leaves_no_thread_behind(bench):
    """What one knows would still be there in the end, and DuckDB tell of it in forty lines."""
    bench.write()
    bench.tag()
    bench.serve("/new.png", draw(1012)[0])
    bench.rows[0]["image"] = bench.shop.url("/new.png")
    bench.write()
    full = (
        "from catalog.images import blobs\n"
        "from sql.files import StoreFull\n"
        "def full(path, *_): raise StoreFull(path.parent)\n"
        "blobs.write_draft = full\n"
        "from jobs.entry import main; main()"
    )
    words = ["--store", bench.store.root, "--config", bench.folder / "catalog.toml", "--quiet"]
    done = command(*words, "tag", bench.csv, "--allow-host", bench.shop.host, code=full)
    told, following = done.stderr.splitlines()
    assert (done.returncode, "no room left" in told) == (1, True)
    assert "make room and run again" in following


def test_ctrl_c_is_no_fault_whatever_a_library_makes_of_it(bench):
    """One that is interrupted while it is loaded says that it can't be."""
    code = (
        "import os, signal, time, jobs.cli, jobs.tag\n"
        "def load(*_):\n"
        "    try: os.kill(os.getpid(), signal.SIGINT), time.sleep(9)\n"
        "    except KeyboardInterrupt: raise ImportError('initialization failed')\n"
        "jobs.tag.tag_or_train = load\n"
        "jobs.cli.main()"
    )
    done = command("--store", bench.store.root, "tag", bench.write(), code=code)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["interrupted: what was finished is kept, the next run goes on"],
    )


def test_ctrl_c_while_the_command_is_loaded_has_no_words(tmp_path):
    """Nothing has begun, so nothing is told, least of all where Python was."""
    (tmp_path / "jobs").mkdir()
    code = (
        "import os, signal, sys, jobs.entry\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'jobs.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Stop())\n"
        "jobs.entry.main()"
    )
    done = command("--version", code=code)
    assert (done.returncode, done.stderr) == (-2, "")


def test_the_command_collects_garbage_once_it_is_loaded():
    """Not while it loads; and BLAS has one thread, unless somebody says otherwise."""
    code = (
        "import gc, os, jobs.cli, jobs.entry\n"
        "jobs.cli.main = lambda: print(gc.isenabled(), os.environ['OPENBLAS_NUM_THREADS'])\n"
        "jobs.entry.main()"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    for more, threads in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True, env=environment | more,
        )  # fmt: skip
        assert done.stdout == f"True {threads}\n"
