"""What of a model is saved, and where: the places that Keras 3 gives things in its weight files.

The place of an object is the path of attributes that leads to it: `model.encoder.dense` is "encoder/dense".
An object counts where it is met first. Attributes, properties too, are taken in the order of their names,
those with a leading underscore last; the layers of a model are the list "layers", which Sequential and
functional models take before all else. In lists, tuples and dicts the items go by their classes, in snake
case and numbered: "dense", "dense_1"; containers inside of containers are called "container".
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ranvier.core.names import is_own
from ranvier.core.scope import class_name
from ranvier.layers import Layer
from ranvier.layers.containers import in_order


def is_saveable(obj: Any) -> bool:
    """Whether an object has variables of its own to save: a layer, an optimizer or a seed generator."""
    return hasattr(obj, "save_own_variables") and not isinstance(obj, type)


def walk(root: Any, skipped: Iterable[Any] = ()) -> Iterator[tuple[str, Any]]:
    """The objects below `root` that are saved, each once, with their places; `root` itself is at "".

    Args:
        root: a model, a layer or an optimizer.
        skipped: objects that are passed over, with what is in them.
    """
    yield from _walk_object("", root, {id(obj) for obj in skipped})


def _walk_object(place: str, obj: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(obj) in seen:
        return
    seen.add(id(obj))
    yield place, obj
    attributes = _attributes(obj)
    for sets in (False, True):
        for name, value in attributes:
            below = f"{place}/{name}" if place else name
            if is_saveable(value):
                yield from _walk_object(below, value, seen)
            elif _is_container(value, sets):
                yield from _walk_items(below, value, seen, sets)


def _is_container(value: Any, sets: bool) -> bool:
    """Whether to look into a value.

    Keras passes over sets, so what is in them comes after all else: in a model the list of its layers leads
    to it before, as in Keras's files.
    """
    return isinstance(value, (list, tuple, dict)) or (sets and isinstance(value, set))


def _attributes(obj: Any) -> list[tuple[str, Any]]:
    found = {name: value for name, value in vars(obj).items() if not is_own(name)}
    cls = type(obj)
    for name in dir(cls):
        if not hasattr(Layer, name) and isinstance(getattr(cls, name), property):
            with contextlib.suppress(Exception):  # what cannot be read yet holds nothing
                found[name] = getattr(obj, name)
    leads = "layers" if getattr(obj, "_rv_layers_lead", False) else None
    return sorted(found.items(), key=lambda item: (item[0] != leads, item[0].startswith("_"), item[0]))


def _walk_items(place: str, container: Any, seen: set[int], sets: bool) -> Iterator[tuple[str, Any]]:
    used: Counter[str] = Counter()
    items: Iterable[Any] = container
    if isinstance(container, (dict, set)):
        items = container.values() if isinstance(container, dict) else in_order(container)
    for item in items:
        if is_saveable(item):
            yield from _walk_object(_numbered(place, class_name(type(item)), used), item, seen)
        elif _is_container(item, sets):
            name = "set" if isinstance(item, set) else "container"
            yield from _walk_items(_numbered(place, name, used), item, seen, sets)


def _numbered(place: str, name: str, used: Counter[str]) -> str:
    number, used[name] = used[name], used[name] + 1
    return f"{place}/{name}_{number}" if number else f"{place}/{name}"
