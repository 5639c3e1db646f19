"""The forms a trained network can be compiled to, side by side: bytes, CPU a picture, same labels.

    python tests/benchmarks/compiled_forms.py STORE MODEL

STORE is one in which `catalog train` left MODEL (name/version), with its pictures. The labels are
compared with those of the Keras network, on the pictures that the training validated on; the
pictures that calibrate int8 are from those it learned from. Every form is run as the job runs it:
one single-threaded interpreter a core, the pictures a few at a time. OpenVINO is measured where it
is installed.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from measure import machine, table

from catalog.images.decoders import Decoder
from catalog.models import runtime
from catalog.models.artefact import LITERT, Card, load_card
from catalog.models.export import load_keras
from catalog.models.runtime import Network, at_once
from catalog.models.splits import TRAIN, VALIDATE, split_of
from jobs.shipping import with_dense_halved
from sql.store import Store

COMPARED = 2000  # pictures
TIMED = 1000
CALIBRATING = 300
ROUNDS = 5
CORES = len(os.sched_getaffinity(0))

Say = Callable[[np.ndarray], Mapping[str, np.ndarray]]


def main() -> None:
    """Convert, compare, time, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("model", help="name/version")
    options = parser.parse_args()
    store = Store(options.store.resolve())
    folder = store.root / "models" / options.model
    card = load_card(folder)
    network = load_keras(folder, card)
    pixels = pictures(store, folder, card, VALIDATE, COMPARED)
    calibrating = pictures(store, folder, card, TRAIN, CALIBRATING)
    print(f"{machine()}; {len(pixels)} pictures of {card.image_size} px")
    # Quantised forms are measured, not shipped: what the job loads is more narrow.
    runtime.OPERATIONS.add("QUANTIZE")
    truth = network.predict(pixels, verbose=0)
    forms = {name: compiled(network, how) for name, how in ways(calibrating).items()}
    forms["float32, dense layers float16"] = with_dense_halved(folder / LITERT)
    crews: dict[str, list[Say]] = {
        name: [Network(data, threads=1).run for _ in range(CORES)] for name, data in forms.items()
    }
    if openvino := openvino_crew(folder / LITERT, card):
        crews["OpenVINO"] = openvino
    costs = timed(crews, pixels[:TIMED])
    rows = []
    for name, crew in crews.items():
        said = over(crew, pixels)
        same = {head: float(np.mean(said[head].argmax(1) == truth[head].argmax(1)))
                for head in card.vocabulary}  # fmt: skip
        worst = min(same, key=lambda head: same[head])
        size = len(forms[name]) / 1e6 if name in forms else (folder / LITERT).stat().st_size / 1e6
        wall, cpu = costs[name]
        rows.append((name, size, cpu, wall, f"{same[worst]:.2%} ({worst})"))
    print(
        table(
            ("form", "MB", "CPU ms a picture", "pictures a second", "same label, worst head"), rows
        )
    )


def ways(calibrating: np.ndarray) -> dict[str, dict[str, Any]]:
    """What the converter is told for each form."""

    def few() -> Iterator[list[np.ndarray]]:
        for picture in calibrating:
            yield [picture[None]]

    small = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    return {
        "float32": {},
        "float16 weights": {**small, "target_spec": {"supported_types": [tf.float16]}},
        "int8 weights": small,
        "int8 weights and activations": {**small, "representative_dataset": few},
    }


def compiled(network: keras.Model, how: Mapping[str, Any]) -> bytes:
    """The network as a LiteRT file."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / LITERT
        network.export(path, format="litert", verbose=False, **how)
        return path.read_bytes()


def pictures(store: Store, folder: Path, card: Card, side: str, most: int) -> np.ndarray:
    """Pictures of a side of the split as the job decodes them, by chance."""
    members = [each for each in split_of(folder, card) if each.side == side]
    chosen = np.random.default_rng(0).permutation(len(members))[:most]
    with Decoder(card.image_size) as decoder:
        pixels = (decoder.decode(store.picture(members[at].picture)).pixels for at in chosen)
        return np.stack([each for each in pixels if each is not None])


def openvino_crew(path: Path, card: Card) -> list[Say] | None:
    """OpenVINO's own readers of the same file, one a core with a thread each."""
    try:
        import openvino  # type: ignore[import-not-found] # noqa: PLC0415 - an optional rival
    except ImportError:
        print("OpenVINO is not installed")
        return None
    core, step = openvino.Core(), at_once(card.image_size)
    hints = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}

    def one() -> Say:
        compiled = core.compile_model(core.read_model(path), "CPU", hints)
        request = compiled.create_infer_request()
        # It scrambles the names; every head has a width of its own.
        width = {len(labels): head for head, labels in card.vocabulary.items()}
        ends = [port.partial_shape[-1].get_length() for port in compiled.outputs]
        names = {width[end]: at for at, end in enumerate(ends) if end in width}

        def say(pixels: np.ndarray) -> Mapping[str, np.ndarray]:
            parts = []
            for start in range(0, len(pixels), step):
                request.infer([pixels[start : start + step]])
                parts.append(
                    {n: request.get_output_tensor(at).data.copy() for n, at in names.items()}
                )
            return {name: np.concatenate([part[name] for part in parts]) for name in names}

        return say

    return [one() for _ in range(CORES)]


def over(crew: list[Say], pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Let a crew look at all pictures, each at its share."""
    shares = np.array_split(pixels, len(crew))
    with ThreadPoolExecutor(len(crew)) as pool:
        parts = list(pool.map(lambda say, share: say(share), crew, shares))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def timed(crews: Mapping[str, list[Say]], pixels: np.ndarray) -> dict[str, tuple[float, float]]:
    """Pictures a second and CPU ms a picture: medians of rounds in which the forms take turns."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in crews}
    for crew in crews.values():
        over(crew, pixels[: 16 * CORES])
    for _ in range(ROUNDS):
        for name, crew in crews.items():
            wall, cpu = time.perf_counter(), time.process_time()
            over(crew, pixels)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            seen[name].append((len(pixels) / wall, 1000 * cpu / len(pixels)))
    return {
        name: (statistics.median(w for w, _ in each), statistics.median(c for _, c in each))
        for name, each in seen.items()
    }


if __name__ == "__main__":
    main()
