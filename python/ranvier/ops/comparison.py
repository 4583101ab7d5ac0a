"""Comparisons and logic, elementwise: every result is boolean and has no gradient (it is 0 everywhere)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.ops._common import Value, cast_to, known, promote, to_bool, where3
from ranvier.ops._emit import emit


def _compare(op: str, x1: Any, x2: Any) -> Value:
    values, dtype = promote(x1, x2)
    if dtype == "bool" and op not in ("equal", "not_equal"):
        values = [cast_to(value, "int32") for value in values]
    return emit(op, *values)


def equal(x1: Any, x2: Any) -> Value:
    """x1 == x2; NaN equals nothing."""
    return _compare("equal", x1, x2)


def not_equal(x1: Any, x2: Any) -> Value:
    """x1 != x2."""
    return _compare("not_equal", x1, x2)


def less(x1: Any, x2: Any) -> Value:
    """x1 < x2; False counts as 0, True as 1."""
    return _compare("less", x1, x2)


def less_equal(x1: Any, x2: Any) -> Value:
    """x1 <= x2."""
    return _compare("less_equal", x1, x2)


def greater(x1: Any, x2: Any) -> Value:
    """x1 > x2."""
    return _compare("greater", x1, x2)


def greater_equal(x1: Any, x2: Any) -> Value:
    """x1 >= x2."""
    return _compare("greater_equal", x1, x2)


def logical_not(x: Any) -> Value:
    """Where x is zero (or False)."""
    return emit("logical_not", to_bool(x))


def logical_and(x1: Any, x2: Any) -> Value:
    """Where neither is zero."""
    return emit("logical_and", to_bool(x1), to_bool(x2))


def logical_or(x1: Any, x2: Any) -> Value:
    """Where not both are zero."""
    return emit("logical_or", to_bool(x1), to_bool(x2))


def logical_xor(x1: Any, x2: Any) -> Value:
    """Where exactly one is zero."""
    return emit("logical_xor", to_bool(x1), to_bool(x2))


def places(x: Any, name: str) -> tuple[np.ndarray, ...]:
    """Where x is not 0, for the function `name`: for each axis an int32 array of indices.

    Raises:
        ValueError: if x is a tensor of a graph.
    """
    return tuple(i.astype("int32") for i in np.nonzero(known(x, name, "the number of places")))


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where `condition` holds, else x2; the three broadcast together.

    Args:
        condition: booleans, or numbers that hold where they are not zero.
        x1: the values where it holds.
        x2: the values elsewhere, promoted with x1. Without x1 and x2 the result is `nonzero(condition)`.

    The gradient of each value is zero where the other is chosen; a NaN in the branch not chosen does not
    reach the output, but its own gradient rule may still make one, so guard the argument as well.

    Raises:
        ValueError: if only one of x1 and x2 is None; if both are inside a trace, where the number of places
            is not known.
    """
    if x1 is None and x2 is None:
        return places(condition, "where")
    if x1 is None or x2 is None:
        raise ValueError("where: expected both `x1` and `x2`, or neither.")
    return where3(to_bool(condition), x1, x2)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Value:
    """For each element, the choice of the first condition that holds, else `default`.

    Args:
        condlist: a sequence of boolean tensors.
        choicelist: as many tensors; all broadcast and are promoted together.
        default: the value where no condition holds.

    Raises:
        ValueError: if the sequences are empty or of different lengths.
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: expected as many choices as conditions, got {len(choicelist)} and {len(condlist)}."
        )
    (*choices, result), dtype = promote(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        result = emit("select", to_bool(condition), choice, result)
    return cast_to(result, dtype)
