"""Edits: changes of layers' attributes are counted, so that no program outlives what it was traced from."""

from __future__ import annotations

from typing import Any

from ranvier.core.trace import current_trace

_edits = 0


def note_edit(layer: Any) -> None:
    """To be called whenever an attribute of a layer changes: its programs may compute something else then."""
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
    """The same without the changes that were made while a step was traced: these are the step's own."""
    return [
        (id(one), one.__dict__.get("_rv_edits", 0) - one.__dict__.get("_rv_traced_edits", 0))
        for one in layer._rv_flatten_layers()
    ]
