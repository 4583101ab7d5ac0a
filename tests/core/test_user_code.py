"""Warnings and tracebacks point at the user's lines, however deep inside of the package they arise."""

from __future__ import annotations

import subprocess
import sys
import traceback
import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

X = np.ones((4, 3), "float32")
Y = np.ones((4, 1), "float32")


class OneIdle(rv.Model):
    """The loss does not depend on `idle`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.used = layers.Dense(1)
        self.idle = layers.Dense(1)

    def call(self, x):
        self.idle(x)
        return self.used(x)


class Single(rv.Sequential):
    def __init__(self):
        super().__init__([layers.Dense(1)])


class OwnStep(OneIdle):
    def train_step(self, data):
        x, y = data
        with rv.GradientTape() as tape:
            loss = rv.ops.mean((self(x) - y) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class CallsSuper(OneIdle):
    def train_step(self, data):
        return super().train_step(data)


def compiled(cls, **options):
    net = cls()
    net.compile("sgd", "mse", **options)
    return net


def by_hand(net):
    with rv.GradientTape() as tape:
        loss = rv.ops.mean((net(X) - Y) ** 2)
    net.optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)


WAYS = {
    "fit": lambda net: net.fit(X, Y, verbose=0),
    "train_on_batch": lambda net: net.train_on_batch(X, Y),
    "a loop of one's own": by_hand,
    "batches": lambda net: net.fit(iter([(X, Y)]), verbose=0),
}


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("cls", [OneIdle, OwnStep, CallsSuper])
@pytest.mark.parametrize("way", WAYS)
def test_missing_gradients(way, cls, eager) -> None:
    net = compiled(cls, run_eagerly=eager)
    with pytest.warns(UserWarning, match="Gradients do not exist") as caught:
        WAYS[way](net)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    "run",
    [
        lambda: compiled(Single).fit(X, Y, epochs=3, batch_size=3, steps_per_epoch=3),
        lambda: layers.Dense(1, input_shape=(3,)),
        lambda: rv.Sequential([layers.Dense(1)]).save("nowhere/a.keras"),
        lambda: rv.callbacks.EarlyStopping(mode="wrong"),
        lambda: rv.optimizers.SGD(decay=0.1),
        lambda: rv.Sequential([layers.Masking(), layers.Flatten()])(np.ones((2, 3, 4), "float32")),
    ],
)
def test_other_warnings(run) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run()
        except (ValueError, OSError):
            pass
    assert {warning.filename for warning in caught} == {__file__}


class Broken(layers.Layer):
    def call(self, inputs):
        return self.divide(inputs)

    def divide(self, inputs):
        return rv.ops.reshape(inputs, (7, 7)) if inputs.shape[-1] == 3 else inputs / (1 // 0)


def broken(width=3):
    net = rv.Sequential([rv.Input((width,)), layers.Identity(), rv.Sequential([Broken()])])
    net.compile("sgd", "mse")
    return net


@pytest.fixture
def short():
    rv.config.enable_traceback_filtering()
    yield
    rv.config.disable_traceback_filtering()


def frames(call):
    """(names of the test's functions, number of others) in the traceback of the error that a call raises."""
    with pytest.raises((ValueError, ZeroDivisionError)) as caught:
        call()
    rows = traceback.extract_tb(caught.value.__traceback__)
    here = [row.name for row in rows if row.filename == __file__]
    return here[2:], len(rows) - len(here)


@pytest.mark.parametrize(
    ("call", "most"),
    [
        (lambda: broken().fit(X, Y, verbose=0), 2),
        (lambda: broken().evaluate(X, Y, verbose=0), 2),
        (lambda: broken().predict(X, verbose=0), 2),
        (lambda: broken().train_on_batch(X, Y), 2),
        (lambda: rv.Sequential([Broken()])(X), 2),
        (lambda: rv.jit(Broken())(X), 3),
    ],
    ids=["fit", "evaluate", "predict", "train_on_batch", "call", "jit"],
)
def test_tracebacks_leave_the_package_out(call, most, short):
    """What is left: the user's lines, the function that was called and the one that raised."""
    here, others = frames(call)
    assert here[-2:] == ["call", "divide"] and others <= most
    rv.config.disable_traceback_filtering()
    here, others = frames(call)
    assert here[-2:] == ["call", "divide"] and others > most + 2


def test_an_error_of_the_users_own_code_is_kept_with_its_cause(short):
    class Own(layers.Layer):
        def call(self, inputs):
            try:
                return rv.ops.reshape(inputs, (7, 7))
            except ValueError as error:
                raise KeyError("mine") from error

    net = rv.Sequential([Own()])
    net.compile("sgd", "mse")
    with pytest.raises(KeyError, match="mine") as caught:
        net.fit(X, Y, verbose=0)
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert [row.name for row in traceback.extract_tb(cause.__traceback__)][0] == "call"


def test_it_is_the_default():
    code = "import ranvier; print(ranvier.config.is_traceback_filtering_enabled())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"
