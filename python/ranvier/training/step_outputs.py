"""What steps return: logs by name, and predictions that are joined over the batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import dtypes, tree
from ranvier.core.tensor import Tensor
from ranvier.core.variable import Variable


def flatten_logs(kind: str, logs: Any) -> dict[str, Any]:
    """What a step returned, without nesting: the inner names stand for themselves, as in Keras.

    Args:
        kind: "train" or "test".
        logs: name -> value, or a dict of such.

    Raises:
        ValueError: if `logs` is not a dict.
        TypeError: for a value that is neither a tensor nor a number.
    """
    if not isinstance(logs, dict):
        raise ValueError(f"{kind}_step() must return a dict of names and values, got {type(logs).__name__}.")
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            flat.update(flatten_logs(kind, value))
        else:
            flat[name] = _value(f"{kind}_step() returned for {name!r}", value)
    return flat


def flatten_predictions(result: Any) -> list[Any]:
    """What a prediction step returned, as a list of tensors and arrays.

    Raises:
        TypeError: for a value that is neither a tensor nor a number.
    """
    return [_value("predict_step() returned", leaf) for leaf in tree.flatten(result)]


def _value(what: str, value: Any) -> Any:
    if isinstance(value, (Tensor, Variable)):
        return value
    try:
        return dtypes.as_array(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} {value!r}, which is neither a tensor nor a number.") from None


def check_alike(structure: Any, other: Any) -> Any:
    """The structure of predictions.

    Raises:
        ValueError: if that of another batch's differs.
    """
    if structure != other:
        raise ValueError(
            f"predict_step() must return the same structure for each batch, got {structure} and {other}."
        )
    return structure


def join_steps(steps: list[list[np.ndarray]]) -> list[np.ndarray]:
    """The outputs of some steps along axis 0, whatever numbers of rows they have, as Keras joins them.

    Args:
        steps: the outputs of each step.

    Raises:
        ValueError: if there are several steps, and their outputs do not fit.
    """
    if len(steps) == 1:
        return steps[0]
    joined = []
    for parts in zip(*steps, strict=True):
        shapes = list(dict.fromkeys(part.shape for part in parts))
        if () in shapes or len({shape[1:] for shape in shapes}) > 1:
            raise ValueError(
                "The outputs of predict_step() are joined along axis 0; batches gave outputs of the shapes "
                f"{', '.join(map(str, shapes))}."
            )
        joined.append(np.concatenate(parts))
    return joined
