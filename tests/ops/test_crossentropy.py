"""Cross-entropies of a graph's own softmax and sigmoid: the stable form, its values and its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.trace import Trace

LOGITS = np.array([[1.0, -2.0, 0.5], [60.0, -60.0, 0.0], [-3.0, 200.0, 1.0]], "float32")
LABELS = np.array([2, 1, 0], "int32")
HOT = np.eye(3, dtype="float32")[LABELS]

CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], np.ndarray]] = {
    "sparse": (ops.sparse_categorical_crossentropy, ops.softmax, LABELS),
    "categorical": (ops.categorical_crossentropy, ops.softmax, HOT),
    "binary": (ops.binary_crossentropy, ops.sigmoid, HOT),
}


def _compiled(
    loss: Callable[..., Any], target: np.ndarray, function: Callable[[Any], Any]
) -> tuple[Any, Any, str]:
    with Trace() as trace:
        logits = trace.input(LOGITS.shape)
        value = loss(target, function(logits))
        (gradient,) = trace.gradients(ops.sum(value), [logits])
        assert gradient is not None
        text = trace.graph.text()
        program = trace.compile([value, gradient])
    return (*program.run([LOGITS]), text)


@pytest.mark.parametrize("name", CASES)
def test_written_with_probabilities_it_is_the_logits_form(name: str) -> None:
    loss, activation, target = CASES[name]
    value, gradient, _ = _compiled(loss, target, activation)
    wanted, wanted_gradient, _ = _compiled(lambda t, x: loss(t, x, from_logits=True), target, lambda x: x)
    np.testing.assert_array_equal(value, wanted)
    np.testing.assert_array_equal(gradient, wanted_gradient)
    assert np.isfinite(value).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize("name", CASES)
def test_a_certain_and_wrong_prediction_is_not_clipped(name: str) -> None:
    """Keras clips at -log(1e-7) = 16.1; here the loss goes on and the gradient stays."""
    loss, activation, target = CASES[name]
    value, gradient, _ = _compiled(loss, target, activation)
    assert value.max() > 100
    assert np.abs(gradient[1:]).max() > 0.9
    clipped = loss(target, activation(LOGITS))
    assert clipped.max() == pytest.approx(-np.log(1e-7), rel=1e-2)


@pytest.mark.parametrize("name", CASES)
def test_probabilities_from_elsewhere_are_clipped(name: str) -> None:
    loss, activation, target = CASES[name]
    value, gradient, _ = _compiled(loss, target, lambda x: ops.multiply(activation(x), 1.0))
    np.testing.assert_allclose(value, loss(target, activation(LOGITS)), rtol=1e-6)
    assert np.isfinite(gradient).all()


def test_only_the_class_axis_counts() -> None:
    """A softmax over another axis than the loss's is left alone."""
    x = np.array([[0.3, -1.0], [2.0, 0.1]], "float32")
    target = np.eye(2, dtype="float32")
    with Trace() as trace:
        logits = trace.input(x.shape)
        program = trace.compile([ops.categorical_crossentropy(target, ops.softmax(logits, axis=-1), axis=0)])
    np.testing.assert_allclose(
        program.run([x])[0], ops.categorical_crossentropy(target, ops.softmax(x), axis=0), rtol=1e-6
    )


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("label", [3, -1, 2**31 - 1])
def test_a_label_out_of_range_names_itself_and_the_classes(label: int, from_logits: bool) -> None:
    labels = np.array([0, label, 1], "int32")
    with pytest.raises(ValueError, match=rf"label {label} is outside \[0, 3\).*3 classes"):
        ops.sparse_categorical_crossentropy(labels, ops.softmax(LOGITS), from_logits)
    with Trace() as trace:
        target, logits = trace.input((3,), "int32"), trace.input((3, 3))
        program = trace.compile([ops.sparse_categorical_crossentropy(target, logits, from_logits)])
    with pytest.raises(ValueError, match=rf"label {label} "):
        program.run([labels, LOGITS])
    assert program.run([LABELS, LOGITS])[0].shape == (3,)  # and the program still works


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.binary_crossentropy([1.0, 0.0, 1.0], [1.0, 0.0]), r"same shape.*\(3,\).*\(2,\)"),
        (
            lambda: ops.categorical_crossentropy([[0.0, 1.0]], [[0.2, 0.8, 1.0]]),
            r"same shape.*\(1, 2\).*\(1, 3\)",
        ),
        (lambda: ops.categorical_crossentropy(1.0, 1.0), "rank 1"),
        (lambda: ops.sparse_categorical_crossentropy(1, 1.0), "rank 1"),
        (
            lambda: ops.sparse_categorical_crossentropy([1, 1], [[2.0, 8.0]]),
            r"last dimension.*\(2,\).*\(1, 2\)",
        ),
    ],
)
def test_misfits(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_epsilon_is_the_library_s() -> None:
    kept = dtypes.epsilon()
    try:
        dtypes.set_epsilon(0.125)
        value = ops.binary_crossentropy(np.float32([1.0]), np.float32([0.0]))
        np.testing.assert_allclose(value, -np.log(0.125), rtol=1e-6)
    finally:
        dtypes.set_epsilon(kept)


def test_classroom_softmax() -> None:
    """The worked numbers of the classroom."""
    np.testing.assert_allclose(ops.softmax([1.8, 0.9, 0.68]), [0.5767, 0.2345, 0.1882], atol=1e-3)
