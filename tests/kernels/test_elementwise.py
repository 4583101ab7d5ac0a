"""Elementwise kernels, casts and fill: every operation, type, form and instruction set."""

from __future__ import annotations

import itertools
import zlib
from typing import Any

import numpy as np
import pytest
from tests.kernels.harness import (
    ISAS,
    KERNELS,
    REFERENCE,
    SIZES,
    TABLES,
    assert_same_bits,
    assert_untouched,
    guarded,
    guarded_empty,
    ulps,
)

COVERED = {"ew_lookup", "ew_cast_lookup", "fill"}

# Largest errors in ulps, float32 and float64, as measured in docs/numerics.md. Operations that
# are not here are exact, or correctly rounded as the reference is.
MEASURED: dict[str, tuple[float, float]] = {
    "exp": (1.00, 1.03),
    "expm1": (0.89, 1.03),
    "log": (0.87, 0.80),
    "log1p": (1.42, 1.23),
    "sin": (0.501, 0.79),
    "cos": (0.501, 0.79),
    "tanh": (1.34, 1.00),
    "sigmoid": (1.97, 1.96),
    "softplus": (1.68, 1.65),
    "erf": (1.00, 0.98),
    "erfc": (4.58, 4.00),
    "erfinv": (3.16, 2.71),
    "arctan": (1.85, 1.64),
    "rsqrt": (1.49, 1.49),
    "power": (0.501, 1.64),
    "floor_divide": (0.0, 1.5),  # float64: for quotients of 2^52 and more
}
REFERENCE_ERROR = 0.5 + 1e-3  # of the reference: rounded once from long double

DOMAINS = {
    "F": ("float32", "float64"),
    "N": ("float32", "float64", "int32", "int64"),
    "I": ("int32", "int64"),
    "A": ("float32", "float64", "int32", "int64", "bool"),
    "B": ("bool",),
}
OPS = {name: (arity, result) for name, arity, _, result in KERNELS.elementwise_ops}
CASES = [(name, dtype) for name, _, domain, _ in KERNELS.elementwise_ops for dtype in DOMAINS[domain]]
BINARY = [(name, dtype) for name, dtype in CASES if OPS[name][0] == 2]


def specials(dtype: np.dtype) -> np.ndarray:
    """The values at which operations change their course."""
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        values = {0, 1, 2, 3, 7, 10, 255, 256, 65535, 65536, info.max, info.max - 1, info.max // 2}
        values |= {-v for v in values} | {info.min, info.min + 1, info.min // 2}
        return np.array(sorted(v for v in values if info.min <= v <= info.max), dtype)
    info = np.finfo(dtype)
    near_one = [1, 1 + info.eps, 1 - info.eps / 2, 0.5, np.sqrt(0.5), 1.5, 2, 2.5, 3, 10, 100]
    thresholds = [87.3, 88.73, 89, 103.9, 104, 708.4, 709.79, 710, 745.2, 746, 9.02, 3.92, np.pi, np.pi / 2]
    powers = [2.0**p for p in (-30, -13, 15, 22, 23, 24, 31, 32, 40, 41, 51, 52, 53, 62, 63, 64, 100)]
    edges = [0, info.smallest_subnormal, info.tiny, info.tiny * (1 - info.eps), info.max, np.inf, np.nan]
    positive = np.array(near_one + thresholds + powers + edges, dtype)
    return np.concatenate([positive, -positive])


def random_values(dtype: np.dtype, count: int, rng: np.random.Generator) -> np.ndarray:
    """Half over all bit patterns, half over ranges where functions do their work."""
    if dtype.kind == "b":
        return rng.integers(0, 2, count).astype(bool)
    patterns = np.frombuffer(rng.bytes(count * dtype.itemsize), dtype)
    if dtype.kind == "i":
        return np.where(rng.random(count) < 0.5, patterns, rng.integers(-100, 100, count)).astype(dtype)
    scale = 10.0 ** rng.uniform(-6, 3, count)
    return np.where(rng.random(count) < 0.5, patterns, (rng.uniform(-1, 1, count) * scale)).astype(dtype)


def operands(name: str, dtype: np.dtype) -> list[np.ndarray]:
    """Special values (all pairs of them) and random ones."""
    rng = np.random.default_rng(zlib.crc32(f"{name} {dtype}".encode()))
    values = specials(dtype)
    arity = OPS[name][0]
    if arity == 1:
        return [np.concatenate([values, random_values(dtype, 8000, rng)])]
    left, right = (side.ravel() for side in np.meshgrid(values, values))
    pair = [np.concatenate([side, random_values(dtype, 4000, rng)]) for side in (left, right)]
    return pair if arity == 2 else [rng.random(len(pair[0])) < 0.5, *pair]


def output_dtype(name: str, dtype: np.dtype) -> np.dtype:
    return np.dtype(bool) if OPS[name][1] == "B" else dtype


def run(
    table: dict[str, Any],
    name: str,
    dtype: np.dtype,
    out: np.ndarray,
    inputs: list[np.ndarray],
    form: str = "arrays",
) -> np.ndarray:
    fn = table["ew_lookup"](name, dtype.name, form)
    fn(len(out), out, *inputs, *[None] * (3 - len(inputs)))
    return out


@pytest.mark.parametrize("name, type_name", CASES)
def test_against_the_reference(name: str, type_name: str) -> None:
    dtype = np.dtype(type_name)
    inputs = operands(name, dtype)
    expected = run(REFERENCE, name, dtype, np.empty(len(inputs[0]), output_dtype(name, dtype)), inputs)
    for isa in ISAS:
        actual = run(TABLES[isa], name, dtype, np.empty_like(expected), inputs)
        if name in MEASURED and dtype.kind == "f":
            bound = MEASURED[name][dtype == np.float64]
            error = ulps(actual, expected)
            worst = int(np.argmax(error))
            at = [x[worst] for x in inputs]
            context = f"{name} on {isa} of {at}: {actual[worst]!r}, {expected[worst]!r}"
            assert error[worst] <= (bound + REFERENCE_ERROR if bound else 0), context
        else:
            assert_same_bits(actual, expected, f"{name} on {isa}")
        # Bits do not depend on the instruction set.
        if isa == ISAS[0]:
            first = actual
        assert_same_bits(actual, first, f"{name}: {isa} and {ISAS[0]}")


@pytest.mark.parametrize("name, type_name", CASES)
def test_sizes_and_aliases(name: str, type_name: str) -> None:
    dtype = np.dtype(type_name)
    inputs = [x[:2500][-max(SIZES) :] for x in operands(name, dtype)]
    for isa in ISAS:
        table = TABLES[isa]
        whole = run(table, name, dtype, np.empty(len(inputs[0]), output_dtype(name, dtype)), inputs)
        for n in SIZES:
            guards = [guarded(x[:n]) for x in inputs]
            out = run(table, name, dtype, guarded_empty(n, whole.dtype), guards)
            assert_same_bits(out, whole[:n], f"{name} of {n} on {isa}")
            assert_untouched(out)
            for i, x in enumerate(inputs):  # the output in the place of an operand of its element size
                if x.itemsize == whole.itemsize:
                    place = [guarded(y[:n]) for y in inputs]
                    out = run(table, name, dtype, place[i].view(whole.dtype), place)
                    assert_same_bits(out, whole[:n], f"{name} of {n} on {isa}, in place of operand {i}")


@pytest.mark.parametrize("name, type_name", BINARY)
def test_scalar_forms_give_the_bits_of_arrays(name: str, type_name: str) -> None:
    dtype = np.dtype(type_name)
    values = specials(dtype)
    array = np.resize(values, 259)
    for isa, scalar, left in itertools.product(ISAS, values, (True, False)):
        full = np.full_like(array, scalar)
        pair = [full, array] if left else [array, full]
        expected = run(TABLES[isa], name, dtype, np.empty(len(array), output_dtype(name, dtype)), pair)
        one = np.full(1, scalar)
        pair, form = ([one, array], "scalar_left") if left else ([array, one], "scalar_right")
        actual = run(TABLES[isa], name, dtype, np.empty_like(expected), pair, form)
        assert_same_bits(actual, expected, f"{name} with scalar {scalar!r}, {form}, {isa}")


@pytest.mark.parametrize("name, type_name", [(name, dtype) for name, dtype in BINARY if OPS[name][1] == "T"])
def test_a_scalar_may_be_the_first_element_of_the_output(name: str, type_name: str) -> None:
    dtype = np.dtype(type_name)
    for isa, n, left in itertools.product(ISAS, (1, 2, 15, 17, 33, 259, 1023), (True, False)):
        array = np.resize(specials(dtype)[::-1], n)
        scalar = array[n // 2 : n // 2 + 1].copy()
        form = "scalar_left" if left else "scalar_right"
        pair = [scalar, array] if left else [array, scalar]
        expected = run(TABLES[isa], name, dtype, np.empty_like(array), pair, form)
        out = np.empty_like(array)
        out[0] = scalar[0]
        pair = [out[:1], array] if left else [array, out[:1]]
        run(TABLES[isa], name, dtype, out, pair, form)
        assert_same_bits(out, expected, f"{name} of {n}, {form}, {isa}")


@pytest.mark.parametrize("name, type_name", CASES)
def test_what_is_not_offered_is_not_found(name: str, type_name: str) -> None:
    arity, _ = OPS[name]
    for isa in ISAS:
        lookup = TABLES[isa]["ew_lookup"]
        assert (lookup(name, type_name, "scalar_left") is None) == (arity != 2)
        for dtype in KERNELS.dtypes:
            assert (lookup(name, dtype, "arrays") is None) == ((name, dtype) not in CASES)


@pytest.mark.parametrize("source", KERNELS.dtypes)
def test_casts(source: str) -> None:
    rng = np.random.default_rng(5)
    dtype = np.dtype(source)
    patterns = rng.integers(0, 2, 2000, bool) if dtype.kind == "b" else rng.bytes(2000 * dtype.itemsize)
    x = np.concatenate([specials(dtype), np.frombuffer(patterns, dtype)])
    if dtype.kind == "f":  # where integers end, and between them
        ends = [sign * 2.0**p for p in (7, 8, 15, 16, 31, 32, 63) for sign in (1, -1)]
        x = np.concatenate([x, *(np.array(ends, dtype) + dtype.type(d) for d in (-1.5, -1, -0.5, 0, 0.5))])
    for target in KERNELS.dtypes:
        expected = np.empty(len(x), target)
        REFERENCE["ew_cast_lookup"](source, target)(len(x), expected, x, None, None)
        for isa in ISAS:
            fn = TABLES[isa]["ew_cast_lookup"](source, target)
            actual = np.empty_like(expected)
            fn(len(x), actual, x, None, None)
            assert_same_bits(actual, expected, f"{source} to {target} on {isa}")
            for n in SIZES:
                out = guarded_empty(n, target)
                fn(n, out, guarded(x[:n]), None, None)
                assert_same_bits(out, expected[:n], f"{source} to {target} of {n} on {isa}")
                assert_untouched(out)


def test_casts_follow_numpy_where_it_defines_them() -> None:
    values = np.array([0.0, -0.0, 0.4, -0.6, 1.5, -2.5, 100.99, np.nan], np.float32)
    out = np.empty(len(values), np.int32)
    REFERENCE["ew_cast_lookup"]("float32", "int32")(len(values), out, values, None, None)
    np.testing.assert_array_equal(out, [0, 0, 0, 0, 1, -2, 100, 0])
    wide = np.array([0, -1, 300, 2**31, -(2**40) + 5])
    for target in ("uint8", "int16", "uint32", "int32", "float32", "bool"):
        out = np.empty(len(wide), target)
        REFERENCE["ew_cast_lookup"]("int64", target)(len(wide), out, wide, None, None)
        np.testing.assert_array_equal(out, wide.astype(target))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_fill(dtype: str) -> None:
    value = np.array([3], dtype)
    for isa, n in itertools.product(ISAS, SIZES):
        out = guarded_empty(n, dtype)
        TABLES[isa]["fill"](n, out.itemsize, out, value)
        assert_same_bits(out, np.full(n, 3, dtype), f"fill of {n} on {isa}")
        assert_untouched(out)
