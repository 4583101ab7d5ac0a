"""Edits: changes of the attributes of layers and optimizers are counted, so that no program outlives them."""

from __future__ import annotations

from typing import Any

from ranvier.core.names import is_own
from ranvier.core.trace import current_trace

_edits = 0


def note_edit(layer: Any) -> None:
    """To be called when an attribute of a layer or an optimizer changes: programs may be others then."""
    global _edits
    _edits += 1
    state = layer.__dict__
    state["_rv_edits"] = state.get("_rv_edits", 0) + 1
    trace = current_trace()
    if trace is not None and not trace.is_eager:
        state["_rv_traced_edits"] = state.get("_rv_traced_edits", 0) + 1


def edits_in_all() -> int:
    """How many changes of attributes there have been, of all layers."""
    return _edits


def edits_of(layer: Any) -> list[tuple[int, int]]:
    """The layer and its sublayers, and how often each has been changed."""
    return [(id(one), one.__dict__.get("_rv_edits", 0)) for one in layer._rv_flatten_layers()]


def edits_from_outside(layer: Any) -> list[tuple[int, int]]:
    """The same, with the model's optimizers, and without the changes that were made while a step was traced.

    These are the step's own.
    """
    return [
        (id(one), one.__dict__.get("_rv_edits", 0) - one.__dict__.get("_rv_traced_edits", 0))
        for one in (*layer._rv_flatten_layers(), *_optimizers_of(layer))
    ]


def _optimizers_of(layer: Any) -> list[Any]:
    """The optimizers in attributes, and those in them. Their room is above this: they are known by a name."""
    owners = [layer]
    for owner in owners:  # it grows
        values = [value for name, value in list(vars(owner).items()) if not is_own(name)]
        for value in tuple(values):
            if isinstance(value, (list, tuple, dict)):
                values.extend(value.values() if isinstance(value, dict) else value)
        found = [value for value in values if hasattr(type(value), "learning_rate")]
        owners.extend(value for value in found if not any(value is other for other in owners))
    return owners[1:]
