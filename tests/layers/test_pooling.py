"""Pooling layers: sizes that are not known, bad input, and a model that learns through them."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops

UNKNOWN = (None, None, 3)


class Deep(layers.Layer):
    """A custom layer, whose output's shape is found by tracing."""

    def __init__(self, count):
        super().__init__()
        self.pool, self.count = layers.MaxPooling2D(2), count

    def call(self, inputs):
        for _ in range(self.count):
            inputs = self.pool(inputs)
        return inputs


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (layers.MaxPooling2D(2), (None, None, None, 3)),
        (layers.MaxPooling2D(100, 16), (None, None, None, 3)),
        (layers.AveragePooling2D(3, 1, "same"), (None, None, None, 3)),
        (layers.AdaptiveMaxPooling2D((4, 5)), (None, 4, 5, 3)),
        (Deep(5), (None, None, None, 3)),
        (lambda x: ops.max_pool(x, 2), (None, None, None, 3)),
        (lambda x: ops.average_pool(x, 5, 32), (None, None, None, 3)),
        (lambda x: ops.adaptive_average_pool(x, 2), (None, 2, 2, 3)),
    ],
)
def test_unknown_sizes(make, expected):
    assert make(rv.Input(UNKNOWN)).shape == expected


def test_some_sizes_are_known():
    assert layers.MaxPooling2D(2)(rv.Input((None, 7, 3))).shape == (None, None, 3, 3)
    assert ops.average_pool(rv.Input((None, 7, 3)), 2, 1, "same").shape == (None, None, 7, 3)


def test_one_model_for_images_of_any_size():
    inputs = rv.Input(UNKNOWN)
    x = layers.AveragePooling2D(3, 2, padding="same")(layers.MaxPooling2D(2)(inputs))
    net = rv.Model(inputs, layers.GlobalAveragePooling2D()(x))
    for shape in ((2, 9, 7, 3), (5, 19, 30, 3)):
        images = np.random.default_rng(0).normal(size=shape).astype("float32")
        np.testing.assert_allclose(net.predict(images, verbose=0), net(images), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.MaxPooling2D(0), ValueError, "`pool_size` argument must be a positive integer"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), ValueError, r"2 of them.* pool_size=\(2, 2, 2\)"),
        (lambda: layers.AveragePooling1D(2, strides=-1), ValueError, "`strides`.*strides=-1"),
        (lambda: layers.MaxPooling1D(2, padding="causal"), ValueError, "'valid' or 'same'.*padding='causal'"),
        (lambda: layers.MaxPooling1D(2, data_format="last"), ValueError, "data_format='last'"),
        (lambda: layers.MaxPooling2D(2)(np.ones((2, 4, 4))), ValueError, "expected ndim=4, found ndim=3"),
        (lambda: layers.MaxPooling2D(5)(np.ones((2, 4, 6, 1))), ValueError, r"do not fit axes of \(4, 6\)"),
        (lambda: layers.MaxPooling2D(5)(rv.Input((4, None, 1))), ValueError, "zero or negative"),
        (lambda: layers.AdaptiveMaxPooling2D("3"), TypeError, "must be an integer, or 2"),
        (lambda: layers.AdaptiveMaxPooling2D((3,)), TypeError, "must be an integer, or 2"),
        (lambda: layers.AdaptiveMaxPooling1D((3, 3)), ValueError, "must be an integer, or 1"),
        (lambda: layers.AdaptiveAveragePooling1D(0), ValueError, "`output_size`.*output_size=0"),
        (lambda: layers.AdaptiveMaxPooling1D(2)(np.ones((2, 0, 3))), ValueError, "no elements"),
        (lambda: ops.max_pool(np.ones((2, 3)), 1), ValueError, "3 to 5 axes in all"),
        (lambda: ops.max_pool(np.ones((2, 3, 1), "int64"), 1), TypeError, "int64 is not offered"),
    ],
)  # fmt: skip
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_second_derivatives():
    """The derivative of sum(max(x)^2) is 2 max(x) at the largest; of half its square sum, 4 times that."""
    x = np.random.default_rng(1).permutation(24).reshape(1, 4, 6, 1).astype("float64") / 7

    def steep(x):
        with rv.GradientTape() as tape:
            tape.watch(x)
            energy = ops.sum(ops.max_pool(x, 2) ** 2)
        return ops.sum(tape.gradient(energy, x) ** 2) / 2

    value, gradient = rv.value_and_grad(steep)(x)
    largest = ops.repeat(ops.repeat(ops.max_pool(x, 2), 2, axis=1), 2, axis=2)
    np.testing.assert_allclose(value, 2 * np.sum(ops.max_pool(x, 2) ** 2))
    np.testing.assert_allclose(gradient, np.where(x == largest, 4 * x, 0))


def test_it_learns():
    """Which quarter of an image is bright, through windows that overlap."""
    rng = np.random.default_rng(2)
    images, labels = rng.uniform(0, 0.5, (256, 8, 8, 1)).astype("float32"), rng.integers(0, 4, 256)
    for image, label in zip(images, labels, strict=True):
        rows, columns = divmod(int(label), 2)
        image[rows * 4 + rng.integers(4), columns * 4 + rng.integers(4)] = 1.0
    rv.utils.set_random_seed(1)
    net = rv.Sequential(
        [
            rv.Input((8, 8, 1)),
            layers.Dense(4, "relu"),
            layers.MaxPooling2D(3, 2, "same"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(4, "softmax"),
        ]
    )
    net.compile(rv.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = net.fit(images, labels, epochs=20, batch_size=32, verbose=0)
    assert history.history["accuracy"][-1] > 0.95
