"""The base of losses: reduction over the batch, sample weights and masks.

A loss function maps `(y_true, y_pred)` to one value per sample (or per element of the leading axes); a `Loss`
object reduces these to a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any, TypeVar

from ranvier import ops
from ranvier.core import dtypes, registry, scope, tree
from ranvier.core.initialized import Initialized
from ranvier.core.masks import get_mask
from ranvier.core.names import Alias
from ranvier.core.plain_arguments import PlainArguments
from ranvier.core.user_code import short_traceback

T = TypeVar("T", bound="Loss")
F = TypeVar("F", bound=Callable[..., Any])

_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(PlainArguments, Initialized):
    """A loss with its reduction.

    A subclass implements `call(y_true, y_pred)`, which returns one value per sample.

    Args:
        name: a name; None: made up from the class.
        reduction: what becomes of the values:
            - "sum_over_batch_size" (the default) or "mean": their weighted sum, divided by their number;
            - "mean_with_sample_weight": their weighted sum, divided by the sum of the weights;
            - "sum": their weighted sum;
            - "none" or None: the weighted values as they are.
        dtype: the dtype to compute in; None: `floatx()`.

    Raises:
        ValueError: for an unknown reduction.
    """

    _rv_made_by_base = ("name", "reduction", "_rv_dtype")
    _dtype = Alias("_rv_dtype")  # Keras's name

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"Invalid value for argument `reduction`. Expected one of {_REDUCTIONS}. "
                f"Received: reduction={reduction!r}"
            )
        self.name = scope.given_name(name, type(self))
        self.reduction = reduction
        self._rv_dtype = dtypes.standardize_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The dtype that the loss is computed in."""
        return self._rv_dtype

    @short_traceback
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss.

        Args:
            y_true: the targets.
            y_pred: the predictions.
            sample_weight: weights of the values: a number, one per sample, or a shape that broadcasts to
                theirs.

        Returns:
            A rank-0 value, or for the reduction "none" one of the shape of the values.

        Raises:
            ValueError: if shapes do not fit.
        """
        mask = get_mask(y_pred)  # a conversion would lose it
        y_true = tree.map_structure(self._rv_convert_target, y_true)
        y_pred = tree.map_structure(self._rv_convert, y_pred)
        mask = _joint(mask, self.output_mask(y_true, y_pred))
        values = self.call(y_true, y_pred)
        check_values(f"What loss '{self.name}' returns", values)
        return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)

    def _rv_convert(self, x: Any) -> Any:
        return ops.convert_to_tensor(x, dtype=self.dtype)

    def _rv_convert_target(self, x: Any) -> Any:
        return self._rv_convert(x)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample."""
        raise NotImplementedError("Loss subclasses must implement the `call()` method.")

    def output_mask(self, y_true: Any, y_pred: Any) -> Any:
        """Which of `call`'s values count (a bool value of their shape), or None where all do."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        """The loss with these constructor arguments."""
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A `Loss` made from a function.

    Args:
        fn: a function `(y_true, y_pred, **kwargs)` that returns one value per sample.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
        **kwargs: more arguments of `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if not tree.is_nested(y_true) and not tree.is_nested(y_pred):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def _rv_convert_target(self, x: Any) -> Any:
        if getattr(self.fn, "_class_numbers", False):
            x = ops.convert_to_tensor(x)
            return x if dtypes.is_int(x.dtype) else self._rv_convert(x)
        return self._rv_convert(x)

    def get_config(self) -> dict[str, Any]:
        kwargs = {key: registry.serialize_object(value) for key, value in self._fn_kwargs.items()}
        return {**super().get_config(), "fn": registry.serialize_object(self.fn), **kwargs}

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        return cls(**{key: registry.deserialize_object(value) for key, value in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.fn.__name__}, kwargs={self._fn_kwargs})>"


class NamedLoss(LossFunctionWrapper):
    """The base of the library's own losses: the function is known by the class and not part of the config."""

    def get_config(self) -> dict[str, Any]:
        return {**Loss.get_config(self), **self._fn_kwargs}


def check_values(owner: str, values: Any) -> None:
    """Whether a user's function returned something to compute with.

    Args:
        owner: what it returned, in words, for the message.
        values: what it returned.

    Raises:
        TypeError: if it did not.
    """
    if values is None or isinstance(values, (str, bytes, Mapping)):
        raise TypeError(f"{owner} must be numbers, usually one value for each sample. Received: {values!r}")


def takes_class_numbers(fn: F) -> F:
    """Marks a loss function whose targets are class numbers; a `Loss` then leaves integers as they are.

    A round trip through floats would be work for nothing, and not exact for large numbers.
    """
    fn._class_numbers = True  # type: ignore[attr-defined]
    return fn


def _joint(mask1: Any, mask2: Any) -> Any:
    if mask1 is None or mask2 is None:
        return mask2 if mask1 is None else mask1
    return ops.logical_and(*squeeze_or_expand_to_same_rank(mask1, mask2))


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Takes away, or adds, a last axis of size 1 where the ranks of two values differ by one.

    Args:
        x1: a value.
        x2: a value.
        expand_rank_1: whether (n,) against (n, 1) becomes (n, 1) twice; else it becomes (n,) twice.

    Returns:
        The two values; unchanged where the last axis of the larger one is not of size 1.
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        if rank2 == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, axis=-1)
        return ops.squeeze(x1, axis=-1), x2
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        x2, x1 = squeeze_or_expand_to_same_rank(x2, x1, expand_rank_1)
    return x1, x2


def apply_mask(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Sample weights with a mask worked in.

    For the reductions that divide by the number of values, the weights are scaled up so that masked
    values do not count there either.

    Args:
        sample_weight: weights or None.
        mask: a bool value or None.
        dtype: the dtype of the result.
        reduction: see `Loss`.

    Returns:
        Weights, or None where both are None.
    """
    if mask is None:
        return sample_weight
    mask = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        mask = mask * (float(_size(mask)) / (ops.sum(mask) + dtypes.epsilon()))
    if sample_weight is None:
        return mask
    sample_weight, mask = squeeze_or_expand_to_same_rank(
        ops.convert_to_tensor(sample_weight, dtype=dtype), mask
    )
    return ops.multiply(sample_weight, mask)


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: str | None = None,
) -> Any:
    """Weighs values and reduces them.

    Args:
        values: a value of any shape.
        sample_weight: see `Loss.__call__`.
        mask: which values count; None: all.
        reduction: see `Loss`.
        dtype: the dtype to compute in; None: `floatx()`.

    Raises:
        ValueError: if the weights do not broadcast to the values.
    """
    dtype = dtypes.standardize_dtype(dtype)
    values = ops.convert_to_tensor(values, dtype=dtype)
    weight = apply_mask(sample_weight, mask, dtype, reduction)
    if weight is not None:
        weight = ops.convert_to_tensor(weight, dtype=dtype)
        values, weight = squeeze_or_expand_to_same_rank(values, weight)
        check_weight(weight, values)
        values = ops.multiply(values, weight)
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values
    total = ops.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        weights = ops.sum(weight)
        # A batch without any weight has no mean; it adds nothing.
        empty = ops.equal(weights, 0.0)
        return ops.where(empty, 0.0, total / ops.where(empty, 1.0, weights))
    return total / float(_size(values))


def check_weight(weight: Any, values: Any, widens: bool = True) -> None:
    """Whether weights broadcast to the values they weigh.

    Args:
        weight: the weights.
        values: the values.
        widens: whether values may be repeated too: for each of several weights.

    Raises:
        ValueError: if they do not.
    """
    pairs = list(zip_longest(reversed(weight.shape), reversed(values.shape), fillvalue=1))
    if any(a not in (1, b) and (b != 1 or not widens) for a, b in pairs):
        raise ValueError(
            f"`sample_weight` of shape {tuple(weight.shape)} does not fit the values that it weighs, which "
            f"have shape {tuple(values.shape)}."
        )


def _size(x: Any) -> int:
    size = 1
    for dim in x.shape:
        size *= dim
    return size
