"""Gradients and their variables."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.user_code import warn


def with_gradient(grads: list[Any], variables: list[Any]) -> tuple[list[Any], list[Any]]:
    """The pairs whose gradient is not None, their shapes checked."""
    pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
    if not pairs:
        raise ValueError(
            f"No gradients provided for any variable: {', '.join(v.path for v in variables)}. The loss does "
            "not depend on them, or only through what has no derivative: comparisons, `where` with constants "
            "in both places, `argmax`, `round`, `stop_gradient`, casts to integers, numbers taken out with "
            "NumPy. Write the loss so that it changes smoothly with the model's outputs."
        )
    if len(pairs) < len(grads):
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        warn(
            f"Gradients do not exist for the variables {missing}: the loss does not depend on them, or not "
            "by differentiable operations. They keep their values.",
        )
    kept = [ops.convert_to_tensor(gradient) for gradient, _ in pairs]
    for gradient, (_, variable) in zip(kept, pairs, strict=True):
        if tuple(gradient.shape) != tuple(variable.shape):
            raise ValueError(
                f"The gradient of variable {variable.path} has shape {tuple(gradient.shape)}, "
                f"but the variable has shape {tuple(variable.shape)}."
            )
    return kept, [variable for _, variable in pairs]
