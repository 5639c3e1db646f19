"""Which kind of picture some bytes are, by the bytes: a name or a Content-Type proves nothing."""

# The longest prefix that `sniff` looks at: an AVIF file may list several brands.
HEAD = 64

_PREFIXES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
)
FORMATS = frozenset({name for _, name in _PREFIXES} | {"WEBP", "AVIF"})


# By which a file that a user names is meant to be a picture, whatever its bytes are.
SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff")


def sniff(head: bytes) -> str | None:
    """Pillow's name of the format whose first bytes these are, None for anything else."""
    for prefix, name in _PREFIXES:
        if head.startswith(prefix):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and (b"avif" in head[8:HEAD] or b"avis" in head[8:HEAD]):
        return "AVIF"
    return None
