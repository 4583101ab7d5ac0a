"""Tracked: what metrics and optimizers have in common with layers: state is found in their attributes."""

from __future__ import annotations

from typing import Any

from ranvier.core.names import is_own
from ranvier.layers.tracking import Kind, Tracker, holds_tracked


class Tracked:
    """An object whose attributes are looked into when they are assigned.

    Attributes:
        _rv_untracked: names of attributes that are stored as they are.
    """

    _rv_untracked: frozenset[str] = frozenset()
    _rv_tracker: Tracker

    def _rv_kinds(self) -> dict[str, Kind]:
        """What is looked for, and the lists that it goes to, which this makes if they are not there."""
        raise NotImplementedError

    def __setattr__(self, name: str, value: Any) -> None:
        setter = isinstance(getattr(type(self), name, None), property)
        if not (setter or is_own(name) or name in self._rv_untracked):
            if "_rv_tracker" not in self.__dict__:  # perhaps before the constructor of the base class ran
                self._rv_tracker = Tracker(self._rv_kinds(), self)
            value = self._rv_tracker.track(value)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        gone = self.__dict__.get(name)
        super().__delattr__(name)
        if "_rv_tracker" in self.__dict__:
            self._rv_tracker.untrack([gone])

    def __getstate__(self) -> dict[str, Any]:
        """What `pickle` and `copy` keep: everything but the tracker, which is made anew around the copies."""
        state = {name: value for name, value in self.__dict__.items() if name != "_rv_tracker"}
        return state | {"_rv_tracked": [name for name, value in state.items() if holds_tracked(value)]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        tracked = state.pop("_rv_tracked")
        self.__dict__.update(state)
        self._rv_tracker = Tracker(self._rv_kinds(), self)
        for name in tracked:  # lists and dicts, which were copied as plain ones
            self.__dict__[name] = self._rv_tracker.track(self.__dict__[name])
