from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers


def small(**kwargs):
    return rv.Sequential([rv.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(2)], **kwargs)


def x_of(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


class TestStack:
    def test_a_layer_in_place_of_a_list(self):
        with pytest.raises(TypeError, match="`layers` must be a list of layers"):
            rv.Sequential(layers.Dense(3))

    def test_layers_leave_out_the_input(self):
        model = small()
        assert [layer.name.split("_")[0] for layer in model.layers] == ["dense", "dense"]
        assert model.built and model.input_shape == (None, 3) and model.output_shape == (None, 2)
        assert [t.shape for t in (*model.inputs, *model.outputs)] == [(None, 3), (None, 2)]

    def test_add_and_pop(self):
        model = rv.Sequential()
        model.add(rv.Input((3,)))
        model.add(layers.Dense(4))
        assert model.built and model.output_shape == (None, 4)
        model.add(layers.Dense(2))
        assert model.output_shape == (None, 2) and len(model.weights) == 4
        popped = model.pop()
        assert popped.units == 2 and model.output_shape == (None, 4) and len(model.weights) == 2
        with pytest.raises(IndexError):
            rv.Sequential().pop()

    def test_the_input_is_not_taken_off(self):
        net = rv.Sequential([rv.Input((3,)), layers.Dense(2)])
        net.pop()
        with pytest.raises(IndexError, match=f"'{net.name}' has no layer to take off"):
            net.pop()
        net.add(layers.Dense(4))
        assert net.output_shape == (None, 4)

    def test_it_is_no_layer_of_itself(self):
        model = small()
        with pytest.raises(ValueError, match="cycle"):
            model.add(model)

    def test_adding_after_training(self):
        model = small()
        model.compile("sgd", "mse")
        model.fit(x_of(8, 3), x_of(8, 2), verbose=0)
        model.add(layers.Dense(1))
        assert model.predict(x_of(8, 3), verbose=0).shape == (8, 1)

    def test_deferred(self):
        model = rv.Sequential([layers.Dense(4), layers.Dense(2)])
        assert not model.built and model.weights == []
        with pytest.raises(AttributeError, match="no defined input shape"):
            model.input_shape  # noqa: B018
        with pytest.raises(AttributeError, match="no defined output shape"):
            model.output_shape  # noqa: B018
        assert model(x_of(5, 3)).shape == (5, 2)
        assert model.input_shape == (None, 3) and model.output_shape == (None, 2)
        assert model(x_of(7, 3)).shape == (7, 2)  # any batch size from now on

    def test_build_by_hand(self):
        model = rv.Sequential([layers.Dense(4)])
        model.build((None, 3))
        assert model.built and model.output_shape == (None, 4)
        with pytest.raises(ValueError, match=r"already been configured to use input shape \(None, 3\)"):
            model.build((None, 5))

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: rv.Sequential(["a"]), "Only instances of `Layer`"),
            (lambda: rv.Sequential([rv.Input((3,)), rv.Input((3,))]), "already been configured"),
            (lambda: rv.Sequential([layers.Dense(1), rv.Input((3,))]), "already been configured"),
            (lambda: rv.Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]), "unique names"),
            (lambda: rv.Sequential().build((None, 3)), "no layers"),
            (lambda: rv.Sequential([layers.Dense(1)]).build(), "must provide an `input_shape`"),
            (lambda: rv.Sequential([layers.Dense(1)]).build([(None, 1), (None, 2)]), "1 input"),
            (lambda: rv.Sequential([layers.Dense(1)]).build((None,)), "min_ndim=2"),
        ],
    )
    def test_what_does_not_fit(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    def test_a_layer_twice_shares_its_weights(self):
        shared = layers.Dense(3)
        model = rv.Sequential([rv.Input((3,)), shared, shared])
        assert len(model.weights) == 2
        x = x_of(2, 3)
        np.testing.assert_array_equal(model(x), shared(shared(x)))

    def test_models_as_layers(self):
        inner = rv.Sequential([layers.Dense(4), layers.Dense(3)], name="inner")
        model = rv.Sequential([rv.Input((2,)), inner, layers.Dense(1)], name="outer")
        assert model.weights[0].path.startswith("outer/inner/") and len(model.weights) == 6
        assert model.get_layer("inner") is inner


class WithTeacher(rv.Sequential):
    """Has layers, and what else is tracked, beside its stack."""

    def __init__(self):
        super().__init__([layers.Dense(3)])
        self.teacher = rv.Sequential([rv.Input((4,)), layers.Dense(2)])
        self.others = [layers.Dense(5)]
        self.scale = rv.Variable(2.0, name="scale")
        self.add(layers.Dense(2))

    def train_step(self, data):
        x, _ = data
        with rv.GradientTape() as tape:
            loss = rv.ops.mean((self(x) * self.scale - self.teacher(x)) ** 2)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}


class TestAttributes:
    def test_are_no_part_of_the_stack(self):
        net = WithTeacher()
        assert [layer.units for layer in net.layers] == [3, 2]
        assert net(x_of(5, 4)).shape == (5, 2)
        assert [v.name for v in net.weights] == ["scale", "kernel", "bias", "kernel", "bias"]
        assert rv.models.clone_model(net).output_shape == (None, 2)
        net.pop()
        assert net(x_of(5, 4)).shape == (5, 3)

    def test_are_used_and_not_trained(self):
        net = WithTeacher()
        net.compile("sgd", "mse")
        before = net.teacher.get_weights()
        x = x_of(8, 4)
        losses = net.fit(x, x[:, :2], epochs=20, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        np.testing.assert_array_equal(net.teacher.get_weights()[0], before[0])

    def test_live_through_copies(self):
        net = WithTeacher()
        net(x_of(5, 4))
        twin = pickle.loads(pickle.dumps(net))
        assert [v.shape for v in twin.weights] == [v.shape for v in net.weights]
        twin.extra = layers.Dense(1)
        assert [layer.units for layer in twin.layers] == [3, 2]
        np.testing.assert_array_equal(twin.teacher.get_weights()[0], net.teacher.get_weights()[0])


def test_names_after_it_count_the_model_that_keras_makes_inside():
    rv.utils.clear_session()
    x = rv.Input((3,))
    rv.Sequential([rv.Input((3,)), layers.Dense(1)])
    assert rv.Model(x, layers.Dense(1)(x)).name == "functional_1"


class TestCall:
    def test_against_numpy(self):
        model, x = small(), x_of(5, 3)
        k1, b1, k2, b2 = model.get_weights()
        np.testing.assert_allclose(model(x), np.maximum(x @ k1 + b1, 0) @ k2 + b2, rtol=1e-5, atol=1e-6)

    def test_an_axis_of_one_may_be_missing_or_too_many(self):
        model = rv.Sequential([rv.Input((1,)), layers.Dense(2)])
        x = x_of(4)
        np.testing.assert_array_equal(model(x), model(x[:, None]))
        np.testing.assert_array_equal(model(x[:, None, None]), model(x[:, None]))

    def test_inputs_take_the_dtype_of_the_input(self):
        model = rv.Sequential([rv.Input((2,)), layers.Identity()])
        assert model(np.array([[1, 2]], "uint8")).dtype == np.float32

    @pytest.mark.parametrize("shape", [(5, 4), (5,), (5, 3, 2)])
    def test_wrong_shapes_name_the_layer(self, shape):
        model = small()
        with pytest.raises(ValueError) as caught:
            model(x_of(*shape))
        message = str(caught.value)
        assert f'"{model.layers[0].name}"' in message
        assert "expected shape=(None, 3)" in message and f"found shape={shape}" in message

    def test_training_reaches_dropout(self):
        model = rv.Sequential([rv.Input((50,)), layers.Dropout(0.5, seed=1)])
        x = np.ones((2, 50), "float32")
        np.testing.assert_array_equal(model(x), x)
        assert (model(x, training=True) == 0).any()


class TestGetLayer:
    def test_by_name_and_index(self):
        model = small()
        assert model.get_layer(index=1) is model.layers[1]
        assert model.get_layer(model.layers[0].name) is model.layers[0]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"name": "foo"}, "No such layer: foo. Existing layers are"),
            ({"index": 7}, "only has 2 layers"),
            ({}, "either a layer name or layer index"),
            ({"name": "a", "index": 0}, "either a layer name or layer index"),
        ],
    )
    def test_errors(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            small().get_layer(**arguments)


class TestConfig:
    def model(self):
        return rv.Sequential(
            [
                rv.Input((2, 2)),
                layers.Flatten(),
                layers.Dense(3, activation="tanh", kernel_regularizer="l2", name="hidden"),
                layers.Dropout(0.5, seed=1),
                layers.Dense(1, activation=rv.activations.leaky_relu),
            ],
            name="net",
        )

    def test_the_keys_are_keras_ones(self):
        config = json.loads(json.dumps(self.model().get_config()))
        assert list(config) == ["name", "trainable", "dtype", "layers", "build_input_shape"]
        assert config["build_input_shape"] == [None, 2, 2]
        first, flatten, hidden = config["layers"][:3]
        assert first["class_name"] == "InputLayer" and first["module"] == "keras.layers"
        assert first["config"]["batch_shape"] == [None, 2, 2]
        assert flatten["build_config"] == {"input_shape": [None, 2, 2]}
        assert list(hidden) == ["module", "class_name", "config", "registered_name", "build_config"]
        assert hidden["build_config"] == {"input_shape": [None, 4]}

    def test_round_trip(self):
        model = self.model()
        again = rv.Sequential.from_config(model.get_config())
        assert again.get_config() == model.get_config()
        assert again.built and [tuple(w.shape) for w in again.weights] == [
            tuple(w.shape) for w in model.weights
        ]

    def test_json(self):
        model = self.model()
        again = rv.models.model_from_json(model.to_json())
        assert isinstance(again, rv.Sequential) and again.get_config() == model.get_config()

    def test_deferred_stays_deferred(self):
        model = rv.Sequential([layers.Dense(2)])
        assert "build_input_shape" not in model.get_config()
        assert not rv.Sequential.from_config(model.get_config()).built

    def test_built_without_an_input(self):
        model = rv.Sequential([layers.Dense(2)])
        model.build((None, 3))
        assert rv.Sequential.from_config(model.get_config()).output_shape == (None, 2)

    def test_custom_layers(self):
        class Twice(layers.Layer):
            def call(self, inputs):
                return inputs * 2

        model = rv.Sequential([rv.Input((2,)), Twice()])
        with pytest.raises(TypeError, match="Could not locate class 'Twice'"):
            rv.Sequential.from_config(model.get_config())
        again = rv.Sequential.from_config(model.get_config(), custom_objects={"Twice": Twice})
        np.testing.assert_array_equal(again(np.ones((1, 2))), [[2, 2]])


class TestClone:
    def test_new_weights_same_architecture(self):
        model = small()
        clone = rv.models.clone_model(model)
        assert clone.name == model.name and clone.built
        assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
        assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])

    def test_clone_function(self):
        def double(layer):
            return layers.Dense(layer.units * 2, name=layer.name)

        assert rv.models.clone_model(small(), clone_function=double).output_shape == (None, 4)

    def test_another_input(self):
        clone = rv.models.clone_model(rv.Sequential([layers.Dense(2)]), input_tensors=rv.Input((7,)))
        assert clone.input_shape == (None, 7)

    def test_call_function_is_refused_by_name(self):
        with pytest.raises(ValueError, match="call_function"):
            rv.models.clone_model(small(), call_function=lambda *a: a)


@pytest.mark.parametrize("explicit", [False, True])
def test_layers_decide_whether_they_take_an_input_of_another_size(explicit):
    def built(*stack, shape, dtype="float32"):
        model = rv.Sequential([rv.Input(shape, dtype=dtype), *stack] if explicit else list(stack))
        model(np.zeros((8, *shape), dtype))
        return model

    def tokens(length):
        return np.ones((8, length), "int32")

    words = built(layers.Embedding(10, 4), layers.LSTM(3), shape=(5,), dtype="int32")
    words.compile("sgd", "mse")
    for length in (6, 3):
        assert words(tokens(length)).shape == words.predict(tokens(length), verbose=0).shape == (8, 3)
        assert words.train_on_batch(tokens(length), np.ones((8, 3))) > 0.0
    flat = built(layers.Flatten(), layers.Dense(3), shape=(5, 2))
    assert flat(np.ones((8, 2, 5))).shape == (8, 3)
    for refused in ((8, 2, 6), (8, 10), (5, 2)):
        with pytest.raises(
            ValueError, match=r'"flatten.*expected shape=\(None, 5, 2\), found shape=' + rf"\({refused[0]}, "
        ):
            flat(np.ones(refused))
    with pytest.raises(ValueError, match=r'"lstm.*expected shape=\(None, 5, 2\), found shape=\(8, 5, 3\)'):
        built(layers.LSTM(3), shape=(5, 2))(np.ones((8, 5, 3)))


class Sum(layers.Layer):
    def call(self, x):
        return x["a"] + x["b"]


def two_inputs(names=None):
    a, b = rv.Input((3,)), rv.Input((3,))
    return rv.Model([a, b] if names is None else dict(zip(names, (a, b), strict=True)), layers.Add()([a, b]))


PAIR = [x_of(4, 3), x_of(4, 3) + 1]
NESTS = [
    (layers.Add, PAIR),
    (two_inputs, PAIR),
    (Sum, {"a": PAIR[0], "b": PAIR[1]}),
    (lambda: two_inputs("ab"), {"a": PAIR[0], "b": PAIR[1]}),
]


@pytest.mark.parametrize(("first", "x"), NESTS)
def test_a_nest_of_inputs_goes_to_a_first_layer_that_takes_it(first, x):
    model = rv.Sequential([first(), layers.Dense(2, use_bias=False)])
    expected = (PAIR[0] + PAIR[1]) @ np.asarray(_kernel_after(model, x))
    np.testing.assert_allclose(model(x), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), expected, rtol=1e-5)
    assert model.built and model.output_shape == (None, 2) and len(model.layers) == 2
    with pytest.raises(AttributeError):
        _ = model.inputs
    model.compile("sgd", "mse")
    assert len(model.fit(x, np.zeros((4, 2)), epochs=2, batch_size=2, verbose=0).history["loss"]) == 2
    model.summary(print_fn=lambda text: None)


def _kernel_after(model, x):
    model(x)
    return model.layers[-1].kernel


@pytest.mark.parametrize("shapes", [[(None, 3), (None, 3)], ((None, 3), (None, 3))])
def test_a_nest_of_shapes_builds(shapes):
    model = rv.Sequential([layers.Add(), layers.Dense(2)])
    model.build(shapes)
    assert model.output_shape == (None, 2) and model.layers[1].kernel.shape == (3, 2)


def test_a_model_on_a_nest_travels(tmp_path):
    pytest.importorskip("h5py")
    model = rv.Sequential([layers.Add(), layers.Dense(2)])
    expected = model(PAIR)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(rv.saving.load_model(tmp_path / "m.keras")(PAIR), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))(PAIR), expected)


def test_a_nest_does_not_fit_one_input():
    with pytest.raises(ValueError, match="takes one input"):
        small().build([(None, 3), (None, 3)])
    with pytest.raises(ValueError, match="1 input"):
        rv.Sequential([layers.Dense(2)])(PAIR)


def test_the_input_by_its_name():
    model = rv.Sequential([rv.Input((3,), name="x"), layers.Dense(2)])
    np.testing.assert_array_equal(model({"x": PAIR[0]}), model(PAIR[0]))
    with pytest.raises(ValueError, match="keys 'y'"):
        model({"y": PAIR[0]})
