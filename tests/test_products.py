"""The columns of products.csv."""

from pathlib import Path

import pytest

from catalog.attributes import DEFAULT
from catalog.places import Folders
from catalog.products import PRODUCTS
from catalog.records import Reading, Record, find_columns, read_records
from catalog.tables import Row


@pytest.mark.parametrize(
    "header",
    [
        "ProductId,Gender,Category,SubCategory,ProductType,Colour,ProductTitle,Image",
        "id,gender,masterCategory,subCategory,articleType,baseColour,productDisplayName,image",
        "SKU,GENDER,master_category,sub-category,Article Type,Color,title,image_url",
        "product_id,gender,category,sub category,product_type,base_color,Name,ImageURL",
    ],
)
def test_columns_are_found_by_name_case_and_synonym(header):
    """The headers of the shops we know need no setting."""
    row = ["00001", "Girls", "Apparel", "Topwear", "Tops", "Red", "A top", "http://x.test/1.jpg"]
    columns = find_columns(header.split(","), Reading(PRODUCTS, DEFAULT))
    [got] = read_records([Row(2, row)], columns, Folders.of(Path("products.csv")))
    assert got == Record(
        id="00001",
        title="A top",
        given={
            "gender": "Girls",
            "category": "Apparel",
            "subcategory": "Topwear",
            "product_type": "Tops",
            "colour": "Red",
        },
        pictures=("http://x.test/1.jpg",),
        extra={},
        line=2,
    )
