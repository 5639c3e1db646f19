"""Where a backbone's weights come from, told before anything heavy is loaded."""

import os
import threading
from pathlib import Path

IMAGENET, NONE = "imagenet", "none"
PLAIN = "cnn"
BACKBONES = ("efficientnetb0", "mobilenetv2", PLAIN)

HOST = "https://storage.googleapis.com"
"""Where keras.applications downloads from."""

REACH_SECONDS = 4.0


class WeightsUnavailable(ValueError):  # noqa: N818 - reads as the outcome it is
    """The asked-for weights can't be had; the message says what to do instead."""


def check(backbone: str, weights: str, image_size: int) -> None:
    """Say at once, by WeightsUnavailable, when training from these weights can't begin."""
    if backbone not in BACKBONES:
        raise ValueError(f"no backbone {backbone!r}; there are {', '.join(BACKBONES)}")
    if weights == NONE:
        return
    if weights != IMAGENET:
        if not Path(weights).is_file():
            raise WeightsUnavailable(f"there is no weights file {weights}")
    elif backbone == PLAIN:
        raise WeightsUnavailable("cnn has no ImageNet weights: use --weights none")
    elif not (path := cached(backbone, image_size)).is_file() and not _reachable(HOST):
        raise WeightsUnavailable(
            f"the ImageNet weights of {backbone} are not at {path} and {HOST} does not answer:"
            " copy the file there, name another with --weights PATH,"
            " or train from nothing with --weights none"
        )


def cached(backbone: str, image_size: int) -> Path:
    """The file in which Keras keeps the ImageNet weights of a backbone."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    rows = image_size if image_size in (96, 128, 160, 192) else 224
    names = {
        "efficientnetb0": "efficientnetb0_notop.h5",
        "mobilenetv2": f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{rows}_no_top.h5",
    }
    return home / "models" / names[backbone]


def _reachable(url: str) -> bool:
    """Whether a web server answers there, within REACH_SECONDS, name look-up and all."""
    # Loaded here: every command's flags name the backbones, and few ask a server.
    from urllib.request import Request, urlopen  # noqa: PLC0415

    answered = threading.Event()

    def ask() -> None:
        try:
            with urlopen(Request(url, method="HEAD"), timeout=REACH_SECONDS):  # nosec B310  # noqa: S310 - ours
                answered.set()
        except OSError as error:
            if hasattr(error, "code"):  # an HTTP error is an answer too
                answered.set()
        finally:
            done.set()

    # In a thread, for no timeout bounds the name look-up.
    done = threading.Event()
    threading.Thread(target=ask, daemon=True).start()
    done.wait(REACH_SECONDS)
    return answered.is_set()
