"""Pages: whole, escaped, quiet, and readable in a real browser."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reports.draw import draw_classifier, draw_engagement, draw_model, draw_run
from reports.pages import cut, duration, interval, percent
from tests.engagement_world import REVIEW, post_world
from tests.report_world import HOSTILE, world

LIMIT = 5_000_000
RAN = 'data-ran="1"'


class Tags(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def named(self, tag):
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def run_page_of(shop):
    """The page of a world's run."""
    return draw_run(shop.connection, shop.run, shop.folder, shop.picture)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """An ordinary run's page."""
    return run_page_of(world(tmp_path_factory.mktemp("shop")))


@pytest.fixture(scope="module")
def posts_page(tmp_path_factory):
    """An ordinary page of a run over posts."""
    posts = post_world(tmp_path_factory.mktemp("posts"))
    return draw_engagement(posts.connection, posts.run, REVIEW, posts.folder, posts.picture)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The pages of runs and of models whose every word is hostile."""
    vocabulary = {"category": HOSTILE[:3], "colour": HOSTILE[3:]}
    shop = world(tmp_path_factory.mktemp("hostile"), vocabulary=vocabulary, title=HOSTILE[1])
    run = replace(shop.run, source="shop", version=HOSTILE[0], id=HOSTILE[2])
    posts = post_world(tmp_path_factory.mktemp("hostile-posts"), HOSTILE)
    review = replace(REVIEW, notes=HOSTILE, split=HOSTILE[1], unknown={HOSTILE[0]: 3})
    return (
        run_page_of(replace(shop, run=run)),
        draw_model(shop.folder),
        draw_engagement(posts.connection, posts.run, review, posts.folder, posts.picture),
        draw_classifier(posts.folder, review),
    )


def test_run_page_tells_what_the_issue_asks(page):
    """Counts, reasons, figures, pictures, the model and the caveats are all there."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for said in (
        "39 products of 40 tagged by tagger/1",
        "Measured on 32 labelled products whose picture group tagger/1 never trained on",
        "8 left out (trained on)",
        "Majority baseline",
        "ROC-AUC",
        "Refused rows",
        "duplicate id, first on line 3",
        "not found",
        "✗",
        "✓",
        "shop says",
        "trained from scratch",
        "It says nothing of a person's gender",
        "12,345",
    ):
        assert said in text, said


def test_page_is_whole_and_quiet(page, posts_page, hostile):
    """A page holds no script, and names nothing outside itself."""
    for each in (page, posts_page, *hostile):
        tags = Tags(each)
        assert not tags.named("script")
        assert len(each.encode()) < LIMIT
        for _, attributes in tags.elements:
            assert not [name for name in attributes if name.startswith("on")]
            for name in ("src", "href", "xlink:href", "action"):
                assert attributes.get(name, "#").startswith(("data:", "#"))
        assert "url(" not in each
        assert "@import" not in each
        policy = tags.named("meta")[1]["content"]
        assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")


@pytest.mark.parametrize("kind", ["page", "posts_page"])
def test_every_picture_and_drawing_has_words(kind, request):
    """Pictures have alternative text, drawings a label, tables a caption and headers."""
    tags = Tags(request.getfixturevalue(kind))
    assert tags.named("img")
    assert all(attributes["alt"] for attributes in tags.named("img"))
    labelled = [a for _, a in tags.elements if a.get("role") in {"img", "region"}]
    assert labelled
    assert all(attributes["aria-label"] for attributes in labelled)
    assert len(tags.named("caption")) == len(tags.named("table"))
    assert all(attributes.get("scope") for attributes in tags.named("th"))
    assert len(tags.named("svg")) == 2
    ids = [attributes["id"] for _, attributes in tags.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_many_products_make_no_larger_page(tmp_path):
    """Samples and caps bound the page, however many products there are."""
    few, many = world(tmp_path / "few", products=60), world(tmp_path / "many", products=600)
    assert len(run_page_of(many)) < 1.1 * len(run_page_of(few))


def test_nothing_to_measure_is_told(tmp_path):
    """Where the model trained on every labelled product the page says so and shows no figure."""
    page = run_page_of(world(tmp_path, trained=True))
    assert "There is nothing to measure honestly" in page
    assert "Heatmap" not in page
    assert "can't be compared here" in page


def test_run_without_a_model_has_a_page(tmp_path):
    """A run that tagged nothing still reports what came in."""
    shop = world(tmp_path)
    run = replace(shop.run, model=None)
    page = draw_run(shop.connection, run, None, shop.picture)
    assert "Refused rows" in page
    assert 'id="model"' not in page


def test_picture_that_is_gone_leaves_a_place(tmp_path):
    """A sample whose picture can't be read keeps its tags and says so."""
    shop = world(tmp_path)
    for path in tmp_path.iterdir():
        if path.is_file():
            path.write_bytes(b"")
    assert "no picture" in run_page_of(shop)


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_are_escaped(hostile, word):
    """What would be markup stands in the page only as text."""
    for each in hostile:
        assert "<script" not in each
        assert "<img src=x" not in each
        assert "{{ 7 * 7 }}" in each
        if len(word) < 60 and "<" in word:
            assert word not in each
    assert "n" * 61 not in hostile[0]


def test_pages_load_without_anything_heavy():
    """Rendering needs neither pandas, scikit-learn nor matplotlib, and never TensorFlow."""
    heavy = "{'pandas', 'sklearn', 'matplotlib', 'seaborn', 'keras', 'tensorflow'}"
    code = f"import sys, reports.draw; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_numbers_in_words():
    """Shares, intervals and times are written as people read them."""
    assert percent(0.12345) == "12.3%"
    assert interval((0.1, 0.25)) == "10.0% to 25.0%"
    assert percent(None) == interval(None) == "\N{EN DASH}"
    assert [duration(s) for s in (3.21, 125, 7260)] == ["3.2 s", "2 min 5 s", "2 h 1 min"]
    assert cut("abcdef", 4) == "abc…"


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, or a skip."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no chromium here")
    return found


def opened(browser, folder, page, width=1440):
    """The document as the browser has it after loading a page."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    flags = "headless no-sandbox disable-gpu disable-quic no-first-run hide-scrollbars"
    flags += " disable-background-networking disable-component-update disable-sync dump-dom"
    command = [browser, *(f"--{flag}" for flag in flags.split()), f"--window-size={width},900"]
    command += [f"--user-data-dir={folder / 'profile'}", file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout


def test_hostile_words_run_nothing_in_a_browser(browser, hostile, tmp_path):
    """A browser runs no script of a hostile page; the naive page shows that it would have."""
    naive = f"<!doctype html><html><title>{HOSTILE[1]}</title><body>{''.join(HOSTILE)}</body>"
    assert RAN in opened(browser, tmp_path, naive)
    for each in hostile:
        document = opened(browser, tmp_path, each)
        assert RAN not in document
        assert "</html>" in document


def test_policy_stops_what_escaping_would_miss(browser, page, tmp_path):
    """Were a word ever to slip through unescaped, the page's policy would still stop it."""
    slipped = page.replace("<main>", f"<main>{''.join(HOSTILE)}", 1)
    assert RAN not in opened(browser, tmp_path, slipped)


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_scrolls_sideways(browser, page, posts_page, hostile, tmp_path, width):
    """On a phone and on a desk everything fits the width, hostile words included.

    Chromium's window has a least width, so the pages are framed at the width in question.
    """
    measure = "<script>parent.postMessage([document.documentElement.scrollWidth, innerWidth], '*')"
    pages = (page, posts_page, *hostile)
    measured = [_without_policy(each) + measure + "</script>" for each in pages]
    frames = "".join(
        f'<iframe width="{width}" style="border: 0" srcdoc="{_attribute(each)}"></iframe>'
        for each in measured
    )
    listen = (
        "<script>addEventListener('message', event => document.documentElement.dataset.widths ="
        " (document.documentElement.dataset.widths || '') + event.data + ';')</script>"
    )
    document = opened(browser, tmp_path, f"<!doctype html><html>{listen}{frames}</html>", 1600)
    widths = re.search(r'data-widths="([^"]*)"', document)[1]
    assert widths == f"{width},{width};" * len(measured)


def _without_policy(page):
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)


def _attribute(page):
    return page.replace("&", "&amp;").replace('"', "&quot;")
