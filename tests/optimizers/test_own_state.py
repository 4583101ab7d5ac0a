"""Variables that an optimizer of a user's own keeps in attributes and containers are part of its state."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from tests.layers.containers_table import CONTAINERS, leaves

import ranvier as rv

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


class Keeping(rv.optimizers.Optimizer):
    """Steps that grow with a count, which is kept in one of two variables in a container."""

    def __init__(self, container="list", **kwargs):
        super().__init__(learning_rate=0.01, **kwargs)
        self.container = container
        self.kept = CONTAINERS[container](rv.Variable(1.0, name="a"), rv.Variable(2.0, name="b"))

    def update_step(self, gradient, variable, learning_rate):
        count = sorted(leaves(self.kept), key=lambda v: v.name)[1]
        self.assign(count, count + 1.0)
        self.assign_sub(variable, learning_rate * count * gradient)


def values(optimizer):
    return sorted(float(v.numpy()) for v in leaves(optimizer.kept))


def trained(container):
    net = rv.Sequential([rv.Input((3,)), rv.layers.Dense(1, use_bias=False)])
    net.compile(Keeping(container), "mse")
    net.fit(X, X[:, :1], epochs=3, verbose=0)
    return net


@pytest.mark.parametrize("container", CONTAINERS)
def test_containers(container, tmp_path):
    pytest.importorskip("h5py")
    net = trained(container)
    assert len(net.optimizer.variables) == 4 and values(net.optimizer) == [1.0, 5.0]
    net.save_weights(tmp_path / "w.weights.h5")
    other = rv.Sequential([rv.Input((3,)), rv.layers.Dense(1, use_bias=False)])
    other.compile(Keeping(container), "mse")
    other.load_weights(tmp_path / "w.weights.h5")
    assert values(other.optimizer) == [1.0, 5.0]
    for again in (copy.deepcopy(net.optimizer), pickle.loads(pickle.dumps(net.optimizer))):
        assert len(again.variables) == 4 and values(again) == [1.0, 5.0]
        assert {id(v) for v in leaves(again.kept)} < {id(v) for v in again.variables}


def test_what_is_added_and_taken_away_later():
    optimizer = Keeping()
    optimizer.kept.append(rv.Variable(3.0))
    optimizer.more = {"x": rv.Variable(4.0)}
    assert [float(v.numpy()) for v in optimizer.variables[2:]] == [1.0, 2.0, 3.0, 4.0]
    optimizer.learning_rate = lambda: 0.5
    optimizer.kept.pop()
    del optimizer.more
    assert [float(v.numpy()) for v in optimizer.variables[1:]] == [1.0, 2.0]
