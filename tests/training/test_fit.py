"""fit, evaluate and predict: their arguments, what they return, and what history holds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.training.train_step import TrainFunction

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = RNG.normal(size=(50, 2)).astype("float32")
LABELS = RNG.integers(0, 3, 50)


def model(outputs=2, activation=None, optimizer="sgd", loss="mse", seed=0, **kwargs):
    rv.utils.set_random_seed(seed)
    net = rv.Sequential(
        [rv.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(outputs, activation)]
    )
    net.compile(optimizer, loss, **kwargs)
    return net


class Events(rv.callbacks.Callback):
    """Notes every hook that is called."""

    def __init__(self):
        super().__init__()
        self.seen = []


def _note(name):
    def hook(self, *args, logs=None):
        self.seen.append((name, *args))

    return hook


for _name in [n for n in vars(rv.callbacks.Callback) if n.startswith("on_") and not n.startswith("on_batch")]:
    setattr(Events, _name, _note(_name))


def events(net, **kwargs):
    callback = Events()
    net.fit(X, Y, verbose=0, callbacks=[callback], **kwargs)
    return callback.seen


class BatchesOf(rv.utils.PyDataset):
    """The data in batches of a size."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def __len__(self):
        return 50 // self.size

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return X[rows], Y[rows]


class TestHistory:
    @pytest.mark.parametrize(
        ("compiled", "fitted", "keys"),
        [
            ({}, {}, ["loss"]),
            ({"metrics": ["mse", "mae"]}, {}, ["loss", "mae", "mse"]),
            (
                {"metrics": ["accuracy"]},
                {"validation_split": 0.2},
                ["accuracy", "loss", "val_accuracy", "val_loss"],
            ),
            ({"metrics": ["acc", "Accuracy"]}, {}, ["Accuracy", "acc", "loss"]),
            ({"metrics": ["mae", "mae"]}, {}, ["loss", "mae", "mae_1"]),
            (
                {"metrics": ["mae"], "weighted_metrics": ["mae", "mse"]},
                {},
                ["loss", "mae", "mse", "weighted_mae"],
            ),
            ({"metrics": [["mse"], ["mae"]]}, {}, ["loss", "mae", "mse"]),
            ({"metrics": {"out": "mae"}}, {}, ["loss", "mae"]),
            ({"metrics": [rv.metrics.MeanSquaredError(name="m")]}, {}, ["loss", "m"]),
            ({"metrics": [rv.losses.mean_absolute_error]}, {}, ["loss", "mean_absolute_error"]),
            (
                {"weighted_metrics": ["mae"]},
                {"validation_data": (X, Y)},
                ["loss", "mae", "val_loss", "val_mae"],
            ),
        ],
    )
    def test_keys_in_order(self, compiled, fitted, keys):
        history = model(**compiled).fit(X, Y, epochs=2, verbose=0, **fitted)
        assert list(history.history) == keys
        assert all(len(values) == 2 for values in history.history.values())
        assert all(type(v) is float for values in history.history.values() for v in values)

    def test_it_is_returned_and_kept(self):
        net = model()
        history = net.fit(X, Y, epochs=3, verbose=0)
        assert net.history is history and history.epoch == [0, 1, 2]
        assert history.params == {"verbose": 0, "epochs": 3, "steps": 2} and history.model is net

    def test_initial_epoch(self):
        assert model().fit(X, Y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]
        assert model().fit(X, Y, epochs=2, initial_epoch=3, verbose=0).history == {}

    def test_the_loss_is_the_mean_over_samples(self):
        # 50 samples in batches of 32 and 18: a mean of batch means would be another number.
        net = model(optimizer=rv.optimizers.SGD(0.0))
        expected = np.mean((net(X) - Y) ** 2)
        np.testing.assert_allclose(net.fit(X, Y, verbose=0).history["loss"], [expected], rtol=1e-5)
        np.testing.assert_allclose(net.evaluate(X, Y, verbose=0), expected, rtol=1e-5)


class TestArguments:
    @pytest.mark.parametrize(("batch_size", "steps"), [(None, 2), (1, 50), (50, 1), (1000, 1), (7, 8)])
    def test_batch_size(self, batch_size, steps):
        net = model()
        net.fit(X, Y, batch_size=batch_size, verbose=0)
        assert int(net.optimizer.iterations) == steps

    def test_shuffle(self):
        one, two = model(), model()
        one.fit(X, Y, batch_size=10, epochs=2, verbose=0)
        two.fit(X, Y, batch_size=10, epochs=2, verbose=0, shuffle=False)
        assert not np.array_equal(one.get_weights()[0], two.get_weights()[0])

    def test_the_same_seed_gives_the_same_bits(self):
        weights = []
        for _ in range(2):
            net = model(seed=3)
            net.fit(X, Y, batch_size=8, epochs=3, verbose=0)
            weights.append(net.get_weights())
        for a, b in zip(*weights, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_validation_split_takes_the_last_samples(self):
        net = model(optimizer=rv.optimizers.SGD(0.0))
        history = net.fit(X, Y, validation_split=0.2, verbose=0).history
        np.testing.assert_allclose(history["loss"], [np.mean((net(X[:40]) - Y[:40]) ** 2)], rtol=1e-5)
        np.testing.assert_allclose(history["val_loss"], [np.mean((net(X[40:]) - Y[40:]) ** 2)], rtol=1e-5)

    def test_validation_data_goes_first(self):
        net = model(optimizer=rv.optimizers.SGD(0.0))
        history = net.fit(X, Y, validation_split=0.2, validation_data=(X[:5], Y[:5]), verbose=0).history
        np.testing.assert_allclose(history["val_loss"], [np.mean((net(X[:5]) - Y[:5]) ** 2)], rtol=1e-5)

    def test_validation_weights(self):
        net, w = model(optimizer=rv.optimizers.SGD(0.0)), np.linspace(0, 2, 50).astype("float32")
        history = net.fit(X, Y, validation_data=(X, Y, w), verbose=0).history
        expected = np.mean(np.mean((net(X) - Y) ** 2, 1) * w)
        np.testing.assert_allclose(history["val_loss"], [expected], rtol=1e-5)

    @pytest.mark.parametrize(("freq", "count"), [(1, 5), (2, 2), ([1, 4], 2), ((5,), 1), ([], 0)])
    def test_validation_freq(self, freq, count):
        history = model().fit(X, Y, epochs=5, validation_split=0.2, validation_freq=freq, verbose=0).history
        assert len(history.get("val_loss", [])) == count

    def test_validation_batches(self):
        seen = events(model(), validation_data=(X, Y), validation_batch_size=10, validation_steps=3)
        assert seen.count(("on_test_begin",)) == 1
        assert [e[1] for e in seen if e[0] == "on_test_batch_end"] == [0, 1, 2]

    def test_sample_weight(self):
        w = np.linspace(0, 2, 50)
        net = model(optimizer=rv.optimizers.SGD(0.0), metrics=["mse"], weighted_metrics=["mse"])
        history = net.fit(X, Y, sample_weight=w, batch_size=50, verbose=0).history
        per_sample = np.mean((net(X) - Y) ** 2, 1)
        np.testing.assert_allclose(history["loss"], [np.mean(per_sample * w)], rtol=1e-5)
        np.testing.assert_allclose(history["mse"], [np.mean(per_sample)], rtol=1e-5)
        np.testing.assert_allclose(history["weighted_mse"], [np.sum(per_sample * w) / w.sum()], rtol=1e-5)

    @pytest.mark.parametrize("one_hot", [False, True])
    def test_class_weight_is_a_sample_weight(self, one_hot):
        loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
        y = np.eye(3, dtype="float32")[LABELS] if one_hot else LABELS
        nets = [model(3, "softmax", loss=loss) for _ in range(2)]
        nets[0].fit(X, y, class_weight={0: 1.0, 2: 3.0}, shuffle=False, verbose=0)
        nets[1].fit(X, y, sample_weight=np.array([1.0, 1.0, 3.0])[LABELS], shuffle=False, verbose=0)
        for a, b in zip(nets[0].get_weights(), nets[1].get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_steps_per_epoch(self):
        # 50 samples in batches of 10: a pass has 5 steps, epochs of 3 take 3, then the other 2, then 3 again.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen = events(model(), batch_size=10, epochs=3, steps_per_epoch=3)
        assert [e[1] for e in seen if e[0] == "on_train_batch_end"] == [0, 1, 2, 0, 1, 0, 1, 2]

    def test_validation_steps_begin_with_the_first_batch(self):
        net = model(optimizer=rv.optimizers.SGD(0.0))
        first = net.evaluate(X[:20], Y[:20], verbose=0)
        for validation in ({"validation_data": (X, Y)}, {"validation_data": BatchesOf(10)}):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                history = net.fit(
                    X, Y, batch_size=10, epochs=4, validation_steps=2, verbose=0, **validation
                ).history
            np.testing.assert_allclose(history["val_loss"], [first] * 4, rtol=1e-6)

    def test_more_steps_than_there_are(self):
        net = model()
        with pytest.warns(UserWarning, match="5 batches for 20 steps"):
            net.fit(X, Y, batch_size=10, steps_per_epoch=20, verbose=0)
        assert int(net.optimizer.iterations) == 5

    def test_a_short_last_batch_counts_as_a_step(self):
        assert [e for e in events(model(), batch_size=40) if e[0] == "on_train_batch_end"] == [
            ("on_train_batch_end", 0),
            ("on_train_batch_end", 1),
        ]


class TestHooks:
    def test_order(self):
        assert events(model(), batch_size=25, validation_data=(X, Y)) == [
            ("on_train_begin",),
            ("on_epoch_begin", 0),
            ("on_train_batch_begin", 0),
            ("on_train_batch_end", 0),
            ("on_train_batch_begin", 1),
            ("on_train_batch_end", 1),
            ("on_test_begin",),
            ("on_test_batch_begin", 0),
            ("on_test_batch_end", 0),
            ("on_test_batch_begin", 1),
            ("on_test_batch_end", 1),
            ("on_test_end",),
            ("on_epoch_end", 0),
            ("on_train_end",),
        ]

    def test_steps_per_execution(self):
        seen = events(model(steps_per_execution=2), batch_size=15)
        assert [e for e in seen if "batch" in e[0]] == [
            ("on_train_batch_begin", 0),
            ("on_train_batch_end", 1),
            ("on_train_batch_begin", 2),
            ("on_train_batch_end", 3),
        ]

    def test_stop_training_ends_the_epoch(self):
        class Stop(rv.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.stop_training = batch == 1

        net = model()
        history = net.fit(X, Y, batch_size=10, epochs=5, verbose=0, callbacks=[Stop()], validation_split=0.2)
        assert int(net.optimizer.iterations) == 2 and len(history.history["val_loss"]) == 1
        assert len(net.fit(X, Y, epochs=2, verbose=0).epoch) == 2  # the next fit begins anew

    def test_batch_logs_are_those_of_the_epoch_so_far(self):
        class Logs(rv.callbacks.Callback):
            seen = []

            def on_train_batch_end(self, batch, logs=None):
                self.seen.append(logs["loss"])

        net, logs = model(optimizer=rv.optimizers.SGD(0.0)), Logs()
        net.fit(X, Y, batch_size=20, shuffle=False, verbose=0, callbacks=logs)
        expected = [np.mean((net(X[:n]) - Y[:n]) ** 2) for n in (20, 40, 50)]
        np.testing.assert_allclose(logs.seen, expected, rtol=1e-5)

    def test_batch_hooks_change_nothing(self):
        plain = model()
        plain.fit(X, Y, batch_size=10, epochs=2, verbose=0)
        hooked = model()  # seeds anew
        hooked.fit(X, Y, batch_size=10, epochs=2, verbose=0, callbacks=[Events()])
        np.testing.assert_array_equal(plain.get_weights()[0], hooked.get_weights()[0])


class TestEvaluate:
    def test_forms_of_the_result(self):
        net = model(metrics=["mae", "mse"])
        values = net.evaluate(X, Y, verbose=0)
        named = net.evaluate(X, Y, verbose=0, return_dict=True)
        assert list(named) == ["loss", "mae", "mse"]
        assert values == [named["loss"], named["mae"], named["mse"]]
        assert isinstance(model().evaluate(X, Y, verbose=0), float)

    def test_order_is_that_of_compile(self):
        net = model(metrics=["mse", "mae"])
        named = net.evaluate(X, Y, verbose=0, return_dict=True)
        assert net.evaluate(X, Y, verbose=0) == [named["loss"], named["mse"], named["mae"]]
        assert net.metrics_names == ["loss", "compile_metrics"]

    def test_steps(self):
        net = model()
        np.testing.assert_allclose(
            net.evaluate(X, Y, batch_size=10, steps=2, verbose=0),
            net.evaluate(X[:20], Y[:20], verbose=0),
            rtol=1e-6,
        )

    def test_it_changes_no_weight(self):
        net = model()
        before = net.get_weights()
        net.evaluate(X, Y, verbose=0)
        np.testing.assert_array_equal(before[0], net.get_weights()[0])

    def test_dropout_is_off(self):
        net = rv.Sequential([rv.Input((4,)), layers.Dropout(0.9)])
        net.compile("sgd", "mse")
        assert net.evaluate(X, X, verbose=0) == 0.0

    def test_regularization_counts(self):
        net = rv.Sequential([rv.Input((4,)), layers.Dense(2, kernel_regularizer="l2")])
        net.compile("sgd", "mse")
        expected = np.mean((net(X) - Y) ** 2) + 0.01 * np.sum(net.get_weights()[0] ** 2)
        np.testing.assert_allclose(net.evaluate(X, Y, verbose=0), expected, rtol=1e-5)


class TestPredict:
    @pytest.mark.parametrize("n", [1, 31, 32, 33, 50])
    def test_is_the_call(self, n):
        net = model()
        np.testing.assert_allclose(net.predict(X[:n], verbose=0), net(X[:n]), rtol=1e-5, atol=1e-6)

    def test_again_with_other_data(self):
        net = model()
        for i in range(5):
            out = net.predict(X[i : i + 1], verbose=0)
            np.testing.assert_allclose(out, net(X[i : i + 1]), rtol=1e-5, atol=1e-6)
        assert not np.shares_memory(out, net.predict(X[:1], verbose=0))

    def test_sees_new_weights(self):
        net = model()
        net.predict(X[:1], verbose=0)
        net.set_weights([np.zeros_like(w) for w in net.get_weights()])
        assert not net.predict(X[:1], verbose=0).any()
        net.add(layers.Dense(1, bias_initializer="ones"))
        assert net.predict(X[:1], verbose=0).tolist() == [[1.0]]

    def test_without_compile_or_build(self):
        net = rv.Sequential([layers.Dense(3)])
        assert net.predict(X, verbose=0).shape == (50, 3) and net.built

    def test_steps_and_batches(self):
        net, callback = model(), Events()
        assert net.predict(X, batch_size=10, steps=2, verbose=0, callbacks=[callback]).shape == (20, 2)
        assert [e[0] for e in callback.seen][:2] == ["on_predict_begin", "on_predict_batch_begin"]
        assert callback.seen[-1] == ("on_predict_end",) and len(callback.seen) == 6

    def test_batch_outputs(self):
        class Outputs(rv.callbacks.Callback):
            seen = []

            def on_predict_batch_end(self, batch, logs=None):
                self.seen.append(logs["outputs"].copy())

        callback, net = Outputs(), model()
        out = net.predict(X, batch_size=20, verbose=0, callbacks=[callback])
        assert [len(part) for part in callback.seen] == [20, 20, 10]
        np.testing.assert_array_equal(np.concatenate(callback.seen), out)


class TestOnBatch:
    def test_train_on_batch(self):
        net = model(metrics=["mae"])
        before = np.mean((net(X) - Y) ** 2)
        loss, mae = net.train_on_batch(X, Y)
        np.testing.assert_allclose(loss, before, rtol=1e-5)
        named = net.train_on_batch(X, Y, return_dict=True)
        assert list(named) == ["loss", "mae"] and named["loss"] < loss and type(mae) is float

    def test_each_batch_stands_for_itself(self):
        net = model(optimizer=rv.optimizers.SGD(0.0))
        assert net.train_on_batch(X[:10], Y[:10]) == net.test_on_batch(X[:10], Y[:10])
        assert net.test_on_batch(X, Y) == net.test_on_batch(X, Y)

    def test_is_a_step_of_fit(self):
        one, two = model(), model()
        one.fit(X, Y, batch_size=50, shuffle=False, epochs=3, verbose=0)
        for _ in range(3):
            two.train_on_batch(X, Y)
        np.testing.assert_array_equal(one.get_weights()[0], two.get_weights()[0])

    def test_weights(self):
        net = model(3, "softmax", loss="sparse_categorical_crossentropy")
        w = np.where(LABELS == 1, 2.0, 1.0)
        by_sample = net.test_on_batch(X, LABELS, sample_weight=w)
        by_class = net.train_on_batch(X, LABELS, class_weight={1: 2.0})
        np.testing.assert_allclose(by_sample, by_class, rtol=1e-6)

    def test_predict_on_batch(self):
        net = model()
        np.testing.assert_array_equal(net.predict_on_batch(X), net.predict(X, batch_size=50, verbose=0))


class TestState:
    def test_freezing_a_layer(self):
        net = model()
        net.fit(X, Y, verbose=0)
        first, last = net.layers
        first.trainable = False
        before = net.get_weights()
        net.fit(X, Y, verbose=0)
        after = net.get_weights()
        np.testing.assert_array_equal(before[0], after[0])
        assert not np.array_equal(before[2], after[2])

    def test_compiling_again_begins_anew(self):
        net = model(optimizer="adam")
        net.fit(X, Y, verbose=0)
        net.compile("sgd", "mae", metrics=["mse"])
        assert list(net.fit(X, Y, verbose=0).history) == ["loss", "mse"]
        assert int(net.optimizer.iterations) == 2

    def test_metrics(self):
        net = model(metrics=["mae"])
        net.evaluate(X, Y, verbose=0)
        assert [m.name for m in net.metrics] == ["loss", "compile_metrics"]
        assert net.get_metrics_result()["mae"] > 0
        net.reset_metrics()
        assert float(net.get_metrics_result()["mae"]) == 0
        assert len(net.metrics_variables) == 4

    def test_learning_rate_may_change_between_epochs(self):
        net = model(optimizer=rv.optimizers.SGD(0.1))
        net.optimizer.learning_rate = 0.0
        before = net.get_weights()
        net.fit(X, Y, verbose=0)
        np.testing.assert_array_equal(before[0], net.get_weights()[0])

    def test_compile_config(self):
        net = model(metrics=["mae"], optimizer=rv.optimizers.SGD(0.5))
        other = rv.Sequential.from_config(net.get_config())
        assert other.get_compile_config() is None
        other.compile_from_config(net.get_compile_config())
        assert float(other.optimizer.learning_rate) == 0.5 and other.optimizer.built
        assert list(other.evaluate(X, Y, verbose=0, return_dict=True)) == ["loss", "mae"]

    def test_moving_averages_are_taken_over_at_the_end(self):
        net = model(optimizer=rv.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
        net.fit(X, Y, epochs=3, verbose=0)
        averages = net.optimizer._rv_averages
        np.testing.assert_array_equal(net.get_weights()[0], averages[0].numpy())


class TestPrinting:
    def test_verbose_1(self, capsys):
        model(metrics=["mae"]).fit(X, Y, epochs=2, validation_split=0.2)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 4
        assert lines[1].startswith("2/2 ━") and " - loss: " in lines[1] and " - val_mae: " in lines[1]

    def test_verbose_2(self, capsys):
        net = model()
        net.fit(X, Y, verbose=2)
        net.evaluate(X, Y, verbose=2)
        net.predict(X, verbose=2)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(" - ")[0] for line in lines] == ["2/2"] * 3
        assert "loss" in lines[0] and "loss" in lines[1] and "loss" not in lines[2]

    def test_verbose_0(self, capsys):
        net = model()
        net.fit(X, Y, verbose=0)
        net.evaluate(X, Y, verbose=0)
        net.predict(X, verbose=0)
        assert capsys.readouterr().out == ""


class TestTargetsInAList:
    """A list or tuple of one array means the array."""

    @pytest.mark.parametrize("container", [list, tuple])
    def test_fit_and_evaluate(self, container):
        def results(wrap):
            net = model(3, "softmax", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
            weights = np.linspace(0.5, 2, 50)
            net.fit(X, wrap(LABELS), sample_weight=wrap(weights), shuffle=False, verbose=0)
            history = net.fit(X, wrap(LABELS), validation_data=(X, wrap(LABELS)), shuffle=False, verbose=0)
            return [history.history, net.evaluate(X, wrap(LABELS), verbose=0)]

        assert results(lambda a: container([a])) == results(lambda a: a)

    def test_a_dict_of_one(self):
        net = model(metrics=["mae"])
        name = net.layers[-1].name
        assert net.evaluate(X, {name: Y}, verbose=0) == net.evaluate(X, Y, verbose=0)
        with pytest.raises(ValueError, match=rf"`y` has the keys \['other'\]; .*names \['{name}'\]"):
            net.evaluate(X, {"other": Y}, verbose=0)

    def test_losses_and_weights_of_another_output(self):
        net = model()
        name = net.layers[-1].name
        with pytest.raises(ValueError, match=rf"`loss` has the keys \['other'\]; .*names \['{name}'\]"):
            net.compile("sgd", {"other": "mse"})
        net.compile("sgd", {name: "mse"})
        with pytest.raises(ValueError, match="one `sample_weight` array per output"):
            net.fit(X, {name: Y}, sample_weight={"other": np.ones(len(X))}, verbose=0)

    def test_no_metric_for_the_only_output(self):
        with pytest.raises(ValueError, match="Expected a metric for the only output, received None"):
            model(metrics=[None]).evaluate(X, Y, verbose=0)


class TestWeightsOfAValidationSplit:
    def fitted(self, **kwargs):
        net = model(
            3,
            "softmax",
            optimizer=rv.optimizers.SGD(0.0),
            loss="sparse_categorical_crossentropy",
            weighted_metrics=["accuracy"],
        )
        history = net.fit(X, LABELS, validation_split=0.4, shuffle=False, verbose=0, **kwargs).history
        return net, history

    def test_class_weights_do_not_count(self):
        _, plain = self.fitted()
        _, weighted = self.fitted(class_weight={0: 5.0, 1: 0.1})
        assert weighted["val_loss"] == plain["val_loss"] and weighted["loss"] != plain["loss"]
        assert weighted["val_accuracy"] == plain["val_accuracy"]

    def test_sample_weights_do(self):
        weights = np.linspace(0, 2, 50)
        net, history = self.fitted(sample_weight=weights)
        loss, accuracy = net.evaluate(X[30:], LABELS[30:], sample_weight=weights[30:], verbose=0)
        np.testing.assert_allclose([history["val_loss"][0], history["val_accuracy"][0]], [loss, accuracy])


class TestWithoutALoss:
    def test_evaluate_says_0(self):
        net = model(loss=None, metrics=["mae"])
        expected = np.abs(net.predict(X, verbose=0) - Y).mean()
        np.testing.assert_allclose(net.evaluate(X, Y, verbose=0), [0.0, expected], rtol=1e-5)
        assert net.test_on_batch(X, Y, return_dict=True)["loss"] == 0.0
        assert model(loss=None).evaluate(X, verbose=0) == 0.0

    def test_fit_refuses(self):
        with pytest.raises(ValueError, match="No loss to compute"):
            model(loss=None, metrics=["mae"]).fit(X, Y, verbose=0)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_metric_with_one_value_in_an_array_is_a_number_in_the_logs(run_eagerly):
    model = rv.Sequential([rv.Input((4,)), rv.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[rv.metrics.F1Score(threshold=0.5)], run_eagerly=run_eagerly)
    x = np.random.default_rng(0).normal(size=(8, 4))
    y = (x[:, :1] > 0).astype("float32")
    assert isinstance(model.fit(x, y, verbose=0).history["f1_score"][0], float)
    assert isinstance(model.evaluate(x, y, verbose=0)[1], float)
    assert model.train_on_batch(x, y, return_dict=True)["f1_score"] >= 0.0


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
def test_a_model_that_fit_builds_is_given_the_dtype_of_its_data(dtype):
    """As a network on a graph whose inputs are the numbers of nodes."""
    seen = []

    class Nodes(rv.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            seen.append(str(inputs["node"].dtype))
            features = rv.ops.take(np.eye(4, dtype="float32"), rv.ops.cast(inputs["node"], "int32"), axis=0)
            return self.dense(features * inputs["weight"][:, None])

    x = {"node": np.arange(4).astype(dtype), "weight": np.ones(4)}
    model = Nodes()
    model.compile("sgd", "mse")
    model.fit(x, np.ones(4), verbose=0)
    assert set(seen) == {dtype}
    assert model.dense.kernel.shape == (4, 1)


def test_programs_for_many_lengths_of_sequences_are_kept(monkeypatch) -> None:
    """Batches of about equal lengths, as of sorted texts: each length has a program, compiled once."""
    compiled = []
    original = TrainFunction._compile

    def counted(self, feed, batch):
        compiled.append(feed.x[0].shape)
        return original(self, feed, batch)

    monkeypatch.setattr(TrainFunction, "_compile", counted)
    model = rv.Sequential([rv.layers.Dense(2), rv.layers.GlobalAveragePooling1D(), rv.layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = [(np.ones((2, n, 3), "float32"), np.ones((2, 1), "float32")) for n in range(1, 41)]
    for _ in range(2):
        model.fit(iter(batches), verbose=0)
    assert len(compiled) == len(set(compiled)) == 40
