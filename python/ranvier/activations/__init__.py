"""Activation functions, and how they are named in configs.

An activation is a function of one tensor or array; it works in a trace and eagerly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ranvier.activations.activations import (
    binary_step,
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
from ranvier.core import identifiers, registry
from ranvier.core.user_code import short_traceback

hard_swish = hard_silu
swish = silu

_ALL = (
    linear, relu, relu6, leaky_relu, elu, selu, celu, glu, gelu, silu, mish, sigmoid, log_sigmoid,
    hard_sigmoid, hard_silu, tanh, hard_tanh, tanh_shrink, softmax, log_softmax, softplus, softsign,
    squareplus, exponential, hard_shrink, soft_shrink, sparse_plus, sparse_sigmoid, sparsemax, threshold,
    binary_step,
)  # fmt: skip
_TABLE: dict[str, Callable[..., Any]] = {fn.__name__: fn for fn in _ALL}
_TABLE.update(swish=silu, hard_swish=hard_silu)

__all__ = [*_TABLE, "deserialize", "get", "serialize"]


@short_traceback
def get(identifier: Any) -> Callable[..., Any]:
    """The activation that an identifier stands for.

    Args:
        identifier: None (`linear`), a name such as "relu", a config dict, or a callable (returned as it is).

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    return linear if identifier is None else identifiers.resolve("activation function", identifier, _TABLE)


@short_traceback
def serialize(activation: Callable[..., Any]) -> Any:
    """What stands for an activation in a config: the name of one of the library's own, else a config dict.

    Raises:
        ValueError: for a lambda.
        TypeError: for an object without `get_config`.
    """
    name = getattr(activation, "__name__", None)
    if name in _TABLE and getattr(activation, "__module__", "").startswith("ranvier."):
        return name
    return registry.serialize_object(activation)


@short_traceback
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The activation that `serialize` described.

    Args:
        config: a name or a config dict.
        custom_objects: name -> function or class, for activations that are not the library's.

    Raises:
        ValueError: for an unknown name.
    """
    return identifiers.deserialize("activation function", config, _TABLE, custom_objects)
