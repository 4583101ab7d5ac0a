"""Nests: lists, tuples and dicts of leaves, however deep. A dict's leaves come in its sorted keys' order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, a tuple or a dict."""
    return isinstance(structure, (list, tuple, Mapping))


def _keys(structure: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(structure)
    except TypeError:  # keys of several kinds have no order of their own
        return list(structure)


def _leaves(structure: Any) -> Iterator[Any]:
    if isinstance(structure, Mapping):
        for key in _keys(structure):
            yield from _leaves(structure[key])
    elif isinstance(structure, (list, tuple)):
        for item in structure:
            yield from _leaves(item)
    else:
        yield structure


def flatten(structure: Any) -> list[Any]:
    """The leaves of a nest, from left to right; a leaf alone gives a list of one."""
    return list(_leaves(structure))


def _like(structure: Any, items: list[Any]) -> Any:
    """A list or tuple of the same type as `structure` that holds `items`."""
    if hasattr(structure, "_fields"):  # a named tuple
        return type(structure)(*items)
    return tuple(items) if isinstance(structure, tuple) else items


def map_structure(fn: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """Applies `fn` to every leaf of `structure` (with the leaves at the same places of `others`).

    Returns:
        A nest of the results, built like `structure`.

    Raises:
        ValueError: if the nests differ in their structure.
    """
    if isinstance(structure, Mapping):
        for other in others:
            if not isinstance(other, Mapping) or set(other) != set(structure):
                raise ValueError(f"Structures differ: {_brief(structure)} and {_brief(other)}")
        return {k: map_structure(fn, v, *(other[k] for other in others)) for k, v in structure.items()}
    if isinstance(structure, (list, tuple)):
        for other in others:
            if not isinstance(other, (list, tuple)) or len(other) != len(structure):
                raise ValueError(f"Structures differ: {_brief(structure)} and {_brief(other)}")
        return _like(
            structure, [map_structure(fn, *leaves) for leaves in zip(structure, *others, strict=True)]
        )
    return fn(structure, *others)


def _brief(structure: Any) -> str:
    if isinstance(structure, Mapping):
        return f"a dict with the keys {_keys(structure)}"
    if isinstance(structure, (list, tuple)):
        return f"a {type(structure).__name__} of {len(structure)}"
    return f"a leaf of type {type(structure).__name__}"


def pack_sequence_as(structure: Any, flat: list[Any]) -> Any:
    """A nest built like `structure` whose leaves are those of `flat`, in `flatten`'s order.

    Raises:
        ValueError: if `flat` has more or fewer items than `structure` has leaves.
    """
    count = sum(1 for _ in _leaves(structure))
    if count != len(flat):
        raise ValueError(f"The structure has {count} leaves, but {len(flat)} were given.")
    return _pack(structure, iter(flat))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        packed = {key: _pack(structure[key], leaves) for key in _keys(structure)}
        return {key: packed[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        return _like(structure, [_pack(item, leaves) for item in structure])
    return next(leaves)
