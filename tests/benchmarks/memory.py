"""The most memory that a run holds, over all its processes, for few rows and for many.

    python tests/benchmarks/memory.py [--rows 10000 1000000]

The rows are products with ids of their own that share 200 pictures, read from local files.
"""

from measure import CATALOG, MIB, arguments, machine, measured, scratch, table, verdict
from rows import image_root, many_products
from taggers import small_tagger

PICTURES = 200


def main() -> None:
    """Tag each number of rows in a store of its own."""
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    options = parser.parse_args()
    place, results = machine(), []
    with scratch(options.work) as work:
        model = small_tagger(options.data, work)
        for count in options.rows:
            folder = work / f"rows-{count}"
            folder.mkdir()
            products = many_products(options.data, folder / "products.csv", count, PICTURES)
            tag = [CATALOG, "--store", folder / "store", "tag", products, "--model", model]
            tag += ["--image-root", image_root(options.data)]
            cost = measured(tag, memory=True)
            mib = products.stat().st_size / MIB
            results.append((count, mib, cost.seconds, cost.cpu_seconds, cost.peak_bytes / MIB))
    print(place)
    print(table(("rows", "CSV MiB", "seconds", "CPU seconds", "peak MiB"), results))
    ratio = results[-1][-1] / results[0][-1]
    print(verdict("peak of the most rows over that of the fewest:", ratio, 1.3, least=False))


if __name__ == "__main__":
    main()
