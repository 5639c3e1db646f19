"""What `catalog check` costs on a CSV of five million rows, beside pandas reading it as text.

    python tests/benchmarks/five_million_rows.py [--rows 5000000] [--work FOLDER]

The rows are made from a seed: an id, a title, a picture's URL, five attributes, a price and a
brand. One in a hundred repeats an id that an earlier row has (a third of those disagree with it),
and one in two hundred has a fault. Nothing is downloaded: `check` never asks for a picture.
"""

import csv
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from measure import CATALOG, MIB, arguments, machine, measured, scratch, table, verdict

SEED = 20260722
MOST_MIB = 1536
HEADER = (
    "id",
    "title",
    "image_url",
    "gender",
    "category",
    "subcategory",
    "product_type",
    "colour",
    "price",
    "brand",
)
GENDERS = ("Women", "Men", "Girls", "Boys", "Unisex")
CATEGORIES = ("Apparel", "Footwear", "Accessories", "Personal Care", "Free Items")
COLOURS = ("Black", "White", "Navy Blue", "Crème", "Red", "Off White", "Olive", "Rosé")
TYPES = ("Tshirts", "Shirts", "Casual Shoes", "Watches", "Kurtas", "Tops", "Handbags", "Heels")
BRANDS = ("NA", "Nike", "Puma", "Lewis & Co, Ltd", "Été", 'The "Shop"', "null", "Fabindia")
FAULTS = ("no picture", "file scheme", "a field too many", "no id", "outside")
# The reason that the table of refused rows must give for each of them.
REASONS = {
    "no picture": "picture_empty",
    "file scheme": "picture_scheme",
    "a field too many": "too_many_fields",
    "no id": "id_empty",
    "outside": "path_outside",
    "disagrees": "duplicate_id",
}

# Without the last argument it reads nothing: a row with a field too many ends it.
PANDAS = (
    "import sys, pandas;print(len(pandas.read_csv(sys.argv[1], dtype=str, on_bad_lines='skip')))"
)


def rows(count: int, seed: int) -> Iterator[tuple[list[str], str]]:
    """Hand out rows, each with what is special about it ("" for nothing)."""
    chance = random.Random(seed)
    last: list[str] = []  # the last row that was as it should be
    for number in range(count):
        draw = chance.random()
        if draw < 0.01 and last:
            disagrees = draw < 0.01 / 3
            again = [last[0], "Another" if disagrees else last[1], f"{last[2]}?again", *last[3:]]
            yield again, "disagrees" if disagrees else "agrees"
            continue
        row = _row(number, chance)
        if draw > 0.995:
            fault = chance.choice(FAULTS)
            yield _spoiled(row, fault), fault
            continue
        last = row
        yield row, ""


def _row(number: int, chance: random.Random) -> list[str]:
    kind, colour, brand = (chance.choice(words) for words in (TYPES, COLOURS, BRANDS))
    return [
        f"{number:08d}",
        f"{brand} Women's {colour} {kind} {number % 977}",
        f"https://cdn.shop.example/media/catalog/{number % 1000:03d}/{number:08d}_1.jpg?v=3",
        chance.choice(GENDERS),
        chance.choice(CATEGORIES),
        "Topwear",
        kind,
        colour,
        f"{chance.randrange(100, 99999) / 100:.2f}",
        brand,
    ]


def _spoiled(row: list[str], fault: str) -> list[str]:
    match fault:
        case "no id":
            return [" ", *row[1:]]
        case "a field too many":
            return [*row, "x"]
        case _:
            picture = {"no picture": "", "file scheme": "file:///etc/passwd"}
            return [*row[:2], picture.get(fault, "../../etc/passwd"), *row[3:]]


def write(path: Path, count: int) -> Counter[str]:
    """Write the CSV; how often each special thing is in it."""
    told: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row, special in rows(count, SEED):
            writer.writerow(row)
            told[special] += 1
    return told


def main() -> None:
    """Write the CSV, check it as a person would, and let pandas read it."""
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    options = parser.parse_args()
    place = machine()
    with scratch(options.work) as work:
        path = work / "products.csv"
        special = write(path, options.rows)
        check = [CATALOG, "--quiet", "--store", work / "store", "check", path, "--json"]
        ours = measured(check, memory=True)
        naive = measured([sys.executable, "-c", PANDAS, path], memory=True)
        mib = path.stat().st_size / MIB
    said = json.loads(ours.output)
    refused = Counter(row["reason"] for row in said["refused"])
    expected = Counter({REASONS[name]: n for name, n in special.items() if name in REASONS})
    if refused != expected or said["rows"] != options.rows:
        sys.exit(f"check refused {dict(refused)} of {said['rows']}; written were {dict(expected)}")
    print(place)
    print(f"{options.rows:,} rows, {mib:,.0f} MiB; refused: {dict(sorted(refused.items()))}")
    results = [
        (name, cost.seconds, cost.cpu_seconds, cost.peak_bytes / MIB)
        for name, cost in (("catalog check", ours), ("pandas.read_csv(dtype=str)", naive))
    ]
    print(f"pandas skips what it can't read, and tells of {int(naive.output):,} rows")
    print(table(("what", "seconds", "CPU seconds", "peak MiB"), results))
    print(verdict("peak MiB of check", ours.peak_bytes / MIB, MOST_MIB, least=False))


if __name__ == "__main__":
    main()
