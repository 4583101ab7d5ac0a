"""Bad arguments to public ops: the exception and what its message names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranvier import ops
from ranvier.core.trace import Trace

X = np.arange(6.0, dtype="float32").reshape(2, 3)

CASES: tuple[tuple[Callable[[], Any], type[Exception], str], ...] = (
    (lambda: ops.add("a", X), TypeError, "tensor"),
    (lambda: ops.add(None, X), TypeError, "object"),
    (lambda: ops.add(np.array([object()]), X), TypeError, "object"),
    (lambda: ops.add(X, np.ones(4, "float32")), ValueError, r"2, 3.*4"),
    (lambda: ops.subtract([True], [False]), TypeError, "bool"),
    (lambda: ops.round([True]), ValueError, "bool"),
    (lambda: ops.sum(X, axis=2), ValueError, "axis 2 is out of bounds"),
    (lambda: ops.sum(X, axis=(0, 0)), ValueError, "duplicate"),
    (lambda: ops.max(np.zeros((0, 3)), axis=0), ValueError, "empty"),
    (lambda: ops.argmax(np.zeros((0,))), ValueError, "empty"),
    (lambda: ops.where(X > 0, X), ValueError, "x2"),
    (lambda: ops.reshape(X, (4, -1)), ValueError, r"\(2, 3\).*6.*\(4, -1\)"),
    (lambda: ops.reshape(X, (-1, -1)), ValueError, "at most one unknown"),
    (lambda: ops.reshape(X, (7,)), ValueError, r"2, 3.*7"),
    (lambda: ops.squeeze(X, 0), ValueError, "size 1"),
    (lambda: ops.transpose(X, (0, 0)), ValueError, "duplicate"),
    (lambda: ops.transpose(X, (0,)), ValueError, "permutation"),
    (lambda: ops.moveaxis(X, (0, 1), 0), ValueError, "lengths"),
    (lambda: ops.stack([X, X[:1]]), ValueError, r"\(2, 3\), \(1, 3\)"),
    (lambda: ops.stack([]), ValueError, "at least one"),
    (lambda: ops.concatenate([], axis=0), ValueError, "at least one"),
    (lambda: ops.concatenate([X, X[:, :2]], axis=0), ValueError, "does not fit"),
    (lambda: ops.split(X, 2, axis=1), ValueError, "2 equal parts"),
    (lambda: ops.repeat(X, [1, 2, 3], axis=0), ValueError, "3 repeats"),
    (lambda: ops.roll(X, (1, 2, 3), axis=(0, 1)), ValueError, "lengths"),
    (lambda: ops.pad(X, 1, mode="wrap"), ValueError, "Invalid mode"),
    (lambda: ops.pad(X, 1, mode="reflect", constant_values=1), ValueError, "constant_values"),
    (lambda: ops.pad(X, -1), ValueError, ">= 0"),
    (lambda: ops.pad(X, ((1, 1),) * 3), ValueError, "2 axes"),
    (lambda: ops.slice(X, (0,), (1,)), ValueError, "2 start indices"),
    (lambda: ops.slice(X, (0, 0), (3, 3)), ValueError, "does not fit"),
    (lambda: ops.take(X, [9]), ValueError, r"9.*\[0, 6\)"),
    (lambda: ops.take(X, [-3], axis=0), ValueError, r"\[0, 2\)"),
    (lambda: ops.take(X, [0.5]), ValueError, "integer"),
    (lambda: ops.take_along_axis(X, [[0], [3]], axis=1), ValueError, "-1"),
    (lambda: ops.take_along_axis(X, [0, 1], axis=1), ValueError, "2 axes"),
    (lambda: ops.matmul(X, X), ValueError, r"2, 3.*2, 3"),
    (lambda: ops.matmul(X, 3.0), ValueError, "at least 1 axis"),
    (lambda: ops.tensordot(X, X, axes=1), ValueError, "do not fit"),
    (lambda: ops.tensordot(X, X, axes=3), ValueError, "rank"),
    (lambda: ops.einsum("ij,jk->ik", X, X), ValueError, "'j' has sizes 3 and 2"),
    (lambda: ops.einsum("ij->ik", X), ValueError, "unknown"),
    (lambda: ops.einsum("ij,jk", X), ValueError, "2 operands, got 1"),
    (lambda: ops.einsum("ij->i", X, axis=0), TypeError, "axis"),
    (lambda: ops.unstack(X, num=3), ValueError, "num=2.*num=3"),
    (lambda: ops.einsum("ijk->i", X), ValueError, "3|axes"),
    (lambda: ops.norm(X, ord="nope"), ValueError, "Invalid order"),
    (lambda: ops.norm(X, ord="fro", axis=1), ValueError, "Invalid order"),
    (lambda: ops.norm(np.zeros((2, 2, 2)), ord=1), ValueError, "number of axes"),
    (lambda: ops.softmax(1.0), ValueError, "axis -1"),
    (lambda: ops.softmax(X, axis=5), ValueError, "axis 5"),
    (lambda: ops.glu(X), ValueError, "2 equal parts"),
    (lambda: ops.cast(X, "float16"), ValueError, "Invalid dtype"),
    (lambda: ops.convert_to_tensor(X, sparse=True), ValueError, "[Ss]parse"),
    (lambda: ops.one_hot([0], 3, sparse=True), ValueError, "sparse"),
    (lambda: ops.multi_hot([0]), ValueError, "num_classes"),
    (lambda: ops.normalize(X, order=0), ValueError, "order"),
    (lambda: ops.moments(X, 0, synchronized=True), NotImplementedError, "synchronized"),
    (lambda: ops.batch_normalization(X, [0.0], [1.0], 1), ValueError, r"\(1,\)"),
    (lambda: ops.layer_normalization(X, gamma=[1.0]), ValueError, r"\(1,\)"),
    (lambda: ops.layer_normalization(X, nope=1), ValueError, "nope"),
    (lambda: ops.average(X, axis=0, weights=[1.0, 2.0, 3.0]), ValueError, "weights"),
    (lambda: ops.diag(np.zeros((2, 2, 2))), ValueError, "1 or 2 axes"),
    (lambda: ops.tril(np.zeros(3)), ValueError, "at least 2 axes"),
    (lambda: ops.eye(2.0), TypeError, "must be an integer"),  # type: ignore[arg-type]
    (lambda: ops.meshgrid(X, indexing="no"), ValueError, "indexing"),
    (lambda: ops.cross(np.ones(4), np.ones(4)), ValueError, "2 or 3 components"),
    (lambda: ops.select([], []), ValueError, "as many choices"),
    (lambda: ops.full((-1,), 0), ValueError, "negative"),
)


@pytest.mark.parametrize(("call", "exception", "message"), CASES)
def test_refused(call: Callable[[], Any], exception: type[Exception], message: str) -> None:
    with pytest.raises(exception, match=message):
        call()


def test_symbolic_values_where_numbers_are_needed() -> None:
    with Trace() as trace:
        x = trace.input((2, 3))
        for call in (
            lambda: ops.reshape(x, x),
            lambda: ops.zeros(x),
        ):
            with pytest.raises(ValueError, match=r"tensor|graph"):
                call()
        with pytest.raises(TypeError, match=r"test_refusals\.py:\d+: .*numbers"):
            ops.convert_to_numpy(x)


def test_plain_answers() -> None:
    assert ops.shape(X) == (2, 3) and ops.ndim(X) == 2 and ops.size(X) == 6
    assert ops.dtype(X) == "float32" and ops.dtype(3) == "int32"
    assert ops.is_tensor(X) and not ops.is_tensor([1.0])
    copy = ops.convert_to_numpy(X)
    assert copy is not X and np.array_equal(copy, X)
    with Trace() as trace:
        x = trace.input((2, 3))
        assert ops.is_tensor(x) and ops.shape(x) == (2, 3) and ops.size(x) == 6 and ops.dtype(x) == "float32"


def test_lists_of_tensors_are_stacked() -> None:
    with Trace() as trace:
        x, y = trace.input((2,)), trace.input((2,))
        program = trace.compile([ops.sum([x, [y[0], 3]], axis=0)])
    np.testing.assert_array_equal(program.run([np.float32([1, 2]), np.float32([5, 6])])[0], [6, 5])
