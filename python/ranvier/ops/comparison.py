"""Comparisons and logic, elementwise: every result is boolean and has no gradient (it is 0 everywhere)."""

from __future__ import annotations

from typing import Any

from ranvier.ops._common import Value, cast_to, promote, to_bool, where3
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


def where(condition: Any, x1: Any = None, x2: Any = None) -> Value:
    """x1 where `condition` holds, else x2; the three broadcast together.

    Args:
        condition: booleans, or numbers that hold where they are not zero.
        x1: the values where it holds.
        x2: the values elsewhere, promoted with x1.

    The gradient of each value is zero where the other is chosen; a NaN in the branch not chosen does not
    reach the output, but its own gradient rule may still make one, so guard the argument as well.

    Raises:
        ValueError: if x1 or x2 is None. The positions of the true elements, which Keras returns without x1
        and x2,
            have a size that depends on values, which a compiled graph cannot have.
    """
    if x1 is None or x2 is None:
        raise ValueError(
            "`where` needs both `x1` and `x2`: a graph cannot hold a result whose size depends on values."
        )
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
    result: Any = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result
