"""A picture that kills its worker costs one picture."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from catalog.images.decode import decode
from catalog.images.decoders import Decoder
from catalog.images.reasons import Reason


@pytest.fixture
def good(tmp_path):
    """A picture in a file."""
    path = tmp_path / "a picture\nwith a line end é.jpg"
    Image.effect_noise((300, 400), 80).convert("RGB").save(path, "JPEG")
    return path


def test_pixels_are_those_of_decode(good):
    """What crosses the pipe is what decode gives."""
    expected = decode(good.read_bytes(), 64)
    with Decoder(64) as decoder:
        picture = decoder.decode(good)
    assert (picture.outcome, picture.reason) == ("ok", None)
    assert (picture.width, picture.height, picture.format) == (300, 400, "JPEG")
    assert picture.fingerprint == expected.fingerprint
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (64, 64, 3)
    assert picture.pixels.tobytes() == expected.rgb


def test_pixels_are_not_overwritten_by_the_next(good, tmp_path):
    """Every answer has pixels of its own, also larger than the pipe."""
    Image.new("RGB", (9, 9), "red").save(tmp_path / "red.png")
    with Decoder(700) as decoder:
        first = decoder.decode(good)
        before = first.pixels.copy()
        assert (decoder.decode(tmp_path / "red.png").pixels[350, 350] == (255, 0, 0)).all()
    assert (first.pixels == before).all()


def test_unreadable_pictures_are_outcomes(good, tmp_path):
    """A reason each, and the worker goes on."""
    (tmp_path / "half.jpg").write_bytes(good.read_bytes()[:9000])
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    with Decoder(32) as decoder:
        worker = decoder._worker.pid
        reasons = [
            decoder.decode(tmp_path / name).reason
            for name in ("half.jpg", "page.jpg", "none.jpg", "")
        ]
        assert decoder.decode(good).outcome == "ok"
        assert decoder._worker.pid == worker
    assert reasons == [
        Reason.DAMAGED,
        Reason.NOT_A_PICTURE,
        Reason.FILE_MISSING,
        Reason.FILE_UNREADABLE,
    ]


def test_killed_worker_costs_one_picture(good, tmp_path):
    """SIGKILL in the middle of a picture: that one has died, the next is decoded."""
    os.mkfifo(tmp_path / "waits")
    with Decoder(32) as decoder:
        assert decoder.decode(good).outcome == "ok"
        threading.Timer(0.3, os.kill, (decoder._worker.pid, signal.SIGKILL)).start()
        assert decoder.decode(tmp_path / "waits").reason == Reason.DECODER_DIED
        assert decoder.decode(good).outcome == "ok"


def test_worker_killed_between_pictures_costs_one(good):
    """Found dead when asked, it is replaced."""
    with Decoder(32) as decoder:
        decoder.decode(good)
        decoder._worker.send_signal(signal.SIGKILL)
        decoder._worker.wait()
        assert decoder.decode(good).reason == Reason.DECODER_DIED
        assert decoder.decode(good).outcome == "ok"


def test_overdue_worker_costs_one_picture(good, tmp_path):
    """A picture that takes too long is given up, and its worker with it."""
    os.mkfifo(tmp_path / "waits")
    with Decoder(32, seconds=0.5) as decoder:
        decoder.decode(good)
        started = time.monotonic()
        assert decoder.decode(tmp_path / "waits").reason == Reason.DECODER_TIMEOUT
        assert time.monotonic() - started < 2
        assert decoder.decode(good).outcome == "ok"


def test_worker_over_its_memory_costs_one_picture(good, tmp_path):
    """20 megapixels do not fit into 110 MB; nothing else suffers."""
    Image.new("RGB", (5000, 4000), "red").save(tmp_path / "large.png")
    with Decoder(32, memory_mb=110) as small, Decoder(32) as usual:
        failed = small.decode(tmp_path / "large.png")
        assert failed.reason in {Reason.OUT_OF_MEMORY, Reason.DECODER_DIED}
        assert small.decode(good).outcome == "ok"
        assert usual.decode(tmp_path / "large.png").outcome == "ok"


def test_50_megapixels_fit(tmp_path):
    """The largest picture that is allowed is decoded within the usual 800 MB."""
    Image.new("CMYK", (10_000, 5_000), 9).save(tmp_path / "large.tif")
    with Decoder(224) as decoder:
        picture = decoder.decode(tmp_path / "large.tif")
    assert (picture.outcome, picture.reason, picture.width) == ("ok", None, 10_000)


def test_worker_that_cannot_start_is_not_the_pictures_fault(good, monkeypatch):
    """A broken installation is an error, not a thousand failed pictures."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Decoder(32) as decoder, pytest.raises(RuntimeError, match="did not start"):
        decoder.decode(good)


def test_worker_leaves_with_its_parent(good):
    """A parent that is killed leaves no worker behind."""
    code = (
        "import sys, time; from catalog.images.decoders import Decoder; d = Decoder(32); "
        "d.decode(sys.argv[1]); print(d._worker.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, good], stdout=subprocess.PIPE)
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    worker.wait(timeout=5)


def test_closing_ends_the_worker(good):
    """And closing twice is no error."""
    decoder = Decoder(32)
    decoder.decode(good)
    worker = decoder._worker
    decoder.close()
    decoder.close()
    assert worker.returncode is not None


def test_worker_loads_pillow_and_little_else():
    """No NumPy, no TensorFlow, no requests: it must start in a tenth of a second."""
    code = (
        "import sys, catalog.images.decoder_worker; "
        "sys.exit(bool({'numpy', 'tensorflow', 'requests', 'pyarrow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_decoders_do_not_load_the_network():
    """Nor Pillow: the worker's work is the worker's."""
    code = (
        "import sys, catalog.images.decoders; "
        "sys.exit(bool({'requests', 'urllib3', 'PIL', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_decoders_work_side_by_side(good):
    """Four threads with a Decoder each get the same pixels, and none waits for the others."""
    answers = []

    def work() -> None:
        with Decoder(32) as decoder:
            answers.extend(decoder.decode(Path(good)).pixels.tobytes() for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 80
    assert len(set(answers)) == 1
