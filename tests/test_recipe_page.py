"""The page of a model that a recipe trained: its source's figure, test pictures, class names."""

import io
import re
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from catalog.models.artefact import load_card
from catalog.models.metrics import Share
from catalog.models.provenance import SAMPLE_SCHEMA, TEST_PICTURES_SCHEMA, TEST_SCHEMA
from reports import recipe_words
from reports.draw import draw_model, draw_run
from reports.evidence import model_evidence
from reports.language import language
from reports.naming import class_names, named
from reports.recipe import Phase, recipe_of
from reports.results import model_report
from reports.tested import BEST, CHOSEN
from reports.thumbnails import shrink
from tests.recipe_world import LABELS, SPANISH, class_folder, grey_png, with_card, write_table
from tests.report_world import VOCABULARY, keep_picture, model_folder, world
from tests.test_pages import Tags, text_of

ENGLISH, TO_SPANISH = language("en"), language("es")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of four classes, tested on 200 pictures of which 25 are wrong."""
    return class_folder(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def page(folder):
    """Its page."""
    return draw_model(folder, ENGLISH)


@pytest.fixture(scope="module")
def recipe(folder):
    """What its card says of the recipe."""
    return recipe_of(load_card(folder), model_evidence(folder).tested)


@pytest.fixture
def own_folder(tmp_path):
    """A folder of a test's own, to change."""
    return class_folder(tmp_path)


def test_source_stands_beside_ours(page):
    """The first screen says which recipe, how right, the source's figure, and what was asked."""
    header = text_of(page[: page.index("<main>")])
    for said in (
        "This is the recipe \u2068small-cnn\u2069 with the settings of its source.",
        "In the mean of 3 seeds it is right for 86.5% of 200 test pictures (81.1% to 90.6%).",
        "The source's figure is 91.0% (“\u2068about .91\u2069”): above the interval of ours.",
        "At least 87.0% was asked, and it is missed by 0.50 points.",
        "which may be chance, for the 95% intervals overlap.",
    ):
        assert said in header, said
    text = text_of(page)
    for said in (
        "Ours, the mean of 3 seeds 86.50%",
        "The model of this page 87.50%",
        "about .91 91.00%",
        "Asked at least ✗ missed 87.00%",
        "Majority baseline 25.00%",
        "3 seeds came to 86.50% on average, from 85.50% to 87.50%; standard deviation 1.00 points",
        "are of the model of the first seed (0)",
        "no paired comparison can be made",
        "frozen backbone 82.50%",
        "mixed_float16, on a GPU",
        "28 by 28 pixels, grey",
        "SHA-256 of the data abababababab",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    ("published", "least", "lies", "asked"),
    [
        (0.95, 0.8, "above the interval of ours", "and it is reached"),
        (0.85, None, "inside the interval of ours", ""),
        (0.5, 0.99, "below the interval of ours", "missed by 12.50 points"),
        (None, 0.8, "of other classes than these", "and it is reached"),
    ],
)
def test_figure_is_held_against_its_interval(recipe, published, least, lies, asked):
    """Where the source's figure lies is told by the interval of ours; the least by the figure."""
    said = " ".join(recipe_words.told(replace(recipe, published=published, least=least), ENGLISH))
    assert lies in said
    assert asked in said
    assert ("was asked" in said) == (least is not None)


def test_source_of_a_bare_number_is_told_once(recipe):
    """Words that are the figure itself add nothing to it."""
    bare = replace(recipe, source=".91")
    assert recipe_words.against_source(bare, ENGLISH).startswith("The source's figure is 91.0%: ")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (100, 180, "better by 40.0 points, and the 95% intervals do not overlap"),
        (170, 180, "better by 5.0 points, which may be chance"),
        (180, 170, "worse by 5.0 points"),
        (170, 170, "as after “frozen backbone”"),
    ],
)
def test_phases_are_told_with_their_doubt(recipe, before, after, said):
    """Phase two is called better only where it is, and surely so only where intervals part."""
    phases = (Phase("heads", Share(before, 200)), Phase("fine-tuning", Share(after, 200)))
    assert said in recipe_words.phases(replace(recipe, phases=phases), ENGLISH)


@pytest.mark.parametrize("seeds", [0, 1])
def test_single_seed_has_no_spread(own_folder, seeds):
    """One training has its own figure, and neither a mean nor a table of seeds."""
    card = load_card(own_folder)
    metrics = {**card.metrics, "seeds": card.metrics["seeds"][:seeds]}
    text = text_of(draw_model(with_card(own_folder, metrics=metrics), ENGLISH))
    assert "It is right for 87.5% of 200 test pictures" in text
    assert "Ours, the model of this page 87.50%" in text
    assert "first seed" not in text


def test_test_pictures_are_shown_wrong_ones_apart(page):
    """Wrong and right pictures stand apart, marked by a sign with a name, truth and guess."""
    part = page[page.index('id="pictures"') : page.index("How it learned")]
    assert "25 of 200 test pictures are wrong" in text_of(f"<body>{part}")
    wrong, rest = part.split("<h3>Right ones</h3>")
    right, bars = rest.split("<h3>What else it held possible</h3>")
    assert [wrong.count("<li>"), right.count("<li>")] == [12, 12]
    assert wrong.count('aria-label="wrong"') == 12
    assert right.count('aria-label="right"') == 12
    assert "✗ <bdi" not in wrong  # the sign has its name, and is not bare text
    assert bars.count("<article") == 2 * CHOSEN
    assert bars.count('aria-label="truth"') == 2 * CHOSEN
    pictures = Tags(wrong).named("img")
    assert all(each["class"] == "crisp" and each["alt"] for each in pictures)


def test_grey_picture_keeps_its_pixels():
    """28 pixels a side go as 28 grey pixels, lossless, and are shown three times as large."""
    small = shrink(grey_png(1))
    assert (small.width, small.height, small.crisp) == (84, 84, True)
    with Image.open(io.BytesIO(small.png)) as shown, Image.open(io.BytesIO(grey_png(1))) as given:
        assert (shown.mode, shown.size) == ("L", (28, 28))
        assert np.array_equal(np.asarray(shown), np.asarray(given))


def test_surest_mistakes_have_bars_and_the_rest_is_by_chance(tmp_path):
    """Of 20 classes the best five are drawn, and the truth even where it is none of them."""
    many = class_folder(tmp_path, [f"class {number:02}" for number in range(20)], names={})
    pictures = model_evidence(many).pictures
    assert (pictures.n, pictures.mistakes) == (200, 25)
    assert [each.picture.wrong for each in pictures.chosen] == [True] * 4 + [False] * 4
    for each in pictures.chosen:
        [truth] = [bar for bar in each.bars if bar.truth]
        assert truth.label == each.guess.truth
        assert BEST <= len(each.bars) <= BEST + 1
        assert len(each.bars) + each.left_out == 20
    assert any(len(each.bars) == BEST + 1 for each in pictures.chosen)


def test_class_names_are_those_of_the_language(folder, page):
    """Spanish pages say Spanish names wherever a class is told, drawings too; data stay English."""
    spanish = draw_model(folder, TO_SPANISH)
    for label, name in SPANISH.items():
        assert label in page
        assert name not in page
        assert name in spanish
        assert label not in spanish
    assert load_card(folder).vocabulary == {"class": LABELS}
    assert model_evidence(folder).tested.heads[0].majority_label in LABELS


def test_folder_names_are_read_as_words(tmp_path):
    """A class without a name of its own that is called as a folder is told without underscores."""
    page = draw_model(class_folder(tmp_path, ["apple_pie", "ice_cream"], names={}), ENGLISH)
    assert "apple pie" in page
    assert "apple_pie" not in page


def test_run_page_has_the_names_too(tmp_path):
    """What a run kept in English is told in the page's language, where its model has names."""
    shop = world(tmp_path)
    said = {"es": {"Bag": "Bolsa", "Shoe": "Calzado"}}
    report = shop.report()
    with_card(shop.folder, settings={"class_names": said})
    page = draw_run(report, shop.folder, shop.picture, TO_SPANISH)
    assert "Bolsa" in page
    assert "<bdi>Bag</bdi>" not in page
    names = class_names(load_card(shop.folder), TO_SPANISH)
    assert named(report, names, {}).run == report.run
    assert "Bolsa" not in draw_run(report, shop.folder, shop.picture, ENGLISH)


def test_pictures_of_one_class_are_no_products(page):
    """Nothing on the page speaks of products, attributes, shops or gender."""
    assert not re.search(r"(?i)\b(product|attribute|shop'|gender|tags?\b)", text_of(page))


def test_headline_is_the_accuracy(folder):
    """The index says accuracy, and not of which attribute."""
    [figure] = model_report(folder).headline.figures
    assert (figure.name, figure.value, figure.n) == ("accuracy", 0.875, 200)


@pytest.mark.parametrize("damage", ["other bytes", "other columns", "no picture", "too large"])
def test_damaged_pictures_leave_their_part_out(own_folder, damage):
    """Pictures that are not what they should be are not shown, and all else is."""
    path = own_folder / "test_pictures.parquet"
    rows = [{"picture": "t 0", "id": "t 0", "png": b"no picture"}]
    if damage == "other bytes":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "other columns":
        write_table(
            path, [{"picture": "t 0", "id": "t 0", "labels": [], "png": b""}], SAMPLE_SCHEMA
        )
    elif damage == "no picture":
        write_table(path, rows, TEST_PICTURES_SCHEMA)
    else:
        rows[0]["png"] = grey_png(1, 1200)
        write_table(path, rows, TEST_PICTURES_SCHEMA)
    page = draw_model(with_card(own_folder), ENGLISH)
    assert 'id="pictures"' not in page
    assert "Surest mistakes" in page
    assert "What it was shown" in page


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.5, 7.0])
def test_scores_that_are_no_probabilities_are_none(own_folder, score):
    """A page is drawn without figures of the test side where its scores can't be so."""
    path = own_folder / "test_scores.parquet"
    rows = pq.read_table(path).to_pylist()
    rows[8]["scores"][1] = score
    write_table(path, rows, TEST_SCHEMA)
    page = draw_model(with_card(own_folder), ENGLISH)
    assert "Nothing was kept aside that the model could be measured on." in page
    assert 'id="pictures"' not in page
    assert "What it was shown" in page


@pytest.mark.parametrize(
    "said",
    [
        {"recipe": "small-cnn", "class_names": ["es"]},
        {"recipe": {"name": 3}, "class_names": {"es": "Camiseta"}},
        {"recipe": {}, "class_names": {"es": {"Trouser": 3, "Pullover": ""}}},
    ],
)
def test_odd_cards_say_nothing_of_a_recipe(own_folder, said):
    """A card that says something else where the recipe stands is shown without one."""
    page = draw_model(with_card(own_folder, settings=said), TO_SPANISH)
    assert 'id="recipe"' not in page
    assert "Pullover" in page


def test_odd_figures_of_a_card_are_left_out(own_folder):
    """Figures that can't be so are none."""
    card = load_card(own_folder)
    seeds = [{"seed": 1, "right": 9, "n": 3}, {"seed": True, "right": 1, "n": 3}, 7, {"seed": 2}]
    said = {"name": "odd", "variant": "new", "published": "1", "least": 7, "source": 9}
    odd = with_card(
        own_folder,
        settings={"recipe": said},
        metrics={**card.metrics, "seeds": seeds, "after_phase": {"phase": "heads"}},
    )
    recipe = recipe_of(load_card(odd), model_evidence(odd).tested)
    assert (recipe.published, recipe.least, recipe.source) == (None, None, None)
    assert (recipe.seeds, recipe.phases) == ((), ())
    assert "in the variant \u2068new\u2069" in draw_model(odd, ENGLISH)


def test_tagger_is_told_head_by_head(tmp_path):
    """Of several heads a picture is wrong where one is; bars are those of the head concerned."""
    folder = model_folder(tmp_path, VOCABULARY)
    png = (tmp_path / keep_picture(tmp_path, 1)).read_bytes()
    rows = [{"picture": f"p{number}", "id": f"p{number}", "png": png} for number in range(20)]
    write_table(folder / "test_pictures.parquet", rows, TEST_PICTURES_SCHEMA)
    card = load_card(folder)
    seeds = [
        {"seed": seed, "right": 13, "n": 20, "heads": {"category": 1.0, "colour": 0.65}}
        for seed in (4, 5)
    ]
    metrics = {**card.metrics, "seeds": seeds, "whole_row": {"right": 13, "n": 20}}
    said = {"recipe": {"name": "five", "variant": "faithful", "source": None, "published": None}}
    page = draw_model(with_card(folder, settings=said, metrics=metrics), ENGLISH)
    text = text_of(page)
    for told in (
        "In the mean of 2 seeds all 2 attributes are right at once for 65.0% of 20 test pictures",
        "There is no published figure to compare with.",
        "7 of 20 test pictures are wrong in some attribute",
        "category 100.0% 100.0% 100.0%",
        "Of labelled products that the model never trained on, category is right",
    ):
        assert told.casefold() in text.casefold(), told
    chosen = model_evidence(folder).pictures.chosen
    assert [each.guess.head for each in chosen[:CHOSEN]] == ["colour"] * CHOSEN
    assert {each.guess.head for each in chosen[CHOSEN:]} == {"category", "colour"}
