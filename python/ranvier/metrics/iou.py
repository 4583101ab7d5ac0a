"""Intersection over union: of what is or was predicted to be a class, the share that is both.

The arguments `name` and `dtype` of the classes are those of `Metric`, `dtype` being that of the confusion
matrix; None: "int32".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import dtypes
from ranvier.metrics.metric import Metric

_ONE_HOT_KEYS = ("name", "dtype", "ignore_class", "sparse_y_pred", "axis")


class IoU(Metric):
    """The mean over some classes of tp / (tp + fp + fn); classes that do not occur do not count.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes to average over.
        name: see `Metric`.
        dtype: see `Metric`.
        ignore_class: samples of this class do not count; None: all do.
        sparse_y_true: whether targets are class numbers; else the largest along `axis` is the class.
        sparse_y_pred: the same for predictions.
        axis: the class axis of what is not sparse.

    Raises:
        ValueError: for a class out of range; when called, if shapes do not fit.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__("int32" if dtype is None else dtype, name)
        # The matrix first: where the memory ends, no list of as many classes is made.
        shape = (num_classes, num_classes)
        self.total_cm = self.add_variable(shape, "zeros", self.dtype, name="total_confusion_matrix")
        targets = [int(i) for i in target_class_ids]
        if not targets:
            raise ValueError("`target_class_ids` must name at least one class. Received an empty list.")
        for target in targets:
            if not 0 <= target < num_classes:
                raise ValueError(f"Target class id {target} is out of range, which is [0, {num_classes}).")
        self.num_classes = num_classes
        self.target_class_ids = targets
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch in. Class numbers out of range do not count.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: None, a number, or weights of the class numbers.
        """
        classes = self._classes(y_true, self.sparse_y_true)
        predicted = self._classes(y_pred, self.sparse_y_pred)
        if classes.shape != predicted.shape:
            raise ValueError(
                "Targets and predictions must have the same number of classes. Received: "
                f"{classes.shape[0]} targets and {predicted.shape[0]} predictions."
            )
        weights = ops.ones(classes.shape, self._rv_float_dtype)
        if sample_weight is not None:
            # A matrix of integers counts integers: of each weight the fraction is lost, as in Keras.
            given = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            given = ops.reshape(ops.cast(given, weights.dtype), (-1,))
            if given.shape[0] not in (1, classes.shape[0]):
                raise ValueError(
                    f"`sample_weight` of shape {np.shape(sample_weight)} does not fit {classes.shape[0]} "
                    "targets."
                )
            weights = weights * given
        size = self.num_classes
        counts = ops.logical_and(_within(classes, size), _within(predicted, size))
        if self.ignore_class is not None:
            counts = ops.logical_and(counts, ops.not_equal(classes, self.ignore_class))
        cells = ops.where(counts, classes * size + predicted, -1)
        matrix = ops.reshape(ops.segment_sum(weights, cells, num_segments=size * size), (size, size))
        self.total_cm.assign_add(ops.cast(matrix, self.dtype))

    def _classes(self, y: Any, sparse: bool) -> Any:
        y = ops.convert_to_tensor(y)
        return ops.ravel(ops.cast(y if sparse else ops.argmax(y, axis=self.axis), "int32"))

    def result(self) -> Any:
        matrix = ops.cast(self.total_cm, dtypes.floatx())
        epsilon = dtypes.epsilon()
        hits = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - hits
        targets = np.asarray(self.target_class_ids)
        hits, union = ops.take(hits, targets), ops.take(union, targets)
        occurs = ops.greater(union, 1e-9)
        number = ops.sum(ops.cast(occurs, dtypes.floatx()))
        return ops.sum(ops.where(occurs, hits / (union + epsilon), 0.0)) / (number + epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_of(self, *keys: str) -> dict[str, Any]:
        """Some keys of the config, in the order that Keras writes them."""
        config = IoU.get_config(self)
        return {key: config[key] for key in keys}


class BinaryIoU(IoU):
    """The intersection over union of two classes.

    Args:
        target_class_ids: the classes to average over: 0, 1 or both. Default both.
        threshold: predictions from it on are class 1; None: predictions are class numbers.
        name: see `Metric`.
        dtype: see `Metric`.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float | None = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch in.

        Args:
            y_true: targets, 0 or 1.
            y_pred: predictions of the same shape.
            sample_weight: None, a number, or weights of the targets.
        """
        if self.threshold is not None:
            y_pred = ops.greater_equal(ops.convert_to_tensor(y_pred), self.threshold)
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        targets = self._config_of("target_class_ids")
        return {**targets, "threshold": self.threshold, **self._config_of("name", "dtype")}


class MeanIoU(IoU):
    """The mean intersection over union of all classes. Arguments: see `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            range(num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )

    def get_config(self) -> dict[str, Any]:
        keys = ("num_classes", "name", "dtype", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return self._config_of(*keys)


class OneHotIoU(IoU):
    """`IoU` of one-hot targets. Arguments: see there."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_of("num_classes", "target_class_ids", *_ONE_HOT_KEYS)


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets. Arguments: see `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_of("num_classes", *_ONE_HOT_KEYS)


def _within(classes: Any, size: int) -> Any:
    return ops.logical_and(ops.greater_equal(classes, 0), ops.less(classes, size))
