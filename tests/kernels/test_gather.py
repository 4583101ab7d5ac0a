"""Rows by index, their transpose, one-hot rows, and copies between strides."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.kernels.harness import (
    FLOATS,
    ISAS,
    KERNELS,
    REFERENCE,
    TABLES,
    assert_same_bits,
    assert_untouched,
    assert_within,
    guarded,
    guarded_empty,
    unit_roundoff,
)

COVERED = {"gather_rows", "scatter_add_rows_f32", "scatter_add_rows_f64", "one_hot", "strided_copy"}

COUNTS = (0, 1, 2, 15, 17, 33)
INDEX_TYPES = ("int32", "int64")


def indices(count: int, rows: int, dtype: str, bad: bool) -> np.ndarray:
    """In range, but for some with `bad`: just outside, and at the ends of the type."""
    rng = np.random.default_rng(count)
    index = rng.integers(0, max(rows, 1), count).astype(dtype)
    if bad or rows == 0:
        info = np.iinfo(dtype)
        outside = rng.random(count) < (0.2 if rows else 1.1)
        index[outside] = rng.choice([-1, rows, rows + 7, info.min, info.max], outside.sum())
    return index


@pytest.mark.parametrize("row_bytes", [0, 1, 2, 3, 4, 7, 8, 12, 16, 24, 32, 63, 64, 65, 128, 5000])
def test_gather_rows(row_bytes: int) -> None:
    rng = np.random.default_rng(row_bytes)
    for n, rows, dtype, bad in itertools.product(COUNTS, (0, 1, 9), INDEX_TYPES, (False, True)):
        table = guarded(rng.integers(0, 256, (rows, row_bytes), np.uint8))
        index = guarded(indices(n, rows, dtype, bad))
        call = (n, row_bytes, rows, table, index, dtype == "int64")
        expected = np.empty((n, row_bytes), np.uint8)
        first_bad = REFERENCE["gather_rows"](*call, expected)
        inside = (index >= 0) & (index < rows)
        assert first_bad == (-1 if inside.all() else np.argmin(inside))
        np.testing.assert_array_equal(expected[inside], table[index[inside]])
        for isa in ISAS:
            out = guarded_empty(expected.shape, np.uint8)
            assert TABLES[isa]["gather_rows"](*call, out) == first_bad
            assert_same_bits(out, expected, f"{n} of {rows} rows on {isa}")
            assert_untouched(out)


@pytest.mark.parametrize("suffix", FLOATS)
@pytest.mark.parametrize("cols", [0, 1, 2, 3, 8, 15, 16, 17, 33, 1023])
def test_scatter_add_rows(cols: int, suffix: str) -> None:
    rng = np.random.default_rng(cols)
    name = f"scatter_add_rows_{suffix}"
    for n, rows, dtype, bad in itertools.product(COUNTS, (0, 1, 9), INDEX_TYPES, (False, True)):
        source = guarded(rng.normal(size=(n, cols)).astype(FLOATS[suffix]))
        index = guarded(indices(n, rows, dtype, bad))
        call = (n, cols, rows, source, index, dtype == "int64")
        expected = np.empty((rows, cols), FLOATS[suffix])
        first_bad = REFERENCE[name](*call, expected)
        inside = (index >= 0) & (index < rows)
        magnitude = np.zeros((rows, cols))
        np.add.at(magnitude, index[inside], np.abs(source[inside]))
        bound = (n + 1) * unit_roundoff(FLOATS[suffix]) * magnitude  # a running sum; the reference's rounding
        for isa in ISAS:
            out = guarded_empty(expected.shape, FLOATS[suffix])
            assert TABLES[isa][name](*call, out) == first_bad
            assert_within(out, expected, bound, f"{n} into {rows} rows on {isa}")
            assert_untouched(out)
            if isa == ISAS[0]:
                first = out
            assert_same_bits(out, first, f"{isa} and {ISAS[0]}")


@pytest.mark.parametrize("dtype", KERNELS.dtypes)
def test_one_hot(dtype: str) -> None:
    for n, cols, index_type in itertools.product(COUNTS, (0, 1, 10, 33), INDEX_TYPES):
        index = guarded(indices(n, cols, index_type, bad=True))
        call = (n, cols, index, index_type == "int64", dtype)
        expected = np.empty((n, cols), dtype)
        REFERENCE["one_hot"](*call, expected)
        np.testing.assert_array_equal(expected, (index[:, None] == np.arange(cols)).astype(dtype))
        for isa in ISAS:
            out = guarded_empty((n, cols), dtype)
            TABLES[isa]["one_hot"](*call, out)
            assert_same_bits(out, expected, f"{n} of {cols} on {isa}")
            assert_untouched(out)


# ------------------------------------------------------------------------------------------ between strides


def views(array: np.ndarray) -> list[np.ndarray]:
    """What the operations make of an array: transposes, flips, slices, broadcasts, and several at once."""
    n = array.ndim
    result = [array, array.T]
    result += [array.transpose(order) for order in itertools.permutations(range(n))] if n <= 4 else []
    result += [array[(slice(None),) * axis + (slice(None, None, -1),)] for axis in range(n)]
    result += [array[(slice(1, None, 2),) * n + (...,)], array[(slice(None, None, -3),) * n + (...,)].T]
    result += [np.broadcast_to(array, (3, *array.shape))]
    result += [np.broadcast_to(array[..., None], (*array.shape, 5))]
    return result


def copy(table: dict[str, Any], source: np.ndarray, out: np.ndarray) -> None:
    def strides(x: np.ndarray) -> np.ndarray:
        return np.array(x.strides, np.int64)

    shape = np.array(source.shape, np.int64)
    table["strided_copy"](source.ndim, shape, source.itemsize, source, strides(source), out, strides(out))


SHAPES = [
    (),
    (0,),
    (1,),
    (2,),
    (17,),
    (1023,),
    (0, 3),
    (1, 1),
    (3, 5),
    (16, 16),
    (17, 33),
    (64, 65),
    (130, 70),
    (2, 3, 4),
    (5, 1, 9),
    (16, 3, 17),
    (9, 33, 2),
    (2, 3, 4, 5),
    (4, 17, 1, 16),
    (2, 1, 3, 2, 3, 1, 2),
]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_strided_copy(dtype: str) -> None:
    rng = np.random.default_rng(7)
    for shape in SHAPES:
        base = guarded(rng.integers(0, 100, shape).astype(dtype))
        for view in views(base):
            copy(REFERENCE, view, expected := np.empty(view.shape, dtype))
            np.testing.assert_array_equal(expected, view)
            for isa in ISAS:
                out = guarded_empty(view.shape, dtype)
                copy(TABLES[isa], view, out)
                assert_same_bits(out, expected, f"{view.shape} with strides {view.strides} on {isa}")
                assert_untouched(out)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_strided_copy_writes_only_its_elements(dtype: str) -> None:
    rng = np.random.default_rng(8)
    for shape in SHAPES:
        if 0 in shape:
            continue
        source = rng.integers(0, 100, shape).astype(dtype)
        for isa, step in itertools.product(ISAS, (1, 2)):
            # Into the middle of a larger array, and into every second element of one.
            large = np.full([3 * n + 2 for n in shape] if len(shape) < 5 else shape, 111, dtype)
            expected = large.copy()
            place = (*(slice(1, 1 + step * n, step) if len(shape) < 5 else slice(None) for n in shape), ...)
            expected[place] = source
            copy(TABLES[isa], source, large[place])
            assert_same_bits(large, expected, f"{shape} by {step} on {isa}")
