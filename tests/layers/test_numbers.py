"""NumPy's scalars and arrays of rank 0 where a layer asks for a number, and numbers that layers refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.layers.layer_table import ROWS, Row

import ranvier as rv
from ranvier import layers

SEQUENCE = (2, 3, 4)
MORE = [
    Row("Dense", {"units": 3}),
    Row("ReLU", {"max_value": 2.0, "negative_slope": 0.5, "threshold": 0.25}),
    Row("LeakyReLU", {"negative_slope": 0.5}),
    Row("ELU", {"alpha": 0.5}),
    Row("PReLU", {"shared_axes": [1]}, SEQUENCE),
    Row("Reshape", {"target_shape": (2, -1)}, (2, 6)),
    Row("Permute", {"dims": (2, 1)}, SEQUENCE),
    Row("RepeatVector", {"n": 2}),
    Row("Rescaling", {"scale": 2.0, "offset": -1.0}),
    Row("ActivityRegularization", {"l1": 0.5, "l2": 0.25}),
    Row("GaussianNoise", {"stddev": 0.5, "seed": 3}),
    Row("GaussianDropout", {"rate": 0.5, "seed": 3}),
    Row("Discretization", {"num_bins": 3, "epsilon": 0.25}),
    *(Row(n, {"units": 2, "dropout": 0.5, "seed": 1}, SEQUENCE) for n in ("SimpleRNN", "LSTM", "GRU")),
    Row("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "value_dim": 2, "output_shape": 5}),
    Row("MultiHeadAttention", {"num_heads": 1, "key_dim": 1, "attention_axes": (1,), "dropout": 0.5}),
    Row("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}),
]
KINDS = {
    "scalars": lambda value: np.int64(value) if isinstance(value, int) else np.float64(value),
    "narrow scalars": lambda value: np.int32(value) if isinstance(value, int) else np.float32(value),
    "rank 0": np.array,
}


def in_numpy(value, kind):
    """An argument with NumPy's numbers in the place of Python's."""
    if isinstance(value, (list, tuple)) and value[:1] != ("layer",):
        return type(value)(in_numpy(item, kind) for item in value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return KINDS[kind](value) if is_number else value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", [*MORE, *ROWS], ids=lambda row: row.id)
def test_configs_hold_plain_numbers(row, kind):
    rv.utils.clear_session()
    expected = row.make(rv).get_config()
    rv.utils.clear_session()
    config = Row(row.name, {key: in_numpy(v, kind) for key, v in row.args.items()}).make(rv).get_config()
    read = json.loads(json.dumps(config))  # it is JSON: no number is NumPy's
    rounded = json.loads(json.dumps(expected), parse_float=lambda x: pytest.approx(float(x)))
    assert read == rounded


@pytest.mark.parametrize("row", [row for row in ROWS if not row.random], ids=lambda row: row.id)
def test_outputs_are_the_same(row):
    inputs = row.inputs() if isinstance(row.shape, list) else row.inputs()[0]
    results = []
    for args in (row.args, {k: in_numpy(v, "rank 0") for k, v in row.args.items()}):
        rv.utils.set_random_seed(1)
        results.append(rv.tree.flatten(Row(row.name, args).make(rv)(inputs)))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("value", [0, -1, 2.5, "2", True, None, np.float32(2), np.array([2])])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: layers.Dense(n),
        lambda n: layers.Embedding(n, 2),
        lambda n: layers.Embedding(2, n),
        lambda n: layers.ReversibleEmbedding(2, n),
        lambda n: layers.LSTM(n),
        lambda n: layers.GRUCell(n),
        lambda n: layers.MultiHeadAttention(n, 2),
        lambda n: layers.MultiHeadAttention(2, n),
        lambda n: layers.GroupQueryAttention(2, n, 1),
    ],
)
def test_sizes_are_positive_integers(make, value):
    with pytest.raises(ValueError, match="positive integer"):
        make(value)


@pytest.mark.parametrize("value", [-0.1, 1.5, "a", None, float("nan"), np.array([0.5])])
@pytest.mark.parametrize(
    "make",
    [
        lambda rate: layers.Dropout(rate),
        lambda rate: layers.AlphaDropout(rate),
        lambda rate: layers.SpatialDropout1D(rate),
        lambda rate: layers.GaussianDropout(rate),
        lambda rate: layers.GaussianNoise(rate),
        lambda rate: layers.LSTM(2, dropout=rate),
        lambda rate: layers.SimpleRNN(2, recurrent_dropout=rate),
        lambda rate: layers.Attention(dropout=rate),
        lambda rate: layers.MultiHeadAttention(2, 2, dropout=rate),
    ],
)
def test_rates_are_shares(make, value):
    with pytest.raises(ValueError, match=r"between 0 and 1|from 0 up to"):
        make(value)


@pytest.mark.parametrize("value", ["yes", 1, None, np.array([True])])
def test_trainable_is_a_boolean(value):
    with pytest.raises(ValueError, match="`trainable` must be a boolean.*trainable="):
        layers.Dense(2, trainable=value)
    assert layers.Dense(2, trainable=np.bool_(False)).trainable is False


def test_normalization_takes_a_mean_and_a_variance_of_one_shape():
    with pytest.raises(ValueError, match="the same shape"):
        layers.Normalization(mean=1.0, variance=[1.0])


@pytest.mark.parametrize("shape", [(2, 4), (1, 3), (2,)])
def test_time_distributed_checks_its_mask(shape):
    layer = layers.TimeDistributed(layers.Dense(2))
    with pytest.raises(ValueError, match="batch and time axes"):
        layer(np.ones((2, 3, 4), "float32"), mask=np.ones(shape, bool))


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (layers.Add(), [(None, 2), (None, 3)]),
        (layers.Add(), [(None, 2, 3), (None, 4)]),
        (layers.Multiply(), [(2, 3), (4, 3)]),
        (layers.Average(), (None, 2)),
        (layers.Subtract(), [(None, 2)]),
        (layers.Subtract(), [(None, 2)] * 3),
        (layers.Maximum(), []),
        (layers.Concatenate(), [(None, 2), (None, 2, 3)]),
        (layers.Concatenate(axis=1), [(None, 2, 4), (None, 2, 3)]),
        (layers.Concatenate(axis=5), [(None, 2), (None, 2)]),
        (layers.Concatenate(), (None, 2)),
        (layers.Dot(1), [(None, 2), (None, 3)]),
        (layers.Dot(2), [(None, 2), (None, 2)]),
        (layers.Dot(1), [(None, 2)]),
    ],
)
def test_merging_layers_refuse_shapes_when_built(layer, shapes):
    with pytest.raises(ValueError, match="[Ss]hape|input|rank"):
        layer.build(shapes)
    assert not layer.built


def test_renormalization_refuses_limits_that_are_none():
    for clipping in ({"r": 1.0}, {"rmin": 2.0, "rmax": 1.0}, {"dmax": -1.0}):
        with pytest.raises(ValueError, match="renorm_clipping"):
            layers.BatchNormalization(renorm=True, renorm_clipping=clipping)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: layers.GroupNormalization(groups=1.5), ValueError),
        (lambda: layers.GroupNormalization(groups="2"), ValueError),
        (lambda: layers.GroupNormalization(groups=0), ValueError),
        (lambda: layers.UnitNormalization(axis=1.5), TypeError),
        (lambda: layers.UnitNormalization(axis=5)(np.ones((2, 3), "float32")), ValueError),
        (lambda: layers.UnitNormalization(axis=[1, 2])(rv.Input((3,))), ValueError),
        (lambda: layers.LayerNormalization(axis=5)(rv.Input((3,))), ValueError),
        (lambda: layers.Dot(axes="1"), TypeError),
        (lambda: layers.Dot(axes=1.5), TypeError),
        (lambda: layers.Dot(axes=(1, 2, 3)), ValueError),
        (lambda: layers.UpSampling1D(size=1.5), TypeError),
        (lambda: layers.UpSampling1D(size=0), ValueError),
        (lambda: layers.UpSampling2D(size=1.5), ValueError),
        (lambda: layers.RepeatVector("2"), TypeError),
    ],
)
def test_errors_are_of_the_kind_that_keras_raises(make, error):
    with pytest.raises(error, match="Received|out of bounds|integer"):
        make()


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda two: layers.MaxPooling2D(two), (2, 4, 4, 3)),
        (lambda two: layers.AveragePooling2D(2, strides=two), (2, 4, 4, 3)),
        (lambda two: layers.UpSampling2D(two), (2, 4, 4, 3)),
        (lambda two: layers.ZeroPadding2D(two), (2, 4, 4, 3)),
        (lambda two: layers.Cropping1D(two), (2, 4, 4)),
        (lambda two: layers.Softmax(axis=two), (2, 4, 4)),
        (lambda two: layers.LayerNormalization(axis=two), (2, 4, 4)),
        (lambda two: layers.Normalization(axis=two), (2, 4, 4)),
        (lambda two: layers.Dot(axes=two), None),
        (lambda two: layers.Reshape((-1, *two)), (2, 4, 4)),
        (lambda two: layers.Reshape(two), (2, 2)),
    ],
)
@pytest.mark.parametrize(
    "kind", [list, np.array, lambda two: [np.int64(n) for n in two], lambda two: range(1, 3)]
)
def test_several_integers_of_every_kind(make, shape, kind):
    """Keras takes them all."""
    rng = np.random.default_rng(0)
    x = rng.random(shape or (2, 4, 5), "float32")
    inputs = x if shape else [x, rng.random((2, 5, 4), "float32")]
    plain, other = make((1, 2)), make(kind((1, 2)))
    np.testing.assert_array_equal(plain(inputs), other(inputs))
    json.dumps(other.get_config())


def test_a_size_to_be_computed_may_be_none():
    layer = layers.Reshape((None, 3))
    assert layer(np.ones((2, 6))).shape == (2, 2, 3) and layer.target_shape == (-1, 3)
    for wrong in (None, 6, "3", (2.0, 3), (-1, None), (-2, 3)):
        with pytest.raises(ValueError, match="non-negative integers"):
            layers.Reshape(wrong)


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_backwards_is_any_truth(cls):
    x = np.random.default_rng(0).random((2, 4, 3), "float32")
    for yes, no in ((1, 0), (np.True_, np.False_), ("yes", None)):
        layer, other = cls(3, go_backwards=yes), cls(3, go_backwards=no)
        layer(x), other(x)
        other.set_weights(layer.get_weights())
        np.testing.assert_array_equal(layer(x), other(x[:, ::-1]))


def test_a_python_type_is_a_dtype():
    assert layers.Dense(3, dtype=float).dtype == "float32"
