"""The constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.arguments import number
from ranvier.core.plain_arguments import PlainArguments
from ranvier.core.shown import Shown

T = TypeVar("T", bound="Constraint")


class Constraint(PlainArguments, Shown):
    """A callable that maps a weight to the allowed value near it, of the same shape.

    A subclass implements `__call__` and, to be saved with a model, `get_config`.
    """

    def __call__(self, w: Any) -> Any:
        """The allowed value near `w`, a tensor, array or variable."""
        raise NotImplementedError("Constraint subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {}

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        """The constraint with these constructor arguments."""
        return cls(**config)


def _norms(w: Any, axis: int | Sequence[int]) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Scales down the vectors along `axis` whose length is above a limit.

    Args:
        max_value: the limit. Default 2.
        axis: the axis or axes along which lengths are taken; 0 for the inputs of each unit of a dense kernel.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        number(max_value, "max_value")
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = ops.clip(norms, 0, self.max_value)
        return ops.multiply(w, wanted / (norms + dtypes.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Replaces negative values by 0."""

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0)


class UnitNorm(Constraint):
    """Scales the vectors along `axis` to length 1.

    Args:
        axis: the axis or axes along which lengths are taken. Default 0.
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return ops.divide(w, _norms(w, self.axis) + dtypes.epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Scales the vectors along `axis` so that their length comes between two limits.

    Args:
        min_value: the lower limit. Default 0.
        max_value: the upper limit. Default 1.
        rate: how much of the way to the limit one step goes; 1 (the default) goes all the way.
        axis: the axis or axes along which lengths are taken. Default 0.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        number(min_value, "min_value")
        number(max_value, "max_value")
        number(rate, "rate")
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        limited = ops.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * limited + (1.0 - self.rate) * norms
        return ops.multiply(w, wanted / (norms + dtypes.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
