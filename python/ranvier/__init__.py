"""Ranvier: neural networks in Keras's words, trained natively."""

from __future__ import annotations

import sys as _sys

try:
    from ranvier import _core as _core  # first, for what it has to say about the environment
except ImportError as error:
    from ranvier.core import startup as _startup

    _startup.refuse(error)

from ranvier import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from ranvier._version import __version__
from ranvier.core import missing_names as _names
from ranvier.core import user_code as _user_code
from ranvier.core.device import device
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.operation import Operation
from ranvier.core.quantizer import Quantizer
from ranvier.core.remat_scope import RematScope
from ranvier.core.scope import name_scope
from ranvier.core.stateless_scope import StatelessScope
from ranvier.core.symbolic_scope import SymbolicScope
from ranvier.core.variable import Variable
from ranvier.dtype_policies import DTypePolicy, FloatDTypePolicy
from ranvier.initializers import Initializer
from ranvier.layers import Input, InputSpec, Layer
from ranvier.losses import Loss
from ranvier.metrics import Metric
from ranvier.models import Function, Model, Sequential
from ranvier.ops.derivatives import remat
from ranvier.optimizers import Optimizer
from ranvier.regularizers import Regularizer
from ranvier.transforms import GradientTape, grad, jit, value_and_grad
from ranvier.utils.profiling import profile, profile_process


def version() -> str:
    """The library's version."""
    return __version__


try:
    profile_process()
except ValueError as error:
    from ranvier.core import startup as _startup

    _startup.refuse(error)

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Quantizer",
    "Regularizer",
    "RematScope",
    "Sequential",
    "StatelessScope",
    "SymbolicScope",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "device",
    "dtype_policies",
    "grad",
    "initializers",
    "jit",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "profile",
    "random",
    "regularizers",
    "remat",
    "saving",
    "tree",
    "utils",
    "value_and_grad",
    "version",
]

_names.publish(_sys.modules[__name__], _user_code.short_traceback)
