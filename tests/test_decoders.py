"""A picture that kills its worker costs one picture."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from catalog.images import decoder_worker
from catalog.images.decode import decode
from catalog.images.decoders import _FINGERPRINT, Decoder
from catalog.images.fingerprint import BITS
from catalog.images.reasons import Reason
from catalog.images.settings import DecodeSettings
from catalog.images.wire import HEADER, REQUEST
from tests.odd_bytes import scan_bomb


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


def test_killed_worker_costs_one_picture(good):
    """SIGKILL in the middle of a picture: that one has died, the next is decoded."""
    with Decoder(32) as decoder:
        assert decoder.decode(good).outcome == "ok"
        decoder._worker.send_signal(signal.SIGSTOP)
        threading.Timer(0.3, os.kill, (decoder._worker.pid, signal.SIGKILL)).start()
        assert decoder.decode(good).reason == Reason.DECODER_DIED
        assert decoder.decode(good).outcome == "ok"


def test_worker_killed_between_pictures_costs_one(good):
    """Found dead when asked, it is replaced."""
    with Decoder(32) as decoder:
        decoder.decode(good)
        decoder._worker.send_signal(signal.SIGKILL)
        decoder._worker.wait()
        assert decoder.decode(good).reason == Reason.DECODER_DIED
        assert decoder.decode(good).outcome == "ok"


def test_overdue_worker_costs_one_picture(good):
    """A picture that takes too long is given up, and its worker with it."""
    with Decoder(32, DecodeSettings(seconds=3)) as decoder:
        decoder.decode(good)
        decoder._worker.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        assert decoder.decode(good).reason == Reason.DECODER_TIMEOUT
        assert time.monotonic() - started < 20
        assert decoder.decode(good).outcome == "ok"


def test_worker_over_its_memory_costs_one_picture(good, tmp_path):
    """40 megapixels do not fit into 128 MB; nothing else suffers."""
    Image.new("RGB", (10_000, 4000), "red").save(tmp_path / "large.png", compress_level=1)
    with Decoder(32, DecodeSettings(memory_mb=128)) as small, Decoder(32) as usual:
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


def test_no_worker_at_all_is_said_so(good, monkeypatch):
    """Nothing left to start a process with ends as the same error, which jobs know."""
    with Decoder(32) as decoder:
        decoder.decode(good)
        decoder._worker.kill()
        monkeypatch.setattr(sys, "executable", str(good.with_name("no such program")))
        with pytest.raises(RuntimeError, match="did not start"):
            decoder.decode(good)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"memory_mb": 127}, "memory_mb must be a whole number from 128"),
        ({"memory_mb": 800.5}, "memory_mb"),
        ({"memory_mb": True}, "memory_mb"),
        ({"seconds": 0}, "seconds must be a number of seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seconds": "20"}, "seconds"),
        ({"max_megapixels": 0}, "max_megapixels must be a whole number from 1"),
        ({"max_megapixels": -50}, "max_megapixels"),
        ({"max_megapixels": 1e9}, "max_megapixels"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, told):
    """By name, before any worker starts."""
    with pytest.raises(ValueError, match=told):
        DecodeSettings(**wrong)


def test_settings_reach_the_worker(tmp_path):
    """Two megapixels are too many where one is the limit."""
    Image.new("L", (2000, 1000)).save(tmp_path / "two.png")
    with Decoder(32, DecodeSettings(max_megapixels=1)) as strict, Decoder(32) as usual:
        assert strict.decode(tmp_path / "two.png").reason == Reason.TOO_MANY_PIXELS
        assert usual.decode(tmp_path / "two.png").outcome == "ok"


def odd_paths(folder: Path) -> dict[str, Path | str]:
    """Paths at which there is no picture to read, some of which would never end."""
    os.mkfifo(folder / "pipe.jpg")
    with (folder / "sparse.jpg").open("wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(10 << 30)
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    return {
        "pipe": folder / "pipe.jpg",
        "device": "/dev/zero",
        "terminal": "/dev/tty",
        "folder": folder,
        "loop": folder / "loop.jpg",
        "zero byte": "a\0b.jpg",
        "long": "x" * 100_000,
        "long part": "x" * 300,
        "half a character": "\ud800.jpg",
        "huge": folder / "sparse.jpg",
    }


def test_odd_paths_are_outcomes(good, tmp_path):
    """Pipes, devices, folders, names that no file has, ten gigabytes: at once, and one worker."""
    paths = odd_paths(tmp_path)
    started = time.monotonic()
    with Decoder(32, DecodeSettings(seconds=30)) as decoder:
        worker = decoder._worker.pid
        reasons = {name: decoder.decode(path).reason for name, path in paths.items()}
        assert decoder.decode(good).outcome == "ok"
        assert decoder._worker.pid == worker
    assert reasons.pop("huge") == Reason.OUT_OF_MEMORY
    assert reasons == dict.fromkeys(reasons, Reason.FILE_UNREADABLE)
    assert time.monotonic() - started < 20


FINE = b"ok 3 2 PNG " + b"0" * 128


def taken_over(folder: Path, replies: list[bytes], pause: float = 0) -> str:
    """A worker that answers every request with these pieces, whatever it is asked."""
    program = folder / "worker"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys, time\n"
        "def say(piece):\n"
        "    sys.stdout.buffer.write(piece)\n"
        "    sys.stdout.buffer.flush()\n"
        "say(b'ready'.ljust(256))\n"
        "while sys.stdin.buffer.raw.read(65536):\n"
        f"    for piece in {replies!r}:\n"
        f"        time.sleep({pause}) or say(piece)\n"
    )
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\xff\xfe\x00 \x80",
        b"ok",
        b"ready",
        b"heavy",  # also when it is alone
        b"heavy now",
        b"failed",
        b"failed because_i_say_so",
        b"failed damaged twice",
        FINE.replace(b"3 2", b"3 x"),
        FINE.replace(b"3 2", b"-3 -2"),
        FINE.replace(b"3 2", b"0 2"),
        FINE.replace(b"3 2", b"9000 9000"),
        FINE.replace(b"3 2", b"9" * 40 + b" 1"),
        FINE.replace(b"PNG", b"EXE"),
        FINE[:-1],
        FINE[:-1] + b"g",
        FINE + b" more",
    ],
)
def test_nonsense_from_a_worker_costs_one_picture(reply, good, tmp_path, monkeypatch):
    """A picture that took its worker over can say anything: none of it ends the run."""
    program = taken_over(tmp_path, [reply.ljust(256) + bytes(8 * 8 * 3) * reply.startswith(b"ok")])
    monkeypatch.setattr(sys, "executable", program)
    with Decoder(8, DecodeSettings(seconds=10)) as decoder:
        for _ in range(2):
            assert decoder.decode(good).reason == Reason.DECODER_DIED


def test_reply_may_come_in_pieces(good, tmp_path, monkeypatch):
    """The control: the same words, well formed, are a picture."""
    reply = FINE.ljust(256) + bytes(8 * 8 * 3)
    pieces = [reply[:100], reply[100:256], reply[256:300], reply[300:]]
    monkeypatch.setattr(sys, "executable", taken_over(tmp_path, pieces, pause=0.02))
    with Decoder(8) as decoder:
        decoded = decoder.decode(good)
    assert (decoded.outcome, decoded.width, decoded.height, decoded.format) == ("ok", 3, 2, "PNG")


def test_worker_that_says_too_much_is_replaced(good, tmp_path, monkeypatch):
    """What is left in the pipe would be taken for the next picture's reply."""
    program = taken_over(tmp_path, [b"failed damaged".ljust(256) + FINE.ljust(256)])
    monkeypatch.setattr(sys, "executable", program)
    with Decoder(32) as decoder:
        assert decoder.decode(good).reason == Reason.DECODER_DIED


def test_worker_that_answers_slowly_is_overdue(good, tmp_path, monkeypatch):
    """The time is for the whole answer, not from one byte to the next."""
    program = taken_over(tmp_path, [b"o", b"k", b" "] * 40, pause=0.1)
    monkeypatch.setattr(sys, "executable", program)
    with Decoder(8, DecodeSettings(seconds=0.5)) as decoder:
        started = time.monotonic()
        assert decoder.decode(good).reason == Reason.DECODER_TIMEOUT
        assert time.monotonic() - started < 8


def test_an_ended_decoder_keeps_nobody_waiting(good):
    """The thread that waits for it is told at once, and no other worker is started."""
    with Decoder(32) as decoder, ThreadPoolExecutor(1) as crew:
        decoder.decode(good)
        worker = decoder._worker
        worker.send_signal(signal.SIGSTOP)
        waiting = crew.submit(decoder.decode, good)
        time.sleep(0.3)
        started = time.monotonic()
        decoder.end()
        with pytest.raises(RuntimeError, match="ended"):
            waiting.result()
        assert time.monotonic() - started < 10
        assert decoder._worker is worker


def test_interrupted_decoder_is_closed(good, monkeypatch):
    """Its late answer can't become that of another picture."""

    def interrupt(_pixels: bytearray) -> None:
        raise KeyboardInterrupt

    decoder = Decoder(32)
    decoder.decode(good)
    monkeypatch.setattr(decoder, "_read_reply", interrupt)
    with pytest.raises(KeyboardInterrupt):
        decoder.decode(good)
    assert decoder._worker.returncode is not None
    with pytest.raises(ValueError, match="closed"):
        decoder.decode(good)


def test_fingerprints_are_told_by_their_form(good):
    """What a Decoder asks of a fingerprint is what a fingerprint is."""
    assert _FINGERPRINT.pattern == f"[0-9a-f]{{{BITS // 4}}}"
    with Decoder(32) as decoder:
        assert _FINGERPRINT.fullmatch(decoder.decode(good).fingerprint)


def test_worker_has_no_files_of_its_parent(good):
    """Its three pipes, not even what others may inherit."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    with Decoder(32) as decoder:
        decoder.decode(good)
        held = {entry.name for entry in Path(f"/proc/{decoder._worker.pid}/fd").iterdir()}
    os.close(reader)
    os.close(writer)
    assert held == {"0", "1", "2"}


WORKER = [sys.executable, "-P", "-m", "catalog.images.decoder_worker", "8"]


def request(path: Path) -> bytes:
    """What a Decoder asks, of a picture that may be heavy."""
    return REQUEST.pack(True, len(os.fsencode(path))) + os.fsencode(path)


@pytest.mark.usefixtures("traced_children")
def test_worker_answers_until_its_input_ends(good, tmp_path):
    """Spoken to directly: it says that it is there, answers each request, and leaves."""
    asked = request(good) + request(tmp_path / "none") + request(tmp_path)
    ended = subprocess.run(
        [*WORKER, "800", "20", "50000000"], input=asked, capture_output=True, check=True
    )
    said = ended.stdout
    assert said[:HEADER].split() == [b"ready"]
    assert said[HEADER : 2 * HEADER].split()[:4] == [b"ok", b"300", b"400", b"JPEG"]
    rest = said[2 * HEADER + 8 * 8 * 3 :]
    assert rest.split() == [b"failed", b"file_missing", b"failed", b"file_unreadable"]


def test_worker_lives_under_a_lower_limit(good):
    """A system that allows less memory than the settings is no reason not to start."""
    limited = ["bash", "-c", 'ulimit -v 500000 && exec "$@"', "-", *WORKER, "800", "20", "50000000"]
    ended = subprocess.run(limited, input=request(good), capture_output=True, check=True)
    assert ended.stdout[HEADER:].startswith(b"ok 300 400 JPEG")


def test_worker_ends_itself_though_nobody_watches(tmp_path):
    """Also when its parent left it deaf to the signal that ends it."""
    path = tmp_path / "slow.jpg"
    path.write_bytes(scan_bomb((7000, 7000), 4000))
    deaf = (
        "import os, sys; from signal import *; signal(SIGALRM, SIG_IGN); "
        "pthread_sigmask(SIG_BLOCK, [SIGALRM]); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", deaf, *WORKER, "800", "1", "50000000"]
    ended = subprocess.run(
        command, input=request(path), capture_output=True, check=False, timeout=20
    )
    assert ended.returncode == -signal.SIGALRM


def test_no_limit_is_raised(monkeypatch):
    """A hard limit of the system is kept where it is lower than ours."""
    kept: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: kept.append(limit))
    for hard in (100, 10_000, resource.RLIM_INFINITY):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, hard=hard: (hard, hard))
        decoder_worker._limit(resource.RLIMIT_AS, 5000)
    assert [most for _, most in kept] == [(100, 100), (5000, 5000), (5000, 5000)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("good.jpg", "ok 300 400 JPEG"),
        ("heavy.png", "heavy"),
        ("page.jpg", "failed not_a_picture"),
        ("none.jpg", "failed file_missing"),
        (".", "failed file_unreadable"),
        ("pipe", "failed file_unreadable"),
        ("a\0b", "failed file_unreadable"),
    ],
)
def test_words_of_a_worker(name, words, good, tmp_path):
    """Each outcome in the words that its Decoder knows."""
    good.rename(tmp_path / "good.jpg")
    Image.new("1", (5000, 3000)).save(tmp_path / "heavy.png")
    (tmp_path / "page.jpg").write_text("<html>")
    os.mkfifo(tmp_path / "pipe")
    path = os.fsencode(f"{tmp_path}/{name}")
    said, pixels = decoder_worker._answer(path, 8, alone=False, max_pixels=50_000_000)
    assert said.startswith(words)
    assert len(pixels) == (192 if words.startswith("ok") else 0)


def test_no_memory_for_the_file_is_an_outcome(good, monkeypatch):
    """Before Pillow is even asked."""

    def refuse(_path: bytes) -> bytes:
        raise MemoryError

    monkeypatch.setattr(decoder_worker, "_read", refuse)
    answer = decoder_worker._answer(os.fsencode(good), 8, alone=True, max_pixels=1)
    assert answer == ("failed out_of_memory", b"")


def test_reply_is_sent_whole_through_a_narrow_pipe():
    """However little the pipe takes at once."""
    reader, writer = os.pipe()
    pixels = bytes(range(256)) * 2000
    sender = threading.Thread(target=decoder_worker._send, args=(writer, "ok", pixels))
    sender.start()
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read(HEADER) == b"ok".ljust(HEADER)
        assert pipe.read(len(pixels)) == pixels
    sender.join()
    os.close(writer)


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
