"""Sizes that are not known yet print as None, in shapes, tensors and errors, and give way to known ones."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops
from ranvier.core.unknown_size import RoundedSize, UnknownSize, agree, fits, is_known, marked

STAND_INS = re.compile(r"\b(83|89|1009)\b")


def test_it_counts_and_prints_as_none() -> None:
    size = UnknownSize(83)
    assert size == 83 and [0] * size == [0] * 83 and max(size, 5) is size
    for derived in (size, size + 1, 2 * size, size // 2, 1 - size, size % 5, divmod(size, 2)[0] * size):
        assert not is_known(derived) or type(derived) is int
    assert str(size) == repr(size) == f"{size}" == f"{size + 1}" == f"{size // 2:d}" == "None"
    assert f"{size:>6}" == "  None" and f"{(size, 3)}" == "(None, 3)"
    for copied in (pickle.loads(pickle.dumps(size)), copy.deepcopy(size)):
        assert copied == 83 and is_known(copied)
    assert type(size // 2) is type(size // 2 * 3) is RoundedSize and type((2 * size) // 2) is UnknownSize
    assert list(map(is_known, marked((83, 3, 166, 0, 1), 83))) == [False, True, False, True, True]
    assert fits(5, 7) and not fits(7, 5) and fits(200, size)
    assert agree((size, 3), (4, 3)) and not agree((size, 3), (4, 2)) and not agree((size,), (size, 3))


def _slices(x: Any) -> Any:
    return x[:, 1:, :]


SEEN: dict[str, Callable[[Any], Any]] = {
    "the input": lambda x: x,
    "a product": lambda x: ops.matmul(x, np.ones((4, 7), "float32")),
    "flattened": lambda x: ops.reshape(x, (x.shape[0], -1)),
    "a slice": _slices,
    "joined": lambda x: ops.concatenate([x, ops.zeros((x.shape[0], 5, 4))], axis=1),
    "pooled": lambda x: ops.max_pool(x, 2),
    "transposed": lambda x: ops.transpose(x),
    "a mean": lambda x: ops.mean(x, axis=-1),
}


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("make", SEEN.values(), ids=SEEN.keys())
def test_what_a_call_prints_while_a_model_is_described(
    make: Callable[[Any], Any], run_eagerly: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    class Shown(rv.layers.Layer):
        def call(self, inputs):
            x = make(inputs)
            print(x, repr(x), f"{x} {x!r}", x.shape, f"{x.shape}", x.shape[0], ops.shape(x), x.size)
            return inputs

    inputs = rv.Input((None, 4))
    model = rv.Model(inputs, Shown()(inputs))
    printed = capsys.readouterr().out
    assert "shape=(" in printed and "None" in printed
    assert not re.search(r"\b(?!4\b|7\b|32\b)\d+\b", printed), printed
    model.compile(run_eagerly=run_eagerly)
    model.predict(np.ones((2, 6, 4), "float32"), verbose=0)
    assert "(None" not in capsys.readouterr().out  # there are data now


def test_inside_the_body_of_a_loop(capsys: pytest.CaptureFixture[str]) -> None:
    class Loop(rv.layers.Layer):
        def call(self, x):
            def step(carry, row):
                print(carry.shape, row)
                return carry + row, carry

            return ops.scan(step, ops.zeros_like(x[:, 0]), ops.transpose(x, (1, 0, 2)))[0]

    Loop()(rv.Input((None, 4)))
    printed = capsys.readouterr().out
    assert "(None, 4)" in printed and not STAND_INS.search(printed)


T = rv.KerasTensor
A, C = T((None, 4)), T((None, 3, 4))
REFUSED: dict[str, Callable[[], Any]] = {
    "matmul": lambda: ops.matmul(A, T((5, 6))),
    "add": lambda: ops.add(C, T((5, 4))),
    "where": lambda: ops.where(C, T((5, 4)), 0),
    "concatenate": lambda: ops.concatenate([A, T((None, 5))], axis=0),
    "stack": lambda: ops.stack([A, T((None, 5))]),
    "reshape": lambda: ops.reshape(C, (-1, 2, -1)),
    "reshape, no batch fits": lambda: ops.reshape(A, (3, 7)),
    "reshape, other rows": lambda: _Rows()(A),
    "split": lambda: ops.split(A, 3, axis=1),
    "split, sizes": lambda: ops.split(A, 0),
    "squeeze": lambda: ops.squeeze(A, 1),
    "squeeze, unknown": lambda: ops.squeeze(A, 0),
    "transpose": lambda: ops.transpose(A, (0, 1, 2)),
    "take_along_axis": lambda: ops.take_along_axis(A, T((None,), dtype="int32"), axis=1),
    "einsum": lambda: ops.einsum("ij,jk->ik", A, T((5, 6))),
    "tensordot": lambda: ops.tensordot(A, T((5, 6)), axes=1),
    "pad": lambda: ops.pad(A, ((1, 1), (1, 1), (1, 1))),
    "max_pool": lambda: ops.max_pool(C, 9),
    "cholesky": lambda: ops.cholesky(C),
    "solve": lambda: ops.solve(T((None, 3, 3)), T((None, 4, 2))),
    "broadcast_to": lambda: ops.broadcast_to(C, (2, 5, 4)),
    "unstack": lambda: ops.unstack(T((None, None))),
    "repeat": lambda: ops.repeat(A, [1, 2, 3], axis=1),
    "scatter_update": lambda: ops.scatter_update(A, T((None, 3), dtype="int32"), T((None,))),
    "slice_update": lambda: ops.slice_update(A, [0], T((1, 2))),
    "categorical_crossentropy": lambda: ops.categorical_crossentropy(A, T((None, 5))),
    "dot_product_attention": lambda: ops.dot_product_attention(A, A, A),
    "moveaxis": lambda: ops.moveaxis(A, 0, 7),
    "item": lambda: A[0, 9],
    "cond": lambda: ops.cond(T(()) > 0, lambda: A, lambda: C),
    "a layer": lambda: rv.layers.Dot(axes=1)([A, T((None, 5))]),
    "Add": lambda: rv.layers.Add()([A, T((None, 5))]),
    "Reshape": lambda: rv.layers.Reshape((7,))(A),
    "own layer": lambda: _Wrong()(A),
    "in a Sequential": lambda: rv.Sequential([rv.layers.Dense(3), _Wrong()])(A),
}


class _Wrong(rv.layers.Layer):
    def call(self, x):
        return ops.matmul(x, np.ones((9, 2), "float32"))


class _Rows(rv.layers.Layer):
    def call(self, x):
        return ops.reshape(x, (x.shape[0], 5))


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
def test_errors_do_not_tell_of_stand_ins(make: Callable[[], Any]) -> None:
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        make()
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert not STAND_INS.search(re.sub(r"\.py:\d+", "", text)), text


def test_known_sizes_stay_in_errors() -> None:
    with pytest.raises(ValueError, match=r"\(None, 83\).*\(5, 7\)"):
        ops.matmul(T((None, 83)), T((5, 7)))


def test_an_error_that_depends_on_the_size() -> None:
    def fails(x: Any) -> Any:
        if x.shape[0] < 100:
            raise KeyError(f"only {x.shape[0] * 1} rows of {83}")
        return x

    class Layer(rv.layers.Layer):
        def call(self, x):
            return fails(x)

    with pytest.raises(KeyError, match="only None rows"):
        Layer()(A)


KNOWN_MEETS_UNKNOWN = {
    "add": (lambda: T((None, None)) + T((None, 4)), (None, 4)),
    "a row": (lambda: T((None, None)) + T((4,)), (None, 4)),
    "batches": (lambda: A + T((3, 4)), (3, 4)),
    "one stays unknown": (lambda: A + T((1, 4)), (None, 4)),
    "shifted": (lambda: T((None, None))[:, 1:] * T((None, None)), (None, None)),
    "matmul": (lambda: ops.matmul(T((None, None)), T((4, 5))), (None, 5)),
    "einsum": (lambda: ops.einsum("ij,jk->ik", T((None, None)), T((4, 5))), (None, 5)),
    "einsum, in front": (lambda: ops.einsum("bi,bj->bij", A, T((3, 5))), (3, 4, 5)),
    "tensordot": (lambda: ops.tensordot(T((None, None)), T((4, 5)), axes=1), (None, 5)),
    "inner": (lambda: ops.inner(T((None, None)), T((3, 4))), (None, 3)),
    "attention": (
        lambda: ops.dot_product_attention(*[T(s) for s in ((2, None, 1, 4), (None, 5, 1, 4), (2, 5, 1, 4))]),
        (2, None, 1, 4),
    ),
    "a loss": (lambda: ops.categorical_crossentropy(T((None, None)), A), (None,)),
    "labels": (lambda: ops.sparse_categorical_crossentropy(T((3,), "int32"), A), (3,)),
    "normalization": (lambda: ops.layer_normalization(T((None, None)), T((4,)), T((4,))), (None, None)),
    "concatenate": (lambda: ops.concatenate([A, T((None, None))]), (None, 4)),
    "stack": (lambda: ops.stack([A, T((None, None))], axis=1), (None, 2, 4)),
    "concatenate, as the first": (lambda: ops.concatenate([T((None, 3)), T((2, 3))], axis=1), (None, 6)),
    "diagonal": (lambda: ops.diagonal(T((None, 3, 4))), (4, None)),
    "reshape": (lambda: ops.reshape(A, (-1, 8)), (None, 8)),
    "reshape, all known": (lambda: ops.reshape(A, (3, 4)), (3, 4)),
    "split": (lambda: ops.split(T((None, None)), 2, axis=1)[1], (None, None)),
    "slice": (lambda: ops.slice(A, (0, 0), (200, 2)), (200, 2)),
    "unstack": (lambda: ops.unstack(A, num=3)[2], (4,)),
}


@pytest.mark.parametrize(("make", "shape"), KNOWN_MEETS_UNKNOWN.values(), ids=KNOWN_MEETS_UNKNOWN.keys())
def test_an_unknown_size_takes_the_known_one_that_it_meets(make: Callable[[], Any], shape: Any) -> None:
    assert make().shape == shape


def test_such_a_model_computes() -> None:
    inputs = rv.Input((None, 4))
    model = rv.Model(inputs, inputs + np.ones((3, 4), "float32"))
    assert model.output_shape == (None, 3, 4)
    assert model.predict(np.zeros((2, 3, 4)), verbose=0).tolist() == np.ones((2, 3, 4)).tolist()
