"""Tag a CSV the way a notebook does: requests one by one, tf.data decoding, one model.predict.

    python naive_tag.py PRODUCTS_CSV MODEL_FOLDER PREDICTIONS_CSV

The network, its image size and its labels are those of the model folder; only the way differs.
"""

import csv
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import requests
import tensorflow as tf


def main(products: Path, model_folder: Path, predictions: Path) -> None:
    """Download all, decode and predict all, write one row a product."""
    card = json.loads((model_folder / "card.json").read_text(encoding="utf-8"))
    with products.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{number}.jpg") for number in range(len(rows))]
        for row, path in zip(rows, paths, strict=True):
            Path(path).write_bytes(requests.get(row["Image"], timeout=30).content)
        model = keras.models.load_model(model_folder / "model.keras", compile=False)
        scores = model.predict(_pictures(paths, card["image_size"]), verbose=0)
    with predictions.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *card["vocabulary"]])
        guesses = [
            [labels[best] for best in scores[head].argmax(axis=1)]
            for head, labels in card["vocabulary"].items()
        ]
        writer.writerows(
            [row["ProductId"], *labels] for row, *labels in zip(rows, *guesses, strict=True)
        )


def _pictures(paths: list[str], side: int) -> tf.data.Dataset:
    def decode(path: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.cast(tf.clip_by_value(tf.image.resize(pixels, (side, side)), 0, 255), tf.uint8)

    dataset = tf.data.Dataset.from_tensor_slices(paths)
    return dataset.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(2)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
