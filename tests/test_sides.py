"""Folders of pictures as training reads them: the folder is the label, whatever its name."""

import numpy as np
import pytest
from PIL import Image

from catalog.models.datasets import Targets, in_order
from catalog.models.settings import TrainSettings
from catalog.models.sides import ClassSide, FlatSide, batches, shuffled

SIDE = 32
SETTINGS = TrainSettings(image_size=SIDE, batch_size=4, seed=3)
CLASSES = ("low", "high")


def shade(pixels):
    """The number that each picture was painted with, from its first pixel."""
    return pixels[:, 0, 0, 0].tolist()


def each(given):
    """An epoch of batches."""
    return [given[number] for number in range(len(given))]


def paint(path, value):
    """A picture of one shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIDE, SIDE), (value, value, value)).save(path.with_suffix(".png"))


@pytest.fixture
def folder(tmp_path):
    """Twenty pictures, painted with their number: high is the number that three divides.

    They are written last to first, so that the order of writing is not that of reading.
    """
    for row in reversed(range(20)):
        paint(tmp_path / ("high" if row % 3 == 0 else "low") / f"{row:08d}", row)
    return tmp_path


LOW = [row for row in range(20) if row % 3]
HIGH = [row for row in range(20) if row % 3 == 0]


def test_files_are_in_the_order_of_the_classes_then_by_name(folder):
    """Not by alphabet, by which high would come before low."""
    side = ClassSide(folder, CLASSES, "engagement")
    assert [int(path.stem) for path in side.files] == LOW + HIGH
    assert side.count == 20
    turned = ClassSide(folder, CLASSES[::-1], "engagement")
    assert [int(path.stem) for path in turned.files] == HIGH + LOW


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[::-1]])
def test_labels_come_from_folders_never_by_alphabet(folder, classes):
    """A code is the place of the folder's name in the classes as given; every picture counts."""
    side = ClassSide(folder, classes, "engagement")
    told = [classes[code] for code in side.targets.codes["engagement"]]
    assert told == [path.parent.name for path in side.files]
    assert side.targets.weights["engagement"].tolist() == [1.0] * 20
    seen = {}
    for pixels, code, weight in each(batches(side, SETTINGS)):
        seen |= dict(zip(shade(pixels), code["engagement"].tolist(), strict=True))
        assert (weight["engagement"] == 1).all()
    assert {row: classes[code] for row, code in seen.items()} == {
        row: "high" if row % 3 == 0 else "low" for row in range(20)
    }


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[::-1]])
def test_rows_match_pixels(folder, classes):
    """Place k is the k-th file: what is computed of pixels can be put beside it."""
    side = ClassSide(folder, classes, "engagement")
    files = [int(path.stem) for path in side.files]
    assert shade(side.pixels(SETTINGS)) == files


def test_shuffled_labels_still_match_their_pictures(folder):
    """Each epoch has each picture once, in another order, with its own label."""
    side = ClassSide(folder, CLASSES, "engagement")
    learned = shuffled(side, SETTINGS)
    orders = []
    for epoch in range(2):
        learned.turn_to(epoch)
        order = []
        for pixels, code, _ in each(learned):
            order += shade(pixels)
            high = [row % 3 == 0 for row in shade(pixels)]
            assert (code["engagement"] == high).all()
        assert sorted(order) == list(range(20))
        orders.append(order)
    assert orders[0] != orders[1]
    assert LOW + HIGH not in orders


def test_shuffled_pictures_are_mirrored_by_chance(tmp_path):
    """Training sees some of them from the other side; what is measured sees them as they are."""
    for row in range(20):
        picture = Image.new("RGB", (SIDE, SIDE))
        picture.paste((200, 0, 0), (0, 0, SIDE // 2, SIDE))
        path = tmp_path / CLASSES[row % 2] / f"{row:08d}.png"
        path.parent.mkdir(exist_ok=True)
        picture.save(path)
    side = ClassSide(tmp_path, CLASSES, "engagement")

    def left(given):
        return {value for pixels, *_ in each(given) for value in shade(pixels)}

    assert left(batches(side, SETTINGS)) == {200}
    assert left(shuffled(side, SETTINGS)) == {0, 200}


@pytest.mark.parametrize("empty", CLASSES)
def test_an_empty_class_moves_no_label(tmp_path, empty):
    """A side without a low, or without a high post, says so of none."""
    other = CLASSES[1 - CLASSES.index(empty)]
    (tmp_path / empty).mkdir()
    for row in range(6):
        paint(tmp_path / other / f"{row:08d}", row)
    side = ClassSide(tmp_path, CLASSES, "engagement")
    code = CLASSES.index(other)
    assert side.targets.codes["engagement"].tolist() == [code] * 6
    told = [codes["engagement"].tolist() for _, codes, _ in each(batches(side, SETTINGS))]
    assert [code] * 6 == [one for some in told for one in some]
    assert shade(side.pixels(SETTINGS)) == [*range(6)]


def test_a_side_without_pictures_counts_none(tmp_path):
    """Its folders are there, and it has no labels."""
    for name in CLASSES:
        (tmp_path / name).mkdir()
    side = ClassSide(tmp_path, CLASSES, "engagement")
    assert (side.count, side.files) == (0, [])
    assert side.targets.codes["engagement"].shape == (0,)


def test_a_flat_side_gathers_its_targets_by_row(tmp_path):
    """Row k is the k-th file, shuffled or not, for each head; a blank label weighs nothing."""
    for row, path in enumerate(in_order(tmp_path, 12)):
        paint(path, row)
    rows = np.arange(12)
    targets = Targets(
        {"kind": (rows % 2).astype(np.int32), "colour": (rows % 5).astype(np.int32)},
        {"kind": np.ones(12, np.float32), "colour": (rows % 3 > 0).astype(np.float32)},
    )
    side = FlatSide(tmp_path, targets, 12)
    for given in (batches(side, SETTINGS), shuffled(side, SETTINGS)):
        for pixels, codes, weights in each(given):
            seen = np.array(shade(pixels))
            assert codes["kind"].tolist() == (seen % 2).tolist()
            assert codes["colour"].tolist() == (seen % 5).tolist()
            assert weights["colour"].tolist() == (seen % 3 > 0).tolist()
    assert shade(side.pixels(SETTINGS)) == rows.tolist()
