"""get_state_tree and set_state_tree."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers


def net(name="net"):
    rv.utils.set_random_seed(1)
    model = rv.Sequential(
        [rv.Input((3,)), layers.Dense(1, name="d"), layers.BatchNormalization(name="b")], name=name
    )
    model.compile(rv.optimizers.SGD(name="sgd"), "mse", metrics=["mae"])
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    model.fit(x, x[:, :1], verbose=0)
    return model


def test_there_and_back():
    model = net()
    state = model.get_state_tree("numpy_array")
    assert set(state) == {
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    }
    assert set(state["trainable_variables"]["net"]["d"]) == {"kernel", "bias"}
    assert set(state["non_trainable_variables"]["net"]["b"]) == {"moving_mean", "moving_variance"}
    assert state["optimizer_variables"]["sgd"]["iteration"] == 1
    assert set(state["metrics_variables"]["loss"]) == {"total", "count"}
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    model.set_state_tree(state)
    again = model.get_state_tree()
    for group, values in state.items():
        for ours, theirs in zip(rv.tree.flatten(values), rv.tree.flatten(again[group]), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_part_of_it():
    model = net()
    before = model.get_weights()
    model.set_state_tree({"trainable_variables": {"net": {"d": {"bias": np.float32([7])}}}})
    assert model.get_weights()[1].tolist() == [7]
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weights": {}}, "Unknown variable name: weights. Known names: .*trainable_variables"),
        ({"trainable_variables": {"other": np.ones(1)}}, "no variable 'other' in `trainable_variables`"),
        ({"trainable_variables": 3}, "nested dict. Received: 3"),
        (
            {"trainable_variables": {"net": {"d": {"bias": np.ones(1), "kernel": np.ones((9, 9))}}}},
            r"'net/d/kernel' .* shape \(3, 1\), .* shape \(9, 9\)",
        ),
    ],
)
def test_what_does_not_fit_changes_nothing(state, message):
    model = net()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.set_state_tree(state)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="'backend_tensor' or 'numpy_array'.*list"):
        net().get_state_tree("list")


def test_two_variables_of_one_path():
    class Twins(rv.Model):
        def __init__(self):
            super().__init__(name="twins")
            self.a, self.b = layers.Dense(1, name="d"), layers.Dense(1, name="d")

        def call(self, x):
            return self.a(x) + self.b(x)

    model = Twins()
    model(np.ones((1, 2), "float32"))
    with pytest.raises(ValueError, match="path 'twins/d/kernel'"):
        model.get_state_tree()
