"""The languages of the reports: numbers and times as each has them, and no sentence left out."""

import io
import re
import subprocess
import sys
from datetime import UTC, datetime
from gettext import GNUTranslations, NullTranslations
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from reports.language import Language, language
from tests.drawn_pages import LOTS, drawers_of
from tests.report_world import HOSTILE

REPORTS = Path(__file__).resolve().parent.parent / "reports"
SPANISH = REPORTS / "locale" / "es" / "LC_MESSAGES" / "vitrina.po"
TEMPLATES = sorted(REPORTS.glob("templates/*.j2"))
PLACEHOLDER = re.compile(r"%\((\w+)\)s|(%%)")
SAME = {"Vitrina", "· Vitrina", "F1", "ROC-AUC", "n", "p"}
"""Words that are the same in every language, and need no translation."""
INTO = ("nodes", "node", "expr1", "expr2", "left", "right", "items", "value")
"""Where the parts of an expression that come onto the page are: its branches and operands."""
WORLD = {
    *("thing", "post", "csv", "brand", "Brand", "https", "shop", "example", "lost", "jpg"),
    *("tagger", "engagement", "category", "colour", "Bag", "Shoe", "Red", "Green", "Blue"),
    *("layers", "pre", "cnn", "none", "abababababab", "id", "likes", "by", "group", "abcd"),
    *("small", "classes", "about", "Camiseta", "Jersey", "Zapatilla", "shirt", "top"),
    *("Trouser", "Pullover", "Sneaker", "train"),
    *("UTC", "Aug", "Sep", "Oct", "Nov", "August", "September", "ROC", "AUC"),
}
"""Words of the worlds that the pages are drawn of; "by group" is a card's, which is English."""
SEEN = {"alt", "aria-label", "title", "placeholder"}
"""Attributes that people see or hear."""


@pytest.mark.parametrize(
    ("said", "english", "spanish"),
    [
        (lambda to: to.count(1_234_567), "1,234,567", "1.234.567"),
        (lambda to: to.decimal(0.5), "0.500", "0,500"),
        (lambda to: to.percent(0.1234), "12.3%", "12,3\N{NO-BREAK SPACE}%"),
        (lambda to: to.percent(1, 0), "100%", "100\N{NO-BREAK SPACE}%"),
        (lambda to: to.points(-0.0123), "\N{MINUS SIGN}1.2", "\N{MINUS SIGN}1,2"),
        (lambda to: to.points(-0.0001), "0.0", "0,0"),
        (lambda to: to.decimal(-0.0001), "0.000", "0,000"),
        (lambda to: to.decimal(-0.5), "-0.500", "-0,500"),
        (lambda to: to.percent(0.99996), "99.9%", "99,9\N{NO-BREAK SPACE}%"),
        (lambda to: to.percent(0.996, 0), "99%", "99\N{NO-BREAK SPACE}%"),
        (lambda to: to.percent(1 - 1e-16), "100.0%", "100,0\N{NO-BREAK SPACE}%"),
        (lambda to: to.points(0.0123), "+1.2", "+1,2"),
        (lambda to: to.bar(10_000.5), "10,000.5", "10.000,5"),
        (lambda to: to.span(0.25, 0.5, 2), "0.25 to 0.50", "0,25 a 0,50"),
        (lambda to: to.span(0.25, 0.2501, 2), "0.25", "0,25"),
        (
            lambda to: to.percent_span(0.1, 0.2),
            "10.0% to 20.0%",
            "10,0\N{NO-BREAK SPACE}% a 20,0\N{NO-BREAK SPACE}%",
        ),
        (
            lambda to: to.moment("2026-09-03T05:07:09+02:00"),
            "3 Sep 2026, 03:07 UTC",
            "3 sept 2026, 03:07 UTC",
        ),
        (
            lambda to: to.month(datetime(2026, 11, 30, 23, tzinfo=UTC)),
            "November 2026",
            "noviembre de 2026",
        ),
        (lambda to: to.duration(3.21), "3.2 s", "3,2 s"),
        (lambda to: to.duration(7260), "2 h 1 min", "2 h 1 min"),
        (lambda to: to.duration(125), "2 min 5 s", "2 min 5 s"),
        (lambda to: to.code, "en", "es"),
    ],
)
def test_figures_are_written_as_the_language_has_them(said, english, spanish):
    """Numbers, shares, intervals, times and durations, in English and in Spanish."""
    assert said(language("en")) == english
    assert said(language("es")) == spanish


def test_what_is_not_there_is_a_dash():
    """A figure that is undefined is never a zero nor an empty cell."""
    for code in ("en", "es"):
        to = language(code)
        said = {to.count(None), to.decimal(None), to.percent(None), to.points(None), to.bar(None)}
        said |= {to.span(None, None), to.percent_span(0.1, None)}
        assert said == {"\N{EN DASH}"}


def test_another_language_is_refused():
    """What there is no translation for is an error that says what there is."""
    with pytest.raises(ValueError, match="en or es, not in 'de'"):
        language("de")


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """Every sentence of the code and the templates, as `make messages` finds them."""
    pot = tmp_path_factory.mktemp("pot") / "vitrina.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract"]
    command += ["--mapping", REPORTS.parent / "pyproject.toml", "--output", pot, REPORTS]
    subprocess.run(command, check=True, cwd=REPORTS.parent)
    return [message for message in read_po(io.BytesIO(pot.read_bytes())) if message.id]


@pytest.fixture(scope="module")
def translated():
    """The Spanish file."""
    return read_po(io.BytesIO(SPANISH.read_bytes()), locale="es")


def untranslated(messages, catalog):
    """What of the messages the catalogue lacks, or says with other placeholders."""
    return [message.id for message in messages if not _rendered(message, catalog.get(message.id))]


def _rendered(message, found):
    if found is None or found.fuzzy:
        return False
    if not message.pluralizable:
        return bool(found.string) and _places(found.string) == _places(message.id)
    # One of something may be said without its number.
    allowed = [_places(form) for form in message.id]
    return all(said and _places(said) in allowed for said in found.string) and len(
        found.string
    ) == len(allowed)


def _places(text):
    return sorted(name or percent for name, percent in PLACEHOLDER.findall(text))


def test_every_sentence_has_a_translation(messages, translated):
    """Nothing is missing, doubtful or obsolete, and each has its original's placeholders."""
    assert len(messages) > 100
    assert untranslated(messages, translated) == []
    assert not translated.obsolete
    known = {_key(message.id) for message in messages}
    assert [
        message.id for message in translated if message.id and _key(message.id) not in known
    ] == []


def _key(text):
    return text if isinstance(text, str) else text[0]


def test_faults_of_translation_are_found():
    """Positive control: a missing, a doubtful and a wrongly filled translation are each seen."""
    whole = '#, python-format\nmsgid "%(n)s of %(m)s"\nmsgstr "%(n)s de %(m)s"\n'
    plural = 'msgid "%(num)s row"\nmsgid_plural "%(num)s rows"\n'
    plural += 'msgstr[0] "%(num)s fila"\nmsgstr[1] "%(num)s filas"\n'

    def catalog(text):
        return read_po(io.BytesIO(text.encode()), locale="es")

    asked = [message for message in catalog(whole + "\n" + plural) if message.id]
    assert untranslated(asked, catalog(f"{whole}\n{plural}")) == []
    assert len(untranslated(asked, catalog(""))) == 2
    for spoilt in (
        whole.replace("de %(m)s", "de %(q)s"),
        whole.replace("#,", "#, fuzzy,"),
        whole.replace("%(n)s de %(m)s", ""),
    ):
        assert untranslated(asked, catalog(f"{spoilt}\n{plural}")) == ["%(n)s of %(m)s"]
    spoilt = plural.replace("%(num)s filas", "filas %(number)s")
    assert len(untranslated(asked, catalog(f"{whole}\n{spoilt}"))) == 1


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Accuracy", "Exactitud"),
        ("Precision", "Precisión"),
        ("Recall", "Exhaustividad"),
    ],
)
def test_figures_have_their_exact_names(translated, english, spanish):
    """The headings of the tables are the terms of the trade."""
    assert translated.get(english).string == spanish


def test_accuracy_is_never_called_precision(translated):
    """Whatever speaks of accuracy says exactitud, and precisión translates precision alone."""
    terms = {"accuracy": "exactitud", "precision": "precisión", "recall": "exhaustividad"}
    for message in translated:
        originals, said = (_words(forms) for forms in (message.id, message.string))
        for term, proper in terms.items():
            assert (term in originals) == (proper in said), (term, originals, said)


def _words(forms):
    """All forms of a sentence, without what is filled in."""
    text = forms if isinstance(forms, str) else " ".join(forms)
    return PLACEHOLDER.sub("", text).lower()


class Words(HTMLParser):
    """Collects the words of a page that people see or hear: text, and some attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self._inside = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note what its attributes say."""
        if tag in {"style", "script"}:
            self._inside.append(tag)
        self._note(*(value for name, value in attrs if name in SEEN and value))

    def handle_endtag(self, tag):
        """Listen again after a style."""
        if tag in self._inside:
            self._inside.remove(tag)

    def handle_data(self, data):
        """Note text."""
        if not self._inside:
            self._note(data)

    def _note(self, *texts):
        self.found += [text.strip() for text in texts if re.search(r"[^\W\d_]", text)]


def unmarked(template):
    """The words of a template that no gettext sees."""
    tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(template)
    page = "".join(map(_constants, tree.find_all(nodes.Output)))
    return [text for text in Words(page).found if text not in SAME]


def _constants(node):
    """The words that a part of a template may put onto the page just as they stand there."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str) else ""
    inner = (getattr(node, name, None) or [] for name in INTO)
    listed = (each if isinstance(each, list) else [each] for each in inner)
    return "".join(_constants(each) for some in listed for each in some)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_words_of_their_own(template):
    """Every word of a template goes through gettext."""
    assert unmarked(template.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>{{ _('Rows') }} {% trans %}Some rows{% endtrans %} {{ x | cut(3) }} · 95</p>", []),
        ("<style>p { color: red }</style><p class='{{ 'good' if x }}' id='a'>Vitrina</p>", []),
        ("<p>Rows of {{ x }}</p>", ["Rows of"]),
        ("<p>{% if x %}Rows{% endif %}</p>", ["Rows"]),
        ("<p>{{ 'many' if x else 'few' }}</p>", ["manyfew"]),
        ("<p>{{ {1: 'one'}.get(x) | cut(3) }}</p>", ["one"]),
        ("<p>{{ x or 'none' }}{{ 'of ' ~ x }}</p>", ["noneof"]),
        ("<img alt='Picture of {{ x }}'>", ["Picture of"]),
        ("{% macro a() %}<th aria-label='Row'>1</th>{% endmacro %}", ["Row"]),
    ],
)
def test_words_in_templates_are_found(template, found):
    """Positive control: words are seen in text and attributes, branches and expressions."""
    assert unmarked(template) == found


class Marking(NullTranslations):
    """Translates by putting brackets around a sentence."""

    def gettext(self, message):
        """Mark a sentence."""
        return f"⟦{message}⟧"

    def ngettext(self, msgid1, msgid2, n):
        """Mark the sentence for a number."""
        return self.gettext(msgid1 if n == 1 else msgid2)


class Missing(NullTranslations):
    """Notes what is asked for that the Spanish file lacks."""

    def __init__(self):
        super().__init__()
        self.asked = set()

    def gettext(self, message):
        """Note a sentence."""
        self.asked.add(message)
        return message

    def ngettext(self, msgid1, msgid2, n):
        """Note the sentence for a number."""
        self.asked.add(msgid1)
        return msgid1 if n == 1 else msgid2


@pytest.fixture(scope="module")
def drawers(tmp_path_factory):
    """What draws the pages of ordinary worlds."""
    return [
        draw
        for lot in LOTS
        for draw in drawers_of(tmp_path_factory.mktemp("world") / lot, lot).values()
    ]


def unspoken(text):
    """The words of a text that stand in no marked sentence and are none of the shop's."""
    before = None
    while text != before:
        before, text = text, re.sub("⟦[^⟦⟧]*⟧", " ", text)
    for word in sorted(HOSTILE, key=len, reverse=True):
        text = text.replace(word, " ")
    words = re.findall(r"\w*[^\W\d_]\w*", text)
    return {word for word in words if word.isalpha() and len(word) > 1} - WORLD - SAME


def test_words_outside_of_sentences_are_found():
    """Positive control: what is glued to a sentence, or was never one, is seen."""
    assert unspoken("⟦Rows of ⟦source⟧⟧ · A thing 12, wrong19") == set()
    assert unspoken("⟦Rows⟧ of shop") == {"of"}
    assert unspoken("Right") == {"Right"}


def test_pages_have_no_words_of_their_own(drawers):
    """Outside of translated sentences a page has the shop's own words, and no others."""
    marked = Language(Locale("en"), Marking())
    for draw in drawers:
        assert set().union(*map(unspoken, Words(draw(marked)).found)) == set()


def test_no_page_asks_for_a_sentence_that_is_not_there(drawers):
    """Whatever is looked up while the pages are drawn in Spanish is found."""
    compiled, missing = io.BytesIO(), Missing()
    write_mo(compiled, read_po(io.BytesIO(SPANISH.read_bytes()), locale="es"))
    compiled.seek(0)
    spanish = GNUTranslations(compiled)
    spanish.add_fallback(missing)
    for draw in drawers:
        draw(Language(Locale("es"), spanish))
    assert missing.asked == set()
    assert spanish.gettext("of another version") in missing.asked
