"""How right the starter is on the pictures that its training never saw, shop by shop.

    python tests/benchmarks/starter_figures.py MODEL_FOLDER

MODEL_FOLDER is what `catalog train --recipe starter` left in a store: it keeps the scores of the
test side, which was asked once. Nothing is run here.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from measure import table

from catalog.deciding import decided_figures, truths
from catalog.decisions import Decisions
from catalog.models.artefact import TEST_SCORES, Card, load_card
from catalog.models.metrics import score_head

SOURCES = ("fashion-products", "fashion-images", "")


def main(folder: Path) -> None:
    """Print the tables."""
    card = load_card(folder)
    decisions = Decisions.of(card.decisions, card.vocabulary)
    rows = pq.read_table(folder / TEST_SCORES).to_pylist()
    for source in SOURCES:
        labels, said = told([row for row in rows if row["id"].startswith(source)], card)
        print(f"\n{source or 'both'}: {len(labels):,} test pictures")
        compare(card, decisions, labels, said)
    print("\naccept lines, drawn on validation: the share accepted there and on the test side")
    accepted = decided_figures(decisions, card.vocabulary, labels, said)["heads"]
    lines = [
        (
            head,
            f"{line.threshold:.2f}",
            percent(line.share),
            percent(accepted[head]["accepted"]["value"]),
            percent(accepted[head]["accepted_right"]["value"]),
        )
        for head, line in decisions.lines.items()
        if line.threshold is not None
    ]
    print(table(("head", "line", "accepted then", "accepted on test", "of these right"), lines))


def compare(
    card: Card,
    decisions: Decisions,
    labels: Sequence[Mapping[str, str]],
    said: Mapping[str, np.ndarray],
) -> None:
    """Each head alone, and category, subcategory and product type decided together."""
    alone = decided_figures(Decisions(), card.vocabulary, labels, said)
    together = decided_figures(decisions, card.vocabulary, labels, said)
    codes = decisions.decide(said, card.vocabulary)
    lines: list[tuple[Any, ...]] = []
    for head, words in card.vocabulary.items():
        rows, truth = truths(labels, head, words)
        chosen = score_head(head, words, truth, np.eye(len(words))[codes[head].codes[rows]])
        before, after = alone["heads"][head], together["heads"][head]
        low, high = after["interval"]
        lines.append(
            (
                head,
                len(rows),
                len(np.unique(truth)),
                percent(chosen.majority.value),
                percent(before["value"]),
                f"{percent(after['value'])} ({percent(low)} to {percent(high)})",
                percent(chosen.macro.f1 if chosen.macro else None),
                f"{after['ece']:.3f}",
            )
        )
    header = ("head", "n", "classes", "majority", "alone", "together (95 %)", "macro-F1", "ECE")
    print(table(header, lines))
    whole = [figures["whole_row"] for figures in (alone, together)]
    low, high = whole[1]["interval"]
    print(
        f"all five right: {percent(whole[0]['value'])} alone, {percent(whole[1]['value'])}"
        f" together ({percent(low)} to {percent(high)}, n {whole[1]['n']:,})"
    )


def told(
    rows: Sequence[Mapping[str, Any]], card: Card
) -> tuple[list[dict[str, str]], dict[str, np.ndarray]]:
    """The labels of each picture, and every head's scores [n, labels]; even where unlabelled."""
    places: dict[tuple[str, str], int] = {}
    for row in rows:
        places.setdefault((row["id"], row["picture"]), len(places))
    labels: list[dict[str, str]] = [{} for _ in places]
    said = {
        head: np.full((len(places), len(words)), 1 / len(words))
        for head, words in card.vocabulary.items()
    }
    for row in rows:
        at = places[row["id"], row["picture"]]
        labels[at][row["head"]] = row["truth"]
        said[row["head"]][at] = row["scores"]
    return labels, said


def percent(share: float | None) -> str:
    """As people read it."""
    return "-" if share is None else f"{100 * share:.1f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
