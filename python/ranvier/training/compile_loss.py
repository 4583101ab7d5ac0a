"""CompileLoss: the loss that a model was compiled with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier import losses, ops
from ranvier.core import tree
from ranvier.losses import Loss, LossFunctionWrapper

_BY_SHAPE = ("crossentropy", "ce")


class CompileLoss:
    """Turns targets and predictions into the scalar to minimize.

    Args:
        loss: a loss, a name, or a function of `(y_true, y_pred)`; or a list or dict of one such.
        loss_weights: a factor, or a list or dict of one factor; None: 1.

    Raises:
        ValueError: for an unknown name, and for several losses or weights.
    """

    def __init__(self, loss: Any, loss_weights: Any = None) -> None:
        self.loss = only_one("loss", loss)
        self.weight = only_one("loss_weights", loss_weights)
        if self.weight is not None and (
            isinstance(self.weight, bool) or not isinstance(self.weight, (int, float))
        ):
            raise ValueError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or "
                f"dict. Received instead: loss_weights={loss_weights} of type {type(loss_weights)}"
            )
        # Names that stand for a loss by the shapes are looked up when those are known.
        by_shape = isinstance(self.loss, str) and self.loss.lower() in _BY_SHAPE
        self._resolved: Loss | None = None if by_shape else _as_loss(self.loss)

    @property
    def takes_class_numbers(self) -> bool:
        """Whether the targets are class numbers. A loss that shapes decide is known after the first call."""
        return getattr(getattr(self._resolved, "fn", None), "_class_numbers", False)

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, output: str = "the model's output"
    ) -> Any:
        """The loss of a batch.

        Args:
            y_true: the targets.
            y_pred: the predictions.
            sample_weight: the samples' weights, or None.
            output: what `y_pred` is, for messages.

        Raises:
            ValueError: if there are no targets or several outputs, if shapes do not fit, or if the loss is
                not a scalar.
        """
        if y_true is None:
            raise ValueError(
                "The model was compiled with a loss, so it needs targets: argument `y` is missing."
            )
        if tree.is_nested(y_pred):
            raise ValueError("Losses for models with several outputs are not supported yet.")
        y_true, sample_weight = only_one("y", y_true), only_one("sample_weight", sample_weight)
        if self._resolved is None:
            self._resolved = losses.crossentropy_by_shape(y_true.shape, y_pred.shape)
        try:
            value = self._resolved(y_true, y_pred, sample_weight)
        except ValueError as error:
            raise ValueError(self._misfit(error, y_true, y_pred, sample_weight, output)) from error
        if tuple(value.shape) != ():
            raise ValueError(
                f"The loss must be a scalar, but {self._resolved!r} gave the shape {tuple(value.shape)}. Use "
                "a `reduction` such as 'sum_over_batch_size', or a function that returns one value per "
                "sample."
            )
        return value if self.weight is None else ops.multiply(value, self.weight)

    def _misfit(self, error: ValueError, y_true: Any, y_pred: Any, sample_weight: Any, output: str) -> str:
        """What to say when the loss refuses its arguments."""
        y_shape, shape = tuple(y_true.shape), tuple(y_pred.shape)
        weights = "" if sample_weight is None else f", `sample_weight` has shape {tuple(sample_weight.shape)}"
        name = getattr(self._resolved, "name", self.loss)
        text = (
            f"Loss '{name}' cannot be computed: the targets `y` have shape {y_shape}, {output} has shape "
            f"{shape}{weights}. {error}"
        )
        if self.takes_class_numbers and y_shape == shape:
            text += (
                " This loss takes one class number for each sample; for targets with one value for each "
                "class (one-hot) use 'categorical_crossentropy'."
            )
        return text


def only_one(name: str, value: Any) -> Any:
    """The only item of a list or dict; other values as they are.

    Args:
        name: what it is, for the message.
        value: the value.

    Raises:
        ValueError: if there are several items, or none.
    """
    items = list(value.values()) if isinstance(value, Mapping) and "class_name" not in value else value
    if not isinstance(items, (list, tuple)):
        return value
    if len(items) != 1:
        raise ValueError(
            f"Argument `{name}` must hold one item for a model with one output, got {len(items)}."
        )
    return items[0]


def _as_loss(identifier: Any) -> Loss:
    loss = losses.get(identifier)
    if isinstance(loss, Loss):
        return loss
    return LossFunctionWrapper(loss, name=getattr(loss, "__name__", None))
