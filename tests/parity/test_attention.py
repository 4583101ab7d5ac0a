"""Attention with heads against Keras: values, gradients, weights after training, names and configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, jax, keras
from tests.parity.test_layers import config_of, without_names

import ranvier
from ranvier.core.trace import Trace

RNG = np.random.default_rng(1)
Q, V, K = (RNG.normal(size=(2, t, d)).astype("float32") for t, d in ((4, 6), (5, 7), (5, 3)))
IMAGE = RNG.normal(size=(2, 3, 4, 6)).astype("float32")
MASK = RNG.random((2, 4, 5)) < 0.7
MASK[..., 0] = True
VALUE_MASK, QUERY_MASK = np.arange(5) < [[3], [5]], np.arange(4) < [[2], [4]]
MULTI: dict[str, Any] = {"num_heads": 2, "key_dim": 3}
GROUP: dict[str, Any] = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
REGULAR = {"kernel_regularizer": "l2", "bias_constraint": "non_neg", "activity_regularizer": "l2"}
ROWS: list[tuple[str, dict[str, Any], tuple[np.ndarray, ...], dict[str, Any]]] = [
    ("MultiHeadAttention", MULTI, (Q, V), {}),
    ("MultiHeadAttention", MULTI | {"value_dim": 4, "use_bias": False}, (Q, V, K), {}),
    ("MultiHeadAttention", MULTI | {"output_shape": (5, 2), "use_gate": True}, (Q, V), {}),
    ("MultiHeadAttention", MULTI | {"sliding_window": 2}, (Q, V), {"use_causal_mask": True}),
    ("MultiHeadAttention", MULTI | REGULAR, (Q, V), {"attention_mask": MASK}),
    ("MultiHeadAttention", MULTI, (Q, V, K), {"value_mask": VALUE_MASK, "query_mask": QUERY_MASK}),
    ("MultiHeadAttention", MULTI, (Q, V), {"key_mask": VALUE_MASK, "attention_mask": MASK[0]}),
    ("MultiHeadAttention", MULTI, (IMAGE, IMAGE), {}),
    ("MultiHeadAttention", MULTI | {"attention_axes": 2}, (IMAGE, IMAGE), {}),
    ("GroupQueryAttention", GROUP, (Q, V, K), {}),
    ("GroupQueryAttention", GROUP | {"use_gate": True, "use_bias": False}, (Q, V), {"attention_mask": MASK}),
    ("GroupQueryAttention", GROUP | REGULAR, (Q, V), {"use_causal_mask": True}),
    ("GroupQueryAttention", GROUP | {"sliding_window": 3, "seed": 2}, (Q, V), {"value_mask": VALUE_MASK}),
    ("GroupQueryAttention", GROUP, (Q, V), {"query_mask": QUERY_MASK, "key_mask": VALUE_MASK}),
]


@pytest.mark.parametrize(("name", "args", "inputs", "kwargs"), ROWS)
def test_values_and_gradients(name: str, args: Any, inputs: Any, kwargs: Any) -> None:
    ours, theirs = (getattr(module.layers, name)(**args) for module in (ranvier, keras))
    for layer in (ours, theirs):
        layer.build(*[x.shape for x in inputs])
    assert without_names(config_of(ours)) == without_names(config_of(theirs))
    mine, other = ([w.path.split("/")[1:] for w in layer.weights] for layer in (ours, theirs))
    assert mine == other
    rng = np.random.default_rng(6)
    weights = [rng.uniform(-1, 1, w.shape).astype("float32") for w in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    results = ours(*inputs, return_attention_scores=True, **kwargs)
    expected = theirs(*inputs, return_attention_scores=True, **kwargs)
    for got, want in zip(results, expected, strict=True):
        assert_agrees(got, np.asarray(want))
    np.testing.assert_allclose(sum(ours.losses), float(sum(theirs.losses)), rtol=1e-5)

    with Trace() as trace:
        tensors = [trace.input(x.shape, "float32") for x in inputs]
        total = ranvier.ops.sum(ranvier.ops.sin(ours(*tensors, **kwargs)))
        found = trace.gradients(total, [*tensors, *ours.trainable_variables])
        program = trace.compile(found)

    def loss(xs: Any, values: Any) -> Any:
        # With the scores asked for, Keras takes the plain way, which has no quarrel with `value_dim`.
        y, _ = theirs.stateless_call(values, [], *xs, return_attention_scores=True, **kwargs)
        return keras.ops.sum(keras.ops.sin(y[0]))

    values = [v.value for v in theirs.trainable_variables]
    by_inputs, by_weights = jax.grad(loss, argnums=(0, 1))([jax.numpy.asarray(x) for x in inputs], values)
    # A bias of the keys moves all the scores of a query alike: its gradient is what rounding leaves of terms
    # as large as the others' gradients.
    wanted = [np.asarray(g) for g in (*by_inputs, *by_weights)]
    largest = max(np.abs(want).max() for want in wanted)
    for got, want in zip(program.run(list(inputs)), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=3e-5, atol=1e-5 * largest)


@pytest.mark.parametrize(("name", "args"), [("MultiHeadAttention", MULTI), ("GroupQueryAttention", GROUP)])
def test_weights_after_training(name: str, args: Any) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(24, 4, 6)).astype("float32"), rng.normal(size=(24, 1)).astype("float32")
    found = []
    for module in (ranvier, keras):
        inputs = module.Input((4, 6))
        hidden = getattr(module.layers, name)(**args)(inputs, inputs, use_causal_mask=True)
        outputs = module.layers.Dense(1)(module.layers.Flatten()(hidden))
        model = module.Model(inputs, outputs)
        rng = np.random.default_rng(8)
        model.set_weights([rng.uniform(-0.5, 0.5, w.shape).astype("float32") for w in model.weights])
        model.compile(module.optimizers.SGD(0.05), "mse")
        model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0)
        found.append((model.get_weights(), model.predict(x, verbose=0)))
    for got, want in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-6)
    assert_agrees(found[0][1], found[1][1])
