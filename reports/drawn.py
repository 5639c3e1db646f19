"""What pages are illustrated with: small copies of pictures by SHA-256, drawings by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from reports import findings
from reports.evidence import Curves, ModelEvidence
from reports.language import Language
from reports.pages import svg
from reports.thumbnails import Thumbnail, thumbnails


def small_copies(
    shown: Iterable[str | None], picture: Callable[[str], Path]
) -> dict[str, Thumbnail]:
    """Make small copies of the pictures that can be read, by SHA-256.

    `picture` says where the bytes with a SHA-256 lie; one that is gone has no small copy.
    """
    named = list(dict.fromkeys(sha for sha in shown if sha))
    small = thumbnails(picture(sha) for sha in named)
    return {sha: each for sha, each in zip(named, small, strict=True) if each}


@dataclass(frozen=True, slots=True)
class Learned:
    """How one head learned: what is seen of it, the drawings of loss and accuracy, the numbers."""

    finding: str
    drawings: tuple[Markup, ...]
    curves: Curves


def learning_curves(model: ModelEvidence | None, language: Language) -> tuple[Learned, ...]:
    """Draw how each head of a model learned: loss and, where there is one, accuracy."""
    if model is None or not model.curves:
        return ()
    # Loaded here: matplotlib takes a third of a second, and most pages have something else to do.
    from reports.figures import learning_curve  # noqa: PLC0415

    return tuple(
        Learned(
            findings.curves(each, language),
            tuple(
                svg(learning_curve(name, line, model.phases, language))
                for name, line in each.measures
            ),
            each,
        )
        for each in model.curves
    )
