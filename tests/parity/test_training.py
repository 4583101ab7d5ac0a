"""`fit` against Keras: the same weights, data and order give the same history and weights, to 1e-5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, keras

import ranvier

Make = Callable[[Any], Any]
SGD: Make = lambda m: m.optimizers.SGD(0.1, momentum=0.9)  # noqa: E731
ADAM: Make = lambda m: m.optimizers.Adam(0.01)  # noqa: E731


def data(kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(100, 6)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")
    classes = (x @ w).argmax(-1)
    targets = {
        "real": x @ w,
        "classes": classes,
        "one_hot": np.eye(4, dtype="float32")[classes],
        "binary": (x[:, :1] > 0).astype("float32"),
        "integers": (x[:, 0] > 0).astype("int32"),
    }
    return x, targets[kind]


# Loss, optimizer, activation, targets, metrics, further arguments of fit.
ROWS: list[tuple[Any, Make, str | None, str, list[Any], dict[str, Any]]] = [
    ("mse", SGD, None, "real", ["mae", "mse", "RootMeanSquaredError"], {}),
    ("sparse_categorical_crossentropy", ADAM, "softmax", "classes", ["accuracy"], {}),
    (
        lambda m: m.losses.SparseCategoricalCrossentropy(from_logits=True),
        ADAM,
        None,
        "classes",
        ["acc"],
        {},
    ),
    ("categorical_crossentropy", ADAM, "softmax", "one_hot", ["accuracy", "categorical_accuracy"], {}),
    ("binary_crossentropy", ADAM, "sigmoid", "binary", ["accuracy"], {}),
    ("crossentropy", ADAM, "sigmoid", "integers", ["accuracy"], {}),
    (
        "sparse_categorical_crossentropy",
        ADAM,
        "softmax",
        "classes",
        ["accuracy"],
        {"sample_weight": np.linspace(0, 2, 100)},
    ),
    (
        "sparse_categorical_crossentropy",
        ADAM,
        "softmax",
        "classes",
        ["accuracy"],
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5, 3: 1.0}},
    ),
    (
        "mae",
        lambda m: m.optimizers.RMSprop(m.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)),
        None,
        "real",
        ["mse"],
        {},
    ),
    ("huber", lambda m: m.optimizers.AdamW(0.01, global_clipnorm=0.5), None, "real", ["mape"], {}),
    ("log_cosh", lambda m: m.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), None, "real", [], {}),
    ("mse", lambda m: m.optimizers.SGD(0.1, gradient_accumulation_steps=2), None, "real", [], {}),
]


@pytest.mark.parametrize("penalty", [False, True], ids=["plain", "regularized and constrained"])
@pytest.mark.parametrize(("loss", "optimizer", "activation", "kind", "metrics", "arguments"), ROWS)
def test_fit(
    loss: Any,
    optimizer: Make,
    activation: str | None,
    kind: str,
    metrics: list[Any],
    arguments: dict[str, Any],
    penalty: bool,
) -> None:
    x, y = data(kind)
    outcomes = []
    for module in (ranvier, keras):
        rng = np.random.default_rng(1)
        more = {}
        if penalty:
            more["kernel_regularizer"] = module.regularizers.L1L2(0.001, 0.01)
            more["kernel_constraint"] = module.constraints.MaxNorm(1.0)
        outputs = 1 if kind in ("binary", "integers") else 4
        model = module.Sequential(
            [
                module.Input((6,)),
                module.layers.Dense(8, activation="tanh", **more),
                module.layers.Dense(outputs, activation=activation),
            ]
        )
        model.set_weights([rng.normal(size=w.shape).astype("float32") * 0.5 for w in model.get_weights()])
        chosen = loss(module) if callable(loss) else loss
        model.compile(optimizer(module), chosen, metrics=list(metrics))
        history = model.fit(
            x, y, 20, epochs=4, shuffle=False, verbose=0, validation_data=(x[:30], y[:30]), **arguments
        ).history
        outcomes.append((history, model.get_weights(), model.predict(x, verbose=0)))
    (history, weights, predictions), (their_history, their_weights, their_predictions) = outcomes
    assert set(history) == set(their_history)
    for name, values in their_history.items():
        assert_agrees(history[name], values)
    for ours, theirs in zip(weights, their_weights, strict=True):
        assert_agrees(ours, theirs)
    assert_agrees(predictions, their_predictions)
