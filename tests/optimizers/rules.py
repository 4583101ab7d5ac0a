"""The update rules in NumPy, as the papers (and Keras) write them: `rule(config)` gives `step(v, g, t)`.

A step returns the new value of the variable; t counts from 1. Everything is computed in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


class Slots(dict[str, Any]):
    """Slots by name, zero until they are set."""

    def __missing__(self, key: str) -> float:
        return 0.0


def sgd(lr: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        s["m"] = momentum * s["m"] - lr * g
        return v + (momentum * s["m"] - lr * g if nesterov else s["m"])

    return step


def rmsprop(
    lr: float = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7, centered: bool = False
) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        s["square"] = rho * s["square"] + (1 - rho) * g * g
        s["mean"] = rho * s["mean"] + (1 - rho) * g
        variance = s["square"] - (s["mean"] ** 2 if centered else 0)
        s["m"] = momentum * s["m"] + lr * g / np.sqrt(variance + epsilon)
        return v - s["m"]

    return step


def adagrad(lr: float = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7) -> Step:
    s = Slots(a=initial_accumulator_value)

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        s["a"] = s["a"] + g * g
        return v - lr * g / np.sqrt(s["a"] + epsilon)

    return step


def adadelta(lr: float = 0.001, rho: float = 0.95, epsilon: float = 1e-7) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        s["g"] = rho * s["g"] + (1 - rho) * g * g
        d = np.sqrt(s["d"] + epsilon) / np.sqrt(s["g"] + epsilon) * g
        s["d"] = rho * s["d"] + (1 - rho) * d * d
        return v - lr * d

    return step


def averages(s: Slots, g: np.ndarray, beta_1: float, beta_2: float) -> tuple[Any, Any]:
    s["m"] = beta_1 * s["m"] + (1 - beta_1) * g
    s["s"] = beta_2 * s["s"] + (1 - beta_2) * g * g
    return s["m"], s["s"]


def adam(
    lr: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    amsgrad: bool = False,
) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        m, square = averages(s, g, beta_1, beta_2)
        s["largest"] = np.maximum(s["largest"], square)
        rate = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        return v - rate * m / (np.sqrt(s["largest"] if amsgrad else square) + epsilon)

    return step


def adamax(lr: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        m, _ = averages(s, g, beta_1, beta_2)
        s["u"] = np.maximum(beta_2 * s["u"], np.abs(g))
        return v - lr / (1 - beta_1**t) * m / (s["u"] + epsilon)

    return step


def nadam(lr: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7) -> Step:
    s = Slots(product=1.0)

    def mu(t: int) -> float:
        return beta_1 * (1 - 0.5 * 0.96**t)

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        m, square = averages(s, g, beta_1, beta_2)
        s["product"] = s["product"] * mu(t)
        m_hat = mu(t + 1) * m / (1 - s["product"] * mu(t + 1)) + (1 - mu(t)) * g / (1 - s["product"])
        return v - lr * m_hat / (np.sqrt(square / (1 - beta_2**t)) + epsilon)

    return step


def lion(lr: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.99) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        direction = np.sign(beta_1 * s["m"] + (1 - beta_1) * g)
        s["m"] = beta_2 * s["m"] + (1 - beta_2) * g
        return v - lr * direction

    return step


def lamb(lr: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        m, square = averages(s, g, beta_1, beta_2)
        update = m / (1 - beta_1**t) / (np.sqrt(square / (1 - beta_2**t)) + epsilon)
        length, of_update = np.linalg.norm(v), np.linalg.norm(update)
        return v - lr * (length / of_update if length > 0 and of_update > 0 else 1.0) * update

    return step


def ftrl(
    lr: float = 0.001,
    learning_rate_power: float = -0.5,
    initial_accumulator_value: float = 0.1,
    l1_regularization_strength: float = 0.0,
    l2_regularization_strength: float = 0.0,
    l2_shrinkage_regularization_strength: float = 0.0,
    beta: float = 0.0,
) -> Step:
    s = Slots(n=initial_accumulator_value)

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        before = s["n"]
        s["n"] = before + g * g
        power = -learning_rate_power
        sigma = (s["n"] ** power - before**power) / lr
        s["z"] = s["z"] + g + 2 * l2_shrinkage_regularization_strength * v - sigma * v
        l1, l2 = l1_regularization_strength, l2_regularization_strength + beta / (2 * lr)
        return (np.clip(s["z"], -l1, l1) - s["z"]) / (s["n"] ** power / lr + 2 * l2)

    return step
