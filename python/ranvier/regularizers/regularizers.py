"""The regularizers."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.shown import Shown

T = TypeVar("T", bound="Regularizer")


class Regularizer(Shown):
    """A callable that maps a weight or an output to a rank-0 penalty.

    A subclass implements `__call__` and, to be saved with a model, `get_config`.
    """

    def __call__(self, x: Any) -> Any:
        """The penalty of `x`, a tensor or array; rank 0."""
        raise NotImplementedError("Regularizer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {}

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        """The regularizer with these constructor arguments."""
        return cls(**config)


def _factor(name: str, value: Any, default: float) -> float:
    value = default if value is None else arguments.plain(value)
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}"
        )
    return float(value)


class L1(Regularizer):
    """`l1 * sum(|x|)`.

    Args:
        l1: a factor, at least 0. Default 0.01.

    Raises:
        ValueError: for any other factor.
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", l1, 0.01)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2 * sum(x^2)`.

    Args:
        l2: a factor, at least 0. Default 0.01.

    Raises:
        ValueError: for any other factor.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", l2, 0.01)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x^2)`.

    Args:
        l1: a factor, at least 0. Default 0.
        l2: a factor, at least 0. Default 0.

    Raises:
        ValueError: for any other factor.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("l1", l1, 0.0)
        self.l2 = _factor("l2", l2, 0.0)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x)) + self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """`factor` times half the sum of |cosine| between a matrix's rows (or columns), over their pairs.

    Args:
        factor: at least 0. Default 0.01.
        mode: "rows" or "columns".

    Raises:
        ValueError: for any other argument, and when called on a value that is not of rank 2.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor("factor", factor, 0.01)
        if mode not in ("rows", "columns"):
            raise ValueError(
                f'Invalid value for argument `mode`. Expected "rows" or "columns". Received: mode={mode!r}'
            )
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        x = ops.convert_to_tensor(x)
        if len(x.shape) != 2:
            raise ValueError(
                f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={tuple(x.shape)}"
            )
        rows = x if self.mode == "rows" else ops.transpose(x)
        norm = ops.sqrt(ops.sum(ops.square(rows), axis=1, keepdims=True))
        unit = ops.divide(rows, ops.maximum(norm, 1e-12))
        cosines = ops.matmul(unit, ops.transpose(unit))
        size = cosines.shape[0]
        off_diagonal = cosines * (1.0 - ops.eye(size, dtype=cosines.dtype))
        pairs = max(size * (size - 1) / 2.0, 1.0)
        return self.factor * 0.5 * ops.sum(ops.abs(off_diagonal)) / pairs

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}
