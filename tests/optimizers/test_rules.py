"""Every optimizer against its rule in NumPy over 20 steps, at once and as a trace; configs and slots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.optimizers import rules

from ranvier import optimizers
from ranvier.core import scope
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable

SHAPES = [(4, 3), (3,)]
STEPS = 20

# Class, arguments beside the learning rate, rule.
ROWS: list[tuple[str, dict[str, Any], Any]] = [
    ("SGD", {}, rules.sgd),
    ("SGD", {"momentum": 0.9}, rules.sgd),
    ("SGD", {"momentum": 0.9, "nesterov": True}, rules.sgd),
    ("RMSprop", {}, rules.rmsprop),
    ("RMSprop", {"rho": 0.8, "momentum": 0.5}, rules.rmsprop),
    ("RMSprop", {"centered": True, "momentum": 0.5, "epsilon": 1e-3}, rules.rmsprop),
    ("Adagrad", {}, rules.adagrad),
    ("Adagrad", {"initial_accumulator_value": 0.5, "epsilon": 1e-2}, rules.adagrad),
    ("Adadelta", {}, rules.adadelta),
    ("Adadelta", {"rho": 0.8, "epsilon": 1e-4}, rules.adadelta),
    ("Adam", {}, rules.adam),
    ("Adam", {"amsgrad": True, "beta_1": 0.5, "beta_2": 0.8}, rules.adam),
    ("Adam", {"epsilon": 1e-2}, rules.adam),
    ("AdamW", {}, rules.adam),
    ("Adamax", {}, rules.adamax),
    ("Adamax", {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 1e-2}, rules.adamax),
    ("Nadam", {}, rules.nadam),
    ("Nadam", {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 1e-2}, rules.nadam),
    ("Lion", {}, rules.lion),
    ("Lion", {"beta_1": 0.5, "beta_2": 0.8}, rules.lion),
    ("Lamb", {}, rules.lamb),
    ("Lamb", {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 1e-2}, rules.lamb),
    ("Adafactor", {}, rules.adafactor),
    (
        "Adafactor",
        {
            "beta_2_decay": -0.5,
            "epsilon_1": 1e-3,
            "epsilon_2": 0.5,
            "clip_threshold": 0.5,
            "relative_step": False,
        },
        rules.adafactor,
    ),
    ("Muon", {}, rules.muon),
    ("Muon", {"nesterov": False, "ns_steps": 3, "rms_rate": None, "momentum": 0.5}, rules.muon),
    (
        "Muon",
        {
            "adam_beta_1": 0.5,
            "adam_beta_2": 0.8,
            "adam_lr_ratio": 0.5,
            "muon_a": 1.875,
            "muon_b": -1.25,
            "muon_c": 0.375,
        },
        rules.muon,
    ),
    ("ScheduleFreeAdamW", {}, rules.schedule_free_adamw),
    (
        "ScheduleFreeAdamW",
        {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 1e-2, "warmup_steps": 7},
        rules.schedule_free_adamw,
    ),
    ("Ftrl", {}, rules.ftrl),
    (
        "Ftrl",
        {
            "learning_rate_power": -0.4,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.1,
        },
        rules.ftrl,
    ),
]
IDS = [f"{name}-{kwargs}" for name, kwargs, _ in ROWS]


def make(dtype: str) -> tuple[list[Variable], list[list[np.ndarray]]]:
    """Variables, and for every step their gradients: of both signs and of changing size."""
    rng = np.random.default_rng(4)
    variables = [Variable(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]
    grads = [[(rng.normal(size=s) * (0.1 + k % 3)).astype(dtype) for s in SHAPES] for k in range(STEPS)]
    return variables, grads


def run(optimizer: optimizers.Optimizer, dtype: str, traced: bool) -> list[np.ndarray]:
    """The variables after all steps."""
    variables, grads = make(dtype)
    optimizer.build(variables)
    if traced:
        with Trace() as trace:
            optimizer.apply([trace.input(v.shape, v.dtype) for v in variables], variables)
            program = trace.compile([])
        for step in grads:
            program.run(step)
    else:
        for step in grads:
            optimizer.apply(step, variables)
    assert int(optimizer.iterations) == STEPS
    return [v.numpy() for v in variables]


@pytest.mark.parametrize(("name", "kwargs", "rule"), ROWS, ids=IDS)
@pytest.mark.parametrize("rate", [None, 0.1], ids=["default", "0.1"])
def test_rules(name: str, kwargs: dict[str, Any], rule: Any, rate: float | None) -> None:
    config = kwargs if rate is None else {"learning_rate": rate, **kwargs}
    cls = getattr(optimizers, name)
    rate = float(cls(**config).learning_rate)  # as rounded to float32
    decay = rate * (cls().weight_decay or 0.0)
    variables, grads = make("float64")
    expected = []
    for i, variable in enumerate(variables):
        step, value = rule(lr=rate, **kwargs), variable.numpy()
        for t in range(STEPS):
            value = step(value * (1 - decay), grads[t][i], t + 1)
        expected.append(value)
    for value, want in zip(run(cls(**config), "float64", False), expected, strict=True):
        np.testing.assert_allclose(value, want, rtol=1e-6, atol=1e-8)
    # In float32 single rounding errors add up over 20 steps; Lion's sign may not turn, and no mean is near 0.
    eager = run(cls(**config), "float32", False)
    for value, want in zip(eager, expected, strict=True):
        np.testing.assert_allclose(value, want, rtol=1e-4, atol=1e-5)
    for value, want in zip(run(cls(**config), "float32", True), eager, strict=True):
        np.testing.assert_array_equal(value, want)


def test_every_optimizer_has_a_row() -> None:
    classes = {n for n in optimizers.__all__ if isinstance(getattr(optimizers, n), type)}
    wrappers = {"LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"}  # see test_wrappers.py
    assert classes - {"Optimizer"} - wrappers == {name for name, *_ in ROWS}


COMMON = {
    "name": "mine",
    "learning_rate": 0.5,
    "weight_decay": 0.25,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": 0.125,
    "use_ema": True,
    "ema_momentum": 0.75,
    "ema_overwrite_frequency": 3,
    "loss_scale_factor": 2.0,
    "gradient_accumulation_steps": 2,
}


@pytest.mark.parametrize(("name", "kwargs", "rule"), ROWS, ids=IDS)
def test_configs(name: str, kwargs: dict[str, Any], rule: Any) -> None:
    cls = getattr(optimizers, name)
    optimizer = cls(**COMMON, **kwargs)
    config = optimizer.get_config()
    assert {**config, **COMMON, **kwargs} == config
    saved = optimizers.serialize(optimizer)
    assert (saved["module"], saved["class_name"]) == ("keras.optimizers", name)
    again = optimizers.deserialize(saved)
    assert type(again) is cls
    assert again.get_config() == config


# Class, arguments, slots in Keras's order, default name.
SLOTS = [
    ("SGD", {}, [], "sgd"),
    ("SGD", {"momentum": 0.9}, ["k_momentum", "b_momentum"], "sgd"),
    ("RMSprop", {}, ["k_velocity", "b_velocity"], "rm_sprop"),
    (
        "RMSprop",
        {"momentum": 0.9, "centered": True},
        [
            "k_velocity",
            "b_velocity",
            "k_momentum",
            "b_momentum",
            "k_average_gradient",
            "b_average_gradient",
        ],
        "rm_sprop",
    ),
    ("Adagrad", {}, ["k_accumulator", "b_accumulator"], "adagrad"),
    (
        "Adadelta",
        {},
        [
            "k_accumulated_grad",
            "k_accumulated_delta_var",
            "b_accumulated_grad",
            "b_accumulated_delta_var",
        ],
        "adadelta",
    ),
    ("Adam", {}, ["k_momentum", "k_velocity", "b_momentum", "b_velocity"], "adam"),
    (
        "AdamW",
        {"amsgrad": True},
        ["k_momentum", "k_velocity", "b_momentum", "b_velocity", "k_velocity_hat", "b_velocity_hat"],
        "adam_w",
    ),
    ("Adamax", {}, ["k_momentum", "k_norm", "b_momentum", "b_norm"], "adamax"),
    ("Nadam", {}, ["k_momentum", "k_velocity", "b_momentum", "b_velocity", "u_product"], "nadam"),
    ("Lion", {}, ["k_momentum", "b_momentum"], "lion"),
    ("Lamb", {}, ["k_momentum", "k_velocity", "b_momentum", "b_velocity"], "lamb"),
    (
        "ScheduleFreeAdamW",
        {},
        ["k_momentum", "k_velocity", "b_momentum", "b_velocity"],
        "schedule_free_adam_w",
    ),
    ("Muon", {}, ["k_momentum", "b_momentum", "b_velocity"], "muon"),
    ("Ftrl", {}, ["k_accumulator", "k_linear", "b_accumulator", "b_linear"], "ftrl"),
    (
        "SGD",
        {"momentum": 0.9, "use_ema": True, "gradient_accumulation_steps": 2},
        [
            "k_average",
            "b_average",
            "k_gradient_accumulator",
            "b_gradient_accumulator",
            "k_momentum",
            "b_momentum",
        ],
        "sgd",
    ),
]


@pytest.mark.parametrize(("name", "kwargs", "slots", "default"), SLOTS)
def test_slots(name: str, kwargs: dict[str, Any], slots: list[str], default: str) -> None:
    scope.reset_uids()
    with scope.name_scope("d"):
        variables = [Variable(np.ones((2, 2)), name="k"), Variable(np.ones(2), name="b")]
    optimizer = getattr(optimizers, name)(**kwargs)
    assert optimizer.name == default
    optimizer.build(variables)
    names = [f"d_{slot}" if slot != "u_product" else slot for slot in slots]
    assert [v.path for v in optimizer.variables] == [
        f"{default}/{n}" for n in ["iteration", "learning_rate", *names]
    ]
    assert optimizer.variables[0].dtype == "int32"
    assert all(not v.trainable for v in optimizer.variables)
