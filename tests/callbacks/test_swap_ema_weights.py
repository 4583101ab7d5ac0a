from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import callbacks, layers

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = X.sum(axis=1, keepdims=True)


def model(optimizer):
    net = rv.Sequential([rv.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    net.compile(optimizer, "mse")
    return net


def sgd(**kwargs):
    return rv.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, **kwargs)


def two_optimizers(net_optimizer=sgd):
    own, other = net_optimizer(), rv.optimizers.SGD(0.1)
    return rv.optimizers.MultiOptimizer(lambda variable: own if "kernel" in variable.path else other)


class Seen(callbacks.Callback):
    """The weights at the turns of the loops."""

    def __init__(self):
        super().__init__()
        self.at = {}

    def _note(self, hook):
        self.at.setdefault(hook, []).append(self.model.layers[0].kernel.numpy().copy())

    def on_epoch_begin(self, epoch, logs=None):
        self._note("epoch_begin")

    def on_test_begin(self, logs=None):
        self._note("test_begin")

    def on_test_end(self, logs=None):
        self._note("test_end")

    def on_predict_begin(self, logs=None):
        self._note("predict_begin")

    def on_epoch_end(self, epoch, logs=None):
        self._note("epoch_end")


def trained(swap, optimizer=None, epochs=3, more=()):
    net, seen = model(optimizer or sgd()), Seen()
    net.fit(
        X, Y, epochs=epochs, batch_size=4, shuffle=False, verbose=0, validation_data=(X, Y),
        callbacks=[*more, *swap, seen],
    )  # fmt: skip
    return net, seen.at


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_training_is_the_same(swap_on_epoch):
    plain, _ = trained([])
    swapped, _ = trained([callbacks.SwapEMAWeights(swap_on_epoch)])
    for a, b in zip(plain.get_weights(), swapped.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_sees_the_averages():
    _, plain = trained([])
    net, at = trained([callbacks.SwapEMAWeights()])
    for hook in ("epoch_begin", "test_end", "epoch_end"):
        np.testing.assert_array_equal(at[hook], plain[hook])
    assert not np.array_equal(at["test_begin"][1], at["test_end"][1])
    np.testing.assert_array_equal(at["test_begin"][-1], net.layers[0].kernel.numpy())  # fit ends with them


def test_on_epoch_the_next_callbacks_see_them():
    _, at = trained([callbacks.SwapEMAWeights()])
    _, on_epoch = trained([callbacks.SwapEMAWeights(swap_on_epoch=True)])
    np.testing.assert_array_equal(on_epoch["epoch_end"], at["test_begin"])
    np.testing.assert_array_equal(on_epoch["epoch_begin"], at["epoch_begin"])


def test_on_epoch_and_an_early_stop():
    """`fit` ends with the averages, whichever epoch is its last."""

    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    stopped, _ = trained([callbacks.SwapEMAWeights(swap_on_epoch=True)], more=[Stop()])
    short, _ = trained([], epochs=2)
    np.testing.assert_array_equal(stopped.get_weights()[0], short.get_weights()[0])


@pytest.mark.parametrize("run", ["evaluate", "predict"])
def test_weights_come_back(run):
    net, _ = trained([])
    kernel = net.layers[0].kernel
    raw = np.full((3, 1), 5.0, "float32")
    average = kernel.numpy().copy()
    kernel.assign(raw)
    seen = Seen()
    getattr(net, run)(X, **({"y": Y} if run == "evaluate" else {}), verbose=0,
                      callbacks=[callbacks.SwapEMAWeights(), seen])  # fmt: skip
    np.testing.assert_array_equal(seen.at[f"{'test' if run == 'evaluate' else run}_begin"][0], average)
    np.testing.assert_array_equal(kernel.numpy(), raw)


@pytest.mark.parametrize(
    "optimizer", [lambda: rv.optimizers.LossScaleOptimizer(sgd()), two_optimizers], ids=["scaled", "several"]
)
def test_optimizers_of_optimizers(optimizer):
    _, at = trained([callbacks.SwapEMAWeights()], optimizer())
    assert not np.array_equal(at["test_begin"][1], at["test_end"][1])


@pytest.mark.parametrize(
    "optimizer",
    [lambda: rv.optimizers.SGD(), lambda: two_optimizers(rv.optimizers.SGD)],
    ids=["one", "several"],
)
def test_there_must_be_averages(optimizer):
    with pytest.raises(ValueError, match="moving averages.*use_ema=True"):
        trained([callbacks.SwapEMAWeights()], optimizer())


def test_before_training_there_are_none():
    with pytest.raises(ValueError, match="built=False"):
        model(sgd()).evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
