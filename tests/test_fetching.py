"""`catalog fetch` and `catalog retry`: pictures are got, and nothing looks at them."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from jobs import looking
from jobs.cli import cli
from sql.locks import hold
from sql.manifests import read_all
from tests.posts_world import PostBench
from tests.shop import Page
from tests.tiny_model import draw


@pytest.fixture
def fetch(bench):
    """The command `fetch --json` over the rows as they are now."""

    def run(*arguments):
        command = ["fetch", bench.write(), "--json", "--allow-host", bench.shop.host]
        result = bench.run(*command, *arguments)
        assert result.exit_code in {0, 3}, result.output
        return json.loads(result.stdout) | {"exit_code": result.exit_code}

    return run


@pytest.fixture
def retry(bench):
    """The command `retry --json`."""

    def run(*arguments, allowed=True):
        hosts = ["--allow-host", bench.shop.host] if allowed else []
        result = bench.run("retry", "--json", *hosts, *arguments)
        assert result.exit_code in {0, 3}, result.output
        return json.loads(result.stdout) | {"exit_code": result.exit_code}

    return run


def break_page(bench, number, status=503):
    """Let a picture fail until it is served again; the page that it had."""
    path = f"/{number}.png"
    page = bench.shop.pages[path]
    bench.shop.pages[path] = Page(status=status)
    return page


def test_pictures_are_in_the_store_and_nobody_looked(bench, fetch):
    """Every picture is got and known, none is decoded or scored, and no product is told of."""
    told = fetch()
    assert (told["rows"], told["accepted"], told["rejected"]) == (12, 12, 0)
    assert (told["asked"], told["fetched"], told["failed"], told["exit_code"]) == (12, 12, 0, 0)
    assert bench.ask("select count(*) from fetches where outcome = 'fetched'") == [(12,)]
    nobody = """select (select count(*) from images), (select count(*) from history.scores),
        (select count(*) from tags), (select count(*) from products)"""
    assert bench.ask(nobody) == [(0, 0, 0, 0)]


def test_tagging_goes_on_without_the_network(bench, fetch):
    """What `fetch` got, `tag` asks for no more."""
    fetch()
    asked = len(bench.shop.asked)
    told = bench.tag()
    assert (told["tagged"], told["cached"], told["fetched"]) == (12, 12, 0)
    assert len(bench.shop.asked) == asked


def test_a_second_fetch_has_nothing_to_do(bench, fetch):
    """No run is written for pictures that are as they were."""
    fetch()
    told = fetch()
    assert (told["run"], told["asked"], told["pictures"], told["exit_code"]) == (None, 0, 12, 0)
    assert len(read_all(bench.store)) == 1
    assert "nothing to do: 12 pictures" in bench.run("fetch", bench.csv).stdout


def test_refetching_asks_whether_they_changed(fetch):
    """With --refetch every picture is asked for, and unchanged ones are not sent again."""
    fetch()
    told = fetch("--refetch")
    assert (told["asked"], told["fetched"], told["unchanged"]) == (12, 0, 12)


def test_too_many_failures_exit_3(bench, fetch):
    """A share of failures beyond --max-failed is an exit code, and each has its reason."""
    for number in range(3):
        break_page(bench, number, 404)
    told = fetch()
    assert (told["failed"], told["dead"], told["exit_code"]) == (3, 3, 3)
    assert told["reasons"] == {"not_found": 3}
    assert fetch("--refetch", "--max-failed", "0.5")["exit_code"] == 0


def test_what_is_said_to_a_person(bench):
    """Counts, reasons and what is dead, a line each."""
    break_page(bench, 1, 404)
    said = bench.run("fetch", bench.write(), "--allow-host", bench.shop.host).stdout
    assert "rows      12 = 12 accepted + 0 rejected" in said
    assert "pictures  12 asked for = 11 fetched + 0 unchanged + 1 failed" in said
    assert "failed    not_found 1; 1 of them are not asked for again" in said


def test_rows_that_were_refused_stay_the_taggers(bench, fetch):
    """A fetch between two nights leaves the rejects of the last night as they are."""
    bench.rows.append(bench.rows[0] | {"title": "Another of that id"})
    bench.tag()
    bench.serve("/new.png", draw(7)[0])
    bench.rows.append(bench.rows[1] | {"id": "new", "image": bench.shop.url("/new.png")})
    assert fetch()["asked"] == 1
    assert bench.ask("select reason from rejects") == [("duplicate_id",)]


def test_pictures_of_posts(posts_bench: PostBench):
    """With --posts the CSV is one of posts."""
    host = posts_bench.shop.host
    csv = posts_bench.write()
    result = posts_bench.run("fetch", csv, "--posts", "--json", "--allow-host", host)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["fetched"] == 72


def test_retry_asks_only_for_what_failed(bench, retry):
    """What failed and may pass is asked at once; what is had or dead is left alone."""
    for_now = {number: break_page(bench, number) for number in (2, 3)}
    break_page(bench, 4, 404)
    bench.tag()
    bench.shop.pages["/2.png"] = for_now[2]
    bench.shop.asked.clear()
    told = retry()
    assert {one.path for one in bench.shop.asked} == {"/2.png", "/3.png"}
    assert (told["asked"], told["fetched"], told["failed"], told["dead"]) == (2, 1, 1, 0)
    assert (told["reasons"], told["exit_code"]) == ({"server_error": 1}, 3)
    again = bench.tag()
    assert (again["tagged"], again["untagged"]) == (10, 2)


def test_retry_with_nothing_that_failed(bench, retry):
    """Nothing to ask for is no run."""
    bench.tag()
    runs = len(read_all(bench.store))
    assert retry()["run"] is None
    assert len(read_all(bench.store)) == runs
    assert "nothing to ask for" in bench.run("retry").stdout


def test_retry_of_what_only_a_fetch_asked_for(bench, fetch, retry):
    """A location that no product names yet is tried again, too."""
    page = break_page(bench, 5)
    fetch()
    bench.shop.pages["/5.png"] = page
    assert retry()["fetched"] == 1


def test_retry_of_one_source(bench, retry):
    """With --source only what that source names."""
    break_page(bench, 5)
    bench.tag("--source", "one")
    assert retry("--source", "one")["asked"] == 1
    mistyped = bench.run("retry", "--source", "ones")
    assert mistyped.exit_code == 2
    assert "nothing of the source 'ones'; it has one" in mistyped.output


def test_what_left_its_csv_is_not_retried(bench, retry):
    """A picture that only a product names that is gone is wanted no more."""
    break_page(bench, 5)
    bench.tag()
    del bench.rows[5]
    bench.tag()
    assert retry()["asked"] == 0


def test_what_our_rules_refuse_is_retried_once_they_do_not(bench, retry):
    """A private address is asked when --allow-host names it, not before."""
    path = bench.write()
    assert bench.run("tag", path).exit_code == 3
    assert retry(allowed=False)["asked"] == 0
    assert retry()["fetched"] == 12


def test_what_our_rules_refuse_keeps_its_reason(bench, retry):
    """A retry without --allow-host asks for nothing, says so, and forgets nothing."""
    break_page(bench, 5, 503)
    bench.tag()
    assert retry(allowed=False)["asked"] == 0
    said = CliRunner().invoke(cli, ["--store", str(bench.store.root), "retry"]).stderr
    assert "1 more lie where only --allow-host lets them be asked for" in said
    assert bench.ask("select reason from fetches where outcome = 'failed'") == [("server_error",)]


def test_a_night_after_an_outage_tells_what_is_missing(bench, fetch):
    """Nothing is due yet, but nobody may take that for success."""
    break_page(bench, 5, 503)
    fetch()
    told = fetch()
    assert (told["run"], told["missing"]) == (None, 1)
    for command in ("fetch", "tag"):
        bench.run(command, bench.csv, "--allow-host", bench.shop.host)
        said = bench.run(command, bench.csv, "--allow-host", bench.shop.host).stdout
        assert "nothing to do" in said
        assert "1" in said.partition("as they were")[2]
        assert "`catalog retry` asks for those that may pass now" in said


def test_refused_rows_are_told_though_no_picture_is_due(bench, fetch):
    """A share of refused rows is exit 3 also on a night that asks for nothing."""
    fetch()
    bench.rows += [bench.rows[0] | {"title": f"Other {number}"} for number in range(12)]
    told = fetch()
    assert (told["run"], told["rejected"], told["exit_code"]) == (None, 12, 3)
    assert "24 = 12 accepted + 12 rejected" in bench.run("fetch", bench.csv).stdout


def test_counts_are_of_this_run_whatever_the_clock_said(bench, retry, monkeypatch):
    """Facts that a wrong clock dated two days ahead are not counted as asked for."""
    later = datetime.now(UTC) + timedelta(days=2)
    with monkeypatch.context() as wrong:
        wrong.setattr(looking, "datetime", SimpleNamespace(now=lambda _: later))
        page = break_page(bench, 5, 503)
        bench.tag()
    bench.shop.pages["/5.png"] = page
    assert retry()["asked"] == 1


def test_a_picture_whose_file_is_gone_ends_no_run(bench, fetch):
    """Its bytes were deleted by hand and the shop is down: it failed, the others go on."""
    fetch()
    [(picture,)] = bench.ask("select picture from fetches where location like '%/5.png'")
    bench.store.picture(picture).unlink()
    break_page(bench, 5, 503)
    told = bench.tag()
    assert (told["tagged"], told["failed"]) == (11, 1)
    assert bench.ask("select count(*) from images where outcome = 'failed'") == [(0,)]


def test_retry_needs_a_store(bench):
    """A store that is not there is one clear line."""
    result = bench.run("--store", bench.folder / "nowhere", "retry")
    assert result.exit_code == 2
    assert "there is no store at" in result.output


@pytest.mark.parametrize("command", ["fetch", "retry"])
def test_a_held_store_exits_75_at_once(bench, command):
    """While another run works, nothing is asked, and its name is told."""
    bench.write()
    bench.tag()
    words = ["fetch", bench.csv] if command == "fetch" else ["retry"]
    with hold(bench.store, "tag"):
        result = bench.run(*words)
    assert result.exit_code == 75
    assert f"held by tag (process {os.getpid()}" in result.output


def test_what_a_stopped_fetch_got_is_kept(bench):
    """After Ctrl-C the next fetch asks only for the rest."""
    bench.shop.latency = 0.2
    csv = bench.write()
    bench.run("runs")  # writes the settings
    config = bench.folder / "catalog.toml"
    config.write_text(config.read_text() + "[fetch]\nper_host = 1\n")
    command = [sys.executable, "-m", "jobs.cli", "--store", bench.store.root, "--config", config]
    command += ["fetch", csv, "--allow-host", bench.shop.host]
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE) as job:
        until = time.monotonic() + 20
        while len(bench.shop.asked) < 4 and time.monotonic() < until:
            time.sleep(0.02)
        job.send_signal(signal.SIGINT)
        assert job.wait(10) == 1
    bench.shop.latency = 0.0
    asked = len(bench.shop.asked)
    told = json.loads(bench.run("fetch", csv, "--json", "--allow-host", bench.shop.host).stdout)
    assert told["asked"] == len(bench.shop.asked) - asked < 12
    assert bench.ask("select count(*) from fetches where outcome = 'fetched'") == [(12,)]
