"""State that is global to the process: unique names, name scopes, and the global random seed.

`clear_session` forgets the names and the session's objects. Name scopes are per thread.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from ranvier.core.arguments import shown
from ranvier.core.context import context

_uids: dict[str, Iterator[int]] = {}
_session_objects: dict[str, Any] = {}
_seeds = random.Random()


@functools.lru_cache(maxsize=4096)
def to_snake_case(name: str) -> str:
    """ "MyBigLayer" -> "my_big_layer", "LSTM" -> "lstm", "Conv2D" -> "conv2d"."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def class_name(cls: type) -> str:
    """What names and weight files call objects of a class: `_rv_place_name`, else its name in snake case."""
    return cls.__dict__.get("_rv_place_name") or to_snake_case(cls.__name__)


def get_uid(prefix: str = "") -> int:
    """How often this was called for `prefix` since the session began, this call included: 1, 2, ..."""
    return next(_uids.setdefault(prefix, itertools.count(1)))  # whole, whatever other threads do


def reset_uids() -> None:
    """Makes `auto_name` and `get_uid` count from the start again."""
    _uids.clear()


def auto_name(prefix: str) -> str:
    """A name that no earlier call of this session returned: "dense", "dense_1", ...

    Args:
        prefix: a class or object name; it is turned into snake case.
    """
    prefix = to_snake_case(prefix)
    count = get_uid(prefix)
    return prefix if count == 1 else f"{prefix}_{count - 1}"


def given_name(name: Any, cls: type) -> str:
    """The name of an object: the one it was given, else an `auto_name` of its class.

    Raises:
        ValueError: for a name that is not a string.
    """
    if name is not None and not isinstance(name, str):
        raise ValueError(f"Argument `name` must be a string. Received: name={shown(name)}")
    return name or auto_name(cls.__name__)


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Prepends `name` to the path of every variable made inside.

    Args:
        name: a non-empty string without "/".

    Raises:
        ValueError: for any other name.
    """
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"Argument `name` must be a non-empty string without '/'. Received: name={name!r}")
    stack = context.names
    stack.append(name)
    try:
        yield name
    finally:
        stack.pop()


def current_path() -> str:
    """The open name scopes of this thread, outermost first, joined by "/"; "" when none is open."""
    return "/".join(context.names)


def variable_path(name: str) -> str:
    """The path of a variable called `name` that is made now."""
    path = current_path()
    return f"{path}/{name}" if path else name


def session_object(key: str, factory: Callable[[], Any]) -> Any:
    """The session's object called `key`, made by `factory` when it is asked for first."""
    if key not in _session_objects:
        return _session_objects.setdefault(key, factory())
    return _session_objects[key]


def set_global_seed(seed: int) -> None:
    """Starts the sequence of `next_seed` anew; objects that drew from the old one are forgotten.

    Raises:
        ValueError: if `seed` is not an integer.
    """
    if not isinstance(seed, int):
        raise ValueError(
            f"Expected `seed` argument to be an integer. Received: seed={seed!r} (of type {type(seed)})"
        )
    _seeds.seed(seed)
    _session_objects.clear()


def next_seed() -> int:
    """A seed in [0, 2^31): the next of `set_global_seed`'s sequence, or of an unpredictable one."""
    return _seeds.randrange(2**31)


def clear_session(free_memory: bool = True) -> None:
    """Forgets the names given so far and the session's objects, such as the global seed generator.

    Args:
        free_memory: accepted for compatibility; memory is freed when the last reference goes.
    """
    del free_memory
    reset_uids()
    _session_objects.clear()
