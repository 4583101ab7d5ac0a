"""Attribute tracking: variables, sublayers, metrics and seed generators are found where they are assigned.

Lists, tuples, sets and dicts are looked into, and those that can change are replaced by subclasses that
report what is put into them later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

Kind = tuple[Callable[[Any], bool], list[Any]]


class Tracker:
    """Sorts assigned values into lists.

    Args:
        kinds: name -> (whether a value is of this kind, the list that collects those values). The first kind
            that fits decides.
    """

    def __init__(self, kinds: dict[str, Kind]) -> None:
        self.kinds = kinds
        self.locked = False
        self.renew()

    def renew(self) -> None:
        """Knows what the lists hold and no more: for who has changed them."""
        self._known = {id(value) for _, store in self.kinds.values() for value in store}

    def track(self, value: Any) -> Any:
        """Remembers `value` if it is of one of the kinds; looks into containers.

        Returns:
            The value, or the tracked container that takes its place.

        Raises:
            ValueError: if the tracker is locked and `value` is new.
        """
        for matches, store in self.kinds.values():
            if matches(value):
                self._add(value, store)
                return value
        if type(value) is tuple:
            return tuple(self.track(item) for item in value)
        if type(value) is list:
            return TrackedList([self.track(item) for item in value], self)
        if type(value) is dict:
            return TrackedDict({key: self.track(item) for key, item in value.items()}, self)
        if type(value) is set:
            return TrackedSet([self.track(item) for item in value], self)
        return value

    def _add(self, value: Any, store: list[Any]) -> None:
        if id(value) in self._known:
            return
        self.check_unlocked(value)
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

    def untrack(self, value: Any) -> None:
        """Forgets `value` (and what a container holds)."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple, set)):
            for item in value:
                self.untrack(item)
        elif id(value) in self._known:
            self._known.discard(id(value))
            for _, store in self.kinds.values():
                store[:] = [item for item in store if item is not value]


class TrackedList(list[Any]):
    """A list whose new items are tracked by the layer it is an attribute of."""

    def __init__(self, values: Iterable[Any] = (), tracker: Tracker | None = None) -> None:
        super().__init__(values)
        self._tracker = tracker

    def _track(self, value: Any) -> Any:
        return self._tracker.track(value) if self._tracker is not None else value

    def _untrack(self, value: Any) -> None:
        if self._tracker is not None:
            self._tracker.untrack(value)

    def append(self, value: Any) -> None:
        super().append(self._track(value))

    def insert(self, index: SupportsIndex, value: Any) -> None:
        super().insert(index, self._track(value))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend([self._track(value) for value in values])

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:  # type: ignore[misc]
        self.extend(values)
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        self._untrack(self[index])
        is_slice = isinstance(index, slice)
        super().__setitem__(index, [self._track(v) for v in value] if is_slice else self._track(value))

    def __delitem__(self, index: Any) -> None:
        self._untrack(self[index])
        super().__delitem__(index)

    def pop(self, index: SupportsIndex = -1) -> Any:
        value = super().pop(index)
        self._untrack(value)
        return value

    def remove(self, value: Any) -> None:
        super().remove(value)
        self._untrack(value)

    def clear(self) -> None:
        self._untrack(list(self))
        super().clear()

    def __reduce__(self) -> Any:
        return list, (list(self),)


class TrackedDict(dict[Any, Any]):
    """A dict whose new values are tracked by the layer it is an attribute of."""

    def __init__(self, values: dict[Any, Any] | None = None, tracker: Tracker | None = None) -> None:
        super().__init__(values or {})
        self._tracker = tracker

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._tracker is not None:
            if key in self:
                self._tracker.untrack(self[key])
            value = self._tracker.track(value)
        super().__setitem__(key, value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def __delitem__(self, key: Any) -> None:
        self._forget(self[key])
        super().__delitem__(key)

    def pop(self, key: Any, *default: Any) -> Any:
        if key in self:
            self._forget(self[key])
        return super().pop(key, *default)

    def popitem(self) -> tuple[Any, Any]:
        key, value = super().popitem()
        self._forget(value)
        return key, value

    def clear(self) -> None:
        self._forget(list(self.values()))
        super().clear()

    def _forget(self, value: Any) -> None:
        if self._tracker is not None:
            self._tracker.untrack(value)

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class TrackedSet(set[Any]):
    """A set whose new items are tracked by the layer it is an attribute of."""

    def __init__(self, values: Iterable[Any] = (), tracker: Tracker | None = None) -> None:
        super().__init__(values)
        self._tracker = tracker

    def add(self, value: Any) -> None:
        super().add(self._tracker.track(value) if self._tracker is not None else value)

    def update(self, *others: Iterable[Any]) -> None:
        for values in others:
            for value in values:
                self.add(value)

    def remove(self, value: Any) -> None:
        super().remove(value)
        if self._tracker is not None:
            self._tracker.untrack(value)

    def discard(self, value: Any) -> None:
        if value in self:
            self.remove(value)

    def pop(self) -> Any:
        value = super().pop()
        if self._tracker is not None:
            self._tracker.untrack(value)
        return value

    def clear(self) -> None:
        if self._tracker is not None:
            self._tracker.untrack(set(self))
        super().clear()

    def __reduce__(self) -> Any:
        return set, (set(self),)


def holds_tracked(value: Any) -> bool:
    """Whether a value is a tracked container, or a tuple that holds one."""
    if isinstance(value, tuple):
        return any(map(holds_tracked, value))
    return isinstance(value, (TrackedList, TrackedDict, TrackedSet))
