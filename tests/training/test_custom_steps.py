"""Steps of one's own: overridden train_step, several optimizers, eager runs."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6)).astype("float32")
Y = np.argmax(X @ RNG.normal(size=(6, 3)), axis=1).astype("int32")


class Own(rv.Sequential):
    """What the default step does, written out."""

    def train_step(self, data):
        x, y, sample_weight = rv.utils.unpack_x_y_sample_weight(data)
        with rv.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=x.shape[0])
            else:
                metric.update_state(y, y_pred, sample_weight=sample_weight)
        return {metric.name: metric.result() for metric in self.metrics}


def model(cls=rv.Sequential, **options):
    rv.utils.set_random_seed(3)
    net = cls(
        [layers.Dense(8, activation="tanh"), layers.Dropout(0.2), layers.Dense(3, activation="softmax")]
    )
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return net


def fitted(net, **options):
    history = net.fit(X, Y, batch_size=32, epochs=3, verbose=0, validation_data=(X[:40], Y[:40]), **options)
    return history.history, net.get_weights()


@pytest.mark.parametrize("cls", [rv.Sequential, Own])
def test_eager_steps_and_steps_of_ones_own_give_the_same_bits(cls) -> None:
    expected, weights = fitted(model())
    history, own = fitted(model(cls, run_eagerly=True))
    np.testing.assert_array_equal(history["loss"], expected["loss"])
    np.testing.assert_array_equal(history["val_loss"], expected["val_loss"])
    for a, b in zip(own, weights, strict=True):
        np.testing.assert_array_equal(a, b)
    history, own = fitted(model(cls))
    np.testing.assert_array_equal(history["loss"], expected["loss"])
    for a, b in zip(own, weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_step_of_ones_own_is_the_same_program() -> None:
    texts = []
    for cls in (rv.Sequential, Own):
        net = model(cls)
        net.fit(X[:32], Y[:32], verbose=0)
        (compiled,) = net._rv_functions["train"]._programs.entries()
        texts.append(sorted(line.split(" ", 1)[1] for line in compiled.program.text().splitlines()))
    assert texts[0] == texts[1]


def test_eager_evaluate_predict_and_single_batches() -> None:
    compiled, eager = model(), model(run_eagerly=True)
    for method in ("train_on_batch", "test_on_batch", "evaluate"):
        results = [getattr(net, method)(X, Y) for net in (compiled, eager)]
        np.testing.assert_array_equal(*results)
    np.testing.assert_array_equal(*[net.predict(X, batch_size=32, verbose=0) for net in (compiled, eager)])
    eager.run_eagerly = False
    assert eager.evaluate(X, Y, verbose=0) == compiled.evaluate(X, Y, verbose=0)
    assert eager.get_compile_config()["run_eagerly"] is True


def test_numbers_are_there_inside_call_when_run_eagerly() -> None:
    seen = []

    class Looking(layers.Layer):
        def call(self, x):
            total = ops.sum(x)
            if total > 1e9:  # Python's own `if`
                return x * 0.0
            if x.shape[0] != 40:  # while the model is built, on ones
                return x
            seen.append((float(total), np.asarray(x).shape, f"{total:.3f}", x.numpy()[0, 0]))
            return x

    net = rv.Sequential([Looking(), layers.Dense(1)])
    net.compile("sgd", "mse", run_eagerly=True)
    net.fit(X, Y, batch_size=40, epochs=2, shuffle=False, verbose=0)
    assert len(seen) == 4 and seen[0] == seen[2]
    assert seen[0][0] == pytest.approx(X[:40].sum(), rel=1e-5) and seen[0][1] == (40, 6)
    net.run_eagerly = False
    with pytest.raises(
        TypeError, match=r"test_custom_steps\.py:\d+: `if`.*`ops\.where` or `ops\.cond`.*run_eagerly"
    ):
        net.fit(X, Y, verbose=0)


def test_an_eager_step_gives_its_memory_back() -> None:
    traces = []

    class Watching(layers.Layer):
        def call(self, x):
            y = x * 2.0
            traces.append(weakref.ref(y.trace))
            return y

    net = rv.Sequential([layers.Dense(4, activity_regularizer="l2"), Watching(), layers.Dense(1)])
    net.compile("sgd", "mse", run_eagerly=True)
    net.fit(X, Y, batch_size=40, verbose=0)
    traces.clear()
    gc.disable()
    try:
        net.fit(X, Y, batch_size=40, epochs=2, verbose=0)
        assert [trace() for trace in traces] == [None] * 4
    finally:
        gc.enable()


class Pair(rv.Model):
    """Two networks, two optimizers, no call."""

    def __init__(self) -> None:
        super().__init__()
        self.first = rv.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
        self.second = rv.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
        self.tracker = rv.metrics.Mean(name="gap")

    def compile(self, first, second):
        super().compile()
        self.first_optimizer, self.second_optimizer = first, second

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        x, y, _ = rv.utils.unpack_x_y_sample_weight(data)
        for net, optimizer in ((self.first, self.first_optimizer), (self.second, self.second_optimizer)):
            with rv.GradientTape() as tape:
                loss = ops.mean(ops.square(net(x, training=True) - ops.cast(y[:, None], "float32")))
            gradients = tape.gradient(loss, net.trainable_variables)
            optimizer.apply(gradients, net.trainable_variables)
        self.tracker.update_state(loss)
        return {"gap": self.tracker.result()}


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_several_optimizers_and_parts_that_the_step_builds(run_eagerly) -> None:
    rv.utils.set_random_seed(0)
    net = Pair()
    net.compile(rv.optimizers.Adam(0.01), rv.optimizers.SGD(0.05))
    net.run_eagerly = run_eagerly
    history = net.fit(X, Y, batch_size=40, epochs=30, verbose=0).history
    assert list(history) == ["gap"] and history["gap"][-1] < 0.5 * history["gap"][0]
    assert int(net.first_optimizer.iterations) == int(net.second_optimizer.iterations) == 60


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("attribute", ["optimizer", "other"])
def test_an_optimizer_that_is_replaced_is_used(run_eagerly: bool, attribute: str) -> None:
    class Uses(rv.Sequential):
        def train_step(self, data):
            self.optimizer, kept = getattr(self, attribute), self.optimizer
            logs = super().train_step(data)
            self.optimizer = kept
            return logs

    net = (Uses if attribute == "other" else rv.Sequential)([layers.Dense(1)])
    net.other = rv.optimizers.SGD(0.1)
    net.compile(rv.optimizers.SGD(0.1), "mse", run_eagerly=run_eagerly)
    if attribute == "other":
        net.build(X.shape)
        net.other.build(net.trainable_variables)
    net.fit(X, Y, verbose=0)
    before = net.get_weights()
    replacement = rv.optimizers.Adam(0.0)
    setattr(net, attribute, replacement)
    if attribute == "other":
        replacement.build(net.trainable_variables)
    net.fit(X, Y, verbose=0)
    for a, b in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_overridden_test_and_predict_steps() -> None:
    class Steps(rv.Sequential):
        def test_step(self, data):
            x, y = data
            return {"gap": ops.mean(ops.abs(self(x)[:, 0] - ops.cast(y, "float32")))}

        def predict_step(self, data):
            return {"twice": self(data) * 2.0}

    net = Steps([layers.Dense(1)])
    net.compile("sgd", "mse")
    twice = net.predict(X, batch_size=32, verbose=0)["twice"]
    np.testing.assert_allclose(twice, 2 * net(X), rtol=1e-6)
    gap = net.evaluate(X[:32], Y[:32], verbose=0, return_dict=True)
    assert gap == {"gap": pytest.approx(np.mean(np.abs(twice[:32, 0] / 2 - Y[:32])), rel=1e-5)}


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("source", ["arrays", "batches", "by hand"])
def test_predictions_that_are_not_rows_are_joined(run_eagerly: bool, source: str) -> None:
    """As Keras does: along axis 0, whatever comes for each batch."""

    class Several(rv.Model):
        def predict_step(self, data):
            (x,) = data if isinstance(data, tuple) else (data,)
            return {"twice": ops.repeat(x, 2, axis=0), "largest": ops.max(x, axis=0, keepdims=True), "x": x}

    net = Several()
    net.compile(run_eagerly=run_eagerly)
    x = np.arange(10, dtype="float32")[:, None]
    batches = [x[:4], x[4:8], x[8:]]
    expected = {"twice": np.repeat(x, 2, axis=0), "largest": np.float32([[3], [7], [9]]), "x": x}
    seen = []
    callback = rv.callbacks.LambdaCallback()
    callback.on_predict_batch_end = lambda batch, logs: seen.append(logs["outputs"])
    if source == "arrays":
        found = net.predict(x, batch_size=4, verbose=0, callbacks=[callback])
        assert [len(outputs[0]) for outputs in seen] == [1, 1, 1]
    elif source == "batches":
        found = net.predict(iter(batches), verbose=0)
    else:
        parts = [net.predict_on_batch(batch) for batch in batches]
        found = {key: np.concatenate([part[key] for part in parts]) for key in expected}
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (lambda x: ops.sum(x), ValueError, r"joined along axis 0.*shapes \(\)"),
        (lambda x: ops.transpose(x), ValueError, r"shapes \(1, 4\), \(1, 2\)"),
        (lambda x: {"a" if x.shape[0] == 4 else "b": x}, ValueError, "same structure.*'a'.*'b'"),
        (lambda x: (x, None), TypeError, r"predict_step\(\) returned None"),
    ],
)
def test_predictions_that_cannot_be_joined(run_eagerly: bool, step, error, message) -> None:
    class Refused(rv.Model):
        def predict_step(self, data):
            return step(data[0] if isinstance(data, tuple) else data)

    net = Refused()
    net.compile(run_eagerly=run_eagerly)
    x = np.ones((10, 1), "float32")
    for data, size in ((x, 4), (iter([x[:4], x[4:6]]), None)):
        with pytest.raises(error, match=message):
            net.predict(data, batch_size=size, verbose=0)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_logs_are_those_of_the_last_step_under_its_names(run_eagerly: bool) -> None:
    class Varies(Own):
        def train_step(self, data):
            logs = super().train_step(data)
            return {**logs, **({"full": 1.0} if data[0].shape[0] == 16 else {"rest": 2, "more": [3.0]})}

    net = model(Varies)
    net.run_eagerly = run_eagerly
    history = net.fit(X[:40], Y[:40], batch_size=16, verbose=0).history
    assert "full" not in history and history["rest"] == [2.0] and history["more"] == [3.0]


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("value", [None, "x", rv.metrics.Mean()])
def test_logs_that_are_no_numbers_are_named(run_eagerly: bool, value) -> None:
    class Wrong(Own):
        def train_step(self, data):
            return {**super().train_step(data), "odd": value}

    net = model(Wrong)
    net.run_eagerly = run_eagerly
    with pytest.raises(TypeError, match=r"train_step\(\) returned for 'odd' .* neither a tensor"):
        net.fit(X, Y, verbose=0)


def test_gradients_that_do_not_exist_name_the_variables() -> None:
    class Half(Own):
        def train_step(self, data):
            with rv.GradientTape() as tape:
                loss = ops.mean(ops.square(self.layers[0](data[0])))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

    net = model(Half)
    with pytest.warns(UserWarning, match=r"Gradients do not exist.*/kernel.*/bias"):
        net.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="No gradients provided for any variable: .*kernel"):
        net.optimizer.apply([None] * 4, net.trainable_variables)


def test_a_variable_made_in_a_step_is_refused() -> None:
    class Making(Own):
        def train_step(self, data):
            self.extra = rv.metrics.Mean()
            return super().train_step(data)

    with pytest.raises(ValueError, match=r"test_custom_steps\.py:\d+: A Variable.* is traced"):
        model(Making).fit(X, Y, verbose=0)


def test_a_weight_made_in_call_is_refused() -> None:
    class Late(layers.Layer):
        def call(self, inputs):
            self.w = self.add_weight((inputs.shape[-1], 1), name="late")
            return inputs @ self.w

    net = rv.Sequential([Late(name="forgot_build")])
    net.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r'(?s)in the `build\(\)`.*"forgot_build"'):
        net.fit(X, Y, verbose=0)


@pytest.mark.parametrize("use", ["fit", "predict", "Input"])
def test_an_if_in_a_layer_names_the_line_and_the_layer(use: str) -> None:
    class Looks(layers.Layer):
        def call(self, inputs):
            return inputs if ops.mean(inputs) > 0 else -inputs

    layer = Looks(name="looks")
    net = rv.Sequential([layer, layers.Dense(1)])
    net.compile("sgd", "mse")
    calls = {
        "fit": lambda: net.fit(X, Y, verbose=0),
        "predict": lambda: net.predict(X, verbose=0),
        "Input": lambda: layer(rv.Input(X.shape[1:])),
    }
    with pytest.raises(TypeError, match=r'(?s)test_custom_steps\.py:\d+: .*`ops\.cond`.*layer "looks"'):
        calls[use]()
    layer(X)  # an array has numbers


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_step_that_makes_its_targets_itself(run_eagerly: bool) -> None:
    class Pairs(rv.Model):
        """Metric learning: data without targets, of another shape than the model's input."""

        def train_step(self, data):
            first, second = data[:, 0], data[:, 1]
            labels = ops.arange(first.shape[0])
            with rv.GradientTape() as tape:
                similar = ops.matmul(self(first), ops.transpose(self(second)))
                loss = self.compute_loss(y=labels, y_pred=similar)
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return self.compute_metrics(first, labels, similar)

    inputs = rv.Input((6,))
    net = Pairs(inputs, layers.Dense(4)(inputs))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=run_eagerly)
    history = net.fit(X.reshape(40, 2, 6), batch_size=20, epochs=2, verbose=0).history
    assert {len(values) for values in history.values()} == {2} and "accuracy" in history
    with pytest.raises(ValueError, match="`y` is missing"):
        net.evaluate(X, verbose=0)


@pytest.mark.parametrize("arguments", ["allow_empty=False", "**settings", "training=None"])
def test_an_own_loss_without_the_newest_argument(arguments: str) -> None:
    space: dict = {"ops": ops}
    exec(
        f"def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, {arguments}):\n"
        "    return ops.mean(ops.square(y_pred))",
        space,
    )
    net = type("Net", (rv.Sequential,), {"compute_loss": space["compute_loss"]})([layers.Dense(1)])
    net.compile("sgd")
    assert net.fit(X, Y, verbose=0).history["loss"][0] > 0.0 < net.evaluate(X, Y, verbose=0)
