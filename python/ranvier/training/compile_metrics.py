"""CompileMetrics: the metrics that a model was compiled with, as one metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ranvier import metrics as metrics_module
from ranvier.core import tree
from ranvier.metrics import Metric


class CompileMetrics(Metric):
    """Updates several metrics and names their results.

    Args:
        metrics: metrics, names or functions of `(y_true, y_pred)`, in a list, tuple or dict; None: none.
        weighted_metrics: the same; these are given the sample weights.
        name: a name.

    Raises:
        ValueError: for another container, an unknown name, or something that is no metric.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, name: str = "compile_metrics") -> None:
        super().__init__(name=name)
        self._requested = (_entries("metrics", metrics), _entries("weighted_metrics", weighted_metrics))
        self._unweighted: list[Metric] = []
        self._weighted: list[Metric] = []
        self._names: list[str] = []
        self.built = False

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, once they are known: "accuracy" is chosen by the shapes of the data."""
        return [*self._unweighted, *self._weighted]

    @property
    def variables(self) -> list[Any]:
        """The variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def result_names(self) -> list[str]:
        """The names of the results, in order."""
        return list(self._names)

    def build(self, y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> None:
        """Makes the metrics for targets and predictions of these shapes."""

        def resolve(entry: Any) -> Metric:
            metric = metrics_module.resolve(entry, y_true_shape, y_pred_shape)
            if metric is None:
                raise ValueError("Expected a metric, received `None`.")
            return metric

        self._unweighted, self._weighted = ([resolve(e) for e in entries] for entries in self._requested)
        self._names = []
        for metric in self._unweighted:
            self._names.append(self._free_name(metric.name))
        for metric in self._weighted:
            taken = metric.name in self._names
            self._names.append(self._free_name(f"weighted_{metric.name}" if taken else metric.name))
        self.built = True

    def _free_name(self, name: str) -> str:
        count = 0
        free = name
        while free in self._names:
            count += 1
            free = f"{name}_{count}"
        return free

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch in."""
        if not self.built:
            self.build(tuple(y_true.shape), tuple(y_pred.shape))
        for metric in self._unweighted:
            metric.update_state(y_true, y_pred)
        for metric in self._weighted:
            metric.update_state(y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> dict[str, Any]:
        """Name -> result. A metric whose result is a dict gives its entries."""
        results: dict[str, Any] = {}
        for name, metric in zip(self._names, self.metrics, strict=True):
            value = metric.result()
            results.update(value if isinstance(value, Mapping) else {name: value})
        return results

    def reset_state(self) -> None:
        """Resets every metric."""
        for metric in self.metrics:
            metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("The metrics of compile() are saved with the model's compile config.")


def _entries(argument: str, metrics: Any) -> list[Any]:
    """The entries of a `metrics` argument, checked."""
    if metrics is None:
        return []
    if not isinstance(metrics, (list, tuple, Mapping)):
        raise ValueError(
            f"Expected `{argument}` argument to be a list, tuple, or dict. "
            f"Received instead: {argument}={metrics} of type {type(metrics)}"
        )
    entries = tree.flatten(metrics)
    for entry in entries:
        if (
            not (isinstance(entry, str) and entry.lower() in ("accuracy", "acc"))
            and metrics_module.get(entry) is None
        ):
            raise ValueError(f"Expected a metric in `{argument}`, received `None`.")
    return entries
