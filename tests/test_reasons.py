"""Reasons in words."""

from gettext import NullTranslations

import pytest
from babel import Locale

from catalog.images.reasons import Reason as Failed
from catalog.tables import Reason as Refused
from reports.language import Language, language
from reports.reasons import failure, refusal, stage


class Marked(NullTranslations):
    """Marks what was looked up."""

    def gettext(self, message):
        """Tell the sentence in brackets."""
        return f"[{message}]"


MARKED = Language(Locale("en"), Marked())


@pytest.mark.parametrize("reason", Failed)
def test_every_way_to_fail_has_words(reason):
    """No picture fails for a reason that a page could only name by its code."""
    assert failure(MARKED, reason).startswith("[")


@pytest.mark.parametrize("reason", Refused)
def test_every_way_to_be_refused_has_words(reason):
    """No row is refused for a reason that a page could only name by its code."""
    assert refusal(MARKED, reason).startswith("[")


def test_reason_of_another_version_keeps_its_name():
    """A store may know reasons that this version does not."""
    english = language("en")
    assert failure(english, "solar_flare") == refusal(english, "solar_flare") == "solar flare"
    assert (stage(MARKED, "fetch"), stage(MARKED, "dream")) == ("[fetching]", "dream")
