"""Fashion-MNIST: 70,000 grey-scale pictures of clothing, 28x28, in ten classes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from ranvier.core.user_code import short_traceback
from ranvier.datasets import _download
from ranvier.datasets.digits import Split

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["load_data"]

_MOST_BYTES = 64 << 20  # of a file, unpacked: the largest has 45 MiB


@short_traceback
def load_data() -> Split:
    """Loads Fashion-MNIST, downloading 31 MB at first use.

    The classes are, in order: T-shirt/top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle
    boot. Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
    machine learning algorithms", arXiv:1708.07747; copyright Zalando SE, MIT licence.

    The four files are those Keras downloads. Keras gives no checksums for them, so they are checked by what
    they contain: the gzip checksum, the idx header and the sizes. A file that fails is removed.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shapes (60000, 28, 28) and (10000, 28, 28)
        with values from 0 to 255, uint8 labels of shapes (60000,) and (10000,) with values from 0 to 9.

    Raises:
        ValueError: if a downloaded file is incomplete or corrupted.
        OSError: if a file cannot be downloaded or stored.
    """
    return _load_part("train"), _load_part("t10k")


def _load_part(part: str) -> tuple[np.ndarray, np.ndarray]:
    labels_path = _download.fetch(f"{part}-labels-idx1-ubyte.gz", None, subdir="fashion-mnist")
    images_path = _download.fetch(f"{part}-images-idx3-ubyte.gz", None, subdir="fashion-mnist")
    labels = _read_idx(labels_path, ndim=1)
    images = _read_idx(images_path, ndim=3)
    if len(images) != len(labels):
        _discard(images_path, f"it has {len(images)} images for {len(labels)} labels")
    return images, labels


def _read_idx(path: Path, ndim: int) -> np.ndarray:
    """An array of unsigned bytes from a gzipped idx file: two zero bytes, the type (8), the rank, the sizes
    as big-endian 32-bit integers, and the elements."""
    import gzip
    import zlib

    try:
        with gzip.open(path) as file:
            content = file.read(_MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        _discard(path, str(error), error)
    if len(content) > _MOST_BYTES:
        _discard(path, f"it holds more than {_MOST_BYTES >> 20} MiB")
    header = 4 + 4 * ndim
    if len(content) < header or content[:4] != bytes((0, 0, 8, ndim)):
        _discard(path, f"it is not an idx file of {ndim}-dimensional bytes")
    shape = struct.unpack(f">{ndim}I", content[4:header])
    data = np.frombuffer(content, np.uint8, offset=header)
    if len(data) != int(np.prod(shape, dtype=np.int64)):
        _discard(path, f"its header announces the shape {shape}, but {len(data)} bytes follow")
    return data.reshape(shape).copy()  # writable


def _discard(path: Path, reason: str, cause: Exception | None = None) -> NoReturn:
    path.unlink(missing_ok=True)
    raise ValueError(f"{path} is incomplete or corrupted ({reason}). It was removed; try again.") from cause
