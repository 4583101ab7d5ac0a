"""Ways to damage a file: of bytes, of zip archives, of HDF5, and of JSON.

Each function takes contents and a source of random choices and returns other contents with a few words that
say what was done. Those that know a format keep the rest of it in order (checksums included), so that the
damage comes as far as the code that reads what was damaged.
"""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

Mutant = tuple[bytes, str]
SIGNATURES = (b"TREE", b"SNOD", b"HEAP", b"OHDR", b"\x89HDF", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
NUMBERS = (0, 1, 2, 7, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1)


# --- bytes ---


def flip(data: bytes, rng: random.Random) -> Mutant:
    """Turns over some bits."""
    changed = bytearray(data)
    places = [rng.randrange(len(data) * 8) for _ in range(rng.choice((1, 1, 2, 4, 16)))]
    for place in places:
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed), f"bits {places} turned over"


def number(data: bytes, rng: random.Random) -> Mutant:
    """Writes a number over some bytes, often near a signature, where sizes and addresses are."""
    starts = []
    if rng.random() < 0.7:
        signature = rng.choice(SIGNATURES)
        at = data.find(signature)
        while at >= 0 and len(starts) < 200:
            starts.append(at)
            at = data.find(signature, at + 1)
    width = rng.choice((1, 2, 4, 8))
    at = rng.choice(starts) + rng.randrange(4, 96) if starts else rng.randrange(len(data))
    at = max(0, min(at, len(data) - width))
    value = rng.choice((*NUMBERS, len(data), rng.getrandbits(64))) % 256**width
    changed = data[:at] + value.to_bytes(width, "little") + data[at + width :]
    return changed, f"{value} in {width} bytes at {at}"


def cut(data: bytes, rng: random.Random) -> Mutant:
    """Leaves out the end, the beginning or a part in between."""
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return rng.choice((
        (data[:b], f"cut after {b} bytes"),
        (data[a:], f"the first {a} bytes cut off"),
        (data[:a] + data[b:], f"{a} to {b} cut out"),
    ))  # fmt: skip


def splice(data: bytes, rng: random.Random) -> Mutant:
    """Copies a part over another, or blanks it."""
    size = rng.choice((1, 8, 64, 512, rng.randrange(1, len(data) + 1)))
    a, b = (rng.randrange(max(1, len(data) - size)) for _ in range(2))
    part = rng.choice((data[a : a + size], bytes(size), b"\xff" * size, rng.randbytes(size)))
    insert = rng.random() < 0.3
    rest = data[b:] if insert else data[b + len(part) :]
    return data[:b] + part + rest, f"{len(part)} bytes of {a} {'put in' if insert else 'laid over'} at {b}"


BYTES: tuple[Callable[[bytes, random.Random], Mutant], ...] = (flip, flip, number, number, cut, splice)


def damaged(data: bytes, rng: random.Random) -> Mutant:
    """One to three changes of bytes."""
    said = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if data:
            data, words = rng.choice(BYTES)(data, rng)
            said.append(words)
    return data, "; ".join(said)


# --- JSON ---


_DEEP = "a deep nest"


def _with_nests(text: str, rng: random.Random) -> str:
    """The text with nests instead of the strings that hold their places; no library would write these."""
    opening, closing = rng.choice((("[", "]"), ('{"a": ', "}"), ('{"class_name": "Dense", "config": ', "}")))
    depth = rng.choice((3, 50, 400, 900, 3000, 100_000))
    return text.replace(f'"{_DEEP}"', opening * depth + "0" + closing * depth)


def _values(rng: random.Random) -> Any:
    return rng.choice((
        None, True, False, 0, 1, -1, 3, 2**31, 2**63, -(2**70), 10**30, 0.5, -1e308, 1e999, float("nan"),
        "", "x", "relu", "float32", "float16", "y" * 5000, "\0", "..", "\ud800", "Dense", "Sequential",
        "__lambda__", "keras.layers", [], {}, [None], [[1, 2], [3]], [2**31], [None, 10**6, 3],
        {"class_name": "Dense"}, {"class_name": 3, "config": 4}, {"class_name": "__tensor__", "config": {}},
        {"class_name": "__numpy__", "config": {"value": [1, [2]], "dtype": "float32"}},
        {"module": "builtins", "class_name": "function", "config": "print", "registered_name": "function"},
        {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2**30}},
        {"module": "keras.metrics", "class_name": "MeanIoU", "config": {"num_classes": 10**6}},
    ))  # fmt: skip


def _slots(root: Any) -> list[tuple[Any, Any]]:
    """Every place in a nest: its container and its key."""
    found: list[tuple[Any, Any]] = []
    containers = [root]
    while containers:
        value = containers.pop()
        for key in value if isinstance(value, dict) else range(len(value)):
            found.append((value, key))
            if isinstance(value[key], (dict, list)):
                containers.append(value[key])
    return found


def config(data: bytes, rng: random.Random) -> Mutant:
    """Changes values of a JSON text."""
    if rng.random() < 0.1:
        return damaged(data, rng)
    tree, said = json.loads(data), []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        slots = _slots(tree)
        if not slots:
            break
        container, key = rng.choice(slots)
        how = rng.randrange(7)
        if how == 0:
            del container[key]
            said.append(f"{key!r} left out")
        elif how == 1:
            other, there = rng.choice(slots)
            if isinstance(other, dict) == isinstance(container, dict) or rng.random() < 0.5:
                copied = json.loads(json.dumps(other[there])) if _has(other, there) else None
                container[key] = copied
                said.append(f"{there!r} copied to {key!r}")
        elif how == 2 and isinstance(container, dict):
            container[rng.choice(("name", "x", "config", "class_name", "inbound_nodes"))] = container.pop(key)
            said.append(f"{key!r} renamed")
        elif how == 3 and isinstance(container, list):
            container.insert(key, json.loads(json.dumps(container[key])))
            said.append(f"item {key} doubled")
        elif how == 4 and isinstance(container[key], (int, float)):
            container[key] = rng.choice((-1, 10**3, 10**6, 10**10, 2.5, -container[key]))
            said.append(f"{key!r} = {container[key]}")
        elif how == 5 and rng.random() < 0.2:
            container[key] = _DEEP
            said.append(f"{_DEEP} at {key!r}")
        else:
            container[key] = _values(rng)
            said.append(f"{key!r} = {str(container[key])[:80]}")
    return _with_nests(json.dumps(tree), rng).encode(), "; ".join(said)


def _has(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


# --- HDF5 ---


def _array(rng: random.Random) -> np.ndarray:
    shape = rng.choice(((), (0,), (1,), (2,), (3, 4), (4, 3), (2, 2, 2), (10_000,)))
    dtype = rng.choice(("f4", "f8", "f2", ">f4", "i1", "i8", "u8", "?", "c8", "S3", "V2", "f4,i4", "g"))
    return np.zeros(shape, dtype)


def _replace(group: Any, name: str, rng: random.Random) -> str:
    found = group[name]
    old = found[()] if isinstance(found, h5py.Dataset) and found.size < 10**6 else None
    del group[name]
    how = rng.randrange(10)
    if how == 0:
        group.create_dataset(name, (2, 2), "f4", external=[("/etc/passwd", 0, 16)])
        return "external storage"
    if how == 1:
        links = h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/x"), h5py.Empty("f4")
        group[name] = rng.choice(links)
        return "a link or nothing"
    if how == 2:
        group[name] = group.parent
        return "a cycle"
    if how == 3:
        group.create_dataset(name, (2**40,), "f4", chunks=(2**16,), compression="gzip")
        return "a bomb"
    if how == 4 and old is not None and old.ndim:
        options = {"compression": rng.choice(("gzip", "lzf", None)), "shuffle": rng.random() < 0.5}
        group.create_dataset(name, data=old, chunks=True, **options)
        return f"in blocks, {options}"
    if how == 5:
        group.create_group(name)
        return "a group"
    if how == 6 and old is not None:
        group[name] = np.asarray(old, rng.choice(("f8", ">f4", "i4", "f2")))
        return "another type"
    if how == 7:
        return "left out"
    group[name] = _array(rng)
    return f"{group[name].dtype} of shape {group[name].shape}"


def hdf5(data: bytes, rng: random.Random) -> Mutant:
    """Changes the arrays and groups of an HDF5 file, or its bytes."""
    if rng.random() < 0.6:
        return damaged(data, rng)
    file = io.BytesIO(data)
    said = []
    with h5py.File(file, "r+") as opened:
        names: list[str] = []
        opened.visit(names.append)
        for _ in range(rng.choice((1, 1, 2))):
            name = rng.choice(names)
            if opened.get(name) is not None:  # neither gone nor a link that leads nowhere
                parent, _, key = name.rpartition("/")
                said.append(f"{name}: {_replace(opened[parent] if parent else opened, key, rng)}")
    changed = file.getvalue()
    if rng.random() < 0.1:
        changed, words = damaged(changed, rng)
        said.append(words)
    return changed, "; ".join(said)


# --- zip ---


def archive(data: bytes, rng: random.Random) -> Mutant:
    """Changes a `.keras` file: what is in a member, the members, or what the archive says of them."""
    how = rng.random()
    if how < 0.2:
        return damaged(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = {name: old.read(name) for name in old.namelist()}
    said = ""
    if how < 0.85:
        name = rng.choice(("config.json", "config.json", "model.weights.h5"))
        members[name], said = (config if name == "config.json" else hdf5)(members[name], rng)
        said = f"{name}: {said}"
    entries = list(members.items())
    if how >= 0.85:
        said = _change_entries(entries, rng)
    method = rng.choices((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2), (18, 1, 1))[0]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for name, content in entries:
            new.writestr(zipfile.ZipInfo(name), content, method)  # without the time of day
    changed = file.getvalue()
    if how >= 0.95:
        changed, words = _change_headers(changed, rng)
        said += words
    return changed, f"method {method}; {said}"


def _change_entries(entries: list[tuple[str, bytes]], rng: random.Random) -> str:
    i, j = rng.randrange(len(entries)), rng.randrange(len(entries))
    how = rng.randrange(5)
    if how == 0:
        return f"without {entries.pop(i)[0]}"
    if how == 1:
        entries.append(entries[i])
        return f"{entries[i][0]} twice"
    if how == 2:
        name = rng.choice(("../../x", "/etc/x", "a\\..\\b", "x" * 60_000, "config.json/", "a\0b"))
        entries[i] = (name, entries[i][1])
        return f"a member called {name[:20]!r}"
    if how == 3:
        entries[i], entries[j] = (entries[i][0], entries[j][1]), (entries[j][0], entries[i][1])
        return f"{entries[i][0]} and {entries[j][0]} exchanged"
    entries[i] = (entries[i][0], bytes(rng.choice((0, 1, 10**5))))
    return f"{entries[i][0]} of {len(entries[i][1])} zeros"


def _change_headers(data: bytes, rng: random.Random) -> Mutant:
    """Changes a field of all members, in both places where it stands."""
    fields = ("flags", 6, 8), ("method", 8, 10), ("crc", 14, 16), ("size", 22, 24)
    field, local, central = rng.choice(fields)
    width = 2 if field in ("flags", "method") else 4
    value = rng.choice((1, 0x41, 8, 12, 14, 97, 99, 0x7FFFFFFF, 0xFFFFFFFF)) % 256**width
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = data.find(signature)
        while at >= 0:
            if at + offset + width <= len(data):
                struct.pack_into("<H" if width == 2 else "<I", changed, at + offset, value)
            at = data.find(signature, at + 1)
    return bytes(changed), f"; {field} = {value}"
