"""Sums and means over batches, and the metric made from a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ranvier import ops
from ranvier.core import registry
from ranvier.core.masks import get_mask
from ranvier.core.user_code import short_traceback
from ranvier.losses.loss import apply_mask, check_values, check_weight, squeeze_or_expand_to_same_rank
from ranvier.metrics.metric import Metric

W = TypeVar("W", bound="MeanMetricWrapper")


def samplewise(
    values: Any, sample_weight: Any, dtype: str, reduce: Callable[..., Any] = ops.mean
) -> tuple[Any, Any]:
    """One weighted value per sample, and the samples' weights.

    Further axes are reduced, after the weights were applied where these have such axes themselves.

    Args:
        values: values of any shape; the first axis is the batch.
        sample_weight: None, a number, one weight per sample, or a shape that the first axes of the values
            have.
        dtype: the dtype to compute in.
        reduce: the reduction of further axes: `ops.mean` or `ops.sum`.

    Returns:
        The values and the weights (None if there are none), both of rank 0 or 1.
    """
    mask = get_mask(values)
    values = ops.convert_to_tensor(values, dtype=dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, dtype, "sum")
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        values = _reduce_from(len(sample_weight.shape), values, reduce)
        check_weight(sample_weight, values, widens=False)
        sample_weight = ops.broadcast_to(sample_weight, values.shape)
        values = ops.multiply(values, sample_weight)
        sample_weight = _reduce_from(1, sample_weight, reduce)
    return _reduce_from(1, values, reduce), sample_weight


def _reduce_from(axis: int, x: Any, reduce: Callable[..., Any]) -> Any:
    rank = len(x.shape)
    return reduce(x, axis=tuple(range(axis, rank))) if rank > axis else x


class Sum(Metric):
    """The weighted sum of values.

    Args:
        name: see `Metric`.
        dtype: see `Metric`.
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values.

        Args:
            values: of any shape.
            sample_weight: None, a number, or weights that broadcast to the values.
        """
        values, _ = samplewise(values, sample_weight, self.dtype, ops.sum)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        return ops.convert_to_tensor(self.total)


class Mean(Metric):
    """The weighted mean of values; 0 while there are none.

    Args:
        name: see `Metric`.
        dtype: see `Metric`.
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")
        self.count = self.add_variable((), "zeros", self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Counts values in.

        Args:
            values: of any shape; axes after the first are averaged.
            sample_weight: None, a number, or weights that broadcast to the values.
        """
        values, sample_weight = samplewise(values, sample_weight, self.dtype)
        self.total.assign_add(ops.sum(values))
        if sample_weight is not None:
            self.count.assign_add(ops.sum(sample_weight))
        else:
            self.count.assign_add(ops.cast(values.shape[0] if len(values.shape) else 1, self.dtype))

    def result(self) -> Any:
        empty = ops.equal(self.count, 0)
        return ops.where(empty, 0, ops.divide(self.total, ops.where(empty, 1, self.count)))


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: a function `(y_true, y_pred, **kwargs)` that returns one value per sample.
        name: see `Metric`.
        dtype: see `Metric`.
        **kwargs: more arguments of `fn`.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name, dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    @short_traceback
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Counts a batch in.

        Args:
            y_true: targets.
            y_pred: predictions; where a layer left a mask on them, only what it lets through counts.
            sample_weight: None, a number, or weights that broadcast to the function's values.
        """
        mask = get_mask(y_pred)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        check_values(f"What metric '{self.name}' averages", values)
        sample_weight = apply_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        kwargs = {key: registry.serialize_object(value) for key, value in self._fn_kwargs.items()}
        return {**super().get_config(), "fn": registry.serialize_object(self._fn), **kwargs}

    @classmethod
    def from_config(cls: type[W], config: dict[str, Any]) -> W:
        return cls(**{key: registry.deserialize_object(value) for key, value in config.items()})


class NamedMetric(MeanMetricWrapper):
    """The base of the library's own: the function is known by the class and not part of the config."""

    def get_config(self) -> dict[str, Any]:
        return {**Metric.get_config(self), **self._fn_kwargs}
