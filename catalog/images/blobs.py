"""Picture bytes, kept once under the SHA-256 of themselves."""

from hashlib import sha256

from sql.files import replacing
from sql.store import Store


def keep(store: Store, data: bytes) -> str:
    """Put `data` into the store's images unless it is there; returns its SHA-256 in hex.

    Safe from several threads. A file of another length is damage, and is written again.
    """
    picture = sha256(data).hexdigest()
    place = store.picture(picture)
    try:
        there = place.stat().st_size == len(data)
    except FileNotFoundError:
        there = False
    if not there:
        with replacing(place, drafts=store.picture_drafts) as draft:
            draft.write_bytes(data)
    return picture
