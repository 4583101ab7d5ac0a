"""What cannot be used is refused with a plain exception, and nothing that was learned is lost."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def model(loss="mse", outputs=1, **kwargs):
    net = rv.Sequential([rv.Input((3,)), layers.Dense(outputs, name="only")])
    net.compile("sgd", loss, **kwargs)
    return net


FIT = [
    # (x, y, other arguments, message)
    (X, Y[:5], {}, r"'x' sizes: 20\n'y' sizes: 5"),
    (X, Y, {"sample_weight": np.ones(7)}, "'sample_weight' sizes: 7"),
    (X[:0], Y[:0], {}, "at least one sample"),
    ([], [], {}, "at least one sample"),
    (None, None, {}, "`x` is missing"),
    (X, None, {}, "`y` is missing"),
    (3.0, 4.0, {}, "batch dimension"),
    (np.array([["a", "b", "c"]] * 20), Y, {}, "`x` must hold numbers"),
    (X, np.array(["a"] * 20), {}, "`y` must hold numbers"),
    (np.array([[None] * 3] * 20), Y, {}, "object"),
    ([[1.0, 2.0, 3.0], [1.0]], Y[:2], {}, "`x` must hold numbers"),
    (X.astype("complex64"), Y, {}, "complex64"),
    (X[:, :2], Y, {}, r'"only".*expected shape=\(None, 3\), found shape=\(20, 2\)'),
    (X[:, 0], Y, {}, r'"only".*found shape=\(20,\)'),
    (X[None], Y[None], {}, r'"only".*found shape=\(1, 20, 3\)'),
    ([X, X], Y, {}, "takes one input tensor, but it received 2"),
    (X, Y, {"batch_size": 0}, "`batch_size` must be a positive integer"),
    (X, Y, {"batch_size": -1}, "`batch_size` must be a positive integer"),
    (X, Y, {"batch_size": 2.5}, "`batch_size` must be a positive integer"),
    (X, Y, {"batch_size": True}, "`batch_size` must be a positive integer"),
    (X, Y, {"validation_split": 1.0}, "greater than 0 and less than 1"),
    (X, Y, {"validation_split": -0.1}, "greater than 0 and less than 1"),
    (X, Y, {"validation_split": "half"}, "`validation_split` must be a number"),
    (X[:1], Y[:1], {"validation_split": 0.5}, "not sufficient to split"),
    (X, Y, {"validation_data": X}, "`validation_data` must be a tuple"),
    (X, Y, {"validation_data": (X, Y, None, None)}, "tuple of 4"),
    (X, Y, {"validation_data": (X, Y[:3])}, "cardinality is ambiguous"),
    (X, Y, {"validation_data": (X,)}, "`y` is missing"),
    (X, Y, {"validation_data": (X, Y), "validation_batch_size": 0}, "must be a positive integer"),
    (X, Y, {"validation_freq": 0}, "`validation_freq` must be a positive integer"),
    (X, Y, {"epochs": 1.5}, "`epochs` must be an integer"),
    (X, Y, {"initial_epoch": "0"}, "`initial_epoch` must be an integer"),
    (X, Y, {"steps_per_epoch": 0}, "`steps_per_epoch` must be a positive integer"),
    (X, Y, {"verbose": 3}, "`verbose` must be 0, 1, 2 or 'auto'"),
    (X, Y, {"shuffle": "batch"}, "`shuffle` must be True or False"),
    (X, Y, {"class_weight": {0: 1.0}, "sample_weight": np.ones(20)}, "at the same time"),
    (X, Y, {"class_weight": [1.0, 2.0]}, "must be a dict"),
    (X, Y, {"class_weight": {0: "a"}}, "must be numbers"),
    (X, np.zeros((20, 2, 2)), {"class_weight": {0: 1.0}}, "one class for each sample"),
]


@pytest.mark.parametrize(("x", "y", "arguments", "message"), FIT, ids=[row[3] for row in FIT])
def test_fit(x, y, arguments, message):
    net = model()
    net.fit(X, Y, verbose=0)
    before = net.get_weights()
    with pytest.raises(ValueError, match=message):
        net.fit(x, y, verbose=arguments.pop("verbose", 0), **arguments)
    for a, b in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    net.fit(X, Y, verbose=0)  # and it goes on


def test_callbacks_are_checked():
    with pytest.raises(TypeError, match="must be instances of `Callback`"):
        model().fit(X, Y, verbose=0, callbacks=[3])
    with pytest.raises(TypeError, match=r"use `EarlyStopping\(...\)` in place of `EarlyStopping`"):
        model().fit(X, Y, verbose=0, callbacks=[rv.callbacks.EarlyStopping])


SHAPES = [
    # (loss, y, sample_weight, what the message says)
    ("mse", np.ones((20, 3)), None, ["'mean_squared_error'", "y` have shape (20, 3)", "(20, 4)", "'only'"]),
    ("mse", np.ones((20, 4)), np.ones((20, 3)), ["`sample_weight` has shape (20, 3)", "(20, 4)", "'only'"]),
    (
        "sparse_categorical_crossentropy",
        np.eye(4)[np.arange(20) % 4],
        None,
        ["one class number for each sample", "use 'categorical_crossentropy'", "(20, 4)"],
    ),
    (lambda y, p: y - p, np.ones((20, 3)), None, ["(20, 3)", "(20, 4)"]),
]


@pytest.mark.parametrize(("loss", "y", "sample_weight", "said"), SHAPES)
def test_shapes_that_a_loss_refuses(loss, y, sample_weight, said):
    net = model(loss, outputs=4, metrics=["accuracy"])
    for method in (net.train_on_batch, net.test_on_batch):
        with pytest.raises(ValueError) as caught:
            method(X, y, sample_weight)
        assert all(part in str(caught.value) for part in said), caught.value


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.5])
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "crossentropy"])
def test_class_numbers_that_are_none(loss, bad):
    y = (np.arange(20) % 4).astype("float32")
    net = model(loss, outputs=4)
    net.fit(X, y, verbose=0)
    before = net.get_weights()
    y[7] = bad
    for method in (net.fit, net.evaluate):
        with pytest.raises(ValueError, match=f"`y` holds {bad} in row 7"):
            method(X, y, verbose=0)
    with pytest.raises(ValueError, match=f"`y` holds {bad} in row 2"):
        net.fit(iter([(X[i : i + 5], y[i : i + 5]) for i in (5, 10)]), verbose=0)
    np.testing.assert_array_equal(before[0], net.get_weights()[0])


def test_a_dict_of_inputs():
    net = model(metrics=["mae"])
    for call in (lambda x: net.fit(x, Y, verbose=0), lambda x: net.predict(x, verbose=0)):
        with pytest.raises(ValueError, match="structure of the inputs is wrong.*keys 'a'"):
            call({"a": X})


def test_unknown_arguments():
    with pytest.raises(TypeError, match="nb_epoch"):
        model().fit(X, Y, nb_epoch=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adamm"}, "optimizer identifier: adamm.*adam"),
        ({"loss": "mean_square_error"}, "loss identifier: mean_square_error.*mean_squared_error"),
        ({"loss": 3}, "loss identifier: 3"),
        ({"loss": ["mse", "mae"]}, "`loss` must hold one item"),
        ({"loss": "mse", "metrics": ["acuracy"]}, "metric identifier: acuracy.*ccuracy"),
        ({"loss": "mse", "metrics": "mae"}, "`metrics` argument to be a list, tuple, or dict"),
        ({"loss": "mse", "metrics": [3]}, "metric identifier: 3"),
        ({"loss": "mse", "weighted_metrics": "mae"}, "`weighted_metrics`"),
        ({"loss": "mse", "loss_weights": "a"}, "`loss_weights`"),
        ({"loss": "mse", "loss_weights": [1.0, 2.0]}, "1 losses and 2 weights"),
        ({"steps_per_execution": 0}, "steps_per_execution"),
        ({"jit_compile": "maybe"}, "jit_compile"),
    ],
)
def test_compile(arguments, message):
    net = model()
    optimizer = net.optimizer
    with pytest.raises(ValueError, match=message):
        net.compile(**arguments)
    assert net.optimizer is optimizer
    net.fit(X, Y, verbose=0)  # as it was compiled before


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_before_compile(method):
    net = rv.Sequential([rv.Input((3,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=rf"must call `compile\(\)` before using `{method}\(\)`"):
        getattr(net, method)(X, Y)


def test_no_layers():
    with pytest.raises(ValueError, match="no layers"):
        rv.Sequential().predict(X, verbose=0)


@pytest.mark.parametrize("x", [X[:0], X.astype("U"), X[:, :1], None])
def test_predict(x):
    with pytest.raises(ValueError):
        model().predict(x, verbose=0)


@pytest.mark.parametrize(("label", "batch"), [(7, 20), (-1, 4), (3, 1)])
def test_labels_out_of_range(label, batch):
    net = model("sparse_categorical_crossentropy", outputs=3)
    y = np.arange(20) % 3
    net.fit(X, y, verbose=0)
    y[11] = label
    with pytest.raises(ValueError, match=rf"{label}.*3"):
        net.fit(X, y, batch_size=batch, verbose=0)
    assert all(np.isfinite(w).all() for w in net.get_weights())
    with pytest.raises(ValueError, match=rf"{label}.*3"):
        net.evaluate(X, y, verbose=0)


@pytest.mark.parametrize(
    ("outputs", "label", "said"),
    [(3, 3, "take 1 from labels.* 4 units"), (1, 1, "use 'binary_crossentropy'"), (3, -1, "count from 0")],
)
def test_labels_out_of_range_say_what_to_do(outputs, label, said):
    net = model("sparse_categorical_crossentropy", outputs=outputs)
    with pytest.raises(ValueError, match=rf"label {label} is outside.*{said}"):
        net.fit(X, np.full(20, label), verbose=0)


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.tolist(),
        lambda a: a.astype(">f4"),
        lambda a: a.astype(">f8"),
        lambda a: a.astype("float64"),
        lambda a: a.astype("float16"),
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, 0)[::2],
        lambda a: np.ascontiguousarray(a[::-1])[::-1],
        lambda a: np.ma.asarray(a),
    ],
    ids=["list", ">f4", ">f8", "float64", "float16", "fortran", "strided", "reversed", "masked"],
)
def test_arrays_of_other_layouts(convert):
    # Values that half precision holds exactly.
    x, y = np.round(X * 8) / 8, np.round(Y * 8) / 8
    nets = []
    for a, b in ((x, y), (convert(x), convert(y))):
        rv.utils.set_random_seed(1)
        nets.append(model())
        nets[-1].fit(a, b, batch_size=6, verbose=0)
    for a, b in zip(nets[0].get_weights(), nets[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "uint16", "int32", "int64", "uint32", "uint64", "bool"]
)
def test_integer_inputs(dtype):
    x = (np.arange(60).reshape(20, 3) % 2).astype(dtype)
    net = model()
    np.testing.assert_allclose(net.predict(x, verbose=0), net(x.astype("float32")), rtol=1e-6)
    net.fit(x, x[:, 0], verbose=0)


def test_nan_inputs_are_allowed():
    x = X.copy()
    x[3, 1] = np.nan
    assert np.isnan(model().fit(x, Y, verbose=0).history["loss"][0])
    x[3, 1] = np.inf
    model().fit(x, Y, verbose=0)


def test_sizes_beyond_memory():
    with pytest.raises(MemoryError):
        layers.Dense(2**40).build((None, 2**40))
    with pytest.raises(MemoryError):
        layers.Dense(2**22).build((None, 2**22))
    model().fit(X, Y, verbose=0)


def test_a_loss_without_reduction():
    net = model(rv.losses.MeanSquaredError(reduction=None))
    with pytest.raises(ValueError, match="must be a scalar"):
        net.fit(X, Y, verbose=0)


def test_nothing_to_minimize():
    net = rv.Sequential([rv.Input((3,)), layers.Dense(1)])
    net.compile("sgd")
    with pytest.raises(ValueError, match="No loss to compute"):
        net.fit(X, Y, verbose=0)


def wrong(y_true, y_pred):
    return rv.ops.mean(y_pred) * rv.ops.ones((3, 5))


def test_a_loss_whose_values_do_not_fit_the_weights():
    with pytest.raises(ValueError, match=r"Loss 'wrong'.*'only'.*sample_weight.*\(20,\).*\(3, 5\)"):
        model(wrong, outputs=4).fit(X, np.ones((20, 4)), sample_weight=np.ones(20), batch_size=20, verbose=0)


def test_a_metric_whose_values_do_not_fit_the_weights():
    net = model("mse", outputs=4)
    net.compile("sgd", "mse", weighted_metrics=[wrong])
    with pytest.raises(ValueError, match=r"Metric 'wrong' cannot.*sample_weight.*\(20,\).*\(3,\)"):
        net.fit(X, np.ones((20, 4)), sample_weight=np.ones(20), batch_size=20, verbose=0)


@pytest.mark.parametrize("result", [None, "good"])
def test_what_is_no_number_names_the_loss_or_metric(result):
    def mine(y_true, y_pred):
        return result

    for arguments in ({"loss": mine}, {"loss": "mse", "metrics": [mine]}):
        net = model("mse", outputs=4)
        net.compile("sgd", **arguments)
        with pytest.raises(TypeError, match=f"'mine'.*must be numbers.*{result}"):
            net.fit(X, np.ones((20, 4)), verbose=0)


def test_a_loss_without_gradients_names_the_variables():
    with pytest.raises(ValueError, match="No gradients provided for any variable: .*only/kernel.*only/bias"):
        model(lambda y, p: rv.ops.cast(rv.ops.argmax(p, -1), "float32")).fit(X, Y, verbose=0)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_loss_that_is_nan_is_told_and_can_be_stopped(run_eagerly):
    net = model("mse", outputs=4)
    net.compile("sgd", lambda y, p: rv.ops.log(-rv.ops.mean((y - p) ** 2, -1) - 1.0), run_eagerly=run_eagerly)
    targets = np.ones((20, 4))
    history = net.fit(
        X, targets, epochs=3, batch_size=5, verbose=0, callbacks=[rv.callbacks.TerminateOnNaN()]
    )
    assert np.isnan(history.history["loss"]).all() and history.epoch == [0]
    assert np.isnan(net.evaluate(X, targets, verbose=0))
