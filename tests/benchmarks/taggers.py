"""The models that the benchmarks tag with, trained by `catalog train tagger` where missing."""

from pathlib import Path

from measure import CATALOG, measured
from rows import image_root, local_products

WEIGHTS = "mobilenet_v2_1.0_224_no_top.weights.h5"


def small_tagger(data: Path, work: Path) -> Path:
    """The folder of a tiny network: for benchmarks in which what it says does not matter."""
    return _trained(
        data, work / "small", "--backbone", "cnn", "--weights", "none", "--image-size", "32",
        "--epochs", "1",
    )  # fmt: skip


def mobilenet_tagger(data: Path, work: Path) -> Path:
    """The folder of the network of the README's figures: MobileNetV2 at 224 pixels."""
    return _trained(
        data, work / "mobilenet", "--backbone", "mobilenetv2", "--image-size", "224",
        "--weights", str(data / "weights" / WEIGHTS), "--fine-tune-layers", "0",
    )  # fmt: skip


def _trained(data: Path, folder: Path, *flags: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not list(_models(folder)):
        products = local_products(data, folder / "products.csv")
        train = [CATALOG, "--store", folder / "store", "train", "tagger", products, *flags]
        measured([*train, "--image-root", image_root(data)])
    return _models(folder)[-1]


def _models(folder: Path) -> list[Path]:
    return sorted(card.parent for card in (folder / "store" / "models").glob("*/*/card.json"))
