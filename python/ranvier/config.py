"""The library's settings."""

from __future__ import annotations

from ranvier.backend import backend, clear_session
from ranvier.core.dtypes import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from ranvier.dtype_policies.dtype_policy import dtype_policy
from ranvier.dtype_policies.lookup import set_dtype_policy

__all__ = [
    "backend",
    "clear_session",
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
