"""Keras's `backend` namespace: what is left of it in Keras 3."""

from __future__ import annotations

from typing import Any

from ranvier.core.dtypes import (
    epsilon,
    floatx,
    image_data_format,
    result_type,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_dtype,
)
from ranvier.core.keras_tensor import is_keras_tensor
from ranvier.core.scope import clear_session, get_uid, reset_uids

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "reset_uids",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


def backend() -> str:
    """The name of what computes: "ranvier"."""
    return "ranvier"


def is_float_dtype(dtype: Any) -> bool:
    """Whether `dtype` is a floating-point type."""
    return standardize_dtype(dtype).startswith("float")


def is_int_dtype(dtype: Any) -> bool:
    """Whether `dtype` is an integer type."""
    return standardize_dtype(dtype).startswith(("int", "uint"))
