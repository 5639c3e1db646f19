"""The language of a page: its sentences by gettext, its numbers and dates as Babel (CLDR) has them.

Sentences are English in the code and in the templates; locale/<code>/LC_MESSAGES/vitrina.po has
them in another language. A sentence without a translation there is shown in English (and a test
finds it).
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from typing import Any

from babel import Locale
from babel.dates import format_datetime, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LANGUAGES = ("en", "es")
UNDEFINED = "\N{EN DASH}"
"""What stands where there is no figure."""
MINUS = "\N{MINUS SIGN}"
SLIP = 1e-9
"""How far below 1 computing may leave a share that is 1."""


@dataclass(frozen=True)
class Language:
    """One of LANGUAGES: how its pages say sentences, numbers and times (UTC)."""

    locale: Locale
    translations: NullTranslations

    @property
    def code(self) -> str:
        """As HTML names it, such as es."""
        return str(self.locale.language)

    def gettext(self, sentence: str) -> str:
        """Say a sentence; its %(name)s are filled by the caller."""
        return self.translations.gettext(sentence)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Say the sentence for this number; both have %(num)s where the number stands."""
        said = self.translations.ngettext(one, many, number)
        return said.replace("%(num)s", self.count(number))

    def count(self, number: int | None) -> str:
        """Write a whole number with its thousands apart."""
        return UNDEFINED if number is None else self._decimal(number, "#,##0")

    def decimal(self, number: float | None, decimals: int = 3) -> str:
        """Write a number to so many places."""
        return UNDEFINED if number is None else self._decimal(number, _places(decimals))

    def percent(self, share: float | None, decimals: int = 1) -> str:
        """Write a share, 0 to 1, in per cent."""
        if share is None:
            return UNDEFINED
        pattern = self.locale.percent_formats[None].pattern
        pattern = pattern.replace("#,##0", _places(decimals))
        told = _short_of_one(share, decimals + 2)
        return str(format_percent(told, format=pattern, locale=self.locale))

    def points(self, share: float | None) -> str:
        """Write a difference of two shares in percentage points, with its sign."""
        if share is None:
            return UNDEFINED
        size = self.decimal(100 * abs(share), 1)
        if size == self.decimal(0, 1):
            return size
        return f"+{size}" if share > 0 else f"{MINUS}{size}"

    def bar(self, amount: float | None) -> str:
        """Write a number with no more places than it has, such as the bar of a rule."""
        return UNDEFINED if amount is None else self._decimal(amount, "#,##0.##########")

    def span(self, low: float | None, high: float | None, decimals: int = 3) -> str:
        """Write an interval of figures, or one figure where its ends are written the same."""
        return self._span(low, high, lambda end: self.decimal(end, decimals))

    def percent_span(self, low: float | None, high: float | None, decimals: int = 1) -> str:
        """Write an interval of shares, 0 to 1, in per cent."""
        return self._span(low, high, lambda end: self.percent(end, decimals))

    def moment(self, time: datetime | str) -> str:
        """Write a time in UTC, to the minute; one in ISO 8601 may be text."""
        when = datetime.fromisoformat(time) if isinstance(time, str) else time
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        pattern = "d MMM y, HH:mm 'UTC'"
        return str(format_datetime(when, pattern, tzinfo=UTC, locale=self.locale))

    def month(self, time: datetime) -> str:
        """Write the month of a time, in UTC, with its year."""
        return str(format_skeleton("yMMMM", time, tzinfo=UTC, locale=self.locale))

    def duration(self, seconds: float) -> str:
        """Write a stretch of time in the units one would say."""
        if seconds < 100:
            return f"{self.decimal(seconds, 1)} s"
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"

    def _span(
        self, low: float | None, high: float | None, write: Callable[[float | None], str]
    ) -> str:
        if low is None or high is None:
            return UNDEFINED
        first, last = write(low), write(high)
        if first == last:
            return first
        return self.gettext("%(low)s to %(high)s") % {"low": first, "high": last}

    def _decimal(self, number: float, pattern: str) -> str:
        written = str(format_decimal(number, format=pattern, locale=self.locale))
        zero = str(format_decimal(0, format=pattern, locale=self.locale))
        return zero if written.lstrip("-") == zero else written


@cache
def language(code: str) -> Language:
    """Load one of LANGUAGES; another is a ValueError."""
    if code not in LANGUAGES:
        raise ValueError(f"reports are written in {' or '.join(LANGUAGES)}, not in {code!r}")
    return Language(Locale(code), _translations(code))


def _translations(code: str) -> NullTranslations:
    """Read the .po itself: no compiled copy that could be older."""
    if code == "en":
        return NullTranslations()
    place: Any = resources.files("reports") / "locale" / code / "LC_MESSAGES" / "vitrina.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(place.read_bytes()), locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _short_of_one(share: float, places: int) -> float:
    """Keep a share that is less than the whole from being rounded to the whole."""
    whole = 1 - share < SLIP
    return share if whole or round(share, places) < 1 else 1 - 10.0**-places


def _places(decimals: int) -> str:
    return f"#,##0.{'0' * decimals}" if decimals else "#,##0"
