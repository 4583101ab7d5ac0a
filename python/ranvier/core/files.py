"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO


def may_write(path: str, overwrite: bool) -> bool:
    """Whether a file may be written: always, unless it exists and `overwrite` is False; then the user is
    asked."""
    if overwrite or not os.path.exists(path):
        return True
    answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"


def write_whole(path: str, write: Callable[[BinaryIO], object]) -> None:
    """Writes a file by way of another one beside it, which then takes its place.

    Whoever reads `path` meanwhile, or after a crash or a full disk, finds the old file or the new one, never
    a part. Links are followed, and the old file's owner and permissions kept. What is no file (a pipe, a
    device) is written to as it is.

    Args:
        path: the file.
        write: writes the contents into the binary file that it is given.

    Raises:
        OSError: if it cannot be written; it names `path`, and the old file is as it was.
    """
    with _errors_name(path):
        real = os.path.realpath(path)
        old = os.stat(real) if os.path.exists(real) else None
        if old is not None and not stat.S_ISREG(old.st_mode):
            with open(real, "wb") as file:
                write(file)
        else:
            _replace(real, old, write)


def _replace(path: str, old: os.stat_result | None, write: Callable[[BinaryIO], object]) -> None:
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{os.getpid()}-{threading.get_ident()}.{name[-150:]}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(temporary, flags, 0o666), "wb") as file:
            if old is not None:
                with contextlib.suppress(PermissionError):  # what was another user's becomes one's own
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def copy_whole(source: str, target: str) -> None:
    """Copies a file, whole or not at all.

    Raises:
        OSError: as `write_whole`, or if `source` cannot be read.
    """

    def write(copy: BinaryIO) -> None:
        while block := file.read(1 << 20):
            copy.write(block)

    with open(source, "rb") as file:
        write_whole(target, write)


def append(path: str, text: str) -> None:
    """Writes text at the end of a file, which is made if there is none; all of it or nothing.

    Raises:
        OSError: if it cannot be written; it names `path`, and what the file held is as it was.
    """
    with _errors_name(path), open(path, "ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        left = memoryview(text.encode())
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            with contextlib.suppress(OSError):  # a pipe or a device has no size
                file.truncate(size)
            raise


@contextlib.contextmanager
def _errors_name(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        kept = ", and what it held is as it was" if os.path.exists(path) else ""
        why = f"{os.strerror(error.errno)}: it could not be written{kept}"
        raise OSError(error.errno, why, path) from None
