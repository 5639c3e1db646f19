"""A classifier trained within seconds on the drawn posts, shared by all tests that want one."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from catalog.models.provenance import Origin
from catalog.models.settings import TrainSettings
from tests.posts_world import post, shared, small

if TYPE_CHECKING:
    from catalog.models.artefact import Card
    from engagement.classifier_training import Material

POSTS = 72
RULE = "above account median"


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory: pytest.TempPathFactory, tiny_weights: Path) -> Path:
    """The folder of a classifier of the first 72 drawn posts. Its card says engagement/1."""

    def make(draft: Path) -> None:
        draft.mkdir()
        teach(draft / "work", draft / "model", small(tiny_weights), draft / "pictures")

    return shared(tmp_path_factory, "tiny-classifier", make) / "model"


def teach(
    work: Path,
    folder: Path,
    settings: TrainSettings,
    pictures: Path,
    *,
    as_it_is: bool = False,
    **other: Any,
) -> "Card":
    """Train on the drawn posts in new folders; `other` is for `material`.

    Unless `as_it_is`, a small network stands in for MobileNetV2: its export takes half a minute.
    """
    # Loaded here, for Keras comes with it.
    from catalog.models.backbones import build  # noqa: PLC0415
    from engagement import classifier_learning  # noqa: PLC0415
    from engagement.classifier_training import train_classifier  # noqa: PLC0415

    kept = work / "kept"
    for each in (kept, folder, pictures):
        each.mkdir(parents=True, exist_ok=True)
    origin = Origin("engagement", "1", "posts", "0" * 64)
    given = material(pictures, **other)
    with pytest.MonkeyPatch.context() as patch:
        if not as_it_is and settings.backbone != "cnn":
            tiny = partial(build, "cnn", settings.weights, settings.image_size, last_only=True)
            patch.setattr(classifier_learning, "trunk", lambda _: tiny())
        return train_classifier(given, settings, work, kept, folder, lambda _: None, origin=origin)


def material(
    folder: Path, count: int = POSTS, rule: str = RULE, split: str = "account"
) -> "Material":
    """The drawn posts as a training takes them; their pictures lie in `folder` afterwards."""
    from hashlib import sha256  # noqa: PLC0415

    from catalog.images.fingerprint import fingerprint  # noqa: PLC0415
    from engagement.classifier_training import Material  # noqa: PLC0415
    from engagement.exams import picture_groups, preliminary, questions  # noqa: PLC0415
    from engagement.findings import Split  # noqa: PLC0415
    from engagement.folds import divide  # noqa: PLC0415
    from engagement.rules import Rule  # noqa: PLC0415

    rows, files, prints = [], [], {}
    for number in range(count):
        row, picture = post(number)
        path = folder / f"{number}.png"
        picture.save(path, "PNG")
        sha = sha256(path.read_bytes()).hexdigest()
        prints[sha] = fingerprint(picture)
        files.append(path)
        rows.append({"id": row["post_id"], "line": number + 2, **row, "picture": sha})
    posts = pd.DataFrame(rows).assign(product_id=None, time_unread=False)
    for name in ("likes", "followers", "comments"):
        posts[name] = posts[name].astype(float)
    for name in ("posted_at", "collected_at"):
        posts[name] = pd.to_datetime(posts[name], utc=True)
    posts["likes_given"] = posts["likes"].astype(str)
    asked = Rule.parse(rule)
    groups = picture_groups(prints, posts["picture"])
    division = divide(Split(split), posts, preliminary(posts, asked), groups)
    return Material(
        posts=posts,
        files=files,
        fingerprints=[prints[sha] for sha in posts["picture"]],
        groups=groups,
        rule=asked,
        min_age=timedelta(hours=48),
        division=division,
        questions=questions(posts, asked, division),
    )
