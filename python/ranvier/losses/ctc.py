"""The loss of label sequences that no frame is aligned with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core.user_code import short_traceback
from ranvier.losses.loss import NamedLoss, takes_class_numbers


@takes_class_numbers
@short_traceback
def ctc(y_true: Any, y_pred: Any) -> Any:
    """`ops.ctc_loss` with the class 0 for no label.

    Args:
        y_true: labels, integers of shape (batch, labels), 0 where there is none.
        y_pred: logits, shape (batch, frames, classes); all frames count.

    Returns:
        One value per sample.

    Raises:
        ValueError: if the shapes do not fit, or, when it runs, for a label out of range.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2:
        raise ValueError(
            "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer "
            f"format. Received: y_true.shape={tuple(y_true.shape)}"
        )
    if len(y_pred.shape) != 3:
        raise ValueError(
            "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. "
            f"Received: y_pred.shape={tuple(y_pred.shape)}"
        )
    y_true = ops.cast(y_true, "int32")
    lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    frames = np.full(y_pred.shape[0], y_pred.shape[1], "int32")
    return ops.ctc_loss(y_true, y_pred, lengths, frames)


class CTC(NamedLoss):
    """The mean of `ctc`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)
