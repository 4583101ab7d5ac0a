"""Containers that report: lists, dicts and sets, of any class, that tell trackers what is put into them.

A container in an attribute stays of its own class: an OrderedDict, a defaultdict, a list class of a user's.
The object that a user made gets a subclass of its class for its class, with the same name, whose methods
report. Python's own containers, whose class cannot be changed, are copied.
"""

from __future__ import annotations

import copyreg
import re
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from typing import Any, SupportsIndex


class Reporting:
    """What all reporting containers have.

    Attributes:
        _rv_trackers: whom to tell; none for a container that was made by another one's methods.
        _rv_class: the class without reporting.
    """

    __slots__ = ()
    _rv_trackers: tuple[weakref.ref[Any], ...] = ()
    _rv_class: type

    def __init_subclass__(cls) -> None:
        """Says nothing to the class that is extended: a registry of its subclasses need not know of this."""

    def _rv_enter(self, value: Any) -> Any:
        """Tells of a new item; returns what to put in."""
        for reference in self._rv_trackers:
            tracker = reference()
            if tracker is not None:
                tracker.note_edit(self)
                value = tracker.track(value)
        return value

    def _rv_leave(self, values: Iterable[Any]) -> None:
        """Tells of a change that may have taken items out."""
        for reference in self._rv_trackers:
            tracker = reference()
            if tracker is not None:
                tracker.note_edit(self)
                tracker.untrack(values)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Copies and pickles are of the class without reporting."""
        reduced = super().__reduce_ex__(protocol)
        if not isinstance(reduced, tuple):
            return reduced
        make, args, *rest = reduced
        if make is copyreg.__newobj__:  # type: ignore[attr-defined]
            make = _make  # pickle wants the other one for an object's own class only
        plain = [self._rv_class if x is type(self) else x for x in (make, *args)]
        if rest and isinstance(rest[0], tuple):  # attributes, and those in slots
            rest[0] = tuple(map(_without_trackers, rest[0]))
        elif rest:
            rest[0] = _without_trackers(rest[0])
        return (plain[0], tuple(plain[1:]), *rest)


def _without_trackers(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    return {name: value for name, value in state.items() if name != "_rv_trackers"} or None


def _make(cls: Any, *args: Any) -> Any:
    return cls.__new__(cls, *args)


class _List(list[Any]):
    __slots__ = ()
    _rv_enter: Any
    _rv_leave: Any

    def append(self, value: Any) -> None:
        super().append(self._rv_enter(value))

    def insert(self, index: SupportsIndex, value: Any) -> None:
        super().insert(index, self._rv_enter(value))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend([self._rv_enter(value) for value in values])

    def __iadd__(self, values: Iterable[Any]) -> Any:  # type: ignore[misc]
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> Any:
        before = list(self)
        super().__imul__(times)
        self._rv_leave(before)
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        is_slice = isinstance(index, slice)
        before = self[index] if is_slice else [self[index]]
        super().__setitem__(index, [self._rv_enter(v) for v in value] if is_slice else self._rv_enter(value))
        self._rv_leave(before)

    def __delitem__(self, index: Any) -> None:
        before = self[index] if isinstance(index, slice) else [self[index]]
        super().__delitem__(index)
        self._rv_leave(before)

    def pop(self, index: SupportsIndex = -1) -> Any:
        value = super().pop(index)
        self._rv_leave([value])
        return value

    def remove(self, value: Any) -> None:
        # The very object, if it is there: variables compare element by element.
        place = next((i for i, item in enumerate(self) if item is value), None)
        before = list(self)
        if place is None:
            super().remove(value)
        else:
            super().__delitem__(place)
        self._rv_leave(before)

    def sort(self, **kwargs: Any) -> None:
        super().sort(**kwargs)
        self._rv_leave(())

    def reverse(self) -> None:
        super().reverse()
        self._rv_leave(())

    def clear(self) -> None:
        before = list(self)
        super().clear()
        self._rv_leave(before)


class _Dict(dict[Any, Any]):
    __slots__ = ()
    _rv_enter: Any
    _rv_leave: Any

    def __setitem__(self, key: Any, value: Any) -> None:
        before = [self[key]] if key in self else []
        super().__setitem__(key, self._rv_enter(value))
        self._rv_leave(before)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        self.update(other)
        return self

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def __delitem__(self, key: Any) -> None:
        before = [self[key]]
        super().__delitem__(key)
        self._rv_leave(before)

    def pop(self, key: Any, *default: Any) -> Any:
        held = key in self
        value = super().pop(key, *default)
        if held:
            self._rv_leave([value])
        return value

    def popitem(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        key, value = super().popitem(*args, **kwargs)
        self._rv_leave([value])
        return key, value

    def clear(self) -> None:
        before = list(self.values())
        super().clear()
        self._rv_leave(before)


class _OrderedDict(_Dict, OrderedDict[Any, Any]):
    __slots__ = ()


class _DefaultDict(_Dict, defaultdict[Any, Any]):
    __slots__ = ()


class _Set(set[Any]):
    __slots__ = ()
    _rv_enter: Any
    _rv_leave: Any

    def add(self, value: Any) -> None:
        super().add(self._rv_enter(value))

    def update(self, *others: Iterable[Any]) -> None:
        for values in others:
            for value in list(values):
                self.add(value)

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        if not isinstance(other, (set, frozenset)):
            return NotImplemented
        self.update(other)
        return self

    def remove(self, value: Any) -> None:
        super().remove(value)
        self._rv_leave([value])

    def discard(self, value: Any) -> None:
        if value in self:
            self.remove(value)

    def pop(self) -> Any:
        value = super().pop()
        self._rv_leave([value])
        return value

    def clear(self) -> None:
        self._rv_keep(set())

    def difference_update(self, *others: Iterable[Any]) -> None:
        self._rv_keep(self.difference(*others))

    def intersection_update(self, *others: Iterable[Any]) -> None:
        self._rv_keep(self.intersection(*others))

    def symmetric_difference_update(self, other: Iterable[Any]) -> None:
        other = set(other)
        both = self.intersection(other)
        self.update(other)
        self._rv_keep(self.difference(both))

    def _rv_keep(self, values: Any) -> None:
        gone = set(self).difference(values)
        super().difference_update(gone)
        self._rv_leave(gone)

    def __isub__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._rv_in_place(self.difference_update, other)

    def __iand__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._rv_in_place(self.intersection_update, other)

    def __ixor__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._rv_in_place(self.symmetric_difference_update, other)

    def _rv_in_place(self, change: Any, other: Any) -> Any:
        if not isinstance(other, (set, frozenset)):
            return NotImplemented
        change(other)
        return self


# The methods that report, for each of Python's classes. They come after a user's class and before Python's:
# what a user's method calls by `super()` reports too.
_METHODS: dict[type, type] = {
    OrderedDict: _OrderedDict,
    defaultdict: _DefaultDict,
    dict: _Dict,
    list: _List,
    set: _Set,
}
_of_python: dict[type, type] = {}


def _reporting_class(cls: type) -> type:
    """The subclass of a container's class that reports."""
    known: type | None = _of_python.get(cls) or vars(cls).get("_rv_reporting")
    if known is not None:
        return known
    native = next(base for base in cls.__mro__ if base in _METHODS)
    names = ("__name__", "__qualname__", "__module__", "__doc__")
    body: dict[str, Any] = {name: getattr(cls, name) for name in names[1:]} | {"_rv_class": cls}
    if (
        cls is not native and cls.__dictoffset__
    ):  # there is a place for `_rv_trackers`; one more would make another kind of object
        body["__slots__"] = ()
    if hasattr(cls, "__missing__"):
        body["__missing__"] = _missing
    bases = (Reporting, _METHODS[native]) if cls is native else (Reporting, cls, _METHODS[native])
    made = type(cls)(cls.__name__, bases, body)
    if cls is native:
        _of_python[cls] = made
    else:
        cls._rv_reporting = made  # type: ignore[attr-defined]
    return made


def _missing(self: Any, key: Any) -> Any:
    """`__missing__` that gives what it has put in: a reporting container, where it made one that does not."""
    value = super(type(self), self).__missing__(key)
    return dict.__getitem__(self, key) if dict.__contains__(self, key) else value


def reporting(value: Any, tracker: Any) -> Any:
    """The container, as one that tells the tracker of what is put into it; what is in it is tracked.

    Args:
        value: a list, a dict or a set.
        tracker: has `track`, `untrack` and `note_edit`.

    Returns:
        The object itself if it is of a user's class; else a copy of the same class.
    """
    told = weakref.ref(tracker)
    if isinstance(value, Reporting):
        if told in value._rv_trackers:
            return value
        if value._rv_class in _METHODS:
            return _copy(value, _reporting_class(value._rv_class), tracker)
        value._rv_trackers = (*value._rv_trackers, told)  # type: ignore[misc]
    else:
        made = _reporting_class(type(value))
        if "__slots__" not in vars(made):
            return _copy(value, made, tracker)
        value.__class__ = made
        value._rv_trackers = (told,)
    if isinstance(value, set):
        for item in in_order(value):
            tracker.track(item)
        return value
    is_list = isinstance(value, list)
    for key, item in list(enumerate(list.__iter__(value)) if is_list else dict.items(value)):
        tracked = tracker.track(item)
        if tracked is not item:
            (list if is_list else dict).__setitem__(value, key, tracked)
    return value


def in_order(items: set[Any]) -> list[Any]:
    """What is in a set in the order of names, "dense_9" before "dense_10": its own order changes."""

    def key(item: Any) -> list[tuple[int, str]]:
        parts = re.split(r"(\d+)", str(getattr(item, "name", "")))
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]

    return sorted(set.__iter__(items), key=key)


def _copy(value: Any, cls: type, tracker: Any) -> Any:
    """A container of a reporting class with the contents of one whose class cannot be changed."""
    made: Any = _make(cls)
    if isinstance(value, list):
        list.extend(made, [tracker.track(item) for item in value])
    elif isinstance(value, dict):
        native = OrderedDict if isinstance(value, OrderedDict) else dict
        for key, item in value.items():
            native.__setitem__(made, key, tracker.track(item))
    else:
        set.update(made, [tracker.track(item) for item in in_order(value)])
    if isinstance(value, defaultdict):
        made.default_factory = value.default_factory
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, slot):
                setattr(made, slot, getattr(value, slot))
    made._rv_trackers = (weakref.ref(tracker),)
    return made
