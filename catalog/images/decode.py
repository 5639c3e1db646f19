"""From the bytes of a picture to pixels at a model's size. Only the decode worker imports this.

Pillow decodes, for training and inference alike, so that both see the same pixels.
"""

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import AvifImagePlugin, Image, JpegImagePlugin
from PIL.ExifTags import Base as ExifTag

from catalog.images.fingerprint import fingerprint
from catalog.images.formats import HEAD, sniff
from catalog.images.reasons import Reason

MAX_PIXELS = 50_000_000
HEAVY_PIXELS = 12_000_000  # held in memory at once; above it a picture is decoded alone

# Never shrunk below this side before the fingerprint is taken, such that the fingerprint does not
# depend on the model's size (up to this one).
WORKING_SIDE = 256

# As many workers as cores decode already, and every thread takes memory of theirs.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

_START_OF_SCAN = b"\xff\xda"
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = (5, 6, 7, 8)


class Unreadable(Exception):  # noqa: N818 - an outcome, not a programming error
    """These bytes are not a picture that can be looked at; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class TooHeavy(Exception):  # noqa: N818 - an outcome, not a programming error
    """The picture needs so much memory that no other such one may be decoded beside it."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """A decoded picture."""

    rgb: bytes  # uint8, size x size x 3, row by row
    width: int  # pixels of the original, upright
    height: int
    format: str
    fingerprint: str


def decode(data: bytes, size: int, *, alone: bool = True, max_pixels: int = MAX_PIXELS) -> Pixels:
    """The picture squashed to `size` x `size` RGB: upright, alpha over white, its first frame.

    Raises Unreadable; raises TooHeavy for a picture of more than HEAVY_PIXELS unless `alone`.
    """
    Image.MAX_IMAGE_PIXELS = max_pixels  # of a picture, and of the frames and tiles in it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # All that Pillow does between one and two times MAX_IMAGE_PIXELS is to warn.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(data, size, alone=alone)
    except (Unreadable, TooHeavy):
        raise
    except MemoryError:
        raise Unreadable(Reason.OUT_OF_MEMORY) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Unreadable(Reason.TOO_MANY_PIXELS) from None
    except Exception as err:  # on hostile bytes Pillow's plugins raise almost anything
        raise Unreadable(Reason.DAMAGED) from err


def _decode(data: bytes, size: int, *, alone: bool) -> Pixels:
    image, name, whole = _open(data)
    width, height = image.size
    side = max(size, WORKING_SIDE)
    image.draft(None, (side, side))  # lets libjpeg decode at 1/2, 1/4 or 1/8; JPEG only
    if not alone and (width * height if whole else image.width * image.height) > HEAVY_PIXELS:
        raise TooHeavy
    image.load()
    orientation = _orientation(image)
    if orientation in _ON_ITS_SIDE:
        width, height = height, width
    picture = _upright(_flat(_reduced(_plain(image), side)), orientation)
    # As Keras does by default, but over all pixels; bicubic takes half as long again.
    pixels = picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return Pixels(pixels.tobytes(), width, height, name, fingerprint(picture))


def _open(data: bytes) -> tuple[Image.Image, str, bool]:
    """The picture, its pixels not yet read, its format, and whether it must be held whole.

    Only the plugin of that format sees the bytes: a `.jpg` that holds PostScript would otherwise
    make Pillow run Ghostscript.
    """
    name = sniff(data[:HEAD])
    if name is None:
        raise Unreadable(Reason.NOT_A_PICTURE)
    file = BytesIO(data)
    image = Image.open(file, formats=[name])
    whole = isinstance(image, JpegImagePlugin.JpegImageFile) and _in_parts(image, data, file.tell())
    return image, name, whole


def _in_parts(image: JpegImagePlugin.JpegImageFile, data: bytes, read: int) -> bool:
    """Whether a JPEG of which `read` bytes were read comes in several scans.

    libjpeg then keeps all its coefficients, at whatever size they are asked for: the first scan
    is progressive, or has fewer layers than the picture.
    """
    layers = data.rfind(_START_OF_SCAN, 0, read) + 4
    return "progressive" in image.info or data[layers] < image.layers


def _orientation(image: Image.Image) -> object:
    """What EXIF (or XMP) says; 1, which is upright, where it is damaged."""
    try:
        return image.getexif().get(ExifTag.Orientation, 1)
    except (SyntaxError, ValueError, TypeError, LookupError, struct.error, OSError):
        return 1  # damaged EXIF does not make the picture unreadable


def _upright(image: Image.Image, orientation: object) -> Image.Image:
    """Not by ImageOps: that writes the EXIF again as well, which fails where it is damaged."""
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _plain(image: Image.Image) -> Image.Image:
    """One of L, LA, RGB, RGBA; deeper grey is scaled, not clipped."""
    if image.mode in {"L", "LA", "RGB", "RGBA"} and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"I", "F"}:
        return _stretched(image)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Grey of 32 bits, whose range only its own values tell, as 8 bits from darkest to lightest."""
    low, high = (float(end) for end in image.getextrema())  # type: ignore[arg-type]
    scale = 255 / ((high - low) or 1.0)
    return image.point(lambda value: value * scale + (-low * scale)).convert("L")


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """A large picture averaged down by a whole number, to no less than four times `side`."""
    factor = min(image.size) // (4 * side)
    return image.reduce(factor) if factor > 1 else image


def _flat(image: Image.Image) -> Image.Image:
    """RGB, with what is transparent shown over white."""
    if image.mode in {"LA", "RGBA"}:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
