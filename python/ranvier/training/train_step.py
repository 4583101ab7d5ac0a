"""From a model's step to native programs: traced once for each signature, kept, and run for whole epochs."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

from ranvier import _core
from ranvier.core import dtypes, tree
from ranvier.core.trace import Trace
from ranvier.training.data import ArrayFeed

# What one function keeps at most, besides the two programs used last (a full and a short batch).
_MOST_PROGRAMS = 16
_MOST_BYTES = 256 << 20


class _Compiled(NamedTuple):
    program: _core.Program
    names: list[str]  # of the outputs, when the step returns a dict
    structure: Any  # of the predictions


class Run:
    """One pass over a feed.

    Args:
        epoch: the native loop.
        compiled: the program that it runs.
        arrays: the arrays it reads, which must live as long.
    """

    __slots__ = ("_arrays", "_compiled", "_epoch")

    def __init__(self, epoch: _core.Epoch, compiled: _Compiled, arrays: list[np.ndarray]) -> None:
        self._epoch = epoch
        self._compiled = compiled
        self._arrays = arrays

    @property
    def structure(self) -> Any:
        """The nest of the step's outputs, with None for each; None: there is one."""
        return self._compiled.structure

    def advance(self, max_steps: int | None = None, seconds: float | None = None) -> int:
        """Runs natively until so many steps are done or so much time has passed; by default to the end.

        Returns:
            The number of steps done in this call; 0 when the pass is finished.

        Raises:
            KeyboardInterrupt: on Ctrl-C; the model has the weights of the last finished step.
            ValueError: if the data are refused (a label out of range); likewise.
        """
        return self._epoch.advance(-1 if max_steps is None else max_steps, seconds or 0.0)

    def logs(self) -> dict[str, Any]:
        """What the last step returned: name -> number (or array, for a metric that has several)."""
        values = self._epoch.logs()
        return {
            name: float(value.item()) if value.size == 1 else value
            for name, value in zip(self._compiled.names, values, strict=False)
        }

    def outputs(self) -> list[np.ndarray]:
        """The outputs of all steps so far, one array for each; rows that are not done yet are undefined."""
        return self._epoch.results


class TrainFunction:
    """A model's `train_step`, `test_step` or `predict_step` as native programs.

    Args:
        trainer: the model.
        kind: "train", "test" or "predict".
    """

    def __init__(self, trainer: Any, kind: str) -> None:
        self.trainer = trainer
        self.kind = kind
        self._step = getattr(trainer, f"{kind}_step")
        self._programs: OrderedDict[Any, _Compiled] = OrderedDict()
        self._lock = threading.RLock()  # of the programs: threads may predict at once
        _all_functions.add(self)

    def prepare(self, feed: ArrayFeed, batch_size: int) -> None:
        """Compiles what a pass over `feed` needs, unless it is there.

        Raises:
            ValueError: if the data do not fit the model or its loss.
        """
        batch = min(batch_size, feed.num_samples)
        self._program(feed, batch)
        if feed.num_samples % batch:
            self._program(feed, feed.num_samples % batch)
        if self.kind != "predict":
            self.trainer._check_targets(feed.structures[1])

    def start(self, feed: ArrayFeed, batch_size: int, seed: int | None = None) -> Run:
        """Begins a pass.

        Args:
            feed: the arrays.
            batch_size: rows of a step; the last one takes what is left.
            seed: the seed of the rows' order; None: as they come.
        """
        batch = min(batch_size, feed.num_samples)
        full = self._program(feed, batch)
        rest = feed.num_samples % batch
        tail = self._program(feed, rest).program if rest else None
        arrays = _arrays(feed)
        # Within one batch the order of the rows means nothing.
        shuffle = None if seed is None or batch == feed.num_samples else (seed, 0)
        epoch = _core.Epoch(full.program, tail, arrays, batch, shuffle, self.kind == "predict")
        return Run(epoch, full, arrays)

    def _program(self, feed: ArrayFeed, batch: int) -> _Compiled:
        key = (
            batch,
            feed.form,
            tuple((a.dtype.char, a.shape[1:]) for a in _arrays(feed)),
            _core.num_threads(),
            dtypes.settings(),
            os.getpid(),  # a fork may have copied a program while another thread held its lock
        )
        with self._lock:
            compiled = self._programs.get(key)
            if compiled is None:
                compiled = self._programs[key] = self._compile(feed, batch)
                self._shrink()
            else:
                self._programs.move_to_end(key)
        return compiled

    def _shrink(self) -> None:
        """Drops the programs that were used longest ago while they are too many or too large."""
        size = sum(compiled.program.arena_bytes for compiled in self._programs.values())
        while len(self._programs) > 2 and (len(self._programs) > _MOST_PROGRAMS or size > _MOST_BYTES):
            _, dropped = self._programs.popitem(last=False)
            size -= dropped.program.arena_bytes

    def _compile(self, feed: ArrayFeed, batch: int) -> _Compiled:
        with Trace() as trace:
            x, y, sample_weight = (
                [trace.input((batch, *a.shape[1:]), a.dtype.name) for a in group]
                for group in (feed.x, feed.y, feed.sample_weight)
            )
            result = self._step(feed.pack(x, y, sample_weight))
            name = f"{self.kind}_step of {self.trainer.name}, batch {batch}"
            if self.kind == "predict":
                outputs = tree.flatten(result)
                structure = tree.map_structure(lambda _: None, result)
                return _Compiled(trace.compile(outputs, name=name), [], structure)
            flat = flatten_logs(self.kind, result)
            return _Compiled(trace.compile(list(flat.values()), name=name), list(flat), None)


_all_functions: weakref.WeakSet[TrainFunction] = weakref.WeakSet()


def _renew_locks() -> None:
    for function in _all_functions:
        function._lock = threading.RLock()


# A thread that holds a lock in the parent is not in the child, and would never give it back.
os.register_at_fork(after_in_child=_renew_locks)


def _arrays(feed: ArrayFeed) -> list[np.ndarray]:
    return [*feed.x, *feed.y, *feed.sample_weight]


def flatten_logs(kind: str, logs: Any) -> dict[str, Any]:
    """What a step returned, without nesting: the inner names stand for themselves, as in Keras.

    Args:
        kind: "train" or "test".
        logs: name -> value, or a dict of such.

    Raises:
        ValueError: if `logs` is not a dict.
    """
    if not isinstance(logs, dict):
        raise ValueError(f"{kind}_step() must return a dict of names and values, got {type(logs).__name__}.")
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat.update(flatten_logs(kind, value) if isinstance(value, dict) else {name: value})
    return flat
