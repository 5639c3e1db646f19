"""`catalog tag products.csv`, end to end on a loopback shop."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from catalog.images.decoders import Decoded, Decoder
from catalog.images.reasons import Reason
from catalog.models.runtime import at_once
from sql.locks import hold
from sql.parts import PartWriter
from tests.shop import Page
from tests.tiny_model import draw


def test_a_first_run_tags_everything(bench):
    """Every product gets a label for each attribute, and the counts add up."""
    told = bench.tag()
    assert told["rows"] == told["accepted"] + told["rejected"] == 12
    assert told["pictures"] == told["fetched"] + told["cached"] + told["failed"] == 12
    assert told["products"] == told["tagged"] + told["untagged"] == 12
    assert (told["fetched"], told["tagged"], told["unchanged"]) == (12, 12, 0)
    tagged = "select count(*) from tags where shape is not null and colour is not null"
    assert bench.ask(tagged) == [(12,)]
    assert bench.ask("select distinct cause from tags") == [("new",)]


def test_a_second_run_has_nothing_to_do(bench):
    """The same CSV again asks no server, looks at nothing and leaves the store as it was."""
    bench.tag()
    asked = len(bench.shop.asked)
    files = sorted(bench.store.root.rglob("*"))
    told = bench.tag()
    assert (told["run"], told["exit_code"], told["unchanged"]) == (None, 0, 12)
    assert len(bench.shop.asked) == asked
    assert sorted(bench.store.root.rglob("*")) == files
    assert "nothing to do" in bench.run("tag", bench.csv).stdout


def test_given_labels_win_over_predicted_ones(bench):
    """The final label is the shop's where there is one, else the model's."""
    bench.tag()
    rows = bench.ask("select id, shape_given, shape_predicted, shape from tags order by id")
    given = {row["id"]: row["shape"] or None for row in bench.rows}
    assert {one: told for one, told, _, _ in rows} == given
    assert all(final == (told or predicted) for _, told, predicted, final in rows)


def test_a_new_picture_behind_the_same_url_is_looked_at(bench):
    """Once its time has come a URL is asked again, and only a changed picture costs a look."""
    bench.tag()
    bench.serve("/5.png", draw(5000)[0])
    before = bench.ask("select pictures from tags where id = 'p5'")
    asked = len(bench.shop.asked)
    told = bench.tag("--refetch")
    assert (told["fetched"], told["cached"]) == (1, 11)
    assert len(bench.shop.asked) == asked + 12
    assert bench.ask("select id, cause from tags where cause <> 'new'") == [("p5", "picture")]
    assert bench.ask("select pictures from tags where id = 'p5'") != before


def test_a_new_title_costs_no_fetch_and_no_look(bench):
    """A changed title is a new product row; the tags stay."""
    bench.tag()
    asked = len(bench.shop.asked)
    bench.rows[2]["title"] = "Renamed"
    told = bench.tag()
    assert (told["unchanged"], told["fetched"]) == (11, 0)
    assert len(bench.shop.asked) == asked
    assert bench.ask("select title from products where id = 'p2'") == [("Renamed",)]
    assert bench.ask("select count(*) from tags where cause <> 'new'") == [(0,)]


def test_a_changed_label_is_evaluated_anew(bench):
    """A changed label changes tags and evaluation without a fetch, a look or a training."""
    bench.tag()
    asked = len(bench.shop.asked)
    other = "Box" if bench.rows[1]["shape"] == "Ball" else "Ball"
    bench.rows[1]["shape"] = other
    bench.tag()
    assert len(bench.shop.asked) == asked
    assert bench.ask("select shape, cause from tags where id = 'p1'") == [(other, "labels")]
    truth = "select truth from evaluations where id = 'p1' and head = 'shape'"
    assert bench.ask(truth) == [(other,)]


def test_a_product_that_left_its_csv_is_gone(bench):
    """It keeps its last row, marked, and has no tags any more; coming back it is new."""
    bench.tag()
    left = bench.rows.pop(0)
    bench.tag()
    assert bench.ask("select id from products where gone") == [("p0",)]
    assert bench.ask("select count(*) from tags where id = 'p0'") == [(0,)]
    bench.rows.insert(0, left)
    bench.tag()
    assert bench.ask("select count(*) from products where gone") == [(0,)]
    assert bench.ask("select count(*) from tags where id = 'p0'") == [(1,)]


def test_a_second_csv_leaves_the_first_alone(bench):
    """Two sources share a store: neither removes the other's, and known pictures are not got."""
    bench.tag()
    asked = len(bench.shop.asked)
    bench.rows = [row | {"title": "Other"} for row in bench.rows[:3]]
    told = bench.tag(csv=bench.write("outlet.csv"))
    assert (told["fetched"], told["cached"], told["tagged"]) == (0, 3, 3)
    assert len(bench.shop.asked) == asked
    assert bench.ask("select source, count(*) from tags group by all order by all") == [
        ("outlet", 3),
        ("products", 12),
    ]


def test_pictures_of_one_product_count_together(bench):
    """A product's scores are the mean over its pictures."""
    both = f"{bench.shop.url('/0.png')}|{bench.shop.url('/1.png')}"
    bench.rows = [bench.rows[0] | {"image": both}, bench.rows[1], bench.rows[2]]
    bench.rows[2]["image"] = bench.shop.url("/0.png")
    bench.tag()
    [(together,), (second,), (first,)] = bench.ask(
        "select scores from evaluations where head = 'shape' order by id"
    )
    assert together == pytest.approx([(a + b) / 2 for a, b in zip(first, second, strict=True)])
    assert bench.ask("select len(pictures) from tags order by id") == [(2,), (1,), (1,)]


def test_one_picture_under_two_urls_is_looked_at_once(bench):
    """Predictions are about pictures: the same bytes cost one look, and serve both products."""
    bench.shop.pages["/copy.png"] = bench.shop.pages["/0.png"]
    bench.rows[1]["image"] = bench.shop.url("/copy.png")
    told = bench.tag()
    assert told["tagged"] == 12
    assert bench.ask("select count(*) from images") == [(11,)]
    assert bench.ask("select count(*) from embeddings") == [(11,)]


def test_a_picture_that_fails_is_a_row_with_a_reason(bench):
    """The product is there, untagged; the failure says why; too many of them exit 3."""
    bench.rows[0]["image"] = bench.shop.url("/none.png")
    bench.shop.pages["/1.png"] = Page(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 9)
    bench.shop.pages["/2.png"] = Page(b"<html>sold out</html>")
    told = bench.tag()
    assert (told["failed"], told["untagged"], told["exit_code"]) == (3, 3, 3)
    assert told["reasons"] == {"damaged": 1, "not_a_picture": 1, "not_found": 1}
    assert bench.ask("select id, stage, reason from failures order by id") == [
        ("p0", "fetch", "not_found"),
        ("p1", "decode", "damaged"),
        ("p2", "fetch", "not_a_picture"),
    ]
    assert bench.ask("select id from tags where not tagged order by id") == [
        ("p0",),
        ("p1",),
        ("p2",),
    ]
    assert bench.tag("--max-failed", "0.5", "--refetch")["exit_code"] == 0


def test_failures_do_not_keep_a_night_busy(bench):
    """Right after a run with failures there is nothing to do: each has its next try."""
    bench.rows[0]["image"] = bench.shop.url("/none.png")
    bench.shop.pages["/2.png"] = Page(b"<html>sold out</html>")
    (bench.folder / "text.jpg").write_text("not a picture")
    bench.rows[3]["image"] = "text.jpg"
    bench.rows[4]["image"] = "missing.jpg"
    bench.tag()
    assert bench.tag()["run"] is None


def test_a_local_file_is_read_again_when_it_changed(bench):
    """Size and time tell; nothing else is read."""
    for row, number in zip(bench.rows, range(12), strict=True):
        draw(number)[0].save(bench.folder / f"{number}.jpg")
        row["image"] = f"{number}.jpg"
    assert bench.tag()["fetched"] == 12
    assert bench.tag()["run"] is None
    draw(77)[0].save(bench.folder / "3.jpg")
    told = bench.tag()
    assert (told["fetched"], told["cached"]) == (1, 11)
    assert bench.shop.asked == []


def test_refused_rows_are_kept_and_told(bench):
    """A bad row costs itself only; corrected, it leaves the list, though nothing else changed."""
    bench.rows[1]["id"] = "p0"
    bench.rows[2]["id"] = ""
    told = bench.tag()
    assert (told["rows"], told["rejected"], told["products"]) == (12, 2, 10)
    assert bench.ask("select line, first_line, reason from rejects order by line") == [
        (3, 2, "duplicate_id"),
        (4, None, "id_empty"),
    ]
    del bench.rows[1:3]
    bench.tag()
    assert bench.ask("select count(*) from rejects") == [(0,)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "products.csv"),
        (b"", "empty"),
        (b"id,title\nx,y\n", "image"),
        (b"\x00\x01\x02", "text"),
        (b"id,image\n", "only a header"),
        (b"id,image\n,x.jpg\n", "1 id_empty"),
        (b"id,image\nx,caf\xe9.jpg\n", "--encoding"),
    ],
)
def test_input_that_is_no_catalogue_is_refused(bench, content, says):
    """One line that says what is wrong, exit code 2, and no run."""
    if content is None:
        bench.csv.unlink(missing_ok=True)
    else:
        bench.csv.write_bytes(content)
    result = bench.run("tag", bench.csv)
    assert result.exit_code == 2
    assert says in result.output
    assert not bench.store.runs.exists()


def test_a_second_run_leaves_at_once(bench):
    """While one run holds the store another exits 75 and names the holder."""
    bench.write()
    with hold(bench.store, "tag"):
        result = bench.run("tag", bench.csv)
    assert result.exit_code == 75
    assert f"process {os.getpid()}" in result.output


def test_an_analyst_may_leave_the_database_open(bench):
    """A reader in another process sees the old run to its end, and does not block the next."""
    bench.tag()
    script = (
        "import duckdb, sys\n"
        "con = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print(con.sql('select count(*) from tags').fetchall(), flush=True)\n"
        "sys.stdin.readline()\n"
        "print(con.sql('select count(*) from tags').fetchall(), flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, bench.store.database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout.readline() == "[(12,)]\n"
        bench.rows.pop()
        bench.tag()
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "[(12,)]\n"
    assert bench.ask("select count(*) from tags") == [(11,)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_what_a_stopped_run_finished_is_kept(bench, how):
    """Nothing of it shows; the next run asks only for what was not finished, and shows all."""
    bench.write()
    bench.shop.latency = 0.05
    bench.shop.pages["/11.png"] = lambda _: time.sleep(20)
    command = [sys.executable, "-m", "jobs.cli", "--store", bench.store.root]
    command += ["--config", bench.folder / "catalog.toml"]
    bench.run("check", bench.csv)  # writes catalog.toml
    command += ["tag", bench.csv, "--allow-host", bench.shop.host]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as job:
        deadline = time.monotonic() + 30
        while len(bench.shop.asked) < 12 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.5)  # the other pictures are decoded and scored by now
        job.send_signal(how)
        errors = job.communicate(timeout=20)[1]
    assert job.returncode == (-9 if how == signal.SIGKILL else 1)
    assert "Traceback" not in errors
    assert not bench.store.database.exists()
    before = len(bench.shop.asked)
    bench.serve("/11.png", draw(1011)[0])
    told = bench.tag()
    asked = len(bench.shop.asked) - before
    assert told["tagged"] == 12
    if how == signal.SIGKILL:
        assert asked == 12  # killed within its first part
    else:
        assert asked <= at_once(32)  # the picture that hung, and those that waited for it
    assert bench.ask("select count(*) from embeddings") == [(12,)]


def test_a_folder_without_any_of_the_pictures_changes_nothing(bench):
    """Who forgets --image-root, or mounts another share, loses no tag; one picture is enough."""
    shelf = bench.folder / "shelf"
    shelf.mkdir()
    for number in range(12):
        draw(number)[0].save(shelf / f"{number}.png")
        bench.rows[number]["image"] = f"{number}.png"
    assert bench.tag("--image-root", shelf)["tagged"] == 12
    before = bench.ask("from tags order by all")
    for job in ("tag", "check", "fetch"):
        result = bench.run(job, bench.csv)
        assert result.exit_code == 2
        assert f"none of the first 12 pictures that {bench.csv} names is in" in result.output
        assert "--image-root" in result.output
    assert bench.ask("from tags order by all") == before
    draw(3)[0].save(bench.csv.parent / "3.png")
    assert bench.tag("--max-failed", "1")["failed"] == 11


def test_a_folder_of_pictures_that_is_not_there_changes_nothing(bench):
    """A wrong --image-root, or a share that is not mounted, is refused: no tag is emptied."""
    bench.tag()
    before = bench.ask("from tags order by all")
    bench.rows[0]["image"] = "1.png"
    result = bench.run("tag", bench.write(), "--image-root", bench.folder / "none")
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr
    assert "Next: " in result.stderr
    assert bench.ask("from tags order by all") == before


def test_tagging_never_loads_tensorflow(bench):
    """With a model there is no TensorFlow, no Keras, in a run that looks at pictures."""
    bench.write()
    bench.run("check", bench.csv)
    words = ["--store", str(bench.store.root), "--config", str(bench.folder / "catalog.toml")]
    words += ["tag", str(bench.csv), "--allow-host", bench.shop.host, "--json"]
    script = (
        "import sys\nfrom jobs.cli import cli\n"
        "try:\n    cli(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True
    )
    summary, loaded = done.stdout.splitlines()
    assert json.loads(summary)["tagged"] == 12
    assert loaded == "[]"


def test_single_pictures_are_looked_at_and_not_stored(bench):
    """`catalog tag picture.jpg` prints the best labels of each head with their probabilities."""
    picture = bench.folder / "one.jpg"
    draw(3)[0].save(picture)
    result = bench.run("tag", picture, "--json")
    assert result.exit_code == 0
    heads = json.loads(result.stdout)["heads"]
    assert set(heads) == {"shape", "colour"}
    assert sum(guess["score"] for guess in heads["colour"]) == pytest.approx(1, abs=1e-4)
    assert not bench.store.runs.exists()


def test_another_model_tags_anew_and_says_so(bench):
    """The pictures are looked at again by the new model, without being fetched."""
    bench.tag()
    asked = len(bench.shop.asked)
    other = bench.store.model("tiny", "2")
    (bench.store.model("tiny", "1")).rename(other)
    card = (other / "card.json").read_text().replace('"version": "1"', '"version": "2"')
    (other / "card.json").write_text(card)
    bench.run("models", "use", "tiny/2")
    told = bench.tag()
    assert (told["tagged"], told["cached"], told["unchanged"]) == (12, 12, 12)
    assert len(bench.shop.asked) == asked
    assert bench.ask("select distinct model from tags") == [("tiny/2",)]


def test_a_signal_in_the_middle_of_a_flush_doubles_nothing(bench, monkeypatch):
    """Ctrl-C while facts are being made durable: each is there once after the next run."""
    flush, times = PartWriter.flush, []

    def interrupted(writer):
        if writer._rows and not times:
            times.append(1)
            os.kill(os.getpid(), signal.SIGINT)
        flush(writer)

    monkeypatch.setattr(PartWriter, "flush", interrupted)
    bench.write()
    bench.run("tag", bench.csv, "--allow-host", bench.shop.host)
    assert times == [1]
    told = bench.tag()
    assert (told["pictures"], told["products"], told["tagged"]) == (12, 12, 12)
    for view, rows in (("fetches", 12), ("images", 12), ("embeddings", 12), ("tags", 12)):
        assert bench.ask(f"select count(*) from {view}") == [(rows,)]  # noqa: S608 - ours


def test_a_kill_between_the_parts_of_a_flush_loses_nothing(bench, monkeypatch):
    """Facts of one picture are adopted together or not at all."""
    flush, flushed = PartWriter.flush, []

    class Killed(BaseException):
        pass

    def dies(writer):
        if writer._rows:
            flushed.append(writer._table)
        if len(flushed) == 3:
            raise Killed
        flush(writer)

    monkeypatch.setattr(PartWriter, "flush", dies)
    with pytest.raises(Killed):
        bench.run("tag", bench.write(), "--allow-host", bench.shop.host)
    monkeypatch.setattr(PartWriter, "flush", flush)
    told = bench.tag()
    assert (told["failed"], told["tagged"]) == (0, 12)
    for view, rows in (("images", 12), ("embeddings", 12), ("predictions", 60)):
        assert bench.ask(f"select count(*) from {view}") == [(rows,)]  # noqa: S608 - ours


def test_a_picture_that_could_not_be_decoded_that_night_is_tried_again(bench, monkeypatch):
    """A decoder that died is no property of the bytes: after a day they are looked at again."""
    monkeypatch.setattr(Decoder, "decode", lambda *_: Decoded("failed", Reason.DECODER_DIED))
    assert bench.tag("--max-failed", "1")["failed"] == 12
    monkeypatch.undo()
    assert bench.tag()["run"] is None
    later = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr("jobs.plan.current_time", lambda: later)
    told = bench.tag()
    assert (told["tagged"], told["failed"]) == (12, 0)


def test_a_picture_that_the_disk_did_not_give_is_looked_at_the_next_time(bench, monkeypatch):
    """That is no fact about it: the run only says that nobody has looked at it."""
    unread = Decoded("failed", Reason.FILE_UNREADABLE)
    monkeypatch.setattr(Decoder, "decode", lambda *_: unread)
    assert bench.tag("--max-failed", "1")["reasons"] == {"not_looked_at": 12}
    assert bench.ask("select count(*) from failures") == [(0,)]
    monkeypatch.undo()
    assert bench.tag()["tagged"] == 12


def test_a_refused_address_is_asked_once_it_is_allowed(bench):
    """The setting that lets it through is enough; nothing else asks for it again."""
    path = bench.write()
    assert bench.run("tag", path, "--max-failed", "1").exit_code == 0
    assert bench.ask("select distinct reason from failures") == [("port_refused",)]
    assert bench.run("tag", path, "--max-failed", "1").stdout.startswith("nothing to do")
    assert bench.tag()["tagged"] == 12


def test_a_failed_recheck_forgets_nothing(bench):
    """The picture serves on, the run counts the failure, and the next one asks conditionally."""
    bench.tag()
    kept = bench.shop.pages["/0.png"]
    bench.shop.pages["/0.png"] = Page(status=404)
    told = bench.tag("--refetch")
    assert (told["failed"], told["tagged"]) == (1, 12)
    assert told["reasons"] == {"not_found": 1}
    bench.shop.pages["/0.png"] = kept
    bench.tag("--refetch")
    again = [asked for asked in bench.shop.asked[-12:] if asked.path == "/0.png"]
    assert ["If-None-Match" in asked.headers for asked in again] == [True]
