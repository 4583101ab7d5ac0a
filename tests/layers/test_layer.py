"""What every layer inherits: building, tracking, calling, losses, weights, configs."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops


class Scale(layers.Layer):
    """A layer as users write them: one trained weight, one that is not, no get_config."""

    def __init__(self, units, factor=2.0):
        super().__init__()
        self.units = units
        self.factor = factor

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), name="w")
        self.count = self.add_weight(initializer="zeros", trainable=False, dtype="int32", name="count")

    def call(self, inputs):
        return ops.matmul(inputs, self.w) * self.factor


class Stack(layers.Layer):
    """A layer of layers, without a build."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(4, activation="relu")
        self.rest = [layers.Dense(3), layers.Dense(2)]
        self.named = {"drop": layers.Dropout(0.5)}

    def call(self, inputs, training=None):
        x = self.named["drop"](self.first(inputs), training=training)
        for layer in self.rest:
            x = layer(x)
        return x


def x_of(*shape):
    return np.ones(shape, "float32")


class TestBuilding:
    def test_the_first_call_builds(self):
        layer = Scale(3)
        assert not layer.built and layer.weights == []
        assert layer(x_of(2, 5)).shape == (2, 3)
        assert layer.built and layer.w.shape == (5, 3)

    def test_paths_hold_the_scopes(self):
        outer = rv.Sequential([rv.Sequential([layers.Dense(2, name="d")], name="inner")], name="outer")
        outer.build((None, 3))
        assert [v.path for v in outer.weights] == ["outer/inner/d/kernel", "outer/inner/d/bias"]

    def test_sublayers_are_built_by_shape_inference(self):
        layer = Stack(name="stack")
        assert layer.compute_output_shape((None, 5)) == (None, 2)
        assert [v.path.split("/")[0] for v in layer.weights] == ["stack"] * 6
        assert layer.first.get_build_config() == {"input_shape": (None, 5)}

    def test_state_is_locked_afterwards(self):
        layer = Scale(3)
        layer.build((None, 2))
        with pytest.raises(ValueError, match=r"already built.*Received: "):
            layer.extra = layers.Dense(1)
        with pytest.raises(ValueError, match=r"already built.*Received: "):
            layer.add_weight((1,))
        layer.note = "plain attributes are free"

    def test_super_build_counts_once(self):
        class Derived(Scale):
            def build(self, input_shape):
                super().build(input_shape)
                self.extra = self.add_weight(shape=(1,), name="extra")

        layer = Derived(2)
        layer.build((None, 3))
        assert [v.name for v in layer.weights] == ["w", "extra", "count"]

    def test_forgotten_super_init(self):
        class Forgetful(layers.Layer):
            def __init__(self):
                self.inner = layers.Dense(1)

        with pytest.raises(RuntimeError, match="super\\(\\).__init__\\(\\)"):
            Forgetful()(np.ones((1, 2)))

    def test_build_config_round_trip(self):
        layer = Scale(3)
        assert layer.get_build_config() is None
        layer.build((None, 4))
        other = Scale(3)
        other.build_from_config({"input_shape": [None, 4]})
        assert other.w.shape == layer.w.shape


class TestTracking:
    def test_order_of_weights(self):
        layer = Stack()
        layer(x_of(1, 5))
        assert [tuple(v.shape) for v in layer.weights] == [(5, 4), (4,), (4, 3), (3,), (3, 2), (2,)]
        assert [v.name for v in layer.variables].count("seed_generator_state") == 1
        assert "seed_generator_state" not in [v.name for v in layer.weights]

    def test_containers_track_what_comes_later(self):
        layer = layers.Layer()
        layer.blocks = []
        layer.blocks.append(layers.Dense(1))
        layer.blocks += [layers.Dense(2)]
        layer.table = {}
        layer.table["a"] = layers.Dense(3)
        assert [inner.units for inner in layer._rv_layers] == [1, 2, 3]
        layer.blocks.pop(0)
        del layer.table["a"]
        assert [inner.units for inner in layer._rv_layers] == [2]

    def test_a_shared_layer_counts_once(self):
        layer = layers.Layer()
        layer.a = layers.Dense(2)
        layer.b = layer.a
        layer.a.build((None, 3))
        assert len(layer.weights) == 2

    def test_metrics_and_seeds(self):
        layer = layers.Layer()
        layer.metric = rv.metrics.Mean()
        layer.seed = rv.random.SeedGenerator(1)
        assert [v.name for v in layer.variables] == ["seed_generator_state"]
        assert [v.name for v in layer.metrics_variables] == ["total", "count"]
        assert layer.weights == [] and len(layer.metrics_variables) == 2

    def test_deleting_untracks(self):
        layer = layers.Layer()
        layer.a = layers.Dense(2)
        del layer.a
        assert layer._rv_layers == []

    def test_trainable_reaches_down(self):
        layer = Stack()
        layer(x_of(1, 5))
        layer.rest[0].trainable = False
        assert len(layer.trainable_weights) == 4 and len(layer.non_trainable_weights) == 2
        layer.trainable = False
        assert layer.trainable_variables == [] and not layer.first.kernel.trainable
        layer.trainable = True
        assert len(layer.trainable_weights) == 6

    def test_frozen_before_it_is_built(self):
        model = rv.Sequential([layers.Dense(2, trainable=False), layers.Dense(1)])
        model.build((None, 3))
        assert [tuple(v.shape) for v in model.trainable_variables] == [(2, 1), (1,)]


class TestCalling:
    @pytest.mark.parametrize(
        ("dtype", "result"),
        [
            ("float64", "float32"),
            ("float16", "float32"),
            (">f4", "float32"),
            ("int32", "float32"),
            ("?", "float32"),
        ],
    )
    def test_inputs_are_converted(self, dtype, result):
        assert layers.Dense(2)(np.ones((2, 3), dtype)).dtype == result

    def test_float64_layers(self):
        layer = layers.Dense(2, dtype="float64")
        assert layer(x_of(2, 3)).dtype == np.float64 and layer.kernel.dtype == "float64"

    @pytest.mark.parametrize("bad", [[[1.0, 2.0]], 3.0, "text"])
    def test_values_that_are_no_tensors(self, bad):
        with pytest.raises(ValueError, match="Only input tensors"):
            layers.Dense(2)(bad)

    def test_strings_in_arrays(self):
        with pytest.raises(TypeError, match="cannot become a tensor"):
            layers.Dense(2)(np.array([["a"]]))

    def test_training_is_handed_down(self):
        class Inner(layers.Layer):
            def call(self, inputs, training=None):
                self.seen = training
                return inputs

        class Outer(layers.Layer):
            def __init__(self):
                super().__init__()
                self.inner = Inner()

            def call(self, inputs):
                return self.inner(inputs)

        outer = Outer()
        for flag in (True, False, None):
            outer(x_of(1), training=flag)
            assert outer.inner.seen is flag

    def test_an_explicit_training_argument_wins(self):
        class Fixed(layers.Layer):
            def __init__(self):
                super().__init__()
                self.drop = layers.Dropout(0.5, seed=1)

            def call(self, inputs):
                return self.drop(inputs, training=False)

        assert np.array_equal(Fixed()(x_of(4, 4), training=True), x_of(4, 4))

    def test_errors_name_the_layer(self):
        class Wrong(layers.Layer):
            def call(self, inputs):
                return ops.reshape(inputs, (7,))

        with pytest.raises(ValueError, match=r'layer "wrong_here" \(Wrong\) on float32\[2, 3\]'):
            Wrong(name="wrong_here")(x_of(2, 3))

    def test_no_call(self):
        with pytest.raises(NotImplementedError, match="call"):
            layers.Layer()(x_of(1))

    def test_symbolic_inputs_give_symbolic_outputs(self):
        out = layers.Dense(2)(rv.Input((5,)))
        assert isinstance(out, rv.KerasTensor) and out.shape == (None, 2)


class TestLosses:
    def test_regularizers_of_weights(self):
        layer = layers.Dense(2, kernel_regularizer="l2", bias_regularizer=rv.regularizers.L1(0.5))
        layer(x_of(1, 3))
        layer.bias.assign([1.0, -2.0])
        kernel_term, bias_term = layer.losses
        np.testing.assert_allclose(kernel_term, 0.01 * np.sum(layer.kernel.numpy() ** 2), rtol=1e-6)
        np.testing.assert_allclose(bias_term, 1.5, rtol=1e-6)
        layer.trainable = False
        assert layer.losses == []

    def test_activity_is_averaged_over_the_batch(self):
        layer = layers.ActivityRegularization(l1=0.1, l2=0.01)
        layer(2.0 * x_of(4, 3))
        np.testing.assert_allclose(layer.losses, [(0.1 * 2 + 0.01 * 4) * 12 / 4], rtol=1e-6)
        layer(x_of(4, 3))
        assert len(layer.losses) == 1  # a new call forgets the last one

    def test_add_loss_takes_scalars_that_are_tensors(self):
        with pytest.raises(ValueError, match="tensor"):
            layers.Layer().add_loss(3.0)
        with pytest.raises(ValueError, match=r"shape \(2,\)"):
            layers.Layer().add_loss(np.ones(2))


class TestWeights:
    def test_set_and_get(self):
        layer = Scale(2)
        layer.build((None, 2))
        values = [np.arange(4.0).reshape(2, 2), np.array(7)]
        layer.set_weights(values)
        for got, put in zip(layer.get_weights(), values, strict=True):
            np.testing.assert_array_equal(got, put)

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ([np.zeros((3, 2))], "length 1, but the layer was expecting 2"),
            ([np.zeros((3, 2)), np.zeros(3)], r"shape \(2,\).*shape \(3,\)"),
        ],
    )
    def test_wrong_weights_change_nothing(self, weights, message):
        layer = layers.Dense(2)
        layer.build((None, 3))
        before = layer.get_weights()
        with pytest.raises(ValueError, match=message):
            layer.set_weights(weights)
        for a, b in zip(before, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_get_weights_gives_copies(self):
        layer = layers.Dense(2)
        layer.build((None, 3))
        layer.get_weights()[0][:] = 9
        assert not (layer.kernel.numpy() == 9).any()

    def test_count_params(self):
        layer = layers.Dense(3)
        with pytest.raises(ValueError, match="isn't built"):
            layer.count_params()
        layer.build((None, 4))
        assert layer.count_params() == 15

    def test_initializer_of_add_weight(self):
        layer = layers.Layer()
        assert layer.add_weight((2,), dtype="int32").numpy().tolist() == [0, 0]
        assert layer.add_weight((2,), "ones").numpy().tolist() == [1, 1]
        with pytest.raises(ValueError, match="Did you mean: glorot_uniform"):
            layer.add_weight((2,), "glorot_unifrm")
        with pytest.raises(ValueError, match="overwrite_with_gradient"):
            layer.add_weight((2,), overwrite_with_gradient=True)


class TestArguments:
    def test_names(self):
        assert layers.Dense(1, name="x").name == "x"
        with pytest.raises(ValueError, match="cannot contain"):
            layers.Dense(1, name="a/b")

    def test_unknown_arguments(self):
        with pytest.raises(ValueError, match="Unrecognized keyword arguments passed to Dense: {'foo': 1}"):
            layers.Dense(1, foo=1)

    @pytest.mark.parametrize(
        ("kwargs", "shape"),
        [
            ({"input_dim": 3}, (None, 3)),
            ({"input_shape": (3,)}, (None, 3)),
            ({"input_shape": (3,), "batch_size": 7}, (7, 3)),
            ({"batch_input_shape": (5, 3)}, (5, 3)),
        ],
    )
    def test_input_shape_of_a_first_layer(self, kwargs, shape):
        with pytest.warns(UserWarning, match="Do not pass an `input_shape`/`input_dim` argument"):
            layer = layers.Dense(4, **kwargs)
        assert rv.Sequential([layer]).input_shape == shape

    def test_config_of_a_class_without_get_config(self):
        layer = Scale(3, factor=0.5)
        assert layer.get_config() == {"units": 3, "factor": 0.5}
        assert Scale.from_config({**layer.get_config(), "trainable": True, "dtype": "float32"}).factor == 0.5

    def test_config_of_arguments_that_none_can_hold(self):
        with pytest.raises(NotImplementedError, match="must override `get_config"):
            Scale(3, factor=object()).get_config()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_build_that_does_not_come_to_its_end_leaves_nothing(error):
    class Fragile(rv.Layer):
        fails = True

        def build(self, input_shape):
            self.first = self.add_weight((input_shape[-1], 2), name="first")
            self.inner = rv.layers.Dense(3)
            if self.fails:
                raise error
            self.second = self.add_weight((2,), name="second")

        def call(self, x):
            return self.inner(x @ self.first + self.second)

    layer = Fragile()
    with pytest.raises(error):
        layer.build((None, 4))
    assert not layer.built
    assert layer.weights == []
    for _ in range(20):  # what is made anew may lie where the lost variables lay
        with pytest.raises(error):
            layer.build((None, 4))
    layer.fails = False
    assert layer(np.ones((1, 4), "float32")).shape == (1, 3)
    assert [w.name for w in layer.weights] == ["first", "second", "kernel", "bias"]


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize(
    "make", [lambda: layers.Dense(3), lambda: layers.Dropout(0.5), layers.ReLU, layers.BatchNormalization]
)
def test_an_unknown_keyword_of_a_call_is_refused(make, symbolic):
    layer = make()
    with pytest.raises(
        TypeError, match=rf"{type(layer).__name__}\.call\(\) got an unexpected keyword argument 'foo'"
    ):
        layer(rv.Input((2,)) if symbolic else np.ones((3, 2), "float32"), foo=1)


def shapes_given_to_build(build, call, *args, **kwargs):
    """What `build` was called with when a layer with this `build` and `call` was called."""
    given = []

    def noting(self, *shapes, **named):
        given.append(inspect.signature(build).bind(self, *shapes, **named).arguments)

    noting.__signature__ = inspect.signature(build)
    layer = type("Own", (rv.Layer,), {"build": noting, "call": call})()
    layer(*args, **kwargs)
    assert layer.built
    return {name: shape for name, shape in given[0].items() if name != "self"}


V3, V4 = np.ones((2, 3), "float32"), np.ones((2, 4), "float32")


@pytest.mark.parametrize(
    ("build", "call", "args", "kwargs", "shapes"),
    [
        (lambda self: None, lambda self, x: x, [V3], {}, {}),
        (lambda self, s: None, lambda self, x: x, [V3], {}, {"s": (2, 3)}),
        (lambda self, s: None, lambda self, a, b: a, [V3, V4], {}, {"s": (2, 3)}),
        (lambda self, input_shape=None: None, lambda self, x: x, [V3], {}, {"input_shape": (2, 3)}),
        (lambda self, input_shape, more=1: None, lambda self, x: x, [V3], {}, {"input_shape": (2, 3)}),
        (lambda self, *shapes: None, lambda self, x: x, [V3], {}, {"shapes": ((2, 3),)}),
        (
            lambda self, a_shape, b_shape: None,
            lambda self, a, b: a,
            [V3],
            {"b": V4},
            {"a_shape": (2, 3), "b_shape": (2, 4)},
        ),
        (lambda self, a_shape, b_shape=None: None, lambda self, a, b=None: a, [V3], {}, {"a_shape": (2, 3)}),
        (lambda self, s: None, lambda self, xs: xs["u"], [{"u": V3}], {}, {"s": {"u": (2, 3)}}),
    ],
)
def test_build_gets_the_shapes_it_asks_for(build, call, args, kwargs, shapes):
    assert shapes_given_to_build(build, call, *args, **kwargs) == shapes


def test_build_that_asks_for_what_there_is_not():
    with pytest.raises(ValueError, match=r"Parameter `foo_shape` is none.*arguments \['a', 'b'\]"):
        shapes_given_to_build(lambda self, a_shape, foo_shape: None, lambda self, a, b: a, V3, V4)


@pytest.mark.parametrize("base", [rv.Layer, rv.Model])
@pytest.mark.parametrize("symbolic", [False, True])
def test_several_arguments_build_what_is_inside(base, symbolic):
    class Two(base):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(2)

        def call(self, a, b, scale, c=None):
            total = self.inner(a) * scale + b
            return total if c is None else total + c

    a, b = (rv.Input((3,)), rv.Input((2,))) if symbolic else (V3, V3[:, :2])
    for more in ({}, {"c": b}):
        layer = Two()
        assert layer(a, b, scale=2.0, **more).shape[1:] == (2,)
        assert layer.built and [v.name for v in layer.weights] == ["kernel", "bias"]
        if symbolic:
            assert layer.inner.get_build_config() == {"input_shape": (None, 3)}
            assert layer.get_build_config() == {"input_shape": (None, 3)}


def test_cycles_of_layers_are_refused():
    outer, inner = layers.Layer(), layers.Layer()
    outer.inner = inner
    for layer, attribute, value in ((outer, "me", outer), (inner, "parent", outer)):
        with pytest.raises(ValueError, match="cannot be in an attribute of a layer that it holds .* a cycle"):
            setattr(layer, attribute, value)
    inner.list, inner.dict = [], {}
    for put in (lambda: inner.list.append(outer), lambda: inner.dict.update(x=[outer])):
        with pytest.raises(ValueError, match="a cycle"):
            put()
    assert inner.list == [] and inner.dict == {}
    assert not hasattr(inner, "parent") and outer.weights == []
    stack = rv.Sequential([layers.Dense(1)])
    around = rv.Sequential([stack])
    with pytest.raises(ValueError, match=f"cannot be a layer of its own layer '{around.name}'"):
        stack.add(around)


@pytest.mark.parametrize("symbolic", [False, True])
def test_the_first_argument_by_its_name(symbolic):
    x = rv.Input((3,)) if symbolic else V3
    for layer in (layers.Dense(2), layers.BatchNormalization(), rv.Sequential([layers.Dense(3)])):
        assert layer(inputs=x, training=False).shape == layer(x).shape
    sequences = rv.ops.expand_dims(x, 1)
    assert layers.LSTM(2)(sequences=sequences).shape[1:] == (2,)

    class Own(rv.Layer):
        def call(self, a, b=1.0):
            return a * b

    assert Own()(b=2.0, a=x).shape == x.shape
    with pytest.raises(TypeError):
        Own()(b=2.0)


def test_add_variable_and_metrics():
    layer = layers.Layer()
    weight = layer.add_variable((2,), "ones", trainable=False, name="w")
    assert weight.numpy().tolist() == [1, 1] and layer.non_trainable_weights == [weight]
    layer.mean = rv.metrics.Mean(name="outer")
    layer.inner = layers.Dense(2)
    layer.inner.mean = rv.metrics.Mean(name="inner")
    assert [metric.name for metric in layer.metrics] == ["outer", "inner"]
