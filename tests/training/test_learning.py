"""Networks learn: XOR, real digits, and one step of backpropagation done by hand."""

from __future__ import annotations

import gzip
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

MNIST = Path(__file__).resolve().parents[2].parent / "shared/data/mnist-10k"
XOR_X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
XOR_Y = np.array([[0], [1], [1], [0]], "float32")


@pytest.fixture(autouse=True)
def seed():
    rv.utils.set_random_seed(7)


class TestXor:
    def test_a_single_perceptron_cannot(self):
        # No line separates the two classes: at most three of the four points are right.
        model = rv.Sequential([rv.Input((2,)), layers.Dense(1, activation="sigmoid")])
        model.compile(rv.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(XOR_X, XOR_Y, epochs=1000, verbose=0).history
        assert history["accuracy"][-1] <= 0.75
        # The best it can do is to say one half to everything: a loss of log 2.
        np.testing.assert_allclose(history["loss"][-1], np.log(2), rtol=1e-3)

    def test_two_layers_can(self):
        model = rv.Sequential(
            [rv.Input((2,)), layers.Dense(8, activation="tanh"), layers.Dense(1, activation="sigmoid")]
        )
        model.compile(rv.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(XOR_X, XOR_Y, epochs=1000, verbose=0).history
        assert history["accuracy"][-1] == 1.0 and history["loss"][-1] < 0.01
        np.testing.assert_array_equal(np.round(model.predict(XOR_X, verbose=0)), XOR_Y)

    def test_a_perceptron_with_a_step_by_hand(self):
        # The classroom's solution: OR and NAND in the first layer, AND in the second.
        model = rv.Sequential(
            [
                rv.Input((2,)),
                layers.Dense(2, activation="binary_step"),
                layers.Dense(1, activation="binary_step"),
            ]
        )
        model.set_weights(
            [np.array([[1, -1], [1, -1]]), np.array([-0.5, 1.5]), np.array([[1], [1]]), np.array([-1.5])]
        )
        np.testing.assert_array_equal(model.predict(XOR_X, verbose=0), XOR_Y)


def test_one_step_of_backpropagation_by_hand():
    """A linear 2-2-1 net, one sample, squared error, learning rate 0.1.

    x = (1, 2), W1 = [[0.1, 0.3], [0.2, 0.4]], b1 = (0, 0): h = (0.5, 1.1).
    W2 = (0.5, 0.6), b2 = 0: y = 0.25 + 0.66 = 0.91. Target 1: e = y - 1 = -0.09, loss = 0.0081.
    dL/dy = 2e = -0.18. dW2 = -0.18 h = (-0.09, -0.198), db2 = -0.18.
    dh = -0.18 W2 = (-0.09, -0.108). dW1 = x^T dh = [[-0.09, -0.108], [-0.18, -0.216]], db1 = dh.
    """
    model = rv.Sequential([rv.Input((2,)), layers.Dense(2), layers.Dense(1)])
    model.set_weights(
        [np.array([[0.1, 0.3], [0.2, 0.4]]), np.zeros(2), np.array([[0.5], [0.6]]), np.zeros(1)]
    )
    model.compile(rv.optimizers.SGD(0.1), "mse")
    x, y = np.array([[1.0, 2.0]]), np.array([[1.0]])
    np.testing.assert_allclose(model.predict(x, verbose=0), [[0.91]], rtol=1e-6)
    np.testing.assert_allclose(model.train_on_batch(x, y), 0.0081, rtol=1e-4)
    w1, b1, w2, b2 = model.get_weights()
    np.testing.assert_allclose(w1, [[0.109, 0.3108], [0.218, 0.4216]], rtol=1e-5)
    np.testing.assert_allclose(b1, [0.009, 0.0108], rtol=1e-5)
    np.testing.assert_allclose(w2, [[0.509], [0.6198]], rtol=1e-5)
    np.testing.assert_allclose(b2, [0.018], rtol=1e-5)


def test_digits_reach_97_percent():
    (x, y), (x_test, y_test) = rv.datasets.digits.load_data()
    model = rv.Sequential(
        [
            rv.Input((8, 8)),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=40, validation_split=0.1, verbose=0)
    assert model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"] >= 0.97


def read_idx(path: Path) -> np.ndarray:
    """An array from a gzipped file in the format of the original MNIST distribution."""
    data = gzip.decompress(path.read_bytes())
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


@pytest.mark.skipif(not MNIST.exists(), reason=f"no {MNIST}")
def test_mnist_reaches_94_percent():
    x = read_idx(MNIST / "t10k-images-idx3-ubyte.gz").astype("float32") / 255
    y = read_idx(MNIST / "t10k-labels-idx1-ubyte.gz")
    model = rv.Sequential(
        [
            rv.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:8000], y[:8000], epochs=8, batch_size=32, verbose=0)
    assert model.evaluate(x[8000:], y[8000:], verbose=0, return_dict=True)["accuracy"] >= 0.94


def test_ctrl_c_keeps_the_finished_steps():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20000, 64)).astype("float32"), rng.normal(size=(20000, 1)).astype("float32")
    model = rv.Sequential([rv.Input((64,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x[:64], y[:64], verbose=0)

    def interrupt():
        time.sleep(0.3)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=10**6, batch_size=32, verbose=0)
    thread.join()
    steps = int(model.optimizer.iterations)
    assert steps > 2 and all(np.isfinite(w).all() for w in model.get_weights())
    model.fit(x[:64], y[:64], verbose=0)  # the model goes on from there
    assert int(model.optimizer.iterations) == steps + 2


def test_float64_training():
    rv.config.set_floatx("float64")
    try:
        model = rv.Sequential([rv.Input((2,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        x = np.random.default_rng(0).normal(size=(64, 2))
        history = model.fit(x, x[:, :1] * x[:, 1:], epochs=50, verbose=0).history
        assert model.get_weights()[0].dtype == np.float64 and history["loss"][-1] < history["loss"][0]
        assert model.predict(x, verbose=0).dtype == np.float64
    finally:
        rv.config.set_floatx("float32")
