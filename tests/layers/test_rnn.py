"""Recurrent layers: against plain NumPy, loops against unrolled, masks, states, dropout, models, errors."""

from __future__ import annotations

import json

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.core.masks import get_mask, set_mask
from ranvier.core.trace import Trace

X = np.random.default_rng(1).normal(size=(3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)
KINDS = pytest.mark.parametrize("kind", [layers.SimpleRNN, layers.LSTM, layers.GRU])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple_step(x, states, kernel, recurrent, bias):
    output = np.tanh(x @ kernel + states[0] @ recurrent + bias)
    return output, [output]


def lstm_step(x, states, kernel, recurrent, bias):
    i, f, c, o = np.split(x @ kernel + states[0] @ recurrent + bias, 4, axis=-1)
    carried = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(c)
    output = sigmoid(o) * np.tanh(carried)
    return output, [output, carried]


def gru_step(x, states, kernel, recurrent, bias):
    a, b = x @ kernel + bias[0], states[0] @ recurrent + bias[1]
    (az, ar, ah), (bz, br, bh) = np.split(a, 3, axis=-1), np.split(b, 3, axis=-1)
    z = sigmoid(az + bz)
    output = z * states[0] + (1 - z) * np.tanh(ah + sigmoid(ar + br) * bh)
    return output, [output]


STEPS = {layers.SimpleRNN: simple_step, layers.LSTM: lstm_step, layers.GRU: gru_step}


def by_hand(kind, weights, backwards=False, mask=None):
    """Outputs in the order of the loop and the last states."""
    states = [np.zeros((3, 3)) for _ in range(2 if kind is layers.LSTM else 1)]
    previous, outputs = np.zeros((3, 3)), []
    for t in reversed(range(5)) if backwards else range(5):
        output, after = STEPS[kind](X[:, t].astype("float64"), states, *weights)
        if mask is not None:
            seen = mask[:, t, None]
            output = np.where(seen, output, previous)
            after = [np.where(seen, new, old) for new, old in zip(after, states, strict=True)]
        previous, states = output, after
        outputs.append(output)
    return np.stack(outputs, axis=1), states


@KINDS
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(kind, backwards, masked, dtype):
    layer = kind(3, return_sequences=True, return_state=True, go_backwards=backwards, dtype=dtype)
    layer.build(X.shape)
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    mask = MASK if masked else None
    outputs, *states = layer(X, mask=mask)
    weights = [w.astype("float64") for w in layer.get_weights()]
    expected, expected_states = by_hand(kind, weights, backwards, mask)
    bound = 1e-5 if dtype == "float32" else 1e-12
    assert outputs.dtype == dtype
    np.testing.assert_allclose(outputs, expected, rtol=bound, atol=bound)
    for got, want in zip(states, expected_states, strict=True):
        np.testing.assert_allclose(got, want, rtol=bound, atol=bound)


@KINDS
@pytest.mark.parametrize("kwargs", [{}, {"return_sequences": True, "go_backwards": True}])
def test_loop_written_out_and_traced_agree(kind, kwargs):
    layer, unrolled = kind(3, **kwargs), kind(3, unroll=True, **kwargs)
    expected = layer(X, mask=MASK)
    unrolled.build(X.shape)
    unrolled.set_weights(layer.get_weights())
    np.testing.assert_array_equal(unrolled(X, mask=MASK), expected)
    with Trace() as trace:
        x = trace.input(X.shape, "float32")
        program = trace.compile([one(x, mask=trace.constant(MASK)) for one in (layer, unrolled)])
    for got in program.run([X]):
        np.testing.assert_array_equal(got, expected)


@KINDS
def test_shapes_and_models(kind):
    layer = kind(3, return_sequences=True, return_state=True)
    real = layer(X)
    x = rv.Input((None, 4))
    symbolic = layer(x)
    assert isinstance(symbolic, tuple) and symbolic[0].shape == (None, None, 3)
    assert [s.shape for s in symbolic[1:]] == [(None, 3)] * (len(real) - 1)
    assert layer.compute_output_shape((None, 5, 4)) == ((None, 5, 3), *[(None, 3)] * (len(real) - 1))
    np.testing.assert_array_equal(rv.Model(x, symbolic[0])(X), real[0])
    start = [rv.Input((3,)) for _ in real[1:]]
    model = rv.Model([x, *start], kind(3, name="reader")(x, initial_state=start))
    assert model([X, *real[1:]]).shape == (3, 3)


@KINDS
def test_config(kind):
    layer = kind(3, dropout=0.1, return_sequences=True, zero_output_for_mask=True, seed=3, name="reader")
    wrapped = layers.Bidirectional(layer, merge_mode="sum")
    stacked = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], go_backwards=True)
    for one in (layer, wrapped, stacked):
        one(X)
        config = json.loads(json.dumps(layers.serialize(one)))
        twin = layers.deserialize(config)
        assert json.loads(json.dumps(layers.serialize(twin)))["config"].keys() == config["config"].keys()
        twin(X)
        twin.set_weights(one.get_weights())
        np.testing.assert_array_equal(twin(X), one(X))
    assert layer.units == 3 and layer.dropout == 0.1 and wrapped.forward_layer.name == "forward_reader"
    assert layers.deserialize(layers.serialize(layer)).get_config() == layer.get_config()


@KINDS
def test_states_are_kept_and_reset(kind):
    layer = kind(3, stateful=True)
    plain = kind(3, return_state=True)
    first = layer(X)
    plain.build(X.shape)
    plain.set_weights(layer.get_weights())
    _, *states = plain(X)
    for _ in range(3):  # in Python and compiled
        expected, *states = plain(X, initial_state=states)
        np.testing.assert_array_equal(layer(X), expected)
    layer.reset_state()
    np.testing.assert_array_equal(layer(X), first)
    assert len(layer.weights) == 3


def test_stateful_model_trains():
    model = rv.Sequential([rv.Input(batch_shape=(3, 5, 4)), layers.LSTM(2, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, np.ones((3, 1), "float32"), epochs=2, batch_size=3, verbose=0)
    assert any(state.numpy().any() for state in model.layers[0].states)
    model.layers[0].reset_state()
    assert not any(state.numpy().any() for state in model.layers[0].states)


def test_carried_masks():
    x = X.copy()
    set_mask(x, MASK)
    sequences, last = layers.GRU(3, return_sequences=True), layers.GRU(3)
    np.testing.assert_array_equal(get_mask(sequences(x)), MASK)
    assert get_mask(last(x)) is None
    np.testing.assert_array_equal(last(x), last(X, mask=MASK))
    outputs = layers.GRU(3, return_sequences=True, zero_output_for_mask=True)(x)
    np.testing.assert_array_equal(outputs.any(-1), MASK)
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=None)(x)
    assert all((get_mask(y) == MASK).all() for y in both)
    last = layers.Bidirectional(layers.GRU(3))
    outputs = last(x)
    np.testing.assert_array_equal(outputs[:, :3], last.forward_layer(X, mask=MASK))
    assert outputs.all()  # what the last step that counts gave, not zeros


@KINDS
def test_dropout(kind):
    layer = kind(3, dropout=0.5, recurrent_dropout=0.5, seed=4, return_sequences=True)
    twin = kind(3, dropout=0.5, recurrent_dropout=0.5, seed=4, return_sequences=True)
    plain = layer(X)
    twin(X)
    twin.set_weights(layer.get_weights())
    first = layer(X, training=True)
    np.testing.assert_array_equal(twin(X, training=True), first)
    assert (first != plain).any() and (layer(X, training=True) != first).any()
    still = kind(3, dropout=1.0, return_sequences=True, bias_initializer="zeros")
    np.testing.assert_array_equal(still(X, training=True), still(np.zeros_like(X)))


def test_bidirectional_reads_both_ways():
    layer = layers.Bidirectional(layers.LSTM(3, return_sequences=True, return_state=True))
    outputs, *states = layer(X)
    forward, backward = layer.forward_layer(X), layer.backward_layer(X)
    np.testing.assert_array_equal(outputs, np.concatenate([forward[0], backward[0][:, ::-1]], axis=-1))
    for got, want in zip(states, (*forward[1:], *backward[1:]), strict=True):
        np.testing.assert_array_equal(got, want)
    assert [tuple(s.shape) for s in layer(rv.Input((5, 4)))] == [(None, 5, 6)] + [(None, 3)] * 4
    again = layers.Bidirectional(layers.LSTM(3), weights=layer.get_weights())
    again(X)
    np.testing.assert_array_equal(again.get_weights()[0], layer.get_weights()[0])
    with pytest.raises(ValueError, match="as many of the"):
        layer(X, initial_state=[states[0]])


class Halving(layers.Layer):
    """A cell of a user's: the state halves and takes the input in."""

    state_size = 4

    def call(self, inputs, states):
        output = states[0] * 0.5 + inputs
        return output, [output]


def test_a_given_backward_layer_is_taken_as_it_is():
    backward = layers.LSTM(2, go_backwards=True, name="mine")
    both = layers.Bidirectional(layers.LSTM(2), backward_layer=backward)
    both(np.ones((1, 3, 4), "float32"))
    assert both.backward_layer is backward
    assert backward.weights[0].path.endswith("mine/lstm_cell/kernel")
    assert not (both.stateful or both.return_state or both.return_sequences)


def test_old_arguments_are_ignored():
    assert layers.LSTM(2, implementation=1).get_config() | {"name": ""} == (
        layers.LSTM(2).get_config() | {"name": ""}
    )
    with pytest.warns(UserWarning, match="input_length"):
        layers.Embedding(3, 2, input_length=5)
    with pytest.warns(UserWarning, match="negative_slope"):
        assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1


def test_custom_cells():
    outputs = layers.RNN(Halving(), return_sequences=True)(X)
    np.testing.assert_allclose(outputs[:, 1], X[:, 0] * 0.5 + X[:, 1], rtol=1e-6)
    stacked = layers.RNN([Halving(), layers.GRUCell(2)])
    assert stacked(X).shape == (3, 2) == stacked.compute_output_shape((3, 5, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LSTM(0), "positive integer"),
        (lambda: layers.GRU(3, dropout=2.0), "dropout=2.0"),
        (lambda: layers.SimpleRNN(3, recurrent_dropout=-1), "recurrent_dropout=-1"),
        (lambda: layers.LSTM(3, use_cudnn=True), "use_cudnn=True"),
        (lambda: layers.GRU(3, use_cudnn="x"), "use_cudnn='x'"),
        (lambda: layers.LSTM(3, time_major=True), "time_major"),
        (lambda: layers.LSTM(3)(X[0]), "expected ndim=3, found ndim=2"),
        (lambda: layers.LSTM(3)(X, initial_state=[X[:, 0, :3]]), "has 2 states"),
        (lambda: layers.GRU(3)(X, initial_state=X[:, 0]), r"shape \(3, 3\)"),
        (lambda: layers.GRU(3, stateful=True)(rv.Input((5, 4))), "must be static"),
        (lambda: layers.RNN(layers.Dense(3)), "state_size"),
        (lambda: layers.RNN(3), "`call` method"),
        (lambda: layers.StackedRNNCells([3]), "`call` method"),
        (lambda: layers.Bidirectional(layers.Dense(3)), "recurrent layers"),
        (lambda: layers.Bidirectional(layers.GRU(3), merge_mode="x"), "merge mode"),
        (lambda: layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3)), "go_backwards"),
        (
            lambda: layers.Bidirectional(
                layers.GRU(3), backward_layer=layers.GRU(3, go_backwards=True, return_sequences=True)
            ),
            "return_sequences",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
