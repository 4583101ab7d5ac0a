"""Reductions over the middle axis of [outer, reduce, inner], and the index of the extreme."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.kernels.harness import (
    ISAS,
    KERNELS,
    REFERENCE,
    TABLES,
    assert_same_bits,
    assert_untouched,
    assert_within,
    guarded,
    guarded_empty,
    sum_depth,
    unit_roundoff,
)

COVERED = {"reduce_lookup", "arg_reduce_lookup"}

NUMBERS = ("float32", "float64", "int32", "int64")
CASES = [(op, dtype) for op in ("sum", "prod", "max", "min") for dtype in NUMBERS]
CASES += [("any", "bool"), ("all", "bool")]

# Strips, blocks of 128 rows, blocks of 2,048 elements, and what lies beside them. inner == 1 is another tree.
ROWS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 257, 1023, 2049, 5000, 20000)
SHAPES = [
    (outer, reduce, inner)
    for outer, reduce, inner in itertools.product((0, 1, 3), ROWS, (0, 1, 2, 5, 16, 17, 33, 129, 600, 1030))
    if outer * reduce * inner <= 40_000 and (reduce < 2000 or outer == 1)
]


def values(shape: tuple[int, ...], dtype: str, op: str, seed: int = 0) -> np.ndarray:
    """Numbers whose sum cancels and whose product stays in range; integers wrap."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":  # rows that are all false, all true, and mixed
        return rng.random(shape) < rng.choice([0.0, 0.001, 0.999, 1.0], (shape[0], 1, shape[2]))
    if dtype.startswith("int"):
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    if op == "prod":
        return (np.exp(rng.normal(0, 0.05, shape)) * rng.choice([-1, 1], shape)).astype(dtype)
    return (rng.normal(size=shape) * 10.0 ** rng.uniform(-2, 2, shape)).astype(dtype)


def reduce(table: dict[str, Any], op: str, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    outer, rows, inner = x.shape
    out = np.empty((outer, inner), x.dtype) if out is None else out
    table["reduce_lookup"](op, x.dtype.name)(rows, inner, 0, outer, 0, inner, x, out)
    return out


def bound(op: str, x: np.ndarray, expected: np.ndarray) -> np.ndarray | float:
    """Of the error: tree depth times the sum of magnitudes, or one rounding for each factor; and one for the
    rounding of the reference."""
    eps = unit_roundoff(x.dtype)
    rows = x.shape[1]
    if op == "sum":
        magnitude = np.abs(x.astype(np.float64)).sum(axis=1)
        return (sum_depth(rows, x.dtype, x.shape[2] > 1) + 1) * eps * magnitude
    return 1.01 * rows * eps * np.abs(expected).astype(np.float64) if op == "prod" else 0.0


@pytest.mark.parametrize("op, dtype", CASES)
def test_against_the_reference(op: str, dtype: str) -> None:
    for shape in SHAPES:
        x = values(shape, dtype, op)
        expected = reduce(REFERENCE, op, x)
        for isa in ISAS:
            out = reduce(TABLES[isa], op, guarded(x), guarded_empty(expected.shape, dtype))
            assert_untouched(out)
            if x.dtype.kind == "f":
                assert_within(out, expected, bound(op, x, expected), f"{op} of {shape} on {isa}")
            else:
                assert_same_bits(out, expected, f"{op} of {shape} on {isa}")
            if isa == ISAS[0]:
                first = out
            assert_same_bits(out, first, f"{op} of {shape}: {isa} and {ISAS[0]}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", ["sum", "prod", "max", "min"])
def test_special_values(op: str, dtype: str) -> None:
    info = np.finfo(dtype)
    specials = [np.nan, np.inf, -np.inf, info.max, -info.max, info.smallest_subnormal, -info.tiny, 0.0, -0.0]
    for n, inner in itertools.product((1, 2, 9, 16, 17, 65, 130), (1, 3)):
        # One special value at every place, then two of them.
        x = np.ones((len(specials) * n, n, inner), dtype)
        for (s, value), at in itertools.product(enumerate(specials), range(n)):
            x[s * n + at, at] = value
        both = np.ones((len(specials) ** 2, n, inner), dtype)
        both[:, 0] = np.repeat(specials, len(specials)).reshape(-1, 1)
        both[:, -1] = np.tile(specials, len(specials)).reshape(-1, 1)
        x = np.concatenate([x, both])
        with np.errstate(all="ignore"):
            expected = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}[op](x, axis=1)
            magnitude = np.abs(x.astype(np.longdouble)).sum(axis=1) if op == "sum" else np.abs(expected)
        magnitude = np.where(np.isfinite(magnitude), magnitude, 0)
        reference = reduce(REFERENCE, op, x)
        np.testing.assert_array_equal(np.isnan(reference), np.isnan(expected))
        for isa in ISAS:
            out = reduce(TABLES[isa], op, x)
            assert_within(out, reference, (n + 1) * unit_roundoff(x.dtype) * magnitude, f"{op}, {n}, {isa}")
            if isa == ISAS[0]:
                first = out
            assert_same_bits(out, first, f"{op} of {x.shape}: {isa} and {ISAS[0]}")


def split(length: int, parts: int) -> list[tuple[int, int]]:
    """Ragged ranges that cover [0, length)."""
    cuts = sorted({0, length, *np.random.default_rng(length).integers(0, length + 1, parts - 1).tolist()})
    return list(itertools.pairwise(cuts))


def in_parts(fn: Any, x: np.ndarray, dtype: str) -> np.ndarray:
    """Reduces range by range. A range must write only its own results: others belong to other threads."""
    outer, rows, inner = x.shape
    result = np.empty((outer, inner), dtype)
    for (o, o_end), (c, c_end) in itertools.product(split(outer, 3), split(inner, 4)):
        out = guarded_empty((outer, inner), dtype)
        untouched = out.copy()
        fn(rows, inner, o, o_end, c, c_end, x, out)
        result[o:o_end, c:c_end] = untouched[o:o_end, c:c_end] = out[o:o_end, c:c_end]
        assert out.tobytes() == untouched.tobytes(), f"range [{o}, {o_end}) x [{c}, {c_end}) wrote outside"
    return result


@pytest.mark.parametrize("op, dtype", CASES)
def test_no_range_changes_a_bit(op: str, dtype: str) -> None:
    for shape in ((5, 33, 1), (7, 3000, 1), (4, 33, 100), (2, 300, 65), (1, 130, 700), (3, 9, 2)):
        x = guarded(values(shape, dtype, op))
        for isa in ISAS:
            whole = reduce(TABLES[isa], op, x)
            fn = TABLES[isa]["reduce_lookup"](op, dtype)
            assert_same_bits(in_parts(fn, x, dtype), whole, f"{op} of {shape} in parts on {isa}")


def test_what_is_not_offered_is_not_found() -> None:
    for isa, op, dtype in itertools.product(ISAS, KERNELS.reduce_ops, KERNELS.dtypes):
        assert (TABLES[isa]["reduce_lookup"](op, dtype) is None) == ((op, dtype) not in CASES)


def test_the_reference_follows_numpy() -> None:
    x = np.random.default_rng(1).integers(-9, 9, (3, 11, 4))
    for op in ("sum", "prod", "max", "min"):
        np.testing.assert_array_equal(reduce(REFERENCE, op, x), getattr(np, op)(x, axis=1))
        np.testing.assert_array_equal(reduce(REFERENCE, op, x.astype(float)), getattr(np, op)(x, axis=1))


# ------------------------------------------------------------------------------------------- argmax, argmin


def arg_reduce(table: dict[str, Any], largest: bool, x: np.ndarray, index: str = "int64") -> np.ndarray:
    outer, rows, inner = x.shape
    out = guarded_empty((outer, inner), index)
    table["arg_reduce_lookup"](largest, x.dtype.name, index)(rows, inner, 0, outer, 0, inner, x, out)
    assert_untouched(out)
    return out


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("dtype", [*NUMBERS, "bool"])
def test_arg_reduce(dtype: str, largest: bool) -> None:
    rng = np.random.default_rng(2)
    for shape in SHAPES:
        if shape[1] == 0:
            continue
        x = rng.integers(0, 2, shape).astype(dtype) if dtype == "bool" else values(shape, dtype, "max")
        if dtype != "bool" and shape[1] % 2:  # many ties
            x = rng.integers(-3, 4, shape).astype(dtype)
        if dtype.startswith("float"):
            x[rng.random(shape) < 0.5 / shape[1]] = np.nan
            x[rng.random(shape) < 0.2 / shape[1]] = np.inf if largest else -np.inf
        expected = arg_reduce(REFERENCE, largest, x)
        np.testing.assert_array_equal(expected, np.argmax(x, 1) if largest else np.argmin(x, 1))
        x = guarded(x)
        for isa, index in itertools.product(ISAS, ("int32", "int64")):
            actual = arg_reduce(TABLES[isa], largest, x, index)
            assert (actual == expected).all(), (shape, isa, index)


@pytest.mark.parametrize("dtype", [*NUMBERS, "bool"])
def test_no_range_changes_an_index(dtype: str) -> None:
    rng = np.random.default_rng(3)
    for shape in ((7, 300, 1), (3, 33, 300), (2, 65, 129)):
        x = guarded(rng.integers(0, 2, shape).astype(dtype))
        for isa in ISAS:
            fn = TABLES[isa]["arg_reduce_lookup"](True, dtype, "int64")
            np.testing.assert_array_equal(in_parts(fn, x, "int64"), arg_reduce(TABLES[isa], True, x))
