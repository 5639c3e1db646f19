"""Pictures that come in classes: what is read of idx files and folders, and what is refused."""

import gzip
import shutil

import numpy as np
import pytest
from PIL import Image

from catalog.class_data import DataUnusable
from catalog.class_folders import read_folders
from catalog.idx_files import is_idx, read_idx
from tests.class_pictures import CLASSES, SIDE, idx, many, write_idx, write_listed


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_are_read_and_laid_out_pixel_by_pixel(tmp_path, packed):
    """What lies there as PNG is what the file has, in one channel, packed or not."""
    data = read_idx(write_idx(tmp_path / "data", packed=packed), CLASSES)
    pixels, codes = many(30, 10_000)
    assert (data.train.count, data.test.count, data.classes) == (90, 30, CLASSES)
    assert data.test.codes.tolist() == codes.tolist()
    data.test.save([4, 2], [tmp_path / "a", tmp_path / "b"], SIDE, 1)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "L"
        assert np.array_equal(np.asarray(picture), pixels[4])


def test_a_picture_of_another_size_or_in_colour_is_made_so(tmp_path):
    """The network's size and channels are what is laid out."""
    data = read_idx(write_idx(tmp_path / "data"), CLASSES)
    data.train.save([0], [tmp_path / "a"], 20, 3)
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (20, 20))


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
PIXELS, CODES = many(90)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (IMAGES, None, "lacks train-images-idx3-ubyte"),
        (IMAGES, b"no gzip", "can't be read"),
        (IMAGES, gzip.compress(idx(PIXELS))[:-200], "can't be read"),
        (IMAGES, gzip.compress(idx(PIXELS)[:-1]), "cut short"),
        (IMAGES, gzip.compress(idx(PIXELS) + b"x"), "longer than it says"),
        (IMAGES, gzip.compress(idx(CODES)), "no idx file of bytes in 3 dimensions"),
        (IMAGES, gzip.compress(b""), "no idx file"),
        (LABELS, gzip.compress(idx(CODES[:-1])), "90 pictures, and"),
        (LABELS, gzip.compress(idx(CODES + 1)), "has the label 3, and 3 classes"),
        (LABELS, gzip.compress(idx(CODES % 2)), "class 'Block' has no picture to train on"),
    ],
    ids=range(10),  # gzip's own bytes tell the time
)
def test_a_damaged_idx_file_is_named(tmp_path, name, content, told):
    """One sentence says which file, and what is wrong with it."""
    folder = write_idx(tmp_path)
    assert is_idx(folder)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(DataUnusable, match=told):
        read_idx(folder, CLASSES)


def test_a_packed_file_without_end_is_not_unpacked_whole(tmp_path, monkeypatch):
    """No more is unpacked than a file may hold."""
    monkeypatch.setattr("catalog.idx_files.LARGEST", 5000)
    with pytest.raises(DataUnusable, match="holds more than"):
        read_idx(write_idx(tmp_path), CLASSES)


def test_lists_say_what_tests(tmp_path):
    """Food-101's own lists are kept to, and the class is the folder."""
    data = read_folders(write_listed(tmp_path / "data"))
    assert (data.train.count, data.test.count) == (30, 12)
    assert data.classes == ("block", "lying", "standing")
    assert all(int(name.split("/")[-1].removesuffix(".jpg")) >= 30 for name in data.test.names)
    for pictures in (data.train, data.test):
        assert [data.classes[c] for c in pictures.codes] == [
            n.split("/")[1] for n in pictures.names
        ]
    data.test.save([0], [tmp_path / "a"], 32, 3)
    assert (tmp_path / "a.png").is_file()


def test_folders_of_train_and_test_are_kept_to(tmp_path):
    """Where the folders themselves are divided, so is the training."""
    listed = write_listed(tmp_path / "listed")
    for side, first in (("train", 0), ("test", 30)):
        for path in (listed / "images").glob("*/*.jpg"):
            if (int(path.stem) >= 30) == bool(first):
                place = tmp_path / "data" / side / path.parent.name / path.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place)
    data = read_folders(tmp_path / "data")
    assert (data.train.count, data.test.count) == (30, 12)


def test_without_lists_alike_pictures_stay_on_one_side(tmp_path):
    """A picture and its copy under another name never meet across the split."""
    listed = write_listed(tmp_path / "listed", 60, 12)
    folder = listed / "images"
    for path in list(folder.glob("*/*.jpg")):
        shutil.copy(path, path.with_name(f"copy-{path.name}"))
    data = read_folders(folder)
    assert data.train.count + data.test.count == 144
    tested = {name.replace("copy-", "") for name in data.test.names}
    assert tested
    assert not tested & {name.replace("copy-", "") for name in data.train.names}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("lying/nowhere", "names 1 pictures that are not there"),
        ("../../etc/passwd", "is not <class>/<id>"),
        ("../secret", "is not <class>/<id>"),
        ("lying", "is not <class>/<id>"),
        ("lying/0", "is in both lists"),
    ],
)
def test_a_list_that_is_wrong_is_named(tmp_path, line, told):
    """What a list may not say is told, with the list."""
    folder = write_listed(tmp_path)
    with (folder / "meta" / "test.txt").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataUnusable, match=told):
        read_folders(folder)


def test_a_folder_without_pictures_is_no_data(tmp_path):
    """Nothing to learn from is said at once."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataUnusable, match="no folder of pictures"):
        read_folders(tmp_path)


def test_class_names_may_have_blanks_and_dead_links_are_no_pictures(tmp_path):
    """A list is read line by line; what only looks like a file is left out."""
    folder = write_listed(tmp_path / "listed", 60, 12)
    (folder / "images" / "lying").rename(folder / "images" / "lying down")
    for path in (folder / "meta").iterdir():
        path.write_text(path.read_text().replace("lying/", "lying down/"))
    assert "lying down" in read_folders(folder).classes
    (folder / "images" / "block" / "dead.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (folder / "images" / "block" / "junk.jpg").write_bytes(b"junk")
    data = read_folders(folder / "images")
    assert data.unreadable == 1
