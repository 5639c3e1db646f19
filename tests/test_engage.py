"""`catalog engage posts.csv`, end to end on a loopback shop."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sql.locks import hold
from tests.posts_world import post
from tests.shop import Page

COUNTS = ("fetched", "cached", "failed", "scored", "unscored", "labelled", "unknown", "unchanged")


def test_a_first_run_scores_every_post(scored_bench):
    """Every post gets a label and a score by a head that never saw its account; counts add up."""
    told = scored_bench.engage()
    assert told["rows"] == told["accepted"] + told["rejected"] == 72
    assert told["pictures"] == told["fetched"] + told["cached"] + told["failed"] == 72
    assert told["posts"] == told["scored"] + told["unscored"] == 72
    assert told["posts"] == told["labelled"] + told["unknown"]
    assert (told["scored"], told["labelled"], told["exit_code"]) == (72, 72, 0)
    rows = scored_bench.ask(
        "select label, head, evaluated, guess = if(score > threshold, 'high', 'low')"
        " from engagement"
    )
    assert {head for _, head, _, _ in rows} == {f"fold_{number}" for number in range(1, 6)}
    assert {label for label, _, _, _ in rows} == {"high", "low"}
    assert all(evaluated and agrees for _, _, evaluated, agrees in rows)
    assert (scored_bench.store.root / told["report"]).is_file()


def test_the_figures_are_those_of_the_database(scored_bench):
    """What is printed, what JSON says and what the views hold are the same."""
    told = scored_bench.engage()
    rungs = scored_bench.ask(
        "select rung, roc_auc, inside_accounts, n from engagement_ladder order by place"
    )
    assert rungs == [
        (rung["name"], rung["auc"]["value"], rung["inside"]["value"], rung["auc"]["n"])
        for rung in told["figures"]["ladder"]
    ]
    names = ["majority", "followers only", "time of posting", "picture only", "all together"]
    assert [rung for rung, *_ in rungs] == names
    measured = dict(scored_bench.ask("select metric, value from engagement_evaluation"))
    found = told["figures"]["evaluation"]
    assert measured["roc_auc"] == found["roc_auc"]["value"]
    assert measured["precision"] == found["precision"]
    assert measured["true_positives"] == found["confusion"][1][1]
    counts = {name: measured[name] for name in measured if name.endswith(("positives", "gatives"))}
    assert sum(counts.values()) == 72
    page = (scored_bench.store.root / told["report"]).read_text(encoding="utf-8")
    assert told["figures"]["finding"].split(":")[0] in page


def test_a_second_run_has_nothing_to_do(scored_bench):
    """The same CSV again asks no server, looks at nothing and leaves the store as it was."""
    scored_bench.engage()
    asked = len(scored_bench.shop.asked)
    files = sorted(scored_bench.store.root.rglob("*"))
    told = scored_bench.engage()
    assert (told["run"], told["exit_code"], told["unchanged"]) == (None, 0, 72)
    assert (told["scored"], told["labelled"]) == (72, 72)
    assert len(scored_bench.shop.asked) == asked
    assert sorted(scored_bench.store.root.rglob("*")) == files
    result = scored_bench.run("engage", scored_bench.folder / "posts.csv")
    assert result.stdout == "nothing to do: 72 posts are as they were\n"


def test_likes_that_grew_change_labels_without_a_look(scored_bench):
    """A post that crosses its account's median gets another label, and no picture is looked at."""
    scored_bench.engage()
    [(low, account)] = scored_bench.ask(
        "select id, account from engagement join posts using (source, id)"
        " where label = 'low' order by id limit 1"
    )
    before = scored_bench.ask("select count(*) from history.scores")
    asked = len(scored_bench.shop.asked)
    next(row for row in scored_bench.rows if row["post_id"] == low)["likes"] = "999999"
    told = scored_bench.engage()
    assert (told["unchanged"], told["fetched"]) == (71, 0)
    assert len(scored_bench.shop.asked) == asked
    assert scored_bench.ask("select count(*) from history.scores") == before
    assert scored_bench.ask(f"select label from engagement where id = '{low}'") == [("high",)]  # noqa: S608
    rewritten = scored_bench.ask(
        "select distinct account from history.engagement as e join posts using (source, id)"
        " where e.run = (select max(run) from runs)"
    )
    assert rewritten == [(account,)]


def test_hidden_likes_are_unknown_and_not_low(scored_bench):
    """-1, empty, words and a post an hour old are kept, scored, never labelled, and counted."""
    for row, likes in zip(scored_bench.rows, ("-1", "", "many", "17"), strict=False):
        row["likes"] = likes
    scored_bench.rows[3]["collected_at"] = scored_bench.rows[3]["posted_at"]
    told = scored_bench.engage()
    assert (told["scored"], told["unknown"]) == (72, 4)
    rows = scored_bench.ask(
        "select id, reason, label, score is not null, evaluated from engagement"
        " where reason is not null order by id"
    )
    assert rows == [
        ("q0", "hidden", None, True, False),
        ("q1", "empty", None, True, False),
        ("q2", "not_a_number", None, True, False),
        ("q3", "too_young", None, True, False),
    ]
    assert told["figures"]["unknown"] == {
        "hidden": 1,
        "empty": 1,
        "not_a_number": 1,
        "too_young": 1,
    }
    page = (scored_bench.store.root / told["report"]).read_text(encoding="utf-8")
    assert "hidden" in page


def test_a_new_post_costs_one_look(scored_bench):
    """Of an account that was trained on it is scored by that account's own fold."""
    scored_bench.engage()
    looks = scored_bench.ask("select count(*) from images")
    scored_bench.fill(73)
    del scored_bench.rows[72:-1]
    told = scored_bench.engage()
    assert (told["posts"], told["unchanged"], told["fetched"]) == (73, 72, 1)
    assert scored_bench.ask("select count(*) from images") == [(looks[0][0] + 1,)]
    heads = scored_bench.ask(
        "select distinct head from engagement join posts using (source, id)"
        " where account = 'shop_0'"
    )
    assert len(heads) == 1
    assert heads[0][0].startswith("fold_")


def test_an_account_that_nobody_saw_is_scored_by_the_classifier(scored_bench):
    """Its posts are evaluated too, and count as those of an account that was held out."""
    row, _ = post(90)
    scored_bench.fill(91)
    scored_bench.rows[72:] = [scored_bench.rows[-1] | {"account": "newcomer"} | {"likes": "5"}]
    assert row["post_id"] == "q90"
    scored_bench.engage()
    [(head, reason)] = scored_bench.ask("select head, reason from engagement where id = 'q90'")
    assert (head, reason) == ("engagement", "few_posts")


def test_a_post_that_left_its_csv_is_gone(scored_bench):
    """It leaves the views and stays in history; a CSV of another source removes nothing."""
    scored_bench.engage()
    scored_bench.rows.pop()
    scored_bench.engage()
    assert scored_bench.ask("select count(*) from engagement") == [(71,)]
    assert scored_bench.ask("select gone from posts where id = 'q71'") == [(True,)]
    scored_bench.engage("--source", "other")
    assert scored_bench.ask("select source, count(*) from engagement group by 1 order by 1") == [
        ("other", 71),
        ("posts", 71),
    ]


def test_a_picture_that_is_gone_costs_its_post_the_score_only(scored_bench):
    """The post is labelled, unscored, and the picture is a failure of a post with its reason."""
    scored_bench.shop.pages["/4.png"] = Page(status=404)
    told = scored_bench.engage()
    assert (told["failed"], told["unscored"], told["labelled"], told["exit_code"]) == (1, 1, 72, 0)
    assert scored_bench.ask("select label is not null, score from engagement where id = 'q4'") == [
        (True, None)
    ]
    assert scored_bench.ask("select kind, id, reason from failures") == [
        ("post", "q4", "not_found")
    ]
    assert scored_bench.engage("--max-failed", "0.001", "--refetch")["exit_code"] == 3


def test_pictures_are_tagged_where_there_is_a_tagger(scored_bench, tiny_model):
    """The store's tagger looks at the pictures of posts too, once, and its tags are a view."""
    scored_bench.engage()
    assert scored_bench.ask("select count(*) from post_tags") == [(0,)]
    scored_bench.use_model(tiny_model, "tagger", "tiny/1")
    told = scored_bench.engage()
    assert (told["fetched"], told["cached"]) == (0, 72)
    assert scored_bench.ask("select attribute, count(*) from post_tags group by 1 order by 1") == [
        ("colour", 72),
        ("shape", 72),
    ]
    assert scored_bench.engage()["run"] is None


def test_a_new_classifier_looks_where_the_tagger_has_looked(scored_bench, tiny_model):
    """Each model has a plan of its own: what one has seen does not count for the other."""
    scored_bench.use_model(tiny_model, "tagger", "tiny/1")
    scored_bench.engage()
    scored_bench.use_model(scored_bench.copy_as("engagement/1", "2"), "engagement", "engagement/2")
    told = scored_bench.engage()
    assert (told["scored"], told["fetched"], told["cached"]) == (72, 0, 72)
    assert scored_bench.ask("select distinct model from engagement") == [("engagement/2",)]


def test_a_picture_that_another_source_got_reaches_the_posts(scored_bench):
    """What a run of another CSV fetched and scored is decided on here as well."""
    page = scored_bench.shop.pages["/4.png"]
    scored_bench.shop.pages["/4.png"] = Page(status=404)
    scored_bench.engage("--source", "a")
    scored_bench.shop.pages["/4.png"] = page
    scored_bench.engage("--source", "b", "--refetch")
    assert scored_bench.engage("--source", "a")["run"] is not None
    scores = scored_bench.ask("select score from engagement where id = 'q4'")
    assert len(scores) == 2
    assert scores[0] == scores[1] != (None,)


def test_figures_go_with_the_run_that_made_them(scored_bench):
    """After a run without pictures the views show no figure of the classifier any more."""
    scored_bench.engage()
    scored_bench.engage("--metadata-only", "--high", "likes > 3000")
    assert scored_bench.ask("select metric, value from engagement_evaluation") == [
        ("posts_measured", 0.0)
    ]
    assert scored_bench.ask("select distinct model, rule from engagement_ladder") == [
        (None, "likes > 3000")
    ]
    scored_bench.engage()
    assert scored_bench.ask("select count(*) from engagement where score is not null") == [(72,)]


def test_times_that_cannot_be_read_are_told(scored_bench):
    """Seconds since 1970 are times; words are not, and a note says what that means."""
    for row in scored_bench.rows[:10]:
        row.update(posted_at="1767225600", collected_at="1767229200")
    for row in scored_bench.rows[10:15]:
        row.update(posted_at="yesterday")
    told = scored_bench.engage()
    assert told["figures"]["unknown"] == {"too_young": 10}
    notes = told["figures"]["notes"]
    assert any("5 posts have a time that can't be read" in note for note in notes)


def test_a_median_is_not_split_by_time(posts_bench):
    """It would know what comes after the date, so the two are refused together."""
    asked = ("--metadata-only", "--high", "above account median", "--split", "time")
    result = posts_bench.run("engage", posts_bench.write(), *asked)
    assert result.exit_code == 2
    assert "median is of its later posts too" in result.output


def test_metadata_alone_leave_pictures_alone(posts_bench):
    """Pictures that are named are neither asked for nor failed, wherever they lie."""
    posts_bench.rows[0]["image_url"] = "../../elsewhere.jpg"
    told = posts_bench.engage("--metadata-only", "--high", "above account median")
    assert (told["pictures"], told["failed"], told["rejected"], told["exit_code"]) == (0, 0, 0, 0)
    assert posts_bench.shop.asked == []


def test_metadata_only_wants_no_folder_of_pictures(posts_bench):
    """Where none of the pictures is there, that refuses only who would look at them."""
    for number, row in enumerate(posts_bench.rows):
        row["image_url"] = f"{number}.png"
    told = posts_bench.engage("--metadata-only", "--high", "above account median")
    assert told["labelled"] > 0
    result = posts_bench.run("engage", posts_bench.write(), "--high", "above account median")
    assert (result.exit_code, "none of the first 72 pictures" in result.output) == (2, True)


def test_metadata_alone_need_no_picture_and_no_model(posts_bench):
    """The ladder stands without its picture rungs, no server is asked, and no model is there."""
    for row in posts_bench.rows:
        del row["image_url"], row["post_id"]
    told = posts_bench.engage("--metadata-only", "--high", "above account median")
    assert (told["pictures"], told["scored"], told["labelled"]) == (0, 0, 72)
    names = [rung["name"] for rung in told["figures"]["ladder"]]
    assert names == ["majority", "followers only", "time of posting", "all together"]
    assert told["figures"]["evaluation"] is None
    assert posts_bench.shop.asked == []
    assert posts_bench.ask("select model, count(*) from engagement group by all") == [(None, 72)]
    assert posts_bench.ask("select id from posts order by line limit 1") == [("line 2",)]
    again = posts_bench.engage("--metadata-only", "--high", "above account median")
    assert again["run"] is None


@pytest.mark.parametrize(
    "asked", [("--high", "above account median"), ("--min-age", "1"), ("--split", "time")]
)
def test_another_question_decides_on_every_post_again(posts_bench, asked):
    """With the same CSV and another rule, age or split there is something to do."""
    first = ("--metadata-only", "--high", "likes > 3000")
    posts_bench.engage(*first)
    assert posts_bench.engage(*first, *asked)["run"] is not None
    assert posts_bench.engage(*first, *asked)["run"] is None


def test_a_split_by_time_has_the_account_mean(posts_bench):
    """What accounts did before the date is a rung of its own, and the split is named."""
    told = posts_bench.engage("--metadata-only", "--high", "likes > 3000", "--split", "time")
    assert "account mean" in [rung["name"] for rung in told["figures"]["ladder"]]
    assert "By time: trained on posts before" in told["figures"]["split"]


def test_a_random_split_says_what_it_is_worth(posts_bench):
    """It is to be had by asking only, and the report says in words that it is worth little."""
    asked = ("--metadata-only", "--high", "above account median", "--split", "random")
    told = posts_bench.engage(*asked)
    page = (posts_bench.store.root / told["report"]).read_text(encoding="utf-8")
    assert "worth little" in told["figures"]["split"]
    assert "worth little" in page


def test_one_account_is_a_named_fallback(posts_bench):
    """It can't be held out, so the split is another, and the report says which and why."""
    for row in posts_bench.rows:
        row["account"] = "only one"
    told = posts_bench.engage("--metadata-only", "--high", "likes > 3000")
    assert any("Only one account is known" in note for note in told["figures"]["notes"])
    page = (posts_bench.store.root / told["report"]).read_text(encoding="utf-8")
    assert "Only one account is known" in page


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("likes > 99999999", "all 72 labelled posts are low"),
        ("likes > -", "does not say what is high"),
        ("top 0%", "does not say what is high"),
        ("likes > 10.000", "does not say what is high"),
        ("", "does not say what is high"),
    ],
)
def test_a_rule_that_tells_nothing_apart_is_refused(posts_bench, rule, told):
    """One class, or words that mean nothing: exit 2, one line, and no run."""
    result = posts_bench.run("engage", posts_bench.write(), "--metadata-only", "--high", rule)
    assert result.exit_code == 2
    assert told in result.output
    assert not posts_bench.store.database.exists()


def test_too_few_posts_are_refused(posts_bench):
    """Forty-nine labelled posts are one too few for a figure."""
    del posts_bench.rows[49:]
    result = posts_bench.run("engage", posts_bench.write(), "--metadata-only", "--high", "top 50%")
    assert result.exit_code == 2
    assert "49 labelled posts are too few: at least 50 are needed" in result.output


def test_columns_that_are_missing_are_named(posts_bench):
    """Without likes nothing can be said; without pictures there is a flag to give."""
    del posts_bench.rows[0]["likes"]
    for row in posts_bench.rows[1:]:
        del row["likes"]
    result = posts_bench.run("engage", posts_bench.write())
    assert result.exit_code == 2
    assert "no column for likes" in result.output


def test_the_classifiers_own_rule_stands(scored_bench):
    """Another rule than it was trained with is refused, with what to do; its own is welcome."""
    result = scored_bench.run(
        "engage",
        scored_bench.write(),
        "--high",
        "likes > 5",
        "--allow-host",
        scored_bench.shop.host,
    )
    assert result.exit_code == 2
    assert "was trained with high 'above account median', not 'likes > 5'" in result.output
    assert scored_bench.engage("--high", "Above  account median")["scored"] == 72


def test_an_unlike_model_is_refused(scored_bench, tiny_model):
    """A tagger is no classifier, and flags that contradict each other are told."""
    scored_bench.use_model(tiny_model, "tagger", "tiny/1")
    path = scored_bench.write()
    result = scored_bench.run("engage", path, "--model", "tiny/1")
    assert result.exit_code == 2
    assert "is a model for tagger, not for engagement" in result.output
    for flags in (("--train", "--model", "engagement/1"), ("--metadata-only", "--train")):
        assert scored_bench.run("engage", path, *flags).exit_code == 2


def test_a_first_run_trains_where_there_is_no_classifier(posts_bench):
    """It says so, trains in a process of its own, and scores with what it trained."""
    told = posts_bench.engage("--high", "above account median")
    assert told["scored"] == 72
    assert posts_bench.ask("select job from runs order by run") == [
        ("fetch",),
        ("train",),
        ("engage",),
    ]
    evaluated = posts_bench.ask(
        "select count(*) filter (where evaluated), count(*) from engagement"
    )
    [(measured, every)] = evaluated
    assert 0 < measured < every  # a network from nothing answers for one fold
    page = (posts_bench.store.root / told["report"]).read_text(encoding="utf-8")
    assert "from scratch" in page


def test_a_refused_row_is_kept_with_its_reason(scored_bench):
    """A post without an id is a reject of this command, by line, beside those of `tag`."""
    scored_bench.rows[5]["post_id"] = ""
    told = scored_bench.engage()
    assert (told["accepted"], told["rejected"], told["posts"]) == (71, 1, 71)
    assert scored_bench.ask("select kind, line, reason from rejects") == [("post", 7, "id_empty")]


def test_another_run_that_works_is_told(scored_bench):
    """Exit 75 names the holder, and nothing is written."""
    with hold(scored_bench.store, "tag"):
        result = scored_bench.run("engage", scored_bench.write())
    assert result.exit_code == 75
    assert "tag" in result.output


def test_a_run_with_nothing_to_do_loads_nothing_heavy(scored_bench):
    """Neither pandas nor Keras nor scikit-learn is imported when all is as it was."""
    scored_bench.engage()
    code = (
        "import sys, json; sys.argv = ['catalog', *json.loads(sys.argv[1])]\n"
        "import jobs.cli\n"
        "try: jobs.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'keras', 'tensorflow', 'sklearn', 'scipy', 'matplotlib'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)"
    )
    words = ["--store", str(scored_bench.store.root), "engage"]
    words += [str(scored_bench.write()), "--allow-host", scored_bench.shop.host]
    told = subprocess.run(
        [sys.executable, "-c", code, json.dumps(words)],
        capture_output=True,
        text=True,
        check=True,
        cwd=scored_bench.folder,
    )
    assert "nothing to do" in told.stdout
    assert told.stderr.splitlines()[-1] == "[]"


@pytest.mark.shared_data
def test_the_real_table_gives_a_ladder_without_pictures(shared_data, posts_bench):
    """Of 16,541 real posts followers tell most about likes > 10000, nothing inside accounts."""
    csv = Path(shared_data) / "posts-real-table" / "posts.csv"
    result = posts_bench.run("engage", csv, "--metadata-only", "--json")
    assert result.exit_code == 0, result.output
    rungs = {rung["name"]: rung for rung in json.loads(result.stdout)["figures"]["ladder"]}
    assert rungs.keys() == {"majority", "followers only", "time of posting", "all together"}
    assert 0.83 < rungs["followers only"]["auc"]["value"] < 0.90
    assert rungs["followers only"]["inside"]["value"] == pytest.approx(0.5, abs=0.01)
