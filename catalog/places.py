"""Where pictures may lie: URLs, and files in the folders that the user gave."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from catalog.tables import Reason, RowRefused

_URL = re.compile(r"https?://[^/?#\\\s]", re.IGNORECASE)
# A scheme has two letters at least, or it is a Windows drive; //host is a URL without one.
_SCHEME = re.compile(r"//|[a-z][a-z0-9+.\-]+:", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders that a CSV's local pictures may lie in: absolute paths that end in a slash."""

    paths: tuple[str, ...]

    @classmethod
    def of(cls, csv: Path, image_root: Path | None = None) -> Self:
        """Take the image root, when there is one, and the folder of the CSV."""
        folders = (image_root, csv.absolute().parent)
        absolute = [os.path.normpath(folder.absolute()) for folder in folders if folder]
        return cls(tuple(f"{folder.rstrip('/')}/" for folder in absolute))

    def locate(self, picture: str) -> str:
        """Turn what a cell says into a location: a URL as it is, a path as an absolute one.

        Goes by the text alone, never by what is on the disk, so that equal cells stay equal. A
        path counts from the first folder from which it stays inside one of them. `RowRefused`
        when it never does, or when this is neither an http or https URL nor a path.
        """
        if _CONTROL.search(picture):
            raise RowRefused(Reason.PICTURE_INVALID)
        if _URL.match(picture):
            return picture
        if _SCHEME.match(picture):
            known = picture.lower().startswith(("http:", "https:"))
            raise RowRefused(Reason.PICTURE_INVALID if known else Reason.PICTURE_SCHEME)
        path = picture.replace("\\", "/")
        for folder in self.paths:
            location = os.path.normpath(path if path.startswith("/") else folder + path)
            if location.startswith(self.paths) and not _DRIVE.match(path):
                return location
        raise RowRefused(Reason.PATH_OUTSIDE)
