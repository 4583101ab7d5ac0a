"""The layer families: eager against traced, shapes, configs, masks, and values against NumPy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.layers.layer_table import OTHER, ROWS, Row

import ranvier as rv
from ranvier import layers, ops
from ranvier.core.masks import get_mask, set_mask
from ranvier.core.trace import Trace


def one_or_list(values):
    return values[0] if len(values) == 1 else values


def eager_inputs(row: Row):
    values = row.inputs()
    for x, mask in zip(values, row.masks(), strict=True):
        if mask is not None:
            set_mask(x, mask)
    return one_or_list(values)


def built(row: Row):
    layer = row.make(rv)
    layer.build(one_or_list([x.shape for x in row.inputs()]))
    rng = np.random.default_rng(6)
    layer.set_weights([rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in layer.weights])
    return layer


@pytest.fixture(params=ROWS, ids=[row.id for row in ROWS])
def row(request):
    return request.param


@pytest.mark.parametrize("training", [False, True])
def test_traced_is_eager(row, training):
    if row.random and training:
        pytest.skip("two calls draw twice")
    eager, traced = built(row), built(row)
    expected = eager(eager_inputs(row), training=training)
    with Trace() as trace:
        tensors = [trace.input(x.shape, x.dtype.name) for x in row.inputs()]
        for x, mask in zip(tensors, row.masks(), strict=True):
            if mask is not None:
                set_mask(x, trace.constant(mask))
        y = traced(one_or_list(list(tensors)), training=training)
        mask = get_mask(y)
        program = trace.compile([y] if mask is None else [y, mask])
    results = program.run(row.inputs())
    np.testing.assert_array_equal(results[0], expected)
    expected_mask = get_mask(expected)
    assert (mask is None) == (expected_mask is None)
    if mask is not None:
        np.testing.assert_array_equal(results[1], expected_mask)
    for a, b in zip(eager.weights, traced.weights, strict=True):  # moving statistics
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_shapes_and_configs(row):
    layer = built(row)
    y = layer(one_or_list(row.inputs()))
    shapes = [x.shape for x in row.inputs()]
    assert layer.compute_output_shape(one_or_list(shapes)) == y.shape
    unknown = one_or_list([(None, *shape[1:]) for shape in shapes])
    assert layer.compute_output_shape(unknown)[1:] == y.shape[1:]
    symbols = one_or_list([rv.Input(x.shape[1:], dtype=x.dtype.name) for x in row.inputs()])
    assert layer(symbols).shape[1:] == y.shape[1:] and layer(symbols).dtype == y.dtype
    config = json.loads(json.dumps(layers.serialize(layer)))
    twin = layers.deserialize(config)
    twin.set_weights(layer.get_weights())
    assert json.loads(json.dumps(layers.serialize(twin)))["config"] == config["config"]
    if not row.random:
        np.testing.assert_array_equal(twin(one_or_list(row.inputs())), y)


def test_every_layer_of_the_families_has_a_row():
    offered = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    from tests.layers.test_layers import BASES
    from tests.layers.test_layers import ROWS as FIRST

    aliases = {name for name in offered if getattr(layers, name).__name__ != name}
    tried = {row.name for row in ROWS} | {row.cls.__name__ for row in FIRST} | BASES | OTHER
    assert offered - aliases == tried


# --- values ---


def normal(x, axes, epsilon):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


X, Y = (np.random.default_rng(i).normal(size=(4, 5, 6)).astype("float32") for i in (0, 1))
VALUES = [
    (layers.LayerNormalization(epsilon=0.1), X, normal(X, -1, 0.1)),
    (layers.LayerNormalization(axis=[1, 2]), X, normal(X, (1, 2), 1e-3)),
    (layers.GroupNormalization(1), X, normal(X, (1, 2), 1e-3)),
    (layers.GroupNormalization(-1), X, normal(X, 1, 1e-3)),
    (layers.RMSNormalization(), X, X / np.sqrt((X**2).mean(-1, keepdims=True) + 1e-6)),
    (layers.UnitNormalization(), X, X / np.linalg.norm(X, axis=-1, keepdims=True)),
    (layers.BatchNormalization(), X, X / np.sqrt(1.001)),
    (layers.Add(), [X, Y], X + Y),
    (layers.Subtract(), [X, Y], X - Y),
    (layers.Multiply(), [X, Y, X], X * Y * X),
    (layers.Average(), [X, Y], (X + Y) / 2),
    (layers.Maximum(), [X, Y], np.maximum(X, Y)),
    (layers.Minimum(), [X, Y], np.minimum(X, Y)),
    (layers.Concatenate(axis=1), [X, Y], np.concatenate([X, Y], 1)),
    (layers.Dot(axes=2), [X, Y], X @ Y.transpose(0, 2, 1)),
    (layers.Cropping1D((1, 2)), X, X[:, 1:-2]),
    (layers.ZeroPadding1D((1, 2)), X, np.pad(X, ((0, 0), (1, 2), (0, 0)))),
    (layers.UpSampling1D(3), X, X.repeat(3, 1)),
    (layers.GlobalAveragePooling1D(), X, X.mean(1)),
    (layers.GlobalMaxPool1D(), X, X.max(1)),
    (layers.Normalization(mean=1.0, variance=4.0), X, (X - 1) / 2),
    (layers.Lambda(lambda x, by: x * by, arguments={"by": 3.0}), X, X * 3),
    (layers.Pipeline([layers.Rescaling(2.0), layers.Rescaling(1.0, 1.0)]), X, X * 2 + 1),
]


@pytest.mark.parametrize(("layer", "inputs", "expected"), VALUES, ids=[type(v[0]).__name__ for v in VALUES])
def test_values(layer, inputs, expected):
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "average", "maximum", "minimum"])
def test_functions_of_merging_layers(name):
    made = getattr(layers, name.capitalize())()([X, Y])
    np.testing.assert_array_equal(getattr(layers, name)([X, Y]), made)
    a, b = rv.Input((5, 6)), rv.Input((5, 6))
    np.testing.assert_array_equal(rv.Model([a, b], getattr(layers, name)([a, b]))([X, Y]), made)
    assert layers.concatenate([X, Y]).shape == (4, 5, 12) and layers.dot([X, Y], axes=2).shape == (4, 5, 5)


def test_batch_normalization_over_time():
    layer = layers.BatchNormalization(momentum=0.9)
    y = layer(X, training=True)
    mean, variance = X.mean((0, 1)), X.var((0, 1))
    np.testing.assert_allclose(y, normal(X, (0, 1), 1e-3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance, rtol=1e-5)
    before = layer.get_weights()
    layer.trainable = False  # a frozen layer is in inference, whatever `training` says
    frozen = layer(X, training=True)
    np.testing.assert_array_equal(frozen, layer(X, training=False))
    assert all((a == b).all() for a, b in zip(before, layer.get_weights(), strict=True))


def test_stateless_call():
    layer = layers.BatchNormalization(momentum=0.5, gamma_regularizer="l2")
    layer.build((None, 5, 6))
    before = layer.get_weights()
    weights = [v.value * 2.0 for v in layer.trainable_variables]
    state = [v.value for v in layer.non_trainable_variables]
    y, moved, losses = layer.stateless_call(weights, state, X, training=True, return_losses=True)
    np.testing.assert_allclose(y, 2 * normal(X, (0, 1), 1e-3), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(moved[0], X.mean((0, 1)) / 2, rtol=1e-4, atol=1e-6)
    assert losses[0] == pytest.approx(0.01 * 4 * 6)
    assert all((a == b).all() for a, b in zip(before, layer.get_weights(), strict=True))
    assert len(layer.stateless_call(weights, state, X)) == 2
    with pytest.raises(ValueError, match="length 0, but expected 2"):
        layer.stateless_call([], state, X)
    with pytest.raises(ValueError, match="must be built"):
        layers.Dense(2).stateless_call([], [], X)


def test_the_gradient_of_a_stateless_call():
    dense = layers.Dense(3)
    dense.build((None, 6))
    weights = [v.value for v in dense.trainable_variables]

    def loss(values):
        return ops.sum(dense.stateless_call(values, [], X)[0] ** 2)

    _, gradients = rv.value_and_grad(loss)(weights)
    expected = 2 * np.einsum("abi,abj->ij", X, X @ weights[0])
    np.testing.assert_allclose(gradients[0], expected, rtol=1e-4, atol=1e-3)


def test_masked_values_do_not_count_in_batch_normalization():
    x = X.copy()
    mask = np.ones((4, 5), bool)
    mask[:, 3:] = False
    x[:, 3:] = 1e3
    set_mask(x, mask)
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), X[:, :3].mean((0, 1)), rtol=1e-4, atol=1e-5)


def test_spectral_norm_goes_to_one():
    layer = layers.SpectralNormalization(layers.Dense(8), power_iterations=5)
    for _ in range(10):
        layer(np.ones((1, 6), "float32"), training=True)
    assert np.linalg.norm(layer.layer.kernel.numpy(), 2) == pytest.approx(1.0, rel=1e-3)


def test_spectral_norm_trains_the_divided_kernel():
    """A step's derivative is taken where the kernel is: behind the division, not before it."""
    rng = np.random.default_rng(2)
    x, y = (rng.normal(size=shape).astype("float32") for shape in ((8, 4), (8, 3)))
    model = rv.Sequential([rv.Input((4,)), layers.SpectralNormalization(layers.Dense(3, use_bias=False))])
    kernel, u = model.get_weights()
    v = kernel @ u.T / np.linalg.norm(kernel @ u.T)
    divided = kernel / np.linalg.norm(kernel.T @ v)
    gradient = x.T @ (2 * (x @ divided - y) / y.size)
    model.compile(rv.optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=8, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], divided - 0.1 * gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_random_layers_by_their_law(rate):
    x = np.random.default_rng(0).normal(size=(200, 100)).astype("float32")
    y = layers.AlphaDropout(rate, seed=1)(x, training=True)
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02  # 20,000 values: 3 sigma is 0.021 and 0.015
    maps = np.ones((50, 10, 40), "float32")
    dropped = layers.SpatialDropout1D(rate, seed=1)(maps, training=True)
    assert (dropped == dropped[:, :1]).all() and abs((dropped == 0).mean() - rate) < 0.04
    assert dropped.max() == pytest.approx(1 / (1 - rate))


def test_masks_from_the_embedding_to_the_loss():
    model = rv.Sequential(
        [rv.Input((4,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    y = np.zeros((2, 4, 1), "float32")
    squares = model.predict(x, verbose=0)[..., 0] ** 2
    assert model.evaluate(x, y, verbose=0) == pytest.approx(squares[x > 0].mean(), rel=1e-5)


def test_a_layer_without_support_says_that_it_destroys_a_mask():
    x = X.copy()
    set_mask(x, np.ones((4, 5), bool))
    with pytest.warns(UserWarning, match="destroy the mask"):
        y = layers.Flatten()(x)
    assert get_mask(y) is None


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (layers.CategoryEncoding(4, output_mode="one_hot"), [3, 2, 0, 1]),
        (layers.Discretization([0.0, 1.0]), [[-1.5, 0.5], [2.0, 1.0]]),
        (layers.Rescaling(0.5), [[1, 2], [3, 4]]),
        (layers.Normalization(mean=1.0, variance=4.0), [[1.0, 2.0]]),
    ],
)
def test_lists_of_numbers_are_preprocessed(layer, inputs):
    np.testing.assert_array_equal(layer(inputs), layer(np.asarray(inputs)))


@pytest.mark.parametrize("layer", [layers.Dense(2), layers.Flatten(), layers.GlobalMaxPooling2D()])
def test_none_is_no_tensor(layer):
    with pytest.raises(ValueError, match="should be tensors. Got None"):
        layer(None)


def test_a_mask_argument_goes_on():
    x, mask = np.ones((2, 3, 4), "float32"), np.array([[1, 0, 0], [1, 1, 0]], bool)
    inner = layers.LSTM(2, return_sequences=True)
    np.testing.assert_array_equal(get_mask(inner(x, mask=mask)), mask)
    np.testing.assert_array_equal(get_mask(inner(x, None, mask)), mask)
    pooled = layers.GlobalAveragePooling1D()(inner(x, mask=mask))
    np.testing.assert_allclose(pooled, layers.GlobalAveragePooling1D()(inner(x), mask=mask), rtol=1e-6)


def test_normalization_adapts():
    layer = layers.Normalization()
    layer.adapt(X)
    flat = layer(X)
    np.testing.assert_allclose(flat.mean((0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(flat.std((0, 1)), 1, rtol=1e-4)
    batches = layers.Normalization()
    batches.adapt(iter([X[:2], X[2:]]))
    np.testing.assert_allclose(batches(X), flat, rtol=1e-4, atol=1e-5)


def test_discretization_adapts():
    layer = layers.Discretization(num_bins=4)
    with pytest.raises(ValueError, match="adapt"):
        layer(X)
    layer.adapt(np.arange(101.0))
    assert layer.bin_boundaries == [25.0, 50.0, 75.0]
    assert layer(np.array([[0.0, 25.0, 60.0, 99.0]])).tolist() == [[0, 1, 2, 3]]
    twin = layers.deserialize(layers.serialize(layer))
    assert twin.num_bins == 4 and twin.bin_boundaries == layer.bin_boundaries


@rv.saving.register_keras_serializable("tests")
def doubled(x, training=None):
    return x * 2.0 if not training else x


def test_lambda():
    layer = layers.Lambda(doubled)
    np.testing.assert_array_equal(layer(X), X * 2)
    np.testing.assert_array_equal(layer(X, training=True), X)
    assert layers.deserialize(layers.serialize(layer)).function is doubled
    with pytest.raises(ValueError, match="lambda"):
        layers.serialize(layers.Lambda(lambda x: x))
    shaped = layers.Lambda(lambda x: ops.sum(x, -1), output_shape=(5,))
    assert shaped.compute_output_shape((None, 5, 6)) == (None, 5)


def test_wrapper():
    wrapper = layers.Wrapper(layers.Dense(2))
    wrapper.build((None, 3))
    assert wrapper.weights[0].shape == (3, 2)
    assert layers.deserialize(layers.serialize(wrapper)).layer.units == 2


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: layers.Add()(X), "list of at least"),
        (lambda: layers.Subtract()([X, X, X]), "exactly 2"),
        (lambda: layers.Add()([X, X[:, :3]]), "incompatible shapes"),
        (lambda: layers.Concatenate()([X, X[:, :3]]), "matching shapes"),
        (lambda: layers.Dot(axes=0), "batch axis"),
        (lambda: layers.Dot(axes=1)([X, X[:, :3]]), "axis values 5.*3"),
        (lambda: layers.EinsumDense("ab,bc", 3), "Invalid einsum equation"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="d")(X[0]), "Bias dimension 'd'"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, lora_rank=2), "lora_rank"),
        (lambda: layers.Embedding(3, 2, quantization_config=1), "quantization_config"),
        (lambda: layers.BatchNormalization(synchronized=True), "synchronized"),
        (lambda: layers.BatchNormalization(axis=3)(X), "Axis 3"),
        (lambda: layers.GroupNormalization(4)(X), r"\(4\) must be a divisor.*\(6\)"),
        (lambda: layers.LayerNormalization(axis=5)(X), "Axis 5"),
        (lambda: layers.SpectralNormalization(layers.Dense(2), 0), "power_iterations"),
        (lambda: layers.SpectralNormalization(layers.Flatten())(X), "kernel"),
        (lambda: layers.Cropping1D(3)(X), "smaller than the input"),
        (lambda: layers.Cropping2D((1, 2, 3)), "cropping"),
        (lambda: layers.ZeroPadding2D(-1), "padding"),
        (lambda: layers.UpSampling2D(interpolation="bilinear"), "bilinear"),
        (lambda: layers.UpSampling3D(0), "size"),
        (lambda: layers.Normalization(mean=1.0), "variance"),
        (lambda: layers.CategoryEncoding(), "num_tokens"),
        (lambda: layers.Discretization(), "Exactly one"),
        (lambda: layers.Discretization([0.0], output_mode="all"), "output_mode"),
        (
            lambda: layers.Discretization(num_bins=2).adapt([1.0]) or layers.Discretization([0.0]).adapt(X),
            "adapt",
        ),
        (lambda: layers.CategoryEncoding(3, sparse=True), "sparse"),
        (lambda: layers.Wrapper(3), "supported layer"),
        (lambda: layers.TimeDistributed(layers.Dense(2))(X[:, 0]), "at least 3"),
        (lambda: layers.AlphaDropout(1.5), "rate"),
        (lambda: layers.SpatialDropout1D(0.5)(X[0]), "ndim=3"),
    ],
)
def test_refusals(make, match):
    with pytest.raises((ValueError, IndexError), match=match):
        make()
