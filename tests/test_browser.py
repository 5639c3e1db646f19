"""Every kind of page in a real browser; each check is first shown something that is wrong."""

import base64

import pytest

from tests.browser import DESK, PAPER, PHONE, axe_source, opened_browser
from tests.drawn_pages import LOTS, WORLDS, drawn
from tests.report_world import HOSTILE

__all__ = ["drawn"]

GOOD = (
    "<!doctype html><html lang=en><meta name=viewport content='width=device-width'>"
    "<title>Good</title><main><h1>Good</h1><p>Words</p>"
    "<details><summary>More</summary><p>Folded</p></details></main>"
)
UNREADABLE = "@media (prefers-color-scheme: dark) { p { color: #333; background: #222 } }"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser for all tests of a worker."""
    with opened_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def axe():
    """The accessibility rules."""
    return axe_source()


@pytest.fixture(params=[kind for kinds in LOTS.values() for kind in kinds])
def pages(drawn, request):
    """The pages of one kind: English, Spanish, hostile."""
    return [drawn(request.param, world) for world in WORLDS]


def wrong(browser, page, width=DESK):
    """What is wrong with a page that is loaded in a window of this width, by kind of fault."""
    browser.open(page, width)
    found = {
        "ran": browser.ran(),
        "too wide": browser.width() > width,
        "broken images": browser.broken_images(),
        "lost links": browser.lost_links(),
        "console": browser.messages(),
        "requests": browser.requests(),
    }
    return {kind: what for kind, what in found.items() if what}


def test_pages_load_whole_and_quiet(browser, pages):
    """No console message, no request, no script, no broken image, all in the window's width."""
    for page in pages:
        for width in (PHONE, DESK):
            assert not wrong(browser, page, width)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *((word, "ran") for word in HOSTILE[:3]),
        ("<script>console.error('no')</script>", "console"),
        ("<img src='https://shop.example/a.png' alt=a>", "requests"),
        ("<link rel=stylesheet href='other.css'>", "requests"),
        ("<img src='data:image/png;base64,AAAA' alt=a>", "broken images"),
        ("<table style='width: 1500px'><tr><td>wide</table>", "too wide"),
        ("<a href='#nowhere'>there</a>", "lost links"),
    ],
)
def test_faults_of_loading_are_found(browser, fault, kind):
    """Positive control: a page without fault has none, and each fault is seen for what it is."""
    for width in (PHONE, DESK):
        assert not wrong(browser, GOOD, width)
        assert kind in wrong(browser, GOOD + fault, width)


def test_policy_stops_what_escaping_would_miss(browser, drawn):
    """Were a word ever to slip through unescaped, the page's policy would still stop it."""
    slipped = drawn("index", "en").replace(
        "<main>", f"<main>{''.join(HOSTILE)}<img src='https://shop.example/a'>", 1
    )
    found = wrong(browser, slipped)
    assert "ran" not in found
    assert "requests" not in found
    assert "Content Security Policy" in str(found["console"])


def test_pages_are_read_without_scripts(browser, pages):
    """With scripts off a page says all that it says with them on."""
    for page in pages:
        said, silent = texts(browser, page)
        assert said == silent
        assert len(silent) > 300


def test_text_made_by_a_script_is_missed(browser):
    """Positive control: what a script would write is not there without it."""
    said, silent = texts(browser, f"{GOOD}<script>document.write('loaded')</script>")
    assert said == f"{silent} loaded"


def test_pages_print(browser, pages):
    """On paper nothing is folded away or cut off at the right."""
    for page in pages:
        assert not unprinted(browser, page)


def test_faults_of_printing_are_found(browser):
    """Positive control: what is folded, and what is wider than paper, would not be printed."""
    opened = "<style>@media print { details::details-content { content-visibility: visible } }"
    assert unprinted(browser, GOOD) == ["More"]
    assert not unprinted(browser, f"{opened}</style>{GOOD}")
    wide = "<table style='width: 900px'><tr><td>wide</table>"
    assert unprinted(browser, f"{opened}</style>{GOOD}{wide}") == ["908 px"]


def test_pages_are_accessible(browser, axe, pages):
    """axe-core finds nothing serious, in light nor dark; each look takes it a second and more."""
    english, spanish, hostile = pages
    for page in (english, hostile):
        browser.open(page)
        assert not browser.faults(axe)
    browser.open(spanish, dark=True)
    # What the theme changes is colour, and nothing else.
    assert not browser.faults(axe, ["color-contrast"])


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("<img src='data:,'>", "image-alt"),
        ("<p style='color: #aaa; background: #fff'>pale</p>", "color-contrast"),
        ("<div style='height: 20px; overflow: auto'><p style='height: 99px'>x</div>", "scrollable"),
        ("<button></button>", "button-name"),
    ],
)
def test_faults_of_access_are_found(browser, axe, fault, rule):
    """Positive control: a page that is good, and what axe-core says once it is not."""
    browser.open(GOOD)
    assert not browser.faults(axe)
    browser.open(GOOD + fault)
    assert rule in str(browser.faults(axe))


def test_colours_are_looked_at_in_the_dark(browser, axe):
    """Positive control: a page that is legible in light alone has a fault in dark alone."""
    page = f"<style>{UNREADABLE}</style>{GOOD}"
    browser.open(page)
    assert not browser.faults(axe)
    browser.open(page, dark=True)
    assert "color-contrast" in str(browser.faults(axe, ["color-contrast"]))


def texts(browser, page):
    """What is read of a page with scripts and without."""
    browser.open(page)
    said = browser.text()
    browser.open(page, scripts=False)
    return said, browser.text()


def unprinted(browser, page):
    """What of a page does not come onto paper; it is printed, too."""
    browser.open(page, PAPER, medium="print", scripts=False)
    assert base64.b64decode(browser.pdf()).startswith(b"%PDF")
    width = browser.width()
    return browser.folded() + ([f"{width} px"] if width > PAPER else [])
