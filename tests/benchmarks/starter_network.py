"""The starter as a Keras network again, from the LiteRT file that comes with the catalog.

    python tests/benchmarks/starter_network.py FOLDER

leaves in FOLDER what a training leaves of a tagger: model.keras beside model.tflite, the card and
the split. So its speed can be compared with Keras's without the training of hours. Before anything
is written, what it says is compared with what the LiteRT file says. Its dense layers were float16
on the way, so it is not the network with which the labels of the compiled forms were compared.
"""

import argparse
import shutil
from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from catalog.models import backbones, export
from catalog.models.artefact import CARD, KERAS, LITERT, hashes, load_card, save_card
from catalog.models.runtime import EMBEDDING
from catalog.tagger import TASK, Heads, build
from jobs.starter import FOLDER


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)


def write(folder: Path) -> None:
    """The starter's folder with a Keras network in it; `folder` must not exist."""
    network = rebuilt()
    noise = np.random.default_rng(0).integers(0, 256, (16, *network.input_shape[1:]), np.uint8)
    export.agreement(FOLDER, noise, network.predict(noise, verbose=0))  # or ExportFailed
    shutil.copytree(FOLDER, folder)
    network.save(folder / KERAS)
    (folder / CARD).unlink()
    save_card(folder, replace(load_card(FOLDER), files=hashes(folder)))


def rebuilt() -> keras.Model:
    """The network with all its outputs, its batch normalisations folded into the convolutions."""
    card, file = load_card(FOLDER), File(FOLDER / LITERT)
    backbone = backbones.build(card.backbone, "none", card.image_size)
    features = backbone.features.output
    standard = keras.layers.Normalization(name="standard-features")
    standard.build(features.shape)
    ((mean,),) = file.constants({"SUB"}, "pooled-features")
    ((scale,),) = file.constants({"MUL"}, "standard-features")
    standard.set_weights([mean[0], scale[0] ** -2.0, np.array(1)])
    standard.finalize_state()
    heads = build(backbone.features, Heads(card.vocabulary, 0, standard))
    embedding = keras.layers.Dense(card.embedding_size, name=EMBEDDING)(features)
    network = keras.Model(heads.input, {**heads.output, EMBEDDING: embedding}, name=TASK)
    fill_trunk(backbone.network, file)
    for layer in (network.get_layer(name) for name in network.output):
        ((half,),) = file.constants({"DEQUANTIZE"}, f"/{layer.name}_1/")
        ((bias,),) = file.constants({"FULLY_CONNECTED"}, f"/{layer.name}_1/")
        layer.set_weights([half.T.astype(np.float32), bias])
    return network


def fill_trunk(trunk: keras.Model, file: "File") -> None:
    """Give the convolutions, and the normalisation after each, their weights, first to last."""
    layers = [layer for layer in trunk.layers if layer.weights]
    both = file.constants({"CONV_2D", "DEPTHWISE_CONV_2D"}, "network-with-taps")
    for convolution, norm, (kernel, bias) in zip(layers[::2], layers[1::2], both, strict=True):
        # LiteRT has [outputs, rows, columns, inputs], and depthwise [1, rows, columns, outputs].
        convolution.set_weights([kernel.transpose(1, 2, 3, 0)])
        ones = np.ones_like(bias)
        norm.set_weights([ones, bias, 0 * ones, ones - norm.epsilon])


class File:
    """The constants of a LiteRT file, found by what is done with them."""

    def __init__(self, path: Path) -> None:
        self._file = Interpreter(str(path), experimental_preserve_all_tensors=True)
        self._file.allocate_tensors()
        self._names = {each["index"]: each["name"] for each in self._file.get_tensor_details()}
        told = self._file._get_ops_details()
        self._done = [each for each in told if each["op_name"] != "DELEGATE"]
        self._made = {index for each in self._done for index in each["outputs"]}

    def constants(self, operations: Container[str], part: str) -> Iterator[list[np.ndarray]]:
        """What each of the operations whose inputs have `part` in a name takes of constants."""
        for each in self._done:
            names = [self._names.get(index, "") for index in each["inputs"]]
            if each["op_name"] in operations and any(part in name for name in names):
                yield [self._file.get_tensor(i) for i in each["inputs"] if i not in self._made]


if __name__ == "__main__":
    main()
