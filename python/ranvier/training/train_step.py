"""From a model's step to native programs: traced once for each signature, kept, and run for whole epochs."""

from __future__ import annotations

import os
import threading
import time
import weakref
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from ranvier import _core
from ranvier.core import tree
from ranvier.core.program_cache import ProgramCache, ambient_key
from ranvier.core.trace import Trace, holds
from ranvier.core.user_code import warn
from ranvier.layers.edits import Premises, noted_reads
from ranvier.optimizers import Optimizer
from ranvier.training.data import ArrayFeed
from ranvier.training.refused import located
from ranvier.training.step_outputs import check_alike, flatten_logs, flatten_predictions, join_steps
from ranvier.training.thawed import left_frozen

# After so many compilations for changed attributes a user is told of them.
_MANY_CHANGES = 10


class _Compiled(NamedTuple):
    program: _core.Program
    premises: list[tuple[Any, str, Any]]
    attributes: Premises
    names: list[str]  # of the outputs of a step that returns logs
    structure: Any  # of the predictions
    model: Any  # whose step it is
    rows: list[tuple[int, ...]] | None  # the shapes of their rows; None if they are not a batch's rows


class Run:
    """One pass over a feed.

    Args:
        epoch: the native loop.
        full: the program of a full batch.
        last: that of the last one.
        arrays: the arrays it reads, which must live as long.
        batch: the rows of a full batch.
    """

    __slots__ = ("_arrays", "_batch", "_epoch", "_full", "_last", "_left")

    def __init__(
        self, epoch: _core.Epoch, full: _Compiled, last: _Compiled, arrays: list[np.ndarray], batch: int
    ) -> None:
        self._epoch = epoch
        self._full = full
        self._last = last
        self._arrays = arrays
        self._batch = batch
        self._left = -(-len(arrays[0]) // batch)

    @property
    def structure(self) -> Any:
        """The nest of the step's outputs, with None for each; None: there is one."""
        return self._full.structure

    def advance(self, max_steps: int | None = None, seconds: float | None = None) -> int:
        """Runs natively until so many steps are done or so much time has passed; by default to the end.

        Returns:
            The number of steps done in this call; 0 when the pass is finished.

        Raises:
            KeyboardInterrupt: on Ctrl-C; the model has the weights of the last finished step.
            ValueError: if the data are refused (a label out of range); likewise.
        """
        try:
            done = self._epoch.advance(-1 if max_steps is None else max_steps, seconds or 0.0)
        except ValueError as error:
            raise located(error, self._full.model, self._arrays) from None
        self._left -= done
        return done

    def has_step(self) -> bool:
        """Whether the pass has a step left."""
        return self._left > 0

    def logs(self) -> dict[str, Any]:
        """What the last step returned: name -> number (or array, for a metric that has several)."""
        values = self._epoch.logs()
        return {
            name: float(value.item()) if value.size == 1 else value
            for name, value in zip((self._full if self._left else self._last).names, values, strict=False)
        }

    def outputs(self) -> list[np.ndarray]:
        """The outputs of all steps so far, one array for each."""
        results = self._epoch.results
        if self._left:  # the engine has room for all rows, and has filled the first ones
            rows = (-(-len(self._arrays[0]) // self._batch) - self._left) * self._batch
            return [output[:rows] for output in results]
        return results

    def outputs_of_steps(self, begin: int, end: int) -> list[np.ndarray]:
        """The outputs of the steps from `begin` to before `end`."""
        return [output[begin * self._batch : end * self._batch] for output in self._epoch.results]


class RunByStep(Run):
    """A pass whose outputs are not rows for the rows of a batch: they are taken out after each step."""

    __slots__ = ("_steps",)

    def __init__(
        self, epoch: _core.Epoch, full: _Compiled, last: _Compiled, arrays: list[np.ndarray], batch: int
    ) -> None:
        super().__init__(epoch, full, last, arrays, batch)
        self._steps: list[list[np.ndarray]] = []

    def advance(self, max_steps: int | None = None, seconds: float | None = None) -> int:
        began, done = time.perf_counter(), 0
        while (max_steps is None or done < max_steps) and super().advance(1):
            self._steps.append(list(self._epoch.logs()))
            done += 1
            if seconds is not None and time.perf_counter() - began >= seconds:
                break
        return done

    def outputs(self) -> list[np.ndarray]:
        return join_steps(self._steps)

    def outputs_of_steps(self, begin: int, end: int) -> list[np.ndarray]:
        return join_steps(self._steps[begin:end])


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
        self._programs: ProgramCache[_Compiled] = ProgramCache()
        self._lock = threading.RLock()  # of the programs: threads may predict at once
        self._changes = 0  # of attributes, for which programs were compiled anew
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
        self.check(feed)

    def check(self, feed: ArrayFeed) -> None:
        """Checks the targets, of which a loss may allow only some.

        Raises:
            ValueError: if a target cannot be used with the loss.
        """
        if self.kind != "predict":
            self.trainer._rv_check_targets(feed.structures[1])

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
        tail = self._program(feed, rest) if rest else None
        last = full if tail is None else tail
        arrays = _arrays(feed)
        # Within one batch the order of the rows means nothing.
        shuffle = None if seed is None or batch == feed.num_samples else (seed, 0)
        collect = self.kind == "predict"
        if collect:
            check_alike(full.structure, last.structure)
            collect = full.rows is not None and full.rows == last.rows
        program = None if tail is None else tail.program
        epoch = _core.Epoch(full.program, program, arrays, batch, shuffle, collect)
        run = RunByStep if self.kind == "predict" and not collect else Run
        return run(epoch, full, last, arrays, batch)

    def _program(self, feed: ArrayFeed, batch: int) -> _Compiled:
        signature = feed.signature
        if signature is None:
            signature = feed.signature = tuple([(a.dtype.char, a.shape[1:]) for a in _arrays(feed)])
        key = (
            batch,
            feed.form,
            signature,
            ambient_key(),
        )
        with self._lock:
            compiled = self._programs.get(key)
            changed = None if compiled is None else compiled.attributes.broken()
            if changed is not None:
                self._note_change(*changed)
            if compiled is None or changed is not None or not holds(compiled.premises):
                compiled = self._compile(feed, batch)
                self._programs.put(key, compiled)
        return compiled

    def _note_change(self, owner: Any, name: str) -> None:
        self._changes += 1
        if self._changes == _MANY_CHANGES:
            warn(
                f"`{name}` of {owner.name!r} changes often, and each time a step is compiled anew, because "
                f"it reads it: {_MANY_CHANGES} times by now. A number that changes belongs into a variable: "
                f"`{name} = ranvier.Variable(0.0, trainable=False)`, and then `{name}.assign(...)`."
            )

    def _compile(self, feed: ArrayFeed, batch: int) -> _Compiled:
        with Trace() as trace:
            x, y, sample_weight = (
                [trace.input((batch, *a.shape[1:]), a.dtype.name) for a in group]
                for group in (feed.x, feed.y, feed.sample_weight)
            )
            for attribute, value in list(vars(self.trainer).items()):
                if isinstance(value, Optimizer):
                    trace.presume(self.trainer, attribute)
            as_built = left_frozen(self.trainer) if self.kind == "train" else nullcontext()
            with noted_reads() as reads, as_built:
                result = self._step(feed.pack(x, y, sample_weight))
            attributes = Premises(reads, self.trainer._rv_flatten_layers())
            name = f"{self.kind}_step of {self.trainer.name}, batch {batch}"
            if self.kind == "predict":
                outputs = flatten_predictions(result)
                structure = tree.map_structure(lambda _: None, result)
                rows = _rows([tuple(output.shape) for output in outputs], batch)
                program = trace.compile(outputs, name=name)
                return _Compiled(program, trace.premises, attributes, [], structure, self.trainer, rows)
            flat = flatten_logs(self.kind, result)
            program = trace.compile(list(flat.values()), name=name)
            return _Compiled(program, trace.premises, attributes, list(flat), None, self.trainer, None)


_all_functions: weakref.WeakSet[TrainFunction] = weakref.WeakSet()


def _renew_locks() -> None:
    for function in _all_functions:
        function._lock = threading.RLock()


# A thread that holds a lock in the parent is not in the child, and would never give it back.
os.register_at_fork(after_in_child=_renew_locks)


def _arrays(feed: ArrayFeed) -> list[np.ndarray]:
    return [*feed.x, *feed.y, *feed.sample_weight]


def _rows(shapes: list[tuple[int, ...]], batch: int) -> list[tuple[int, ...]] | None:
    return [shape[1:] for shape in shapes] if all(shape[:1] == (batch,) for shape in shapes) else None
