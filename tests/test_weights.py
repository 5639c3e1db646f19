"""Weights that can't be had are told before anything begins."""

import time

import pytest

from catalog.models import weights
from catalog.models.weights import WeightsUnavailable, cached, check
from tests.shop import Shop


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """An empty cache, and a download host that nobody listens on."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "HOST", "http://127.0.0.1:9")


def test_offline_fails_at_once_and_says_what_to_do():
    """Three ways out are named, the place of the file among them."""
    start = time.monotonic()
    with pytest.raises(WeightsUnavailable) as refused:
        check("efficientnetb0", "imagenet", 128)
    assert time.monotonic() - start < weights.REACH_SECONDS + 5
    assert "--weights PATH" in str(refused.value)
    assert "--weights none" in str(refused.value)
    assert str(cached("efficientnetb0", 128)) in str(refused.value)


def test_silent_host_does_not_hold_up(monkeypatch):
    """A host (or a name server) that never answers counts as absent."""
    monkeypatch.setattr(weights, "REACH_SECONDS", 0.2)

    def silent(*_: object, **__: object) -> None:
        time.sleep(15)
        raise TimeoutError

    monkeypatch.setattr("urllib.request.urlopen", silent)
    start = time.monotonic()
    with pytest.raises(WeightsUnavailable):
        check("mobilenetv2", "imagenet", 224)
    assert time.monotonic() - start < 10


def test_host_that_answers_is_left_to_keras(monkeypatch):
    """Any answer, also a refusal of the bare address, means that the network is there."""
    with Shop() as shop:
        monkeypatch.setattr(weights, "HOST", shop.url("/"))
        check("efficientnetb0", "imagenet", 128)


def test_cached_weights_need_no_network():
    """What Keras downloaded once is used again."""
    path = cached("mobilenetv2", 160)
    path.parent.mkdir(parents=True)
    path.touch()
    assert "1.0_160_no_top" in path.name
    check("mobilenetv2", "imagenet", 160)
    with pytest.raises(WeightsUnavailable):
        check("mobilenetv2", "imagenet", 100)


def test_weights_file_must_be_there(tmp_path):
    """A path that leads nowhere is told by name."""
    with pytest.raises(WeightsUnavailable, match=r"nowhere\.h5"):
        check("mobilenetv2", str(tmp_path / "nowhere.h5"), 224)


def test_what_has_no_weights():
    """The small network was never trained on ImageNet; none is always possible."""
    with pytest.raises(WeightsUnavailable, match="--weights none"):
        check("cnn", "imagenet", 64)
    check("cnn", "none", 64)
    with pytest.raises(ValueError, match="no backbone 'resnet'"):
        check("resnet", "none", 64)
