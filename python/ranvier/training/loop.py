"""One epoch: the run does the steps, and comes back to Python only when a callback asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranvier.callbacks import CallbackList


def unwrap(outputs: list[Any]) -> Any:
    """The only output of a model, or the list of its outputs."""
    return outputs[0] if len(outputs) == 1 else outputs


class Loop:
    """Runs the epochs of one kind for a trainer and its callbacks.

    Args:
        trainer: the model; its `stop_training` ends an epoch between two calls of batch hooks.
        callbacks: the callbacks.
        kind: "train", "test" or "predict".
        steps_per_execution: the number of steps between two calls of batch hooks.
    """

    def __init__(
        self, trainer: Any, callbacks: CallbackList, kind: str, steps_per_execution: int = 1
    ) -> None:
        self.trainer = trainer
        self.break_off = callbacks.break_off
        self.kind = kind
        self.stride = steps_per_execution
        self.every_batch = callbacks.needs_every_batch(kind)
        self.interval = callbacks.batch_interval(kind)
        self.before: Callable[..., None] = getattr(callbacks, f"on_{kind}_batch_begin")
        self.after: Callable[..., None] = getattr(callbacks, f"on_{kind}_batch_end")

    def run(self, run: Any, source: Any) -> int:
        """Does an epoch.

        Args:
            run: the run.
            source: the source that started it.

        Returns:
            The number of steps done.
        """
        try:
            if self.every_batch:
                return self._step_by_step(run, source)
            if self.interval is not None:
                return self._by_the_clock(run, source)
            return int(run.advance(None, None))
        except BaseException:
            self.break_off()
            raise

    def _by_the_clock(self, run: Any, source: Any) -> int:
        step = 0
        while done := run.advance(None, self.interval):
            step += done
            self.after(step - 1, self._logs(run, source, step - done, step))
        return step

    def _step_by_step(self, run: Any, source: Any) -> int:
        step = 0
        while source.has_step(step):
            self.before(step)
            done = run.advance(self.stride, None)
            if done == 0:
                break
            step += done
            self.after(step - 1, self._logs(run, source, step - done, step))
            if self.trainer.stop_training and self.kind != "predict":
                break
        return step

    def _logs(self, run: Any, source: Any, begin: int, end: int) -> dict[str, Any]:
        if self.kind == "predict":
            return {"outputs": unwrap(source.outputs_of_steps(run, begin, end))} if self.every_batch else {}
        return dict(sorted(run.logs().items()))
