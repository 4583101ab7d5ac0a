"""What the tests of kernels share: the tables, guarded memory, and distances between results."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

from ranvier import _core

KERNELS = _core.kernels
ISAS: tuple[str, ...] = KERNELS.isas
TABLES: dict[str, dict[str, Any]] = {isa: KERNELS.table(isa) for isa in ISAS}
REFERENCE: dict[str, Any] = KERNELS.table("reference")
FLOATS = {"f32": np.dtype("float32"), "f64": np.dtype("float64")}

# Around the sizes of vectors, blocks and strips of every instruction set.
SIZES = (0, 1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1023)

_PAGE = mmap.PAGESIZE
_CANARY = 0xA5
_LIBC = ctypes.CDLL(None, use_errno=True)


def guarded(source: np.ndarray) -> np.ndarray:
    """A copy of an array, with its last byte before a page that may not be touched: reading or writing behind
    it ends the process. What lies before it is checked by `assert_untouched`."""
    pages = -(-source.nbytes // _PAGE) or 1
    memory = mmap.mmap(-1, (pages + 1) * _PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    if _LIBC.mprotect(ctypes.c_void_p(address + pages * _PAGE), ctypes.c_size_t(_PAGE), 0) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    offset = pages * _PAGE - source.nbytes
    np.ndarray(offset, np.uint8, memory).fill(_CANARY)
    array = np.ndarray(source.shape, source.dtype, memory, offset)
    array[...] = source
    return array


def guarded_empty(shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
    """Guarded memory full of a byte that no kernel writes by chance."""
    array = guarded(np.empty(shape, dtype))
    if array.size:
        array.reshape(-1).view(np.uint8).fill(_CANARY)
    return array


def assert_untouched(array: np.ndarray) -> None:
    """Nothing was written before a guarded array."""
    before = np.ndarray((-array.nbytes) % _PAGE or (0 if array.nbytes else _PAGE), np.uint8, array.base)
    assert (before == _CANARY).all(), "memory before the output was written"


def bits(array: np.ndarray) -> np.ndarray:
    """The array's bytes by element; every NaN is the same."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def assert_same_bits(actual: np.ndarray, expected: np.ndarray, what: Any = "") -> None:
    """Equal to the bit, but for the payload of NaN."""
    different = np.argwhere(bits(actual) != bits(expected))
    if len(different):
        at = tuple(different[0])
        raise AssertionError(
            f"{what}: {len(different)} differ, first at {at}: {actual[at]!r}, {expected[at]!r}"
        )


def ulps(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """|actual - expected| in units in the last place of `expected`; infinite where one of them is NaN or they
    are zeros of different sign."""
    limit = np.longdouble(2) ** np.finfo(expected.dtype).maxexp  # stands for infinity

    def number(x: np.ndarray) -> np.ndarray:
        return np.where(np.isinf(x), np.copysign(limit, x.astype(np.longdouble)), x.astype(np.longdouble))

    size = np.minimum(np.abs(expected), np.finfo(expected.dtype).max)
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(number(actual) - number(expected)) / np.spacing(size).astype(np.longdouble)
    zeros = (actual == 0) & (expected == 0) & (np.signbit(actual) != np.signbit(expected))
    distance = np.where(zeros | np.isnan(distance), np.inf, distance)
    return np.where(np.isnan(actual) & np.isnan(expected), 0, distance)


def unit_roundoff(dtype: np.dtype) -> float:
    """Half the distance from 1 to the next number."""
    return float(np.finfo(dtype).eps) / 2


def assert_within(
    actual: np.ndarray, expected: np.ndarray, bound: np.ndarray | float, what: Any = ""
) -> None:
    """|actual - expected| <= bound by element, where both are numbers; else they must be the same."""
    wide = np.longdouble
    special = ~(np.isfinite(actual) & np.isfinite(expected))
    assert_same_bits(actual[special].astype(np.float64), expected[special].astype(np.float64), what)
    with np.errstate(invalid="ignore"):
        excess = np.where(special, -1, np.abs(actual.astype(wide) - expected.astype(wide)) - bound)
    if excess.size and excess.max() > 0:
        at = np.unravel_index(np.argmax(excess), excess.shape)
        raise AssertionError(
            f"{what}: at {at}: {actual[at]!r} is not within {np.broadcast_to(bound, actual.shape)[at]!r} "
            f"of {expected[at]!r}"
        )


def sum_depth(count: int, dtype: np.dtype, across_rows: bool = False) -> int:
    """Roundings on the longest path of the tree of a sum (docs/numerics.md)."""

    def levels(block: int) -> int:
        return max(0, int(np.ceil(np.log2(max(count, 1) / block))))

    if across_rows:
        return 3 + 16 + 7 + levels(128)
    lanes = 256 // dtype.itemsize
    return 32 + int(np.log2(lanes)) + levels(32 * lanes) + 1
