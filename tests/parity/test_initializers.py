"""Initializers against Keras: the same laws (the random numbers are our own), shapes and configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.initializers.test_initializers import CONFIGS, LAWS, STFT_ROWS
from tests.parity.oracle import assert_agrees, keras

from ranvier import initializers


@pytest.mark.parametrize(("name", "kwargs"), [(name, kwargs) for name, kwargs, *_ in LAWS])
@pytest.mark.parametrize("shape", [(200, 300), (3, 3, 40, 60), (50000,)])
def test_laws(name: str, kwargs: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = (
        np.sort(np.ravel(np.asarray(getattr(m, name)(seed=5, **kwargs)(shape)))).astype("float64")
        for m in (initializers, keras.initializers)
    )
    assert ours.shape == theirs.shape
    spread = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 0.03 * spread
    assert abs(ours.std() / spread - 1) < 0.03
    # The largest distance between the two distribution functions, at most 1.95 sqrt(2 / n) but once in a
    # thousand draws; the seeds are fixed.
    grid = np.quantile(theirs, np.linspace(0.01, 0.99, 99))
    distance = np.abs(np.searchsorted(ours, grid) - np.searchsorted(theirs, grid)).max() / len(ours)
    assert distance < 1.95 * np.sqrt(2 / len(ours))


@pytest.mark.parametrize(("name", "config"), CONFIGS)
def test_configs_are_exchanged(name: str, config: dict[str, Any]) -> None:
    ours = getattr(initializers, name)(**config)
    theirs = keras.initializers.deserialize(initializers.serialize(ours))
    assert type(theirs).__name__ == name
    back = initializers.deserialize(keras.initializers.serialize(theirs))
    # Keras's own Identity leaves its gain out of its config.
    assert back.get_config() == (config if name != "Identity" else {"gain": 1.0})


@pytest.mark.parametrize("kwargs", [kwargs for kwargs, _ in STFT_ROWS])
@pytest.mark.parametrize("side", ["real", "imag"])
def test_stft(kwargs: dict[str, Any], side: str) -> None:
    for shape in ((8, 1, 5), (8, 1, 2)):
        ours, theirs = (m.STFT(side=side, **kwargs)(shape) for m in (initializers, keras.initializers))
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-6)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("Zeros", {}),
        ("Ones", {}),
        ("Constant", {}),
        ("Constant", {"value": 2.5}),
        ("Identity", {}),
        ("Identity", {"gain": 0.5}),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "int32", None])
def test_constants(name: str, kwargs: dict[str, Any], dtype: str | None) -> None:
    if (name, dtype) == ("Identity", "int32"):
        pytest.skip("Keras's identity is always of floats")
    for shape in ((2, 3), (3, 3)):
        ours, theirs = (
            np.asarray(getattr(m, name)(**kwargs)(shape, dtype=dtype))
            for m in (initializers, keras.initializers)
        )
        assert ours.dtype == theirs.dtype
        assert_agrees(ours, theirs)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 5), (3, 3, 2, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    """The same law: rows or columns of the flattened matrix are orthogonal and of the same length."""
    grams = []
    for module in (initializers, keras.initializers):
        x = np.asarray(module.Orthogonal(gain=2.0, seed=1)(shape)).reshape(-1, shape[-1])
        grams.append(x @ x.T if x.shape[0] < x.shape[1] else x.T @ x)
    np.testing.assert_allclose(grams[0], grams[1], atol=1e-5)


def test_every_initializer_is_compared() -> None:
    compared = {name for name, *_ in LAWS} | {"Zeros", "Ones", "Constant", "Identity", "Orthogonal", "STFT"}
    names = {
        cls.__name__
        for cls in vars(keras.initializers).values()
        if isinstance(cls, type) and cls is not keras.initializers.Initializer
    }
    assert names <= compared
