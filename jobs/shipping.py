"""From what `catalog train --recipe starter` left in a store to the tagger that comes along.

    python -m jobs.shipping STORE/models/starter/VERSION

For those who make a release: it needs the packages of the extra `dev`.
"""

import io
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from catalog.models import export
from catalog.models.artefact import (
    LITERT,
    SAMPLE,
    SPLIT,
    TEST_PICTURES,
    hashes,
    load_card,
    save_card,
)
from catalog.models.runtime import Network
from jobs import starter
from sql.files import replacing_folder, write_bytes

NOTES = (
    "gender is the section of the shop that a product was sold in, not anybody's gender",
    "it was shown single products in front of a plain background, nothing else: no street, no room",
    "its products are those of two Indian shops of about 2012; what is sold elsewhere looks else",
    "labels are those shops' own, with their mistakes: near twins disagree in colour most",
    "fashion-images has no clothes for adults and no shoes for children",
)


def ship(trained: Path) -> None:
    """Take a trained tagger's folder as the one that comes along, in as few bytes as do no harm.

    Its dense layers keep their weights in float16. The convolutions can't: their weights have
    batch normalisations folded in, up to 56, and one label in a hundred changes.
    """
    card = load_card(trained)
    shutil.rmtree(starter.FOLDER, ignore_errors=True)
    with replacing_folder(starter.FOLDER) as draft:
        shutil.copy2(trained / SPLIT, draft / SPLIT)
        write_bytes(draft / LITERT, with_dense_halved(trained / LITERT))
        pixels = _kept_pictures(trained)
        expected = Network((trained / LITERT).read_bytes(), threads=2).run(pixels)
        same = export.agreement(draft, pixels, expected)
        save_card(
            draft,
            replace(
                card,
                files=hashes(draft),
                settings={**card.settings, "weights": card.weights},  # not where they lay
                metrics={**card.metrics, "litert": same},
                notes=(*card.notes, *NOTES),
            ),
        )


def with_dense_halved(path: Path) -> bytes:
    """The network with the weights of its dense layers in float16."""
    from ai_edge_quantizer import (  # type: ignore[import-untyped] # noqa: PLC0415 - of `dev`
        qtyping,
        quantizer,
    )

    weights = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    made = quantizer.Quantizer(str(path))
    made.update_quantization_recipe(
        regex=".*",
        operation_name=qtyping.TFLOperationName.FULLY_CONNECTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=weights,
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key="float_casting",
    )
    return bytes(made.quantize().quantized_model)


def _kept_pictures(trained: Path) -> np.ndarray:
    """The pictures that a model's folder keeps, uint8 [n, side, side, 3]."""
    kept = [pq.read_table(trained / name, columns=["png"]) for name in (SAMPLE, TEST_PICTURES)]
    files = [io.BytesIO(png) for table in kept for png in table["png"].to_pylist()]
    return np.stack([np.asarray(Image.open(file)) for file in files])


if __name__ == "__main__":
    ship(Path(sys.argv[1]))
