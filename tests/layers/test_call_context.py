"""Arguments of calls that layers hand down to the layers they call."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops

X = np.ones((2, 1), "float32")


class Inner(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._register_call_context_args("by")

    def call(self, x, by=1.0):
        return x + by


class Outer(layers.Layer):
    def __init__(self, registers=True, **kwargs):
        super().__init__(**kwargs)
        self.inner = Inner()
        if registers:
            self._register_call_context_args("by")

    def call(self, x):
        return self.inner(x)


class Mode(layers.Layer):
    """Has a default of its own, which its inner layers see."""

    def __init__(self):
        super().__init__()
        self.outer = Outer()
        self._register_call_context_args("by")

    def call(self, x, by=5.0):
        return self.outer(x)


def functional():
    x = rv.Input((1,))
    return rv.Model(x, Outer()(x))


def nested():
    x = rv.Input((1,))
    return rv.Model(x, rv.Sequential([functional()])(x))


@pytest.mark.parametrize(
    "make",
    [
        Inner,
        Outer,
        lambda: rv.Sequential([Outer()]),
        lambda: rv.Sequential([rv.Input((1,)), Outer()]),
        functional,
        nested,
    ],
)
def test_a_value_reaches_the_inner_layer(make):
    layer = make()
    for by in (3.0, None, 0.0, 3.0):  # no call leaves its value to the next
        given = {} if by is None else {"by": by}
        np.testing.assert_array_equal(layer(X, **given), X + (1.0 if by is None else by))


def test_the_default_of_an_outer_call_is_handed_down():
    np.testing.assert_array_equal(Mode()(X), X + 5)
    np.testing.assert_array_equal(Mode()(X, by=2.0), X + 2)


def test_an_explicit_value_inside_decides():
    class Fixed(Outer):
        def call(self, x):
            return self.inner(x, by=7.0) + self.inner(x)

    np.testing.assert_array_equal(Fixed()(X, by=2.0), 2 * X + 9)


def test_a_tensor_may_be_handed_down():
    np.testing.assert_array_equal(Outer()(X, by=ops.convert_to_tensor([4.0])), X + 4)


def test_an_error_inside_leaves_nothing_behind():
    outer = Outer()
    with pytest.raises(ValueError):
        outer(X, by=np.ones((3, 3), "float32"))
    np.testing.assert_array_equal(Inner()(X), X + 1)


def test_others_refuse_the_argument():
    with pytest.raises(TypeError, match="by"):
        Outer(registers=False)(X, by=2.0)
    with pytest.raises(TypeError, match="other"):
        functional()(X, other=2.0)


def test_names_are_registered_before_the_first_call():
    for layer in (Outer(), functional()):
        layer(X)
        with pytest.raises(RuntimeError, match="called already"):
            layer._register_call_context_args("other")


def test_a_model_that_hands_down_trains():
    model = rv.Sequential([layers.Dense(1), Outer()])
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    np.testing.assert_allclose(model.predict(X, verbose=0), model(X), rtol=1e-6)
