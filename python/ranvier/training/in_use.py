"""Which models are being trained, and by which thread: no other one may compile or train them meanwhile."""

from __future__ import annotations

import os
import threading
from typing import Any

_trained_by: dict[int, int] = {}  # the id of a model -> the thread that is in its `fit`

# The thread that trains in the parent is not in the child.
os.register_at_fork(after_in_child=_trained_by.clear)


def refuse_other_threads(model: Any, method: str) -> None:
    """Checks that no other thread trains a model.

    Args:
        model: the model.
        method: what is about to be done, for the message.

    Raises:
        RuntimeError: if another thread is in the model's `fit`.
    """
    if _trained_by.get(id(model), threading.get_ident()) != threading.get_ident():
        raise RuntimeError(
            f"`{method}` cannot be called now: another thread is training the model {model.name!r}. Wait "
            "until its `fit` has returned; `model.stop_training = True` makes it end soon. To train in "
            "several threads at once, give each a model of its own, for example with `clone_model`."
        )


class Training:
    """A block in which the thread that entered it trains a model.

    A callback may train the model once more: what stops that training does not stop the one around it.

    Args:
        model: the model.

    Raises:
        RuntimeError: if another thread is in such a block.
    """

    __slots__ = ("_is_outermost", "_model", "_stops_around")

    def __init__(self, model: Any) -> None:
        self._model = model

    def __enter__(self) -> None:
        me, key = threading.get_ident(), id(self._model)
        self._is_outermost = key not in _trained_by
        self._stops_around = self._model.stop_training
        if _trained_by.setdefault(key, me) != me:
            refuse_other_threads(self._model, "fit")

    def __exit__(self, *_: object) -> None:
        if self._is_outermost:
            _trained_by.pop(id(self._model), None)
        else:
            self._model.stop_training = self._stops_around
