"""The outlines of the sample's garments, shoes and bags: pure geometry, nothing is painted here.

A product is a sequence of strokes, painted in order. Points are (x, y) with the picture's centre
at (0, 0), x growing to the right and y downwards; a product fills about -1 to 1 each way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, pi, sin

Point = tuple[float, float]
Ink = tuple[int, int, int]

WHITE: Ink = (246, 245, 240)
DARK: Ink = (44, 42, 46)
GOLD: Ink = (201, 158, 66)
RUBBER: Ink = (226, 221, 210)
STAR: Ink = (250, 130, 40)
BOW: Ink = (142, 40, 160)


@dataclass(frozen=True, slots=True)
class Stroke:
    """One area (or one line where `width` is above 0) of a product."""

    points: tuple[Point, ...]
    tone: float = 1.0  # factor on the product's colour; below 1 is darker
    ink: Ink | None = None  # a colour of its own, whatever the product's is
    width: float = 0.0  # of a line, in the unit of the points
    rounds: int = 2  # how often corners are cut; 0 keeps them sharp
    cloth: bool = False  # whether the product's pattern is printed on it


@dataclass(frozen=True, slots=True)
class Fit:
    """What the section of the shop does to a product's outline."""

    waist: float  # factor on the width at the waist
    length: float  # factor on everything below the chest
    heft: float  # factor on soles, straps and cuffs


def symmetric(half: Iterable[Point]) -> tuple[Point, ...]:
    """The right half of an outline, from top to bottom, closed by its mirror image."""
    right = tuple(half)
    return right + tuple((-x, y) for x, y in reversed(right))


def both(stroke: Stroke, axis: float = 0.0) -> tuple[Stroke, Stroke]:
    """A stroke and its mirror image, such as two sleeves."""
    return stroke, replace(stroke, points=tuple((2 * axis - x, y) for x, y in stroke.points))


def oval(x: float, y: float, rx: float, ry: float) -> tuple[Point, ...]:
    """Sixteen points around an ellipse."""
    turns = (2 * pi * step / 16 for step in range(16))
    return tuple((x + rx * cos(turn), y + ry * sin(turn)) for turn in turns)


def star(x: float, y: float, radius: float) -> tuple[Point, ...]:
    """Ten points of a five-pointed star."""
    turns = [(pi * step / 5 - pi / 2, radius * (0.45 if step % 2 else 1)) for step in range(10)]
    return tuple((x + reach * cos(turn), y + reach * sin(turn)) for turn, reach in turns)


def cut_corners(points: Sequence[Point], rounds: int, *, closed: bool) -> list[Point]:
    """Chaikin's rule: each round replaces a corner by two points at a quarter of its edges."""
    line = list(points)
    for _ in range(rounds):
        ends = line[1:] + line[:1] if closed else line[1:]
        cut = [
            (a * near + b * (1 - near), c * near + d * (1 - near))
            for (a, c), (b, d) in zip(line, ends, strict=False)
            for near in (0.75, 0.25)
        ]
        line = cut if closed else [line[0], *cut, line[-1]]
    return line


def tshirt(fit: Fit) -> list[Stroke]:
    """Short sleeves and a round neck."""
    hem = 0.92 * fit.length
    body = [(0.24, -0.9), (0.6, -0.8), (1.02, -0.34), (0.76, -0.1), (0.56, -0.34)]
    body += [(0.52 * fit.waist, 0.25), (0.57, hem), (0.3, hem + 0.03)]
    cuff = Stroke(((0.98, -0.36), (0.77, -0.15)), 0.75, width=0.05)
    return [
        Stroke(symmetric(body), rounds=1, cloth=True),
        *both(cuff),
        Stroke(oval(0, -0.88, 0.25, 0.15), 0.6),
        Stroke(((-0.25, -0.9), (-0.15, -0.7), (0.15, -0.7), (0.25, -0.9)), 0.8, width=0.05),
    ]


def shirt(fit: Fit) -> list[Stroke]:
    """Long sleeves, a collar and a row of buttons."""
    hem = 0.98 * fit.length
    body = [(0.2, -0.92), (0.6, -0.8), (0.5 * fit.waist + 0.06, 0.2), (0.6, hem), (0.25, hem - 0.1)]
    sleeve = ((0.44, -0.85), (0.64, -0.78), (1.02, 0.52), (0.8, 0.6), (0.5, -0.2))
    cuff = ((0.99, 0.4), (1.05, 0.56), (0.82, 0.66), (0.75, 0.48))
    collar = ((0, -0.74), (0.12, -0.98), (0.3, -0.9), (0.24, -0.62))
    buttons = [-0.5, -0.22, 0.06, 0.34, 0.62]
    return [
        *both(Stroke(sleeve, 0.93, rounds=1, cloth=True)),
        *both(Stroke(cuff, 0.72, rounds=0)),
        Stroke(symmetric(body), rounds=1, cloth=True),
        Stroke(((0, -0.74), (0, hem - 0.08)), 0.68, width=0.035),
        *both(Stroke(collar, 1.18, rounds=0)),
        *(Stroke(oval(0, y * fit.length, 0.035, 0.035), ink=WHITE) for y in buttons),
        Stroke(((0.18, -0.3), (0.42, -0.3), (0.42, -0.05), (0.18, -0.05)), 0.82, rounds=0),
    ]


def jacket(fit: Fit) -> list[Stroke]:
    """Open at the front over a white lining, with lapels, pockets and a wide hem."""
    hem = 0.8 * fit.length
    body = [(0.26, -0.95), (0.68, -0.8), (0.58 * fit.waist + 0.06, 0.15), (0.66, hem), (0.3, hem)]
    sleeve = ((0.44, -0.86), (0.72, -0.78), (1.14, 0.5), (0.86, 0.6), (0.52, -0.15))
    cuff = ((1.08, 0.34), (1.16, 0.52), (0.86, 0.66), (0.8, 0.46))
    lapel = ((0.1, -0.95), (0.3, -0.95), (0.42, -0.5), (0.16, 0.05), (0.1, -0.3))
    band = ((0.14, hem - 0.12), (0.66, hem - 0.12), (0.67, hem + 0.03), (0.12, hem + 0.03))
    return [
        *both(Stroke(sleeve, 0.85, rounds=1, cloth=True)),
        *both(Stroke(cuff, 0.55, rounds=0)),
        Stroke(symmetric(body), rounds=1, cloth=True),
        Stroke(symmetric([(0.2, -0.95), (0.12, -0.1), (0.2, hem)]), ink=WHITE, rounds=0),
        *both(Stroke(lapel, 0.7, rounds=0)),
        *both(Stroke(band, 0.6, rounds=0)),
        *both(Stroke(((0.3, 0.34), (0.54, 0.24)), 0.5, width=0.06)),
    ]


def trousers(fit: Fit) -> list[Stroke]:
    """Two long legs."""
    hem, hip = 1.12 * fit.length, 0.5 * (0.6 + 0.4 * fit.waist)
    leg = ((0, -1.0), (0.4 * fit.waist, -1.0), (hip, -0.55), (0.46, hem), (0.16, hem), (0, -0.25))
    return _legs(fit, leg, hem, (0.14, 0.48))


def shorts(fit: Fit) -> list[Stroke]:
    """Two short, wide legs."""
    hem = 0.4 * fit.length
    leg = ((0, -0.75), (0.5 * fit.waist, -0.75), (0.62, -0.3), (0.74, hem), (0.1, hem), (0, -0.1))
    return _legs(fit, leg, hem, (0.12, 0.74), top=-0.75)


def _legs(
    fit: Fit, leg: tuple[Point, ...], hem: float, foot: tuple[float, float], top: float = -1.0
) -> list[Stroke]:
    """What trousers and shorts share: legs, turn-ups, waistband, pockets and the seam between."""
    waist = leg[1][0] + 0.02
    turn_up = ((foot[0], hem - 0.06), (foot[1], hem - 0.06), (foot[1], hem + 0.03))
    band = ((-waist, top - 0.02), (waist, top - 0.02), (waist + 0.02, top + 0.12))
    return [
        *both(Stroke(leg, rounds=1, cloth=True)),
        *both(Stroke((*turn_up, (foot[0], hem + 0.03)), 0.72, rounds=0)),
        Stroke((*band, (-waist - 0.02, top + 0.12)), 0.68, rounds=0),
        Stroke(((0, top + 0.12), (0, leg[-1][1])), 0.6, width=0.03),
        *both(Stroke(((0.2, top + 0.14), (0.42 * fit.waist, top + 0.36)), 0.6, width=0.03)),
        Stroke(oval(0, top + 0.05, 0.035, 0.035), ink=GOLD),
    ]


def skirt(fit: Fit) -> list[Stroke]:
    """Flared from a narrow waistband, with pleats."""
    hem, waist = 0.72 * fit.length, 0.4 * fit.waist
    cloth = symmetric([(waist, -0.7), (0.62, -0.1), (0.86, hem - 0.06), (0.4, hem + 0.06)])
    band = ((-waist, -0.82), (waist, -0.82), (waist + 0.02, -0.66), (-waist - 0.02, -0.66))
    pleats = [
        Stroke(((x * waist, -0.66), (x * 0.8, hem)), 0.74, width=0.025)
        for x in (-0.6, -0.2, 0.2, 0.6)
    ]
    return [Stroke(cloth, rounds=1, cloth=True), *pleats, Stroke(band, 0.62, rounds=0)]


def dress(fit: Fit) -> list[Stroke]:
    """Two straps, a belt at the waist and a wide skirt in one."""
    hem, waist = 1.1 * fit.length, 0.3 * fit.waist
    half = [(0.1, -0.72), (0.2, -1.1), (0.3, -1.1), (0.4, -0.62), (waist, -0.1), (0.7, hem - 0.05)]
    belt = ((-waist - 0.03, -0.16), (waist + 0.03, -0.16), (waist + 0.05, -0.03))
    folds = [Stroke(((x / 3, 0), (x, hem - 0.05)), 0.76, width=0.025) for x in (-0.4, 0, 0.4)]
    return [
        Stroke(symmetric([*half, (0.3, hem + 0.05)]), rounds=1, cloth=True),
        *folds,
        Stroke((*belt, (-waist - 0.05, -0.03)), 0.55, rounds=0),
    ]


def trainer(fit: Fit) -> list[Stroke]:
    """A low shoe from the side: thick pale sole, laces, a stripe."""
    upper = [(-0.92, 0.32), (-0.96, -0.3), (-0.72, -0.42), (-0.42, -0.36), (-0.02, -0.22)]
    upper += [(0.4, 0.02), (0.86, 0.1), (1.02, 0.34)]
    thick = 0.2 * fit.heft
    sole = [(-0.98, 0.28), (1.06, 0.28), (1.08, 0.3 + thick), (-0.96, 0.32 + thick)]
    laces = [((-0.32 + d, -0.36 + d / 2), (-0.2 + d, -0.12 + d / 2)) for d in (0, 0.18, 0.36)]
    toe = ((0.62, 0.3), (0.66, 0.08), (0.9, 0.1), (1.03, 0.3))
    return [
        Stroke(tuple(upper), rounds=2, cloth=True),
        Stroke(toe, 0.75, rounds=1),
        Stroke(((-0.5, 0.28), (-0.16, -0.1)), 0.6, width=0.09),
        Stroke(((-0.3, 0.28), (0.04, 0.0)), 0.6, width=0.09),
        *(Stroke(lace, ink=WHITE, width=0.055) for lace in laces),
        Stroke(tuple(sole), ink=RUBBER, rounds=1),
    ]


def boot(fit: Fit) -> list[Stroke]:
    """A high shaft over a dark heel."""
    top = -0.95 * fit.length
    upper = [(-0.55, 0.6), (-0.5, top), (0.14, top - 0.03), (0.16, -0.1), (0.5, 0.14)]
    upper += [(0.88, 0.28), (0.94, 0.62)]
    heel = (
        (-0.58, 0.58),
        (-0.16, 0.58),
        (-0.18, 0.6 + 0.3 * fit.heft),
        (-0.56, 0.6 + 0.3 * fit.heft),
    )
    sole = ((-0.58, 0.56), (0.97, 0.56), (0.95, 0.56 + 0.13 * fit.heft), (-0.5, 0.7))
    return [
        Stroke(tuple(upper), rounds=1, cloth=True),
        Stroke(((-0.5, top + 0.14), (0.13, top + 0.11)), 0.66, width=0.06),
        Stroke(((-0.18, top + 0.1), (-0.16, 0.5)), 0.66, width=0.035),
        Stroke(heel, ink=DARK, rounds=0),
        Stroke(sole, ink=DARK, rounds=0),
        *(Stroke(((-0.1, y), (0.12, y - 0.03)), ink=GOLD, width=0.04) for y in (-0.5, -0.3, -0.1)),
    ]


def heel(fit: Fit) -> list[Stroke]:
    """A court shoe on a thin high heel."""
    upper = [(-0.86, -0.42), (-0.7, -0.5), (-0.5, -0.2), (0.1, 0.24), (0.5, 0.2), (0.98, 0.5)]
    upper += [(0.5, 0.54), (0.05, 0.5), (-0.5, 0.1), (-0.84, 0.02)]
    spike = ((-0.86, -0.1), (-0.62, 0.02), (-0.72, 0.62), (-0.72 - 0.06 * fit.heft, 0.62))
    return [
        Stroke(spike, 0.7, rounds=0),
        Stroke(tuple(upper), rounds=1, cloth=True),
        Stroke(((-0.84, 0.06), (-0.5, 0.14), (0.05, 0.53), (0.96, 0.53)), ink=DARK, width=0.05),
    ]


def sandal(fit: Fit) -> list[Stroke]:
    """A flat sole under three open straps."""
    sole = [(-0.98, 0.3), (0, 0.36), (1.0, 0.3), (0.98, 0.34 + 0.12 * fit.heft), (0, 0.56)]
    sole += [(-0.96, 0.36 + 0.12 * fit.heft)]
    arcs = [
        ((-0.86, 0.32), (-0.7, -0.26), (-0.46, -0.26), (-0.3, 0.34)),
        ((-0.1, 0.36), (0.12, -0.1), (0.34, -0.06), (0.44, 0.35)),
        ((0.5, 0.35), (0.64, 0.02), (0.78, 0.06), (0.86, 0.33)),
    ]
    thick = 0.14 * fit.heft
    return [
        *(Stroke(arc, width=thick) for arc in arcs),
        Stroke(((-0.66, -0.18), (-0.2, -0.26), (0.2, -0.04)), 0.8, width=thick * 0.7),
        Stroke(tuple(sole), ink=(188, 150, 104), rounds=1),
        Stroke(oval(-0.56, -0.2, 0.07, 0.07), ink=GOLD),
    ]


def handbag(fit: Fit) -> list[Stroke]:
    """A trapezium with a flap, a clasp and one high handle."""
    arc = ((-0.46, -0.2), (-0.4, -0.98), (0.4, -0.98), (0.46, -0.2))
    body = ((-0.68, -0.2), (0.68, -0.2), (0.92, 0.72), (-0.92, 0.72))
    flap = ((-0.7, -0.22), (0.7, -0.22), (0.66, 0.2), (0, 0.34), (-0.66, 0.2))
    return [
        Stroke(arc, 0.62, width=0.09 * fit.heft),
        Stroke(body, rounds=1, cloth=True),
        Stroke(flap, 0.78, rounds=1),
        Stroke(oval(0, 0.26, 0.09, 0.09), ink=GOLD),
        *both(Stroke(oval(0.46, -0.2, 0.07, 0.07), ink=GOLD)),
    ]


def backpack(fit: Fit) -> list[Stroke]:
    """A tall rounded bag with a front pocket, a loop and shoulder straps."""
    strap = ((0.5, -0.6), (0.86, -0.3), (0.84, 0.5), (0.6, 0.76))
    body = [(0.34, -0.94), (0.62, -0.8), (0.72, 0.2), (0.7, 0.84), (0.4, 0.92)]
    pocket = [(0.44, 0.12), (0.5, 0.2), (0.5, 0.68), (0.42, 0.74)]
    loop = ((-0.18, -0.88), (-0.16, -1.14), (0.16, -1.14), (0.18, -0.88))
    return [
        *both(Stroke(strap, 0.55, width=0.13 * fit.heft)),
        Stroke(loop, 0.55, width=0.08),
        Stroke(symmetric(body), rounds=2, cloth=True),
        Stroke(((-0.56, -0.42), (0, -0.56), (0.56, -0.42)), 0.6, width=0.045),
        Stroke(symmetric(pocket), 0.75, rounds=1),
        Stroke(((-0.42, 0.26), (0.42, 0.26)), ink=GOLD, width=0.035),
    ]


def cap(fit: Fit) -> list[Stroke]:
    """A dome in panels with a peak to one side."""
    dome = [(-0.72, 0.3), (-0.74, -0.2), (-0.4, -0.66), (0.06, -0.74), (0.46, -0.44), (0.6, 0.3)]
    peak = ((0.1, 0.24), (0.6, 0.14), (1.12, 0.38 * fit.heft), (0.98, 0.5), (0.3, 0.4))
    return [
        Stroke(tuple(dome), rounds=2, cloth=True),
        Stroke(((-0.04, -0.7), (-0.3, -0.3), (-0.36, 0.28)), 0.7, width=0.03),
        Stroke(((-0.04, -0.7), (0.2, -0.3), (0.26, 0.26)), 0.7, width=0.03),
        Stroke(((-0.72, 0.26), (0.6, 0.24)), 0.6, width=0.08),
        Stroke(peak, 0.72, rounds=1),
        Stroke(oval(-0.03, -0.7, 0.07, 0.05), 0.6),
    ]


def badge(section: str, at: Point) -> list[Stroke]:
    """What tells a section of the shop: a star for kids, a bow for women, a sewn label for men."""
    x, y = at
    if section == "Kids":
        disc = Stroke(oval(x, y, 0.34, 0.34), ink=WHITE)
        return [disc, Stroke(star(x, y, 0.31), ink=STAR, rounds=0)]
    if section == "Women":
        bow = ((x, y), (x + 0.31, y - 0.2), (x + 0.31, y + 0.2))
        return [*both(Stroke(bow, ink=BOW, rounds=0), x), Stroke(oval(x, y, 0.09, 0.09), ink=WHITE)]
    label = ((x - 0.3, y - 0.15), (x + 0.3, y - 0.15), (x + 0.3, y + 0.15), (x - 0.3, y + 0.15))
    line = Stroke(((x - 0.19, y), (x + 0.19, y)), ink=WHITE, width=0.07)
    return [Stroke(label, ink=DARK, rounds=0), line]


BADGE_AT: Mapping[str, Point] = {
    "T-Shirts": (0, -0.1),
    "Shirts": (-0.3, -0.25),
    "Jackets": (-0.42, -0.3),
    "Trousers": (0.28, -0.1),
    "Shorts": (0.36, 0.08),
    "Skirts": (0, 0.0),
    "Dresses": (0, -0.45),
    "Trainers": (-0.66, 0.0),
    "Boots": (-0.36, -0.2),
    "Heels": (-0.2, -0.05),
    "Sandals": (0.2, -0.02),
    "Handbags": (0, 0.5),
    "Backpacks": (0, -0.2),
    "Caps": (-0.1, -0.1),
}

OUTLINES: Mapping[str, Callable[[Fit], list[Stroke]]] = {
    "T-Shirts": tshirt,
    "Shirts": shirt,
    "Jackets": jacket,
    "Trousers": trousers,
    "Shorts": shorts,
    "Skirts": skirt,
    "Dresses": dress,
    "Trainers": trainer,
    "Boots": boot,
    "Heels": heel,
    "Sandals": sandal,
    "Handbags": handbag,
    "Backpacks": backpack,
    "Caps": cap,
}
