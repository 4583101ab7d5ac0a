"""Pooling kernels: windows of all kinds against plain references, whole and in parts."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from tests.kernels.harness import (
    FLOATS,
    ISAS,
    REFERENCE,
    TABLES,
    assert_same_bits,
    assert_untouched,
    assert_within,
    guarded,
    guarded_empty,
    unit_roundoff,
)

FORWARD = ("max_pool", "average_pool", "max_pool_pick")
BACKWARD = ("max_pool_grad", "average_pool_grad")
COVERED = {f"{name}_{suffix}" for name in (*FORWARD, *BACKWARD) for suffix in FLOATS}

Axis = tuple[int, np.ndarray, np.ndarray]


def axis(size: int, window: int, stride: int, before: int = 0) -> Axis:
    """Windows along an axis, cut at its ends; as many as begin inside."""
    begin = np.arange(-before, size, stride)
    begin = begin[begin + window <= size + before]
    return size, np.maximum(begin, 0), np.minimum(begin + window, size)


ONE = axis(1, 1, 1)
IMAGES = (
    (ONE, ONE, ONE),
    (ONE, axis(4, 2, 2), axis(6, 2, 2)),
    (ONE, axis(5, 3, 1, 1), axis(7, 3, 2, 1)),
    (axis(3, 2, 1), axis(5, 2, 3), axis(4, 4, 1)),
    (ONE, axis(9, 3, 2, 1), ONE),
    (ONE, ONE, axis(70, 5, 3, 2)),
    (ONE, axis(3, 2, 1), axis(90, 3, 1, 1)),
    (ONE, ONE, (7, np.array([0, 2, 4]), np.array([3, 5, 7]))),
    (ONE, (2, np.array([0, 0, 1]), np.array([1, 2, 2])), axis(35, 1, 1)),
)
INNER = (0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 130)


def sizes(image: tuple[Axis, ...]) -> tuple[list[int], list[int]]:
    return [size for size, _, _ in image], [len(begin) for _, begin, _ in image]


def numbers(shape: Any, dtype: np.dtype, seed: int) -> np.ndarray:
    """Whole numbers, many of them equal, with zeros of both signs, infinities and NaN."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape) * rng.choice([1.0, -1.0], shape)
    x[rng.random(shape) < 0.03] = np.nan
    x[rng.random(shape) < 0.03] = -np.inf
    return x.astype(dtype)


def some(shape: Any, dtype: np.dtype, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def roundings(image: tuple[Axis, ...]) -> int:
    """Of a mean: along the last axis, then over the rows, then the quotient and the reference's rounding."""
    reach = [int((end - begin).max(initial=1)) for _, begin, end in image]
    return reach[2] + math.prod(reach[:2]) + 2


def overlaps(image: tuple[Axis, ...]) -> int:
    """How many windows an element lies in at most."""
    most = [
        max(((begin <= p) & (p < end)).sum() for p in range(size)) if size else 0
        for size, begin, end in image
    ]
    return math.prod(int(n) for n in most)


def compare(name: str, out: np.ndarray, expected: np.ndarray, bound: Any, what: str) -> None:
    if name in ("max_pool", "max_pool_pick"):
        np.testing.assert_array_equal(out, expected, what)  # no rounding; the sign of zero is the first one's
    else:
        assert_within(out, expected, bound, what)


@pytest.mark.parametrize("suffix", FLOATS)
@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("inner", INNER)
def test_forward(name: str, inner: int, suffix: str) -> None:
    dtype, kernel = FLOATS[suffix], f"{name}_{suffix}"
    for number, image in enumerate(IMAGES):
        ins, outs = sizes(image)
        lines = 2 * outs[0] * outs[1]
        make = some if name == "average_pool" else numbers
        x = guarded(make((2, *ins, inner), dtype, number))
        inputs = [x, guarded(some(x.shape, dtype, 7))] if name == "max_pool_pick" else [x]
        expected = np.empty((lines, outs[2], inner), dtype)
        REFERENCE[kernel]((*image, inner), 0, lines, *inputs, expected)
        magnitude = np.empty_like(expected)
        REFERENCE[f"average_pool_{suffix}"]((*image, inner), 0, lines, np.abs(x), magnitude)
        bound = roundings(image) * unit_roundoff(dtype) * magnitude
        for isa in ISAS:
            out = guarded_empty(expected.shape, dtype)
            for begin, end in ((0, lines // 3), (lines // 3, lines)):
                TABLES[isa][kernel]((*image, inner), begin, end, *inputs, out)
            compare(name, out, expected, bound, f"image {number} on {isa}")
            assert_untouched(out)
            if isa == ISAS[0]:
                first = out
            assert_same_bits(out, first, f"image {number}, {isa} and {ISAS[0]}")


def cuts(ins: list[int], step: int) -> list[list[tuple[int, int]]]:
    """Boxes that make up an image: the whole one, or pieces of `step` elements along each axis."""
    axes = [[(i, min(i + step, n)) for i in range(0, n, step)] for n in ins]
    return [list(box) for box in itertools.product(*axes)]


@pytest.mark.parametrize("suffix", FLOATS)
@pytest.mark.parametrize("name", BACKWARD)
@pytest.mark.parametrize("inner", INNER)
def test_backward(name: str, inner: int, suffix: str) -> None:
    """However an image is cut into boxes, the bits are the same."""
    dtype, kernel = FLOATS[suffix], f"{name}_{suffix}"
    for number, image in enumerate(IMAGES):
        ins, outs = sizes(image)
        g = guarded(some((*outs, inner), dtype, number))
        inputs = [guarded(numbers((*ins, inner), dtype, number))] if name == "max_pool_grad" else []
        whole = [(0, n) for n in ins]
        expected, magnitude = np.empty((*ins, inner), dtype), np.empty((*ins, inner), dtype)
        REFERENCE[kernel]((*image, inner), whole, *inputs, g, expected)
        REFERENCE[kernel]((*image, inner), whole, *inputs, np.abs(g), magnitude)
        bound = (overlaps(image) + 1) * unit_roundoff(dtype) * magnitude
        for isa, step in itertools.product(ISAS, (100, 2, 3)):
            dx = guarded_empty(expected.shape, dtype)
            for box in cuts(ins, step):
                TABLES[isa][kernel]((*image, inner), box, *inputs, g, dx)
            compare(name, dx, expected, bound, f"image {number} in pieces of {step} on {isa}")
            assert_untouched(dx)
            if (isa, step) == (ISAS[0], 100):
                first = dx
            assert_same_bits(dx, first, f"image {number} in pieces of {step}, {isa} and {ISAS[0]}")
