"""Odd and broken pictures, all through a real worker: each is its pixels or its reason."""

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from catalog.images import decoders
from catalog.images.decoders import Decoded, Decoder
from catalog.images.reasons import Reason
from catalog.images.settings import DecodeSettings
from tests.odd_bytes import CORNERS, SIZE, saved, scene
from tests.odd_pictures import Corners, OddPicture, garbled, odd_pictures, write

ROOT = Path(__file__).resolve().parent.parent
SIDE = 32
LIMIT_KB = 800 * 1024


def corners_of(pixels: np.ndarray) -> Corners:
    """The colours at the four corners, a little inside."""
    near, far = SIDE // 8, SIDE - 1 - SIDE // 8
    spots = ((near, near), (near, far), (far, near), (far, far))
    return tuple(tuple(map(int, pixels[spot])) for spot in spots)  # type: ignore[return-value]


def alike(one: Corners, other: Corners, within: int = 40) -> bool:
    """Whether four corners have the same colours, up to what saving costs."""
    return bool(np.abs(np.subtract(one, other)).max() <= within)


def faults(odd: OddPicture, decoded: Decoded) -> list[str]:
    """What is wrong with the outcome; nothing, if all is well."""
    found = []
    outcome = decoded.reason or "ok"
    if outcome not in odd.outcomes:
        found.append(f"{odd.name}: {outcome}, not {sorted(odd.outcomes)}")
    if decoded.pixels is None:
        return found
    if odd.kind and (decoded.format, decoded.width, decoded.height) != (odd.kind, *odd.size):
        found.append(f"{odd.name}: {decoded.format} of {decoded.width} x {decoded.height}")
    if odd.corners and not alike(corners_of(decoded.pixels), odd.corners):
        found.append(f"{odd.name}: corners {corners_of(decoded.pixels)}, not {odd.corners}")
    return found


def looked_at(odd: Sequence[OddPicture], folder: Path) -> list[str]:
    """Decode them in one worker, a good picture after each; what went wrong."""
    paths = write(folder, [one for one in odd if not one.hangs])
    good = folder / "good.jpg"
    good.write_bytes(saved(scene(), "JPEG"))
    found = []
    with Decoder(SIDE) as decoder:
        worker = decoder._worker.pid
        for path, one in zip(paths, (one for one in odd if not one.hangs), strict=True):
            found += faults(one, decoder.decode(path))
            after = decoder.decode(good)
            if after.pixels is None or not alike(corners_of(after.pixels), CORNERS):
                found.append(f"{one.name}: the next picture is {after.reason}")
        if most_memory(worker) > LIMIT_KB:
            found.append(f"the worker took {most_memory(worker)} kB")
        assert decoder._worker.pid == worker  # none has cost a worker
    return found


def most_memory(worker: int) -> int:
    """The most address space that a process ever had, in kB (Linux)."""
    lines = Path(f"/proc/{worker}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmPeak:"))


def test_every_odd_picture_is_its_pixels_or_its_reason(tmp_path):
    """Some two hundred and seventy: colours, sizes and reasons are as they must be."""
    odd = odd_pictures(1)
    assert len(odd) >= 250
    before = psutil.Process().memory_info().rss
    assert looked_at(odd, tmp_path) == []
    assert psutil.Process().memory_info().rss - before < 50_000_000


@pytest.mark.parametrize("seed", [2, 3])
def test_garbled_pictures_of_other_seeds(seed, tmp_path):
    """What chance breaks is never an error of ours."""
    assert looked_at(list(garbled(seed)), tmp_path) == []


def test_picture_that_takes_for_ever_is_given_up(tmp_path):
    """Half a megabyte that asks for minutes of work costs its own time and no more."""
    (slow,) = [one for one in odd_pictures(1) if one.hangs]
    (path,) = write(tmp_path, [slow])
    good = tmp_path / "good.jpg"
    good.write_bytes(saved(scene(), "JPEG"))
    with Decoder(SIDE, DecodeSettings(seconds=3)) as decoder:
        assert decoder.decode(good).outcome == "ok"
        started = time.monotonic()
        assert faults(slow, decoder.decode(path)) == []
        # It is asked for twice: it turns out to be heavy.
        assert time.monotonic() - started < 30
        assert decoder.decode(good).outcome == "ok"
    assert not decoders._HEAVY.locked()  # other heavy pictures do not wait for it


def test_the_harness_finds_faults():
    """A wrong reason, size, colour or format would be told."""
    odd = OddPicture("x", b"", frozenset({"ok"}), "PNG", SIZE, CORNERS)
    pixels = np.asarray(scene().resize((SIDE, SIDE)))
    good = Decoded("ok", None, pixels, *SIZE, "PNG", "0")
    assert faults(odd, good) == []
    assert faults(odd, replace(good, pixels=pixels[::-1]))
    assert faults(odd, replace(good, width=60, height=80))
    assert faults(odd, replace(good, format="GIF"))
    assert faults(odd, Decoded("failed", Reason.DAMAGED))


def naive_answers(seed: int) -> Iterator[tuple[OddPicture, dict[str, Any]]]:
    """What the usual way makes of the same pictures."""
    command = [sys.executable, "-m", "tests.naive_decode", str(seed), str(SIDE)]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=240
    ).stdout
    odd = {one.name: one for one in odd_pictures(seed)}
    for line in told.splitlines():
        answer = json.loads(line)
        yield odd[answer["name"]], answer


def naive_fault(odd: OddPicture, answer: dict[str, Any]) -> str | None:
    """What is wrong with an answer of the usual way, None if it would do."""
    if answer["outcome"] != "ok":  # an error, or the signal that it died of
        return "refuses a good one" if odd.outcomes == {"ok"} else None
    height, width, channels = answer["shape"]
    if "ok" not in odd.outcomes:
        return "accepts a broken one"
    if channels != 3:
        return f"{channels} channels"
    if odd.size and (width, height) != odd.size:
        return "on its side"
    if odd.corners and not alike(tuple(map(tuple, answer["corners"])), odd.corners):
        return "wrong colours"
    return None


def test_the_usual_way_fails_the_same_pictures():
    """The control: TensorFlow refuses good ones, accepts bombs, forgets EXIF and alpha."""
    found = defaultdict(set)
    for odd, answer in naive_answers(1):
        found[naive_fault(odd, answer)].add(odd.name)
    assert {"plain.AVIF", "plain.TIFF", "runs.BMP"} <= found["refuses a good one"]
    assert {"bomb true.PNG", "bomb true.JPEG", "bomb true.GIF"} <= found["accepts a broken one"]
    assert {"turned 6.JPEG", "turned 6.PNG", "turned 6.WEBP"} <= found["on its side"]
    assert {"turned 3.JPEG", "clear.GIF"} <= found["wrong colours"]
    assert {"grey.JPEG", "16 bit grey.PNG"} <= found["1 channels"]
    assert {"clear.PNG", "clear.WEBP"} <= found["4 channels"]
    assert sum(map(len, found.values())) - len(found[None]) >= 50
