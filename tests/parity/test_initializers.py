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


@pytest.mark.parametrize("name", ["Zeros", "Ones"])
def test_constants(name: str) -> None:
    assert_agrees(getattr(initializers, name)()((2, 3)), getattr(keras.initializers, name)()((2, 3)))
