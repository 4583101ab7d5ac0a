"""Pairs of elementwise operations: the bits of the two run one after the other."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.kernels.harness import (
    ISAS,
    KERNELS,
    SIZES,
    TABLES,
    assert_same_bits,
    assert_untouched,
    guarded,
    guarded_empty,
)
from tests.kernels.test_elementwise import specials

COVERED = {"ew_pair_lookup"}

NAMES = [name for name, arity, _, _ in KERNELS.elementwise_ops if arity < 3]
ARITY = {name: arity for name, arity, _, _ in KERNELS.elementwise_ops}
FORMS = ("arrays", "scalar_left", "scalar_right")
PAIRS = [
    pair
    for pair in itertools.product(NAMES, FORMS, NAMES, (False, True), (False, True))
    if TABLES[ISAS[0]]["ew_pair_lookup"](pair) is not None
]
F32 = np.dtype("float32")


def one_by_one(table: dict[str, Any], pair: tuple, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The two operations, each by its own kernel; an operand that is a scalar has one element."""
    first, form, second, first_is_right, other_is_scalar = pair
    n = max(len(a), len(b))
    inner, out = np.empty(n, F32), np.empty(n, F32)
    table["ew_lookup"](first, "float32", form)(n, inner, a, b, None)
    if ARITY[second] == 1:
        table["ew_lookup"](second, "float32", "arrays")(n, out, inner, None, None)
        return out
    sides = ("scalar_left" if first_is_right else "scalar_right") if other_is_scalar else "arrays"
    x, y = (c, inner) if first_is_right else (inner, c)
    table["ew_lookup"](second, "float32", sides)(n, out, x, y, None)
    return out


def operands(pair: tuple, n: int) -> list[np.ndarray]:
    """Special values, each beside many others."""
    _, form, _, _, other_is_scalar = pair
    rng = np.random.default_rng(3)
    arrays = [np.resize(rng.permutation(specials(F32)), n) for _ in range(3)]
    scalars = (form == "scalar_left", form == "scalar_right", other_is_scalar)
    return [x[-1:].copy() if scalar else x for x, scalar in zip(arrays, scalars, strict=True)]


def test_what_is_offered() -> None:
    assert len(PAIRS) > 100
    assert ("multiply", "scalar_right", "add", False, False) in PAIRS
    for isa in ISAS:
        lookup = TABLES[isa]["ew_pair_lookup"]
        assert all(lookup(pair) is not None for pair in PAIRS)
        assert lookup(("exp", "arrays", "add", False, False)) is None
        assert lookup(("add", "arrays", "maximum", True, False)) is None, "NaN and zeros depend on the side"


@pytest.mark.parametrize("isa", ISAS)
def test_same_bits_as_one_by_one(isa: str) -> None:
    for pair in PAIRS:
        a, b, c = operands(pair, 259)
        expected = one_by_one(TABLES[isa], pair, a, b, c)
        out = np.empty_like(expected)
        TABLES[isa]["ew_pair_lookup"](pair)(len(out), out, a, b, c)
        assert_same_bits(out, expected, f"{pair} on {isa}")


@pytest.mark.parametrize("isa", ISAS)
def test_sizes_and_aliases(isa: str) -> None:
    chosen = [("subtract", "arrays", "multiply", False, True), ("square", "arrays", "subtract", True, False)]
    chosen += [
        ("multiply", "scalar_left", "add", False, False),
        ("add", "scalar_right", "rsqrt", False, False),
    ]
    for pair, n in itertools.product(chosen, SIZES[1:]):
        fn = TABLES[isa]["ew_pair_lookup"](pair)
        inputs = operands(pair, n)
        expected = one_by_one(TABLES[isa], pair, *inputs)
        out = guarded_empty(n, F32)
        fn(n, out, *map(guarded, inputs))
        assert_same_bits(out, expected, f"{pair} of {n} on {isa}")
        assert_untouched(out)
        for i, x in enumerate(inputs):  # the output in the place of an operand, or beginning with a scalar
            place = [y.copy() for y in inputs]
            out = np.resize(x, n) if len(x) == 1 else place[i]
            place[i] = out[: len(x)]
            fn(n, out, *place)
            assert_same_bits(out, expected, f"{pair} of {n} on {isa}, in place of operand {i}")
