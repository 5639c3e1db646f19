"""The columns of products.csv that every product has."""

from catalog.records import Layout

PRODUCTS = Layout(
    kind="product",
    names={
        "id": ("ProductId", "id", "sku"),
        "image": ("Image", "image_url", "picture"),
        "title": ("ProductTitle", "productDisplayName", "title", "name"),
    },
    required=("id", "image"),
)
