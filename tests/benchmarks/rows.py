"""CSV files for the benchmarks, made from the fashion-images set."""

import csv
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

COLUMNS = (
    "ProductId",
    "Gender",
    "Category",
    "SubCategory",
    "ProductType",
    "Colour",
    "ProductTitle",
    "Image",
)

ATTRIBUTES = {
    "gender": "Gender",
    "category": "Category",
    "subcategory": "SubCategory",
    "product_type": "ProductType",
    "colour": "Colour",
}


def labels_of(row: dict[str, str]) -> dict[str, str]:
    """The labels of a row by attribute; blank ones are absent."""
    return {name: row[column] for name, column in ATTRIBUTES.items() if row[column]}


def fashion(data: Path) -> list[dict[str, str]]:
    """The 2,319 rows of fashion.csv."""
    path = data / "fashion-images" / "fashion.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def image_root(data: Path) -> Path:
    """Where the set's pictures lie."""
    return data.resolve() / "fashion-images" / "images"


def local_products(data: Path, path: Path) -> Path:
    """Write the set as a products.csv that names its pictures under `image_root(data)`."""
    return write_products(path, fashion(data), str)


def served_products(data: Path, path: Path, origin: str) -> Path:
    """Write the set as a products.csv that names its pictures by URL."""
    return write_products(path, fashion(data), lambda name: f"{origin}/{name}")


def many_products(data: Path, path: Path, count: int, pictures: int) -> Path:
    """Write `count` products that share the first `pictures` pictures of the set."""
    rows = islice(cycle(fashion(data)[:pictures]), count)
    numbered = ({**row, "ProductId": f"p{number:07d}"} for number, row in enumerate(rows))
    return write_products(path, numbered, str)


def write_products(
    path: Path, rows: list[dict[str, str]] | Iterator[dict[str, str]], picture: Callable[[str], str]
) -> Path:
    """Write rows of the set as a products.csv; `picture` names each by what the set calls it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "Image": picture(row["Image"])} for row in rows)
    return path
