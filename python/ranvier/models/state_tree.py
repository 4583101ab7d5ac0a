"""State trees: the values of a model's variables as nested dicts, by the parts of their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def tree_of(variables: Sequence[Any], as_arrays: bool) -> dict[str, Any]:
    """The values of variables by the parts of their paths.

    Args:
        variables: the variables.
        as_arrays: whether the values are NumPy arrays, in a trace too; else what computations take.

    Raises:
        ValueError: if two variables have the same path.
    """
    nested: dict[str, Any] = {}
    known = set()
    for variable in variables:
        if variable.path in known:
            raise ValueError(
                f"Two variables of the model have the path '{variable.path}', so a state tree cannot hold "
                "both. Give the layers that they are in names of their own."
            )
        known.add(variable.path)
        *places, name = variable.path.split("/")
        inner = nested
        for place in places:
            inner = inner.setdefault(place, {})
        inner[name] = variable.numpy() if as_arrays else variable.value
    return nested


def assignments(kind: str, variables: Sequence[Any], state: Any) -> list[tuple[Any, Any]]:
    """Which variable is to have which value.

    Args:
        kind: what the variables are, for messages.
        variables: the variables that there are.
        state: a tree of values; variables that it does not name keep theirs.

    Raises:
        ValueError: for something else than a dict, and for a path or a shape that no variable has.
    """
    known = {variable.path: variable for variable in variables}
    pairs = []
    for path, value in _leaves(kind, state):
        if path not in known:
            raise ValueError(f"There is no variable '{path}' in `{kind}`. Known paths: {list(known)}")
        if np.shape(value) != tuple(known[path].shape):
            raise ValueError(
                f"Variable '{path}' in `{kind}` has shape {tuple(known[path].shape)}, its value in the state "
                f"tree has shape {np.shape(value)}. Nothing was changed."
            )
        pairs.append((known[path], value))
    return pairs


def _leaves(kind: str, state: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(state, Mapping):
        raise ValueError(f"`{kind}` of a state tree must be a nested dict. Received: {state!r}")
    for name, value in state.items():
        below = f"{path}/{name}" if path else name
        if isinstance(value, Mapping):
            yield from _leaves(kind, value, below)
        else:
            yield below, value
