"""Memory stays flat: what is made for a model goes with it, and caches are bounded."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv

STATM = Path("/proc/self/statm")
pytestmark = [
    pytest.mark.skipif(not STATM.exists(), reason="needs /proc"),
    pytest.mark.skipif(
        "libasan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps freed memory"
    ),
]

X = np.random.default_rng(0).random((64, 8), dtype="float32")


def resident() -> int:
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fresh() -> rv.Sequential:
    model = rv.Sequential([rv.Input((8,)), rv.layers.Dense(16, activation="relu"), rv.layers.Dense(8)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def growth(work: Callable[[int], object], times: int) -> float:
    """Bytes that a call leaves behind, once the first calls have filled what is kept for all."""
    for i in range(times):
        work(i)
    before = resident()
    for i in range(times):
        work(i)
    return (resident() - before) / times


# A model and its programs take some 60 KB, a program alone 10 KB: a leak of either is far above the bounds.
def test_small_fits() -> None:
    def work(i: int) -> None:
        model = fresh()
        model.fit(X, X, verbose=0)
        model.predict(X[:3], verbose=0)
        model(X)
        model(X)

    assert growth(work, 150) < 5_000


def test_fits_of_one_model() -> None:
    model = fresh()
    assert growth(lambda i: model.fit(X[: 40 + i % 3], X[: 40 + i % 3], verbose=0), 300) < 1_000


def test_predictions() -> None:
    model = fresh()
    assert growth(lambda i: model.predict(X[:1], verbose=0), 5_000) < 50
    assert growth(lambda i: model(X[:1]), 5_000) < 50
    assert growth(lambda i: model.predict_on_batch(X), 1_000) < 250


def test_batches_of_any_size() -> None:
    model = fresh()
    data = np.ones((600, 8), "float32")

    def predict(i: int) -> None:
        model.predict(data[: 1 + i % 600], batch_size=600, verbose=0)

    for i in range(400, 600):  # as many programs as are kept
        predict(i)
    assert growth(predict, 399) < 2_500
