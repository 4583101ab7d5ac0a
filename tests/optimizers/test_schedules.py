"""Schedules against their formulas, at once and traced; configs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.tracing import run_traced

from ranvier.optimizers import schedules


def cosine(progress: float, alpha: float = 0.0) -> float:
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0), 1))) + alpha


def restarts(t: int, length: float, t_mul: float, m_mul: float, alpha: float) -> float:
    start, height = 0.0, 1.0
    while t >= start + length:
        start, length, height = start + length, length * t_mul, height * m_mul
    return 0.1 * ((1 - alpha) * 0.5 * height * (1 + math.cos(math.pi * (t - start) / length)) + alpha)


def polynomial(t: int, end: float, power: float, cycle: bool) -> float:
    steps = 10 * max(1, math.ceil(t / 10)) if cycle else 10
    return (0.1 - end) * (1 - min(t, steps) / steps) ** power + end


INITIAL = {"initial_learning_rate": 0.1}
ROWS: list[tuple[str, dict[str, Any], Callable[[int], float]]] = [
    ("ExponentialDecay", {**INITIAL, "decay_steps": 10, "decay_rate": 0.5}, lambda t: 0.1 * 0.5 ** (t / 10)),
    (
        "ExponentialDecay",
        {**INITIAL, "decay_steps": 10, "decay_rate": 0.5, "staircase": True},
        lambda t: 0.1 * 0.5 ** (t // 10),
    ),
    ("InverseTimeDecay", {**INITIAL, "decay_steps": 4, "decay_rate": 0.5}, lambda t: 0.1 / (1 + 0.5 * t / 4)),
    (
        "InverseTimeDecay",
        {**INITIAL, "decay_steps": 4, "decay_rate": 0.5, "staircase": True},
        lambda t: 0.1 / (1 + 0.5 * (t // 4)),
    ),
    (
        "PiecewiseConstantDecay",
        {"boundaries": [3, 10], "values": [0.3, 0.2, 0.1]},
        lambda t: 0.3 if t <= 3 else 0.2 if t <= 10 else 0.1,
    ),
    ("PolynomialDecay", {**INITIAL, "decay_steps": 10}, lambda t: polynomial(t, 0.0001, 1.0, False)),
    (
        "PolynomialDecay",
        {**INITIAL, "decay_steps": 10, "end_learning_rate": 0.01, "power": 0.5, "cycle": True},
        lambda t: polynomial(t, 0.01, 0.5, True),
    ),
    ("CosineDecay", {**INITIAL, "decay_steps": 10}, lambda t: 0.1 * cosine(t / 10)),
    (
        "CosineDecay",
        {**INITIAL, "decay_steps": 10, "alpha": 0.2, "warmup_target": 0.5, "warmup_steps": 5},
        lambda t: 0.1 + 0.4 * t / 5 if t < 5 else 0.5 * cosine((t - 5) / 10, 0.2),
    ),
    ("CosineDecayRestarts", {**INITIAL, "first_decay_steps": 5}, lambda t: restarts(t, 5, 2, 1, 0)),
    (
        "CosineDecayRestarts",
        {**INITIAL, "first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.8, "alpha": 0.1},
        lambda t: restarts(t, 5, 1, 0.8, 0.1),
    ),
]
IDS = [f"{name}-{config}" for name, config, _ in ROWS]


@pytest.mark.parametrize(("name", "config", "formula"), ROWS, ids=IDS)
def test_values(name: str, config: dict[str, Any], formula: Callable[[int], float]) -> None:
    schedule = getattr(schedules, name)(**config)
    for t in [*range(30), 100]:
        step = np.int64(t).reshape(())
        value = schedule(step)
        assert value.dtype == np.float32
        # A float32 cosine of pi is not quite -1: the end of a decay is 0 to 1e-8 of its beginning.
        np.testing.assert_allclose(value, formula(t), rtol=2e-5, atol=1e-8)
        np.testing.assert_array_equal(run_traced(schedule, np.asarray(step)), value)
    assert schedule(3).dtype == np.float32


@pytest.mark.parametrize(("name", "config", "formula"), ROWS, ids=IDS)
def test_configs(name: str, config: dict[str, Any], formula: Any) -> None:
    schedule = getattr(schedules, name)(**config)
    saved = schedules.serialize(schedule)
    assert (saved["module"], saved["class_name"]) == ("keras.optimizers.schedules", name)
    assert {**saved["config"], **config} == saved["config"]
    assert schedules.deserialize(saved).get_config() == schedule.get_config()


def test_every_schedule_has_a_row() -> None:
    classes = {n for n in schedules.__all__ if isinstance(getattr(schedules, n), type)}
    assert classes - {"LearningRateSchedule"} == {name for name, *_ in ROWS}


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ExponentialDecay", (0.1, 0, 0.5)),
        ("InverseTimeDecay", (0.1, -1, 0.5)),
        ("PolynomialDecay", (0.1, 0)),
        ("CosineDecay", (0.1, 0)),
        ("CosineDecayRestarts", (0.1, 0)),
        ("PiecewiseConstantDecay", ([1, 2], [0.1, 0.2])),
    ],
)
def test_bad_arguments(name: str, args: Any) -> None:
    with pytest.raises(ValueError, match="must be > 0|1 less"):
        getattr(schedules, name)(*args)


def test_own_schedules() -> None:
    class Half(schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 1.0 / (step + 2.0)

        def get_config(self) -> dict[str, Any]:
            return {}

    assert Half()(np.float32(2)) == 0.25
    saved = schedules.serialize(Half())
    assert isinstance(schedules.deserialize(saved, custom_objects={"Half": Half}), Half)
    with pytest.raises(NotImplementedError):
        schedules.LearningRateSchedule()(0)
    with pytest.raises(TypeError, match="Bogus"):
        schedules.deserialize({"class_name": "Bogus", "config": {}})
