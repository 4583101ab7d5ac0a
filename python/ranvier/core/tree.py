"""Nests of lists, tuples, dicts and deques, and what is done with their leaves: `ranvier.tree`.

A dict's leaves come in its sorted keys' order, an OrderedDict's in its own. Everything else is a leaf, None
included.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ranvier.core.arguments import refuse_long_and_empty

Path = tuple[Any, ...]
_P = ParamSpec("_P")
_R = TypeVar("_R")
_NESTS = (list, tuple, dict, collections.deque)
_MOST_DEPTH = 200  # of a nest that goes too deep for Python


class MAP_TO_NONE:
    """What a function given to `traverse` returns for "None", as None itself means "look inside"."""


def _items(structure: Any) -> list[tuple[Any, Any]] | None:
    """The keys and children of a nest; None for a leaf."""
    if not isinstance(structure, _NESTS):
        return None
    if isinstance(structure, collections.OrderedDict):
        return list(structure.items())
    if isinstance(structure, dict):
        try:
            return [(key, structure[key]) for key in sorted(structure)]
        except (
            TypeError,
            ValueError,
        ):  # keys of several kinds have no order of their own, and variables none
            return list(structure.items())
    return list(enumerate(structure))


def _rebuild(structure: Any, children: list[Any]) -> Any:
    """A nest of the same kind with other children."""
    if type(structure) is dict and not structure:
        return {}
    if isinstance(structure, dict):
        found = dict(zip([key for key, _ in _items(structure) or ()], children, strict=True))
        ordered = {key: found[key] for key in structure}
        if isinstance(structure, collections.defaultdict):
            return type(structure)(structure.default_factory, ordered)
        return type(structure)(ordered)
    if hasattr(structure, "_fields"):  # a named tuple
        return type(structure)(*children)
    if isinstance(structure, collections.deque):
        return collections.deque(children, structure.maxlen)
    return type(structure)(children)


def _with_an_end(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A function that goes down into its arguments, with words for a nest that has no bottom."""

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except RecursionError as error:
            raise _without_end(error, *args, *kwargs.values()) from None

    return call


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a nest, and no leaf."""
    return isinstance(structure, _NESTS)


def holds(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """Whether a value, or what lists and tuples hold, is of some kinds; lists may hold themselves."""
    if not isinstance(value, (list, tuple)):
        return isinstance(value, kinds)
    waiting, seen = [value], {id(value)}
    while waiting:
        for child in waiting.pop():
            if isinstance(child, (list, tuple)):
                if id(child) not in seen:
                    seen.add(id(child))
                    waiting.append(child)
            elif isinstance(child, kinds):
                return True
    return False


def _without_end(error: RecursionError, *structures: Any) -> Exception:
    """What to raise where a recursion went too deep: about nests if it is their fault, else the error."""
    waiting = [(structure, 0) for structure in structures]
    while waiting:
        structure, depth = waiting.pop()
        if depth > _MOST_DEPTH:
            return ValueError(f"A nest is more than {_MOST_DEPTH} levels deep, or holds itself.")
        waiting += [(child, depth + 1) for _, child in _items(structure) or ()]
    return error


def _leaves(structure: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    items = _items(structure)
    if items is None:
        yield path, structure
        return
    for key, child in items:
        yield from _leaves(child, (*path, key))


def flatten(structure: Any) -> list[Any]:
    """The leaves, from left to right; a leaf alone gives a list of one."""
    leaves: list[Any] = []
    try:
        _collect(structure, leaves)
    except RecursionError as error:
        raise _without_end(error, structure) from None
    return leaves


def _collect(structure: Any, leaves: list[Any]) -> None:
    if isinstance(structure, (list, tuple)):
        for child in structure:
            _collect(child, leaves)
        return
    items = _items(structure)
    if items is None:
        leaves.append(structure)
        return
    for _, child in items:
        _collect(child, leaves)


@_with_an_end
def flatten_with_path(structure: Any) -> list[tuple[Path, Any]]:
    """The leaves with their paths: the keys and numbers that lead to them."""
    return list(_leaves(structure))


def _kind(structure: Any) -> type:
    """What nests must have in common to be of one kind: lists that are tracked are lists."""
    if hasattr(structure, "_fields"):  # a named tuple
        return type(structure)
    return next((kind for kind in _NESTS if isinstance(structure, kind)), type(structure))


def _matched(structure: Any, other: Any) -> list[Any]:
    """The children of `other` in the order of those of `structure`, which must be a nest of the same kind."""
    if _kind(structure) is not _kind(other):
        raise ValueError(f"Expected an instance of {type(structure).__name__}, got {other!r}.")
    if isinstance(structure, dict):
        if set(structure) != set(other):
            raise ValueError(
                f"dictionary key mismatch; expected key(s): {list(structure)}, got key(s): {list(other)}."
            )
        return [other[key] for key, _ in _items(structure) or ()]
    if len(structure) != len(other):
        raise ValueError(
            f"{type(structure).__name__} arity mismatch; expected: {len(structure)}, got: {len(other)}; "
            f"{other!r}."
        )
    return list(other)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Applies a function to the leaves at the same places of one or several nests.

    Args:
        func: a function of as many leaves as there are nests.
        *structures: nests of the same structure.
        none_is_leaf: whether the function gets None where that is the leaf; else None stays None.

    Returns:
        A nest of the results, like the first one.

    Raises:
        TypeError: if `func` is not callable.
        ValueError: if there is no nest, or the structures differ.
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func!r}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    try:
        if len(structures) == 1:
            return _map_one(func, structures[0], none_is_leaf)
        return _map(func, structures, none_is_leaf)
    except RecursionError as error:
        raise _without_end(error, *structures) from None


def _map_one(func: Callable[..., Any], structure: Any, none_is_leaf: bool) -> Any:
    """`_map` of a single nest: what every call of a layer does to its arguments."""
    kind = type(structure)
    if kind is tuple or kind is list:
        return kind([_map_one(func, child, none_is_leaf) for child in structure])
    items = _items(structure)
    if items is None:
        return None if structure is None and not none_is_leaf else func(structure)
    return _rebuild(structure, [_map_one(func, child, none_is_leaf) for _, child in items])


def _map(func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool) -> Any:
    first = structures[0]
    items = _items(first)
    if items is None:
        if any(is_nested(other) for other in structures[1:]):
            raise ValueError(f"Structures don't have the same nested structure: {structures}.")
        return None if first is None and not none_is_leaf else func(*structures)
    rows = [[child for _, child in items], *(_matched(first, other) for other in structures[1:])]
    return _rebuild(first, [_map(func, children, none_is_leaf) for children in zip(*rows, strict=True)])


@_with_an_end
def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Applies a function to what nests hold where a shallower one has its leaves.

    Args:
        shallow_structure: the nest that says how deep to go.
        func: a function of as many values as there are nests.
        *structures: nests that have the shallow one's structure, as far as it goes.

    Returns:
        A nest of the results, like the shallow one.

    Raises:
        ValueError: if there is no nest, or one does not have the shallow one's structure.
    """
    if not structures:
        raise ValueError("Must provide at least one structure")
    items = _items(shallow_structure)
    if items is None:
        return func(*structures)
    rows = [_matched(shallow_structure, other) for other in structures]
    children = [
        map_structure_up_to(child, func, *parts)
        for (_, child), parts in zip(items, zip(*rows, strict=True), strict=True)
    ]
    return _rebuild(shallow_structure, children)


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """A nest like `structure` with other leaves, in `flatten`'s order.

    Raises:
        TypeError: if `flat_sequence` is not iterable.
        ValueError: if there are more or fewer leaves.
    """
    if isinstance(flat_sequence, np.ndarray):
        refuse_long_and_empty(flat_sequence)
    flat = list(flat_sequence)
    count = len(flatten(structure))
    if count != len(flat):
        raise ValueError(
            f"Too {'few' if len(flat) < count else 'many'} leaves; expected: {count}, got: {len(flat)}."
        )
    leaves = iter(flat)
    return map_structure(lambda _: next(leaves), structure) if is_nested(structure) else flat[0]


@_with_an_end
def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Checks that two nests have the same structure.

    Args:
        a: a nest.
        b: a nest.
        check_types: accepted as in Keras, where it no longer means anything: kinds of nests always count.

    Raises:
        ValueError: if they differ.
    """
    del check_types
    _map(lambda *_: None, (a, b), True)


@_with_an_end
def assert_same_paths(a: Any, b: Any) -> None:
    """Checks that the leaves of two nests have the same paths; lists and tuples count as the same.

    Raises:
        ValueError: if they differ.
    """
    first, second = ({path for path, _ in _leaves(x)} for x in (a, b))
    if first != second:
        raise ValueError(
            f"`a` and `b` don't have the same paths.\nPaths in `a` missing in `b`:\n{first - second}\n"
            f"Paths in `b` missing in `a`:\n{second - first}"
        )


@_with_an_end
def lists_to_tuples(structure: Any) -> Any:
    """The nest with tuples in the place of lists."""
    items = _items(structure)
    if items is None:
        return structure
    children = [lists_to_tuples(child) for _, child in items]
    return tuple(children) if isinstance(structure, list) else _rebuild(structure, children)


@_with_an_end
def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Applies a function to the shapes in a nest: lists and tuples of nothing but integers and None.

    Args:
        func: a function of a shape, a tuple.
        structure: a nest of shapes.

    Returns:
        A nest of the results.

    Raises:
        TypeError: if `func` is not callable.
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func!r}")
    if isinstance(structure, (list, tuple)) and all(d is None or isinstance(d, int) for d in structure):
        return func(tuple(structure))
    items = _items(structure)
    if items is None:
        return func(structure)
    return _rebuild(structure, [map_shape_structure(func, child) for _, child in items])


@_with_an_end
def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Replaces the parts of a nest for which a function has a replacement.

    Args:
        func: a function of a part, nest or leaf, that returns what to put in its place; None: nothing, so
            that a nest is looked into; `MAP_TO_NONE`: None.
        structure: the nest.
        top_down: whether a nest is asked about before what is in it.

    Returns:
        The nest with its replacements.
    """
    if top_down:
        replaced = func(structure)
        if replaced is not None:
            return None if replaced is MAP_TO_NONE else replaced
    items = _items(structure)
    if items is not None:
        structure = _rebuild(structure, [traverse(func, child, top_down) for _, child in items])
    if top_down:
        return structure
    replaced = func(structure)
    if replaced is None:
        return structure
    return None if replaced is MAP_TO_NONE else replaced
