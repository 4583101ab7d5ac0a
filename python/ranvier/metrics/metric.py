"""The base of metrics: a state in variables, an update per batch, and a result."""

from __future__ import annotations

import contextlib
from typing import Any, TypeVar

import numpy as np

from ranvier import initializers
from ranvier.core import dtypes, old_attributes, scope
from ranvier.core.initialized import Initialized
from ranvier.core.missing_names import retired
from ranvier.core.names import Alias
from ranvier.core.plain_arguments import PlainArguments
from ranvier.core.stateless_scope import StatelessScope, no_stateless_scope, values_in, with_values
from ranvier.core.trace import current_trace, variables_allowed
from ranvier.core.variable import Variable
from ranvier.layers.tracked import Tracked
from ranvier.layers.tracking import Kind

T = TypeVar("T", bound="Metric")


@retired(old_attributes.METRIC)
class Metric(PlainArguments, Tracked, Initialized):
    """A measure that accumulates over batches.

    A subclass makes its variables in `__init__` with `add_variable`, changes them in `update_state`, and
    computes the result from them in `result`. Both are written with `ops` and work in a trace and
    eagerly. Variables and metrics in attributes, also inside lists and dicts, belong to the state too.

    Args:
        dtype: the dtype of its variables and of what it computes; None: `floatx()`.
        name: a name; None: made up from the class.
    """

    _rv_made_by_base = ("name", "_rv_dtype", "_rv_variables", "_rv_metrics")
    _rv_variables: list[Variable]
    _rv_metrics: list[Metric]

    _dtype = Alias("_rv_dtype")  # Keras's names
    _variables = Alias("_rv_variables")
    _metrics = Alias("_rv_metrics")

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = scope.given_name(name, type(self))
        self._rv_dtype = dtypes.standardize_dtype(dtype)
        self._rv_made_in_a_step = current_trace() is not None

    def _rv_kinds(self) -> dict[str, Kind]:
        state = self.__dict__
        return {
            "variables": (lambda v: isinstance(v, Variable), state.setdefault("_rv_variables", [])),
            "metrics": (lambda v: isinstance(v, Metric), state.setdefault("_rv_metrics", [])),
        }

    @property
    def dtype(self) -> str:
        """The dtype of the metric."""
        return self._rv_dtype

    @property
    def _rv_float_dtype(self) -> str:
        """The dtype to count and to divide in, which an integer dtype of the metric leaves as it is."""
        return self._rv_dtype if dtypes.is_float(self._rv_dtype) else dtypes.floatx()

    @property
    def variables(self) -> list[Variable]:
        """The variables of the state, those of inner metrics last."""
        return [*self._rv_variables, *(v for metric in self._rv_metrics for v in metric.variables)]

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Makes a variable of the state.

        Args:
            shape: its shape.
            initializer: its first value: an initializer or the name of one. `reset_state` sets zeros.
            dtype: its dtype; None: the metric's, or `floatx()` where that is no float.
            aggregation: how replicas are joined; kept for compatibility, there is one replica.
            name: its name.
        """
        # The first batch may tell the shape of a metric's variables, but not whether there is a metric.
        allowed = contextlib.nullcontext() if self._rv_made_in_a_step else variables_allowed()
        with allowed, no_stateless_scope(), scope.name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=self._rv_float_dtype if dtype is None else dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._rv_tracker.track(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """`add_variable` with defaults: a rank-0 variable that begins as zero."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def reset_state(self) -> None:
        """Sets all variables to zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Counts a batch in."""
        raise NotImplementedError("Metric subclasses must implement the `update_state()` method.")

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """`update_state` as a function: of the values of `variables`, which it leaves as they are.

        Args:
            metric_variables: the values of `variables`: none before a first batch has told their shapes.
            *args: see `update_state`.
            **kwargs: likewise.

        Returns:
            The new values.

        Raises:
            ValueError: if the number or a shape does not fit.
        """
        with with_values(self.variables, metric_variables, " `metric_variables`") as scope:
            self.update_state(*args, **kwargs)
        return values_in(scope, self.variables)

    def stateless_result(self, metric_variables: Any) -> Any:
        """`result` as a function of the values of `variables`.

        Raises:
            ValueError: if the number or a shape does not fit.
        """
        with with_values(self.variables, metric_variables, " `metric_variables`"):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values that `reset_state` gives to `variables`, which stay as they are."""
        with StatelessScope() as scope:
            self.reset_state()
        return values_in(scope, self.variables)

    def result(self) -> Any:
        """The measure over the batches since the last reset; usually of rank 0."""
        raise NotImplementedError("Metric subclasses must implement the `result()` method.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Counts a batch in and returns the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        """The metric with these constructor arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
