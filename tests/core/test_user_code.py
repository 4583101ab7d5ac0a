"""Warnings and tracebacks point at the user's lines, however deep inside of the package they arise."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.core import registry, shape_inference, user_code
from ranvier.layers import call
from ranvier.training import compile_loss, compile_metrics

X = np.ones((4, 3), "float32")
Y = np.ones((4, 1), "float32")


class OneIdle(rv.Model):
    """The loss does not depend on `idle`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.used = layers.Dense(1)
        self.idle = layers.Dense(1)

    def call(self, x):
        self.idle(x)
        return self.used(x)


class Single(rv.Sequential):
    def __init__(self):
        super().__init__([layers.Dense(1)])


class OwnStep(OneIdle):
    def train_step(self, data):
        x, y = data
        with rv.GradientTape() as tape:
            loss = rv.ops.mean((self(x) - y) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class CallsSuper(OneIdle):
    def train_step(self, data):
        return super().train_step(data)


def compiled(cls, **options):
    net = cls()
    net.compile("sgd", "mse", **options)
    return net


def by_hand(net):
    with rv.GradientTape() as tape:
        loss = rv.ops.mean((net(X) - Y) ** 2)
    net.optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)


WAYS = {
    "fit": lambda net: net.fit(X, Y, verbose=0),
    "train_on_batch": lambda net: net.train_on_batch(X, Y),
    "a loop of one's own": by_hand,
    "batches": lambda net: net.fit(iter([(X, Y)]), verbose=0),
}


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("cls", [OneIdle, OwnStep, CallsSuper])
@pytest.mark.parametrize("way", WAYS)
def test_missing_gradients(way, cls, eager) -> None:
    net = compiled(cls, run_eagerly=eager)
    with pytest.warns(UserWarning, match="Gradients do not exist") as caught:
        WAYS[way](net)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    "run",
    [
        lambda: compiled(Single).fit(X, Y, epochs=3, batch_size=3, steps_per_epoch=3),
        lambda: layers.Dense(1, input_shape=(3,)),
        lambda: rv.Sequential([layers.Dense(1)]).save("nowhere/a.keras"),
        lambda: rv.callbacks.EarlyStopping(mode="wrong"),
        lambda: rv.optimizers.SGD(decay=0.1),
        lambda: rv.Sequential([layers.Masking(), layers.Flatten()])(np.ones((2, 3, 4), "float32")),
    ],
)
def test_other_warnings(run) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run()
        except (ValueError, OSError):
            pass
    assert {warning.filename for warning in caught} == {__file__}


class Broken(layers.Layer):
    def call(self, inputs):
        return self.divide(inputs)

    def divide(self, inputs):
        return rv.ops.reshape(inputs, (7, 7)) if inputs.shape[-1] == 3 else inputs / (1 // 0)


def broken(width=3):
    net = rv.Sequential([rv.Input((width,)), layers.Identity(), rv.Sequential([Broken()])])
    net.compile("sgd", "mse")
    return net


@pytest.fixture
def short():
    rv.config.enable_traceback_filtering()
    yield
    rv.config.disable_traceback_filtering()


def rows_of(error):
    """(the names of the test's functions, the number of other frames) in the traceback of an error."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    here = [code.co_name for code in codes if code.co_filename == __file__]
    return here, len(codes) - len(here)


def error_of(call):
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("no error was raised")


# Before 3.11 the frame that raises an error again cannot be left out.
MOST = 0 if sys.version_info >= (3, 11) else 3

IN_USER_CODE = {
    "fit": lambda: broken().fit(X, Y, verbose=0),
    "evaluate": lambda: broken().evaluate(X, Y, verbose=0),
    "predict": lambda: broken().predict(X, verbose=0),
    "train_on_batch": lambda: broken().train_on_batch(X, Y),
    "call": lambda: rv.Sequential([Broken()])(X),
    "functional": lambda: rv.Sequential([Broken()])(rv.Input((3,))),
    "jit": lambda: rv.jit(Broken())(X),
    "grad": lambda: rv.grad(lambda x: rv.ops.sum(Broken().call(x)))(X),
    "tree": lambda: rv.tree.map_structure(lambda x: Broken().call(x), [X]),
}


@pytest.mark.parametrize("call", IN_USER_CODE.values(), ids=IN_USER_CODE)
def test_tracebacks_end_at_the_users_line(call, short):
    error = error_of(call)
    here, others = rows_of(error)
    assert here[-2:] == ["call", "divide"] and others <= MOST
    assert "".join(traceback.format_exception(error)).count("Traceback") == 1
    rv.config.disable_traceback_filtering()
    here, others = rows_of(error_of(call))
    assert here[-2:] == ["call", "divide"] and others > 4


def one_layer(**compiled):
    net = rv.Sequential([layers.Dense(1)])
    net.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return net


class NoSuper(layers.Layer):
    def __init__(self):
        self.size = 3


REFUSED = {
    "constructor": lambda: layers.Dense(-1),
    "constructor without an argument": lambda: layers.Dense(),
    "a name in a constructor": lambda: layers.Dense(3, activation="rel"),
    "loss": lambda: rv.losses.MeanSquaredError(reduction="x"),
    "metric": lambda: rv.metrics.AUC(num_thresholds=0),
    "optimizer": lambda: rv.optimizers.SGD(learning_rate="x"),
    "initializer": lambda: rv.initializers.RandomNormal(seed="x"),
    "callback": lambda: rv.callbacks.ModelCheckpoint("x.txt"),
    "variable": lambda: rv.Variable("q"),
    "compile": lambda: one_layer(loss="mes"),
    "data": lambda: one_layer().fit(X, np.ones((3, 1)), verbose=0),
    "strings": lambda: one_layer().fit("a", "b"),
    "shapes": lambda: rv.Sequential([rv.Input((4,)), layers.Dense(1)]).predict(X, verbose=0),
    "not compiled": lambda: rv.Sequential([layers.Dense(1)]).fit(X, Y),
    "metric of other shapes": lambda: one_layer(metrics=[lambda a, b: rv.ops.matmul(a, b)]).fit(X, Y),
    "an op": lambda: rv.ops.reshape(X, (7, 7)),
    "an operator": lambda: rv.Input((3,)) + rv.Input((4,)),
    "a symbolic call": lambda: layers.Concatenate()([rv.Input((3,)), rv.Input((3, 3))]),
    "random": lambda: rv.random.normal("a"),
    "no file": lambda: rv.models.load_model("nowhere.keras"),
    "no such layer": lambda: one_layer().get_layer("q"),
    "no such loss": lambda: rv.losses.get("q"),
    "config": lambda: layers.deserialize({"class_name": "Q", "config": {}}),
    "utility": lambda: rv.utils.to_categorical([1, "a"]),
    "a loss function": lambda: rv.losses.mean_squared_error(X, np.ones((2, 5), "float32")),
    "a metric function": lambda: rv.metrics.binary_accuracy(X, np.ones((2, 5), "float32")),
    "a metric's batch": lambda: rv.metrics.MeanSquaredError().update_state(X, np.ones((2, 5), "float32")),
    "an activation": lambda: rv.activations.softmax(np.float32(3)),
    "a merging function": lambda: layers.add([rv.Input((3,)), rv.Input((4,))]),
    "an initializer's call": lambda: rv.initializers.Orthogonal()((3,)),
    "a constraint's call": lambda: rv.constraints.MaxNorm(axis=7)(X),
    "a schedule's call": lambda: rv.optimizers.schedules.ExponentialDecay("a", 2, 3)(1),
    "a variable": lambda: rv.Variable(X).assign_add(np.ones((2, 5))),
    "a condition": lambda: bool(rv.Input((3,))),
    "a build": lambda: layers.Dense(1).build(3),
    "a shape": lambda: layers.Dense(1).compute_output_shape(3),
    "an output": lambda: layers.Dense(1).output,
    "a setting": lambda: rv.config.set_floatx("float3"),
    "leaves": lambda: rv.tree.pack_sequence_as([1, 2], [1]),
    "an unknown class": lambda: rv.saving.deserialize_keras_object({"class_name": "Q", "config": {}}),
    "a missing name": lambda: rv.layers.Conv2D,
    "a model that is none": lambda: rv.models.clone_model(3),
    "an attribute of an older Keras": lambda: one_layer().predict_classes,
    "no super().__init__()": lambda: NoSuper()(X),
    "numbers of a symbolic tensor": lambda: np.array(rv.Input((3,))),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_traceback_to_the_users_line(call, short):
    error = error_of(call)
    here, others = rows_of(error)
    assert here[-1] in ("<lambda>", "one_layer") and others <= MOST
    assert "".join(traceback.format_exception(error)).count("Traceback") == 1


class FailingBatches(rv.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        raise LookupError("mine")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="errors have no notes")
def test_an_error_in_a_worker_process_says_its_line(short):
    data = FailingBatches(workers=2, use_multiprocessing=True)
    error = error_of(lambda: one_layer().fit(data, verbose=0))
    assert type(error) is LookupError
    text = "".join(traceback.format_exception(error))
    assert text.count("Traceback") == 1 and "ranvier" not in text.replace(__file__, "")
    assert f'File "{__file__}"' in text.partition("worker process")[2] and '("mine")' in text
    rv.config.disable_traceback_filtering()
    text = "".join(traceback.format_exception(error_of(lambda: one_layer().fit(data, verbose=0))))
    assert "workers.py" in text


def test_an_import_of_what_keras_alone_has_ends_at_its_line(short):
    program = "from ranvier.layers import Conv2D"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Keras has it" in done.stderr and done.stderr.count("File ") == 1


def test_what_the_user_was_handling_is_kept(short):
    try:
        int("mine")
    except ValueError as before:
        error = error_of(lambda: layers.Dense(3, activation="rel"))
        context = error
        while context.__context__ is not None:
            context = context.__context__
        assert context is before
    text = "".join(traceback.format_exception(error))
    assert text.count("Traceback") == 2 and "'mine'" in text


def test_a_metric_that_fails_points_at_its_line(short):
    class Own(ValueError):
        pass

    def of(kind):
        def metric(y_true, y_pred):
            raise kind("mine")

        return error_of(lambda: one_layer(metrics=[metric]).fit(X, Y, verbose=0))

    error = of(ValueError)
    assert "Metric 'metric' cannot be computed" in str(error) and str(error).endswith("mine")
    assert rows_of(error)[0][-1] == "metric" and error.__cause__ is None
    error = of(Own)
    assert type(error) is Own and str(error) == "mine"  # whose text its own class may read


def test_an_error_of_the_users_own_code_is_kept_with_its_cause(short):
    class Own(layers.Layer):
        def call(self, inputs):
            try:
                return rv.ops.reshape(inputs, (7, 7))
            except ValueError as error:
                raise KeyError("mine") from error

    net = rv.Sequential([Own()])
    net.compile("sgd", "mse")
    with pytest.raises(KeyError, match="mine") as caught:
        net.fit(X, Y, verbose=0)
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert [row.name for row in traceback.extract_tb(cause.__traceback__)][0] == "call"


def without_lines(source):
    """The function `f` of a source whose frames have no line numbers, as generated code may be."""
    scope = {"__name__": "generated", "rv": rv}
    exec(compile(source, "generated.py", "exec"), scope)
    function = scope["f"]
    function.__code__ = function.__code__.replace(co_linetable=b"", co_firstlineno=1)
    return function


def test_frames_without_a_line(short):
    fail = without_lines("def f(*args): raise KeyError('mine')")
    error = error_of(lambda: rv.Sequential([layers.Lambda(fail)])(X))
    assert type(error) is KeyError and rows_of(error)[1] == 1 + MOST
    assert user_code.user_line.__module__ == "ranvier.core.user_code"
    assert "generated.py" in without_lines("def f(line): return line()")(user_code.user_line)
    with pytest.warns(UserWarning, match="hello"):
        without_lines("def f(warn): return warn('hello')")(user_code.warn)


class Injected(Exception):
    """A fault of the code that shortens."""


def with_a_fault(number, kind, call):
    """Runs `call` with a fault before the `number`-th instruction of what shortens.

    Raises:
        StopIteration: if there are fewer.
    """
    left = number
    came = False

    def trace(frame, event, arg):
        nonlocal left, came
        if frame.f_code.co_filename != user_code.__file__ or frame.f_code.co_name == "call":
            return None
        frame.f_trace_opcodes = True
        left -= 1
        if left == 0:
            came = True
            raise kind("injected")
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
        if not came:
            raise StopIteration


@pytest.mark.parametrize("kind", [Injected, RecursionError, MemoryError])
def test_a_fault_in_what_shortens_leaves_the_error_as_it_is(kind, short):
    """At each of its instructions, some hundred."""

    @user_code.short_traceback
    def inner():
        raise KeyError("mine") from OSError("before")

    def outer():
        try:
            return inner()
        except KeyError as error:
            raise RuntimeError("mine, too") from error

    number = 0
    while True:
        number += 1
        try:
            with_a_fault(number, kind, user_code.short_traceback(outer))
        except RuntimeError as error:
            if isinstance(error, RecursionError):
                raise
            mine = error.__cause__
            assert error.args == ("mine, too",) and mine.args == ("mine",)
            assert type(mine.__cause__) is OSError and mine.__cause__.args == ("before",)
            assert rows_of(error)[0][-1] == "outer" and rows_of(mine)[0][-1] == "inner"
        except StopIteration:
            break
    assert number > 100


def test_an_interrupt_in_what_shortens_is_not_lost(short):
    @user_code.short_traceback
    def fails():
        raise KeyError("mine")

    for number in range(1, 60):
        with pytest.raises(KeyboardInterrupt) as caught:
            with_a_fault(number, KeyboardInterrupt, fails)
        assert isinstance(caught.value.__context__, KeyError)


def test_the_interrupt_itself_is_shortened(short):
    """A callback is interrupted: what arrives is the interrupt, at the user's line."""

    class Interrupts(rv.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        one_layer().fit(X, Y, verbose=0, callbacks=[Interrupts()])
    here, others = rows_of(caught.value)
    assert here[-1] == "on_epoch_end" and others <= MOST


def test_a_bar_that_fails_does_not_hide_the_error(monkeypatch):
    def fail(self):
        raise OSError("the terminal is gone")

    monkeypatch.setattr(rv.callbacks.ProgbarLogger, "break_off", fail)

    def loss(y_true, y_pred):
        raise ZeroDivisionError("mine")

    net = one_layer(loss=loss, run_eagerly=True)
    with pytest.raises(ZeroDivisionError, match="mine"):
        net.fit(X, Y, verbose=1)


class Unreadable(ValueError):
    """An error whose text cannot be had."""

    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "tell",
    [
        lambda error: user_code.shorten(error),
        lambda error: registry.prepend(error, "before"),
        lambda error: call.locate_error(error, layers.Dense(1), (X,)),
        lambda error: compile_metrics._say_of_what(error, rv.metrics.Mean(), X, X, None),
        lambda error: compile_loss._say_of_what(error, rv.losses.MeanSquaredError(), X, X, None, "it"),
        lambda error: compile_loss._say_of_what(error, None, None, None, None, "it"),
        lambda error: shape_inference._hide_sizes(error, 83, lambda: 1 // 0),
    ],
)
def test_what_decorates_errors_may_fail(tell, short):
    error = Unreadable("mine", 83)
    tell(error)
    assert error.args == ("mine", 83)


@pytest.mark.parametrize("broken", ["name", "args"])
def test_a_layer_that_cannot_be_named_does_not_hide_the_error(broken, short):
    class Stubborn(ValueError):
        @property
        def args(self):
            raise RuntimeError("args")

    class Own(layers.Layer):
        def call(self, inputs):
            if broken == "name":
                del self.__dict__["name"]
                raise ValueError("mine")
            raise Stubborn("mine")

    error = error_of(lambda: Own()(X))
    assert isinstance(error, ValueError) and (broken == "args" or "mine" in str(error))


@pytest.mark.parametrize(("setting", "filtered"), [("", "True"), ("full", "False")])
def test_it_is_the_default(setting, filtered):
    code = "import ranvier; print(ranvier.config.is_traceback_filtering_enabled())"
    environment = {**os.environ, "RANVIER_TRACEBACKS": setting}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == f"{filtered}\n"
