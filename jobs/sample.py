"""The embedded sample: a small catalogue that the project draws itself, broken rows included.

Everything follows from the seed, so two machines with the same Pillow draw the same pictures.
"""

import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from jobs.painting import COLOURS, SIZE, Garment, imagine, paint
from sql import files

PRODUCTS = 420
REFUSED = 3  # rows beside the products'
BLANK_SHARE = 0.12  # of the products have no label at all
PARTIAL_SHARE = 0.06  # of the products lack one label

COLUMNS = (
    "ProductId",
    "Gender",
    "Category",
    "SubCategory",
    "ProductType",
    "Colour",
    "ProductTitle",
    "Price",
    "Image",
)
LABELS = COLUMNS[1:6]
NAMES = ("Alba", "Bruma", "Cala", "Duna", "Elba", "Faro", "Gala", "Isla", "Lino", "Mora", "Nube")

# What is wrong or special about the pictures of some products, by number.
ODDITIES: Mapping[int, str] = {
    20: "missing",
    50: "truncated",
    80: "text",
    110: "webp",
    140: "see-through",
    170: "two",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A product type's place in the shop."""

    category: str
    subcategory: str
    noun: str
    sections: tuple[str, ...] = ("Women", "Men", "Kids")


KINDS: Mapping[str, Kind] = {
    "T-Shirts": Kind("Apparel", "Topwear", "T-shirt"),
    "Shirts": Kind("Apparel", "Topwear", "shirt"),
    "Jackets": Kind("Apparel", "Topwear", "jacket"),
    "Trousers": Kind("Apparel", "Bottomwear", "trousers"),
    "Shorts": Kind("Apparel", "Bottomwear", "shorts"),
    "Skirts": Kind("Apparel", "Bottomwear", "skirt", ("Women", "Kids")),
    "Dresses": Kind("Apparel", "Dresses", "dress", ("Women", "Kids")),
    "Trainers": Kind("Footwear", "Shoes", "trainers"),
    "Boots": Kind("Footwear", "Shoes", "boots"),
    "Heels": Kind("Footwear", "Shoes", "heels", ("Women",)),
    "Sandals": Kind("Footwear", "Sandals", "sandals"),
    "Handbags": Kind("Accessories", "Bags", "handbag", ("Women",)),
    "Backpacks": Kind("Accessories", "Bags", "backpack"),
    "Caps": Kind("Accessories", "Headwear", "cap"),
}


def draw(folder: Path, origin: str, seed: int = 1) -> Path:
    """Draw the sample into `folder` and return its products.csv, which is written last.

    The pictures go into folder/pictures; the CSV names them as `origin`/pictures/..., where
    `origin` is the address that will serve the folder, such as http://127.0.0.1:8765.
    """
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    path = folder / "products.csv"
    with (
        files.replacing(path) as draft,
        draft.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        chance = random.Random(seed)  # nosec B311  # noqa: S311 - drawn, not secret
        writer.writerows(_rows(pictures, f"{origin}/pictures", chance))
    return path


def _rows(pictures: Path, address: str, chance: random.Random) -> Iterator[list[str]]:
    """Every row of the CSV; a product's pictures are drawn before its row is yielded."""
    for number in range(PRODUCTS):
        kind = list(KINDS)[number % len(KINDS)]
        section = chance.choice(KINDS[kind].sections)
        garment = imagine(chance, kind, section, chance.choice(list(COLOURS)))
        names = _keep(garment, pictures, number, imagine(chance, kind, section, garment.colour))
        row = _row(garment, number, chance)
        yield [*row, "|".join(f"{address}/{name}" for name in names)]
        if number == PRODUCTS // 3:
            yield from _refused(row, f"{address}/{names[0]}")


def _row(garment: Garment, number: int, chance: random.Random) -> list[str]:
    """A product's cells up to its price; some shops leave labels blank."""
    kind = KINDS[garment.kind]
    labels = [garment.section, kind.category, kind.subcategory, garment.kind, garment.colour]
    if chance.random() < BLANK_SHARE:
        labels = [""] * len(labels)
    elif chance.random() < PARTIAL_SHARE:
        labels[chance.randrange(len(labels))] = ""
    look = "" if garment.pattern == "plain" else f"{garment.pattern} "
    title = f"{chance.choice(NAMES)} {number + 1:03d} {look}{kind.noun}"
    price = f"{chance.randrange(9, 120)}.{chance.choice(('00', '50', '95'))}"
    return [f"{1001 + number:06d}", *labels, title, price]


def _refused(row: list[str], picture: str) -> list[list[str]]:
    """Three rows that no reader should take: an id twice, no id, a comma nobody quoted."""
    id_, *labels, title, price = row
    return [
        [id_, *labels, f"{title}, improved", price, picture],
        ["", *labels, title, price, picture],
        [f"{id_}-B", *labels, title, "boxed", price, picture],
    ]


def _keep(garment: Garment, pictures: Path, number: int, other: Garment) -> list[str]:
    """Write a product's picture, or what passes for it, and return the names that its row gives."""
    stem = f"{1001 + number:06d}"
    jpeg = f"{stem}.jpg"
    match ODDITIES.get(number):
        case None:
            _write_jpeg(paint(garment), pictures / jpeg)
        case "missing":
            pass  # the server answers 404
        case "truncated":
            _write_jpeg(paint(garment), pictures / jpeg)
            whole = (pictures / jpeg).read_bytes()
            (pictures / jpeg).write_bytes(whole[: len(whole) // 2])
        case "text":
            (pictures / jpeg).write_text("This picture is on its way.\n", encoding="utf-8")
        case "webp":
            paint(garment).save(pictures / f"{stem}.webp", quality=90)
            return [f"{stem}.webp"]
        case "see-through":
            _vignette(paint(garment)).save(pictures / f"{stem}.png")
            return [f"{stem}.png"]
        case "two":
            _write_jpeg(paint(garment), pictures / jpeg)
            _write_jpeg(paint(other), pictures / f"{stem}-2.jpg")
            return [jpeg, f"{stem}-2.jpg"]
    return [jpeg]


def _write_jpeg(picture: Image.Image, path: Path) -> None:
    picture.save(path, "JPEG", quality=90)


def _vignette(picture: Image.Image) -> Image.Image:
    """The picture as an oval, see-through outside it."""
    oval = Image.new("L", SIZE)
    ImageDraw.Draw(oval).ellipse((4, 4, SIZE[0] - 4, SIZE[1] - 4), fill=255)
    picture.putalpha(oval)
    return picture
