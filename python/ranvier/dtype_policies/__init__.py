"""Which dtypes layers compute in and store their weights in."""

from __future__ import annotations

from ranvier.dtype_policies.dtype_policy import DTypePolicy, deserialize, get, serialize

FloatDTypePolicy = DTypePolicy

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]
