"""Keras's older names for dtype policies and loss scaling."""

from __future__ import annotations

from ranvier.dtype_policies import DTypePolicy
from ranvier.dtype_policies.dtype_policy import dtype_policy
from ranvier.dtype_policies.lookup import set_dtype_policy
from ranvier.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
