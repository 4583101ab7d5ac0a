"""ProgbarLogger: the progress bar of fit, evaluate and predict."""

from __future__ import annotations

from typing import Any

from ranvier.callbacks.callback import Callback, Logs
from ranvier.callbacks.progbar import Progbar


class ProgbarLogger(Callback):
    """Prints a progress bar with the metrics. `fit`, `evaluate` and `predict` add it unless `verbose=0`.

    It is told about progress some 20 times a second, so that the loop need not stop after every batch.
    """

    _rv_batch_interval = 0.05

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._bar: Progbar | None = None
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        self.verbose = 1 if params["verbose"] == "auto" else params["verbose"]
        self.epochs = params.get("epochs") or 1
        self.target = params["steps"]

    def idle_in(self, kind: str) -> bool:
        """Whether there is nothing to draw between the batches of a loop: "train", "test" or "predict"."""
        return self.verbose != 1 or (kind == "test" and self._in_fit)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._in_fit = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._reset()
        if self.verbose and self.epochs > 1:
            print(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._reset()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._finish(logs)
            self._close()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._reset()

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish(None)
        self._close()

    def note_steps(self, kind: str, steps: int) -> None:
        """Says how many steps a loop, "train", "test" or "predict", has done in all."""
        if kind != "test" or not self._in_fit:
            self.seen = self._at_most_target(steps)

    def break_off(self) -> None:
        """Ends the line of a bar whose loop was left by an exception."""
        self._in_fit = False
        if self._bar is not None:
            bar, self._bar = self._bar, None
            bar.break_off()

    def _reset(self) -> None:
        self.seen = 0
        if self._bar is None:
            self._bar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())
        else:
            self._bar.restart(self.target)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _update(self, batch: int, logs: Logs | None) -> None:
        self.seen = self._at_most_target(batch + 1)
        if self._bar is not None and self.verbose == 1:
            # The last step is drawn when the epoch ends, with the validation's results.
            self._bar.update(self.seen, sorted((logs or {}).items()), finalize=False)

    def _finish(self, logs: Logs | None) -> None:
        if self._bar is None:
            return
        if self.target is None:  # the length of a generator is known once it has ended
            self.target = self.seen
            self._bar.target = self.seen
        # An epoch that was stopped, or whose data ran out, has fewer steps than it should have.
        self._bar.update(self.seen or self.target, list((logs or {}).items()), finalize=True)

    def _at_most_target(self, steps: int) -> int:
        """`steps`; with several steps per execution, the last one may go past the end."""
        return steps if self.target is None else min(steps, self.target)
