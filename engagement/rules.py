"""What "high" means, as people write it. Imports nothing heavy."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Self

FORMS = '"likes > 10000", "rate > 0.03", "top 30%" or "above account median"'

_NUMBER = r"(?P<amount>\d{1,3}(?:[,_]\d{3})+|\d+(?:\.\d+)?)"
_WHOLE = re.compile(r"[\d,_]+(\.0{1,2})?")  # as in a CSV; 10.000 may be ten thousand
_RULES = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "likes": rf"likes\s*>\s*{_NUMBER}",
        "rate": rf"rate\s*>\s*{_NUMBER}",
        "top": rf"top\s+{_NUMBER}\s*%",
        "median": r"above\s+account\s+median",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What is high: more likes than `amount`, a greater share of the followers, and so on.

    The amount is likes, likes per follower, or a percentage of the posts; the median has none.
    """

    kind: Literal["likes", "rate", "top", "median"]
    amount: float | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a rule as people write it; ValueError says which forms there are."""
        for kind, pattern in _RULES.items():
            if found := pattern.fullmatch(text.strip()):
                given = found.groupdict().get("amount")
                if kind == "likes" and not _WHOLE.fullmatch(given or ""):
                    break
                amount = None if given is None else float(re.sub("[,_]", "", given))
                if kind == "top" and not 0 < (amount or 0) < 100:
                    break
                return cls(kind, amount)  # type: ignore[arg-type] # the keys are the kinds
        raise ValueError(f'"{text}" does not say what is high: write {FORMS}')

    def __str__(self) -> str:
        if self.amount is None:
            return "above account median"
        amount = f"{Decimal(repr(self.amount)).normalize():f}"
        return f"top {amount}%" if self.kind == "top" else f"{self.kind} > {amount}"

    @property
    def learned(self) -> bool:
        """Whether the bar depends on posts, so that only training posts may set it."""
        return self.kind == "top"
