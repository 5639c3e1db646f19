"""Pages of the tagger: whole, escaped, quiet, in the words of their language."""

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from catalog.models.artefact import load_card
from reports.decided import decided_of
from reports.draw import draw_model, draw_run
from reports.language import UNDEFINED, language
from reports.pages import cut, environment, quoted
from tests.report_world import HOSTILE, VOCABULARY, decided_metrics, model_folder, world

LIMIT = 5_000_000
ENGLISH, SPANISH = language("en"), language("es")


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


def run_page_of(shop, spoken=ENGLISH):
    """The page of a world's run."""
    return draw_run(shop.report(), shop.folder, shop.picture, spoken)


def text_of(page):
    """What a page says, without its tags."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("&#39;", "'")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """An ordinary shop of a hundred products."""
    return world(tmp_path_factory.mktemp("shop"), products=100)


@pytest.fixture(scope="module")
def page(shop):
    """An ordinary run's page."""
    return run_page_of(shop)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The pages of a run and of a model whose every word is hostile."""
    vocabulary = {"category": HOSTILE[:3], "colour": HOSTILE[3:]}
    place = tmp_path_factory.mktemp("hostile")
    shop = world(place, vocabulary=vocabulary, title=HOSTILE[1], reviewed=True)
    run = replace(shop.run, source="shop", version=HOSTILE[0])
    report = replace(shop.report(), run=replace(run, id=HOSTILE[2]))
    return (
        draw_run(report, shop.folder, shop.picture, SPANISH),
        draw_model(shop.folder, SPANISH),
    )


def test_first_screen_tells_what_the_issue_asks(page):
    """What was done, headline figures with intervals, the change, and what to do next."""
    text = text_of(page[: page.index("<main>")])
    for said in (
        "99 of 100 products are tagged by",
        "Of labelled products that the model never trained on, category is right for 100.0% of 80",
        "all attributes right at once 95% interval",
        "Since the last run",
        "2 attributes at once are right for",
        "What to do next",
        "Correct 12 rows of the CSV that were refused.",
        "catalog query review_list",
    ):
        assert said in text, said


def test_run_page_tells_what_the_issue_asks(page):
    """Every part of the report is there, with what was found as its title."""
    text = text_of(page)
    for said in (
        "Coverage: 99 of 100 products have tags (99.0%)",
        "Brand",
        "Measured on 80 labelled products whose picture group",
        "20 labels are left out",
        "Majority baseline",
        "Macro Weighted",
        "ROC-AUC",
        "Test loss (nats)",
        "2 attributes right at once",
        "more than 32 alike pictures are several groups",
        "in percentage points; that of the loss is test less train, in nats",
        "Macro over all 2 classes.",
        "a gap of 12.5 points, learned by heart",
        "Learning curves",
        "Weakest:",
        "Most confused:",
        "is more often right than it is sure, by",
        "Surest mistakes",
        "Mended",
        "another model",
        "1 of 3 failed pictures: cut short",
        "11 of 12 refused rows: the id is empty",
        "the id was there before, on line 3",
        "shop.example",
        "pictures look like another one, in 10 groups",
        "✗",
        "✓",
        "shop says",
        "trained from scratch",
        "It says nothing of a person's gender",
        "12,345",
    ):
        assert said in text, said


def test_run_page_tells_what_is_to_review(tmp_path):
    """How many tags of each attribute are accepted and to review, and what shows no product."""
    shop = world(tmp_path, reviewed=True)
    page = run_page_of(shop)
    text = text_of(page)
    for said in (
        "8 tags of the model alone are accepted, 2 to review",
        "Of these accepted Of these to review No label",
        "for 95% of such tags to be right",
        "colour 30 10 8 2 0",
        "4 products have no picture that looks like a product",
        "A thing 12",
    ):
        assert said in text, said
    assert "below 50% confidence" not in text
    others = page[page.index("have no picture that looks") : page.index('<section id="quality"')]
    assert len(Tags(others).named("img")) == 4


def test_run_page_is_silent_on_what_is_not_known(page):
    """By a model that draws no lines nothing is accepted nor to review, as ever."""
    text = text_of(page)
    assert "below 50% confidence" in text
    for word in ("are accepted", "to review", "looks like a product"):
        assert word not in text, word


def test_no_strange_picture_is_told(tmp_path):
    """Where every product shows one, a sentence says so and no picture is shown."""
    shop = world(tmp_path, reviewed=True)
    shop.connection.execute("update tags set not_a_product = false")
    text = text_of(run_page_of(shop))
    assert "No product has only pictures that do not look like a product" in text
    assert "Some of them, drawn by hash:" not in text


def test_spanish_page_uses_the_right_words(shop):
    """Accuracy is exactitud, precision precisión, recall exhaustividad; numbers have commas."""
    page = run_page_of(shop, SPANISH)
    assert '<html lang="es">' in page
    text = text_of(page)
    for said in ("xactitud", "recisión", "xhaustividad", "F1", "100,0 %"):
        assert said in text, said
    assert "Accuracy" not in text
    assert "22 nov 2026" in text


def test_page_is_whole_and_quiet(page, hostile):
    """A page holds no script, and names nothing outside itself."""
    for each in (page, *hostile):
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


def test_every_picture_and_drawing_has_words(page):
    """Pictures have alternative text, drawings a label, tables a caption and headers."""
    tags = Tags(page)
    assert tags.named("img")
    assert all(attributes["alt"] for attributes in tags.named("img"))
    labelled = [a for _, a in tags.elements if a.get("role") in {"img", "region"}]
    assert labelled
    assert all(attributes["aria-label"] for attributes in labelled)
    assert len(tags.named("caption")) == len(tags.named("table"))
    assert all(attributes.get("scope") for attributes in tags.named("th"))
    # Five learning curves, and of each head a heatmap and a reliability curve.
    assert len(tags.named("svg")) == 5 + 2 * 2
    ids = [attributes["id"] for _, attributes in tags.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"] for a in tags.named("a")} <= {f"#{each}" for each in ids}


def test_many_products_make_no_larger_page(tmp_path):
    """Samples and caps bound the page, however many products there are."""
    few, many = world(tmp_path / "few", products=100), world(tmp_path / "many", products=600)
    assert len(run_page_of(many)) < 1.1 * len(run_page_of(few))


def test_nothing_to_measure_is_told(tmp_path):
    """Where the model trained on every labelled product the page says so and shows no figure."""
    text = text_of(run_page_of(world(tmp_path, trained=True)))
    assert "There is nothing to measure honestly" in text
    assert "Weakest:" not in text
    assert "can't be compared here" in text


def test_run_without_a_model_has_a_page(tmp_path):
    """A run that tagged nothing still reports what came in."""
    shop = world(tmp_path)
    shop = replace(shop, run=replace(shop.run, model=None), vocabulary={})
    page = draw_run(shop.report(None), None, shop.picture, ENGLISH)
    assert "refused rows" in page
    assert 'id="model"' not in page
    assert "This is the first run over this source" in page


def test_model_that_is_gone_leaves_its_part_out(shop, page, tmp_path):
    """Drawn again without the model's folder, all figures stay, and one sentence says why."""
    again = draw_run(shop.report(), tmp_path / "gone", shop.picture, ENGLISH)
    assert "Its folder is no longer there" in again
    assert "Learning curves" not in again
    assert '<a href="#model">' in again
    faults = page[page.index('<section id="faults"') :]
    assert again[again.index('<section id="faults"') :] == faults


def test_attributes_without_labels_are_not_called_right(tmp_path):
    """A shop that labels two of three attributes is told of two, and that there is a third."""
    vocabulary = {**VOCABULARY, "gender": ("Men", "Women")}
    shop = world(tmp_path, vocabulary=vocabulary)
    shop.connection.execute("delete from evaluations where head = 'gender' and id <> 'p1'")
    shop.connection.execute(
        "update products set gone = true, run = 'r1' where id = 'p2'"  # and told where it changed
    )
    text = text_of(run_page_of(shop))
    for said in (
        "2 of the 3 attributes are right at once for",
        "2 of 3 attributes right at once",
        "2 attributes at once are right for",
        "Not ranked, for fewer than 20 rows: gender.",
    ):
        assert said in text, said
    assert text.count("1 product has left the CSV.") == 2  # in the verdict, and what changed
    assert "No product was measured both then and now" not in text


def test_same_report_gives_the_same_page(shop, page):
    """Drawing is a function of what is kept."""
    assert run_page_of(shop) == page


def test_picture_that_is_gone_leaves_a_place(tmp_path):
    """A sample whose picture can't be read keeps its tags and says so."""
    shop = world(tmp_path)
    for path in tmp_path.iterdir():
        if path.is_file():
            path.write_bytes(b"")
    assert "no picture" in run_page_of(shop)


def test_model_page_tells_what_the_issue_asks(shop):
    """The page of a training has the same figures, of the pictures kept aside."""
    text = text_of(draw_model(shop.folder, ENGLISH))
    for said in (
        "Of labelled products that the model never trained on",
        "Measured on 20 labelled pictures kept aside",
        "Nor were pictures much like these, unless more than 32 are alike.",
        "in groups of at most 32",
        "No macro average: no class has 20 rows or more.",
        "Most confused:",
        "No class has 20 measured rows: none can be called weak.",
        "What it was shown",
        "The network, layer by layer",
    ):
        assert said in text, said
    assert "no picture" not in text


def test_only_a_training_tells_how_sure_it_is_when_wrong(shop, page):
    """Its page has a histogram of each attribute; that of a night, which is in haste, has none."""
    trained = draw_model(shop.folder, ENGLISH)
    for said, number in (("How sure is it when it is wrong?", 1), ("Histogram of how sure", 2)):
        assert trained.count(said) == number
        assert said not in page


def test_model_page_tells_how_labels_are_decided(tmp_path):
    """Each head alone and as decided, how far to rely on it, and all of them at once."""
    vocabulary = {**VOCABULARY, "gender": ("Men", "Women")}
    text = text_of(draw_model(model_folder(tmp_path, vocabulary, decided=True), ENGLISH))
    text = text.replace(UNDEFINED, "-")
    for said in (
        "at once for 55.0% of 200 test pictures as decided together, for 45.0% each by itself",
        "category 200 75.0% 80.0% 0.062 - 87.5% 60.0% 90.0% 83.3% to 94.2%",
        "colour 200 75.0% 80.0% 0.062 1.25 none reaches 95% 0.0% - -",
        "gender 200 75.0% 80.0% 0.062 - - - - -",
        "all at once 200 45.0% 55.0%",
        "the combinations of category, colour, gender that stand together",
        "over 15 bins of equal mass",
        "category: on the test side 90.0% of the accepted are right (83.3% to 94.2%), less than",
        "colour: at no confidence 95% of its labels were right, so nothing is accepted",
    ):
        assert said in text, said
    assert "gender: " not in text[text.index("As decided:") : text.index("How it learned")]


def test_older_model_has_no_decisions_to_tell(shop):
    """A card of before, and one whose decisions make no sense, say nothing about them."""
    said = "How its labels are decided"
    assert said not in draw_model(shop.folder, ENGLISH)
    card = load_card(shop.folder)
    odd = replace(card, metrics={**card.metrics, **decided_metrics(VOCABULARY), "heads": {}})
    assert decided_of(replace(odd, metrics=card.metrics)) is None
    with pytest.raises(KeyError):
        decided_of(odd)


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
    heavy = "{'pandas', 'sklearn', 'scipy', 'matplotlib', 'seaborn', 'keras', 'tensorflow'}"
    code = f"import sys, reports.draw; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_words_of_the_outside_world_are_set_apart():
    """A name inside a sentence is cut, and can't turn the sentence round."""
    assert cut("abcdef", 4) == "abc…"
    assert quoted("ab") == "\u2068ab\u2069"
    assert len(quoted("n" * 300)) == 62


def test_sentences_of_templates_escape_what_they_are_told():
    """A value inside a translated sentence is text, and a per cent sign in it harms nothing."""
    template = environment(ENGLISH).from_string('{{ _("run %(id)s", id=word) }}')
    assert template.render(word="<b>100%s") == "run &lt;b&gt;100%s"


def test_trained_model_tells_how_its_labels_are_decided(tiny_model):
    """What a training says in its card is what the page has; of so few labels there is no line."""
    text = text_of(draw_model(tiny_model, ENGLISH)).replace(UNDEFINED, "-")
    alone, decided = (load_card(tiny_model).metrics[name] for name in ("heads", "decided"))
    for head, said in decided["heads"].items():
        shares = [ENGLISH.percent(share) for share in (alone[head]["accuracy"], said["value"])]
        row = [head, str(said["n"]), *shares, ENGLISH.decimal(said["ece"]), *"-----"]
        assert " ".join(row) in text


def test_a_label_to_review_is_marked_on_its_product(tmp_path):
    """In the language of the page; an accepted one has no mark."""
    shop = world(tmp_path, trained=True, reviewed=True)
    guesses = [guess for sample in shop.report().samples for guess in sample.guesses]
    marks = sum(guess.review for guess in guesses)
    assert 0 < marks < len(guesses)
    for spoken, words in ((ENGLISH, "to review"), (SPANISH, "por revisar")):
        page = run_page_of(shop, spoken)
        assert page.count(f'<span class="rare">{words}</span>') == marks
