from __future__ import annotations

import csv
import io
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import ranvier as rv
from ranvier import callbacks, layers

X = np.ones((4, 1), "float32")
Y = np.ones((4, 1), "float32")


def model(**kwargs):
    net = rv.Sequential([rv.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    net.compile(rv.optimizers.SGD(1.0), "mse", **kwargs)
    return net


class Script(callbacks.Callback):
    """Sets a metric to given values, and a weight to the epoch's number, so that restoring shows."""

    def __init__(self, values, name):
        super().__init__()
        self.values, self.name = values, name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]
        self.model.layers[0].kernel.assign([[float(epoch)]])


def play(callback, values, name="val_loss", **compiled):
    net = model(**compiled)
    history = net.fit(X, Y, epochs=len(values), verbose=0, callbacks=[Script(values, name), callback])
    return net, history


S = [1.0, 0.9, 0.95, 0.96, 0.97, 0.8, 0.9, 0.9]


class TestEarlyStopping:
    # What Keras 3.15 does on the same values: (arguments, epochs, stopped_epoch, best, best_epoch, and the
    # epoch whose weights are left)
    ROWS = [
        ({}, 3, 2, 0.9, 1, 2),
        ({"patience": 1}, 3, 2, 0.9, 1, 2),
        ({"patience": 2}, 4, 3, 0.9, 1, 3),
        ({"patience": 3}, 5, 4, 0.9, 1, 4),
        ({"patience": 2, "restore_best_weights": True}, 4, 3, 0.9, 1, 1),
        ({"patience": 2, "min_delta": 0.5}, 3, 2, 1.0, 0, 2),
        ({"patience": 2, "mode": "max"}, 3, 2, 1.0, 0, 2),
        ({"patience": 3, "baseline": 0.85}, 3, 2, 0.9, 1, 2),
        ({"patience": 3, "baseline": 0.85, "restore_best_weights": True}, 3, 2, 0.9, 1, 1),
        ({"patience": 1, "start_from_epoch": 3}, 5, 4, 0.96, 3, 4),
        ({"patience": 1, "start_from_epoch": 3, "restore_best_weights": True}, 5, 4, 0.96, 3, 3),
        ({"patience": 50, "restore_best_weights": True}, 8, 0, 0.8, 5, 5),
    ]

    @pytest.mark.parametrize("row", ROWS, ids=[str(row[0]) for row in ROWS])
    def test_against_keras(self, row):
        arguments, *expected = row
        callback = callbacks.EarlyStopping(**arguments)
        net, history = play(callback, S)
        kernel = float(net.layers[0].kernel.numpy()[0, 0])
        found = [len(history.epoch), callback.stopped_epoch, callback.best, callback.best_epoch, kernel]
        assert found == expected

    @pytest.mark.parametrize(
        ("metric", "values", "epochs"),
        [
            ("accuracy", [0.1, 0.2, 0.3, 0.25, 0.24, 0.5], 4),
            ("mae", [0.1, 0.2, 0.3], 2),
            ("loss", [1.0, 2.0], 2),
        ],
    )
    def test_auto_mode_knows_the_metric(self, metric, values, epochs):
        metrics = [] if metric == "loss" else [metric]
        callback = callbacks.EarlyStopping(f"val_{metric}", patience=1)
        _, history = play(callback, values, f"val_{metric}", metrics=metrics)
        assert len(history.epoch) == epochs

    def test_unknown_metrics_need_a_mode(self):
        with pytest.raises(ValueError, match="monitor=nope.*Pass `mode='max'`"):
            play(callbacks.EarlyStopping("nope"), S)

    def test_unknown_mode(self):
        with pytest.warns(UserWarning, match="fallback to auto"):
            callbacks.EarlyStopping(mode="bar")

    def test_a_missing_metric_is_warned_of(self):
        with pytest.warns(UserWarning, match="`val_loss`, which is not available"):
            model().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping()])

    def test_verbose(self, capsys):
        play(callbacks.EarlyStopping(patience=2, verbose=1, restore_best_weights=True), S)
        assert capsys.readouterr().out.splitlines() == [
            "Epoch 4: early stopping",
            "Restoring model weights from the end of the best epoch: 2.",
        ]

    def test_it_can_be_used_twice(self):
        callback = callbacks.EarlyStopping(patience=1)
        for _ in range(2):
            assert len(play(callback, S)[1].epoch) == 3


class TestReduceLROnPlateau:
    ROWS = [
        ({"patience": 1}, 1e-5),
        ({"patience": 2, "factor": 0.5}, 0.25),
        ({"patience": 1, "cooldown": 2}, 1e-3),
        ({"patience": 1, "min_lr": 0.5}, 0.5),
    ]

    @pytest.mark.parametrize("row", ROWS, ids=[str(row[0]) for row in ROWS])
    def test_against_keras(self, row):
        arguments, rate = row
        net, history = play(callbacks.ReduceLROnPlateau(**arguments), S)
        np.testing.assert_allclose(float(net.optimizer.learning_rate), rate, rtol=1e-5)
        assert "learning_rate" in net.history.history or len(history.epoch) == 8

    def test_it_is_quiet_once_the_rate_is_the_least(self, capsys):
        """0.3, too, which as the optimizer's float32 is a little more than the number asked for."""
        play(callbacks.ReduceLROnPlateau(patience=1, min_lr=0.3, factor=0.1, verbose=1), S)
        assert capsys.readouterr().out.count("reducing learning rate to 0.3.") == 1

    def test_factor(self):
        with pytest.raises(ValueError, match="factor >= 1.0"):
            callbacks.ReduceLROnPlateau(factor=1.0)

    def test_learning_rate_is_logged(self):
        history = model().fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.ReduceLROnPlateau("loss")])
        assert history.history["learning_rate"] == [1.0, 1.0]


class TestLearningRateScheduler:
    def test_by_epoch(self, capsys):
        schedule = callbacks.LearningRateScheduler(lambda epoch: 0.5 * (epoch + 1), verbose=1)
        history = model().fit(X, Y, epochs=2, verbose=0, callbacks=[schedule])
        np.testing.assert_allclose(history.history["learning_rate"], [0.5, 1.0])
        assert "Epoch 2: LearningRateScheduler setting learning rate to 1.0." in capsys.readouterr().out

    def test_from_the_last_one(self):
        net = model()
        net.fit(
            X, Y, epochs=3, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda e, rate: rate / 2)]
        )
        assert float(net.optimizer.learning_rate) == 0.125

    def test_the_training_uses_it(self):
        net = model()
        net.fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda e: 0.0)])
        assert not net.layers[0].kernel.numpy().any()

    def test_bad_values(self):
        with pytest.raises(ValueError, match="should be a float. Got: a"):
            model().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda e: "a")])


class TestTerminateOnNaN:
    def test_it_stops(self, capsys):
        net = model()
        history = net.fit(
            X * np.nan, Y, batch_size=1, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()]
        )
        assert len(history.epoch) == 1 and int(net.optimizer.iterations) == 1
        assert "Batch 0: Invalid loss, terminating training" in capsys.readouterr().out

    def test_it_raises(self):
        with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
            model().fit(X * np.nan, Y, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)])

    def test_numbers_go_on(self):
        assert len(model().fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()]).epoch) == 3


class TestCSVLogger:
    def rows(self, path, delimiter=","):
        with open(path, newline="") as file:
            return list(csv.reader(file, delimiter=delimiter))

    def test_with_validation(self, tmp_path):
        path = tmp_path / "log.csv"
        history = model(metrics=["mae"]).fit(
            X,
            Y,
            epochs=3,
            verbose=0,
            validation_data=(X, Y),
            validation_freq=2,
            callbacks=[callbacks.CSVLogger(path)],
        )
        rows = self.rows(path)
        assert rows[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"] and len(rows) == 4
        assert rows[1][3:] == ["NA", "NA"] and float(rows[2][1]) == history.history["loss"][1]

    def test_append(self, tmp_path):
        path = tmp_path / "log.csv"
        for append in (False, True):
            model().fit(X, Y, verbose=0, callbacks=[callbacks.CSVLogger(path, separator=";", append=append)])
        rows = self.rows(path, ";")
        assert [row[0] for row in rows] == ["epoch", "0", "0"]


class TestLambdaCallback:
    def test_hooks(self):
        seen = []
        callback = callbacks.LambdaCallback(
            on_train_begin=lambda logs: seen.append("begin"),
            on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
            on_train_batch_end=lambda batch, logs: seen.append(batch),
            on_test_end=lambda logs: seen.append("test"),
        )
        model().fit(X, Y, batch_size=2, verbose=0, validation_data=(X, Y), callbacks=[callback])
        assert seen == ["begin", 0, 1, "test", (0, ["loss", "val_loss"])]

    def test_unknown_hooks(self):
        with pytest.raises(TypeError, match="'on_epoch_finish', which is not a hook"):
            callbacks.LambdaCallback(on_epoch_finish=print)


class TestCallbackList:
    def test_what_it_asks_of_the_loop(self):
        class Epochs(callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                pass

        class Batches(callbacks.Callback):
            def on_batch_end(self, batch, logs=None):
                pass

        class Predictions(callbacks.Callback):
            def on_predict_batch_end(self, batch, logs=None):
                pass

        def asks(callback, kind, verbose=0):
            found = callbacks.CallbackList(
                [callback], add_history=True, add_progbar=verbose > 0, verbose=verbose, epochs=1, steps=1
            )
            return found.needs_every_batch(kind), found.batch_interval(kind)

        assert asks(Epochs(), "train") == (False, None)
        assert asks(Batches(), "train") == (True, 0.0)
        assert asks(Batches(), "test") == (False, None)
        assert asks(Predictions(), "predict") == (True, 0.0)
        assert asks(Epochs(), "train", verbose=1) == (False, 0.05)
        assert asks(Epochs(), "train", verbose=2) == (False, None)

    def test_a_callback_may_have_a_batch_interval_of_its_own(self):
        class Mine(callbacks.Callback):
            batch_interval = "every now and then"

            def on_train_batch_end(self, batch, logs=None):
                pass

        assert callbacks.CallbackList([Mine()]).needs_every_batch("train")

    @pytest.mark.parametrize("interval", [0, -1.0, "1", True])
    def test_intervals_are_checked(self, interval):
        class Often(callbacks.Callback):
            _rv_batch_interval = interval

            def on_train_batch_end(self, batch, logs=None):
                pass

        with pytest.raises(ValueError, match="`_rv_batch_interval` of Often must be a positive number"):
            model().fit(X, Y, verbose=0, callbacks=[Often()])

    def test_the_line_ends_when_training_is_interrupted(self, monkeypatch):
        class Stop(callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch:
                    raise KeyboardInterrupt

        stream = io.StringIO()
        stream.isatty = lambda: True
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(KeyboardInterrupt):
            model().fit(X, Y, batch_size=1, callbacks=[Stop()])
        assert "1/4" in stream.getvalue() and stream.getvalue().endswith("\n")

    def test_params_and_model(self):
        callback = callbacks.Callback()
        listed = callbacks.CallbackList([[callback]], model="m", epochs=3, steps=2, verbose=0)
        assert callback.model == "m" and callback.params == {"epochs": 3, "steps": 2, "verbose": 0}
        other = callbacks.Callback()
        listed.append(other)
        assert listed.callbacks == [callback, other]

    def test_ready_lists_are_used_as_they_are(self):
        net = model()
        listed = callbacks.CallbackList([], add_history=True, model=net, epochs=1, steps=1, verbose=0)
        assert net.fit(X, Y, verbose=0, callbacks=listed) is listed.history

    def test_a_history_of_ones_own(self):
        history = callbacks.History()
        assert model().fit(X, Y, verbose=0, callbacks=[history]) is history

    def test_logs_pass_from_one_to_the_next(self):
        net, history = play(callbacks.Callback(), [5.0, 6.0], "extra")
        assert history.history["extra"] == [5.0, 6.0]


@pytest.mark.skipif(find_spec("h5py") is None, reason="needs h5py")
class TestModelCheckpoint:
    # What Keras 3.15 writes: (arguments, metric of each epoch, files)
    ROWS = [
        ({"filepath": "m{epoch:02d}-{val_loss:.1f}.keras"}, [1.0, 2.0], ["m01-1.0.keras", "m02-2.0.keras"]),
        ({"filepath": "{epoch}.keras", "save_best_only": True}, [1.0, 2.0, 0.5, 0.5], ["1.keras", "3.keras"]),
        ({"filepath": "{epoch}.keras", "save_best_only": True, "mode": "max"}, [1.0, 0.5], ["1.keras"]),
        (
            {"filepath": "{epoch}.keras", "save_best_only": True, "initial_value_threshold": 0.7},
            [1.0, 0.8, 0.5],
            ["3.keras"],
        ),
        ({"filepath": "sub/{epoch}.weights.h5", "save_weights_only": True}, [1.0], ["sub/1.weights.h5"]),
    ]  # fmt: skip

    @pytest.mark.parametrize(("kwargs", "values", "files"), ROWS)
    def test_after_epochs(self, kwargs, values, files, tmp_path):
        kwargs = kwargs | {"filepath": tmp_path / kwargs["filepath"]}
        play(callbacks.ModelCheckpoint(**kwargs), values)
        found = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*"))
        assert found == files

    @pytest.mark.parametrize("steps", [1, 2])
    def test_after_batches(self, steps, tmp_path):
        callback = callbacks.ModelCheckpoint(
            tmp_path / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3
        )
        net = model(steps_per_execution=steps)
        net.fit(X, Y, batch_size=1, epochs=3, verbose=0, callbacks=[callback])
        saved = sorted(p.name.removesuffix(".weights.h5") for p in tmp_path.iterdir())
        assert saved == (["1-3", "2-2", "3-1", "3-4"] if steps == 1 else ["1-4", "2-4", "3-4"])

    def test_the_best_epoch_comes_back(self, tmp_path):
        callback = callbacks.ModelCheckpoint(tmp_path / "m.keras", save_best_only=True)
        play(callback, S)
        assert callback.best == 0.8
        assert rv.models.load_model(tmp_path / "m.keras").get_weights()[0].item() == 5.0

    def test_verbose(self, tmp_path, capsys):
        path = tmp_path / "m.keras"
        play(callbacks.ModelCheckpoint(path, verbose=1, save_best_only=True), [2.0, 1.0, 1.5])
        assert capsys.readouterr().out.split("\n\n") == [
            f"\nEpoch 1: val_loss improved from None to 2.00000, saving model to {path}",
            f"Epoch 1: finished saving model to {path}",
            f"Epoch 2: val_loss improved from 2.00000 to 1.00000, saving model to {path}",
            f"Epoch 2: finished saving model to {path}",
            "Epoch 3: val_loss did not improve from 1.00000\n",
        ]

    def test_a_metric_that_is_not_there(self, tmp_path):
        with pytest.warns(UserWarning, match="Can save best model only with val_acc available"):
            play(callbacks.ModelCheckpoint(tmp_path / "m.keras", "val_acc", save_best_only=True), [1.0])
        with pytest.raises(KeyError, match="Failed to format this callback filepath.*nope"):
            play(callbacks.ModelCheckpoint(tmp_path / "{nope}.keras"), [1.0])
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"filepath": "m.h5"}, "must end in `.keras`"),
            ({"filepath": "m.h5", "save_weights_only": True}, "must end in `.weights.h5`"),
            ({"filepath": "m.keras", "save_freq": "batch"}, "Unrecognized save_freq: batch"),
            ({"filepath": "m.keras", "save_freq": 0}, "Unrecognized save_freq: 0"),
        ],
    )
    def test_refusals(self, kwargs, message):
        with pytest.raises(ValueError, match=message):
            callbacks.ModelCheckpoint(**kwargs)


def two_optimizers():
    one, two = rv.optimizers.SGD(0.5, name="one"), rv.optimizers.Adam(0.25, name="two")
    net = model()
    several = rv.optimizers.MultiOptimizer(rv.optimizers.OptimizerMap(one, {".*kernel": two}))
    net.compile(several, "mse")
    return net


class TestRatesOfSeveralOptimizers:
    def test_a_schedule_sets_each(self, capsys):
        net = two_optimizers()
        halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
        history = net.fit(X, Y, epochs=2, verbose=0, callbacks=[halve]).history
        assert history["learning_rate_one"] == [0.25, 0.125]
        assert history["learning_rate_two"] == [0.125, 0.0625]
        assert "learning_rate" not in history
        said = capsys.readouterr().out
        assert "Epoch 2: LearningRateScheduler setting two learning rate to 0.0625." in said

    def test_a_plateau_lowers_each(self):
        net = two_optimizers()
        lower = callbacks.ReduceLROnPlateau(monitor="flat", mode="min", patience=1, factor=0.5, min_lr=0.2)
        flat = Script([1.0] * 4, "flat")
        history = net.fit(X, Y, epochs=4, verbose=0, callbacks=[flat, lower]).history
        np.testing.assert_allclose(history["learning_rate_one"], [0.5, 0.5, 0.25, 0.2])
        np.testing.assert_allclose(history["learning_rate_two"], [0.25, 0.25, 0.2, 0.2])


class TestVectorMetrics:
    """A metric of one value for each class, such as F1 without an average."""

    def test_the_best_of_a_vector_is_every_one(self, tmp_path):
        pytest.importorskip("h5py")
        best = callbacks.ModelCheckpoint(
            tmp_path / "{epoch}.weights.h5", monitor="f1", save_best_only=True, save_weights_only=True
        )
        with pytest.warns(UserWarning, match=r"`f1` has the shape \(2,\).*every model is saved"):
            play(best, [np.ones(2), np.zeros(2)], "f1")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["1.weights.h5", "2.weights.h5"]

    @pytest.mark.parametrize("kind", [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau])
    def test_others_refuse_it(self, kind):
        with pytest.raises(ValueError, match=r"watches a scalar, but `f1` has the shape \(2,\)"):
            play(kind(monitor="f1", mode="max"), [np.ones(2)], "f1")
