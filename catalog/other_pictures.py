"""Pictures that show no product, made by chance: what a tagger is to keep its hands off.

After Baradad et al. (2021), "Learning to See by Looking at Noise": images of processes which share
the statistics of photographs (clouds of 1/f noise, dead leaves), beside plain noise, drawings,
screens of text, and crops so close that nobody could tell the product.
"""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw

Pixels = np.ndarray
CLOSE = (0.15, 0.3)  # of a side, that a crop shows
WORDS = "menu order total open closed account settings terms today message sent delivered"


def other_pictures(products: Pixels, count: int, seed: int) -> dict[str, Pixels]:
    """Kind to `count` pictures uint8 [count, side, side, 3], of the size of some `products`."""
    rng, side = np.random.default_rng(seed), products.shape[1]
    made = {kind: np.stack([make(rng, side) for _ in range(count)]) for kind, make in KINDS.items()}
    return {**made, "crops": np.stack([_crop(rng, products) for _ in range(count)])}


def _noise(rng: np.random.Generator, side: int) -> Pixels:
    """Each pixel by itself."""
    return rng.integers(0, 256, (side, side, 3), np.uint8)


def _clouds(rng: np.random.Generator, side: int) -> Pixels:
    """Noise whose power falls with the frequency, as it does in photographs."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :])
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(3, side, side))) / frequency ** rng.uniform(0.7, 1.8)
    spectrum[:, 0, 0] = 0
    waves = np.fft.ifft2(spectrum).real
    waves /= waves.std(axis=(1, 2), keepdims=True)
    mixed = np.tensordot(rng.normal(size=(3, 3)), waves, axes=1)
    tint = rng.uniform(60, 190, (3, 1, 1))
    return np.clip(tint + rng.uniform(15, 45) * mixed, 0, 255).astype(np.uint8).transpose(1, 2, 0)


def _dead_leaves(rng: np.random.Generator, side: int) -> Pixels:
    """Shapes of every size, one upon the other, each with a grain of its own."""
    image = Image.new("RGB", (side, side), _colour(rng))
    draw = ImageDraw.Draw(image)
    tints = rng.uniform(0, 255, 3)
    for _ in range(int(rng.integers(60, 250))):
        radius = float(min(side / 2, 1.5 / rng.uniform(0.01, 1)))
        x, y = rng.uniform(0, side, 2)
        colour = tuple(int(c) for c in np.clip(tints + rng.normal(0, 60, 3), 0, 255))
        box = (x - radius, y - radius * rng.uniform(0.4, 1), x + radius, y + radius)
        (draw.ellipse if rng.random() < 0.6 else draw.rectangle)(box, fill=colour)
    grain = rng.normal(0, rng.uniform(2, 14), (side, side, 3))
    return np.clip(np.asarray(image, float) + grain, 0, 255).astype(np.uint8)


def _drawing(rng: np.random.Generator, side: int) -> Pixels:
    """Lines and outlines on paper."""
    image = Image.new("RGB", (side, side), (255, 255, 255) if rng.random() < 0.5 else _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(3, 25))):
        points = [tuple(rng.uniform(0, side, 2)) for _ in range(int(rng.integers(2, 6)))]
        draw.line(points, fill=_colour(rng), width=int(rng.integers(1, max(2, side // 24))))
    for _ in range(int(rng.integers(0, 6))):
        corners = np.sort(rng.uniform(0, side, (2, 2)), axis=0).ravel().tolist()
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(corners, outline=_colour(rng))
    return np.asarray(image)


def _screen(rng: np.random.Generator, side: int) -> Pixels:
    """Bars and lines of text, as of a screen or a page."""
    dark = rng.random() < 0.3
    paper, ink = ((24, 26, 32), (225, 225, 225)) if dark else ((250, 250, 250), (30, 30, 30))
    image = Image.new("RGB", (side, side), paper)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, side, side // int(rng.integers(5, 12))), fill=_colour(rng))
    words, step = WORDS.split(), max(7, side // int(rng.integers(8, 16)))
    for y in range(step * 2, side, step):
        line = " ".join(rng.choice(words, int(rng.integers(1, 7))).tolist())
        draw.text((float(rng.uniform(0, side / 4)), y), line, fill=ink)
        if rng.random() < 0.2:
            draw.rectangle((side * 0.6, y, side * 0.9, y + step - 2), fill=_colour(rng))
    return np.asarray(image)


def _crop(rng: np.random.Generator, products: Pixels) -> Pixels:
    """A small window of a product, enlarged; it holds the middle, for margins are empty."""
    side = products.shape[1]
    picture = Image.fromarray(products[rng.integers(len(products))])
    size = side * rng.uniform(*CLOSE)
    x, y = rng.uniform(side / 2 - size, side / 2, 2)
    box = (x, y, x + size, y + size)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC, box=box))


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


KINDS: Mapping[str, Callable[[np.random.Generator, int], Pixels]] = {
    "noise": _noise,
    "clouds": _clouds,
    "dead leaves": _dead_leaves,
    "drawings": _drawing,
    "screens": _screen,
}
