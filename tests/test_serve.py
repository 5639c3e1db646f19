"""`catalog serve` in a real browser, over a store with products, failures and both models."""

import json
import os
import shutil
from pathlib import Path

import pytest
import requests

from reports.language import language
from sql.manifests import read_all
from sql.publish import publish
from sql.schemas import tags_schema
from sql.store import Store, make_current
from tests.browser import DESK, PHONE, opened_browser
from tests.conftest import TRACED
from tests.report_world import HOSTILE
from tests.serving import (
    LARGEST,
    TEMPLATED,
    click,
    drop,
    free_port,
    outside,
    rows,
    serving,
    shown_store,
    start,
    until,
    visit,
)
from tests.shop import Page, Shop
from tests.tiny_model import draw
from tests.warehouse import add_rows, add_run

PASSWORD = "a long password"  # noqa: S105 - of the test
FONT = "<style>@font-face { font-family: far; src: url(https://fonts.example/far.woff2) }</style>"


@pytest.fixture(scope="module")
def traced(traced_by):
    """What a child needs so that what it runs counts."""
    return {} if traced_by is None else {TRACED: traced_by}


@pytest.fixture(scope="module")
def shown(tmp_path_factory, tiny_model, tiny_classifier):
    """The store that is served, with its shop."""
    with Shop() as shop:
        yield shown_store(tmp_path_factory.mktemp("shown"), shop, tiny_model, tiny_classifier)


@pytest.fixture(scope="module")
def unreachable(shown, tmp_path_factory, traced):
    """A page that is to be shared from where no provider can be reached; started early."""
    flags = ("--share", "--user", "ana", "--port", free_port())
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", "CATALOG_PASSWORD": PASSWORD}
    process = start(shown.store, tmp_path_factory.mktemp("shared"), *flags, **nowhere, **traced)
    yield process
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def served(shown, tmp_path_factory, unreachable, traced):
    """The page over that store."""
    del unreachable  # only to be started first
    with serving(shown.store, tmp_path_factory.mktemp("served"), **traced) as served:
        yield served


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser for all tests of this module."""
    with opened_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def page(served, browser):
    """The page, newly opened."""
    visit(browser, served.url, DESK)
    return browser


def a_picture(folder: Path, seed: int = 1001) -> Path:
    """A picture as a file; product p1 has the one of seed 1001."""
    path = folder / f"{seed}.png"
    draw(seed)[0].save(path)
    return path


def test_a_picture_is_answered(page, served, tmp_path):
    """It says the tags with probabilities, the score with its worth, and the nearest products."""
    said = drop(page, a_picture(tmp_path))
    for words in ("48 by 48 pixels", "shape", "colour", "on the test right in", "By tiny/1."):
        assert words in said
    assert said.count("%") >= 5
    assert "the classifier says" in said
    assert "The picture alone says little." in said
    assert "ROC-AUC" in said
    near = page.tell("[...document.querySelectorAll('.v-near li')].map(each => each.innerText)")
    assert len(near) == 6
    assert near[0].split("\n") == [TEMPLATED, "p1 · products", "distance 0.000"]
    assert not page.ran()
    assert page.broken_images() == []
    assert page.tell("document.querySelectorAll('.v-near img').length") == 6
    assert served.kept() == []


def test_nothing_leaves_this_machine(browser, served, tmp_path):
    """Loading, asking and browsing ask nothing of any other machine, nor try; nothing is too wide.

    The page's policy would hold a request back, which would be told in the console.
    """
    outside(browser), browser.messages()
    visit(browser, served.url, PHONE)
    drop(browser, a_picture(tmp_path, 7))
    assert browser.width() == PHONE
    click(browser, "button[role=tab]", 1)
    rows(browser, "unsure")
    assert browser.width() == PHONE
    assert outside(browser) == []
    assert [each for each in browser.messages() if "Content Security Policy" in each] == []


def test_a_font_from_outside_is_seen(browser):
    """Positive control: the check above finds a page that wants a font of another machine."""
    with Shop() as shop:
        shop.pages["/"] = Page(f"{FONT}<p style='font-family: far'>words".encode())
        outside(browser)
        browser._driver.get(shop.url("/"))
        until(browser, "document.fonts.status === 'loaded'")
        assert outside(browser) == ["https://fonts.example/far.woff2"]


@pytest.mark.parametrize("data", [b"no picture at all", b"\x89PNG\r\n\x1a\n" + b"cut" * 20])
def test_a_broken_picture_is_one_sentence(page, served, tmp_path, data):
    """What can't be read is told in words, and is not kept either."""
    path = tmp_path / "broken.png"
    path.write_bytes(data)
    said = drop(page, path)
    assert said.startswith("This picture can't be read: ")
    assert said.count(".") == 1
    assert served.kept() == []


def test_failures_and_doubts_are_listed(page):
    """The second tab says why pictures failed and which labels are unsure, and shows pictures."""
    click(page, "button[role=tab]", 1)
    failed = rows(page, "failed")
    assert [line.split(" | ")[:5] for line in failed] == [
        ["product", "products", "p10", "fetching", "not found"],
        ["product", "products", "p11", "reading", "damaged"],
    ]
    assert failed[0].split(" | ")[5] == "never"
    click(page, "#failed [role=gridcell]", 10)
    assert "damaged" in until(page, "document.querySelector('#failed-row figcaption')?.innerText")
    assert "no picture to show" in page.tell("document.querySelector('#failed-row').innerText")
    unsure = rows(page, "unsure")
    assert HOSTILE[2] in "\n".join(rows(page, "unsure"))
    assert not page.ran()
    confidence = [float(line.split(" | ")[5]) for line in unsure]
    assert confidence == sorted(confidence)
    assert max(confidence) < 50
    click(page, "#unsure [role=gridcell]", 1)
    until(page, "document.querySelector('#unsure-row img')?.naturalWidth")
    assert unsure[0].split(" | ")[1] in page.tell(
        "document.querySelector('#unsure-row figcaption').innerText"
    )


def test_what_is_to_review_comes_first(tmp_path):
    """It is listed however sure the tagger is; of what is not known, only what is less sure."""
    from jobs.serve_page import Answers  # noqa: PLC0415 - Gradio loads here
    from jobs.serve_store import Catalogue  # noqa: PLC0415

    store = Store(tmp_path / "store")
    said = [("a", 0.25, None), ("b", 0.75, None), ("c", 0.875, True), ("d", 0.125, False)]
    tags = [
        {"id": name, "colour_predicted": "Red", "colour_confidence": sure, "colour_review": review}
        for name, sure, review in said
    ]
    add_run(store, "1", add_rows(store, "1", "tags", tags, tags_schema(["colour"])))
    publish(store, read_all(store))
    answers = Answers(Catalogue(store), None, language("en"))
    rows, note = answers.unsure(50)
    assert [row[1] for row in rows] == ["c", "a"]
    assert note == "2 in all. 1 is to review and comes first, however sure the tagger is."
    assert [row[1] for row in answers.unsure(80)[0]] == ["c", "a", "b"]


def test_a_selected_row_is_the_one_that_was_sorted_there(page):
    """After a click on a column's head the picture is still that of the row that is selected."""
    click(page, "button[role=tab]", 1)
    before = rows(page, "unsure")
    click(page, "#unsure th [role=button], #unsure th .header-content", 5)
    click(page, "#unsure th [role=button], #unsure th .header-content", 5)
    until(page, f"document.querySelector('#unsure .virtual-row').innerText !== {before[0]!r}")
    first = rows(page, "unsure")[0].split(" | ")
    click(page, "#unsure [role=gridcell]", 1)
    said = until(page, "document.querySelector('#unsure-row figcaption')?.innerText")
    assert said == f"{first[2]} · {first[1]}"


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/file={store}/catalog.duckdb",
        "gradio_api/file={store}/../catalog.toml",
        "file={store}/catalog.duckdb",
        "gradio_api/file=/etc/hostname",
        "gradio_api/proxy=http://127.0.0.1:1/",
        "gradio_api/info",
        "gradio_api/openapi.json",
        "docs",
        "openapi.json",
        "monitoring",
        "gradio_api/runs",
        "gradio_api/run/picture",
        "static/%2e%2e/%2e%2e/%2e%2e/__init__.py",
        "assets/..%2f..%2f..%2f__init__.py",
        "static/..%5c..%5c__init__.py",
    ],
)
def test_nothing_else_is_served(served, shown, path):
    """No file of the store or of the machine, no other host, no interface for programs."""
    url = served.url + path.format(store=shown.store.root)
    request = requests.Request("GET", url).prepare()
    request.url = url  # as it is: nothing is tidied away before it is sent
    with requests.Session() as session:
        assert session.send(request, timeout=60).status_code == 404
    assert requests.get(f"{served.url}config", timeout=60).status_code == 200


def asked_for(served, given):
    """What becomes of a question whose upload is said to lie somewhere."""
    config = requests.get(f"{served.url}config", timeout=60).json()
    [asking] = [each["id"] for each in config["dependencies"] if each["targets"][0][1] == "upload"]
    data = {"path": given, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [data], "fn_index": asking, "session_hash": "test", "event_data": None}
    joined = requests.post(f"{served.url}gradio_api/queue/join", json=body, timeout=60)
    assert joined.status_code == 200
    url = f"{served.url}gradio_api/queue/data?session_hash=test"
    with requests.get(url, timeout=30, stream=True) as answer:
        for line in answer.iter_lines():
            said = json.loads(line.removeprefix(b"data: ")) if line else {}
            if said.get("msg") == "process_completed":
                return said["success"], json.dumps(said["output"])
    return None


def test_only_uploads_are_looked_at(served, shown, tmp_path):
    """No question makes the server read a file of its machine, or fetch an address."""
    secret = shown.store.picture(shown.ask("select picture from images where outcome = 'ok'")[0][0])
    success, said = asked_for(served, str(secret))
    assert (success, "v-tags" in said) == (False, False)
    before = len(shown.shop.asked)
    success, said = asked_for(served, shown.shop.url("/1.png"))
    assert (success, "not named by an address" in said) == (False, True)
    assert len(shown.shop.asked) == before
    files = {"files": a_picture(tmp_path).open("rb")}
    [upload] = requests.post(f"{served.url}gradio_api/upload", files=files, timeout=60).json()
    success, said = asked_for(served, upload)  # positive control: an upload is looked at
    assert (success, "v-tags" in said) == (True, True)


def test_an_upload_that_is_too_large_is_refused(served):
    """No more than a picture may have is taken in, and nothing of it stays."""
    files = {"files": ("a.png", os.urandom(LARGEST + 50_000))}
    answer = requests.post(f"{served.url}gradio_api/upload", files=files, timeout=60)
    assert answer.status_code == 413
    assert served.kept() == []


def test_a_name_that_leads_here_is_refused(served):
    """A page of another name whose address is 127.0.0.1 gets no answer."""
    for host, status in (("evil.example", 404), ("localhost:7860", 200), ("127.0.0.1", 200)):
        answer = requests.get(served.url, headers={"Host": host}, timeout=60)
        assert answer.status_code == status


def test_another_sites_page_can_not_ask(served):
    """What a browser sends for a foreign page is refused; for this page it is answered."""
    own = served.url.rstrip("/")
    for origin, status in (("http://evil.example", 404), ("null", 404), (own, 200)):
        answer = requests.get(f"{served.url}config", headers={"Origin": origin}, timeout=60)
        assert answer.status_code == status


def test_tensorflow_is_not_loaded(served):
    """The process that answers has the runtime in it, and not what trains."""
    maps = Path(f"/proc/{served.process.pid}/maps")
    if not maps.exists():
        pytest.skip("no /proc here")
    loaded = maps.read_text()
    assert "ai_edge_litert" in loaded
    assert "site-packages/tensorflow/" not in loaded


def test_the_next_question_sees_what_is_new(page, shown, tmp_path):
    """A run publishes and another model is chosen while the page is open: both are seen at once."""
    drop(page, a_picture(tmp_path))
    shutil.copytree(shown.store.model("tiny", "1"), shown.store.model("tiny", "2"))
    card = shown.store.model("tiny", "2") / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"version": "2"}))
    make_current(shown.store, "tagger", "tiny/2")
    picture = draw(4242)[0]
    shown.serve("/new.png", picture)
    new = {"id": "new", "title": "A new one", "image": shown.shop.url("/new.png")}
    shown.rows.append(dict.fromkeys(shown.rows[0], "") | new)
    shown.tag()
    path = tmp_path / "new.png"
    picture.save(path)
    said = drop(page, path)
    assert "By tiny/2." in said
    assert "A new one\nnew · products\ndistance 0.000" in said


def test_no_tunnel_is_one_line(unreachable):
    """--share says what it means before it starts, and ends when there is no provider."""
    said, _ = unreachable.communicate(timeout=60)
    first, *others = said.strip().split("\n")
    assert "public address" in first
    assert [line.split(":")[0] for line in others] == ["Error", "Next"]
    assert "can't be reached" in others[0]
    assert unreachable.returncode == 1


def test_a_password_opens_an_empty_store(browser, tmp_path, traced):
    """Without the password nothing is told; with it the page says what to run, and ends cleanly."""
    store = Store(tmp_path / "empty")
    key = {"CATALOG_PASSWORD": PASSWORD, **traced}
    with serving(store, tmp_path / "served", "--user", "ana", **key) as served:
        assert requests.get(f"{served.url}config", timeout=60).status_code == 401
        for password, status in (("wrong password", 400), (PASSWORD, 200)):
            form = {"username": "ana", "password": password}
            answer = requests.post(f"{served.url}login", data=form, timeout=60)
            assert answer.status_code == status
        visit(browser, served.url, DESK)
        assert "the name and the password" in browser.text()
        for field, text in (("input:not([type=password])", "ana"), ("[type=password]", PASSWORD)):
            browser._driver.find_element("css selector", field).send_keys(text)
        click(browser, "button.primary, button.lg")
        said = until(browser, "document.querySelector('#store')?.innerText")
        assert "There is no database to ask yet. Run catalog tag products.csv" in said
        assert "The store has no tagger. Run catalog tag products.csv" in said
        said = drop(browser, a_picture(tmp_path))
        assert said.count("None:") == 3
        assert served.end() == 0
        assert list(served.scratch.iterdir()) == []
        assert not store.root.exists()
