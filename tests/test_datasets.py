"""Pictures reach Keras as the decoder made them, and their labels by row number."""

import numpy as np
from PIL import Image

from catalog.images.decoders import Decoder
from catalog.models.augmentation import changed
from catalog.models.datasets import (
    answering,
    by_row,
    in_order,
    lay_out,
    rows,
    with_targets,
)
from tests.tiny_model import draw

SIDE = 32


def files(folder, count=12):
    """Drawn pictures, the fourth of them broken."""
    paths = []
    for seed in range(count):
        path = folder / f"{seed}.webp"
        draw(seed)[0].save(path, lossless=True)
        paths.append(path)
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    return paths


def test_rows_are_the_decoders_pixels(tmp_path):
    """A broken file is left out, the rest keeps its order, and no pixel is changed on the way."""
    paths = files(tmp_path)
    kept = lay_out(paths, in_order(tmp_path / "png", len(paths)), SIDE)
    assert kept == [row for row in range(12) if row != 3]
    found = {}
    for pixels, row in rows(tmp_path / "png", SIDE, 4, shuffle=True, seed=1):
        found |= dict(zip(row.numpy().tolist(), pixels.numpy(), strict=True))
    with Decoder(SIDE) as decoder:
        for row, source in enumerate(kept):
            assert np.array_equal(found[row], decoder.decode(paths[source]).pixels)


def test_labels_follow_their_pictures_through_a_shuffle(tmp_path):
    """Targets are gathered by row number: each picture is its own label here."""
    for row in range(20):
        Image.new("RGB", (SIDE, SIDE), (row, row, row)).save(tmp_path / f"{row:08d}.png")
    codes = {"shade": np.arange(20, dtype=np.int32)}
    weights = {"shade": (np.arange(20) % 2).astype(np.float32)}
    dataset = with_targets(rows(tmp_path, SIDE, 8, shuffle=True, seed=3), codes, weights)
    seen = []
    for pixels, code, weight in dataset:
        seen += code["shade"].numpy().tolist()
        assert pixels.numpy()[:, 0, 0, 0].tolist() == code["shade"].numpy().tolist()
        assert (weight["shade"].numpy() == code["shade"].numpy() % 2).all()
    assert sorted(seen) == list(range(20))
    assert seen != list(range(20))


def test_answers_are_placed_by_row(tmp_path):
    """A shuffled pass gives each row its own answer."""
    import keras  # noqa: PLC0415 - only this test builds a network

    for row in range(20):
        Image.new("RGB", (SIDE, SIDE), (row, row, row)).save(tmp_path / f"{row:08d}.png")
    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1.0)(pixels))
    answer = answering(keras.Model(pixels, {"mean": mean}))
    found = by_row(answer, rows(tmp_path, SIDE, 8, shuffle=True), 20)
    assert found["mean"][:, 0].tolist() == list(range(20))


def test_mirroring_is_by_chance_and_repeatable(tmp_path):
    """Some pictures are mirrored, some not, none is changed otherwise; a seed repeats it."""
    for row in range(20):
        draw(row)[0].resize((SIDE, SIDE)).save(tmp_path / f"{row:08d}.png")
    plain = rows(tmp_path, SIDE, 20)
    (original, _), (flipped, _), (again, _) = (
        next(iter(x)) for x in (plain, changed(plain, ["mirror"], 0), changed(plain, ["mirror"], 0))
    )
    original, flipped = original.numpy(), flipped.numpy()
    same = (flipped == original).all(axis=(1, 2, 3))
    turned = (flipped == original[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same | turned).all()
    assert 0 < same.sum() < 20
    assert np.array_equal(flipped, again.numpy())
