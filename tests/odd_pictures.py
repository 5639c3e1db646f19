"""Odd and broken pictures, each with what must become of it.

`python -m tests.odd_pictures FOLDER SEED` writes them into a folder. The same seed makes the same
pictures.
"""

import random
import struct
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from tests.odd_bytes import (
    BLUE,
    CORNERS,
    RED,
    SIZE,
    avif_claiming,
    bmp,
    chunk,
    deep_png,
    exif,
    extended_webp,
    few_bits_png,
    gif,
    gif_frame,
    grey_tiff,
    header,
    interlaced_png,
    noise,
    patched,
    pixels,
    png,
    riff,
    rows_of,
    saved,
    scan_bomb,
    scene,
    tiff,
    with_frame,
    with_segments,
)

Colour = tuple[int, int, int]
Corners = tuple[Colour, Colour, Colour, Colour]

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
OK = frozenset({"ok"})
DAMAGED = frozenset({"damaged"})
NOT_A_PICTURE = frozenset({"not_a_picture"})
TOO_MANY_PIXELS = frozenset({"too_many_pixels"})
EITHER = OK | DAMAGED  # what is left may or may not be a picture: both are honest
WHITE = (255, 255, 255)
GREY: Corners = tuple(  # type: ignore[assignment]
    (Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0)),) * 3 for colour in CORNERS
)


@dataclass(frozen=True)
class OddPicture:
    """A file, and what must become of it: "ok" or reasons; None where it does not matter."""

    name: str
    data: bytes
    outcomes: frozenset[str]
    kind: str | None = None
    size: tuple[int, int] | None = None  # upright
    corners: Corners | None = None  # top left, top right, bottom left, bottom right
    hangs: bool = False  # until it is given up


@cache
def odd_pictures(seed: int) -> tuple[OddPicture, ...]:
    """All of them; those that are cut or garbled at random differ with the seed."""
    return (
        *_good(),
        *_good_png(),
        *_good_bmp(),
        *_good_tiff(),
        *_turned(),
        *_with_odd_text(),
        *_odd_shapes(),
        *_broken_jpeg(),
        *_broken_png(),
        *_broken_gif(),
        *_broken_others(),
        *_bombs(),
        *_other_files(),
        *garbled(seed),
    )


def _fine(
    name: str,
    data: bytes,
    kind: str,
    corners: Corners | None = CORNERS,
    size: tuple[int, int] = SIZE,
) -> OddPicture:
    return OddPicture(name, data, OK, kind, size, corners)


def _good() -> Iterator[OddPicture]:
    image, grey, clear = scene(), scene("L"), scene("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, SIZE[0] // 2, SIZE[1] // 2))
    over_white: Corners = (WHITE, *CORNERS[1:])  # type: ignore[assignment]
    frames = {"save_all": True, "append_images": [scene().rotate(180)], "duration": 40}
    for kind in KINDS:
        yield _fine(f"plain.{kind}", saved(image, kind), kind)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "AVIF"):
        yield _fine(f"grey.{kind}", saved(grey, kind), kind, GREY)
    for kind in ("GIF", "WEBP", "AVIF", "PNG"):
        yield _fine(f"animated.{kind}", saved(image, kind, **frames), kind)
    for kind in ("GIF", "AVIF", "PNG", "TIFF"):
        yield _fine(f"clear.{kind}", saved(clear, kind), kind, over_white)
    yield _fine("clear.WEBP", saved(clear, "WEBP", lossless=True), "WEBP", over_white)
    yield _fine("lossless.WEBP", saved(image, "WEBP", lossless=True), "WEBP")
    yield _fine("progressive.JPEG", saved(image, "JPEG", progressive=True), "JPEG")
    cmyk = saved(scene("CMYK"), "JPEG", quality=95)
    yield _fine("cmyk.JPEG", cmyk, "JPEG")
    transform = cmyk.index(b"Adobe") + 11
    yield _fine("ycck.JPEG", patched(cmyk, transform, b"\2"), "JPEG", corners=None)
    yield _fine("coarse.JPEG", saved(image, "JPEG", subsampling=2, quality=30), "JPEG", None)
    pair = saved(image, "MPO", save_all=True, append_images=[scene().rotate(180)])
    yield _fine("pair.MPO", pair, "JPEG")


def _good_png() -> Iterator[OddPicture]:
    yield _fine("palette.PNG", saved(scene("P"), "PNG"), "PNG")
    two = Image.new("P", SIZE, 0)
    two.putpalette([*RED, *BLUE])
    two.paste(1, (SIZE[0] // 2, 0, *SIZE))
    data = saved(two, "PNG", transparency=0)
    yield _fine("clear palette.PNG", data, "PNG", (WHITE, BLUE, WHITE, BLUE))
    yield _fine("grey and clear.PNG", saved(scene("LA"), "PNG"), "PNG", GREY)
    yield _fine("one bit.PNG", saved(scene("1"), "PNG"), "PNG", None)
    for depth in (1, 2, 4):
        yield _fine(f"{depth} bits.PNG", few_bits_png(depth), "PNG", (RED, BLUE, RED, BLUE))
    yield _fine("16 bit.PNG", deep_png("RGB", 2), "PNG")
    yield _fine("16 bit and clear.PNG", deep_png("RGBA", 6), "PNG")
    yield _fine("16 bit grey.PNG", deep_png("L", 0), "PNG", GREY)
    yield _fine("16 bit grey and clear.PNG", deep_png("LA", 4), "PNG", GREY)
    yield _fine("interlaced.PNG", interlaced_png(), "PNG")


def _good_bmp() -> Iterator[OddPicture]:
    halves = bytes(40 * [0] + 40 * [1]) * 60
    colours = bytes([*RED[::-1], 0, *BLUE[::-1], 0])
    sides: Corners = (RED, BLUE, RED, BLUE)
    yield _fine("8 bits.BMP", bmp(SIZE, 8, halves, palette=colours), "BMP", sides)
    nibbles = (bytes(20) + b"\x11" * 20) * 60
    yield _fine("4 bits.BMP", bmp(SIZE, 4, nibbles, palette=colours), "BMP", sides)
    bits = (bytes(5) + b"\xff" * 5 + bytes(2)) * 60
    yield _fine("1 bit.BMP", bmp(SIZE, 1, bits, palette=colours), "BMP", sides)
    runs = b"\x28\x00\x28\x01\x00\x00" * 60 + b"\x00\x01"
    yield _fine("runs.BMP", bmp(SIZE, 8, runs, palette=colours, compression=1), "BMP", sides)
    fives = (struct.pack("<H", 31 << 10) * 40 + struct.pack("<H", 31) * 40) * 60
    pure: Corners = ((255, 0, 0), (0, 0, 255)) * 2
    yield _fine("16 bits.BMP", bmp(SIZE, 16, fives), "BMP", pure)
    wide = b"".join(row + b"\xff" for row in _cells(scene()))
    yield _fine("from the top.BMP", bmp((80, -60), 32, wide), "BMP")


def _cells(image: Image.Image) -> list[bytes]:
    """Blue, green and red of each pixel."""
    data = image.tobytes()
    return [data[at : at + 3][::-1] for at in range(0, len(data), 3)]


def _good_tiff() -> Iterator[OddPicture]:
    for mode in ("CMYK", "P"):
        yield _fine(f"{mode}.TIFF", saved(scene(mode), "TIFF"), "TIFF")
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield _fine(f"{packing}.TIFF", saved(scene(), "TIFF", compression=packing), "TIFF")
    deep = scene("L").point(lambda grey: grey * 257, "I").convert("I;16")
    yield _fine("16 bit.TIFF", saved(deep, "TIFF"), "TIFF", GREY)
    yield _fine("float.TIFF", saved(scene("F"), "TIFF"), "TIFF", corners=None)
    pages = saved(scene(), "TIFF", save_all=True, append_images=[scene().rotate(180)])
    yield _fine("pages.TIFF", pages, "TIFF")
    grey = b"".join(rows_of(scene("L")))
    yield _fine("looping pages.TIFF", grey_tiff(SIZE, grey, following=8), "TIFF", GREY)


_MIXED: dict[int, tuple[int, int, int, int]] = {  # which quarter stands where once upright
    1: (0, 1, 2, 3),
    2: (1, 0, 3, 2),
    3: (3, 2, 1, 0),
    4: (2, 3, 0, 1),
    5: (0, 2, 1, 3),
    6: (2, 0, 3, 1),
    7: (3, 1, 2, 0),
    8: (1, 3, 0, 2),
}


def _turned() -> Iterator[OddPicture]:
    for orientation, order in _MIXED.items():
        corners: Corners = tuple(CORNERS[at] for at in order)  # type: ignore[assignment]
        size = SIZE if orientation < 5 else SIZE[::-1]
        for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
            tags = exif(orientation)
            if kind == "TIFF":
                tags = tags.removeprefix(b"Exif\0\0")
            data = saved(scene(), kind, exif=tags)
            if kind in {"JPEG", "TIFF"} or orientation == 6:
                yield _fine(f"turned {orientation}.{kind}", data, kind, corners, size)
    for wrong in (0, 9, 65535):
        yield _fine(f"turned {wrong}.JPEG", saved(scene(), "JPEG", exif=exif(wrong)), "JPEG")
    # Turned well, while the rest of its EXIF can't be written again.
    corners = tuple(CORNERS[at] for at in _MIXED[6])  # type: ignore[assignment]
    unfit = {"no number": (0x011A, 7, 8, 40), "no text": (0x0132, 5, 1, 26)}
    for name, entry in unfit.items():
        tags = struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<HHII", *entry)
        broken = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + tags + bytes(60)
        data = with_segments(saved(scene(), "JPEG"), (0xE1, broken))
        yield _fine(f"turned, {name}.JPEG", data, "JPEG", corners, SIZE[::-1])


def _with_odd_text() -> Iterator[OddPicture]:
    jpeg, rows = saved(scene(), "JPEG"), pixels(rows_of(scene()))
    yield _fine("icc broken.JPEG", saved(scene(), "JPEG", icc_profile=b"x" * 300), "JPEG")
    yield _fine("icc huge.JPEG", saved(scene(), "JPEG", icc_profile=bytes(3_000_000)), "JPEG")
    yield _fine("icc broken.PNG", saved(scene(), "PNG", icc_profile=b"x" * 300), "PNG")
    many = [(0xFE, b"c" * 60_000)] * 100
    yield _fine("comments.JPEG", with_segments(jpeg, *many), "JPEG")
    ifds = struct.pack("<HHII", 0x8769, 4, 1, 8)  # an EXIF directory that is its own parent
    looping = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + ifds + struct.pack("<I", 8)
    yield _fine("exif loops.JPEG", with_segments(jpeg, (0xE1, looping)), "JPEG")
    many_tags = (
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x05\0\xff\xff\xff\xff\0\0\0\0" * 5000
    )
    yield _fine("exif bomb.JPEG", with_segments(jpeg, (0xE1, many_tags)), "JPEG")
    yield _fine("trailing.JPEG", jpeg + b"\0garbage" * 1000, "JPEG")
    yield _fine("trailing.PNG", png(header(SIZE), rows, end=b"garbage" * 1000), "PNG")
    yield _fine("exif broken.PNG", png(header(SIZE), chunk(b"eXIf", b"neither"), rows), "PNG")
    no_hex = chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  9\nno hex\n")
    yield _fine("raw exif broken.PNG", png(header(SIZE), no_hex, rows), "PNG")
    bomb = zlib.compress(bytes(100_000_000), 9)
    texts = {
        "zTXt": b"name\0\0" + bomb,
        "iTXt": b"name\0\1\0\0\0" + bomb,
        "iCCP": b"name\0\0" + bomb,
    }
    for name, body in texts.items():
        data = png(header(SIZE), chunk(name.encode(), body), rows)
        yield OddPicture(f"{name} bomb.PNG", data, EITHER, corners=CORNERS)
    many_texts = chunk(b"zTXt", b"n\0\0" + zlib.compress(bytes(1_000_000), 9)) * 200
    yield OddPicture("zTXt bombs.PNG", png(header(SIZE), many_texts, rows), EITHER)
    hoard = chunk(b"tEXt", b"name\0" + b"x" * 500_000) * 20
    yield _fine("tEXt.PNG", png(header(SIZE), hoard, rows), "PNG")


def _odd_shapes() -> Iterator[OddPicture]:
    for size in ((1, 1), (1, 20_000), (20_000, 1), (2, 3)):
        image = Image.new("RGB", size, RED)
        for kind in ("PNG", "JPEG", "BMP"):
            name = f"{size[0]} by {size[1]}.{kind}"
            yield _fine(name, saved(image, kind), kind, (RED,) * 4, size)


def _broken_jpeg() -> Iterator[OddPicture]:
    jpeg = saved(noise((160, 120)), "JPEG", quality=90)
    scan = jpeg.index(b"\xff\xda")
    cases: dict[str, tuple[bytes, frozenset[str]]] = {
        "no end": (jpeg[:-2], EITHER),
        "no scan": (jpeg[:scan] + b"\xff\xd9", DAMAGED),
        "no tables": (jpeg.replace(b"\xff\xc4", b"\xff\xfe"), EITHER),
        "no quantisation": (jpeg.replace(b"\xff\xdb", b"\xff\xfe"), EITHER),
        "no frame": (patched(jpeg, jpeg.index(b"\xff\xc0"), b"\xff\xfe"), DAMAGED),
        "height 0": (with_frame(jpeg, 5, b"\0\0"), DAMAGED),
        "width 0": (with_frame(jpeg, 7, b"\0\0"), DAMAGED),
        "12 bit": (with_frame(jpeg, 4, b"\x0c"), DAMAGED),
        "arithmetic": (patched(jpeg, jpeg.index(b"\xff\xc0"), b"\xff\xc9"), EITHER),
        "lossless": (patched(jpeg, jpeg.index(b"\xff\xc0"), b"\xff\xc3"), EITHER),
        "9 layers": (with_frame(jpeg, 9, b"\x09"), DAMAGED),
        "taller than sent": (with_frame(jpeg, 5, struct.pack(">H", 4000)), EITHER),
        "odd sampling": (with_frame(jpeg, 11, b"\xff"), DAMAGED),
        "two starts": (b"\xff\xd8" + jpeg, EITHER),
        "only restarts": (jpeg[: scan + 14] + b"\xff\xd0" * 500 + b"\xff\xd9", EITHER),
        "segment too long": (jpeg[:2] + b"\xff\xe1\xff\xff" + jpeg[2:], EITHER),
    }
    for name, (data, outcomes) in cases.items():
        yield OddPicture(f"{name}.JPEG", data, outcomes)
    for part in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        cut = jpeg[: int(len(jpeg) * part)]
        yield OddPicture(f"cut at {part}.JPEG", cut, DAMAGED)


def _broken_png() -> Iterator[OddPicture]:
    rows, head = rows_of(scene()), header(SIZE)
    body = pixels(rows)
    long = pixels([*rows, *rows])
    few = b"\0\0\0\xff\xff\xff"
    cases: dict[str, tuple[bytes, frozenset[str]]] = {
        "wrong check": (png(head, chunk(b"IDAT", body[8:-4], right=False)), EITHER),
        "wrong header check": (png(patched(head, len(head) - 4, bytes(4)), body), DAMAGED),
        "no pixels": (png(head), DAMAGED),
        "few pixels": (png(head, pixels(rows[:30])), EITHER),
        "too many pixels": (png(head, long), EITHER),
        "not deflated": (png(head, chunk(b"IDAT", b"not deflated")), DAMAGED),
        "0 wide": (png(header((0, 60)), body), DAMAGED),
        "0 high": (png(header((80, 0)), body), DAMAGED),
        "2^31-1": (png(header((2**31 - 1, 2**31 - 1)), body), TOO_MANY_PIXELS),
        "2^32-1": (png(header((2**32 - 1, 1)), body), TOO_MANY_PIXELS | DAMAGED),
        "two headers": (png(head, header((7000, 7000)), body), EITHER),
        "two headers, a bomb": (png(head, header((60_000, 60_000)), body), TOO_MANY_PIXELS),
        "no header": (png(body), DAMAGED),
        "depth 3": (png(header(SIZE, 3), body), DAMAGED),
        "colour 9": (png(header(SIZE, 8, 9), body), DAMAGED),
        "no palette": (png(header(SIZE, 8, 3), body), EITHER),
        "beyond palette": (
            png(header(SIZE, 8, 3), chunk(b"PLTE", few), pixels([b"\xc8" * 80] * 60)),
            EITHER,
        ),
        "wrong filter": (
            png(head, chunk(b"IDAT", zlib.compress(b"\x09" + b"\7" * 240 + bytes(241 * 59)))),
            EITHER,
        ),
        "chunk too long": (
            png(head, patched(chunk(b"tEXt", b"x"), 0, b"\x7f\xff\xff\xff"), body),
            DAMAGED,
        ),
        "broken frames": (png(head, chunk(b"acTL", bytes(3)), body), EITHER),
        "no frames": (png(head, chunk(b"acTL", bytes(8)), body), EITHER),
    }
    for name, (data, outcomes) in cases.items():
        yield OddPicture(f"{name}.PNG", data, outcomes)


def _broken_gif() -> Iterator[OddPicture]:
    codes = b"\x44\x0e\x0a"  # a few pixels, then the end
    garbage = bytes(range(7, 250, 3)) * 6
    cases: dict[str, tuple[bytes, frozenset[str]]] = {
        "no frames": (gif(SIZE), DAMAGED),
        "few codes": (gif(SIZE, gif_frame((0, 0, *SIZE), codes)), DAMAGED),
        "garbage codes": (gif(SIZE, gif_frame((0, 0, *SIZE), garbage)), EITHER),
        "outside": (gif((20, 20), gif_frame((300, 300, 50, 50), garbage)), EITHER),
        "frame of nothing": (gif(SIZE, gif_frame((0, 0, 0, 0), codes)), EITHER),
        "canvas of nothing": (gif((0, 0), gif_frame((0, 0, 0, 0), codes)), EITHER),
        "no end of extension": (gif(SIZE, b"!\xfe" + b"\xff" * 400), DAMAGED),
        "65535": (gif((65535, 65535), gif_frame((0, 0, *SIZE), codes)), TOO_MANY_PIXELS),
        "large frame": (
            gif(SIZE, gif_frame((0, 0, 65535, 65535), codes)),
            TOO_MANY_PIXELS | DAMAGED,
        ),
    }
    for name, (data, outcomes) in cases.items():
        yield OddPicture(f"{name}.GIF", data, outcomes)


def _broken_others() -> Iterator[OddPicture]:
    grey, far = b"".join(rows_of(scene("L"))), 0xFFFFFF0
    wide = (4, 1, 2**31 - 1)
    avif, few = saved(scene(), "AVIF"), bytes([*RED[::-1], 0, *BLUE[::-1], 0])
    cases: dict[str, tuple[bytes, frozenset[str]]] = {
        "strip beyond.TIFF": (grey_tiff(SIZE, grey, t273=(4, 1, far)), DAMAGED),
        "huge strip.TIFF": (grey_tiff(SIZE, grey, t279=wide), EITHER),
        "huge sides.TIFF": (grey_tiff(SIZE, grey, t256=wide, t257=wide), TOO_MANY_PIXELS),
        "no width.TIFF": (grey_tiff(SIZE, grey, t256=(4, 0, 0)), DAMAGED),
        "width of text.TIFF": (grey_tiff(SIZE, grey, t256=(2, 4, 0x41414141)), DAMAGED),
        "2^31 values.TIFF": (grey_tiff(SIZE, grey, t33432=(2, 2**31 - 1, 8)), EITHER),
        "huge tiles.TIFF": (
            grey_tiff(SIZE, grey, t273=(4, 0, 0), t322=wide, t323=wide, t324=(4, 1, 200)),
            DAMAGED | TOO_MANY_PIXELS,
        ),
        "directory beyond.TIFF": (b"II*\0" + struct.pack("<I", far), DAMAGED),
        "empty directory.TIFF": (tiff({}), DAMAGED),
        "odd packing.TIFF": (grey_tiff(SIZE, grey, t259=(3, 1, 34_712)), DAMAGED),
        "beyond.BMP": (bmp(SIZE, 24, b"", offset=10**9), DAMAGED),
        "negative width.BMP": (bmp((-80, 60), 24, grey * 3), DAMAGED | TOO_MANY_PIXELS),
        "least height.BMP": (bmp((80, -(2**31)), 24, grey), DAMAGED | TOO_MANY_PIXELS),
        "nothing wide.BMP": (bmp((0, 60), 24, grey), DAMAGED),
        "7 bits.BMP": (bmp(SIZE, 7, grey), DAMAGED),
        "many colours.BMP": (bmp(SIZE, 8, grey, colours=2**31), DAMAGED),
        "beyond palette.BMP": (bmp(SIZE, 8, b"\xc8" * 4800, palette=few), EITHER),
        "runs beyond.BMP": (bmp(SIZE, 8, b"\xff\1" * 9000, palette=few, compression=1), EITHER),
        "small canvas.WEBP": (extended_webp((1, 1)), EITHER),
        "large canvas.WEBP": (extended_webp((5000, 5000)), EITHER),
        "animated, no frame.WEBP": (extended_webp(SIZE, flags=2), EITHER),
        "only a header.WEBP": (riff((b"VP8X", bytes(10))), DAMAGED),
        "no chunk.WEBP": (riff(), DAMAGED),
        "other size.AVIF": (avif_claiming((1000, 1000)), EITHER),
        "0 wide.AVIF": (avif_claiming((0, 60)), DAMAGED),
        "no meta.AVIF": (avif.replace(b"meta", b"free"), DAMAGED),
        "grid.AVIF": (avif.replace(b"av01", b"grid"), DAMAGED),
        "only brands.AVIF": (avif[:32], DAMAGED),
    }
    for name, (data, outcomes) in cases.items():
        yield OddPicture(name, data, outcomes)


def _bombs() -> Iterator[OddPicture]:
    """More pixels than are allowed, by the header or truly; and exactly as many as are."""
    jpeg, body = saved(scene(), "JPEG"), pixels(rows_of(scene()))
    webp = saved(scene(), "WEBP", lossless=True)
    sides = ((16384 - 1) | (16384 - 1) << 14).to_bytes(4, "little")
    flat = Image.new("L", (7500, 7000), 99)
    claims = {
        "65500.JPEG": with_frame(jpeg, 5, struct.pack(">HH", 65500, 65500)),
        "60000.PNG": png(header((60_000, 60_000)), body),
        "16384 lossless.WEBP": patched(webp, 21, sides),
        "16384 canvas.WEBP": extended_webp((16384, 16384)),
        "60000.BMP": bmp((60_000, 60_000), 24, b""),
        "30000.AVIF": avif_claiming((30_000, 30_000)),
        "just above.PNG": png(header((10_000, 5_001)), body),
        "true.PNG": saved(flat, "PNG"),
        "true.JPEG": saved(flat, "JPEG"),
        "true.GIF": saved(flat, "GIF"),
        "true.TIFF": saved(flat, "TIFF", compression="tiff_lzw"),
    }
    for name, data in claims.items():
        # Decoders of AVIF, and Pillow 12's of WebP, give up on some before they tell their size.
        vague = name.endswith(("AVIF", "WEBP"))
        outcomes = TOO_MANY_PIXELS | DAMAGED if vague else TOO_MANY_PIXELS
        yield OddPicture(f"bomb {name}", data, outcomes)
    most = Image.new("L", (10_000, 5_000), 128)
    flat_grey = ((128,) * 3,) * 4
    for kind, options in (("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True})):
        name = f"most {'progressive' if options else 'plain'}.{kind}"
        yield _fine(name, saved(most, kind, **options), kind, flat_grey, most.size)
    # Little to send, minutes to do; it is given up.
    slow = scan_bomb((7000, 7000), 4000)
    yield OddPicture("many scans.JPEG", slow, frozenset({"decoder_timeout"}), hangs=True)


def _other_files() -> Iterator[OddPicture]:
    others: dict[str, bytes] = {
        "empty": b"",
        "one byte": b"\xff",
        "html": b"<!doctype html><html><body>not found</body></html>",
        "json": b'{"error": "not found"}',
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "pdf": saved(scene(), "PDF"),
        "eps": saved(scene(), "EPS"),
        "ps": b"%!PS-Adobe-3.0\n(%pipe%id) (w) file closefile\nshowpage\n",
        "xpm": b'/* XPM */\nstatic char *a[] = {\n"1 1 1 1",\n". c #000000",\n"."\n};\n',
        "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 60, 80, 8, 3) + bytes(900),
        "fli": bytes(4) + b"\x11\xaf" + bytes(200),
        "riff": b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
        "zip": b"PK\3\4" + bytes(100),
        "mvg": b"push graphic-context\nfill 'url(https://127.0.0.1/x)'\npop graphic-context",
    }
    for kind in ("ICO", "ICNS", "TGA", "PPM", "JPEG2000"):
        others[kind.lower()] = saved(scene(), kind)
    for name, data in others.items():
        yield OddPicture(f"{name}.jpg", data, NOT_A_PICTURE)
    magic = {kind: saved(scene(), kind)[:12] for kind in KINDS}
    for kind, data in magic.items():
        outcomes = DAMAGED if kind != "AVIF" else DAMAGED | NOT_A_PICTURE
        yield OddPicture(f"only magic.{kind}", data, outcomes)
    archive = b"PK\3\4" + bytes(26) + b"a" + b"PK\5\6" + bytes(18)
    yield _fine("and a zip.JPEG", saved(scene(), "JPEG") + archive, "JPEG")
    page = b"<script>alert(1)</script>"
    yield _fine("and a page.GIF", saved(scene(), "GIF") + page, "GIF")
    inside = with_segments(saved(scene(), "JPEG"), (0xFE, b"%!PS-Adobe-3.0\n" + page))
    yield _fine("with a script inside.JPEG", inside, "JPEG")


def garbled(seed: int) -> Iterator[OddPicture]:
    """Cut, flipped, spliced and made up at random, of every format."""
    chance = random.Random(seed)
    files = {kind: saved(noise((120, 90)), kind) for kind in KINDS}
    for kind, data in files.items():
        cut = data[: int(len(data) * chance.uniform(0.1, 0.85))]
        yield OddPicture(f"cut.{kind}", cut, DAMAGED)
        for number in range(3):
            flipped = bytearray(data)
            for _ in range(chance.randint(1, 30)):
                flipped[chance.randrange(len(data))] = chance.randrange(256)
            outcomes = EITHER | TOO_MANY_PIXELS | NOT_A_PICTURE
            yield OddPicture(f"flipped {number}.{kind}", bytes(flipped), outcomes)
        other = files[chance.choice(KINDS)]
        at = chance.randrange(len(data))
        yield OddPicture(f"spliced.{kind}", data[:at] + other, outcomes)
        made_up = data[:16] + chance.randbytes(5000)
        yield OddPicture(f"made up.{kind}", made_up, outcomes)


def write(folder: Path, pictures: Sequence[OddPicture]) -> list[Path]:
    """Each into a file of its own; the paths, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d} {one.name}" for number, one in enumerate(pictures)]
    for path, one in zip(paths, pictures, strict=True):
        path.write_bytes(one.data)
    return paths


if __name__ == "__main__":
    made = odd_pictures(int(sys.argv[2]))
    write(Path(sys.argv[1]), made)
    print(f"{len(made)} pictures in {sys.argv[1]}")
