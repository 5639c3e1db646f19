"""How long a run with nothing to do takes, beside starting Python and what every run imports.

    python tests/benchmarks/noop.py

The rows are the 2,319 products of fashion-images, from local files. Medians of seven, in turn.
"""

import statistics
import sys

from measure import CATALOG, arguments, machine, measured, scratch, table, verdict
from rows import image_root, local_products
from taggers import small_tagger

TIMES = 7
BARE = [sys.executable, "-c", "import duckdb, pyarrow, click"]


def main() -> None:
    """Tag once, then measure again and again."""
    options = arguments(__doc__).parse_args()
    with scratch(options.work) as work:
        products = local_products(options.data, work / "products.csv")
        model = small_tagger(options.data, work)
        tag = [CATALOG, "--store", work / "store", "tag", products, "--model", model]
        tag += ["--image-root", image_root(options.data)]
        measured(tag)
        place = machine()
        pairs = [(measured(tag), measured(BARE)) for _ in range(TIMES)]
    again = [noop for noop, _ in pairs]
    seconds = statistics.median(cost.seconds for cost in again)
    bare = statistics.median(cost.seconds for _, cost in pairs)
    print(place)
    rows = [("catalog tag, nothing to do", seconds), ("import duckdb, pyarrow, click", bare)]
    print(table(["command", f"seconds (median of {TIMES})"], rows))
    print(verdict("seconds of the second run:", seconds, 1.5 * bare + 0.5, least=False))
    print(f"it says: {again[-1].output.strip().splitlines()[0]}")


if __name__ == "__main__":
    main()
