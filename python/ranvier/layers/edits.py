"""Edits: changes of the attributes of layers and optimizers are known, so that no program outlives them.

They are counted, for all to see quickly whether there was one. What was set to a number, a string or None is
then compared by value: a flag that was turned and turned back, as in the training of a GAN, is no change.
"""

from __future__ import annotations

from typing import Any

from ranvier.core.call_state import call_state
from ranvier.core.names import is_own
from ranvier.core.trace import current_trace

PLAIN = frozenset({type(None), bool, int, float, str})  # what most attributes are

_edits = 0


def note_edit(owner: Any, name: str = "", plain: bool = False) -> None:
    """To be called when an attribute of a layer or an optimizer changes: programs may be others then.

    Args:
        owner: the layer or optimizer.
        name: the attribute; "": a container in one.
        plain: whether it shows in the attributes' values, which are compared: it was and is plain.
    """
    global _edits
    _edits += 1
    state = owner.__dict__
    state["_rv_edits"] = state.get("_rv_edits", 0) + 1
    trace = current_trace()
    inner = call_state.depth > 0 or (trace is not None and not trace.is_eager)
    if inner and name in state and not state.get("_rv_building"):  # not what it is made with
        state.setdefault("_rv_noted", set()).add(name)
    if inner or plain:
        state["_rv_passed_edits"] = state.get("_rv_passed_edits", 0) + 1


def is_plain_edit(owner: Any, name: str, new: Any) -> bool:
    """Whether an attribute was plain, or not there, and is to be plain; a property sets others."""
    state = owner.__dict__
    if name not in state:
        return type(new) in PLAIN or isinstance(getattr(type(owner), name, None), property)
    return type(new) in PLAIN and type(state[name]) in PLAIN


def edits_in_all() -> int:
    """How many changes of attributes there have been, of all layers."""
    return _edits


def edits_of(layer: Any) -> list[tuple[int, int]]:
    """The layer and its sublayers, and how often each has been changed."""
    return [(id(one), one.__dict__.get("_rv_edits", 0)) for one in layer._rv_flatten_layers()]


def state_of(layer: Any) -> list[Any]:
    """What is another if the layer, a sublayer or an optimizer in an attribute was changed from outside.

    What calls and steps change themselves does not count: a layer may note something in its `call`, such as
    its attention, and a step that was traced did so too.
    """
    return [_own_state(one) for one in (*layer._rv_flatten_layers(), *_optimizers_of(layer))]


def _own_state(owner: Any) -> tuple[Any, ...]:
    state = owner.__dict__
    edits = state.get("_rv_edits", 0) - state.get("_rv_passed_edits", 0)
    passed = state.get("_rv_noted", ())
    values = [
        (name, value)
        for name, value in list(state.items())
        if type(value) in PLAIN
        and name not in passed
        and (name == "_rv_trainable" or not (is_own(name) or name in owner._rv_untracked))
    ]
    return id(owner), edits, sorted(values, key=lambda item: item[0])


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
