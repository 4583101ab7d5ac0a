"""Several threads use a model that is not built yet: it is built once, and all get the right numbers."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

X = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
THREADS = 8


class Subclass(rv.Model):
    def __init__(self):
        super().__init__()
        self.first, self.rest = layers.Dense(4), rv.Sequential([layers.Dense(3), layers.Dense(2)])

    def call(self, x):
        return self.rest(self.first(x))


class Late(layers.Layer):
    """Calls the base class's `build` before it makes its weights."""

    def build(self, shape):
        super().build(shape)
        self.factor = self.add_weight(shape=(shape[-1],), initializer="random_normal")

    def call(self, x):
        return x * self.factor


class Failing(layers.Layer):
    """The first `build` fails, after it has made a weight."""

    def __init__(self):
        super().__init__()
        self.tries = []

    def build(self, shape):
        self.weight = self.add_weight(shape=(shape[-1],))
        self.tries.append(None)
        if len(self.tries) == 1:
            raise ValueError("not yet")

    def call(self, x):
        return x + self.weight


MODELS = {
    "layer": lambda: layers.Dense(3),
    "recurrent": lambda: layers.Bidirectional(layers.LSTM(2)),
    "Sequential": lambda: rv.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)]),
    "subclass": Subclass,
    "late weights": lambda: rv.Sequential([Late(), layers.Dense(2)]),
}


@pytest.fixture(autouse=True)
def switching_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def together(use):
    """What `use` returns or raises in each of several threads that begin at once."""
    results, barrier = [], threading.Barrier(THREADS)

    def run():
        barrier.wait()
        try:
            results.append(use())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


@pytest.mark.parametrize("use", ["call", "predict"])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_built_once(name, use):
    x = X[:, None] if name == "recurrent" else X
    for _ in range(10):
        net = MODELS[name]()
        if use == "predict" and not isinstance(net, rv.Model):
            net = rv.Sequential([net])
        results = together(lambda net=net: net(x) if use == "call" else net.predict(x, verbose=0))
        again = net(x)
        for result in results:
            np.testing.assert_allclose(result, again, rtol=1e-6)
        assert len({v.path for v in net.weights}) == len(net.weights) == len(net.trainable_variables)
        paths = {v.path.rpartition("/")[0] + "/" + v.name for v in net.weights}
        assert len(paths) == len(net.weights)


def test_a_build_that_fails_in_one_thread():
    for _ in range(10):
        layer = Failing()
        results = together(lambda layer=layer: layer(X))
        failed = [result for result in results if isinstance(result, Exception)]
        assert len(failed) == 1 and "not yet" in str(failed[0])
        assert len(layer.weights) == 1 and len(layer(X)) == 3


def test_layers_that_share_parts_do_not_wait_for_each_other():
    class Holding(layers.Layer):
        def __init__(self, *parts):
            super().__init__()
            self.parts = parts

        def build(self, shape):
            for part in self.parts:
                part.build(shape) if not part.built else None

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    for _ in range(10):
        a, b = layers.Dense(5), layers.Dense(5)
        both = [Holding(a, b), Holding(b, a)]
        turns = iter(both * (THREADS // 2))
        results = together(lambda turns=turns: next(turns)(X).shape)
        assert results == [(3, 5)] * THREADS and len(both[0].weights) == 4


def test_names_are_given_once():
    names = together(lambda: [layers.Identity().name for _ in range(200)])
    assert len({name for some in names for name in some}) == 200 * THREADS
