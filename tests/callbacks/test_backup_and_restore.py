from __future__ import annotations

import json

import numpy as np
import pytest

import ranvier as rv
from ranvier import callbacks, layers

pytest.importorskip("h5py")

RANDOM = np.random.default_rng(1)
X, Y = RANDOM.normal(size=(40, 5)).astype("float32"), RANDOM.normal(size=(40, 1)).astype("float32")


def model():
    rv.utils.set_random_seed(3)
    net = rv.Sequential([rv.Input((5,)), layers.Dense(8, "tanh"), layers.Dropout(0.2), layers.Dense(1)])
    net.compile(rv.optimizers.Adam(0.01), "mse")
    return net


class Break(callbacks.Callback):
    """Ends training as a crash does, before an epoch or after a batch of it."""

    def __init__(self, epoch, batch=None):
        super().__init__()
        self.epoch, self.batch, self.now = epoch, batch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == self.epoch and self.batch is None:
            raise RuntimeError("crash")

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch and batch == self.batch:
            raise RuntimeError("crash")


def fit(net, *more, epochs=6, **kwargs):
    return net.fit(
        X, Y, epochs=epochs, batch_size=10, shuffle=False, verbose=0, callbacks=list(more), **kwargs
    )


def crashed(folder, at, **kwargs):
    with pytest.raises(RuntimeError, match="crash"):
        fit(model(), callbacks.BackupAndRestore(folder, **kwargs), at)


def test_it_goes_on_with_the_same_bits(tmp_path):
    folder = tmp_path / "backup"
    whole = model()
    expected = fit(whole).history["loss"]
    crashed(folder, Break(4))
    assert json.loads((folder / "training_metadata.json").read_text())["epoch"] == 4
    net = model()
    net.set_weights([w * 0 for w in net.get_weights()])
    history = fit(net, callbacks.BackupAndRestore(folder))
    assert history.epoch == [4, 5]
    assert history.history["loss"] == expected[4:]
    for a, b in zip(net.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not folder.exists()


def test_the_next_fit_begins_anew(tmp_path):
    folder = tmp_path / "backup"
    crashed(folder, Break(4))
    net = model()
    fit(net, callbacks.BackupAndRestore(folder))
    assert fit(net).epoch == list(range(6))


def test_nothing_is_left_to_do(tmp_path):
    folder = tmp_path / "backup"
    fit(model(), callbacks.BackupAndRestore(folder, delete_checkpoint=False))
    net = model()
    assert fit(net, callbacks.BackupAndRestore(folder, delete_checkpoint=False)).epoch == []
    assert folder.exists()
    assert fit(net, callbacks.BackupAndRestore(folder), epochs=8).epoch == [6, 7]


@pytest.mark.parametrize(("steps", "saved"), [(1, (1, 2)), (2, (1, 2)), (5, (1, 0))])
def test_after_batches(tmp_path, steps, saved):
    folder = tmp_path / "backup"
    crashed(folder, Break(1, 2), save_freq=steps)
    state = json.loads((folder / "training_metadata.json").read_text())
    assert (state["epoch"], state["batch"]) == ((1, 2) if steps == 1 else (1, 1) if steps == 2 else saved)
    assert fit(model(), callbacks.BackupAndRestore(folder)).epoch == [1, 2, 3, 4, 5]


def test_never(tmp_path):
    folder = tmp_path / "backup"
    crashed(folder, Break(2), save_freq=False)
    assert not folder.exists()
    crashed(folder, Break(2))
    assert fit(model(), callbacks.BackupAndRestore(folder, save_freq=False)).epoch == [2, 3, 4, 5]


@pytest.mark.parametrize("name", ["latest.weights.h5", "training_metadata.json"])
def test_a_damaged_state(tmp_path, name):
    folder = tmp_path / "backup"
    crashed(folder, Break(4), double_checkpoint=True)
    (folder / name).write_bytes(b"{")
    assert fit(model(), callbacks.BackupAndRestore(folder)).epoch == [3, 4, 5]
    crashed(folder, Break(4))
    (folder / name).write_bytes(b"{")
    with pytest.raises((OSError, ValueError)):
        fit(model(), callbacks.BackupAndRestore(folder))


def test_between_weights_and_epoch(tmp_path):
    """A crash in the first writing leaves weights without an epoch: training begins anew."""
    folder = tmp_path / "backup"
    crashed(folder, Break(1))
    (folder / "training_metadata.json").unlink()
    assert fit(model(), callbacks.BackupAndRestore(folder)).epoch == list(range(6))


def test_the_loop_stays_native():
    assert not callbacks.CallbackList([callbacks.BackupAndRestore("backup")]).needs_every_batch("train")
    assert callbacks.CallbackList([callbacks.BackupAndRestore("backup", 3)]).needs_every_batch("train")


@pytest.mark.parametrize(
    ("args", "message"),
    [(("",), "Empty `backup_dir`"), (("a", "batch"), "save_freq"), (("a", 0), "save_freq")],
)
def test_refusals(args, message):
    with pytest.raises(ValueError, match=message):
        callbacks.BackupAndRestore(*args)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"epoch": "x"}', '{"epoch": -1}', "[" * 10_000])
def test_a_damaged_state_says_what_to_do(text, tmp_path):
    folder = tmp_path / "backup"
    crashed(folder, Break(4))
    (folder / "training_metadata.json").write_text(text)
    with pytest.raises(ValueError, match="training_metadata.json is damaged.*Delete the folder"):
        fit(model(), callbacks.BackupAndRestore(folder))
