"""What a .keras file may hold, looked at before Keras opens it.

Keras makes whatever the configuration names, of any size, and its safe mode has been got round
more than once. So here only what the networks of this project are made of is let through.
"""

import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py

from catalog.models.artefact import ModelRefused

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
MEMBERS = {"metadata.json", CONFIG, WEIGHTS}
LARGEST_CONFIG = 4 * 2**20  # bytes; that of EfficientNetB0 takes a sixteenth
MOST_PARTS = 20_000  # layers, initializers and the like; EfficientNetB0 has 1,500
LARGEST_NUMBER = 65_536
MOST_PARAMETERS = 100_000_000
DEEPEST = 40

NAMES = ("shared_object_id", "seed")
"""Numbers in a configuration that are no sizes."""

LAYERS = {
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Identity",
    "InputLayer",
    "MaxPooling2D",
    "Multiply",
    "Normalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "ZeroPadding2D",
}
OPERATIONS = {"Add", "Clip", "Concatenate", "Flip", "GetItem", "Sqrt", "Subtract", "TrueDivide"}
INITIALIZERS = {"GlorotUniform", "HeNormal", "Ones", "VarianceScaling", "Zeros"}
ALLOWED = {
    "keras.layers": LAYERS,
    "keras.initializers": INITIALIZERS,
    "keras.regularizers": {"L2"},
    "keras": {"DTypePolicy"},
    "keras.src.ops.numpy": OPERATIONS,
    "keras.src.models.functional": {"Functional"},
    None: {"__keras_tensor__", "__slice__"},  # values, not classes
}
# What multiplies the width of what comes in, for the layers that have weights.
WEIGHED = {
    "Dense": ("units",),
    "Conv2D": ("filters", "kernel_size"),
    "DepthwiseConv2D": ("depth_multiplier", "kernel_size"),
    "BatchNormalization": (),
    "Normalization": (),
}

# What zipfile, json and the checks below raise for bytes that are something else.
_NO_NETWORK = (
    zipfile.BadZipFile,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def inspect(path: Path, data: bytes) -> None:
    """ModelRefused unless these bytes are a .keras file of known parts and sane sizes.

    Nothing is built. `path` is what the message names.
    """
    try:
        config, weights = _opened(data)
        parts = list(_parts(json.loads(config), depth=0))
        for part in parts:
            _check_known(part)
        _check_size(parts)
        _check_weights(weights)
    except _NO_NETWORK as error:
        raise ModelRefused(f"{path} is not a network of this project: {error}") from error


def _opened(data: bytes) -> tuple[bytes, bytes]:
    """The configuration and the weights, out of an archive that can't inflate."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if {one.filename for one in members} != MEMBERS or len(members) > len(MEMBERS):
            raise ValueError(f"it holds {', '.join(one.filename for one in members)[:200]}")
        if any(one.compress_type != zipfile.ZIP_STORED for one in members):
            raise ValueError("it is compressed, which Keras does not do")
        if archive.getinfo(CONFIG).file_size > LARGEST_CONFIG:
            raise ValueError("its configuration is too large")
        return archive.read(CONFIG), archive.read(WEIGHTS)


def _parts(config: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Everything that names a class, however deep; ValueError at a number that is no size."""
    if depth > DEEPEST:
        raise ValueError("its configuration is too deep")
    if isinstance(config, Mapping):
        if "class_name" in config:
            yield config
        for key, value in config.items():
            if key not in NAMES or isinstance(value, Mapping | list):
                yield from _parts(value, depth + 1)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value, depth + 1)
    elif isinstance(config, int | float) and not abs(config) <= LARGEST_NUMBER:
        raise ValueError(f"it asks for a size of {config}")


def _check_known(part: Mapping[str, Any]) -> None:
    """Refuse what is not on the list, under whatever name it is registered."""
    name, module, registered = (part.get(x) for x in ("class_name", "module", "registered_name"))
    if name not in ALLOWED.get(module, ()) or registered not in {None, name}:
        said = f"{module}.{name}" if registered is None else f"{module}.{name} as {registered}"
        raise ValueError(f"{said[:200]} has no place in it")


def _check_size(parts: Sequence[Mapping[str, Any]]) -> None:
    if len(parts) > MOST_PARTS or sum(map(_parameters, parts)) > MOST_PARAMETERS:
        raise ValueError("it claims to be larger than any model trained here")


def _check_weights(data: bytes) -> None:
    """ValueError unless all numbers of this HDF5 file lie in it as they are.

    Keras neither compresses them nor leads elsewhere; what is not stored would inflate.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        wanted = sum(map(_stored, _datasets(file, depth=0)))
    if wanted > len(data):
        raise ValueError(f"its weights claim {wanted:,} bytes, more than their file has")


def _datasets(group: h5py.Group, depth: int) -> Iterator[h5py.Dataset]:
    """Every dataset, however deep; no link but those that hold it together is followed."""
    if depth > DEEPEST:
        raise ValueError("its weights are too deep")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError("its weights lead elsewhere")  # noqa: TRY004 - as all refusals here
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _datasets(item, depth + 1)
        else:
            yield item


def _stored(dataset: h5py.Dataset) -> int:
    """How many bytes a dataset has, in the file and once read."""
    layout = dataset.chunks is not None or dataset.is_virtual or bool(dataset.external)
    if layout or dataset.dtype.kind not in "biuf":
        raise ValueError("its weights are not stored as Keras stores them")
    return int(dataset.nbytes)


def _parameters(part: Mapping[str, Any]) -> int:
    """How many weights a layer gets, at most.

    Keras builds a layer for the shape that its configuration tells, and no other.
    """
    if part["class_name"] not in WEIGHED:
        return 0
    shape: list[int | None] = part["build_config"]["input_shape"]
    widest = max(size for size in shape if size is not None)
    sizes: list[int | list[int]] = [part["config"][key] for key in WEIGHED[part["class_name"]]]
    if not sizes:
        return 4 * widest  # each that normalises has up to four numbers a channel
    return widest * math.prod(math.prod(x) if isinstance(x, list) else x for x in sizes)
