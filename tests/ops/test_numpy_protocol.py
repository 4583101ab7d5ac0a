"""NumPy's functions on tensors of a step: the op of the same name, or what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops

X = np.float32([[3, 1, 2], [6, 5, 4]])

# Each line is an expression of the matrix t; NumPy's own result is what is expected.
CALLS = """
np.mean(t)
np.mean(t,axis=0)
np.mean(t,axis=1,keepdims=True)
np.sum(t,0)
np.sum(t,dtype="float32")
np.std(t)
np.var(t,axis=1)
np.max(t)
np.amin(t,axis=1)
np.prod(t,axis=0)
np.argmax(t,axis=1)
np.any(t > 5)
np.all(t > 5,axis=0)
np.cumsum(t,axis=1)
np.median(t,axis=1)
np.exp(t)
np.log(t)
np.sqrt(t)
np.abs(-t)
np.square(t)
np.sin(t)
np.tanh(t)
np.floor(t/2)
np.rint(t/4)
np.isnan(t)
np.sign(t)
np.maximum(t,2)
np.minimum(2,t)
np.power(t,2)
np.arctan2(t,2)
np.logical_not(t)
np.negative(t)
np.positive(t)
np.add(t,1)
np.add(t,1,dtype="float32")
np.add.reduce(t)
np.add.reduce(t,axis=1,keepdims=True)
np.maximum.reduce(t,axis=1)
np.multiply.accumulate(t,axis=0)
np.concatenate([t,t])
np.concatenate([t,np.ones((2,1),"float32")],axis=1)
np.concatenate((t,t),axis=-1)
np.stack([t,t],axis=1)
np.vstack([t,t])
np.hstack((t,t))
np.reshape(t,(3,2))
np.reshape(t,-1)
np.ravel(t)
np.transpose(t)
np.swapaxes(t,0,1)
np.moveaxis(t,0,1)
np.squeeze(t[:1],axis=0)
np.expand_dims(t,0)
np.broadcast_to(t,(4,2,3))
np.tile(t,(2,1))
np.repeat(t,2,axis=0)
np.flip(t,axis=1)
np.roll(t,1,axis=1)
np.pad(t,1)
np.pad(t,((0,0),(1,2)),constant_values=7)
np.split(t,3,axis=1)[2]
np.where(t > 2,t,0)
np.clip(t,2,4)
np.clip(t,a_min=2,a_max=4)
np.take(t,[0,2],axis=1)
np.take_along_axis(t,np.array([[0],[2]]),axis=1)
np.sort(t,axis=1)
np.argsort(t)
np.diff(t)
np.dot(t,X.T)
np.matmul(t,X.T)
np.inner(t,t)
np.outer(t[0],t[1])
np.tensordot(t,X,axes=[[1],[1]])
np.einsum("ij,kj->ik",t,t)
np.linalg.norm(t)
np.linalg.norm(t,axis=1)
np.linalg.inv(t[:,:2])
np.zeros_like(t)
np.ones_like(t,dtype="int32")
np.full_like(t,3)
np.round(t/4,1)
np.round(t/4,decimals=1)
np.around(t/4)
np.percentile(t,50,axis=1)
np.average(t,axis=1,weights=[1,2,3])
np.trace(t)
np.tril(t)
np.diagonal(t)
np.nan_to_num(t)
np.isclose(t,3)
np.searchsorted(t[1,::-1],5.5)
np.copy(t)
""".strip().splitlines()


@pytest.mark.parametrize("line", CALLS)
def test_they_compute_what_numpy_does(line: str) -> None:
    def call(t: Any) -> Any:
        return eval(line, {"np": np, "t": t, "X": X})

    def traced(t: Any) -> Any:
        assert "_like" in line or not isinstance(call(t), np.ndarray)
        return call(t)

    expected = np.asarray(call(X))
    np.testing.assert_allclose(rv.jit(traced)(X), expected, rtol=1e-5, atol=1e-6)
    with rv.GradientTape() as tape:
        np.testing.assert_allclose(traced(tape.watch(X)), expected, rtol=1e-5, atol=1e-6)
    assert call(rv.KerasTensor((2, 3))).shape == expected.shape
    variable = rv.Variable(X)
    np.testing.assert_allclose(call(variable), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rv.jit(lambda: call(variable))(), expected, rtol=1e-5, atol=1e-6)


def test_what_describes_a_tensor() -> None:
    with_shape = rv.jit(lambda t: t + float(np.shape(t) == (2, 3) and np.ndim(t) == 2 and np.size(t) == 6))
    np.testing.assert_array_equal(with_shape(X), X + 1)


def test_gradients_pass() -> None:
    with rv.GradientTape() as tape:
        t = tape.watch(X)
        loss = np.mean(np.square(t))
    np.testing.assert_allclose(tape.gradient(loss, t), X / 3, rtol=1e-6)


def test_a_loss_and_a_layer_in_numpys_words() -> None:
    class Layer(rv.layers.Layer):
        def call(self, x):
            return np.concatenate([np.exp(-x), np.tanh(x)], axis=-1)

    model = rv.Sequential([rv.Input((3,)), Layer(), rv.layers.Dense(1)])
    assert model.layers[0].output.shape == (None, 6)
    model.compile("sgd", lambda y, p: np.mean(np.abs(y - p)))
    before = model.layers[1].get_weights()[0]
    model.fit(X, np.ones((2, 1), "float32"), verbose=0)
    assert not np.array_equal(before, model.layers[1].get_weights()[0])


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an argument": (lambda t: np.mean(t, where=X > 2), r"np\.mean\(\.\.\., where=\.\.\.\).*`ops\.mean`"),
    "ddof": (lambda t: np.std(t, ddof=1), "ddof"),
    "out": (lambda t: np.exp(t, out=np.empty_like(X)), r"np\.exp\(\.\.\., out=\.\.\.\)"),
    "no such op": (lambda t: np.array_equal(t, X), r"ops\.all\(ops\.equal\(x, y\)\)"),
    "another": (np.cov, r"np\.cov.*ops\.matmul"),
    "nothing like it": (np.unwrap, r"np\.unwrap.*functions of `ranvier\.ops`"),
    "complex numbers": (np.fft.rfft, r"np\.fft\.rfft"),
    "a ufunc": (lambda t: np.spacing(t), r"np\.spacing"),
    "a method of a ufunc": (lambda t: np.add.outer(t, t), r"np\.add\.outer"),
}


@pytest.mark.parametrize(("fn", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_take_a_tensor_says_what_to_write(fn: Callable[[Any], Any], text: str) -> None:
    with pytest.raises(TypeError, match=rf"(?s)test_numpy_protocol\.py:\d+: .*{text}.*run_eagerly"):
        rv.jit(fn)(X)


def test_where_there_are_numbers_numpy_computes_what_ops_do_not() -> None:
    with rv.GradientTape() as tape:
        t = tape.watch(X)
        np.testing.assert_array_equal(np.unwrap(t), np.unwrap(X))
        np.testing.assert_array_equal(np.spacing(t), np.spacing(X))
        assert np.array_equal(ops.copy(t), X)
    variable = rv.Variable(X)
    assert np.array_equal(variable, X) and type(np.exp(variable)) is np.ndarray
    np.testing.assert_array_equal(np.exp(variable, out=np.empty_like(X)), np.exp(X))
