"""Which layers are built after their construction."""

from __future__ import annotations

from typing import Any

import pytest
from tests.layers.weightless_table import WEIGHTLESS, subclass
from tests.parity.oracle import keras

from ranvier import layers


@pytest.mark.parametrize("name", [name for name in WEIGHTLESS if hasattr(keras.layers, name)])
def test_built_like_keras(name: str) -> None:
    def built(cls: Any) -> tuple[bool, bool]:
        return cls(*WEIGHTLESS[name]).built, subclass(cls)(*WEIGHTLESS[name]).built

    if name == "Reshape":  # Keras passes over the `build` of its subclasses
        assert built(layers.Reshape) == (True, False)
        return
    assert built(getattr(layers, name)) == built(getattr(keras.layers, name))
