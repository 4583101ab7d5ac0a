"""TerminateOnNaN: ends training when the loss is no number."""

from __future__ import annotations

import math

from ranvier.callbacks.callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stops training as soon as the loss of a batch is NaN or infinite.

    Args:
        raise_error: whether to raise RuntimeError in place of a message and a normal end.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
