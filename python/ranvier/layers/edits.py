"""Edits: changes of the attributes of layers and optimizers are known, so that no program outlives them.

They are counted, for all to see quickly whether there was one. A step's program goes by the attributes that
were read while it was traced: what a callback notes in a model for itself is no change of it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from ranvier.core.context import context
from ranvier.core.trace import current_trace

PLAIN = frozenset({type(None), bool, int, float, str})  # what most attributes are

_edits = 0


def note_edit(owner: Any, name: str | None = None, container: Any = None) -> None:
    """To be called when an attribute of a layer or an optimizer changes: programs may be others then.

    What calls and steps change themselves is noted too: a layer may keep something of its `call`, such as its
    attention, and no program goes by that.

    Args:
        owner: the layer or optimizer.
        name: the attribute; None: a container that is in one, or in another container there.
        container: that container.
    """
    global _edits
    _edits += 1
    state = owner.__dict__
    state["_rv_edits"] = state.get("_rv_edits", 0) + 1
    if name is not None and name not in state:  # it is made
        return
    trace = current_trace()
    if context.depth == 0 and (trace is None or trace.is_eager) or state.get("_rv_building"):
        return
    noted = state.setdefault("_rv_noted", set())
    if name is None:
        if not any(state.get(held) is container for held in noted):
            noted.update(n for n, value in list(state.items()) if _holds(value, container))
    else:
        noted.add(name)


def _holds(value: Any, container: Any, depth: int = 0) -> bool:
    """Whether a value is a container, or has it in it."""
    if value is container:
        return True
    return (
        isinstance(value, (list, tuple, dict))
        and depth < _DEEPEST
        and any(
            _holds(item, container, depth + 1)
            for item in (value.values() if isinstance(value, dict) else value)
        )
    )


def edits_in_all() -> int:
    """How many changes of attributes there have been, of all layers."""
    return _edits


def edits_of(layer: Any) -> list[tuple[int, int]]:
    """The layer and its sublayers, and how often each has been changed."""
    return [(id(one), one.__dict__.get("_rv_edits", 0)) for one in layer._rv_flatten_layers()]


# --- what a trace reads ---

Reads = dict[tuple[int, str], Any]  # the id of an owner and a name -> the owner

_read_classes: list[Any] = []
_lock = threading.Lock()
_noting: dict[int, Reads] = {}  # thread -> what it reads
_DEEPEST = 8  # containers in containers; one may hold itself
_ABSENT = object()


def _forget_threads() -> None:
    global _lock
    _lock = threading.Lock()
    if _noting:
        _noting.clear()
        _stop_noting()


def _stop_noting() -> None:
    for cls in _read_classes:
        del cls.__getattribute__


# A thread that traces in the parent is not in the child.
os.register_at_fork(after_in_child=_forget_threads)


def with_noted_reads(cls: Any) -> Any:
    """A decorator of classes: reads of the attributes of their objects can be noted, see `noted_reads`."""
    _read_classes.append(cls)
    return cls


def _read(self: Any, name: str) -> Any:
    reads = _noting.get(threading.get_ident())
    if reads is not None:
        reads[id(self), name] = self
    return object.__getattribute__(self, name)


@contextmanager
def noted_reads() -> Iterator[Reads]:
    """A block in which this thread's reads of attributes are noted. Outside of it they cost nothing."""
    me, reads = threading.get_ident(), Reads()
    with _lock:
        outer = _noting.get(me)
        if not _noting:
            for cls in _read_classes:
                cls.__getattribute__ = _read
        _noting[me] = reads
    try:
        yield reads
    finally:
        with _lock:
            if outer is None:
                del _noting[me]
            else:
                outer.update(reads)
                _noting[me] = outer
            if not _noting:
                _stop_noting()


class _Contents:
    """What is in a container."""

    __slots__ = ("items", "kind")

    def __init__(self, container: Any, depth: int) -> None:
        self.kind = type(container)
        self.items = [_as_noted(item, depth) for item in _items(container)]


def _items(container: Any) -> Collection[Any]:
    return [part for item in container.items() for part in item] if isinstance(container, dict) else container


def _as_noted(value: Any, depth: int = 0) -> Any:
    is_container = isinstance(value, (list, tuple, dict, set)) and depth < _DEEPEST
    return _Contents(value, depth + 1) if is_container else value


def _is_as_noted(noted: Any, value: Any) -> bool:
    if type(noted) is _Contents:
        return (
            type(value) is noted.kind
            and len(items := _items(value)) == len(noted.items)
            and all(map(_is_as_noted, noted.items, items))
        )
    return noted is value or (type(noted) in PLAIN and type(value) is type(noted) and noted == value)


class Premises:
    """The attributes that a trace read, with what they were at its end.

    Args:
        reads: what was read.
        layers: further layers, which are asked whether they are trained.
    """

    def __init__(self, reads: Reads, layers: Collection[Any]) -> None:
        self._edits = _edits
        names: dict[int, set[str]] = {id(layer): {"_rv_trainable"} for layer in layers}
        owners = {id(layer): layer for layer in layers}
        for (key, name), owner in reads.items():
            if name not in owner._rv_untracked and not name.startswith("__"):
                names.setdefault(key, set()).add(name)
                owners[key] = owner
        self._noted = [
            (owner, {name: _as_noted(owner.__dict__.get(name, _ABSENT)) for name in sorted(names[key])})
            for key, owner in owners.items()
        ]

    def broken(self) -> tuple[Any, str] | None:
        """The first attribute that is another now, with its owner; None: all hold."""
        edits = _edits
        if edits == self._edits:
            return None
        for owner, noted in self._noted:
            state = owner.__dict__
            passed = state.get("_rv_noted", ())
            for name, value in noted.items():
                if not _is_as_noted(value, state.get(name, _ABSENT)) and name not in passed:
                    return owner, name
        self._edits = edits
        return None
