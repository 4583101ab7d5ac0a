"""Means of the losses of classification: cross-entropies, divergences and hinges.

The arguments `name` and `dtype` of the classes are those of `Metric`; the others are those of the loss
functions.
"""

from __future__ import annotations

from typing import Any

from ranvier.core.masks import get_mask
from ranvier.losses import crossentropy as losses
from ranvier.losses.hinge import categorical_hinge, hinge, squared_hinge
from ranvier.losses.loss import apply_mask
from ranvier.metrics.reduction import NamedMetric


class BinaryCrossentropy(NamedMetric):
    """The mean of `losses.binary_crossentropy`."""

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class CategoricalCrossentropy(NamedMetric):
    """The mean of `losses.categorical_crossentropy`."""

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(NamedMetric):
    """The mean of `losses.sparse_categorical_crossentropy`.

    As in Keras, samples of the class `ignore_class` count as zeros, unless there are sample weights or a
    mask: then they do not count.
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Counts a batch in.

        Args:
            y_true: class numbers.
            y_pred: predictions.
            sample_weight: None, a number, or weights that broadcast to the class numbers.
        """
        mask = losses.class_mask(y_true, y_pred, self._fn_kwargs["ignore_class"])
        if sample_weight is not None or get_mask(y_pred) is not None:
            sample_weight = apply_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(y_true, y_pred, sample_weight)


class KLDivergence(NamedMetric):
    """The mean of `losses.kl_divergence`."""

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(NamedMetric):
    """The mean of `losses.poisson`."""

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class Hinge(NamedMetric):
    """The mean of `losses.hinge`."""

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(NamedMetric):
    """The mean of `losses.squared_hinge`."""

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(NamedMetric):
    """The mean of `losses.categorical_hinge`."""

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, name, dtype)
