"""Pictures of the served page: decoded by the guarded decoder, encoded again by us."""

import base64
import io

import numpy as np
from PIL import Image

SIDE = 240
QUALITY = 80
SLIMMEST = 4  # times as long as wide, at the most


def data_uri(pixels: np.ndarray, width: int, height: int) -> str:
    """A squashed square, uint8 [SIDE, SIDE, 3], as a JPEG in the shape of its picture.

    The picture was `width` by `height` pixels; the longer side becomes SIDE.
    """
    longer = max(width, height)
    size = (
        max(round(SIDE * width / longer), SIDE // SLIMMEST),
        max(round(SIDE * height / longer), SIDE // SLIMMEST),
    )
    file = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(file, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
