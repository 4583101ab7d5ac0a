"""Attribute tracking: variables, sublayers, metrics and seed generators are found where they are assigned.

Lists, tuples, sets and dicts are looked into, and so are their subclasses. Those that can change become
containers that report what is put into them later (`layers/containers.py`).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ranvier.core.names import is_own
from ranvier.layers.containers import Reporting, reporting
from ranvier.layers.edits import PLAIN, note_edit

Kind = tuple[Callable[[Any], bool], list[Any]]


class Tracker:
    """Sorts assigned values into lists.

    Args:
        kinds: name -> (whether a value is of this kind, the list that collects those values). The first kind
            that fits decides.
        owner: the object whose attributes are tracked.
    """

    def __init__(self, kinds: dict[str, Kind], owner: Any) -> None:
        self.kinds = kinds
        self.locked = False
        self._owner = weakref.ref(owner)
        self.renew()

    def renew(self) -> None:
        """Tracks what the lists hold now, after they were changed from outside."""
        self._known = {id(value) for _, store in self.kinds.values() for value in store}

    def note_edit(self, container: Any) -> None:
        """Counts a change of a container as one of the owner."""
        owner = self._owner()
        if owner is not None:
            note_edit(owner, container=container)

    def lock(self) -> None:
        """Refuses new state from now on."""
        self.locked = True

    def unlock(self) -> None:
        """Takes new state again."""
        self.locked = False

    def track(self, value: Any) -> Any:
        """Remembers `value` if it is of one of the kinds; looks into containers.

        Returns:
            The value, or the container that takes its place: a reporting one of the same type.

        Raises:
            ValueError: if the tracker is locked and `value` is new, or a layer that holds the owner.
        """
        if type(value) in PLAIN:
            return value
        for matches, store in self.kinds.values():
            if matches(value):
                self._add(value, store)
                return value
        if isinstance(value, tuple):
            return _with_items(value, [self.track(item) for item in value])
        if isinstance(value, (list, dict, set)):
            try:
                return reporting(value, self)
            except RecursionError:
                raise ValueError(
                    f"A {type(value).__name__} is nested too deep to be tracked, or holds itself."
                ) from None
        return value

    def _add(self, value: Any, store: list[Any]) -> None:
        if id(value) in self._known:
            return
        self.check_unlocked(value)
        owner, holds = self._owner(), getattr(value, "_rv_holds", None)
        if holds is not None and owner is not None and holds(owner):
            raise ValueError(
                f"{value!r} cannot be in an attribute of a layer that it holds itself, {owner!r}: that is a "
                "cycle. To refer to it without making it a sublayer keep it in an object that is no layer, "
                "list or dict."
            )
        if getattr(value, "_rv_is_stray", False):
            value._rv_is_stray = False
        store.append(value)
        self._known.add(id(value))

    def check_unlocked(self, added: Any) -> None:
        """Refuses new state once the layer is built.

        Args:
            added: the new state, for the message.

        Raises:
            ValueError: if the tracker is locked.
        """
        if self.locked:
            raise ValueError(
                "You cannot add new elements of state (variables or sub-layers) to a layer that is already "
                "built. All state must be created in the `__init__()` method or in the `build()` method. "
                f"Received: {added}"
            )

    def untrack(self, values: Iterable[Any]) -> None:
        """Forgets values that were taken away, and what is in them, unless an attribute still holds them."""
        gone = {id(leaf) for leaf in _leaves(values) if id(leaf) in self._known}
        owner = self._owner()
        if not gone or owner is None:
            return
        held = [value for name, value in list(vars(owner).items()) if not is_own(name)]
        gone -= {id(leaf) for leaf in _leaves(held)}
        self._known -= gone
        for _, store in self.kinds.values():
            store[:] = [item for item in store if id(item) not in gone]


def _with_items(value: tuple[Any, ...], items: list[Any]) -> Any:
    """The tuple with other items, as an object of its own class; itself if they are the same."""
    if all(old is new for old, new in zip(value, items, strict=True)):
        return value
    made = tuple.__new__(type(value), items)
    if hasattr(value, "__dict__"):
        made.__dict__.update(vars(value))
    return made


def _leaves(values: Iterable[Any]) -> Iterator[Any]:
    """What containers hold at their ends."""
    stack, seen = list(values), set()
    while stack:
        value = stack.pop()
        if not isinstance(value, (list, tuple, set, dict)):
            yield value
        elif id(value) not in seen:
            seen.add(id(value))
            stack.extend(value.values() if isinstance(value, dict) else value)


def holds_tracked(value: Any) -> bool:
    """Whether a value is a reporting container, or a tuple that holds one."""
    if isinstance(value, tuple):
        return any(map(holds_tracked, value))
    return isinstance(value, Reporting)
