"""Functional models: graphs of layers and ops, what goes in and out of them, copies, and refusals."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops
from ranvier.core.keras_tensor import KerasHistory, KerasTensor

RNG = np.random.default_rng(0)
A, B = (RNG.normal(size=(5, 4)).astype("float32") for _ in range(2))


def rich_model() -> rv.Model:
    """Two inputs, a shared layer, ops, an inner model, and a nest of outputs."""
    a, b = rv.Input((4,), name="a"), rv.Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    total = ops.relu(shared(a) + shared(b) * 2.0)
    inner_in = rv.Input((3,))
    inner = rv.Model(inner_in, layers.Dense(3, name="deep")(inner_in) - inner_in, name="inner")
    part = ops.concatenate([inner(total)[:, 1:], total], axis=-1)
    return rv.Model([a, b], {"x": layers.Dense(2, name="last")(part), "y": [1.0 / (total + 1), part]})


def rich_numpy(weights: list[np.ndarray], a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    ks, bs, kd, bd, kl, bl = weights
    total = np.maximum(a @ ks + bs + (b @ ks + bs) * 2, 0)
    part = np.concatenate([(total @ kd + bd - total)[:, 1:], total], -1)
    return {"x": part @ kl + bl, "y": [1 / (total + 1), part]}


def assert_same(result: Any, expected: Any) -> None:
    assert set(result) == set(expected)
    np.testing.assert_allclose(result["x"], expected["x"], rtol=1e-5, atol=1e-6)
    for got, want in zip(result["y"], expected["y"], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def model() -> rv.Model:
    return rich_model()


@pytest.fixture(scope="module")
def expected(model: rv.Model) -> dict[str, Any]:
    return rich_numpy(model.get_weights(), A, B)


@pytest.mark.parametrize("inputs", [[A, B], (A, B), {"a": A, "b": B}])
def test_values(model, expected, inputs):
    assert_same(model(inputs), expected)
    assert_same(model.predict(inputs, batch_size=2, verbose=0), expected)


def test_keys_that_the_model_has_no_use_for(model, expected):
    inputs = {"b": B, "a": A, "unused": A}
    with pytest.warns(UserWarning, match=r"more than it takes.*\['a', 'b'\].*'unused'"):
        assert_same(model(inputs), expected)
    with pytest.warns(UserWarning, match="more than it takes"):
        assert_same(model.predict(inputs, batch_size=2, verbose=0), expected)
    x, y = rv.Input((2,), name="x"), rv.Input((2,))
    nested = rv.Model({"x": x, "rest": {"y": y}}, rv.layers.Add()([x, y]))
    two = np.ones((1, 2), "float32")
    with pytest.warns(UserWarning, match="more than it takes"):
        result = nested({"x": two, "rest": {"y": two, "z": two}})
    np.testing.assert_array_equal(result, two + two)


COPIES = {
    "json": lambda m: rv.models.model_from_json(m.to_json()),
    "config": lambda m: type(m).from_config(json.loads(json.dumps(m.get_config()))),
    "clone": rv.models.clone_model,
    "pickle": lambda m: pickle.loads(pickle.dumps(m)),
    "deepcopy": copy.deepcopy,
    "copy of a copy": lambda m: copy.deepcopy(pickle.loads(pickle.dumps(m))),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies(model, expected, how):
    twin = COPIES[how](model)
    assert type(twin) is type(model) and twin.get_config() == model.get_config()
    assert all(v is not w for v, w in zip(twin.variables, model.variables, strict=True))
    twin.set_weights(model.get_weights())
    assert_same(twin([A, B]), expected)
    assert_same(twin.predict([A, B], verbose=0), expected)


def test_what_it_is_made_of(model):
    assert [layer.name for layer in model.layers] == ["a", "b", "shared", "inner", "last"]
    assert [type(op).__name__ for op in model.operations if not isinstance(op, layers.Layer)] == [
        "Multiply",
        "Add",
        "Relu",
        "GetItem",
        "Concatenate",
        "Add",
        "TrueDivide",
    ]
    assert model.input_shape == [(None, 4), (None, 4)]
    assert model.output_shape == [(None, 2), (None, 3), (None, 5)]  # flat, as in Keras
    assert model.input_names == ["a", "b"] and model.output_names[0] == "last"
    assert [x.shape for x in model.inputs] == [(None, 4)] * 2 and len(model.outputs) == 3
    assert model.compute_output_shape([(7, 4), (7, 4)]) == {"x": (7, 2), "y": [(7, 3), (7, 5)]}
    assert model.get_layer("inner").get_layer("deep").units == 3
    assert model.count_params() == 15 + 12 + 12


def test_training_reaches_shared_layers_and_inner_models():
    a, b = rv.Input((4,)), rv.Input((4,))
    shared, inner = layers.Dense(2), rv.Sequential([rv.Input((2,)), layers.Dense(2)])
    model = rv.Model([a, b], inner(shared(a) - shared(b)))
    model.compile("sgd", "mse")
    before = model.get_weights()
    history = model.fit([A, B], A[:, :2], epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]
    changed = [bool((x != y).any()) for x, y in zip(before, model.get_weights(), strict=True)]
    assert changed == [True, False, True, True]  # the shared bias cancels out


def test_the_model_from_an_intermediate_output_shares_its_layers():
    x = rv.Input((4,))
    hidden = layers.Dense(3, activation="tanh", name="hidden")(x)
    model = rv.Model(x, layers.Dense(1)(hidden))
    features = rv.Model(model.input, model.get_layer("hidden").output)
    head = rv.Model(hidden, model.output)
    np.testing.assert_array_equal(head(features(A)), model(A))
    assert features.weights[0] is model.weights[0]
    assert isinstance(head.layers[0], layers.InputLayer)


def test_layers_of_a_sequential_have_symbolic_outputs():
    model = rv.Sequential([rv.Input((4,)), layers.Dense(3, name="h"), layers.Dense(2)])
    features = rv.Model(model.inputs, model.layers[0].output)
    np.testing.assert_allclose(features(A), A @ model.get_weights()[0], rtol=1e-5, atol=1e-6)
    model.add(layers.Dense(1))  # the graph is made anew, and "h" still has one output
    assert model.get_layer("h").output.shape == (None, 3) and model.output.shape == (None, 1)
    assert rv.Model(model.input, model.output)(A).shape == (5, 1)


class OwnStep(rv.Model):
    def train_step(self, data):
        return {**super().train_step(data), "mine": ops.ones(())}


class InConstructor(rv.Model):
    def __init__(self, units=3):
        x = rv.Input((4,))
        self.dense = layers.Dense(units)
        super().__init__(inputs=x, outputs=self.dense(x))


def test_subclasses_take_inputs_and_outputs():
    x = rv.Input((4,))
    model = OwnStep(x, layers.Dense(1)(x), name="own")
    model.compile("sgd", "mse")
    assert "mine" in model.fit(A, A[:, :1], verbose=0).history
    twin = rv.models.clone_model(model)
    assert type(twin) is OwnStep and type(OwnStep.from_config(model.get_config())) is OwnStep
    inner = InConstructor(2)
    assert inner(A).shape == (5, 2) and inner.layers[-1] is inner.dense
    assert InConstructor.from_config(inner.get_config()).output_shape == (None, 2)


@pytest.mark.parametrize(
    ("inputs", "data"),
    [
        (lambda: {"p": rv.Input((4,), name="p"), "q": rv.Input((4,), name="q")}, {"p": A, "q": B}),
        (lambda: {"q": rv.Input((4,)), "p": rv.Input((4,))}, {"q": B, "p": A}),
        (lambda: (rv.Input((4,)), [rv.Input((4,))]), (A, [B])),
        (lambda: {"n": {"p": rv.Input((4,))}, "q": rv.Input((4,))}, {"n": {"p": A}, "q": B}),
    ],
    ids=["dict", "unsorted dict", "nest", "nested dict"],
)
def test_structures_of_inputs(inputs, data):
    structure = inputs()
    flat = rv.core.tree.flatten(structure)
    model = rv.Model(structure, flat[0] - flat[1])
    for result in (model(data), model.predict(data, verbose=0), rv.models.clone_model(model)(data)):
        np.testing.assert_array_equal(result, A - B)


A3, B2 = (np.random.default_rng(n).normal(size=(2, n)).astype("float32") for n in (3, 2))


@pytest.mark.parametrize(
    ("inputs", "fits", "does_not"),
    [
        (lambda a, b: [a, b], [[A3, B2], (A3, B2), {"a": A3, "b": B2}, [A3, {"q": B2}]], [{"m": [A3, B2]}]),
        (lambda a, b: {"a": a, "b": b}, [{"b": B2, "a": A3}, [A3, B2]], [{"m": [A3, B2]}, {"a": A3}]),
        (lambda a, b: {"b": b, "a": a}, [{"a": A3, "b": B2}], [[A3, B2], [B2, A3], (A3, [B2])]),
        (lambda a, b: {"x": a, "w": b}, [{"x": A3, "w": B2}], [{"a": A3, "b": B2}, [A3, B2]]),
        (lambda a, b: [a, {"q": b}], [[A3, {"q": B2}], (A3, B2), {"a": A3, "b": B2}], [{"m": [A3, B2]}]),
        (lambda a, b: {"m": [a, b]}, [{"m": (A3, B2)}, {"a": A3, "b": B2}], [{"n": [A3, B2]}, {"m": A3}]),
        (lambda a, b: (a, b), [[A3, B2]], [[A3, None], {"a": A3, "b": None}, [A3, B2, B2], A3]),
    ],
)
def test_which_input_is_which(inputs, fits, does_not):
    a, b = rv.Input((3,), name="a"), rv.Input((2,), name="b")
    model = rv.Model(inputs(a, b), a[:, :2] - b)
    for data in fits:
        np.testing.assert_array_equal(model(data), A3[:, :2] - B2)
    for data in does_not:
        with pytest.raises(ValueError, match=r"inputs|keys|input\(s\)|not optional"):
            model(data)


def test_only_optional_inputs_may_be_missing():
    a, b = rv.Input((3,), name="a"), rv.Input((3,), name="b", optional=True)

    class Both(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

    model = rv.Model([a, b], Both()(a, b))
    np.testing.assert_array_equal(model([A3, None]), A3)
    np.testing.assert_array_equal(model.predict({"a": A3, "b": None}, verbose=0), A3)
    with pytest.raises(ValueError, match=r'Input 0 \("a"\) of layer .* is not optional, but None was passed'):
        model([None, A3])


def test_inputs_are_fitted_in_rank_and_dtype():
    x = rv.Input((), name="n", dtype="int32")
    model = rv.Model(x, x * 2)
    result = model(np.array([[1.0], [2.0]], "float32"))
    assert result.dtype == "int32" and result.tolist() == [2, 4]


def test_ops_take_arrays_and_variables_beside_symbolic_tensors():
    x = rv.Input((4,))
    kernel = rv.Variable(np.eye(4, dtype="float32"))
    y = ops.where(x > 0, x, -x) @ np.ones((4, 2), "float32")
    model = rv.Model(x, [y, np.float32(2) * x, ops.matmul(x, kernel), abs(x)[..., None]])
    results = model(A)
    np.testing.assert_allclose(results[0], np.abs(A).sum(1, keepdims=True).repeat(2, 1), rtol=1e-5)
    np.testing.assert_allclose(results[2], A, rtol=1e-6)
    assert results[3].shape == (5, 4, 1)


def test_trainable_and_training():
    x = rv.Input((4,))
    model = rv.Model(x, layers.Dropout(0.5)(layers.Dense(4)(x)), trainable=False)
    assert not model.trainable_variables
    assert (model(np.ones((50, 4)), training=True) == 0).any() and not (model(np.ones((50, 4))) == 0).any()
    always = rv.Model(x, layers.Dropout(0.5)(x, training=True))
    assert (always(np.ones((50, 4))) == 0).any()


def test_masks_pass_through():
    x, m = rv.Input((3, 4)), []

    class Seeing(layers.Layer):
        def call(self, inputs, mask=None):
            m.append(mask)
            return inputs

    class Making(layers.Layer):
        def call(self, inputs):
            return inputs * 1.0

        def compute_mask(self, inputs, mask):
            return ops.any(ops.not_equal(inputs, 0), axis=-1)

    model = rv.Model(x, Seeing()(layers.Dense(2)(Making()(x))))
    data = np.ones((1, 3, 4), "float32")
    data[:, 1] = 0
    model(data)
    assert np.asarray(m[-1]).tolist() == [[True, False, True]] if isinstance(m[-1], np.ndarray) else m[-1]


def test_call_function_of_clone_model():
    x = rv.Input((4,))
    model = rv.Model(x, layers.Dense(3)(x))
    calls: list[str] = []

    def call(layer, *args, **kwargs):
        calls.append(layer.name)
        return layer(*args, **kwargs) * 2.0

    twin = rv.models.clone_model(model, call_function=call)
    assert calls == [model.layers[1].name] and len(twin.operations) == 3
    other = rv.models.clone_model(model, input_tensors=rv.Input((4,), name="new"))
    assert other.input_names == ["new"]
    bigger = rv.models.clone_model(model, clone_function=lambda layer: layers.Dense(7))
    assert bigger.output_shape == (None, 7)


def test_operations_are_cloned_too():
    x = rv.Input((4,), name="x")
    model = rv.Model(x, rv.ops.relu(layers.Dense(3, name="d")(x)) * 2.0)
    cloned: list[str] = []

    def clone(operation):
        cloned.append(operation.name)
        return type(operation).from_config(operation.get_config())

    twin = rv.models.clone_model(model, clone_function=clone)
    assert cloned == [operation.name for operation in model.operations[1:]]
    twin.set_weights(model.get_weights())
    data = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    np.testing.assert_array_equal(twin(data), model(data))


@pytest.mark.parametrize("copy", [rv.models.clone_model, lambda m: type(m).from_config(m.get_config())])
@pytest.mark.parametrize("frozen", [("inner",), ("inner", "stack"), ("last",), None])
def test_copies_are_frozen_where_the_model_is(copy, frozen):
    x = rv.Input((4,))
    inner = rv.Model(x, layers.Dense(3)(layers.Dense(2)(x)), name="inner")
    stack = rv.Sequential([layers.Dense(3, name="s")], name="stack")
    model = rv.Model(x, layers.Dense(1, name="last")(stack(inner(x))))
    if frozen is None:
        model.trainable = False
    for name in frozen or ():
        model.get_layer(name).trainable = False
    twin = copy(model)
    assert [v.trainable for v in twin.weights] == [v.trainable for v in model.weights]
    assert [v.shape for v in twin.trainable_weights] == [v.shape for v in model.trainable_weights]
    assert twin.trainable == model.trainable


def test_a_config_numbers_the_calls_of_inner_models_as_keras_does():
    """At the ends of a model those count from 1: Keras counts the node in which a model was made."""
    x, y = rv.Input((2,), name="x"), rv.Input((2,), name="y")
    inner = rv.Model(x, layers.Dense(2, name="d")(x), name="inner")
    model = rv.Model([x, y], [inner(x), inner(y), inner(x) + inner(y)])
    config = json.loads(json.dumps(model.get_config()))
    assert config["output_layers"][:2] == [["inner", 1, 0], ["inner", 2, 0]]
    twin = rv.Model.from_config(config)
    twin.set_weights(model.get_weights())
    data = [np.float32([[1, 2]]), np.float32([[3, 4]])]
    for got, expected in zip(twin(data), model(data), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_deep_graph_is_no_problem():
    x = y = rv.Input((2,))
    for _ in range(1200):  # deeper than Python's recursion
        y = y + 1.0
    model = rv.Model(x, y)
    assert model(np.zeros((1, 2)))[0, 0] == 1200
    assert pickle.loads(pickle.dumps(model))(np.zeros((1, 2)))[0, 0] == 1200


def test_functions():
    x = rv.Input((4,))
    f = rv.Function(x, {"double": x * 2, "sum": ops.sum(x)})
    result = f(A)
    np.testing.assert_array_equal(result["double"], A * 2)
    assert f(rv.Input((4,)))["double"].shape == (None, 4) and len(f.operations) == 3


# --- refusals ---


def disconnected():
    x, y = rv.Input((2,)), rv.Input((2,), name="lost")
    return rv.Model(x, layers.Dense(1)(x + y))


def cycle():
    x = rv.Input((2,))
    first = layers.Dense(2, name="first")(x)
    second = layers.Dense(2)(first)
    first._keras_history.operation._rv_inbound_nodes[0].arguments.append(second)
    return rv.Model(x, second)


def made_by_hand():
    return rv.Model(rv.Input((2,)), KerasTensor((None, 2)))


def two_of_a_name():
    x = rv.Input((2,))
    return rv.Model(x, layers.Dense(2, name="d")(layers.Dense(2, name="d")(x)))


def reused_with_another_shape():
    layer = layers.Dense(2, name="again")
    layer(rv.Input((2,)))
    layer(rv.Input((3,)))


def missing_input():
    rich_model()({"a": A})


def wrong_shape():
    rich_model()([A, B[:, :3]])


@pytest.mark.parametrize(
    ("do", "error", "match"),
    [
        (disconnected, ValueError, "lost"),
        (cycle, ValueError, "cycle"),
        (made_by_hand, ValueError, "disconnected"),
        (lambda: rv.Model(rv.Input((2,)), []), ValueError, "`outputs` cannot be empty"),
        (lambda: rv.Model(rv.Input((2,))), ValueError, "from neither. Received only: <KerasTensor"),
        (lambda: rv.Model(outputs=rv.Input((2,))), ValueError, "from neither. Received only: outputs"),
        (two_of_a_name, ValueError, "unique"),
        (reused_with_another_shape, ValueError, '"again".*size 2.*found 3'),
        (missing_input, ValueError, "'b'"),
        (lambda: rich_model()([A]), ValueError, "expects 2 input"),
        (wrong_shape, ValueError, r'"b".*expected shape=\(None, 4\), found shape=\(5, 3\)'),
        (lambda: rv.Model(rv.Input((2,)), "a"), ValueError, "KerasTensors"),
        (lambda: rv.Model(np.ones(2), rv.Input((2,))), ValueError, "KerasTensors"),
        (lambda: rv.Model(rv.Input((2,))), ValueError, "inputs"),
        (lambda: rich_model().get_layer("nothing"), ValueError, "nothing.*shared"),
        (lambda: layers.Dense(2, name="unused").output, AttributeError, "unused"),
        (lambda: rv.Model().inputs, AttributeError, "symbolic"),
        (lambda: rv.Input((2,)) + rv.Input((3,)), ValueError, "2"),
    ],
)
def test_refusals(do, error, match):
    with pytest.raises(error, match=match):
        do()


def test_a_config_with_a_cycle():
    x = rv.Input((4,), name="x")
    config = rv.Model(x, layers.Dense(4, name="second")(layers.Dense(4, name="first")(x))).get_config()
    (first,) = (c for c in config["layers"] if c["name"] == "first")
    first["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = "second"
    with pytest.raises(ValueError, match=r"'first', 'second'.*cycle"):
        rv.Model.from_config(config)


def test_a_config_that_does_not_hold_together():
    config = rich_model().get_config()
    lost = copy.deepcopy(config)
    lost["layers"] = [c for c in lost["layers"] if c["name"] != "shared"]
    with pytest.raises(ValueError, match="hold together"):
        rv.Model.from_config(lost)
    config["output_layers"] = ["nowhere", 0, 0]
    with pytest.raises(ValueError, match="nowhere"):
        rv.Model.from_config(config)
    config["layers"][2]["class_name"] = "Danse"
    with pytest.raises(TypeError, match="Danse"):
        rv.Model.from_config(config)


def test_the_history_is_a_named_tuple():
    x = rv.Input((2,), name="here")
    assert isinstance(x._keras_history, KerasHistory) and x._keras_history.operation.name == "here"


class TestInputTensor:
    """An Input made of a KerasTensor is that tensor: what was computed from it begins there."""

    def test_of_an_input(self):
        x = rv.Input((3,), name="x")
        assert rv.Input(tensor=x) is x and rv.layers.InputLayer(input_tensor=x).output is x

    def test_in_the_middle_of_a_graph(self):
        hidden = rv.layers.Dense(3)(rv.Input((2,)))
        layer = rv.layers.Dense(1)
        model = rv.Model(rv.Input(tensor=hidden), layer(hidden))
        x = np.ones((4, 3), "float32")
        np.testing.assert_array_equal(model(x), layer(x))

    @pytest.mark.parametrize(
        "given",
        [{"shape": (4,)}, {"batch_size": 2}, {"batch_shape": (2, 3)}, {"dtype": "int32"}],
    )
    def test_what_describes_another_tensor(self, given):
        with pytest.raises(ValueError, match=f"`{next(iter(given))}` beside an `input_tensor`"):
            rv.layers.InputLayer(input_tensor=rv.Input((3,)), **given)
        fitting = {"shape": [3], "batch_shape": (None, 3), "dtype": "float32"}
        assert rv.layers.InputLayer(input_tensor=rv.Input((3,)), **fitting).batch_shape == (None, 3)

    def test_anything_else(self):
        with pytest.raises(ValueError, match="must be a KerasTensor"):
            rv.layers.InputLayer(input_tensor=np.ones(3))

    def test_old_names_of_the_shape(self):
        with pytest.warns(UserWarning, match="Use `shape`"):
            assert rv.layers.InputLayer(input_shape=(3,)).batch_shape == (None, 3)
        assert rv.layers.InputLayer(batch_input_shape=(2, 3)).batch_shape == (2, 3)


class Either(rv.layers.Layer):
    def call(self, x, y=None):
        return x if y is None else x + y


@pytest.mark.parametrize("arranged", [list, tuple, dict])
def test_an_optional_input_may_be_none(arranged):
    def nest(a, b):
        return {"a": a, "b": b} if arranged is dict else arranged([a, b])

    a, b = rv.Input((2,), name="a"), rv.Input((2,), name="b", optional=True)
    model = rv.Model(nest(a, b), rv.layers.Dense(1)(Either()(a, b)))
    x = np.ones((4, 2), "float32")
    for inputs, total in ((nest(x, None), x), (nest(x, x), 2 * x)):
        expected = model.layers[-1](total)
        np.testing.assert_allclose(model(inputs), expected, rtol=1e-6)
        np.testing.assert_allclose(model.predict(inputs, batch_size=2, verbose=0), expected, rtol=1e-6)
        model.compile("sgd", "mse")
        assert np.isfinite(model.fit(inputs, x[:, :1], batch_size=2, verbose=0).history["loss"]).all()
        assert np.isfinite(model.evaluate(inputs, x[:, :1], verbose=0))
    with pytest.raises(ValueError, match="not optional"):
        model(nest(None, x))
