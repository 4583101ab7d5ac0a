"""Policies by name and by config, and the global one."""

from __future__ import annotations

from typing import Any

from ranvier.core.dtypes import ALL_DTYPES
from ranvier.core.registry import deserialize_object, serialize_object
from ranvier.core.user_code import short_traceback
from ranvier.dtype_policies import quantized_policies
from ranvier.dtype_policies.dtype_policy import DTypePolicy, dtype_policy, replace_global_policy


@short_traceback
def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers made from now on.

    Args:
        policy: a name, a `DTypePolicy`, or a policy's config; None: `floatx()` decides again.
    """
    replace_global_policy(None if policy is None else get(policy))


@short_traceback
def get(identifier: Any) -> DTypePolicy:
    """The policy that `identifier` stands for.

    Args:
        identifier: None (the global policy), a `DTypePolicy`, a dtype name, the name of a quantized policy
            such as "int8_from_float32", or a policy's config.

    Raises:
        ValueError: for anything else.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return quantized_policies.by_name(identifier) or DTypePolicy(identifier)
    if identifier is float:
        return DTypePolicy("float32")
    name = getattr(identifier, "name", None) or getattr(identifier, "__name__", None)
    if isinstance(name, str) and name in ALL_DTYPES:
        return DTypePolicy(name)
    raise ValueError(
        f"Cannot interpret `dtype` argument. Expected a string or a DTypePolicy. Received: {identifier}"
    )


@short_traceback
def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The config of a policy, in Keras's format."""
    return serialize_object(dtype_policy)


@short_traceback
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """The policy that `serialize` (or Keras) described.

    Raises:
        ValueError: for the config of something else.
    """
    policies = {"DTypePolicy": DTypePolicy, "FloatDTypePolicy": DTypePolicy}
    policy = deserialize_object(config, custom_objects, module_objects=policies)
    if not isinstance(policy, DTypePolicy):
        raise ValueError(f"Could not interpret dtype policy config: {config}")
    return policy
