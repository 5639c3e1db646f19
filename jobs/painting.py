"""From a garment to its picture: colour, pattern, pose, light and backdrop. Nothing but Pillow."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from jobs.garments import BADGE_AT, OUTLINES, Fit, Ink, Point, Stroke, badge, cut_corners

SIZE = (192, 256)  # pixels, as saved
FINER = 2  # pictures are painted this many times larger, then reduced

COLOURS: Mapping[str, Ink] = {
    "Black": (40, 40, 46),
    "White": (244, 243, 238),
    "Grey": (138, 141, 146),
    "Red": (202, 36, 42),
    "Blue": (34, 84, 178),
    "Green": (44, 130, 72),
    "Yellow": (244, 200, 40),
    "Pink": (242, 142, 178),
    "Brown": (122, 76, 44),
}

FITS: Mapping[str, Fit] = {
    "Women": Fit(waist=0.72, length=0.98, heft=0.8),
    "Men": Fit(waist=1.12, length=1.05, heft=1.35),
    "Kids": Fit(waist=1.04, length=0.84, heft=1.15),
}
SIZES: Mapping[str, float] = {"Women": 0.94, "Men": 1.0, "Kids": 0.78}
LOW = ("Trainers", "Boots", "Heels", "Sandals")  # low and wide, so they are shown larger
PATTERNS = ("plain", "plain", "plain", "striped", "dotted")
BACKDROPS: Sequence[Ink] = (
    (232, 230, 226),
    (214, 220, 226),
    (226, 214, 200),
    (206, 216, 208),
    (196, 198, 204),
    (224, 212, 220),
)


@dataclass(frozen=True, slots=True)
class Garment:
    """What is pictured, and the chances of its pose, light and backdrop."""

    section: str
    kind: str
    colour: str
    pattern: str
    shade: float  # factor on the colour's usual RGB
    tilt: float  # degrees
    size: float
    stretch: float  # factor on the width alone
    shift: Point  # of the centre, in the unit of the outline
    flipped: bool
    signed: bool  # whether the section's badge shows
    backdrop: Ink
    light: float  # degrees, where the light on the backdrop comes from
    floor: float  # height of the floor's edge, as a part of the picture's height
    glow: Point  # centre of the bright disc behind the product, parts of width and height


def imagine(draw: random.Random, kind: str, section: str, colour: str) -> Garment:
    """A garment of that type in a pose of its own."""
    return Garment(
        section=section,
        kind=kind,
        colour=colour,
        pattern=draw.choice(PATTERNS),
        shade=draw.uniform(0.9, 1.1),
        tilt=draw.uniform(-12, 12),
        size=SIZES[section] * draw.uniform(0.92, 1.1) * (1.12 if kind in LOW else 1.0),
        stretch=draw.uniform(0.9, 1.08),
        shift=(draw.uniform(-0.14, 0.14), draw.uniform(-0.2, 0.2)),
        flipped=draw.random() < 0.5,
        signed=draw.random() < 0.96,
        backdrop=draw.choice(BACKDROPS),
        light=draw.uniform(0, 360),
        floor=draw.uniform(0.6, 0.95),
        glow=(draw.uniform(0, 1), draw.uniform(0, 0.7)),
    )


def toned(ink: Ink, tone: float) -> Ink:
    """The colour made darker (below 1) or lighter; no channel leaves 0 to 255."""
    red, green, blue = (min(255, max(0, round(value * tone))) for value in ink)
    return red, green, blue


def paint(garment: Garment) -> Image.Image:
    """The garment before its backdrop, RGB at SIZE."""
    width, height = SIZE[0] * FINER, SIZE[1] * FINER
    canvas = _backdrop(garment, width, height)
    strokes = OUTLINES[garment.kind](FITS[garment.section])
    if garment.signed:
        strokes += badge(garment.section, BADGE_AT[garment.kind])
    shapes = [(stroke, _placed(stroke, garment, width, height)) for stroke in strokes]
    _cast_shadow(canvas, shapes)
    base = toned(COLOURS[garment.colour], garment.shade)
    printed = _print_of(garment, base, (width, height))
    unit = _unit(garment, width)
    for stroke, points in shapes:
        _lay(canvas, stroke, points, base, unit)
        if stroke.cloth and printed is not None:
            mask = Image.new("L", canvas.size)
            ImageDraw.Draw(mask).polygon(points, fill=255)
            canvas.paste(printed[0], mask=ImageChops.multiply(mask, printed[1]))
    return canvas.reduce(FINER)


def _unit(garment: Garment, width: int) -> float:
    """Pixels of one unit of the outline."""
    return 0.39 * width * garment.size


def _placed(stroke: Stroke, garment: Garment, width: int, height: int) -> list[Point]:
    """The stroke's points in pixels, its corners cut, in the garment's pose."""
    unit, turn = _unit(garment, width), radians(garment.tilt)
    mirror = -1 if garment.flipped else 1
    placed = []
    for x, y in cut_corners(stroke.points, stroke.rounds, closed=stroke.width == 0):
        across, down = x * garment.stretch * mirror + garment.shift[0], y + garment.shift[1]
        placed.append(
            (
                width / 2 + unit * (across * cos(turn) - down * sin(turn)),
                height / 2 + unit * (across * sin(turn) + down * cos(turn)),
            )
        )
    return placed


def _lay(canvas: Image.Image, stroke: Stroke, points: list[Point], base: Ink, unit: float) -> None:
    """Paint one stroke; areas get a darker edge, so that white on white still shows."""
    pen = ImageDraw.Draw(canvas)
    ink = stroke.ink or toned(base, stroke.tone)
    if stroke.width:
        pen.line(points, fill=ink, width=max(2, round(stroke.width * unit)), joint="curve")
    else:
        pen.polygon(points, fill=ink)
        pen.line([*points, points[0]], fill=toned(ink, 0.72), width=FINER)


def _print_of(
    garment: Garment, base: Ink, size: tuple[int, int]
) -> tuple[Image.Image, Image.Image] | None:
    """The ink of the pattern and where it goes, over the whole picture; None where it is plain."""
    if garment.pattern == "plain":
        return None
    where = Image.new("L", size)
    pen = ImageDraw.Draw(where)
    step = round(_unit(garment, size[0]) * 0.2)
    if garment.pattern == "striped":
        slope = round(size[0] * sin(radians(garment.tilt)))
        for y in range(-abs(slope), size[1] + abs(slope), step):
            pen.line((0, y, size[0], y + slope), fill=255, width=step // 3)
    else:
        for row, y in enumerate(range(0, size[1], step)):
            for x in range((row % 2) * step // 2, size[0], step):
                pen.ellipse((x, y, x + step // 3, y + step // 3), fill=255)
    pale = sum(base) > 540  # a pale cloth is printed darker, any other paler
    ink = toned(base, 0.78) if pale else toned((base[0] + 70, base[1] + 70, base[2] + 70), 1.0)
    return Image.new("RGB", size, ink), where


def _backdrop(garment: Garment, width: int, height: int) -> Image.Image:
    """A wall lit from one side, a soft disc of light on it, and a floor."""
    coarse = (width // 8, height // 8)  # light has no edges, so few pixels do
    light = Image.linear_gradient("L").resize((80, 80)).rotate(garment.light)
    light = light.crop((12, 12, 68, 68)).resize(coarse).point(lambda value: 190 + value // 4)
    wall = Image.composite(
        Image.new("RGB", coarse, toned(garment.backdrop, 1.08)),
        Image.new("RGB", coarse, toned(garment.backdrop, 0.62)),
        light,
    )
    disc = Image.new("L", coarse)
    x, y, radius = garment.glow[0] * coarse[0], garment.glow[1] * coarse[1], coarse[0] * 0.34
    ImageDraw.Draw(disc).ellipse((x - radius, y - radius, x + radius, y + radius), fill=70)
    wall.paste((255, 255, 255), mask=disc.filter(ImageFilter.GaussianBlur(2)))
    canvas = wall.resize(SIZE, Image.Resampling.BILINEAR)
    canvas = canvas.resize((width, height), Image.Resampling.NEAREST)
    edge, lean = height * garment.floor, height * garment.tilt / 120
    floor = [(0, edge + lean), (width, edge - lean), (width, height), (0, height)]
    ImageDraw.Draw(canvas).polygon(floor, fill=toned(garment.backdrop, 0.86))
    return canvas


def _cast_shadow(canvas: Image.Image, shapes: Sequence[tuple[Stroke, list[Point]]]) -> None:
    """Darken the backdrop a little to the lower right of the garment."""
    shadow = Image.new("L", (canvas.width // 8, canvas.height // 8))
    pen = ImageDraw.Draw(shadow)
    for stroke, points in shapes:
        if not stroke.width:
            pen.polygon([(x / 8 + 2, y / 8 + 3) for x, y in points], fill=110)
    blurred = shadow.filter(ImageFilter.GaussianBlur(2)).resize(
        canvas.size, Image.Resampling.BILINEAR
    )
    canvas.paste((60, 58, 62), mask=blurred)
