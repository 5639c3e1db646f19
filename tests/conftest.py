"""What every test may lean on: the real data, where it is to be had."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.posts_world import PostBench, tiny_weights
from tests.shop import Shop
from tests.tiny_classifier import tiny_classifier
from tests.tiny_model import tiny_model
from tests.workbench import Bench

# Fixtures of files of their own, for every test.
__all__ = ["tiny_classifier", "tiny_model", "tiny_weights"]

HERE = Path(__file__).resolve().parent


# A busy machine is no fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# By which coverage reaches into the processes that a test starts.
TRACED = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture(scope="session", autouse=True)
def traced_by() -> str | None:
    """How children would be traced, which costs each of thousands a tenth of a second and more.

    Only tests that ask for `traced_children` pay; what is killed would leave no record anyway.
    """
    return os.environ.pop(TRACED, None)


@pytest.fixture
def traced_children(traced_by: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the processes that this test starts run through counts, too."""
    if traced_by is not None:
        monkeypatch.setenv(TRACED, traced_by)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("CATALOG_DATA", HERE.parent.parent / "shared" / "data"))
    if not (folder / "fashion-images" / "fashion.csv").is_file():
        pytest.skip(f"no real data at {folder} (CATALOG_DATA names another place)")
    return folder


@pytest.fixture
def bench(tmp_path: Path, tiny_model: Path) -> Iterator[Bench]:
    """A served catalogue of twelve products, and a store that has a tagger."""
    with Shop() as shop:
        bench = Bench(tmp_path, shop)
        bench.fill(12)
        bench.use_model(tiny_model)
        yield bench


@pytest.fixture
def posts_bench(tmp_path: Path) -> Iterator[PostBench]:
    """Seventy-two served posts of six accounts, and a store that has no model."""
    with Shop() as shop:
        bench = PostBench(tmp_path, shop)
        bench.fill(72)
        yield bench


@pytest.fixture
def scored_bench(posts_bench: PostBench, tiny_classifier: Path) -> PostBench:
    """The same with a classifier that was trained on those posts."""
    posts_bench.use_model(tiny_classifier, "engagement", "engagement/1")
    return posts_bench
