"""The usual way to read pictures: `tf.io.decode_image`, one after the other, in one process.

`python -m tests.naive_decode SEED SIDE` prints what becomes of each odd picture, as JSON lines.
A process that a picture kills is replaced by a fork of this one, which only imports TensorFlow.
"""

import fcntl
import json
import os
import signal
import sys
from collections.abc import Sequence

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf

from tests.odd_pictures import OddPicture, odd_pictures

PATIENCE = 15  # seconds for a picture


def naive(data: bytes, side: int) -> dict[str, object]:
    """What TensorFlow makes of a file."""
    try:
        image = tf.io.decode_image(data, expand_animations=False)
        step = max(1, max(image.shape[:2]) // 1000)  # bombs would take seconds each
        small = tf.image.resize(image[::step, ::step], (side, side), method="area").numpy()
    except Exception as err:  # noqa: BLE001 - whatever it raises is its answer
        return {"outcome": type(err).__name__}
    spots = ((4, 4), (4, side - 5), (side - 5, 4), (side - 5, side - 5))
    corners = [[float(value) for value in small[spot]] for spot in spots]
    return {"outcome": "ok", "shape": list(image.shape), "corners": corners}


def tell(odd: Sequence[OddPicture], side: int) -> None:
    """One line a picture."""
    for one in odd:
        signal.alarm(PATIENCE)  # a fork of a process with threads may wait for one for ever
        print(json.dumps({"name": one.name} | naive(one.data, side)), flush=True)


def told(odd: Sequence[OddPicture], side: int) -> None:
    """The same for all, also when the process dies of one."""
    answers, lines = os.pipe()
    fcntl.fcntl(lines, fcntl.F_SETPIPE_SZ, 1 << 20)  # read only once the child has ended
    while odd:
        child = os.fork()
        if not child:
            os.dup2(lines, sys.stdout.fileno())
            tell(odd, side)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        done = os.read(answers, 1 << 20).splitlines()
        for line in done:
            print(line.decode())
        if code := os.waitstatus_to_exitcode(status):
            died = signal.Signals(-code).name
            print(json.dumps({"name": odd[len(done)].name, "outcome": died}), flush=True)
        odd = odd[len(done) + (code != 0) :]


if __name__ == "__main__":
    seed, side = map(int, sys.argv[1:])
    # Fifty megapixels of floats are not what this is about.
    told([one for one in odd_pictures(seed) if "most" not in one.name and not one.hangs], side)
