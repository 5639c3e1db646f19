"""Image files put together byte by byte, as no library would write them."""

import io
import random
import struct
import zlib
from collections.abc import Iterable

from PIL import Image

SIZE = (80, 60)
RED, GREEN, BLUE, YELLOW = (230, 20, 20), (20, 200, 20), (20, 20, 230), (240, 230, 20)
CORNERS = (RED, GREEN, BLUE, YELLOW)  # top left, top right, bottom left, bottom right


def scene(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Four quarters of four colours, such that no turn of it looks like another."""
    width, height = size
    image = Image.new("RGB", size, RED)
    image.paste(GREEN, (width // 2, 0, width, height))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image.convert(mode)


def noise(size: tuple[int, int]) -> Image.Image:
    """What no format packs well, always the same."""
    data = random.Random(1).randbytes(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, data)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation: object) -> bytes:
    """EXIF that says nothing but an orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def chunk(kind: bytes, body: bytes, *, right: bool = True) -> bytes:
    """One chunk of a PNG, its check right or wrong."""
    check = zlib.crc32(kind + body) ^ (not right)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def header(size: tuple[int, int], depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    """The IHDR of a PNG."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlace))


def png(*chunks: bytes, end: bytes = b"") -> bytes:
    """A PNG of these chunks; IEND is added, and then `end`."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"") + end


def pixels(rows: Iterable[bytes]) -> bytes:
    """The IDAT of unfiltered rows."""
    return chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9))


def rows_of(image: Image.Image) -> list[bytes]:
    """An image of whole bytes, row by row."""
    data, step = image.tobytes(), len(image.tobytes()) // image.height
    return [data[at : at + step] for at in range(0, len(data), step)]


def deep_png(mode: str, colour: int) -> bytes:
    """A PNG of 16 bits a channel, which Pillow can't write."""
    rows = [bytes(byte for value in row for byte in (value, value)) for row in _scene_rows(mode)]
    return png(header(SIZE, 16, colour), pixels(rows))


def _scene_rows(mode: str) -> list[bytes]:
    return rows_of(scene(mode))


def few_bits_png(depth: int) -> bytes:
    """A palette PNG of fewer than eight bits a pixel, one row of bytes like the next."""
    halves = bytes([0b00000000] * (SIZE[0] * depth // 16) + [0xFF] * (SIZE[0] * depth // 16))
    palette = bytes(RED) * (2**depth - 1) + bytes(BLUE)
    return png(header(SIZE, depth, 3), chunk(b"PLTE", palette), pixels([halves] * SIZE[1]))


# Where each of Adam7's passes starts and how far it steps: x, y, step in x, step in y.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
_LAST_PASS = (0, 1, 1, 2)


def interlaced_png() -> bytes:
    """The scene in seven passes."""
    rows, passed = rows_of(scene()), []
    for left, top, across, down in (*_PASSES, _LAST_PASS):
        for row in rows[top::down]:
            cells = [row[at : at + 3] for at in range(left * 3, len(row), across * 3)]
            passed.append(b"".join(cells))
    return png(header(SIZE, interlace=1), pixels(passed))


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with segments (marker, body) put in at its start."""
    extra = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in segments
    )
    return jpeg[:2] + extra + jpeg[2:]


def frame_of(jpeg: bytes) -> int:
    """Where the frame header (SOF) of a JPEG starts."""
    return next(at for at in range(len(jpeg)) if jpeg[at : at + 2] in {b"\xff\xc0", b"\xff\xc2"})


def with_frame(jpeg: bytes, at: int, value: bytes) -> bytes:
    """A JPEG with bytes of its frame header replaced (4: precision, 5: height, 7: width)."""
    return patched(jpeg, frame_of(jpeg) + at, value)


def patched(data: bytes, at: int, value: bytes) -> bytes:
    """The same with some bytes replaced."""
    return data[:at] + value + data[at + len(value) :]


def scan_bomb(size: tuple[int, int], scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: little to send, much to do."""
    jpeg = saved(Image.new("L", size, 128), "JPEG", progressive=True)
    last = jpeg.rfind(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * scans + b"\xff\xd9"


def gif(size: tuple[int, int], *blocks: bytes) -> bytes:
    """A GIF of two colours."""
    screen = b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0)
    return screen + bytes(RED) + bytes(BLUE) + b"".join(blocks) + b";"


def gif_frame(box: tuple[int, int, int, int], codes: bytes) -> bytes:
    """One frame: its place (left, top, width, height) and its compressed codes."""
    parts = [codes[at : at + 255] for at in range(0, len(codes), 255)]
    packed = b"".join(bytes([len(part)]) + part for part in parts)
    return b"," + struct.pack("<HHHHB", *box, 0) + b"\x02" + packed + b"\0"


def bmp(
    size: tuple[int, int],
    bits: int,
    data: bytes,
    *,
    palette: bytes = b"",
    compression: int = 0,
    offset: int | None = None,
    colours: int | None = None,
) -> bytes:
    """A BMP; a negative height counts from the top."""
    begin = 54 + len(palette) if offset is None else offset
    count = len(palette) // 4 if colours is None else colours
    info = struct.pack(
        "<IiiHHIIiiII", 40, *size, 1, bits, compression, len(data), 2835, 2835, count, 0
    )
    return (
        struct.pack("<2sIII", b"BM", 54 + len(palette) + len(data), 0, begin)
        + info
        + (palette + data)
    )


def tiff(tags: dict[int, tuple[int, int, int]], data: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory (tag: type, count, value) with data behind, at 8 + 6 + 12 n."""
    entries = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(tags.items()))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8) + directory + data


def grey_tiff(
    size: tuple[int, int], data: bytes, following: int = 0, **more: tuple[int, int, int]
) -> bytes:
    """An uncompressed grey TIFF; `more` adds or replaces tags: t322=(type, count, value).

    A count of 0 leaves the tag out.
    """
    extra = {int(name[1:]): entry for name, entry in more.items()}
    tags = {
        256: (4, 1, size[0]),
        257: (4, 1, size[1]),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 0),
        277: (3, 1, 1),
        278: (4, 1, size[1]),
        279: (4, 1, len(data)),
    } | extra
    tags = {tag: entry for tag, entry in tags.items() if entry[1]}
    if tags.get(273) == (4, 1, 0):
        tags[273] = (4, 1, 8 + 6 + 12 * len(tags))
    return tiff(tags, data, following)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP"
    for kind, data in chunks:
        body += kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended_webp(size: tuple[int, int], flags: int = 0) -> bytes:
    """A WebP whose VP8X claims a canvas of another size than its picture."""
    plain = saved(scene(), "WEBP")
    canvas = bytes([flags, 0, 0, 0]) + b"".join(struct.pack("<I", side - 1)[:3] for side in size)
    kind, length = plain[12:16], struct.unpack("<I", plain[16:20])[0]
    return riff((b"VP8X", canvas), (kind, plain[20 : 20 + length]))


def avif_claiming(size: tuple[int, int]) -> bytes:
    """An AVIF whose container claims another size than its picture has."""
    data = saved(scene(), "AVIF")
    return patched(data, data.index(b"ispe") + 8, struct.pack(">II", *size))
