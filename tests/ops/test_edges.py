"""What a comparison with Keras on random calls found: each line failed once, or gave another number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.tracing import run_traced, traced_gradient

from ranvier import ops

F32 = np.float32
INF, NAN = np.inf, np.nan
BYTES = np.uint8([3, 1, 2])

CASES: tuple[tuple[Callable[..., Any], list[np.ndarray], Any], ...] = (
    (lambda x: ops.nanvar(x), [F32([1, INF, NAN])], F32(NAN)),
    (lambda x: ops.nanstd(x, axis=1), [F32([[1, 3, NAN], [INF, 1, 2]])], F32([1, NAN])),
    (lambda x: ops.diag(x), [BYTES], np.diag(BYTES)),
    (lambda x: ops.diagflat(x, k=-1), [np.int8([-3])], np.diag(np.int8([-3]), -1)),
    (lambda x: ops.cumprod(x, dtype="bool"), [BYTES - 1], np.array([True, False, False])),
    (lambda x: ops.cumsum(x, dtype="bool"), [BYTES - 3], np.array([False, True, True])),
    (lambda x: ops.max(x, initial=3.7), [np.int8([1, 2])], np.int8(3)),
    (lambda x: ops.min(x, initial=2), [np.array([True, True])], np.array(True)),
    (lambda x: ops.max(x, axis=0, initial=2), [np.zeros((0, 2), "uint16")], np.uint16([2, 2])),
    (lambda x, y: ops.select([x > 2, x > 1], [x, y]), [BYTES, BYTES > 1], np.uint8([3, 0, 1])),
    (lambda x: ops.logsumexp(x, axis=0), [np.zeros((0, 2), F32)], F32([-INF, -INF])),
    (lambda x: ops.sparsemax(x), [np.zeros((2, 0), F32)], np.zeros((2, 0), F32)),
    (lambda x: ops.pinv(x), [np.zeros((2, 0), F32)], np.zeros((0, 2), F32)),
    (lambda x: ops.bincount(x, minlength=4), [BYTES], np.int32([0, 1, 1, 1])),
    (lambda x: ops.corrcoef(x), [F32([[1, 2, 4]])], F32(1)),
    (lambda x: ops.saturate_cast(x, "bool"), [F32([-2, 0, 0.5, 3])], np.array([False, False, True, True])),
    (
        lambda x: ops.saturate_cast(x, "float32"),
        [np.array([INF, 1e300, 2])],
        F32([3.4028235e38, 3.4028235e38, 2]),
    ),
    (lambda x: ops.saturate_cast(x, "int8"), [F32([-INF, 300, 2.5, NAN])], np.int8([-128, 127, 2, 0])),
    (lambda x: ops.saturate_cast(x, "uint8"), [np.int64([-1, 2**40, 7])], np.uint8([0, 255, 7])),
    (lambda x: ops.saturate_cast(x, "int32"), [np.uint32([2**32 - 1, 7])], np.int32([2**31 - 1, 7])),
    (lambda x: ops.quantile(x, 0.5, method="nearest"), [F32([1, 2, 4, 8])], F32(2)),
    (lambda x: ops.histogram(x, 2, (1, 1))[1], [F32([1, 2])], F32([0.5, 1, 1.5])),
    (lambda x: ops.cbrt(x), [F32([27, 1e30, -0.0, -INF])], F32([3, 1e10, -0.0, -INF])),
    (lambda x, y: ops.fmax(x, y), [F32([1, NAN, NAN]), F32([NAN, 2, NAN])], F32([1, 2, NAN])),
    (lambda x, y: ops.fmin(x, y), [BYTES, np.int8([2, -1, 7])], np.int16([2, -1, 2])),
    (lambda x, y: ops.fmod(x, y), [BYTES, np.int32([-(2**31), -2, 2])], np.int32([3, 1, 0])),
    (
        lambda x, y: ops.fmod(x, y),
        [np.int32([-(2**31), -7, 7]), np.int32([7, -2, -2])],
        np.int32([-2, -1, 1]),
    ),
    (lambda x, y: ops.fmod(x, y), [np.int32([-(2**31)]), F32([-100])], F32([-48])),
    (lambda x, y: ops.power(x, y), [np.int8([-7, 2, 3]), np.int8([100, 8, 0])], np.int8([97, 0, 1])),
    (lambda x: ops.power(x, 13), [np.int64([10, -3])], np.int64([10**13, -(3**13)])),
    (
        lambda x: ops.power(x, 31),
        [np.int64([7])],
        np.int64([7**31 % 2**64 - (7**31 % 2**64 >= 2**63) * 2**64]),
    ),
    (lambda x: 2**x, [np.uint8([8, 7])], np.uint8([0, 128])),
    (lambda x: ops.power(x, -3), [np.int32([-1, 0, 1, 2])], np.int32([-1, 0, 1, 0])),
    (lambda x: ops.power(x, -2), [np.int32([-1, 0, 1, 2])], np.int32([1, 0, 1, 0])),
    (
        lambda x, y: ops.ldexp(x, y),
        [F32([0, 3, 3, 1e-30]), np.int32([255, -126, 200, 200])],
        F32([0, 3 * 2.0**-126, INF, 1e-30 * 2.0**200]),
    ),
    (
        lambda x, y: ops.ldexp(x, y),
        [np.int32([2**31 - 1, 0]), np.int64([-128, 2**31 - 1])],
        F32([2.0**-97, 0]),
    ),
    (lambda x: ops.isclose(x, -1), [np.int32([2**31 - 1, -1])], np.array([False, True])),
    (lambda x: ops.angle(x), [F32([-0.0, 0, -3, NAN])], F32([np.pi, 0, np.pi, NAN])),
    (lambda x: ops.unique(x, size=0), [np.zeros((0, 2), F32)], np.zeros(0, F32)),
    (lambda x: ops.round(x, 40), [F32([1.25, -3])], F32([1.25, -3])),
    (lambda x: ops.matmul(x, x), [np.full((2, 2), 100, np.int8)], np.full((2, 2), 20000, np.int32)),
    (lambda x: ops.einsum("i,i", x, x), [np.int8([100, 100])], np.int32(20000)),
    (lambda x: ops.linspace(x, 4, 3), [F32([0, 2])], F32([[0, 2], [2, 3], [4, 4]])),
    (lambda x: ops.linspace(x, 4, 2, endpoint=False, axis=-1), [F32([0, 2])], F32([[0, 2], [2, 3]])),
    (lambda x: ops.linspace(x, 0, 3, dtype="int32"), [F32(-3)], np.int32([-3, -2, 0])),
    (lambda x: ops.logspace(0, x, 3), [F32(2)], F32([1, 10, 100])),
    (lambda x: ops.geomspace(x, 1000, 4, dtype="int32"), [F32(1)], np.int32([1, 10, 100, 1000])),
    (lambda x: ops.geomspace(x, -8, 4), [F32([-1, -8])], F32([[-1, -8], [-2, -8], [-4, -8], [-8, -8]])),
    (lambda x: x & 6, [np.int32([3, 5])], np.int32([2, 4])),
    (lambda x: 6 ^ x, [np.int32([3, 5])], np.int32([5, 3])),
    (lambda x: x | x >> 1, [np.int32([4, 8])], np.int32([6, 12])),
    (lambda x: 1 << x, [np.int32([4, 0])], np.int32([16, 1])),
    (lambda x: ~x, [np.int32([4, -1])], np.int32([-5, 0])),
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", CASES, ids=[str(i) for i in range(len(CASES))])
def test_at_once_and_compiled(case: tuple[Callable[..., Any], list[np.ndarray], Any]) -> None:
    call, arrays, expected = case
    for found in (np.asarray(call(*arrays)), run_traced(call, *(np.asarray(a) for a in arrays))):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(found, expected, rtol=4e-7 if expected.dtype.kind == "f" else 0)


def test_a_piece_without_a_window_is_all_of_it() -> None:
    x = np.sin(np.arange(32, dtype="float32"))
    re, im = ops.stft(x, 8, 4, 16, window=None, center=False)
    np.testing.assert_allclose(re[1] + 1j * im[1], np.fft.rfft(x[4:20]), atol=1e-5)


def test_places_where_a_condition_holds() -> None:
    rows, columns = ops.where(np.array([[0, 2], [1, 0]]))
    assert (rows.tolist(), columns.tolist(), rows.dtype) == ([0, 1], [1, 0], np.int32)
    with pytest.raises(ValueError, match="where: the number of places"):
        run_traced(lambda x: ops.where(x), F32([1, 0]))


def test_linspace_has_gradients() -> None:
    found = traced_gradient(lambda x: ops.linspace(x, 1.0, 5), [np.array(0.5)])
    np.testing.assert_allclose(found, 2.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.ldexp(F32([1]), F32([1])), TypeError, "float32"),
        (lambda: ops.expand_dims(F32([1]), None), TypeError, "expected an axis"),
        (lambda: ops.vander(F32([1]), N=-1), ValueError, "N=-1"),
        (lambda: ops.unique(np.zeros((0, 3)), size=2), ValueError, "empty tensor"),
        (lambda: ops.where(F32([1]), None, F32([1])), ValueError, "or neither"),
        (lambda: ops.geomspace(0, 1, 3), ValueError, "zero"),
        (lambda: run_traced(lambda x: ops.linspace(x, 1, -1), F32(0)), ValueError, "num=-1"),
        (lambda: run_traced(lambda x: x & x, F32(0)), TypeError, "integers"),
    ],
)
def test_refusals(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
