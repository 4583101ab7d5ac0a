"""CallbackList: several callbacks as one, and what they need from the loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from ranvier.callbacks.callback import Callback, Logs
from ranvier.callbacks.history import History
from ranvier.callbacks.progbar_logger import ProgbarLogger

Hook = Callable[..., None]
_HOOKS = [name for name in vars(Callback) if name.startswith("on_")]
# A batch hook of `fit` counts as overridden when the older name of it is.
_OLDER_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
_NEWER_NAMES = {older: hook for hook, older in _OLDER_NAMES.items()}
_NAMES = frozenset(_HOOKS)


def _overridden(callback: Any) -> frozenset[str]:
    """The hooks that a callback overrides, in its class or in itself."""
    cls: Any = type(callback)
    own = callback.__dict__
    by_class = _known_hooks(cls) if cls.__module__.startswith("ranvier.") else _hooks_of(cls)
    itself = own.keys() & _NAMES
    return by_class.union(_NEWER_NAMES.get(name, name) for name in itself) if itself else by_class


def _hooks_of(cls: type) -> frozenset[str]:
    def is_other(name: str) -> bool:
        return getattr(cls, name, None) is not getattr(Callback, name)

    return frozenset(h for h in _HOOKS if is_other(h) or is_other(_OLDER_NAMES.get(h, h)))


# A `fit` of one batch makes a `History` and a bar: classes that nobody changes are looked at once.
_known_hooks = functools.lru_cache(maxsize=64)(_hooks_of)


class CallbackList:
    """Calls the hooks of several callbacks, skipping those that do nothing.

    Args:
        callbacks: a callback, or a nest of callbacks.
        add_history: whether to add a `History` if there is none among them.
        add_progbar: whether to add a `ProgbarLogger` if there is none among them.
        model: the model to hand to them.
        **params: the parameters to hand to them: "verbose", "epochs", "steps".

    Raises:
        TypeError: for an object without a callback's methods.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Any] = list(_flatten(callbacks))
        self._history = self._find_or_add(History, add_history)
        self._progbar = self._find_or_add(ProgbarLogger, add_progbar)
        self.params: dict[str, Any] = {}
        self.model: Any = None
        self._hooks: dict[str, list[Hook]] = {}
        self._collect()
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def _find_or_add(self, kind: type, add: bool) -> Any:
        found = next((c for c in self.callbacks if isinstance(c, kind)), None)
        if found is None and add:
            found = kind()
            self.callbacks.append(found)
        return found

    @property
    def history(self) -> History | None:
        """The `History` among the callbacks."""
        return self._history

    def append(self, callback: Any) -> None:
        """Adds a callback."""
        self.callbacks.extend(_flatten(callback))
        self._collect()

    def set_params(self, params: dict[str, Any]) -> None:
        """Hands `params` to every callback."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hands `model` to every callback."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def _collect(self) -> None:
        """Lists, for each hook, the callbacks that override it."""
        self._hooks = {name: [] for name in _HOOKS}
        for callback in self.callbacks:
            for name in _overridden(callback):
                self._hooks[name].append(getattr(callback, name))

    # --- what the loop asks, and says ---

    def break_off(self) -> None:
        """Says that an exception ends the loop: the bar's line is ended, so that the message has its own."""
        if self._progbar is not None:
            getattr(self._progbar, "break_off", lambda: None)()

    def note_steps(self, kind: str, steps: int) -> None:
        """Says that a loop has ended.

        Args:
            kind: "train", "test" or "predict".
            steps: the number of steps that it has done.
        """
        if self._progbar is not None:
            getattr(self._progbar, "note_steps", lambda kind, steps: None)(kind, steps)

    def needs_every_batch(self, kind: str) -> bool:
        """Whether the loop must return to Python after every batch.

        Args:
            kind: "train", "test" or "predict".
        """
        return any(_interval(c) is None for c in self._batch_callbacks(kind))

    def batch_interval(self, kind: str) -> float | None:
        """How often, in seconds, the batch hooks want to be called; None: there are none."""
        return min((_interval(c) or 0.0 for c in self._batch_callbacks(kind)), default=None)

    def _batch_callbacks(self, kind: str) -> list[Any]:
        hooks = {f"on_{kind}_batch_begin", f"on_{kind}_batch_end"}
        return [c for c in self.callbacks if hooks & _overridden(c) and not _is_idle(c, kind)]

    # --- hooks ---

    def _call(self, hook: str, logs: Logs | None) -> None:
        for fn in self._hooks[hook]:
            fn(logs=logs if logs is not None else {})

    def _call_at(self, hook: str, index: int, logs: Logs | None) -> None:
        for fn in self._hooks[hook]:
            fn(index, logs=logs if logs is not None else {})

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._call_at("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._call_at("on_epoch_end", epoch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.on_train_batch_end(batch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_predict_batch_end", batch, logs)


def _interval(callback: Any) -> float | None:
    """How often, in seconds, a callback's batch hooks want to be called; None: for every batch.

    Raises:
        ValueError: if it is something else.
    """
    interval = getattr(callback, "_rv_batch_interval", None)
    is_number = isinstance(interval, (int, float)) and not isinstance(interval, bool)
    if interval is not None and not (is_number and interval > 0):
        raise ValueError(
            f"`_rv_batch_interval` of {type(callback).__name__} must be a positive number of seconds or None."
            f" Received: {interval!r}"
        )
    return interval


def _is_idle(callback: Any, kind: str) -> bool:
    """Whether a callback has nothing to do in loops of this kind, although it overrides their hooks."""
    idle_in = getattr(callback, "idle_in", None)
    return idle_in is not None and idle_in(kind)


def _flatten(callbacks: Any) -> Iterable[Any]:
    if callbacks is None:
        return
    if isinstance(callbacks, (list, tuple)):
        for item in callbacks:
            yield from _flatten(item)
        return
    if isinstance(callbacks, type):
        raise TypeError(
            "Callbacks must be instances of `Callback`, not classes: "
            f"use `{callbacks.__name__}(...)` in place of `{callbacks.__name__}`."
        )
    if not hasattr(callbacks, "on_train_begin") or not hasattr(callbacks, "set_model"):
        raise TypeError(
            f"Callbacks must be instances of `Callback`. Received: {callbacks!r} of {type(callbacks)}"
        )
    yield callbacks
