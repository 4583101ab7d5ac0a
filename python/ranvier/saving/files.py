"""Files: written whole or not at all, and read with errors that name them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile


@contextlib.contextmanager
def open_archive(path: str) -> Iterator[zipfile.ZipFile]:
    """A `.keras` file, open for reading.

    Raises:
        ValueError: if there is no such file, or it is truncated or no zip archive.
    """
    if not os.path.isfile(path):
        raise ValueError(
            f"File not found: filepath={path}. Please ensure the file is an accessible `.keras` zip file."
        )
    import zipfile  # not at the top: it brings in much, and most programs read no files

    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{path} cannot be read as a `.keras` zip file; it may be truncated or damaged: {error}"
        ) from error
    with archive:
        yield archive


def read_member(archive: zipfile.ZipFile, name: str, path: str) -> bytes:
    """One file of an archive.

    Raises:
        ValueError: if it is missing or damaged.
    """
    import zipfile

    try:
        return archive.read(name)
    except KeyError:
        held = ", ".join(archive.namelist()) or "nothing"
        raise ValueError(f"{path} is no `.keras` file: it has no {name!r}, but {held}.") from None
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path} is damaged: {name!r} cannot be read: {error}") from error
