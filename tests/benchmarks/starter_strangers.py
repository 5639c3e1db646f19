"""What the tagger that comes along says of pictures that show no product: dishes of Food-101.

    python tests/benchmarks/starter_strangers.py [--model FOLDER]

The test pictures of the ten classes are tagged as if they were products. Nothing was set by them,
nor by any other picture of food.
"""

import csv
from pathlib import Path

import duckdb
from measure import CATALOG, arguments, measured, scratch, table, verdict

from catalog.models.artefact import load_card
from jobs.starter import FOLDER, NAME


def main() -> None:
    """Tag them, and count."""
    parser = arguments(__doc__)
    parser.add_argument("--model", help="another tagger's folder", default=NAME)
    options = parser.parse_args()
    root = options.data.resolve() / "food-101-subset" / "images"
    names = (root.parent / "meta" / "test.txt").read_text(encoding="utf-8").split()
    card = load_card(FOLDER if options.model == NAME else Path(options.model))
    with scratch(options.work) as work:
        products = work / "dishes.csv"
        with products.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "title", "image"])
            writer.writerows([name, name, f"{name}.jpg"] for name in names)
        store = work / "store"
        tag = [CATALOG, "--store", store, "tag", products, "--image-root", root]
        measured([*tag, "--model", options.model])
        with duckdb.connect(str(store / "catalog.duckdb"), read_only=True) as con:
            rows = con.sql(
                "select split_part(id, '/', 1), count(*), count(*) filter (where not_a_product),"
                " count(*) filter (where not_a_product or coalesce(product_type_review, false))"
                " from tags where not_a_product is not null group by all order by all"
            ).fetchall()
    totals = [sum(row[at] for row in rows) for at in (1, 2, 3)]
    header = ("dish", "pictures", "not a product", "that, or its type for review")
    print(table(header, [*rows, ("all", *totals)]))
    print(verdict("share refused:", totals[1] / totals[0], 0.9, least=True))
    cost = card.metrics["likeness"]["products"]
    print(f"real products of the test side refused: {cost['right']} of {cost['n']}")
    print(verdict("their share:", cost["value"], 0.02, least=False))


if __name__ == "__main__":
    main()
