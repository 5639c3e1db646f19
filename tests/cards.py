"""Cards of classifiers made by hand: who was divided how, and what each head needs to say high."""

from typing import Any

from catalog.models.artefact import Card
from engagement.classes import CLASSES, HEAD

FOLDS = tuple(f"fold_{number}" for number in range(1, 6))


def card(kind: str = "account", **said: Any) -> Card:
    """A card of these heads; `said` names what a test cares about.

    heads (besides the classifier's own), accounts (account to head), cut, rule, bars, thresholds,
    fallback, known (accounts, where they were too few), min_age_hours.
    """
    heads = (HEAD, *said.get("heads", () if kind == "time" else FOLDS))
    return Card(
        task=HEAD,
        name=HEAD,
        version="1",
        created="2026-06-01T00:00:00+00:00",
        vocabulary=dict.fromkeys(heads, CLASSES),
        image_size=32,
        backbone="mobilenetv2",
        weights="none",
        embedding_size=2,
        settings={
            "rule": said.get("rule", "likes > 100"),
            "min_age_hours": said.get("min_age_hours", 48.0),
            "bars": dict.fromkeys(heads, 100.0) | said.get("bars", {}),
            "thresholds": dict.fromkeys(heads, 0.5) | said.get("thresholds", {}),
        },
        trained_on={},
        split={
            "kind": kind,
            "asked": kind,
            "cut": said.get("cut"),
            "fallback": said.get("fallback"),
            **({"accounts": said["known"]} if "known" in said else {}),
            "rule": f"Divided by {kind}.",
            "heads": said.get("accounts", {}),
        },
        metrics={},
        files={},
        parameters=1,
        versions={},
        notes=(),
    )
