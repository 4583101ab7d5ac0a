"""HDF5, read with suspicion: nothing else in the library opens such a file.

The format can do more than hold arrays: a dataset may keep its numbers in any other file of the machine, be
put together from datasets of other files, or announce a size that its bytes do not justify. Weights need none
of it. So a file is walked wholly first, by way of the descriptions alone: only groups and datasets of plain
numbers, each reached by one hard link, are let through. The numbers are read afterwards, and compressed ones
never grow beyond what their description says.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

MOST_DEPTH = 2_000  # of groups in groups
MOST_OBJECTS = 1_000_000  # groups and datasets
MOST_CHUNKS = 1_000_000  # of a dataset
# What is compressed may grow to so many times the size of the file on the disk, or to this much anyway.
# Trained weights hardly shrink; zeros, as in an optimizer's fresh state or a pruned layer, do.
MOST_GROWTH = 20
FREE_GROWTH = 64 << 20

_DEFLATE, _SHUFFLE = 1, 2
_READ = (_DEFLATE, _SHUFFLE)
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}
# The types of arrays in files of weights.
NUMBERS = frozenset(
    np.dtype(order + kind) for order in "<>" for kind in "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()
)
# What is read besides: HDF5 has no name for it, so Keras writes opaque bytes. They become float32, exactly.
_BFLOAT16 = np.dtype("V2")


def h5py() -> Any:
    """The module h5py, which reads and writes HDF5.

    Raises:
        ImportError: if it is not installed; the message says how to get it.
    """
    try:
        import h5py as module
    except ImportError as error:
        raise ImportError(
            "Saving and loading weights needs the package h5py, which is not installed: `pip install h5py`."
        ) from error
    return module


class Stored(NamedTuple):
    """A dataset, as its description has it.

    Args:
        dataset: its handle.
        path: its path in the file.
        shape: its shape.
        dtype: the type of its elements.
        chunks: the shape of the blocks it is stored in; None: it is stored in one piece.
        filters: what its blocks went through, in this order.
    """

    dataset: Any
    path: str
    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[int, ...] | None
    filters: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The size of its values in memory."""
        return math.prod(self.shape) * self.dtype.itemsize


class H5File:
    """An HDF5 file that was found to hold nothing but arrays; `open_file` makes it.

    Attributes:
        groups: path -> name -> dataset; the path of the file itself is "".
        nbytes: the size of all values in memory.
    """

    def __init__(self, opened: Any, size: int, on_disk: int, shown: str) -> None:
        self._shown = shown
        self.groups = _Walk(opened, size, on_disk, shown).groups
        self.nbytes = sum(stored.nbytes for group in self.groups.values() for stored in group.values())

    def read(self, path: str) -> dict[str, np.ndarray]:
        """The arrays of a group by their names; none of a group that is not there.

        Raises:
            OSError: if the file is damaged.
        """
        return {name: self._read(stored) for name, stored in self.groups.get(path, {}).items()}

    def _read(self, stored: Stored) -> np.ndarray:
        everything = h5py().h5s.ALL
        with _damage_named(self._shown, stored.path):
            values = np.empty(stored.shape, stored.dtype)
            if values.size and stored.chunks is None:
                # Opaque bytes are read as they are; of numbers the order of the bytes may be another here.
                kind = stored.dataset.get_type() if stored.dtype == _BFLOAT16 else None
                stored.dataset.read(everything, everything, values, kind)
            elif values.size:
                _read_chunks(stored, values)
        if stored.dtype == _BFLOAT16:
            return np.asarray(values.view("<u2").astype("u4") << 16).view("f4")
        return values.astype(stored.dtype.newbyteorder("="), copy=False)


@contextlib.contextmanager
def open_file(file: Any, shown: str, on_disk: int | None = None) -> Iterator[H5File]:
    """An HDF5 file, checked from end to end and open for reading.

    Args:
        file: its path or a binary file object.
        shown: what the messages call it.
        on_disk: the size of what it was inflated from; None: its own.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it is truncated, damaged or no HDF5 file.
        ValueError: if it holds anything but arrays of numbers in groups.
        ImportError: without h5py.
    """
    module = h5py()
    if isinstance(file, str):
        if not os.path.exists(file):
            raise FileNotFoundError(f"File not found: filepath={shown}.")
        size = os.path.getsize(file)
    else:
        size = file.seek(0, os.SEEK_END)
    try:
        opened = module.File(file, "r")
    except Exception as error:
        raise OSError(f"{shown} cannot be read as HDF5; it may be truncated or damaged: {error}") from error
    with opened:
        yield H5File(opened, size, size if on_disk is None else on_disk, shown)


@contextlib.contextmanager
def _damage_named(shown: str, path: str) -> Iterator[None]:
    """Whatever h5py raises for damaged contents becomes an OSError that says where."""
    try:
        yield
    except _Refused as error:
        raise ValueError(
            f"{shown} is refused: {path!r} {error}. A file of weights holds groups and arrays of numbers, "
            "and nothing else is read from it."
        ) from None
    except Exception as error:
        raise OSError(f"{shown} is damaged: {path!r} cannot be read: {error}") from error


class _Refused(Exception):
    """Something that a file of weights has no need of."""


# --- the descriptions ---


class _Walk:
    """Goes through all groups and datasets of a file.

    Attributes:
        groups: as in `H5File`.
    """

    def __init__(self, opened: Any, size: int, on_disk: int, shown: str) -> None:
        self._module = h5py()
        self._size, self._on_disk = size, on_disk
        self._seen: set[int] = set()
        self._plain = self._grown = 0  # bytes of the datasets in one piece, and of those in blocks
        self.groups: dict[str, dict[str, Stored]] = {}
        with _damage_named(shown, "/"):
            root = self._module.h5g.open(opened.id, b"/")
            self._seen.add(self._module.h5o.get_info(root).addr)
        pending = [("", root, 0)]
        while pending:
            path, group, depth = pending.pop()
            datasets = self.groups[path] = {}
            with _damage_named(shown, path or "/"):
                names = self._names(group, depth)
            for name in names:
                below = f"{path}/{name}" if path else name
                with _damage_named(shown, below):
                    found = self._open(group, name)
                    if isinstance(found, self._module.h5g.GroupID):
                        pending.append((below, found, depth + 1))
                    else:
                        datasets[name] = self._describe(found, below)

    def _names(self, group: Any, depth: int) -> list[str]:
        names: list[str] = []
        if depth > MOST_DEPTH:
            raise _Refused(f"lies more than {MOST_DEPTH} groups deep")
        most = MOST_OBJECTS - len(self._seen)

        def take(name: bytes) -> bool | None:
            names.append(name.decode())
            return len(names) > most or None  # anything but None ends it

        group.links.iterate(take)
        if len(names) > most:
            raise _Refused(f"brings the file beyond {MOST_OBJECTS:,} groups and arrays")
        return names

    def _open(self, group: Any, name: str) -> Any:
        module, encoded = self._module, name.encode()
        kinds = {module.h5l.TYPE_SOFT: "a soft link", module.h5l.TYPE_EXTERNAL: "a link to another file"}
        kind = group.links.get_info(encoded).type
        if kind != module.h5l.TYPE_HARD:
            raise _Refused(f"is {kinds.get(kind, 'a link of an unknown kind')}")
        found = module.h5o.open(group, encoded)
        address = module.h5o.get_info(found).addr
        if address in self._seen:
            raise _Refused("is a second link to something in the file")
        self._seen.add(address)
        if not isinstance(found, (module.h5g.GroupID, module.h5d.DatasetID)):
            raise _Refused("is a named type")
        return found

    def _describe(self, dataset: Any, path: str) -> Stored:
        module = self._module
        made = dataset.get_create_plist()
        layout = made.get_layout()
        # The storage comes first: to ask a virtual dataset for its shape opens other files.
        if layout == module.h5d.VIRTUAL or made.get_external_count():
            raise _Refused("keeps its values in other files (external storage or a virtual dataset)")
        dtype = self._dtype(dataset.get_type())
        space = dataset.get_space()
        if space.get_simple_extent_type() not in (module.h5s.SCALAR, module.h5s.SIMPLE):
            raise _Refused("has no values (a null dataspace)")
        shape = tuple(int(extent) for extent in space.get_simple_extent_dims())
        chunks = tuple(int(extent) for extent in made.get_chunk()) if layout == module.h5d.CHUNKED else None
        filters = tuple(made.get_filter(i)[0] for i in range(made.get_nfilters()))
        for code in filters:
            if code not in _READ:
                raise _Refused(
                    f"went through the filter {_FILTERS.get(code, code)}; deflate and shuffle are read, and "
                    "`h5repack -f GZIP=4 OLD NEW` makes such a file of another"
                )
        stored = Stored(dataset, path, shape, dtype, chunks, filters)
        self._check_size(stored)
        return stored

    def _dtype(self, kind: Any) -> np.dtype:
        module = self._module
        held = kind.get_class()
        if held in (module.h5t.INTEGER, module.h5t.FLOAT):
            dtype = kind.dtype
            if dtype in NUMBERS and kind.equal(_file_type(dtype)):
                return dtype
        elif held == module.h5t.OPAQUE and kind.get_size() == _BFLOAT16.itemsize:
            return _BFLOAT16
        elif held == module.h5t.ENUM:
            if kind.equal(_file_type(np.dtype(bool))):
                return np.dtype(bool)
        names = {
            module.h5t.STRING: "strings",
            module.h5t.REFERENCE: "references",
            module.h5t.COMPOUND: "compounds",
            module.h5t.ARRAY: "arrays as elements",
            module.h5t.VLEN: "lists of any length",
            module.h5t.OPAQUE: "opaque bytes",
            module.h5t.BITFIELD: "bit fields",
            module.h5t.TIME: "times",
            module.h5t.ENUM: "enumerations",
        }
        raise _Refused(f"holds {names.get(held, 'numbers of an unusual type')}, not numbers of a usual type")

    def _check_size(self, stored: Stored) -> None:
        """Refuses what the bytes of the file do not justify, before memory is taken for it."""
        claimed = f"has shape {stored.shape}"
        if stored.chunks is None:
            self._plain += stored.nbytes
            if self._plain > self._size or stored.nbytes != stored.dataset.get_storage_size():
                raise _Refused(f"{claimed}, for which the file has too few bytes")
            return
        pieces = math.prod(-(-size // piece) for size, piece in zip(stored.shape, stored.chunks, strict=True))
        number = stored.dataset.get_num_chunks()
        if number != pieces or number > MOST_CHUNKS:
            raise _Refused(f"{claimed} and is stored in {number} blocks instead of {pieces}")
        self._grown += max(stored.nbytes, pieces * math.prod(stored.chunks) * stored.dtype.itemsize)
        if self._grown > max(FREE_GROWTH, MOST_GROWTH * self._on_disk):
            raise _Refused(
                f"{claimed} in blocks of {stored.chunks}: more than {MOST_GROWTH} times the size of the file"
            )


@functools.cache
def _file_type(dtype: np.dtype) -> Any:
    """What a dtype is in files."""
    return h5py().h5t.py_create(dtype, logical=True)


# --- values in blocks ---


def _read_chunks(stored: Stored, values: np.ndarray) -> None:
    """Fills `values`. The blocks are unpacked here, since libhdf5 lets a compressed one grow to any size."""
    assert stored.chunks is not None
    infos: list[Any] = []
    stored.dataset.chunk_iter(infos.append)
    missing = set(np.ndindex(*(-(-s // c) for s, c in zip(stored.shape, stored.chunks, strict=True))))
    for info in infos:
        where = tuple(o // c for o, c in zip(info.chunk_offset, stored.chunks, strict=True))
        missing.remove(where)
        mask, packed = stored.dataset.read_direct_chunk(info.chunk_offset)
        filters = [code for i, code in enumerate(stored.filters) if not mask >> i & 1]
        block = _unpacked(packed, filters, stored).reshape(stored.chunks)
        target = values[tuple(slice(o, o + c) for o, c in zip(info.chunk_offset, stored.chunks, strict=True))]
        target[...] = block[tuple(slice(size) for size in target.shape)]
    if missing:
        raise ValueError(f"{len(missing)} of its blocks are missing")


def _unpacked(packed: bytes, filters: list[int], stored: Stored) -> np.ndarray:
    """The elements of a block, whose filters are undone from the last to the first."""
    import zlib  # here: most programs read none

    assert stored.chunks is not None
    count, width = math.prod(stored.chunks), stored.dtype.itemsize
    for code in reversed(filters):
        if code == _DEFLATE:
            inflating = zlib.decompressobj()
            packed = inflating.decompress(packed, count * width + 1)
        else:
            packed = np.frombuffer(packed, np.uint8).reshape(width, -1).T.tobytes()
    if len(packed) != count * width:
        raise ValueError(f"a block of {count * width} bytes has another size")
    return np.frombuffer(packed, stored.dtype)
