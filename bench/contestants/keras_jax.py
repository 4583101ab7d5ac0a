"""Keras itself, on its JAX backend (the fastest of its backends on processors)."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras

from contestants.keras_api import KerasApi


class KerasOnJax(KerasApi):
    def __init__(self) -> None:
        super().__init__(keras)

    def versions(self) -> dict[str, str]:
        return {"keras": keras.__version__, "jax": jax.__version__}
