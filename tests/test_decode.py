"""Real bytes, kind and hostile, become pixels or a reason."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from catalog.images.decode import MAX_PIXELS, TooHeavy, Unreadable, decode
from catalog.images.formats import FORMATS, sniff
from catalog.images.reasons import Reason
from tests.odd_bytes import noise

RED, BLUE, WHITE = (250, 10, 10), (10, 10, 250), (255, 255, 255)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return image.convert(mode)


def corner(data: bytes, *, right: bool = False, bottom: bool = False) -> tuple[int, ...]:
    """A corner pixel of the decoded picture, 16 x 16."""
    at = 3 * (15 * right + 16 * 15 * bottom)
    return tuple(decode(data, 16).rgb[at : at + 3])


def reason(data: bytes) -> Reason:
    """Why these bytes are refused."""
    with pytest.raises(Unreadable) as refused:
        decode(data, 16)
    return refused.value.reason


def near(pixel: tuple[int, ...], colour: tuple[int, int, int], within: int = 12) -> bool:
    """Whether a pixel has a colour, up to what saving it costs."""
    return all(abs(a - b) <= within for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_format_is_read(kind):
    """Every format gives its colours, its name and the size that it had."""
    data = saved(halves(), kind)
    picture = decode(data, 16)
    assert (picture.format, picture.width, picture.height) == (kind, 40, 20)
    assert len(picture.rgb) == 16 * 16 * 3
    assert near(corner(data), RED)
    assert near(corner(data, right=True), BLUE)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "P"), ("PNG", "RGBA"), ("JPEG", "CMYK"), ("GIF", "P"), ("TIFF", "P")]
)
def test_modes_become_rgb(kind, mode):
    """Palettes, CMYK and opaque alpha keep their colours."""
    data = saved(halves(mode), kind)
    assert near(corner(data), RED, within=40)
    assert near(corner(data, right=True), BLUE, within=40)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_alpha_is_shown_over_white(kind):
    """What is transparent is white, whatever colour hides there."""
    image = halves("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    data = saved(image, kind, lossless=True) if kind == "WEBP" else saved(image, kind)
    assert near(corner(data), WHITE)
    assert near(corner(data, right=True), BLUE)


def test_transparent_palette_entry_is_white():
    """A palette's transparent colour counts as alpha."""
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 200, 10, 0, 0, 0])
    assert near(corner(saved(image, "PNG", transparency=0)), WHITE)


def test_grey_with_alpha():
    """LA is shown over white as well."""
    assert near(corner(saved(Image.new("LA", (8, 8), (30, 0)), "PNG")), WHITE)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("deep", "grey"), [(65535, 255), (32768, 128), (256, 1), (300, 1)])
def test_16_bit_grey_is_scaled(kind, deep, grey):
    """Half of 65,535 is half of 255: clipping would make nearly all of it white."""
    data = saved(Image.new("I;16", (8, 8), deep), kind)
    assert near(corner(data), (grey, grey, grey), within=1)


def test_clipping_16_bit_grey_would_be_white():
    """The control: Pillow's own conversion clips."""
    clipped = Image.new("I;16", (1, 1), 32768).convert("L").getpixel((0, 0))
    assert clipped == 255


def test_float_grey_is_stretched():
    """32-bit grey goes from its own darkest to its own lightest."""
    image = Image.new("F", (40, 20), -3.0)
    image.paste(7.0, (20, 0, 40, 20))
    data = saved(image, "TIFF")
    assert near(corner(data), (0, 0, 0))
    assert near(corner(data, right=True), WHITE)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animation_is_its_first_frame(kind):
    """The second frame is never seen."""
    frames = [Image.new("RGB", (20, 20), RED), Image.new("RGB", (20, 20), BLUE)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert near(corner(data), RED, within=25)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_rotation_is_undone(kind):
    """A camera held sideways: what the file has on the left belongs on top."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(halves(size=(400, 200)), kind, exif=exif)
    picture = decode(data, 16)
    assert (picture.width, picture.height) == (200, 400)
    assert near(corner(data, right=True), RED)
    assert near(corner(data, bottom=True), BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("exif", [b"II*\x00\xff\xff\xff\xff\x01", b"neither order", b""])
def test_damaged_exif_does_not_matter(exif, kind):
    """The picture is fine even where what is written about it is not."""
    data = saved(halves(), kind, exif=b"Exif\x00\x00" + exif)
    assert near(corner(data), RED)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_truncated_jpeg_is_a_failure(part, options):
    """Half a picture is none."""
    data = saved(noise((300, 400)), "JPEG", quality=90, **options)
    assert reason(data[: int(len(data) * part)]) == Reason.DAMAGED


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
def test_truncated_file_is_a_failure(kind):
    """The same for every format."""
    data = saved(noise((100, 100)), kind)
    assert reason(data[: len(data) // 2]) == Reason.DAMAGED


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"<html></html>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"<svg/>"],
)
def test_other_files_are_no_pictures(data):
    """PostScript in a .jpg never reaches Ghostscript; SVG is not a picture here."""
    assert reason(data) == Reason.NOT_A_PICTURE


def test_eps_would_have_been_opened():
    """The control: Pillow without a list of formats takes EPS for a picture."""
    eps = saved(Image.new("RGB", (4, 4)), "EPS")
    assert Image.open(io.BytesIO(eps)).format == "EPS"
    assert reason(eps) == Reason.NOT_A_PICTURE


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size; its data is one empty block."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rest = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + rest


@pytest.mark.parametrize("size", [(13000, 13000), (8000, 6251), (60000, 60000), (1, 60_000_000)])
def test_bomb_is_refused_before_it_is_read(size):
    """More than 50 megapixels are refused by the header, also where Pillow would only warn."""
    assert reason(png_claiming(*size)) == Reason.TOO_MANY_PIXELS


def test_50_megapixels_are_allowed():
    """The limit itself passes the header, and fails here for having no data."""
    assert reason(png_claiming(10_000, MAX_PIXELS // 10_000)) == Reason.DAMAGED


def test_heavy_picture_waits_to_be_alone():
    """More than 12 megapixels in memory: not beside another one."""
    data = saved(Image.new("L", (4000, 3100), 9), "PNG")
    with pytest.raises(TooHeavy):
        decode(data, 16, alone=False)
    assert decode(data, 16).width == 4000


def test_jpeg_that_is_decoded_small_is_not_heavy():
    """It is decoded at an eighth, except when it is progressive."""
    image = Image.new("L", (4000, 3100), 9)
    assert decode(saved(image, "JPEG"), 16, alone=False).width == 4000
    with pytest.raises(TooHeavy):
        decode(saved(image, "JPEG", progressive=True), 16, alone=False)


def test_size_of_the_model_does_not_change_the_fingerprint():
    """Models of different sizes agree on which pictures are the same."""
    data = saved(Image.effect_noise((900, 1200), 80).convert("RGB"), "JPEG")
    assert decode(data, 96).fingerprint == decode(data, 224).fingerprint


def test_jpeg_whose_layers_come_apart_is_heavy():
    """It is held whole as well, though it does not call itself progressive."""
    data = saved(Image.new("RGB", (4000, 3100), RED), "JPEG")
    start = data.index(b"\xff\xda")
    apart = data[:start] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + data[start + 14 :]
    assert decode(data, 16, alone=False).width == 4000
    with pytest.raises(TooHeavy):
        decode(apart, 16, alone=False)


def test_limit_of_pixels_can_be_set():
    """Lower and higher than the usual one, also where Pillow would refuse of its own accord."""
    small = saved(halves(), "PNG")
    assert decode(small, 16, max_pixels=800).width == 40
    with pytest.raises(Unreadable, match="too_many_pixels"):
        decode(small, 16, max_pixels=799)
    large = saved(Image.new("1", (11_000, 10_000)), "PNG")
    assert reason(large) == Reason.TOO_MANY_PIXELS
    assert decode(large, 16, max_pixels=110_000_000).width == 11_000


def test_no_memory_is_a_reason(monkeypatch):
    """Not the fault of the picture's bytes: it may be tried again."""

    def refuse(*_args: object, **_options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image, "open", refuse)
    assert reason(saved(halves(), "PNG")) == Reason.OUT_OF_MEMORY


SAVED_IN = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"),
    "GIF": ("1", "L", "P"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "AVIF": ("RGB", "RGBA"),
}


def plainly(data: bytes, size: int) -> bytes:
    """What Pillow's own functions make of a picture, step by step."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGBA")
    over = Image.new("RGBA", image.size, "white")
    over.alpha_composite(image)
    return over.convert("RGB").resize((size, size), Image.Resampling.BILINEAR).tobytes()


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.sampled_from([(kind, mode) for kind, modes in SAVED_IN.items() for mode in modes]),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.randoms(use_true_random=False),
    st.integers(1, 8),
)
def test_decoded_is_what_pillow_reads(saved_in, size, chance, orientation):
    """Any mode, size and format: the very pixels of Pillow's plain way, over white and upright."""
    kind, mode = saved_in
    dots = Image.frombytes("RGBA", size, chance.randbytes(size[0] * size[1] * 4))
    image = dots.convert(mode) if mode in {"LA", "RGBA"} else dots.convert("RGB").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {"exif": exif} if kind in {"PNG", "JPEG", "WEBP"} else {}
    data = saved(image, kind, **turned)
    picture = decode(data, 16)
    sides = size[::-1] if turned and orientation > 4 else size
    assert (picture.format, picture.width, picture.height) == (kind, *sides)
    expected = plainly(data, 16)
    assert max(abs(a - b) for a, b in zip(picture.rgb, expected, strict=True)) <= 2


@settings(derandomize=True, max_examples=100)
@given(st.binary(max_size=80))
def test_sniffing_never_fails(data):
    """Any bytes have a format or none."""
    assert sniff(data) in FORMATS | {None}


SEEDS: list[Callable[[], bytes]] = [
    lambda kind=kind: saved(noise((24, 24)), kind)
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255))))
def test_flipped_bytes_are_pixels_or_a_reason(seed, flips):
    """Whatever the bytes, nothing but Unreadable comes out."""
    data = bytearray(seed())
    for where, value in flips:
        data[int(where * len(data))] = value
    with contextlib.suppress(Unreadable):
        assert len(decode(bytes(data), 8).rgb) == 192


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.sampled_from(SEEDS), st.sampled_from(SEEDS), st.floats(0, 1), st.floats(0, 1))
def test_spliced_files_are_pixels_or_a_reason(one, other, end, start):
    """The start of one file and the end of another, cut anywhere."""
    first, second = one(), other()
    data = first[: int(end * len(first))] + second[int(start * len(second)) :]
    with contextlib.suppress(Unreadable):
        assert len(decode(data, 8).rgb) == 192
