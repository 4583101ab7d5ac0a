"""Containers that people keep layers in: how each is made of two things."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple


class Blocks(list):
    """A list of a user's own, with a method that adds."""

    def grow(self, block: Any) -> None:
        super().append(block)


class Bare(list):
    __slots__ = ()


class Slotted(dict):
    __slots__ = ("note",)


class Named(dict):
    def __init__(self, title: str, **entries: Any) -> None:
        super().__init__(entries)
        self.title = title


class Bag(set):
    pass


class Row(tuple):
    pass


Pair = namedtuple("Pair", "first second")


class Couple(NamedTuple):
    first: Any
    second: Any


def _defaulting(a: Any, b: Any) -> Any:
    made: defaultdict[str, Any] = defaultdict(list, b=b)
    made["a"] = [a]
    return made


CONTAINERS: dict[str, Callable[[Any, Any], Any]] = {
    "list": lambda a, b: [a, b],
    "tuple": lambda a, b: (a, b),
    "dict": lambda a, b: {"a": a, "b": b},
    "set": lambda a, b: {a, b},
    "OrderedDict": lambda a, b: OrderedDict(b=a, a=b),
    "defaultdict": _defaulting,
    "list class": lambda a, b: Blocks([a, b]),
    "list class without attributes": lambda a, b: Bare([a, b]),
    "dict class": lambda a, b: Named("blocks", a=a, b=b),
    "dict class with slots": lambda a, b: Slotted(a=a, b=b),
    "set class": lambda a, b: Bag([a, b]),
    "tuple class": lambda a, b: Row([a, b]),
    "namedtuple": Pair,
    "NamedTuple": Couple,
    "nested": lambda a, b: {"x": [Pair(a, OrderedDict(b=Blocks([b])))]},
    "set in a list": lambda a, b: [{a}, [b]],
}


def leaves(container: Any) -> list[Any]:
    """What is in a container, in its order."""
    if isinstance(container, dict):
        container = container.values()
    elif not isinstance(container, (list, tuple, set)):
        return [container]
    return [leaf for item in container for leaf in leaves(item)]
