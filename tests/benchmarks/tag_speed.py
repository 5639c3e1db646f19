"""`catalog tag` beside the naive way: pictures a second, CPU a picture, and what they answer.

    python tests/benchmarks/tag_speed.py

The 2,319 pictures of fashion-images come from a server process on loopback that takes 50 ms an
answer. The naive way (naive_tag.py) asks one by one, decodes with tf.data and calls model.predict
once, with the same network. Start-up counts on both sides; the server's CPU on neither. Then the
pictures come from local files, beside what the bare LiteRT runtime does with decoded arrays.
"""

import csv
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
from measure import CATALOG, arguments, machine, measured, scratch, started, table, verdict
from rows import fashion, image_root, labels_of, local_products, served_products
from taggers import mobilenet_tagger

from catalog.images.decoders import Decoder
from catalog.models.artefact import KERAS, load_card
from catalog.models.runtime import Runtime, at_once

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run both ways, then the two networks on the same arrays, and print the tables."""
    options = arguments(__doc__).parse_args()
    with scratch(options.work) as work:
        model = mobilenet_tagger(options.data, work)
        place = machine()
        count = len(fashion(options.data))
        print(place, flush=True)
        compare_served(options.data, work, model, count)
        pixels = decoded(options.data, load_card(model).image_size)
        compare_local(options.data, work, model, pixels)
        compare_networks(model, pixels)


def compare_served(data: Path, work: Path, model: Path, count: int) -> None:
    """Both ways from the same slow server: speed, CPU, accuracy."""
    server = [sys.executable, HERE / "picture_server.py", image_root(data), "50"]
    with started(server) as origin:
        products = served_products(data, work / "served.csv", origin)
        store = work / f"served-{os.getpid()}"
        host = origin.removeprefix("http://")
        tag = [CATALOG, "--store", store, "tag", products, "--model", model, "--allow-host", host]
        ours = measured(tag)
        guesses = work / "naive.csv"
        naive = measured([sys.executable, HERE / "naive_tag.py", products, model, guesses])
    rows = [
        (name, cost.seconds, count / cost.seconds, 1000 * cost.cpu_seconds / count)
        for name, cost in (("catalog tag", ours), ("naive", naive))
    ]
    print(table(("way", "seconds", "pictures a second", "CPU ms a picture"), rows))
    faster, cheaper = naive.seconds / ours.seconds, naive.cpu_seconds / ours.cpu_seconds
    print(verdict("times faster:", faster, 8, least=True))
    print(verdict("times less CPU:", cheaper, 1.6, least=True), flush=True)
    heads = load_card(model).vocabulary
    truths = {row["ProductId"]: labels_of(row) for row in fashion(data)}
    answers = answers_of(store, heads), naive_answers(guesses)
    print("every labelled product, trained on or not")
    compare_answers(heads, truths, *answers)
    print("products that the model never trained on")
    unseen = {id_: truths[id_] for id_ in unseen_ids(store)}
    worst = compare_answers(heads, unseen, *answers)
    print(verdict("points of accuracy apart, worst head:", worst, 1, least=False), flush=True)


def compare_answers(
    heads: Sequence[str] | Mapping[str, object],
    truths: Mapping[str, Mapping[str, str]],
    ours: Mapping[str, Mapping[str, str]],
    naive: Mapping[str, Mapping[str, str]],
) -> float:
    """Accuracy of both ways over the same labelled products; gives the largest difference."""
    rows = []
    for head in heads:
        labelled = {id_: labels[head] for id_, labels in truths.items() if head in labels}
        hits = [
            100 * sum(way[id_][head] == label for id_, label in labelled.items()) / len(labelled)
            for way in (ours, naive)
        ]
        same = sum(ours[id_][head] == naive[id_][head] for id_ in labelled)
        rows.append((head, len(labelled), *hits, hits[0] - hits[1], same))
    print(table(("head", "n", "ours %", "naive %", "points apart", "same label"), rows))
    return max(abs(row[4]) for row in rows)


def unseen_ids(store: Path) -> list[str]:
    """The labelled products that say something about accuracy: the model never trained on them."""
    with duckdb.connect(str(store / "catalog.duckdb"), read_only=True) as con:
        query = "select distinct id from evaluations where not trained_on order by id"
        return [id_ for (id_,) in con.sql(query).fetchall()]


def answers_of(
    store: Path, heads: Sequence[str] | Mapping[str, object]
) -> dict[str, dict[str, str]]:
    """What our run said of each product."""
    names = list(heads)
    columns = ", ".join(f"{name}_predicted" for name in names)
    with duckdb.connect(str(store / "catalog.duckdb"), read_only=True) as con:
        rows = con.execute(f"select id, {columns} from tags").fetchall()  # noqa: S608 - our names
    return {id_: dict(zip(names, labels, strict=True)) for id_, *labels in rows}


def naive_answers(path: Path) -> dict[str, dict[str, str]]:
    """What the naive way said of each product."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def decoded(data: Path, side: int) -> np.ndarray:
    """Every picture of the set as the job decodes it, uint8 [n, side, side, 3]."""
    with Decoder(side) as decoder:
        pixels = (decoder.decode(image_root(data) / row["Image"]).pixels for row in fashion(data))
        return np.stack([each for each in pixels if each is not None])


def compare_local(data: Path, work: Path, model: Path, pixels: np.ndarray) -> None:
    """The whole job from local files beside the bare runtime on arrays, in this run."""
    runtime = Runtime(model)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as crew:
        batches = np.array_split(pixels, len(pixels) // at_once(runtime.card.image_size))
        list(crew.map(runtime.run, batches[:64]))
        clock = time.perf_counter()
        list(crew.map(runtime.run, batches))
    bare = len(pixels) / (time.perf_counter() - clock)
    products = local_products(data, work / "local.csv")
    store = work / f"local-{os.getpid()}"
    tag = [CATALOG, "--store", store, "tag", products, "--model", model]
    cost = measured([*tag, "--image-root", image_root(data)])
    job = len(pixels) / cost.seconds
    rows = [("catalog tag, local files", job), ("bare runtime, decoded arrays", bare)]
    print(table(("way", "pictures a second"), rows))
    print(f"the whole job reaches {job / bare:.0%} of the bare runtime", flush=True)


def compare_networks(model: Path, pixels: np.ndarray) -> None:
    """The labels of the Keras network and of the LiteRT file on identical arrays."""
    import keras  # noqa: PLC0415 - only after everything else was measured

    card = load_card(model)
    ours = Runtime(model).run(pixels).scores
    theirs = keras.models.load_model(model / KERAS, compile=False).predict(pixels, verbose=0)
    rows = [
        (
            head,
            len(pixels),
            int((ours[head].argmax(1) == theirs[head].argmax(1)).sum()),
            f"{np.abs(ours[head] - theirs[head]).max():.1e}",
        )
        for head in card.vocabulary
    ]
    print(table(("head", "n", "same label", "largest difference of a score"), rows))


if __name__ == "__main__":
    main()
