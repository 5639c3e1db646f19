"""Tag local pictures the way a notebook does, with a trained network.

    python naive_local.py MODEL_FOLDER PICTURES loop|whole

PICTURES has a path a line. `loop` reads and predicts picture by picture; `whole` decodes with
tf.data and calls predict once over everything.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf


def main(model_folder: Path, listed: Path, way: str) -> None:
    """Predict all and choose each head's best label."""
    side = json.loads((model_folder / "card.json").read_text(encoding="utf-8"))["image_size"]
    paths = listed.read_text(encoding="utf-8").split()
    model = keras.models.load_model(model_folder / "model.keras", compile=False)
    if way == "loop":
        for path in paths:
            picture = keras.utils.load_img(path, target_size=(side, side))
            scores = model.predict(np.asarray(picture)[None], verbose=0)
            {head: each.argmax(axis=1) for head, each in scores.items()}
        return

    def decode(path: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.cast(tf.clip_by_value(tf.image.resize(pixels, (side, side)), 0, 255), tf.uint8)

    dataset = tf.data.Dataset.from_tensor_slices(paths)
    dataset = dataset.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(2)
    scores = model.predict(dataset, verbose=0)
    {head: each.argmax(axis=1) for head, each in scores.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
