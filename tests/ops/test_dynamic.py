"""Functions whose results depend on values, or that take functions: refusals, windows, `vectorize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops

X = np.array([[3, 1, 2], [1, 3, 1]], "int32")


@pytest.mark.parametrize(
    ("call", "pattern"),
    [
        (lambda x: ops.nonzero(x), "nonzero: the number of places depends on values"),
        (lambda x: ops.unique(x), "unique: without `size`"),
        (lambda x: ops.unique(x, axis=0), "unique: without `size`"),
        (lambda x: ops.eig(ops.cast(x[:, :2], "float32")), "eig: whether the result is real"),
        (lambda x: ops.bincount(x[0]), "bincount: .* give `minlength`"),
        (lambda x: ops.segment_max(x, x[:, 0]), "segment_max: `num_segments` must be given"),
        (lambda x: ops.hanning(x[0, 0]), "hanning: the length must be known"),
    ],
)
def test_a_graph_refuses_what_depends_on_values(call: Callable[[Any], Any], pattern: str) -> None:
    with pytest.raises(ValueError, match=pattern):
        rv.jit(call)(X)


def test_nonzero_and_eig_of_arrays() -> None:
    for ours, theirs in zip(ops.nonzero(X > 1), np.nonzero(X > 1), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    matrix = np.array([[0.0, 1.0], [-2.0, 0.5]])
    w, v = ops.eig(matrix)
    assert w.dtype == np.complex128
    np.testing.assert_allclose(matrix @ v, v * w, atol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("fill_value", [None, -7])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_unique_of_a_size_is_the_same_in_a_graph(size: int, fill_value: int | None, axis: int | None) -> None:
    def call(x: Any) -> Any:
        asked = dict.fromkeys(("return_index", "return_inverse", "return_counts"), True)
        return ops.unique(x, **asked, size=size, fill_value=fill_value, axis=axis)

    rows = X if axis is None else np.array([[3, 1, 1, 2], [3, 1, 1, 1], [0, 1, 1, 2], [3, 1, 1, 1]], "int32")
    for eager, traced in zip(call(rows), rv.jit(call)(rows), strict=True):
        np.testing.assert_array_equal(eager, traced)
        assert eager.dtype == traced.dtype


def test_unique_of_arrays() -> None:
    np.testing.assert_array_equal(ops.unique(X), [1, 2, 3])
    np.testing.assert_array_equal(ops.unique(X[[0, 0, 1]], axis=0), X[[1, 0]])
    values, counts = ops.unique(X, return_counts=True)
    np.testing.assert_array_equal(counts, [3, 1, 2])


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hanning"])
@pytest.mark.parametrize("length", [0, 1, 2, 9])
def test_windows(name: str, length: int) -> None:
    window = getattr(ops, name)(length)
    assert window.dtype == "float32"
    np.testing.assert_allclose(window, getattr(np, name)(length), atol=1e-7)


def test_kaiser_window() -> None:
    np.testing.assert_allclose(ops.kaiser(7, 4.0), np.kaiser(7, 4.0), rtol=1e-6)


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hanning", "kaiser"])
def test_lengths_of_windows(name: str) -> None:
    def window(length: Any) -> np.ndarray:
        return getattr(ops, name)(length, *([3.0] if name == "kaiser" else []))

    for length in (5.0, 5.9, np.float32(5), np.array(5), np.int64(5)):
        np.testing.assert_array_equal(window(length), window(5))
    for length in (-1, np.array([5]), "a", None, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"{name}: expected a length, a number of at least 0"):
            window(length)


SIGNAL = np.cos(np.arange(64, dtype="float32")).reshape(2, 32)


@pytest.mark.parametrize("value", [0, -1, 2.5, 2.0, "a", None])
@pytest.mark.parametrize("argument", ["sequence_length", "sequence_stride", "fft_length"])
def test_lengths_and_strides_of_pieces(argument: str, value: Any) -> None:
    given = {"sequence_length": 8, "sequence_stride": 4, "fft_length": 8}
    spectrum = ops.stft(SIGNAL, **given)
    calls = [lambda: ops.stft(SIGNAL, **given), lambda: ops.istft(spectrum, **given)]
    if argument != "fft_length":
        calls.append(
            lambda: ops.extract_sequences(SIGNAL, given["sequence_length"], given["sequence_stride"])
        )
    given[argument] = value
    for call in calls:
        with pytest.raises(ValueError, match=f"`{argument}` must be a positive integer.*{argument}={value}"):
            call()
    given[argument] = np.int64(8)
    for call in calls:
        call()


def _weighted(a: Any, b: Any, scale: float = 1.0) -> Any:
    return ops.sum(a * b) * scale


@pytest.mark.parametrize("run", [lambda f: f, rv.jit], ids=["eager", "graph"])
def test_vectorize(run: Callable[[Any], Any]) -> None:
    rows, row = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0, 2.0])
    np.testing.assert_allclose(run(ops.vectorize(lambda a, b: a * b + 1))(rows, row), rows * row + 1)
    products = ops.vectorize(_weighted, signature="(n),(n)->()")
    np.testing.assert_allclose(run(products)(rows, row), (rows * row).sum(-1))
    scaled = ops.vectorize(_weighted, excluded={"scale"})
    np.testing.assert_allclose(run(lambda a, b: scaled(a, b, scale=3.0))(rows, row), rows * row * 3)


def test_vectorize_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="gufunc signature"):
        ops.vectorize(_weighted, signature="n->n")
    with pytest.raises(ValueError, match="do not fit the signature"):
        ops.vectorize(_weighted, signature="(n),(n)->()")(np.float32(1), np.ones(3))


FUNCTIONAL = {
    "sort": lambda x: ops.sort(x, axis=1),
    "top_k": lambda x: ops.top_k(x, 2)[0],
    "median": lambda x: ops.median(x, axis=1),
    "arctan2": lambda x: ops.arctan2(x, 2.0),
    "cdist": lambda x: ops.cdist(x, np.ones((2, 4), "float32")),
    "rfft": lambda x: ops.rfft(x)[1],
    "rearrange": lambda x: ops.rearrange(x, "a (b c) -> a c b", b=2),
    "erfc": lambda x: ops.erfc(x),
    "meshgrid": lambda x: ops.meshgrid(x[0], x[0], indexing="ij")[0],
    "size": lambda x: x * ops.cast(ops.size(x), "float32"),
}


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_in_functional_models(name: str) -> None:
    function = FUNCTIONAL[name]
    inputs = rv.Input((4,))
    model = rv.Model(inputs, function(inputs))
    x = np.cos(np.arange(12, dtype="float32")).reshape(3, 4)
    np.testing.assert_allclose(model.predict(x, verbose=0), function(x), rtol=1e-6)


F = rv.KerasTensor
# Calls on KerasTensors of Keras's default dtype where integers are expected, and the spec of the result.
PERHAPS_INTEGERS = {
    "bitwise_and": (lambda: ops.bitwise_and(F((None, 4)), F((4,))), (None, 4), "float32"),
    "bitwise_or, an int": (lambda: ops.bitwise_or(F((None, 4)), 2), (None, 4), "float32"),
    "bitwise_not": (lambda: ops.bitwise_not(F((None, 4))), (None, 4), "float32"),
    "left_shift": (lambda: ops.left_shift(F((3, 4)), 2), (3, 4), "float32"),
    "right_shift": (lambda: ops.right_shift(F((3, 4), "int32"), F((3, 4))), (3, 4), "float32"),
    "gcd": (lambda: ops.gcd(F((None, 4)), F((None, 4))), (None, 4), "float32"),
    "lcm": (lambda: ops.lcm(F((None, 4)), 6), (None, 4), "float32"),
    "ldexp": (lambda: ops.ldexp(F((None, 4)), F((None, 4))), (None, 4), "float32"),
    "take": (lambda: ops.take(F((3, 4)), F((None, 2)), axis=1), (3, None, 2), "float32"),
    "take_along_axis": (lambda: ops.take_along_axis(F((None, 4)), F((None, 2)), 1), (None, 2), "float32"),
    "scatter": (lambda: ops.scatter(F((None, 2)), F((None,)), (3, 4)), (3, 4), "float32"),
    "scatter_update": (lambda: ops.scatter_update(F((3, 4)), F((None, 2)), F((None,))), (3, 4), "float32"),
    "slice_update": (lambda: ops.slice_update(F((3, 4)), F((2,)), F((1, 2))), (3, 4), "float32"),
    "unravel_index": (lambda: ops.unravel_index(F((None,)), (3, 4))[1], (None,), "int32"),
    "size": (lambda: ops.size(F(())), (), "int32"),
    "size, unknown": (lambda: ops.size(F((None, 4))), (), "int32"),
}


@pytest.mark.parametrize(("call", "shape", "dtype"), PERHAPS_INTEGERS.values(), ids=PERHAPS_INTEGERS.keys())
def test_dtypes_that_may_yet_be_integers(call: Callable[[], Any], shape: Any, dtype: str) -> None:
    spec = call()
    assert (spec.shape, spec.dtype) == (shape, dtype)


def test_such_a_model_refuses_floats_when_it_runs() -> None:
    x, i = rv.Input((4,)), rv.Input((2,))
    model = rv.Model([x, i], ops.take_along_axis(x, i, axis=1))
    with pytest.raises(ValueError, match="indices must have an integer type, got float32"):
        model([np.ones((3, 4), "float32"), np.ones((3, 2), "float32")])
