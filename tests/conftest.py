"""What every test may lean on: the real data, where it is to be had."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("CATALOG_DATA", HERE.parent.parent / "shared" / "data"))
    if not (folder / "fashion-images" / "fashion.csv").is_file():
        pytest.skip(f"no real data at {folder} (CATALOG_DATA names another place)")
    return folder
