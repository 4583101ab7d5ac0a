"""The members of a `.keras` file, a zip archive, read with suspicion.

What an archive says of itself is not believed: a member may inflate to a thousand times its size, be there
twice, be encrypted, or have a name that leads out of the archive. Nothing is ever unpacked to the disk.
"""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING

from ranvier.saving.hdf5 import FREE_GROWTH, MOST_GROWTH

if TYPE_CHECKING:
    import zipfile

MOST_MEMBERS = 10_000
_STORED, _DEFLATED = 0, 8  # the methods of compression that zip archives have
_ENCRYPTED = 0x1  # a flag of a member
_BLOCK = 1 << 20


def read(path: str, *names: str) -> list[io.BytesIO]:
    """Members of an archive, in memory.

    Args:
        path: the archive.
        *names: of the members.

    Raises:
        ValueError: if there is no such file, it is no zip archive or a damaged one, it lacks a member, or
            inflates beyond what its size justifies.
    """
    if not os.path.isfile(path):
        raise ValueError(
            f"File not found: filepath={path}. Please ensure the file is an accessible `.keras` zip file."
        )
    import zipfile  # not at the top: it brings in much, and most programs read no files

    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as a `.keras` zip file; it may be truncated or damaged: {error}"
        ) from error
    with archive:
        members = _members(archive, path)
        most = max(FREE_GROWTH, MOST_GROWTH * os.path.getsize(path))
        found = []
        for name in names:
            if name not in members:
                held = ", ".join(members) or "nothing"
                raise ValueError(f"{path} is not a `.keras` file: it has no {name!r}, but {held:.300}.")
            found.append(_inflated(archive, members[name], most, path))
    return found


def _members(archive: zipfile.ZipFile, path: str) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    if len(archive.infolist()) > MOST_MEMBERS:
        raise ValueError(f"{path} is refused: it has more than {MOST_MEMBERS:,} members.")
    for info in archive.infolist():
        name = info.filename
        leads_out = name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/")
        if leads_out or stat.S_ISLNK(info.external_attr >> 16):
            raise ValueError(f"{path} is refused: its member {name!r} leads out of the archive.")
        if name in members:
            raise ValueError(f"{path} is refused: it has two members {name!r}.")
        members[name] = info
    return members


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, path: str) -> io.BytesIO:
    name = info.filename
    if info.flag_bits & _ENCRYPTED:
        raise ValueError(f"{path} cannot be read: its member {name!r} is encrypted.")
    if info.compress_type not in (_STORED, _DEFLATED):
        raise ValueError(
            f"{path} cannot be read: its member {name!r} is compressed by method {info.compress_type}; those "
            "read are 0 (stored) and 8 (deflated)."
        )
    content = io.BytesIO()
    try:
        if info.file_size <= most:  # else it is not even begun
            with archive.open(info) as member:
                while content.tell() <= most and (block := member.read(_BLOCK)):
                    content.write(block)
    except Exception as error:  # of zipfile, zlib and the system, for all kinds of damage
        raise ValueError(f"{path} is damaged: {name!r} cannot be read: {error}") from error
    if max(info.file_size, content.tell()) > most:
        raise ValueError(
            f"{path} is refused: its member {name!r} grows to more than {most >> 20} MiB, which is more than "
            f"{MOST_GROWTH} times the size of the file."
        )
    if content.tell() != info.file_size:
        raise ValueError(f"{path} is damaged: {name!r} ends after {content.tell()} bytes.")
    return content
