"""NumPy's methods on variables, on tensors of steps (traced or eager) and on KerasTensors."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops

X = np.float32([[3, -1, 2], [0, 5, 4]])

METHODS: dict[str, Callable[[Any], Any]] = {
    "T": lambda t: t.T,
    "mT": lambda t: t.mT,
    "real": lambda t: t.real,
    "imag": lambda t: t.imag,
    "astype": lambda t: t.astype("int32"),
    "astype, a type": lambda t: t.astype(np.float64),
    "reshape": lambda t: t.reshape(3, 2),
    "reshape, a tuple": lambda t: t.reshape((3, -1)),
    "reshape, one": lambda t: t.reshape(-1),
    "transpose": lambda t: t.transpose(),
    "transpose, axes": lambda t: t.transpose(1, 0),
    "transpose, a tuple": lambda t: t.transpose((1, 0)),
    "swapaxes": lambda t: t.swapaxes(0, 1),
    "squeeze": lambda t: t[:1].squeeze(0),
    "ravel": lambda t: t.ravel(),
    "flatten": lambda t: t.flatten(),
    "copy": lambda t: t.copy(),
    "conj": lambda t: t.conj(),
    "sum": lambda t: t.sum(),
    "sum, axis": lambda t: t.sum(0),
    "sum, keepdims": lambda t: t.sum(axis=1, keepdims=True),
    "sum, dtype": lambda t: t.sum(dtype="float64"),
    "prod": lambda t: t.prod(axis=(0, 1)),
    "mean": lambda t: t.mean(-1),
    "std": lambda t: t.std(),
    "var": lambda t: t.var(axis=0),
    "max": lambda t: t.max(),
    "min": lambda t: t.min(1),
    "any": lambda t: (t > 4).any(),
    "all": lambda t: (t > -2).all(axis=0),
    "argmax": lambda t: t.argmax(axis=1),
    "argmin": lambda t: t.argmin(axis=1),
    "cumsum": lambda t: t.cumsum(axis=1),
    "cumprod": lambda t: t.cumprod(axis=1),
    "clip": lambda t: t.clip(0, 3),
    "clip, one side": lambda t: t.clip(max=3),
    "round": lambda t: (t / 4).round(1),
    "dot": lambda t: t.dot(X.T),
    "argsort": lambda t: t.argsort(),
    "take": lambda t: t.take([0, 2], axis=1),
    "repeat": lambda t: t.repeat(2, axis=0),
    "diagonal": lambda t: t.diagonal(),
}


def _eagerly(fn: Callable[[Any], Any]) -> Any:
    with rv.GradientTape() as tape:
        return np.asarray(fn(ops.copy(tape.watch(X))))


@pytest.mark.parametrize("fn", METHODS.values(), ids=METHODS.keys())
def test_they_are_numpys(fn: Callable[[Any], Any]) -> None:
    expected = fn(X)
    for found in (fn(rv.Variable(X)), rv.jit(fn)(X), _eagerly(fn)):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    symbolic = fn(rv.KerasTensor(X.shape))
    assert symbolic.shape == expected.shape
    assert symbolic.dtype == str(np.asarray(rv.jit(fn)(X)).dtype)


def test_sort_gives_a_new_tensor() -> None:
    np.testing.assert_array_equal(rv.jit(lambda t: t.sort())(X), np.sort(X))


def test_they_work_in_call_before_and_in_fit() -> None:
    class Layer(rv.layers.Layer):
        def call(self, x):
            return (x - x.mean(axis=0)).reshape(-1, 3).astype("float32") / (1 + x.std())

    model = rv.Sequential([rv.Input((3,)), Layer(), rv.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, np.ones((2, 1)), verbose=0)
    assert np.isfinite(history.history["loss"]).all()


MISSING = {
    "permute": "x.transpose",
    "unsqueeze": "ops.expand_dims",
    "detach": "ops.stop_gradient",
    "at": "ops.scatter_update",
    "fill": "tensors do not change",
    "tolist": r"x\.numpy\(\)",
    "exp": r"ops\.exp\(x\)",
    "softmax": r"ops\.softmax\(x\)",
    "set_shape": "ops.reshape",
    "nonsense": "no attribute 'nonsense'$",
}


@pytest.mark.parametrize(("name", "text"), MISSING.items())
def test_what_is_missing_says_what_to_write(name: str, text: str) -> None:
    for value in (rv.Variable(X), rv.KerasTensor((2, 3))):
        with pytest.raises(AttributeError, match=text) as said:
            getattr(value, name)
        assert not hasattr(value, name)
        told = "".join(traceback.format_exception(said.value))  # Python's own suggestion would come behind it
        assert name == "nonsense" or "Did you mean" not in told
    with pytest.raises(AttributeError, match=f"'Tensor' object has no attribute '{name}'"):
        rv.jit(lambda t: getattr(t, name))(X)


NEEDS_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "numpy": lambda t: t.numpy(),
    "item": lambda t: t[0, 0].item(),
    "np.asarray": np.asarray,
    "np.array": np.array,
    "int": lambda t: int(t[0, 0]),
    "float": lambda t: float(t[0, 0]),
    "if": lambda t: 1 if t[0, 0] > 0 else 0,
    "range": lambda t: list(range(t[0, 0].astype("int32"))),
}


@pytest.mark.parametrize("fn", NEEDS_NUMBERS.values(), ids=NEEDS_NUMBERS.keys())
def test_what_needs_numbers_says_what_to_do(fn: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"test_array_methods\.py:\d+: .*(Use|use) `?"):
        rv.jit(fn)(X)
    with pytest.raises(
        (TypeError, ValueError), match=r"test_array_methods\.py:\d+: A KerasTensor is symbolic"
    ):
        fn(rv.KerasTensor((2, 3)))
    with rv.GradientTape() as tape:
        fn(ops.copy(tape.watch(X)))


def test_length_and_rows() -> None:
    def rows(t: Any) -> Any:
        assert len(t) == 2
        return ops.stack([row * 2 for row in t])

    np.testing.assert_array_equal(rv.jit(rows)(X), X * 2)
    np.testing.assert_array_equal(_eagerly(rows), X * 2)
    for use, advice in ((len, "shape"), (iter, "ops.unstack")):
        with pytest.raises((TypeError, NotImplementedError), match=advice):
            use(rv.KerasTensor((2, 3)))
