"""Attention with heads: against plain NumPy, masks, shapes, models, errors."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.core.masks import get_mask, set_mask
from ranvier.core.trace import Trace

RNG = np.random.default_rng(1)
Q, V, K = (RNG.normal(size=(2, t, d)).astype("float32") for t, d in ((4, 6), (5, 7), (5, 3)))


def multi(**kwargs):
    return layers.MultiHeadAttention(num_heads=2, key_dim=3, **kwargs)


def group(**kwargs):
    return layers.GroupQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2, **kwargs)


BOTH = pytest.mark.parametrize("make", [multi, group])


def by_hand(layer, query, value, key):
    """Outputs and weights in float64, one head at a time."""
    kernels = {w.path.split("/", 1)[1]: w.numpy().astype("float64") for w in layer.weights}

    def heads(x, name):
        return np.einsum("btx,xhd->bhtd", x, kernels[f"{name}/kernel"]) + kernels[f"{name}/bias"][:, None]

    q, k, v = heads(query, "query"), heads(key, "key"), heads(value, "value")
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    scores = np.exp(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))
    weights = scores / scores.sum(-1, keepdims=True)
    kernel, bias = kernels["attention_output/kernel"], kernels["attention_output/bias"]
    return np.einsum("bhtd,hdx->btx", weights @ v, kernel) + bias, weights


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(make, dtype):
    layer = make(dtype=dtype)
    layer.build(Q.shape, V.shape, K.shape)
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    outputs, weights = layer(Q, V, K, return_attention_scores=True)
    assert outputs.dtype == weights.dtype == dtype
    expected = by_hand(layer, Q, V, K)
    bound = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(outputs, expected[0], rtol=bound, atol=bound)
    np.testing.assert_allclose(weights, expected[1], rtol=bound, atol=bound)
    np.testing.assert_array_equal(layer(Q, V, K), outputs)


@BOTH
def test_traced_is_eager(make):
    layer = make(use_gate=True)
    expected = layer(Q, V, K, use_causal_mask=True)
    with Trace() as trace:
        tensors = [trace.input(x.shape, "float32") for x in (Q, V, K)]
        program = trace.compile([layer(*tensors, use_causal_mask=True)])
    np.testing.assert_array_equal(program.run([Q, V, K])[0], expected)


@BOTH
@pytest.mark.parametrize("scores", [False, True])
def test_shapes(make, scores):
    layer = make()
    real = layer(Q, V, return_attention_scores=scores)
    inputs = [rv.Input(x.shape[1:]) for x in (Q, V)]
    symbolic = layer(*inputs, return_attention_scores=scores)
    for got, want in zip(symbolic, real, strict=True) if scores else [(symbolic, real)]:
        assert got.shape == (None, *want.shape[1:]) and got.dtype == want.dtype
    assert layer.compute_output_shape((None, 4, 6), (None, 5, 7)) == (None, 4, 6)
    model = rv.Model(inputs, symbolic)
    found = model([Q, V])
    np.testing.assert_array_equal(found[0] if scores else found, real[0] if scores else real)


@pytest.mark.parametrize(
    ("kwargs", "shape", "scores"),
    [
        ({"output_shape": 7}, (2, 4, 7), (2, 2, 4, 5)),
        ({"output_shape": (7, 2)}, (2, 4, 7, 2), (2, 2, 4, 5)),
        ({"value_dim": 5, "use_gate": True}, (2, 4, 6), (2, 2, 4, 5)),
    ],
)
def test_output_shape(kwargs, shape, scores):
    layer = multi(**kwargs)
    outputs, weights = layer(Q, V, return_attention_scores=True)
    assert outputs.shape == shape == layer.compute_output_shape(Q.shape, V.shape)
    assert weights.shape == scores


@pytest.mark.parametrize(
    ("axes", "scores"), [(None, (2, 2, 3, 4, 3, 4)), (2, (2, 3, 2, 4, 4)), ((-3,), (2, 4, 2, 3, 3))]
)
def test_attention_axes(axes, scores):
    x = RNG.normal(size=(2, 3, 4, 6)).astype("float32")
    layer = multi(attention_axes=axes)
    symbolic = layer(rv.Input(x.shape[1:]), rv.Input(x.shape[1:]), return_attention_scores=True)
    outputs, weights = layer(x, x, return_attention_scores=True)
    assert outputs.shape == x.shape and weights.shape == scores
    assert symbolic[1].shape == (None, *scores[1:])
    rows = weights.reshape(*scores[: -2 if axes is None else -1], -1)
    np.testing.assert_allclose(rows.sum(-1), np.ones_like(rows[..., 0]), rtol=1e-6)


@BOTH
def test_config(make):
    layer = make(use_bias=False, seed=3, dropout=0.5, sliding_window=2, activity_regularizer="l2")
    layer(Q, V)
    config = json.loads(json.dumps(layers.serialize(layer)))
    twin = layers.deserialize(config)
    twin.set_weights(layer.get_weights())
    assert json.loads(json.dumps(layers.serialize(twin)))["config"] == config["config"]
    np.testing.assert_array_equal(twin(Q, V), layer(Q, V))


def lower(n, m):
    return np.tril(np.ones((n, m), bool))


@BOTH
@pytest.mark.parametrize(
    ("kwargs", "allowed"),
    [
        ({"use_causal_mask": True}, lower(4, 5)),
        ({"attention_mask": lower(4, 5)[::-1].copy()}, lower(4, 5)[::-1]),
        ({"attention_mask": np.repeat(lower(4, 5)[None], 2, 0)}, lower(4, 5)),
        ({"value_mask": np.array([[True, True, False, True, False]] * 2)}, [1, 1, 0, 1, 0]),
        (
            {"key_mask": np.array([[True, False, True, True, True]] * 2), "use_causal_mask": True},
            lower(4, 5) & [True, False, True, True, True],
        ),
    ],
)
def test_masks(make, kwargs, allowed):
    weights = make()(Q, V, return_attention_scores=True, **kwargs)[1]
    assert ((weights > 0) == np.broadcast_to(np.asarray(allowed, bool), weights.shape)).all()
    np.testing.assert_allclose(weights.sum(-1), np.ones(weights.shape[:-1]), rtol=1e-6)


@BOTH
def test_sliding_window(make):
    weights = make(sliding_window=2)(V, V, return_attention_scores=True)[1]
    near = np.abs(np.arange(5)[:, None] - np.arange(5)) < 2
    assert ((weights > 0) == near).all()


@BOTH
def test_carried_masks(make):
    query, value = Q.copy(), V.copy()
    query_mask, value_mask = np.arange(4) < [[2], [3]], np.arange(5) < [[3], [5]]
    set_mask(query, query_mask)
    set_mask(value, value_mask)
    layer = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs = layer(query, value)
    np.testing.assert_array_equal(get_mask(outputs), query_mask)
    np.testing.assert_array_equal(outputs, layer(Q, V, value_mask=value_mask, query_mask=query_mask))


def test_group_query_mask_zeroes_weights():
    query_mask = np.arange(4) < [[2], [3]]
    weights = group()(Q, V, query_mask=query_mask, return_attention_scores=True)[1]
    np.testing.assert_array_equal(weights.any(-1), np.repeat(query_mask[:, None], 4, 1))


@BOTH
def test_dropout_is_seeded_and_only_in_training(make):
    a, b = (make(dropout=0.5, seed=4) for _ in range(2))
    a(Q, V), b(Q, V)
    b.set_weights(a.get_weights())
    first = a(Q, V, training=True)
    np.testing.assert_array_equal(first, b(Q, V, training=True))
    assert (first != a(Q, V)).any() and (first != a(Q, V, training=True)).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.MultiHeadAttention(0, 3), "num_heads=0"),
        (lambda: layers.MultiHeadAttention(2, 1.5), "key_dim=1.5"),
        (lambda: multi(value_dim=-1), "value_dim=-1"),
        (lambda: multi(dropout=-1.0), "dropout=-1"),
        (lambda: multi(sliding_window=0), "sliding_window=0"),
        (lambda: multi(output_shape="a"), "output_shape=a"),
        (lambda: multi(attention_axes="a"), "attention_axes=a"),
        (lambda: multi(flash_attention=True), "flash_attention=True"),
        (lambda: group(flash_attention=True), "flash_attention=True"),
        (lambda: layers.GroupQueryAttention(3, 4, 3), "must be divisible"),
        (lambda: layers.GroupQueryAttention(3, 4, 0), "num_key_value_heads=0"),
        (lambda: layers.Attention(score_mode="x"), "Received: .x."),
        (lambda: layers.Attention(dropout=2.0), "dropout=2.0"),
        (lambda: multi()(Q, V, K[:, :3]), "`value` and `key`"),
        (lambda: multi()(Q[0], V), "same number of axes"),
        (lambda: multi(attention_axes=2)(Q, V), "attention_axes"),
        (lambda: group()(Q[None], V[None]), r"\(batch, length, features\)"),
        (lambda: multi()(V[None], V[None], use_causal_mask=True), "use_causal_mask"),
        (lambda: multi()(Q, V, attention_mask=np.ones((3, 3), bool)), "broadcastable"),
        (lambda: layers.Attention()(Q), "inputs as a list"),
        (lambda: layers.Attention()([Q]), "received 1"),
        (lambda: layers.Attention()([Q, Q], mask=[None]), "received 1"),
        (lambda: layers.Attention()([Q, Q], mask=np.ones((2, 4), bool)), "masks as a list"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("cls", [layers.Attention, layers.AdditiveAttention])
def test_attention_weights_and_causality(cls):
    layer = cls()
    outputs, weights = layer([Q, Q], return_attention_scores=True, use_causal_mask=True)
    assert ((weights > 0) == lower(4, 4)).all()
    np.testing.assert_allclose(outputs, weights @ Q, rtol=1e-5, atol=1e-6)
    symbolic = layer([rv.Input((4, 6))] * 2, return_attention_scores=True)
    assert [x.shape for x in symbolic] == [(None, 4, 6), (None, 4, 4)]


def test_names_are_those_of_the_class_inside_keras() -> None:
    rv.utils.clear_session()
    make = [lambda cls=cls: cls(4, 2, 1) for cls in (layers.GroupQueryAttention, OwnGroups)]
    assert [m().name for m in make * 2] == [
        "grouped_query_attention",
        "own_groups",
        "grouped_query_attention_1",
        "own_groups_1",
    ]


class OwnGroups(layers.GroupQueryAttention):
    """A subclass has a name of its own."""
