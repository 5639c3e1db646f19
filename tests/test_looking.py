"""What the pipeline does with a picture between its stages."""

import io

from catalog.images.blobs import Blobs
from catalog.images.decoders import Decoder
from jobs import looking
from jobs.looking import Due, Got
from sql.store import Store
from tests.tiny_model import draw


def test_picture_that_gets_its_name_just_now_is_looked_at(tmp_path, monkeypatch):
    """Its draft is gone when the decoder comes to it: then it lies under its name."""
    store, data = Store(tmp_path), io.BytesIO()
    draw(1)[0].save(data, "PNG")
    with Blobs(store) as blobs, Decoder(32) as decoder:
        picture = blobs.keep(data.getvalue())
        before = blobs.place(picture)
        blobs.flush()
        monkeypatch.setattr(blobs, "place", lambda _: before)
        one = Got(Due("/1.png", "new", None, None, None), picture=picture, here=True, first=True)
        decoded = looking._decoded(decoder, store, blobs, one)
    assert decoded.outcome == "ok"
