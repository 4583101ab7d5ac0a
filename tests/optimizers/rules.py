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


def adafactor(
    lr: float = 0.001,
    beta_2_decay: float = -0.8,
    epsilon_1: float = 1e-30,
    epsilon_2: float = 1e-3,
    clip_threshold: float = 1.0,
    relative_step: bool = True,
) -> Step:
    s = Slots()

    def rms(x: np.ndarray) -> Any:
        return np.sqrt((x * x).mean())

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        kept = 1 - t**beta_2_decay
        squares = g * g + epsilon_1
        if v.ndim < 2:
            s["w"] = kept * s["w"] + (1 - kept) * squares
        else:
            s["r"] = kept * s["r"] + (1 - kept) * squares.mean(-1)
            s["c"] = kept * s["c"] + (1 - kept) * squares.mean(-2)
            s["w"] = (s["r"] / s["r"].mean(-1, keepdims=True))[..., None] * s["c"][..., None, :]
        u = g / np.sqrt(s["w"])
        u = u / max(1.0, rms(u) / clip_threshold)
        return v - max(epsilon_2, rms(v)) * min(lr, 1 / np.sqrt(t)) * u

    return step


def muon(
    lr: float = 0.001,
    adam_beta_1: float = 0.9,
    adam_beta_2: float = 0.999,
    epsilon: float = 1e-7,
    muon_a: float = 3.4445,
    muon_b: float = -4.775,
    muon_c: float = 2.0315,
    adam_lr_ratio: float = 1.0,
    momentum: float = 0.95,
    ns_steps: int = 5,
    nesterov: bool = True,
    rms_rate: float | None = 0.2,
) -> Step:
    s, of_others = Slots(), adam(lr * adam_lr_ratio, adam_beta_1, adam_beta_2, epsilon)

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        if v.ndim != 2:
            return of_others(v, g, t)
        s["m"] = momentum * s["m"] + g
        u, values, w = np.linalg.svd(g + momentum * s["m"] if nesterov else s["m"], full_matrices=False)
        values = values / (np.sqrt((values * values).sum()) + 1e-7)
        for _ in range(ns_steps):
            values = muon_a * values + muon_b * values**3 + muon_c * values**5
        scale = 1.0 if rms_rate is None else rms_rate * np.sqrt(max(v.shape))
        return v - lr * scale * (u * values) @ w

    return step


def schedule_free_adamw(
    lr: float = 0.0025,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    warmup_steps: int = 0,
) -> Step:
    s = Slots()

    def step(v: np.ndarray, g: np.ndarray, t: int) -> np.ndarray:
        if t == 1:
            s["z"] = s["x"] = v
        rate = lr * min(1, t / warmup_steps) if warmup_steps else lr
        s["s"] = beta_2 * s["s"] + (1 - beta_2) * g * g
        s["z"] = s["z"] - rate * g / (np.sqrt(s["s"] / (1 - beta_2**t)) + epsilon)
        s["x"] = s["x"] + (s["z"] - s["x"]) / t
        return (1 - beta_1) * s["z"] + beta_1 * s["x"]

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
