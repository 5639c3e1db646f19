"""Every kind of page, in both languages and of a hostile world: what a browser is shown."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from filelock import FileLock

from reports.headline import Figure
from reports.index import RunLine, runs_index
from reports.language import Language, language
from tests.report_world import HOSTILE, NOW

LOTS = {
    "runs": ("run", "model"),
    "recipes": ("recipe",),
    "posts": ("engagement", "classifier"),
    "index": ("index",),
}
"""Kinds of pages, by what they are drawn from."""
WORLDS = {"en": False, "es": False, "hostile": True}
"""Which language is spoken; the hostile world's is Spanish, whose words are the longer ones."""


Drawers = dict[str, Callable[[Language], str]]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], str]:
    """Give a page by its kind and world; each is drawn once for all workers of a test run."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if shared.name.startswith("popen-") else shared

    def page(kind: str, world: str) -> str:
        folder = _drawn(shared, next(lot for lot, kinds in LOTS.items() if kind in kinds))
        return (folder / f"{kind}-{world}.html").read_text(encoding="utf-8")

    return page


def drawers_of(place: Path, lot: str, *, hostile: bool = False) -> Drawers:
    """What draws each kind of page of a lot in a language; its world is made in `place`."""
    lots = {"runs": _runs, "recipes": _recipes, "posts": _posts, "index": _index}
    return lots[lot](place, hostile)


def _drawn(shared: Path, lot: str) -> Path:
    """A folder of <kind>-<world>.html; several workers may draw several lots at once."""
    folder = shared / f"drawn-{lot}"
    with FileLock(shared / f"drawn-{lot}.lock"):
        if not folder.exists():
            draft = shared / f"draft-{lot}"
            draft.mkdir()
            _draw(draft, shared / f"world-{lot}", lot)
            draft.rename(folder)
    return folder


def _draw(folder: Path, worlds: Path, lot: str) -> None:
    for hostile in (False, True):
        drawers = drawers_of(worlds / str(hostile), lot, hostile=hostile)
        for name in (name for name, is_hostile in WORLDS.items() if is_hostile == hostile):
            spoken = language("es" if hostile else name)
            for kind, draw in drawers.items():
                (folder / f"{kind}-{name}.html").write_text(draw(spoken), encoding="utf-8")


def _runs(place: Path, hostile: bool) -> Drawers:
    from reports.draw import draw_model, draw_run  # noqa: PLC0415 - only who draws loads it
    from reports.results import run_report  # noqa: PLC0415
    from tests.report_world import BEFORE, VOCABULARY, world  # noqa: PLC0415

    words = {"category": HOSTILE[:3], "colour": HOSTILE[3:]} if hostile else VOCABULARY
    title = HOSTILE[1] if hostile else "A thing"
    shop = world(place, products=80, vocabulary=words, title=title, reviewed=True)
    run = replace(shop.run, version=HOSTILE[0]) if hostile else shop.run
    report = run_report(shop.connection, run, words, BEFORE)
    return {
        "run": lambda spoken: draw_run(report, shop.folder, shop.picture, spoken),
        "model": lambda spoken: draw_model(shop.folder, spoken),
    }


def _recipes(place: Path, hostile: bool) -> Drawers:
    from reports.draw import draw_model  # noqa: PLC0415
    from tests.recipe_world import class_folder  # noqa: PLC0415

    if not hostile:
        folder = class_folder(place)
        return {"recipe": lambda spoken: draw_model(folder, spoken)}
    names = dict(pairwise(HOSTILE))
    said = {"recipe": HOSTILE[0], "source": HOSTILE[1], "names": names}
    odd = class_folder(place, [*HOSTILE, *map(str, range(9))], **said)
    return {"recipe": lambda spoken: draw_model(odd, spoken)}


def _posts(place: Path, hostile: bool) -> Drawers:
    from reports.draw_posts import draw_classifier, draw_engagement  # noqa: PLC0415
    from reports.engagement import classifier_report, engagement_report  # noqa: PLC0415
    from tests.engagement_world import REVIEW, post_world  # noqa: PLC0415

    posts = post_world(place, HOSTILE) if hostile else post_world(place)
    review = replace(REVIEW, unknown=dict.fromkeys(HOSTILE, 3)) if hostile else REVIEW
    report = engagement_report(posts.connection, posts.run, review, None)
    report = replace(report, **_seen_over_months(HOSTILE[0] if hostile else "engagement/0"))
    learned = classifier_report(review)
    return {
        "engagement": lambda spoken: draw_engagement(report, posts.folder, posts.picture, spoken),
        "classifier": lambda spoken: draw_classifier(posts.folder, learned, spoken),
    }


def _seen_over_months(model: str) -> dict[str, object]:
    """What a report says besides of many posts and of the run before, by `model`."""
    from engagement.findings import Split  # noqa: PLC0415
    from reports.change import Paired  # noqa: PLC0415
    from reports.engagement import SIZES, Change, Hour, Moved, SizeBand  # noqa: PLC0415

    before = (Figure("roc_auc_inside", 0.58, 0.53, 0.63, 1800),)
    moved = (
        Moved("label", "likes", "low", "high", 12),
        Moved("label", "likes", None, "low", 5),
        Moved("guess", "model", "high", "low", 131),
    )
    paired = Paired(None, 1700, 210, 160, 1105)
    return {
        "change": Change("r0", model, "likes > 10000", Split.ACCOUNT, before, 34, moved, paired),
        "hours": tuple(Hour(hour, 5 + 9 * hour, 2 + 4 * hour, 12) for hour in range(24)),
        "sizes": tuple(
            SizeBand(least, 90, step, step - 1, 0.01 * step, 0.02 * step, 0.03 * step)
            for step, least in enumerate(SIZES, start=1)
        ),
    }


def _index(_: Path, hostile: bool) -> Drawers:
    """An index of a hundred nights, all jobs among them."""
    jobs = {
        "tag": {"products": 12_345, "tagged": 12_300, "rejected": 12, "failed": 1},
        "engage": {"posts": 2231, "scored": 2230, "labelled": 2009, "failed": 1},
        "train": {"parameters": 1_234_567},
        "compact": {"rows": 1_000_000},
    }
    figures = {
        "tag": (Figure("whole_row", 0.5123, 0.4812, 0.5432, 950),),
        "engage": (Figure("roc_auc", 0.6234, 0.5745, 0.6656, 2011),),
        "train": (Figure("accuracy:colour", 0.7512, 0.7012, 0.8023, 401),),
    }
    runs = []
    for number in range(100):
        job = list(jobs)[number % 4]
        odd = HOSTILE[number % len(HOSTILE)] if hostile else ""
        started = NOW - timedelta(days=number)
        name = f"{started:%Y%m%dT%H%M%SZ}"
        model = odd or "tagger/20261122T031500Z-abcd"
        line = RunLine(
            name, odd or job, started, 12.5, odd or "shop", model, jobs[job], figures.get(job, ())
        )
        runs.append(
            replace(line, report=f"{name}/index.html") if number < 30 and job in figures else line
        )
    return {"index": lambda spoken: runs_index(runs, spoken)}
