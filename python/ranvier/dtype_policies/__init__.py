"""Which dtypes layers compute in and store their weights in."""

from __future__ import annotations

from ranvier.dtype_policies.dtype_policy import DTypePolicy
from ranvier.dtype_policies.lookup import deserialize, get, serialize
from ranvier.dtype_policies.policy_map import DTypePolicyMap
from ranvier.dtype_policies.quantized_policies import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)

FloatDTypePolicy = DTypePolicy

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "get",
    "serialize",
]
