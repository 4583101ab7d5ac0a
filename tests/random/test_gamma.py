"""Gamma, beta and binomial: moments against the laws' own, seeds, graphs, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import random

COUNT = 40_000


def agrees(sample: np.ndarray, mean: float, variance: float, fourth: float) -> None:
    """Mean and variance within 5 standard errors; `fourth`: the fourth central moment."""
    assert abs(sample.mean() - mean) <= 5 * math.sqrt(variance / sample.size)
    error = math.sqrt(max(fourth - variance**2, 0.0) / sample.size)
    assert abs(sample.astype("float64").var() - variance) <= 5 * error + 1e-6 * variance


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, 2.5, 40.0])
def test_gamma(alpha: float, dtype: str) -> None:
    sample = random.gamma((COUNT,), alpha, dtype=dtype, seed=1)
    assert sample.dtype == dtype and np.all(sample >= 0)
    agrees(sample, alpha, alpha, 3 * alpha**2 + 6 * alpha)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (2.0, 3.0), (30.0, 1.0)])
def test_beta(a: float, b: float) -> None:
    sample = random.beta((COUNT,), a, b, seed=2)
    assert np.all((sample >= 0) & (sample <= 1))
    mean, variance = a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))
    excess = 6 * ((a - b) ** 2 * (a + b + 1) - a * b * (a + b + 2)) / (a * b * (a + b + 2) * (a + b + 3))
    agrees(sample, mean, variance, (excess + 3) * variance**2)


@pytest.mark.parametrize(
    ("n", "p"), [(0, 0.5), (1, 0.3), (20, 0.05), (32, 0.5), (33, 0.9), (1000, 0.2), (50_000, 0.7)]
)
def test_binomial(n: int, p: float) -> None:
    sample = random.binomial((COUNT // 4,), n, p, seed=3)
    assert np.all((sample >= 0) & (sample <= n) & (sample == np.round(sample)))
    variance = n * p * (1 - p)
    agrees(sample, n * p, variance, variance * (1 + 3 * (n - 2) * p * (1 - p)))


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_binomial_of_certain_trials(p: float) -> None:
    counts = np.array([0, 1, 40, 1000])
    np.testing.assert_array_equal(
        random.binomial((5, 4), counts, p, seed=1), np.broadcast_to(counts * p, (5, 4))
    )


def test_binomial_of_what_is_no_law_is_nan() -> None:
    found = random.binomial((4,), np.array([5, -1, 5, 5]), np.array([1.0, 0.5, 1.5, np.nan]), seed=1)
    np.testing.assert_array_equal(found, [5, np.nan, np.nan, np.nan])


def draws(seed: Any) -> list[np.ndarray]:
    return [
        random.gamma((3, 2), [0.5, 4.0], seed=seed),
        random.beta((3,), 2.0, [1.0, 2.0, 3.0], seed=seed),
        random.binomial((4,), [3, 100, 5, 7], 0.5, seed=seed),
        random.shuffle(np.arange(9), seed=seed),
    ]


def test_seeds_decide_and_graphs_draw_the_same() -> None:
    once, again, other = draws(7), draws(7), draws(8)
    for a, b, c in zip(once, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
    traced = rv.jit(lambda x: [d + 0 * x for d in draws(7)])(np.float32(1))
    for a, b in zip(once, traced, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_generator_moves_on() -> None:
    generator = random.SeedGenerator(3)
    assert not np.array_equal(
        random.gamma((4,), 2.0, seed=generator), random.gamma((4,), 2.0, seed=generator)
    )


def test_refusals() -> None:
    for call in (
        lambda: random.gamma((2,), 1.0, dtype="int32"),
        lambda: random.beta((2,), 1.0, 1.0, dtype="int32"),
        lambda: random.binomial((2,), 1, 0.5, dtype="int32"),
        lambda: random.gamma((2,), [1.0, 2.0, 3.0]),
        lambda: rv.jit(lambda n: random.binomial((2,), n, 0.5))(np.int32(3)),
    ):
        with pytest.raises(ValueError):
            call()
