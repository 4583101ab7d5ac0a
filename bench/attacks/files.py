#!/usr/bin/env python3
"""Damaged files: each is read, or refused with a documented error, and no model is left half changed.

examples:
  python bench/attacks/files.py                          100,000 files
  python bench/attacks/files.py --count 2000             the short form
  python bench/attacks/files.py --seed 3 --only 1234     one case again, with its traceback

A case takes a good file (models of several architectures, with the states of their optimizers), damages it
(see mutations.py), and loads it: as a model, or as weights into a model. If the file is refused, that model's
variables are compared bit by bit with what they were.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutations
import numpy as np
import victim

import ranvier as rv

L = rv.layers
HALF_CHANGED = "half-changed model"
DOCUMENTED = (ValueError, TypeError, OSError)


@rv.saving.register_keras_serializable("attacks")
class Table(L.Layer):
    """A layer that saves its variables in a format of its own."""

    def build(self, input_shape: Any) -> None:
        self.words = self.add_weight(shape=(3,), name="words")
        self.scale = self.add_weight(shape=(), name="scale")

    def call(self, x: Any) -> Any:
        return x * self.words[0] * self.scale

    def save_own_variables(self, store: Any) -> None:
        store["words"], store["scale"] = self.words.numpy(), self.scale.numpy()

    def load_own_variables(self, store: Any) -> None:
        self.words.assign(store["words"])
        self.scale.assign(store["scale"])


def dense() -> Any:
    return rv.Sequential([
        rv.Input((4,)), L.Dense(6, "relu", kernel_regularizer="l2"), L.BatchNormalization(),
        L.Dropout(0.3, seed=2), L.Dense(2, "softmax"),
    ])  # fmt: skip


def graph() -> Any:
    x = rv.Input((4,), name="x")
    shared = L.Dense(4, name="shared", kernel_initializer=rv.initializers.GlorotUniform(3))
    inner = rv.Sequential([rv.Input((4,)), Table(), L.Dense(3)], name="inner")
    y = L.Concatenate()([inner(shared(x)), rv.ops.tanh(shared(shared(x))), x * 2.0])
    return rv.Model({"x": x}, [L.Dense(2)(y), L.Activation("sigmoid")(y)])


def recurrent() -> Any:
    return rv.Sequential([
        rv.Input((5, 3)), L.Masking(), L.Bidirectional(L.LSTM(2, return_sequences=True)),
        L.TimeDistributed(L.Dense(2)), L.GRU(3, unroll=True), L.Dense(1),
    ])  # fmt: skip


def attention() -> Any:
    x = rv.Input((6,), dtype="int32")
    y = L.Embedding(9, 4)(x)
    y = L.LayerNormalization()(y + L.MultiHeadAttention(2, 2)(y, y))
    return rv.Model(x, L.Dense(2)(L.Flatten()(y)))


def reshaped() -> Any:
    return rv.Sequential([
        rv.Input((8, 4)), L.Normalization(mean=[0.0, 1, 2, 3], variance=[1.0, 2, 3, 4]), L.MaxPooling1D(2),
        L.Permute((2, 1)), L.Reshape((2, 8)), L.GlobalAveragePooling1D(), L.UnitNormalization(),
        L.RepeatVector(2), L.Flatten(), L.Dense(1),
    ])  # fmt: skip


MODELS: dict[Callable[[], Any], Callable[[], dict[str, Any]]] = {
    dense: lambda: {
        "optimizer": rv.optimizers.Adam(rv.optimizers.schedules.CosineDecay(0.1, 100), ema_momentum=0.9),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy", rv.metrics.SparseTopKCategoricalAccuracy(1)],
    },
    graph: lambda: {
        "optimizer": rv.optimizers.SGD(0.1, momentum=0.9, clipnorm=1.0),
        "loss": ["mse", rv.losses.BinaryCrossentropy(from_logits=True)],
        "loss_weights": [1.0, 0.5],
    },
    recurrent: lambda: {"optimizer": rv.optimizers.LossScaleOptimizer(rv.optimizers.SGD()), "loss": "mae"},
    attention: lambda: {"optimizer": "rmsprop", "loss": "huber", "metrics": [rv.metrics.AUC(20)]},
    reshaped: lambda: {"optimizer": "lamb", "loss": "mse", "weighted_metrics": ["mae"]},
}


@dataclass
class Victim:
    """A model, its variables, their first values, and what is in its files."""

    name: str
    model: Any
    whole: bytes
    weights: bytes

    def __post_init__(self) -> None:
        model = self.model
        self.variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        self.values = [variable.numpy() for variable in self.variables]

    def changed(self) -> list[str]:
        """The paths of the variables that are not what they were."""
        pairs = zip(self.variables, self.values, strict=True)
        changed = [v.path for v, value in pairs if v.numpy().tobytes() != value.tobytes()]
        model = self.model
        count = len(model.variables) + len(model.optimizer.variables) + len(model.metrics_variables)
        return changed if count == len(self.variables) else [*changed, f"{count} variables"]

    def restore(self) -> None:
        """Gives the variables their first values."""
        for variable, value in zip(self.variables, self.values, strict=True):
            variable.assign(value)


def prepare() -> list[Victim]:
    """The models, with values of their own in every variable, and their files."""
    rv.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    victims = []
    for make, arguments in MODELS.items():
        model = make()
        model.compile(**arguments())
        model.optimizer.build(model.trainable_variables)
        for variable in [*model.variables, *model.optimizer.variables]:
            variable.assign(rng.integers(0, 9, variable.shape).astype(variable.dtype))
        model.save("good.keras")
        model.save_weights("good.weights.h5")
        whole, weights = Path("good.keras").read_bytes(), Path("good.weights.h5").read_bytes()
        victims.append(Victim(make.__name__, model, whole, weights))
        for variable in victims[-1].variables:
            variable.assign(rng.integers(9, 99, variable.shape).astype(variable.dtype))
        victims[-1].__post_init__()
    return victims


def attack(victims: list[Victim], case: victim.Case) -> None:
    """Damages a file and loads it."""
    rng = case.rng
    chosen = rng.choice(victims)
    kind = rng.choice(("model", "weights", "weights of a model"))
    if kind == "weights":
        content, words = mutations.hdf5(chosen.weights, rng)
    else:
        content, words = mutations.archive(chosen.whole, rng)
    path = "damaged.weights.h5" if kind == "weights" else "damaged.keras"
    skip_mismatch = kind != "model" and rng.random() < 0.3
    case.note(f"{chosen.name}, {kind}{', skip_mismatch' * skip_mismatch}: {words}")
    Path(path).write_bytes(content)
    if kind == "model":
        rv.models.load_model(path, compile=rng.random() < 0.8)
        return
    try:
        chosen.model.load_weights(path, skip_mismatch=skip_mismatch)
    except BaseException as error:
        if changed := chosen.changed():
            chosen.restore()
            raise victim.Fault(HALF_CHANGED, f"{', '.join(changed)[:200]} after {error}"[:400]) from error
        raise
    chosen.restore()


ATTACK = victim.Attack("damaged files", prepare, attack, DOCUMENTED, faults=(HALF_CHANGED,), batch=500)

if __name__ == "__main__":
    sys.exit(victim.main(ATTACK))
