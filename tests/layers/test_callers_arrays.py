"""A call leaves the caller's arrays alone: no masks stay with them, and results do not share their memory."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.core.masks import get_mask

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
MASK = np.array([[True, True, False], [True, False, False]])

# Layers that hand their input on, or may.
HANDING_ON = {
    "Dropout": lambda: layers.Dropout(0.5),
    "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.5),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5),
    "Activation": lambda: layers.Activation("linear"),
    "Identity": lambda: layers.Identity(),
    "ActivityRegularization": lambda: layers.ActivityRegularization(),
    "Reshape": lambda: layers.Reshape((3, 4)),
    "Permute": lambda: layers.Permute((1, 2)),
    "Masking": lambda: layers.Masking(),
    "Cropping1D": lambda: layers.Cropping1D(0),
    "ZeroPadding1D": lambda: layers.ZeroPadding1D(0),
    "Rescaling": lambda: layers.Rescaling(1.0),
    "Lambda": lambda: layers.Lambda(lambda x: x),
    "slice": lambda: layers.Lambda(lambda x: x[:, 1:]),
    "nest": lambda: layers.Lambda(lambda x: {"a": [x]}),
}
WRAPPED = {
    "layer": lambda layer: layer,
    "Sequential": lambda layer: rv.Sequential([layer]),
    "functional": lambda layer: rv.Model(inp := rv.Input((3, 4)), layer(inp)),
    "subclass": lambda layer: Calling(layer),
}


class Calling(rv.Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, x):
        return self.layer(x)


@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("name", HANDING_ON)
def test_results_have_memory_of_their_own(name, wrap):
    call = WRAPPED[wrap](HANDING_ON[name]())
    x = X.copy()
    for _ in range(4):  # in Python, then as a program
        for result in rv.tree.flatten(call(x)):
            assert result is not x and not np.shares_memory(result, x)
            result[...] = 7.0
        np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("training", [False, True])
def test_arguments_by_name_too(training):
    class Both(layers.Layer):
        def call(self, x, other=None):
            return other, x

    x, other = X.copy(), X.copy()
    for result in Both()(x, other=other, training=training):
        result += 1.0
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(other, X)


def test_what_a_call_does_in_place_stays_in_the_call():
    class Adding(layers.Layer):
        def call(self, x):
            x += 1.0
            return x

    x = X.copy()
    for _ in range(3):
        np.testing.assert_array_equal(Adding()(x), X + 1.0)
    np.testing.assert_array_equal(x, X)


def averaging():
    return layers.GlobalAveragePooling1D()


MODELS = {
    "layer": averaging,
    "Sequential": lambda: rv.Sequential([averaging()]),
    "Sequential behind a dropout": lambda: rv.Sequential([layers.Dropout(0.5), averaging()]),
    "Sequential with an Input": lambda: rv.Sequential([rv.Input((3, 4)), layers.Identity(), averaging()]),
    "functional": lambda: rv.Model(inp := rv.Input((3, 4)), averaging()(layers.Dropout(0.5)(inp))),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_mask_that_was_given_is_of_that_call_alone(name):
    call = MODELS[name]()
    masked = np.stack([X[0, :2].mean(0), X[1, :1].mean(0)])
    for _ in range(3):
        np.testing.assert_allclose(call(X, mask=MASK), masked, rtol=1e-5)
        assert get_mask(X) is None
        np.testing.assert_allclose(call(X), X.mean(1), rtol=1e-5)
        np.testing.assert_allclose(averaging()(X), X.mean(1), rtol=1e-5)


class Branches(rv.Model):
    """A tensor gets a mask in one branch, by a layer that hands it on, and none in the other."""

    def __init__(self):
        super().__init__()
        self.identity, self.average = rv.Sequential([layers.Dropout(0.5)]), averaging()

    def call(self, x):
        return self.average(self.identity(x, mask=rv.ops.greater(x[:, :, 0], -0.6))), self.average(x)


@pytest.mark.parametrize("use", ["call", "predict", "run_eagerly"])
def test_branches_have_masks_of_their_own(use):
    net = Branches()
    net.compile(run_eagerly=use == "run_eagerly")
    masked, plain = net(X) if use == "call" else net.predict(X, verbose=0)
    assert (X[:, :, 0] > -0.6).sum(1).tolist() == [2, 2]
    np.testing.assert_allclose(masked, [row[row[:, 0] > -0.6].mean(0) for row in X], rtol=1e-5)
    np.testing.assert_allclose(plain, X.mean(1), rtol=1e-5)


@pytest.mark.filterwarnings(
    "ignore:Layer .* was passed an input with a mask"
)  # a Sequential has no own masks
def test_masks_of_what_layers_returned_go_on():
    ids = np.array([[3, 1, 0], [2, 0, 0]])
    embedded = layers.Embedding(5, 4, mask_zero=True)(ids)
    held = np.array(embedded)
    right = np.stack([held[0, :2].mean(0), held[1, :1].mean(0)])
    for layer in (averaging(), rv.Sequential([layers.Dropout(0.5), averaging()])):
        for _ in range(3):
            np.testing.assert_allclose(layer(embedded), right, rtol=1e-5)
