"""CompileMetrics: the metrics that a model was compiled with, as one metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ranvier import metrics as metrics_module
from ranvier import ops
from ranvier.core import tree
from ranvier.core.tensor import NoNumbersError
from ranvier.core.trace import variables_allowed
from ranvier.core.user_code import harmless, retell
from ranvier.losses.loss import check_values
from ranvier.metrics import Metric
from ranvier.training.structures import Path, at, is_container, items, like_outputs


class _OfOutput(NamedTuple):
    """The metrics of one output.

    Attributes:
        path: where the output stands among the outputs.
        unweighted: metrics that are not given the sample weights.
        weighted: metrics that are.
    """

    path: Path
    unweighted: list[Metric]
    weighted: list[Metric]


class CompileMetrics(Metric):
    """Updates several metrics and names their results.

    Args:
        metrics: metrics, names or functions of `(y_true, y_pred)`, in a list, tuple or dict; None: none. For
            a model with several outputs there is an item for each: a metric, a list of metrics, or None.
        weighted_metrics: the same; these are given the sample weights.
        name: a name.

    Raises:
        ValueError: for another container, an unknown name, or something that is no metric.
    """

    _rv_untracked = frozenset({"_requested", "_outputs", "_output_names", "_names"})

    def __init__(self, metrics: Any, weighted_metrics: Any, name: str = "compile_metrics") -> None:
        super().__init__(name=name)
        self._requested = (_checked("metrics", metrics), _checked("weighted_metrics", weighted_metrics))
        self._outputs: list[_OfOutput] = []
        self._rv_output_names: Sequence[str] | None = None
        self._names: list[str] = []
        self.built = False

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, once they are known: "accuracy" is chosen by the shapes of the data."""
        return [metric for output in self._outputs for metric in (*output.unweighted, *output.weighted)]

    @property
    def variables(self) -> list[Any]:
        """The variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def result_names(self) -> list[str]:
        """The names of the results, in order."""
        return list(self._names)

    def build(self, y_true: Any, y_pred: Any, output_names: Sequence[str] | None = None) -> None:
        """Makes the metrics.

        Args:
            y_true: the targets, or anything of their shapes.
            y_pred: the outputs, likewise.
            output_names: the outputs' names; None: they have none.

        Raises:
            ValueError: if the metrics do not fit the outputs.
        """
        self._rv_output_names = output_names
        paths = [path for path, _ in items(y_pred)]
        entries = [
            _by_output(argument, requested, y_pred, paths, output_names)
            for argument, requested in zip(("metrics", "weighted_metrics"), self._requested, strict=True)
        ]
        measured = [path for i, path in enumerate(paths) if any(kind[i] for kind in entries)]
        targets = like_outputs("y", y_true, y_pred, output_names, measured)
        self._outputs, self._names = [], []
        for i, path in enumerate(paths):
            target, output = at(targets, path), at(y_pred, path)
            unweighted, weighted = ([_make(e, target, output, path) for e in kind[i]] for kind in entries)
            prefix = self._prefix(y_pred, path, i) if len(paths) > 1 else ""
            prefix += "_" if prefix else ""
            for metric in unweighted:
                self._names.append(self._free_name(prefix + metric.name))
            for metric in weighted:
                taken = prefix + metric.name in self._names
                self._names.append(
                    self._free_name(f"{prefix}weighted_{metric.name}" if taken else prefix + metric.name)
                )
            self._outputs.append(_OfOutput(path, unweighted, weighted))
        self.built = True

    def check(self, y_pred: Any, output_names: Sequence[str] | None) -> None:
        """Checks that the metrics fit outputs of this structure, as `build` does."""
        paths = [path for path, _ in items(y_pred)]
        for argument, requested in zip(("metrics", "weighted_metrics"), self._requested, strict=True):
            _by_output(argument, requested, y_pred, paths, output_names)

    def _prefix(self, y_pred: Any, path: Path, position: int) -> str:
        if isinstance(y_pred, Mapping) and not any(map(is_container, y_pred.values())):
            return str(path[0])
        return self._rv_output_names[position] if self._rv_output_names else ""

    def _free_name(self, name: str) -> str:
        count = 0
        free = name
        while free in self._names:
            count += 1
            free = f"{name}_{count}"
        return free

    def update_state(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        output_names: Sequence[str] | None = None,
    ) -> None:
        """Counts a batch in.

        Args:
            y_true: the targets.
            y_pred: the outputs.
            sample_weight: one tensor of weights for all outputs, or a nest; or None.
            output_names: the outputs' names; None: they have none.
        """
        if not self.built:
            with variables_allowed():
                self.build(y_true, y_pred, output_names)
        measured = [output.path for output in self._outputs if output.unweighted or output.weighted]
        targets = like_outputs("y", y_true, y_pred, self._rv_output_names, measured)
        nested = is_container(sample_weight)
        if nested:
            sample_weight = like_outputs("sample_weight", sample_weight, y_pred, self._rv_output_names)
        for output in self._outputs:
            y, prediction = at(targets, output.path), at(y_pred, output.path)
            weight = at(sample_weight, output.path) if nested else sample_weight
            for metric in output.unweighted:
                _count_in(metric, y, prediction)
            for metric in output.weighted:
                _count_in(metric, y, prediction, sample_weight=weight)

    def result(self) -> dict[str, Any]:
        """Name -> result. A metric whose result is a dict gives its entries."""
        results: dict[str, Any] = {}
        for name, metric in zip(self._names, self.metrics, strict=True):
            value = metric.result()
            named = value if isinstance(value, Mapping) else {name: value}
            for key, one in named.items():
                check_values(f"The result of metric '{metric.name}'", one)
                results[key] = ops.convert_to_tensor(one)
        return results

    def reset_state(self) -> None:
        """Resets every metric."""
        for metric in self.metrics:
            metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("The metrics of compile() are saved with the model's compile config.")


def _count_in(metric: Metric, y: Any, y_pred: Any, **weights: Any) -> None:
    """Updates a metric; what it refuses is said with its name and with what it was given."""
    try:
        metric.update_state(y, y_pred, **weights)
    except NoNumbersError as error:
        fn = getattr(metric, "_fn", metric)
        if "sklearn" not in f"{getattr(fn, '__module__', '')} {error}":
            raise
        raise TypeError(
            f"Metric '{metric.name}' uses scikit-learn, which takes arrays: it cannot be counted while a "
            f"model trains. Call it afterwards, `{metric.name}(y, model.predict(x))`, use one of "
            "`ranvier.metrics`, or compile with `run_eagerly=True`."
        ) from None
    except ValueError as error:
        _say_of_what(error, metric, y, y_pred, weights.get("sample_weight"))
        raise


@harmless
def _say_of_what(error: ValueError, metric: Metric, y: Any, y_pred: Any, sample_weight: Any) -> None:
    given = {"`y`": y, "predictions": y_pred, "`sample_weight`": sample_weight}
    shapes = [f"{what} of shape {tuple(v.shape)}" for what, v in given.items() if hasattr(v, "shape")]
    retell(error, f"Metric '{metric.name}' cannot be computed from {', '.join(shapes)}. {error}")


def _make(entry: Any, target: Any, output: Any, path: Path) -> Metric:
    """The metric of an entry."""
    if target is None:
        raise ValueError(f"There are metrics for output {'/'.join(map(str, path))!r}, but no target in `y`.")
    metric = metrics_module.resolve(entry, tuple(target.shape), tuple(output.shape))
    assert metric is not None  # None was refused or left out before
    return metric


def _checked(argument: str, metrics: Any) -> Any:
    """A `metrics` argument whose entries are all understood."""
    if metrics is None:
        return None
    if not isinstance(metrics, (list, tuple, Mapping)):
        raise ValueError(
            f"Expected `{argument}` argument to be a list, tuple, or dict. "
            f"Received instead: {argument}={metrics} of type {type(metrics)}"
        )
    for entry in tree.flatten(metrics):
        if entry is None or (isinstance(entry, str) and entry.lower() in ("accuracy", "acc")):
            continue
        if metrics_module.get(entry) is None:
            raise ValueError(f"Expected a metric in `{argument}`, received `None`.")
    return metrics


def _by_output(
    argument: str, requested: Any, y_pred: Any, paths: list[Path], names: Sequence[str] | None
) -> list[list[Any]]:
    """For each output its entries of a `metrics` argument."""
    if requested is None:
        return [[] for _ in paths]
    if len(paths) == 1:
        entries = [entry for _, entry in items(requested)]
        if None in entries:
            raise ValueError(f"Expected a metric for the only output, received None: {argument}={requested}")
        return [entries]
    keys: list[Any] = sorted(y_pred, key=str) if isinstance(y_pred, Mapping) else list(names or ())
    nested = len(paths) != len(y_pred)
    if isinstance(requested, Mapping):
        unknown = [key for key in requested if key not in keys]
        if unknown:
            raise _mismatch(argument, requested, keys or len(y_pred))
        if isinstance(y_pred, Mapping):
            found = requested
        else:
            found = dict(enumerate(requested.get(key) for key in keys))
    else:
        if len(requested) != len(y_pred):
            raise _mismatch(argument, requested, keys or len(y_pred))
        found = dict(zip(keys if isinstance(y_pred, Mapping) else range(len(y_pred)), requested, strict=True))
    entries = []
    for path in paths:
        entry = found.get(path[0])
        if nested and len(path) > 1:
            if entry is not None and not is_container(entry):
                raise _mismatch(argument, requested, keys or len(y_pred))
            entry = at(entry, path[1:])
        entries.append([leaf for _, leaf in items(entry) if leaf is not None])
    return entries


def _mismatch(argument: str, given: Any, expected: Any) -> ValueError:
    what = f"the keys {expected}" if isinstance(expected, list) else f"{expected} items"
    return ValueError(
        f"Invalid `{argument}`: a model with several outputs takes a list with an item for each, or a dict "
        f"with some of {what}. Received: {argument}={given}"
    )
