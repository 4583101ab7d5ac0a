"""One epoch: the run does the steps, and comes back to Python only when a callback asked for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from ranvier.callbacks import CallbackList

_STOP = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}


def unwrap(outputs: list[Any]) -> Any:
    """The only output of a model, or the list of its outputs."""
    return outputs[0] if len(outputs) == 1 else outputs


class Loop:
    """Runs the epochs of one kind for a trainer and its callbacks.

    Args:
        trainer: the model; its `stop_training`, `stop_evaluating` or `stop_predicting`, by the kind, ends an
            epoch between two calls of batch hooks.
        callbacks: the callbacks.
        kind: "train", "test" or "predict".
        steps_per_execution: the number of steps between two calls of batch hooks.
    """

    def __init__(
        self, trainer: Any, callbacks: CallbackList, kind: str, steps_per_execution: int = 1
    ) -> None:
        self.trainer = trainer
        self.callbacks = callbacks
        self.kind = kind
        self.stride = steps_per_execution
        self.every_batch = callbacks.needs_every_batch(kind)
        self.interval = callbacks.batch_interval(kind)
        self.before: Callable[..., None] = getattr(callbacks, f"on_{kind}_batch_begin")
        self.after: Callable[..., None] = getattr(callbacks, f"on_{kind}_batch_end")

    def run(self, run: Any) -> int:
        """Does an epoch.

        Args:
            run: the run that a source started.

        Returns:
            The number of steps done.
        """
        try:
            if self.every_batch:
                steps = self._step_by_step(run)
            elif self.interval is not None:
                steps = self._by_the_clock(run)
            else:
                steps = int(run.advance(None, None))
        except BaseException:
            with contextlib.suppress(Exception):  # what is drawn must not hide what went wrong
                self.callbacks.break_off()
            raise
        self.callbacks.note_steps(self.kind, steps)
        return steps

    def _is_stopped(self) -> bool:
        return bool(getattr(self.trainer, _STOP[self.kind]))

    def _by_the_clock(self, run: Any) -> int:
        step = 0
        while done := run.advance(None, self.interval):
            step += done
            self.after(step - 1, self._logs(run, step - done, step))
            if self._is_stopped():
                break
        return step

    def _step_by_step(self, run: Any) -> int:
        steps = begin = 0
        while run.has_step():
            self.before(begin)
            done = run.advance(self.stride, None)
            if done == 0:
                break
            steps += done
            begin += self.stride  # hooks are told of whole executions, as in Keras: the last may lack steps
            self.after(begin - 1, self._logs(run, steps - done, steps))
            if self._is_stopped():
                break
        return steps

    def _logs(self, run: Any, begin: int, end: int) -> dict[str, Any]:
        if self.kind == "predict":
            return {"outputs": unwrap(run.outputs_of_steps(begin, end))} if self.every_batch else {}
        return dict(sorted(run.logs().items()))
