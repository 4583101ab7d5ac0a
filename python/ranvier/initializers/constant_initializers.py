"""Initializers without chance: one value everywhere, or the identity matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import dtypes, registry
from ranvier.core.arguments import integers, number, shown
from ranvier.initializers.initializer import Initializer


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number, or an array that broadcasts to the shape asked for. Default 0.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        shape = integers(shape, "shape")
        dtype = dtypes.standardize_dtype(dtype)
        try:
            value = np.asarray(self.value, dtype=dtype)
        except OverflowError:
            raise ValueError(f"The value of a Constant does not fit {dtype}: {shown(self.value)}") from None
        dtypes.check_size(shape, value.dtype.name)
        return np.array(np.broadcast_to(value, shape))

    def get_config(self) -> dict[str, Any]:
        return {"value": registry.serialize_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constant:
        return cls(registry.deserialize_object(config["value"]))


class Zeros(Initializer):
    """Zeros everywhere."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        shape, name = integers(shape, "shape"), dtypes.standardize_dtype(dtype)
        dtypes.check_size(shape, name)
        return np.zeros(shape, name)


class Ones(Initializer):
    """Ones everywhere."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        shape, name = integers(shape, "shape"), dtypes.standardize_dtype(dtype)
        dtypes.check_size(shape, name)
        return np.ones(shape, name)


class Identity(Initializer):
    """The identity matrix times a factor; only for two-dimensional shapes, square or not.

    Args:
        gain: the factor. Default 1.
    """

    def __init__(self, gain: float = 1.0) -> None:
        number(gain, "gain")
        self.gain = gain

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        shape = integers(shape, "shape")
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        dtypes.check_size(shape, "float64")
        return np.asarray(np.eye(*shape) * self.gain, dtypes.standardize_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
