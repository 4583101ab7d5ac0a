"""Where the values of test inputs come from: functions of (random generator, shape, dtype, case)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator, tuple[int, ...], str, Any], np.ndarray]


def between(low: float, high: float) -> Draw:
    """Uniform; integers in the same range."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        if np.dtype(dtype).kind == "f":
            return rng.uniform(low, high, shape).astype(dtype)
        return _whole(rng, low, high, shape, dtype)

    return draw


def integers(low: int, high: int) -> Draw:
    """Integers in [low, high], in any dtype."""
    return lambda rng, shape, dtype, case: _whole(rng, low, high, shape, dtype)


def _whole(rng: np.random.Generator, low: float, high: float, shape: Any, dtype: str) -> np.ndarray:
    values = rng.integers(int(np.ceil(low)), int(np.floor(high)) + 1, shape)
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(values, limits.min, limits.max)
    return np.asarray(values).astype(dtype)


def magnitudes(exponent: float, positive: bool = False) -> Draw:
    """Numbers from 10^-exponent to 10^exponent, every magnitude alike: an error of any relative size shows.

    Integers lie within +-30,000, so that their products fit 32 bits.
    """

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        if np.dtype(dtype).kind != "f":
            bound = min(10.0**exponent, 30_000)
            return _whole(rng, 0 if positive else -bound, bound, shape, dtype)
        values = 10.0 ** rng.uniform(-exponent, exponent, shape)
        signs = 1.0 if positive else rng.choice([-1.0, 1.0], shape)
        return np.asarray(values * signs).astype(dtype)

    return draw


def apart(points: tuple[float, ...], gap: float, low: float, high: float) -> Draw:
    """Uniform in [low, high], at least `gap` away from some points (kinks, poles)."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        values = np.asarray(between(low, high)(rng, shape, dtype, case))
        for _ in range(1000):
            close = np.zeros(shape, bool)
            for point in points:
                close |= np.abs(values - point) < gap
            if not close.any():
                return values
            values = np.where(close, between(low, high)(rng, shape, dtype, case), values)
        raise AssertionError("no values far enough from the points")

    return draw


def distinct(offset: float) -> Draw:
    """The numbers offset, offset + 0.1, ... in random order, centred: no two are closer than 0.1."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        size = int(np.prod(shape, dtype=int))
        values = 0.1 * (rng.permutation(size) - size // 2) + offset
        return values.reshape(shape).astype(dtype)

    return draw


def with_nan(draw: Draw, share: float = 0.05) -> Draw:
    """Another draw with some NaN among floats."""

    def mixed(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        values = draw(rng, shape, dtype, case)
        holes = rng.uniform(size=shape) < share
        return np.where(holes, np.nan, values).astype(dtype) if values.dtype.kind == "f" else values

    return mixed


def booleans() -> Draw:
    """True and False alike."""
    return lambda rng, shape, dtype, case: np.asarray(rng.integers(0, 2, shape)).astype(bool)


def rows_of(operand: int) -> Draw:
    """Indices of the rows (axis 0) of another input."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        return np.asarray(rng.integers(0, case.shapes[operand][0], shape)).astype(dtype)

    return draw


def rows_named(attribute: str) -> Draw:
    """Indices below an attribute."""
    return lambda rng, shape, dtype, case: np.asarray(
        rng.integers(0, max(case.attributes[attribute], 1), shape)
    ).astype(dtype)


def classes_of(operand: int) -> Draw:
    """Labels: indices of the last axis of another input."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        return np.asarray(rng.integers(0, case.shapes[operand][-1], shape)).astype(dtype)

    return draw


def probabilities() -> Draw:
    """Rows of positive numbers that sum to 1."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
        values = rng.uniform(0.05, 1.0, shape)
        return (values / values.sum(-1, keepdims=True)).astype(dtype)

    return draw


def special_values(dtype: str) -> np.ndarray:
    """Signed zeros, infinities, NaN, and the limits of a dtype with what is next to them."""
    if dtype == "bool":
        return np.array([False, True])
    if np.dtype(dtype).kind != "f":
        limits = np.iinfo(dtype)
        return np.array([0, 1, 2, 7, limits.max, limits.min, limits.max // 2, limits.min // 2], dtype)
    limits = np.finfo(dtype)
    small = [0.0, limits.tiny, limits.eps, 0.5, 1.0, 2.0, 3.0, 2.5, 1e4]
    values = [*small, limits.max, np.inf]
    return np.array([*values, *(-v for v in values), np.nan], dtype)


def all_combinations(values: np.ndarray, count: int) -> list[np.ndarray]:
    """`count` arrays in which every combination of the values occurs."""
    return [np.ascontiguousarray(grid.ravel()) for grid in np.meshgrid(*[values] * count)]
