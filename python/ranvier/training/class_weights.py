"""`class_weight`: from weights of classes to weights of samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.user_code import warn


def _has_scores(y: np.ndarray) -> bool:
    """Whether targets hold a score for each class, and not a class number."""
    return y.ndim > 1 and y.shape[-1] > 1


def _class_of_each(y: np.ndarray) -> np.ndarray:
    """The class of each sample, as it stands in the targets."""
    if y.ndim < 2:
        return y
    return y.argmax(axis=-1) if _has_scores(y) else y[..., 0]


def _classes_in(y: np.ndarray) -> np.ndarray:
    """The classes that there are in targets."""
    return np.unique(np.rint(_class_of_each(y)).astype(np.int64))


def class_weights(y: Any, class_weight: Any) -> np.ndarray:
    """The weight of each sample.

    Args:
        y: one target array: class numbers, or one score per class in the last axis.
        class_weight: class -> weight; a class without an entry has weight 1.

    Raises:
        ValueError: if there is not one target array, or the weights are no dict from class to number.
    """
    if not isinstance(y, np.ndarray):
        raise ValueError(
            "Argument `class_weight` needs targets `y`, and is only supported for models with one output."
        )
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"Argument `class_weight` must be a dict from class to weight. Received: {class_weight}"
        )
    classes = _class_of_each(y)
    if classes.ndim > 1:
        raise ValueError(
            f"Argument `class_weight` needs one class for each sample; the targets have the shape {y.shape}."
        )
    found, inverse = np.unique(np.rint(classes).astype(np.int64), return_inverse=True)
    try:
        weights = [float(class_weight.get(int(c), 1.0)) for c in found]
    except (TypeError, ValueError):
        raise ValueError(
            f"The values of `class_weight` must be numbers. Received: {dict(class_weight)}"
        ) from None
    return np.asarray(weights, dtypes.floatx())[inverse.reshape(-1)]


def note_unknown_classes(class_weight: Any, y: Any = None, is_all: bool = False) -> None:
    """Warns of weights that no sample can have, because their key is no class.

    Args:
        class_weight: class -> weight; anything else is refused elsewhere.
        y: the targets, or those of a batch; None: they are not known.
        is_all: whether `y` holds the targets of all samples: class numbers beyond them are no classes then.
    """
    if not isinstance(class_weight, Mapping) or not class_weight:
        return
    numbers = [key for key in class_weight if _is_whole(key)]
    names = [key for key in class_weight if not _is_whole(key)]
    if names:
        warn(
            f"`class_weight` has the keys {_listed(names)}, which are no class numbers: their weights count "
            "for no sample. The keys are to be the class numbers in the targets: 0, 1, 2, ..."
        )
    if not isinstance(y, np.ndarray) or not y.size:
        return
    if _has_scores(y):
        first, last = 0, y.shape[-1] - 1
    elif is_all:
        first, last = np.rint(y.min()), np.rint(y.max())
    else:
        return
    if is_all:
        known = set(numbers)
        missing = [int(c) for c in _classes_in(y) if int(c) not in known]
        if missing:
            warn(
                f"`class_weight` has no weight for the classes {_listed(missing)} in the targets: they count "
                "with a weight of 1. Give them one, or write 1.0 to say so."
            )
    beyond = [key for key in numbers if not first <= key <= last]
    if beyond:
        warn(
            f"`class_weight` has the keys {_listed(beyond)}, but the targets hold the classes {first:g} to "
            f"{last:g}: these weights count for no sample."
        )


def _is_whole(key: Any) -> bool:
    return isinstance(key, (int, float, np.integer, np.floating)) and key == np.rint(key)


def _listed(keys: list[Any]) -> str:
    return ", ".join(map(repr, keys[:5])) + (", ..." if len(keys) > 5 else "")
