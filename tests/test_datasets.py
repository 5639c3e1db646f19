"""Pictures reach Keras as the decoder made them, and their labels by row number."""

import numpy as np
import pytest
from PIL import Image

from catalog.images.decoders import Decoder
from catalog.models.datasets import Batches, Targets, in_order, lay_out, outputs_of, read
from catalog.models.settings import TrainSettings
from tests.tiny_model import draw

SIDE = 32
SETTINGS = TrainSettings(image_size=SIDE, batch_size=8, seed=3)


def files(folder, count=12):
    """Drawn pictures, the fourth of them broken."""
    paths = []
    for seed in range(count):
        path = folder / f"{seed}.webp"
        draw(seed)[0].save(path, lossless=True)
        paths.append(path)
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    return paths


def test_what_is_read_are_the_decoders_pixels(tmp_path):
    """A broken file is left out, the rest keeps its order, and no pixel is changed on the way."""
    paths = files(tmp_path)
    kept = lay_out(paths, in_order(tmp_path / "png", len(paths)), SIDE)
    assert kept == [row for row in range(12) if row != 3]
    found = read(tmp_path / "png", SIDE)
    assert found.shape == (11, SIDE, SIDE, 3)
    with Decoder(SIDE) as decoder:
        for pixels, source in zip(found, kept, strict=True):
            assert np.array_equal(pixels, decoder.decode(paths[source]).pixels)


def shades():
    """Twenty rows that are told by their own number, and weigh nothing where it is even."""
    rows = np.arange(20)
    codes, weights = {"shade": rows.astype(np.int32)}, {"shade": (rows % 2).astype(np.float32)}
    return rows.astype(np.float32)[:, None], Targets(codes, weights)


def orders(batches, epochs):
    """The numbers of the rows in the order in which each epoch gives them."""
    told = []
    for epoch in epochs:
        batches.turn_to(epoch)
        order = []
        for number in range(len(batches)):
            rows, codes, weights = batches[number]
            assert rows[:, 0].tolist() == codes["shade"].tolist()
            assert (weights["shade"] == codes["shade"] % 2).all()
            order += codes["shade"].tolist()
        told.append(order)
    return told


def test_labels_follow_their_rows_through_a_shuffle():
    """Each epoch has each row once with its own label, in an order of its own."""
    told = orders(Batches(*shades(), SETTINGS, shuffle=True), range(3))
    assert [sorted(order) for order in told] == [list(range(20))] * 3
    assert len({tuple(order) for order in [*told, range(20)]}) == 4


def test_an_epoch_hangs_on_its_number_alone():
    """A training that goes on is given what it would have been given."""
    whole = orders(Batches(*shades(), SETTINGS, shuffle=True), range(3))
    assert orders(Batches(*shades(), SETTINGS, shuffle=True), [2]) == whole[2:]


def test_answers_are_in_the_order_of_the_rows():
    """However they are dealt to batches."""
    import keras  # noqa: PLC0415 - only these tests build a network

    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1.0)(pixels))
    shaded = (
        np.ones((20, SIDE, SIDE, 3), np.uint8) * np.arange(20, dtype=np.uint8)[:, None, None, None]
    )
    found = outputs_of(keras.Model(pixels, {"mean": mean}), shaded, SETTINGS)
    assert found["mean"][:, 0].tolist() == list(range(20))


def test_a_full_disk_is_an_error_and_no_end(tmp_path, monkeypatch):
    """What is mapped into memory was written before: a write that fails says so."""
    Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "0.png")
    folder = tmp_path / "png"
    folder.mkdir()
    (tmp_path / "0.png").rename(folder / "0.png")
    (tmp_path / "png.npy").symlink_to("/dev/full")
    monkeypatch.setattr("pathlib.Path.exists", lambda _: False)
    with pytest.raises(OSError, match="No space left"):
        read(folder, SIDE)
