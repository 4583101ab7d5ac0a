"""Softmax, its logarithm, the sparse cross-entropy and their gradients, on rows.

The bounds count roundings (docs/numerics.md). eps is the unit roundoff, m a row's maximum, d = m - x.
exp(x - m) has the relative error 3 eps, for x - m is carried in two numbers. A sum of them has besides the
error of its tree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
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
    sum_depth,
    unit_roundoff,
)

NAMES = ("softmax", "log_softmax", "softmax_grad", "log_softmax_grad", "sparse_xent", "sparse_xent_grad")
COVERED = {f"{name}_{suffix}" for name in NAMES for suffix in FLOATS}

COLUMNS = (1, 2, 3, 7, 10, 15, 16, 17, 31, 32, 33, 63, 65, 100, 1023, 2049, 4500)
SHAPES = [(rows, cols) for rows in (1, 2, 15, 16, 17, 33) for cols in COLUMNS if rows * cols <= 20_000]
SHAPES += [(0, 5)]
SECOND_ORDER = 1.02  # products of the errors, and the rounding of the reference where that is small

Out = tuple[np.ndarray, Any]


def logits(shape: tuple[int, int], dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """Rows of all scales: near a tie, usual, and with probabilities that vanish."""
    rng = np.random.default_rng(seed)
    scale = rng.choice([1e-3, 1.0, 5.0, 60.0, 1e4], (shape[0], 1))
    x = rng.normal(size=shape) * scale + rng.choice([0.0, 1e3, -1e3], (shape[0], 1))
    x[rng.random(shape) < 0.02] = -np.inf
    x[:, 0] = np.where(np.isneginf(x).all(axis=1), 0, x[:, 0])
    return x.astype(dtype)


class Rows:
    """What the bounds are made of, exact to double."""

    def __init__(self, x: np.ndarray) -> None:
        self.eps = unit_roundoff(x.dtype)
        wide = x.astype(np.longdouble)
        self.d = wide.max(axis=1, keepdims=True) - wide
        e = np.exp(-self.d)
        total = e.sum(axis=1, keepdims=True)
        self.p = e / total
        self.log_sum = np.log(total)
        d = np.where(np.isfinite(self.d), self.d, 0)
        depth = sum_depth(x.shape[1], x.dtype)
        self.sum_error = (depth + 3) * self.eps  # relative
        # Exponential; reciprocal, product and the reference's rounding; a denormal exponential and result.
        # The sum of exponentials is rounded once: its other roundings are kept.
        tiny = 2 * np.finfo(x.dtype).smallest_subnormal
        self.p_error = SECOND_ORDER * self.p * ((3 + 3) + (3 + 1)) * self.eps + tiny
        # The logarithm is within one ulp; m - x and the last sum are rounded.
        log_error = 2 * self.log_sum * self.eps + self.sum_error
        self.log_error = SECOND_ORDER * (log_error + (d + (d + self.log_sum) * 2 + 1e-30) * self.eps)


def call(table: dict[str, Any], name: str, suffix: str, out: np.ndarray, *inputs: Any) -> Out:
    """Runs a kernel over rows. For the cross-entropy the labels are int32 or int64."""
    rows, cols = inputs[0].shape
    flat: list[Any] = []
    for x in inputs:
        flat += [x, x.dtype == np.int64] if x.dtype.kind == "i" else [x]
    return out, table[f"{name}_{suffix}"](rows, cols, *flat, out)


def check(name: str, suffix: str, out_shape: tuple[int, ...], bound: Any, *inputs: np.ndarray) -> np.ndarray:
    """Against the reference, on every instruction set, with guarded memory."""
    dtype = FLOATS[suffix]
    expected, status = call(REFERENCE, name, suffix, np.empty(out_shape, dtype), *inputs)
    guards = [guarded(x) for x in inputs]
    for isa in ISAS:
        what = f"{name} of {inputs[0].shape} {dtype} on {isa}"
        out, actual_status = call(TABLES[isa], name, suffix, guarded_empty(out_shape, dtype), *guards)
        assert_untouched(out)
        assert_within(out, expected, bound, what)
        assert actual_status == status, what
        if isa == ISAS[0]:
            first = out
        assert_same_bits(out, first, what)
        for i, x in enumerate(inputs):  # in place of an operand
            if x.shape == out_shape and x.dtype == dtype:
                place = [y.copy() for y in inputs]
                call(TABLES[isa], name, suffix, place[i], *place)
                assert_same_bits(place[i], first, f"{what} in place of operand {i}")
    return first


def softmax_case(suffix: str, shape: tuple[int, int]) -> None:
    x = logits(shape, FLOATS[suffix])
    check("softmax", suffix, shape, Rows(x).p_error, x)


@pytest.mark.parametrize("suffix", FLOATS)
def test_probabilities_are_within_the_measured_error(suffix: str) -> None:
    """Rows whose sums have most roundings for their length; the largest of all is in docs/numerics.md."""
    dtype = FLOATS[suffix]
    wide = np.float64 if suffix == "f32" else np.longdouble
    rng = np.random.default_rng(4)
    for cols in (9, 16, 17, 2300):
        scale = rng.choice([1e-3, 0.3, 1.0, 3.0, 10.0], (200_000 // cols, 1))
        x = (rng.normal(size=(len(scale), cols)) * scale).astype(dtype)
        out, _ = call(TABLES[ISAS[-1]], "softmax", suffix, np.empty(x.shape, dtype), x)
        e = np.exp(x.astype(wide) - x.max(axis=1, keepdims=True).astype(wide))
        exact = e / e.sum(axis=1, keepdims=True)
        assert (np.abs(out - exact) / np.spacing(exact.astype(dtype))).max() < 3.1, cols
        for i in (0, 7):  # short rows go by in pairs
            alone, _ = call(TABLES[ISAS[-1]], "softmax", suffix, np.empty((1, cols), dtype), x[i : i + 1])
            assert_same_bits(alone[0], out[i], (suffix, cols))


def log_softmax_case(suffix: str, shape: tuple[int, int]) -> None:
    x = logits(shape, FLOATS[suffix])
    check("log_softmax", suffix, shape, Rows(x).log_error, x)


def softmax_grad_case(suffix: str, shape: tuple[int, int]) -> None:
    dtype = FLOATS[suffix]
    y = Rows(logits(shape, dtype)).p.astype(dtype)
    g = np.random.default_rng(1).normal(size=shape).astype(dtype)
    product = np.abs(y.astype(float) * g)
    eps, dot = unit_roundoff(dtype), product.sum(axis=1, keepdims=True)
    dot_error = (sum_depth(shape[1], dtype) + 1) * eps * dot + shape[1] * np.finfo(dtype).smallest_subnormal
    error = np.abs(y) * (dot_error + 3 * eps * (np.abs(g) + dot))
    check("softmax_grad", suffix, shape, SECOND_ORDER * error + np.finfo(dtype).smallest_subnormal, y, g)


def log_softmax_grad_case(suffix: str, shape: tuple[int, int]) -> None:
    dtype = FLOATS[suffix]
    rows = Rows(logits(shape, dtype))
    y = (-rows.d - rows.log_sum).astype(dtype)
    g = np.random.default_rng(1).normal(size=shape).astype(dtype)
    eps, total = unit_roundoff(dtype), np.abs(g.astype(float)).sum(axis=1, keepdims=True)
    depth = sum_depth(shape[1], dtype)
    error = np.exp(y.astype(float)) * total * (depth + 5) * eps + 2 * eps * np.abs(g)
    tiny = np.finfo(dtype).smallest_subnormal * (1 + 2 * total)
    check("log_softmax_grad", suffix, shape, SECOND_ORDER * error + tiny, y, g)


def labels_of(shape: tuple[int, int], dtype: str, bad: bool) -> np.ndarray:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, shape[1], shape[0]).astype(dtype)
    if bad and shape[0]:
        info = np.iinfo(dtype)
        labels[rng.integers(0, shape[0])] = rng.choice([-1, shape[1], info.min, info.max])
    return labels


def sparse_xent_case(suffix: str, shape: tuple[int, int]) -> None:
    x = logits(shape, FLOATS[suffix])
    rows = Rows(x)
    for label_type, bad in itertools.product(("int32", "int64"), (False, True)):
        labels = labels_of(shape, label_type, bad)
        inside = np.clip(labels, 0, shape[1] - 1).astype(int)
        error = np.take_along_axis(rows.log_error, inside[:, None], 1)[:, 0]
        check("sparse_xent", suffix, shape[:1], error, x, labels)


def sparse_xent_grad_case(suffix: str, shape: tuple[int, int]) -> None:
    x = logits(shape, FLOATS[suffix])
    rows = Rows(x)
    g = np.random.default_rng(3).normal(size=shape[0]).astype(x.dtype)
    size = np.abs(g.astype(float))[:, None]
    for label_type, bad in itertools.product(("int32", "int64"), (False, True)):
        labels = labels_of(shape, label_type, bad)
        hot = np.arange(shape[1]) == labels[:, None]
        error = size * (rows.p_error + SECOND_ORDER * 3 * rows.eps * np.abs(rows.p - hot))
        check("sparse_xent_grad", suffix, shape, error + np.finfo(x.dtype).smallest_subnormal, x, labels, g)


CASES: dict[str, Callable[[str, tuple[int, int]], None]] = {
    "softmax": softmax_case,
    "log_softmax": log_softmax_case,
    "softmax_grad": softmax_grad_case,
    "log_softmax_grad": log_softmax_grad_case,
    "sparse_xent": sparse_xent_case,
    "sparse_xent_grad": sparse_xent_grad_case,
}


@pytest.mark.parametrize("suffix", FLOATS)
@pytest.mark.parametrize("name", NAMES)
def test_against_the_reference(name: str, suffix: str) -> None:
    for shape in SHAPES:
        CASES[name](suffix, shape)


@pytest.mark.parametrize("suffix", FLOATS)
def test_probabilities_are_within_the_measured_errors(suffix: str) -> None:
    """Over the whole range, down to denormal probabilities and those that round to zero."""
    dtype = FLOATS[suffix]
    rng = np.random.default_rng(4)
    columns, scales = (2, 3, 10, 16, 33, 100, 1000, 5000), (1e-3, 1.0, 10.0, 30.0, 300.0)
    for cols, scale in itertools.product(columns, scales):
        x = (rng.normal(size=(6_000 // cols + 1, cols)) * scale + rng.choice([0, 100])).astype(dtype)
        exact = Rows(x).p
        actual, _ = call(TABLES[ISAS[-1]], "softmax", suffix, np.empty_like(x), x)
        ulp = np.maximum(np.spacing(exact.astype(dtype)), np.finfo(dtype).smallest_subnormal)
        error = np.abs(actual - exact) / ulp
        most = 4.0 if suffix == "f32" else 4.5
        assert error.max() <= most, f"{cols} columns, logits of {scale}: {error.max():.2f} ulp"


@pytest.mark.parametrize("suffix", FLOATS)
@pytest.mark.parametrize("cols", [1, 5, 16, 17, 100])
def test_special_rows(suffix: str, cols: int) -> None:
    dtype = FLOATS[suffix]
    x = np.zeros((6, cols), dtype)
    x[0] = -np.inf
    x[1, cols // 2] = np.nan
    x[2, -1] = np.inf
    x[3] = np.finfo(dtype).max
    x[4] = np.finfo(dtype).smallest_subnormal
    x[5, 1:] = -np.inf
    labels = np.zeros(6, np.int32)
    for isa in ISAS:
        probabilities, _ = call(TABLES[isa], "softmax", suffix, np.empty_like(x), x)
        logs, _ = call(TABLES[isa], "log_softmax", suffix, np.empty_like(x), x)
        losses, bad = call(TABLES[isa], "sparse_xent", suffix, np.empty(6, dtype), x, labels)
        assert bad == -1
        assert all(np.isnan(result[:3]).all() for result in (probabilities, logs, losses)), isa
        np.testing.assert_allclose(probabilities[3:5], 1 / cols, rtol=4 * np.finfo(dtype).eps)
        np.testing.assert_array_equal(probabilities[5], [1] + [0] * (cols - 1))
        np.testing.assert_array_equal(logs[5], [0] + [-np.inf] * (cols - 1))
        assert losses[5] == 0


@pytest.mark.parametrize("suffix", FLOATS)
def test_rows_may_be_shared_out(suffix: str) -> None:
    """Threads take ranges of rows: a row's bits depend on nothing but the row."""
    for cols in (3, 16, 33, 2500):
        x = logits((37, cols), FLOATS[suffix])
        for isa, name in itertools.product(ISAS, ("softmax", "log_softmax")):
            whole, _ = call(TABLES[isa], name, suffix, np.empty_like(x), x)
            parts = np.empty_like(x)
            for begin, end in itertools.pairwise((0, 1, 9, 26, 37)):
                call(TABLES[isa], name, suffix, parts[begin:end], x[begin:end])
            assert_same_bits(parts, whole, f"{name} in parts on {isa}")


@pytest.mark.parametrize("suffix", FLOATS)
def test_the_first_bad_label_is_reported(suffix: str) -> None:
    x = logits((40, 9), FLOATS[suffix])
    labels = np.full(40, 8)
    labels[[21, 30]] = 9, -1
    g = np.ones(40, FLOATS[suffix])
    for table in (REFERENCE, *TABLES.values()):
        losses, bad = call(table, "sparse_xent", suffix, np.empty(40, FLOATS[suffix]), x, labels)
        assert bad == 21
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(losses)), [21, 30])
        out, _ = call(table, "sparse_xent_grad", suffix, np.empty_like(x), x, labels, g)
        assert (out[[21, 30]] == 0).all()
