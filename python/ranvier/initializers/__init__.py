"""Initializers: what a variable holds at first, and how they are named in configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ranvier.core import dtypes, identifiers, registry, variable
from ranvier.core.user_code import short_traceback
from ranvier.initializers.constant_initializers import Constant, Identity, Ones, Zeros
from ranvier.initializers.initializer import Initializer
from ranvier.initializers.random_initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from ranvier.initializers.random_initializers import RandomInitializer as RandomInitializer
from ranvier.initializers.stft import STFT

IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_NAMES = (
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "IdentityInitializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer",
    "RandomNormal", "RandomUniform", "STFT", "STFTInitializer", "TruncatedNormal", "VarianceScaling",
    "Zeros", "constant", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity",
    "lecun_normal", "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform", "stft",
    "truncated_normal", "variance_scaling", "zeros",
)  # fmt: skip
_TABLE: dict[str, type[Initializer]] = {name: globals()[name] for name in _NAMES}
_TABLE.update(normal=RandomNormal, uniform=RandomUniform, one=Ones, zero=Zeros)

__all__ = [*_NAMES, "Initializer", "deserialize", "get", "serialize"]


@short_traceback
def get(identifier: Any) -> Any:
    """The initializer that an identifier stands for.

    Args:
        identifier: None (returned), a name such as "glorot_uniform", a config dict, a class, an array (an
            initializer that gives this array), or any callable `(shape, dtype=None)`.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    if isinstance(identifier, np.ndarray):
        return _array_initializer(identifier)
    return identifiers.resolve("initializer", identifier, _TABLE)


def _array_initializer(values: np.ndarray) -> Callable[..., np.ndarray]:
    def initialize(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        array = np.array(values, dtype=dtypes.standardize_dtype(dtype))
        if tuple(shape) != array.shape:
            raise ValueError(
                f"Expected an array of shape {tuple(shape)} as initial value, got {array.shape}."
            )
        return array

    return initialize


@short_traceback
def serialize(initializer: Any) -> Any:
    """The config dict of an initializer.

    Raises:
        TypeError: for an object without `get_config`.
    """
    return registry.serialize_object(initializer)


@short_traceback
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described.

    Args:
        config: a config dict or a name.
        custom_objects: name -> class or function, for initializers that are not the library's.

    Raises:
        ValueError: for an unknown name.
        TypeError: for a config whose class is unknown.
    """
    return identifiers.deserialize("initializer", config, _TABLE, custom_objects)


variable.bind_initializers(get)
