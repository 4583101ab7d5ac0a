"""Models with several outputs: how losses, metrics, targets and weights find the output they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Path = tuple[Any, ...]  # dict keys and list positions, outermost first


def is_config(value: Any) -> bool:
    """Whether a dict describes one object."""
    return isinstance(value, Mapping) and "class_name" in value


def is_container(value: Any) -> bool:
    """Whether a value holds several: a list, a tuple, or a dict that is not the config of one object."""
    return isinstance(value, (list, tuple)) or (isinstance(value, Mapping) and not is_config(value))


def items(value: Any, in_order: bool = False) -> Iterator[tuple[Path, Any]]:
    """(path, leaf) for each leaf of a nest.

    Args:
        value: the nest.
        in_order: whether dicts are gone through as they were written; else by their sorted keys.
    """
    if not is_container(value):
        yield (), value
        return
    if isinstance(value, Mapping):
        entries = list(value.items())
        if not in_order:
            entries.sort(key=lambda entry: str(entry[0]))
    else:
        entries = list(enumerate(value))
    for key, item in entries:
        for path, leaf in items(item, in_order):
            yield (key, *path), leaf


def only_item(name: str, value: Any, names: Sequence[str] | None = None) -> Any:
    """The only leaf of a nest; other values as they are.

    Args:
        name: what it is, for the message.
        value: the value.
        names: the output's name, which the key of a dict must be; None: it has none.

    Raises:
        ValueError: if there are several items, or none, or one for another output.
    """
    if not is_container(value):
        return value
    if isinstance(value, Mapping) and names is not None:
        _check_keys(name, value, names)
    leaves = [leaf for _, leaf in items(value)]
    if len(leaves) != 1:
        raise ValueError(
            f"Argument `{name}` must hold one item for a model with one output, got {len(leaves)}."
        )
    return leaves[0]


def like_outputs(
    name: str,
    value: Any,
    outputs: Any,
    names: Sequence[str] | None,
    wanted: Sequence[Path] | None = None,
) -> Any:
    """A nest with one item for each output, in the structure of the outputs.

    Args:
        name: what the nest holds, for messages ("y").
        value: the nest; a dict may go by the outputs' names where the outputs are a list, and a list by the
            sorted keys where they are a dict.
        outputs: the model's outputs.
        names: their names; None: they have none.
        wanted: the paths of the outputs that have use for an item; where that is one, a value alone
            is for it. None: all of them.

    Raises:
        ValueError: if that cannot be done.
    """
    if not is_container(outputs):
        return only_item(name, value, names)
    if wanted is not None and len(wanted) == 1 and not isinstance(value, Mapping):
        leaves = [leaf for _, leaf in items(value)]
        if len(leaves) == 1:
            return rebuild(outputs, lambda path: leaves[0] if path == wanted[0] else None)
    if not is_container(value):
        leaves = [path for path, _ in items(outputs)]
        if len(leaves) != 1:
            raise ValueError(
                f"The model has {len(leaves)} outputs, so `{name}` must be a list or dict with an item for "
                f"each. Received one of type {type(value).__name__}."
            )
        return rebuild(outputs, lambda path: value)
    if isinstance(value, Mapping) and not isinstance(outputs, Mapping):
        if names is None:
            raise ValueError(
                f"`{name}` is a dict with the keys {list(value)}, but the model's outputs are a list without "
                "names. Give a list, or have the model return a dict."
            )
        _check_keys(name, value, names)
        return rebuild(outputs, lambda path: value.get(names[path[0]]))
    if isinstance(outputs, Mapping) and isinstance(value, Mapping):
        _check_keys(name, value, list(outputs))
    elif len(value) > len(outputs):
        raise ValueError(f"`{name}` holds {len(value)} items, but the model has {len(outputs)} outputs.")
    if isinstance(outputs, Mapping) and not isinstance(value, Mapping):
        return dict(zip(sorted(outputs, key=str), value, strict=False))
    return value


def _check_keys(name: str, value: Mapping[Any, Any], names: Sequence[str]) -> None:
    if any(key not in names for key in value):
        raise ValueError(
            f"`{name}` has the keys {list(value)}; expected are the outputs' names {list(names)}."
        )


def rebuild(outputs: Any, leaf: Callable[[Path], Any], path: Path = ()) -> Any:
    """A nest of lists and dicts like that of the outputs, with what `leaf` gives for their paths."""
    if not is_container(outputs):
        return leaf(path)
    if isinstance(outputs, Mapping):
        return {key: rebuild(item, leaf, (*path, key)) for key, item in outputs.items()}
    return [rebuild(item, leaf, (*path, i)) for i, item in enumerate(outputs)]


def at(value: Any, path: Path, default: Any = None) -> Any:
    """What stands at a path of a nest; `default` if there is no such place."""
    for key in path:
        if isinstance(value, Mapping):
            if key not in value:
                return default
        elif not isinstance(value, (list, tuple)) or not isinstance(key, int) or key >= len(value):
            return default
        value = value[key]
    return value
