"""Names, signatures, defaults and configs against Keras: every public name of the namespaces below."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import keras

import ranvier
from ranvier.core import scope

NAMESPACES = [
    "activations", "constraints", "dtype_policies", "initializers", "losses", "metrics", "mixed_precision",
    "optimizers", "optimizers.schedules", "regularizers",
]  # fmt: skip


def resolve(package: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        package = getattr(package, part)
    return package


def public(namespace: str) -> list[str]:
    module = resolve(keras, namespace)
    return [n for n in dir(module) if not n.startswith("_") and callable(getattr(module, n))]


NAMES = [(namespace, name) for namespace in NAMESPACES for name in public(namespace)]
# Where ours takes more, or says more exactly what Keras takes by **kwargs.
WIDER = {
    ("dtype_policies", "FloatDTypePolicy"),
    ("dtype_policies", "QuantizedFloat8DTypePolicy"),
}


def parameters(obj: Any) -> list[tuple[str, Any]]:
    found = inspect.signature(obj).parameters.values()
    return [(p.name, _plain(p.default)) for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _plain(default: Any) -> Any:
    return float(default) if isinstance(default, (int, float)) and not isinstance(default, bool) else default


@pytest.mark.parametrize(("namespace", "name"), NAMES, ids=[f"{space}.{name}" for space, name in NAMES])
def test_signatures(namespace: str, name: str) -> None:
    theirs = getattr(resolve(keras, namespace), name)
    ours = getattr(resolve(ranvier, namespace), name)
    assert isinstance(ours, type) == isinstance(theirs, type)
    if (namespace, name) not in WIDER:
        wanted = parameters(theirs)
        assert parameters(ours)[: len(wanted)] == wanted
        # What ours takes besides may not come without a default.
        assert all(default is not inspect.Parameter.empty for _, default in parameters(ours)[len(wanted) :])


TOP_LEVEL = sorted(
    name
    for name, value in vars(keras).items()
    if not name.startswith("_") and callable(value) and not inspect.ismodule(value)
)


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_top_level(name: str) -> None:
    """Every name is there, and takes at least the arguments that Keras's names."""
    theirs, ours = getattr(keras, name), getattr(ranvier, name)
    takes_any = any(
        p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(ours).parameters.values()
    )
    assert takes_any or dict(parameters(theirs)).keys() <= dict(parameters(ours)).keys()


# What a class cannot be made without.
REQUIRED: dict[str, dict[str, Any]] = {
    "AWQDTypePolicy": {"mode": "awq/4/128"},
    "CosineDecay": {"initial_learning_rate": 0.5, "decay_steps": 10},
    "CosineDecayRestarts": {"initial_learning_rate": 0.5, "first_decay_steps": 10},
    "ExponentialDecay": {"initial_learning_rate": 0.5, "decay_steps": 10, "decay_rate": 0.5},
    "GPTQDTypePolicy": {"mode": "gptq/4/128", "source_name": "float32"},
    "Int4DTypePolicy": {"mode": "int4/64"},
    "InverseTimeDecay": {"initial_learning_rate": 0.5, "decay_steps": 10, "decay_rate": 0.5},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PiecewiseConstantDecay": {"boundaries": [1, 2], "values": [0.5, 0.25, 0.125]},
    "PolynomialDecay": {"initial_learning_rate": 0.5, "decay_steps": 10},
    "PrecisionAtRecall": {"recall": 0.5},
    "QuantizedDTypePolicy": {"mode": "int8"},
    "QuantizedFloat8DTypePolicy": {"mode": "float8"},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}
# Bases and what is made of other objects; the latter are compared where they are exchanged.
WITHOUT = {
    "LearningRateSchedule", "LossScaleOptimizer", "MeanMetricWrapper", "MultiOptimizer", "Optimizer",
    "OptimizerMap", "Regularizer",
}  # fmt: skip
# Arguments that Keras leaves out of its configs, so that they are lost.
LOST: dict[str, set[str]] = {
    "CosineSimilarity": {"axis"},
    "Huber": {"delta"},
    "Identity": {"gain"},
    "SparseCategoricalCrossentropy": {"axis"},
    "SparseTopKCategoricalAccuracy": {"from_sorted_ids"},
}
CLASSES = [
    (namespace, name)
    for namespace, name in NAMES
    if isinstance(getattr(resolve(keras, namespace), name), type) and name not in WITHOUT
]


@pytest.mark.parametrize(("namespace", "name"), CLASSES, ids=[f"{space}.{name}" for space, name in CLASSES])
def test_default_configs(namespace: str, name: str) -> None:
    """The same keys in the same order, the same values, and the same default names."""
    configs = []
    for module, reset in ((ranvier, scope.reset_uids), (keras, keras.backend.clear_session)):
        reset()
        made = getattr(resolve(module, namespace), name)(**REQUIRED.get(name, {}))
        configs.append(made.get_config())
    ours, theirs = configs
    lost = LOST.get(type(made).__name__, set())
    assert [(k, plain(v)) for k, v in ours.items() if k not in lost or k in theirs] == [
        (k, plain(v)) for k, v in theirs.items()
    ]


def plain(value: Any) -> Any:
    """A value of a config as JSON has it, numbers as float32: Keras keeps some of them so."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return float(np.float32(value)) if type(value) in (int, float) else value
