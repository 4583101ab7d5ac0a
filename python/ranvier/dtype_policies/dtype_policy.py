"""DTypePolicy: which dtype a layer computes in and which one it stores its weights in."""

from __future__ import annotations

from typing import Any

from ranvier.core.dtypes import ALL_DTYPES, FLOAT_DTYPES, floatx
from ranvier.core.user_code import ShortErrors


class DTypePolicy(ShortErrors):
    """A pair of dtypes, given by one name.

    Args:
        name: "float32" or "float64" (an integer type or "bool" is accepted too, for layers that only move
            data); None: the global policy.

    Raises:
        ValueError: for an unknown name, and for "mixed_float16", "mixed_bfloat16" and half precision, which
            the engine does not offer.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise TypeError(
                f"'name' must be a string, such as 'float32'. Received: name={name!r} (of type {type(name)})"
            )
        if name not in ALL_DTYPES:
            hint = "half precision is not offered" if "16" in name else f"the float dtypes are {FLOAT_DTYPES}"
            raise ValueError(f"Cannot convert '{name}' to a DTypePolicy: {hint}.")
        self._name = name

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of a layer's computations and outputs."""
        return self._name

    @property
    def variable_dtype(self) -> str:
        """The dtype of a layer's weights."""
        return self._name

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantized; None: not at all."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal policy."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """A policy from `get_config`'s dict."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


_global_policy: list[DTypePolicy] = []


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: `floatx()`'s, unless `set_dtype_policy` chose another."""
    return _global_policy[0] if _global_policy else DTypePolicy(floatx())


def replace_global_policy(policy: DTypePolicy | None) -> None:
    """Sets the global policy; None: `floatx()` decides."""
    _global_policy[:] = [] if policy is None else [policy]
