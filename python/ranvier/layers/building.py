"""Building: `build` runs once, wholly or not at all, and by one thread at a time."""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections.abc import Callable
from typing import Any

from ranvier.core import scope
from ranvier.core.recursion import deep_calls
from ranvier.core.trace import variables_allowed
from ranvier.core.user_code import short_traceback

# What a layer owns, each kind in a list of its own.
STORES = (
    "_rv_trainable_variables",
    "_rv_non_trainable_variables",
    "_rv_layers",
    "_rv_metrics",
    "_rv_seed_generators",
)

_lock = threading.RLock()


def lock() -> threading.RLock:
    """What a thread holds while it builds.

    There is one for all layers: with one for each, two threads that build layers which share parts could wait
    for each other.
    """
    return _lock


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


# A thread that holds the lock in the parent is not in the child, and would never give it back.
os.register_at_fork(after_in_child=_renew_lock)


def build_once(layer: Any, build: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Calls `build`, unless another thread has built the layer meanwhile."""
    with lock():
        if not layer.built:
            build(*args, **kwargs)


def wrapped(build: Callable[..., None]) -> Callable[..., None]:
    """`build`, run in the layer's name scope and followed by locking the layer's state.

    A `super().build()` inside runs bare: only the outermost call counts.
    """
    signature = inspect.signature(build)

    @short_traceback
    @functools.wraps(build)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        with lock():
            if self._rv_building:
                build(self, *args, **kwargs)
                return
            shapes = list(signature.bind(self, *args, **kwargs).arguments.items())[1:]
            _build_whole(self, functools.partial(build, self, *args, **kwargs))
            object.__setattr__(self, "_rv_build_shapes", {k: v for k, v in shapes if v is not None})
            self._rv_finish_build()

    return wrapper


def _build_whole(layer: Any, build: Callable[[], None]) -> None:
    """Runs `build`; if it does not come to its end the layer is as before."""
    attributes = dict(layer.__dict__)
    stores = {name: list(getattr(layer, name)) for name in (*STORES, layer._rv_assigned)}
    layer._rv_building = True
    try:
        with scope.name_scope(layer.name), variables_allowed(but_not=layer._rv_is_stray), deep_calls():
            layer.path = scope.current_path()
            build()
    except BaseException:  # Ctrl-C comes at any moment: what was made so far would be weights nobody uses
        for name, entries in stores.items():
            getattr(layer, name)[:] = entries
        layer.__dict__.clear()
        layer.__dict__.update(attributes)
        layer._rv_tracker.renew()  # by id: a later object may have that of one that is gone
        raise
    finally:
        layer._rv_building = False
