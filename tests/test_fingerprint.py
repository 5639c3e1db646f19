"""Near copies of a picture have near fingerprints."""

import io

import pytest
from PIL import Image, ImageDraw

from catalog.images.fingerprint import BITS, fingerprint


def drawn(shift: int = 0) -> Image.Image:
    """A picture with something to see in it."""
    image = Image.new("RGB", (300, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((60 + shift, 40, 240 + shift, 220), fill="navy")
    draw.polygon([(40, 380), (150, 200 + shift), (260, 380)], fill="orange")
    return image


def distance(one: Image.Image, other: Image.Image) -> int:
    """Bits in which two fingerprints differ."""
    return (int(fingerprint(one), 16) ^ int(fingerprint(other), 16)).bit_count()


def saved_again(image: Image.Image) -> Image.Image:
    """The picture after a lossy JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=70)
    return Image.open(file).convert("RGB")


def test_fingerprint_is_128_hex_digits():
    """512 bits: 256 steps along rows, 256 along columns."""
    assert len(fingerprint(drawn())) == BITS // 4 == 128
    assert int(fingerprint(drawn()), 16) > 0


@pytest.mark.parametrize(
    "copy",
    [drawn(), drawn().resize((150, 200)), drawn().resize((600, 800)), saved_again(drawn())],
    ids=["same", "half", "double", "saved again"],
)
def test_copy_is_near(copy):
    """Another size or another saving changes few bits."""
    assert distance(drawn(), copy) <= 20


def test_other_picture_is_far():
    """The control: another drawing is not near."""
    assert distance(drawn(), drawn().transpose(Image.Transpose.FLIP_TOP_BOTTOM)) > 40


def test_bits_are_in_the_documented_order():
    """Light left of dark sets every bit of that step: rows first, then columns."""
    bright_left = Image.linear_gradient("L").rotate(90).convert("RGB")
    code = f"{int(fingerprint(bright_left), 16):0{BITS}b}"
    assert code[256:] == "0" * 256
    assert set(code[:256]) in ({"0"}, {"1"})


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (16, 16), (5000, 20)])
def test_any_shape_has_one(size):
    """Smaller than the grid or very narrow: there is still a fingerprint."""
    assert len(fingerprint(Image.new("RGB", size, "teal"))) == 128
