"""What `catalog doctor` looks at on this machine, store or not. Nothing here asks a network."""

import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from catalog.images.decoders import Decoder
from catalog.models.hushing import hushed
from catalog.models.settings import TrainSettings
from catalog.models.weights import IMAGENET, NONE, cached
from jobs.findings import Finding, note, ok, wrong
from jobs.settings import Settings
from jobs.training import hush_tensorflow

AS_TESTED = "install the versions that constraints.txt names"

KNOWN_BAD = (
    ("keras", "<3.12", "its safe mode can be got round, and 3.11 can't load EfficientNetB0's"),
    ("requests", "<2.32.4", "it can hand out passwords of ~/.netrc (CVE-2024-47081)"),
    ("urllib3", "<2.6", "what is packed many times over can exhaust it (CVE-2025-66418)"),
    ("pillow", "<11.3", "it has no AVIF, and writes past a buffer (CVE-2025-48379)"),
    ("duckdb", "<2.0", "it reads times without seconds as none"),
)
"""Distribution, the versions that are no good, and why."""

CODECS = {
    "JPEG": "jpg",
    "PNG and TIFF": "zlib",
    "WebP": "webp",
    "AVIF": "avif",
}
"""Formats to Pillow's name of what decodes them; GIF and BMP need nothing."""


def check_python() -> Iterator[Finding]:
    """The interpreter, against what the package was made for."""
    running, wanted = platform.python_version(), metadata("vitrina")["Requires-Python"]
    told = f"{running} on {platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    if SpecifierSet(wanted).contains(running):
        yield ok("python", told)
    else:
        yield wrong("python", f"{told}: {wanted} is needed", "install such a Python")


def check_packages() -> Iterator[Finding]:
    """What is installed, against what is required and what is known to be bad."""
    needed = [Requirement(text) for text in requires("vitrina") or ()]
    needed = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    bad = {name: fault for name, *known in KNOWN_BAD if (fault := _known_bad(name, *known))}
    faults = [fault for one in needed if one.name not in bad and (fault := _fault(one))]
    faults += bad.values()
    for fault in faults:
        yield wrong("packages", fault, AS_TESTED)
    if not faults:
        yield ok("packages", f"{len(needed)} as required, none known to be bad")


def _fault(needed: Requirement) -> str | None:
    try:
        there = version(needed.name)
    except PackageNotFoundError:
        return f"{needed.name} is not installed"
    if needed.specifier.contains(there, prereleases=True):
        return None
    return f"{needed.name} is {there}, and {needed.specifier} is required"


def _known_bad(name: str, bad: str, why: str) -> str | None:
    try:
        there = version(name)
    except PackageNotFoundError:
        return None  # told as not installed
    return f"{name} {there} is no good: {why}" if SpecifierSet(bad).contains(there) else None


def check_decoding(settings: Settings) -> Iterator[Finding]:
    """Pillow's codecs, and a worker that decodes a picture within the settings' limits."""
    from PIL import Image, features  # noqa: PLC0415 - only this check needs it

    missing = [kind for kind, codec in CODECS.items() if not features.check(codec)]
    if missing:
        yield wrong(
            "decoding", f"Pillow can't read {', '.join(missing)}", "install Pillow from its wheel"
        )
    data, since = BytesIO(), time.monotonic()
    Image.new("RGB", (8, 8)).save(data, "PNG")
    with (
        TemporaryDirectory(prefix="vitrina-doctor-") as folder,
        Decoder(8, settings.decode) as decoder,
    ):
        picture = Path(folder, "picture.png")
        picture.write_bytes(data.getvalue())
        decoded = decoder.decode(picture)
    if decoded.reason:
        yield wrong("decoding", f"a plain picture ends as {decoded.reason}", AS_TESTED)
    elif not missing:
        took = time.monotonic() - since
        yield ok("decoding", f"every format; a worker was up in {took:.1f} s")


def check_weights(settings: Settings) -> Iterator[Finding]:
    """What the two trainings would start from, and whether it is on this machine."""
    yield _weights("tagger", settings.train)
    yield _weights("engagement", settings.train_engagement)


def _weights(task: str, train: TrainSettings) -> Finding:
    about = f"weights {task}"
    if train.weights == NONE:
        return note(about, f"{train.backbone} would be trained from nothing, as the settings say")
    if train.weights != IMAGENET:
        if Path(train.weights).is_file():
            return ok(about, f"{train.backbone} from {train.weights}")
        return wrong(about, f"there is no file {train.weights}", "correct weights in catalog.toml")
    path = cached(train.backbone, train.image_size)
    if path.is_file():
        return ok(about, f"ImageNet's of {train.backbone} at {path}")
    return note(
        about,
        f"ImageNet's of {train.backbone} are not in Keras's cache: a training downloads them",
    )


def check_gpu() -> Iterator[Finding]:
    """What trainings compute on, and in which precision."""
    hush_tensorflow()
    with hushed():  # TensorFlow tells of all the hardware that it does not find
        import keras  # noqa: PLC0415 - takes seconds

        from catalog.models.precision import policy  # noqa: PLC0415 - likewise

        devices, precision = keras.distribution.list_devices("gpu"), policy()
    told = f"{len(devices)} for {keras.backend.backend()}" if devices else "none"
    yield note("gpu", f"{told}: trainings compute in {precision}; tagging needs none")
