"""Pages: one HTML file each, that loads nothing and runs nothing, in a language.

Everything is escaped but the drawings, which are SVG of our own (`svg`).
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from catalog.models.splits import CAP
from reports.evidence import ModelEvidence
from reports.language import Language
from reports.measured import LEAST_ROWS
from reports.reasons import failure, refusal, stage

LONGEST = 60
"""Letters of a name of the outside world inside a sentence."""

_MIXED = "mixed_float16"  # as catalog/models/precision.py calls it, which loads Keras

SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
"""A hash in hex, of which a page shows the first twelve letters."""


@cache
def environment(language: Language) -> Environment:
    """Make what renders the templates in a language: gettext, and its numbers as filters."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # The extension adds this method, which jinja2 does not declare.
    install: Callable[..., None] = made.install_gettext_callables  # type: ignore[attr-defined]
    install(language.gettext, language.ngettext, newstyle=True)
    made.filters |= {
        "count": language.count,
        "decimal": language.decimal,
        "percent": language.percent,
        "points": language.points,
        "bar": language.bar,
        "span": language.span,
        "percent_span": language.percent_span,
        "moment": language.moment,
        "duration": language.duration,
        "failure": partial(failure, language),
        "refusal": partial(refusal, language),
        "stage": partial(stage, language),
        "words": words,
        "cut": cut,
        "quoted": quoted,
        "css_share": css_share,
        "paint": _paint,
    }
    made.globals |= {
        "language": language,
        "least_rows": LEAST_ROWS,
        "largest_group": CAP,
        "facts": partial(facts, language),
    }
    return made


def render(template: str, language: Language, **values: object) -> str:
    """Write a page from one of templates/ in a language."""
    return environment(language).get_template(template).render(values)


def svg(drawing: str) -> Markup:
    """Mark a drawing as HTML; only what reports/drawing.py made may come here."""
    return Markup(drawing)  # nosec B704  # noqa: S704 - our own SVG


def facts(language: Language, model: ModelEvidence) -> list[tuple[str, str]]:
    """Name what a card says of the making of its model, in words."""
    card = model.card
    side = language.count(card.image_size)
    told = [
        (language.gettext("Trained"), language.moment(card.created)),
        *_recipe(language, card.settings.get("recipe")),
        (language.gettext("Backbone"), card.backbone),
        (language.gettext("Started from"), _plain(language, card.weights)),
        (
            language.gettext("Picture size"),
            (
                language.gettext("%(side)s by %(side)s pixels, grey")
                if card.settings.get("channels") == 1
                else language.gettext("%(side)s by %(side)s pixels")
            )
            % {"side": side},
        ),
        (language.gettext("Parameters"), language.count(card.parameters)),
        *_computed(language, card.settings.get("policy")),
    ]
    learned = {name: value for name, value in card.trained_on.items() if value is not None}
    return told + [
        (_learned(language, name), _plain(language, value)) for name, value in learned.items()
    ]


def _recipe(language: Language, said: object) -> list[tuple[str, str]]:
    """Say by which recipe a model was trained, where its card does."""
    name = said.get("name") if isinstance(said, dict) else None
    return [(language.gettext("Recipe"), quoted(name))] if isinstance(name, str) else []


def _computed(language: Language, policy: object) -> list[tuple[str, str]]:
    """Say in which precision a network was trained, where its card does."""
    if policy == _MIXED:
        said = language.gettext("%(policy)s, on a GPU") % {"policy": _MIXED}
        return [(language.gettext("Computed in"), said)]
    return [(language.gettext("Computed in"), str(policy))] if policy else []


def words(name: str) -> str:
    """Read a name from code or a column as words."""
    return name.replace("_", " ")


def cut(text: str, longest: int) -> str:
    """Shorten a text of the outside world to what a line can hold."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def quoted(text: str) -> str:
    """Set a text of the outside world apart in a sentence: cut, and isolated by its direction."""
    return f"\N{FIRST STRONG ISOLATE}{cut(text, LONGEST)}\N{POP DIRECTIONAL ISOLATE}"


def css_share(share: float) -> str:
    """Write a share, 0 to 1, as a length of a style sheet."""
    return f"{100 * min(max(share, 0.0), 1.0):.1f}%"


def _learned(language: Language, name: str) -> str:
    """Say what a card counts of that which its model was trained on."""
    known = {
        "source": language.gettext("Source"),
        "csv": language.gettext("CSV"),
        "csv_sha256": language.gettext("SHA-256 of the CSV"),
        "data": language.gettext("Data"),
        "data_sha256": language.gettext("SHA-256 of the data"),
        "products": language.gettext("Products"),
        "posts": language.gettext("Posts"),
        "pictures": language.gettext("Pictures"),
        "groups": language.gettext("Picture groups"),
        "accounts": language.gettext("Accounts"),
    }
    return known.get(name, words(name))


def _paint(place: int, parts: Sequence[Any], wrong: bool) -> str:
    """Name the colour of a tile's part: what went wrong is always the third."""
    return "three" if wrong else ("one", "two")[min(place, len(parts)) - 1]


def _plain(language: Language, value: object) -> str:
    """Write one value of a card."""
    known = {
        "idx files": language.gettext("idx files"),
        "class folders": language.gettext("class folders"),
        "none": language.gettext("random numbers"),
    }
    if isinstance(value, int):
        return language.count(value)
    return known.get(str(value), SHA256.sub(r"\1", str(value)))
