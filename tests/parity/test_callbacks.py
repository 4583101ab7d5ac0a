"""Callbacks that change weights, against Keras: what is validated, and what training leaves.

Not compared, because it differs and is meant to: after `predict`, Keras's `SwapEMAWeights` leaves the
averages in the weights, and after an early stop with `swap_on_epoch` the last weights; ours does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, keras

import ranvier

RANDOM = np.random.default_rng(2)
X, Y = RANDOM.normal(size=(24, 5)).astype("float32"), RANDOM.normal(size=(24, 1)).astype("float32")
WEIGHTS = [RANDOM.normal(size=shape).astype("float32") * 0.5 for shape in ((5, 4), (4,), (4, 1), (1,))]


def model(module: Any, optimizer: Any) -> Any:
    net = module.Sequential(
        [module.Input((5,)), module.layers.Dense(4, "tanh"), module.layers.Dense(1)],
    )
    net.set_weights(WEIGHTS)
    net.compile(optimizer, "mse")
    return net


def sgd(module: Any, **kwargs: Any) -> Any:
    return module.optimizers.SGD(0.1, momentum=0.5, use_ema=True, ema_momentum=0.8, **kwargs)


OPTIMIZERS = {
    "one": sgd,
    "overwritten": lambda module: sgd(module, ema_overwrite_frequency=4),
    "scaled": lambda module: module.optimizers.LossScaleOptimizer(sgd(module), initial_scale=4.0),
}


class Seen:
    """The sums of the weights after each epoch, as a callback that comes last sees them."""

    def __new__(cls, module: Any) -> Any:
        class Callback(module.callbacks.Callback):
            sums: list[float] = []

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                self.sums.append([float(np.sum(w)) for w in self.model.get_weights()])

        return Callback()


@pytest.mark.parametrize("swap_on_epoch", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_swap_ema_weights(name: str, swap_on_epoch: bool) -> None:
    found = []
    for module in (ranvier, keras):
        net, seen = model(module, OPTIMIZERS[name](module)), Seen(module)
        swap = module.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
        history = net.fit(
            X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0, validation_data=(X[:7], Y[:7]),
            callbacks=[swap, seen],
        )  # fmt: skip
        tested = net.evaluate(X, Y, verbose=0, callbacks=[module.callbacks.SwapEMAWeights()])
        found.append([*history.history.values(), seen.sums, tested, *net.get_weights()])
    for ours, theirs in zip(*found, strict=True):
        assert_agrees(ours, theirs, rtol=3e-5)


@pytest.mark.parametrize("save_freq", ["epoch", 2])
def test_backup_and_restore(save_freq: Any, tmp_path: Any) -> None:
    """What Keras began goes on in Ranvier, and the other way round."""

    def fit(module: Any, *more: Any) -> Any:
        net = model(module, module.optimizers.Adam(0.02))
        backup = module.callbacks.BackupAndRestore(str(tmp_path / "backup"), save_freq=save_freq)
        history = net.fit(X, Y, epochs=5, batch_size=8, shuffle=False, verbose=0, callbacks=[backup, *more])
        return history.epoch, history.history["loss"], net.get_weights()

    def broken(module: Any) -> None:
        class Break(module.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                if epoch == 3:
                    raise RuntimeError("crash")

        with pytest.raises(RuntimeError, match="crash"):
            fit(module, Break())

    found = []
    for first, second in ((ranvier, ranvier), (keras, keras), (ranvier, keras), (keras, ranvier)):
        broken(first)
        found.append(fit(second))
    for epochs, losses, weights in found:
        assert epochs == found[0][0]
        assert_agrees(losses, found[0][1], rtol=3e-5)
        for ours, theirs in zip(weights, found[0][2], strict=True):
            assert_agrees(ours, theirs, rtol=3e-5)
