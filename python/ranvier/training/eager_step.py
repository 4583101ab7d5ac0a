"""`run_eagerly=True`: steps that compute each operation when Python reaches it, for debugging."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import numpy as np

from ranvier import _core
from ranvier.core import tree
from ranvier.core.eager_trace import EagerTrace
from ranvier.training.data import ArrayFeed
from ranvier.training.step_outputs import check_alike, flatten_logs, flatten_predictions, join_steps
from ranvier.training.thawed import left_frozen


class EagerFunction:
    """A model's `train_step`, `test_step` or `predict_step`, run by Python; a `TrainFunction` in all else.

    Args:
        trainer: the model.
        kind: "train", "test" or "predict".
    """

    def __init__(self, trainer: Any, kind: str) -> None:
        self.trainer = trainer
        self.kind = kind
        self.step = getattr(trainer, f"{kind}_step")

    def prepare(self, feed: ArrayFeed, batch_size: int) -> None:
        """Checks the targets; there is nothing to compile."""
        del batch_size
        self.check(feed)

    def check(self, feed: ArrayFeed) -> None:
        """Checks the targets; see `TrainFunction.check`."""
        if self.kind != "predict":
            self.trainer._rv_check_targets(feed.structures[1])

    def start(self, feed: ArrayFeed, batch_size: int, seed: int | None = None) -> EagerRun:
        """Begins a pass; see `TrainFunction.start`."""
        return EagerRun(self, feed, min(batch_size, feed.num_samples), seed)


class EagerRun:
    """One pass over a feed; each step has a trace of its own, which is gone when the step is done.

    Args:
        function: the function.
        feed: the arrays.
        batch: rows of a step.
        seed: the seed of the rows' order; None: as they come.
    """

    def __init__(self, function: EagerFunction, feed: ArrayFeed, batch: int, seed: int | None) -> None:
        self._function = function
        self._feed = feed
        self._batch = batch
        rows = feed.num_samples
        as_they_come = seed is None or batch == rows
        self._order = np.arange(rows) if as_they_come else _core.permutation(seed or 0, 0, rows)
        self._begin = 0
        self.structure: Any = None  # of the predictions
        self._logs: dict[str, Any] = {}
        self._outputs: list[list[np.ndarray]] = []

    def has_step(self) -> bool:
        """Whether the pass has a step left."""
        return self._begin < self._feed.num_samples

    def advance(self, max_steps: int | None = None, seconds: float | None = None) -> int:
        """Runs until so many steps are done or so much time has passed; by default to the end.

        Returns:
            The number of steps done in this call; 0 when the pass is finished.
        """
        began, done = time.perf_counter(), 0
        while self.has_step() and (max_steps is None or done < max_steps):
            self._step(self._order[self._begin : self._begin + self._batch])
            self._begin += self._batch
            done += 1
            if seconds is not None and time.perf_counter() - began >= seconds:
                break
        return done

    def _step(self, rows: np.ndarray) -> None:
        function, feed = self._function, self._feed
        as_built = left_frozen(function.trainer) if function.kind == "train" else nullcontext()
        with EagerTrace() as trace, as_built:
            x, y, sample_weight = (
                [trace.leaf(array[rows]) for array in group] for group in (feed.x, feed.y, feed.sample_weight)
            )
            result = function.step(feed.pack(x, y, sample_weight))
        if function.kind == "predict":
            structure = tree.map_structure(lambda _: None, result)
            self.structure = check_alike(self.structure, structure) if self._outputs else structure
            self._outputs.append([np.asarray(output) for output in flatten_predictions(result)])
        else:
            logs = flatten_logs(function.kind, result)
            self._logs = {name: np.asarray(value) for name, value in logs.items()}
        function.trainer._rv_clear_losses()

    def logs(self) -> dict[str, Any]:
        """What the last step returned: name -> number (or array, for a metric that has several)."""
        return {name: float(value.item()) if value.size == 1 else value for name, value in self._logs.items()}

    def outputs(self) -> list[np.ndarray]:
        """The outputs of all steps so far, one array for each."""
        return join_steps(self._outputs)

    def outputs_of_steps(self, begin: int, end: int) -> list[np.ndarray]:
        """The outputs of the steps from `begin` to before `end`."""
        return join_steps(self._outputs[begin:end])
