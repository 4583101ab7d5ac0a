"""LossScaleOptimizer: another optimizer whose loss is scaled so that small gradients are not lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from ranvier import initializers, ops
from ranvier.core import registry
from ranvier.core.variable import Variable
from ranvier.optimizers.conditional import kept_if
from ranvier.optimizers.optimizer import SHARED_ARGUMENTS, Optimizer


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a factor, and divides the gradients by it (Micikevicius et al., 2018).

    A step whose gradients are not all finite changes nothing and halves the factor. After
    `dynamic_growth_steps` finite steps in a row the factor doubles.

    Args:
        inner_optimizer: the optimizer. Its `loss_scale_factor` is replaced by this one's factor.
        initial_scale: the first factor. Default 32768.
        dynamic_growth_steps: Default 2000.
        name: a name; None: made up from the class.
        **kwargs: `dynamic`, which must be True; what other optimizers take belongs to the inner optimizer.

    Raises:
        ValueError: for any other argument.
        TypeError: if there is no inner optimizer.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"`inner_optimizer` must be an Optimizer. Received: {inner_optimizer}")
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. For a factor that stays, set "
                "`loss_scale_factor` on the `inner_optimizer`."
            )
        for argument in kwargs:
            if argument in SHARED_ARGUMENTS:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{argument}`. Instead, set `{argument}` on the "
                    "`inner_optimizer`."
                )
        if kwargs:
            names = ", ".join(f"`{argument}`" for argument in kwargs)
            raise ValueError(f"LossScaleOptimizer does not support arguments: {names}.")
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.inner_optimizer.loss_scale_factor = None
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then the inner optimizer's."""
        return [*self._rv_variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """The number of updates of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        first = initializers.Constant(self.initial_scale)
        self.dynamic_scale = self.add_variable((), first, "float32", name="dynamic_scale")
        self.inner_optimizer.build(variables)
        super().build(variables)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the factor."""
        scale = self.dynamic_scale if self.built else self.initial_scale
        return ops.multiply(loss, ops.cast(scale, ops.dtype(loss)))

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Divides the gradients by the factor and hands them on; see `Optimizer.apply`."""
        grads = list(grads)
        variables = None if trainable_variables is None else list(trainable_variables)
        if not grads:
            return
        if not self.built:
            if variables is None:
                raise ValueError(
                    "When passing `grads` without variables, the optimizer must already be built on a list "
                    "of variables. Call `optimizer.build(trainable_variables)` first."
                )
            self.build(variables)
        grads = [None if gradient is None else self._unscaled(gradient) for gradient in grads]
        finite = self.check_finite(grads)
        inner = self.inner_optimizer
        rate = inner._rv_learning_rate
        state = [*(inner._rv_trainable_variables if variables is None else variables)]
        state += [variable for variable in inner.variables if variable is not rate]
        with kept_if(finite, state):
            inner.apply(grads, variables)
        self._rescale(finite)

    def check_finite(self, grads: Iterable[Any]) -> Any:
        """Whether all elements of all gradients are finite (rank 0, bool); None counts as finite."""
        each = [ops.all(ops.isfinite(gradient)) for gradient in grads if gradient is not None]
        return reduce(ops.logical_and, each) if each else ops.cast(True, "bool")

    def _unscaled(self, gradient: Any) -> Any:
        gradient = ops.convert_to_tensor(gradient)
        return gradient / ops.cast(self.dynamic_scale, gradient.dtype)

    def _rescale(self, finite: Any) -> None:
        """Doubles the factor after enough finite steps, halves it after any other."""
        is_due = ops.greater_equal(self.step_counter, self.dynamic_growth_steps - 1)
        grown = ops.where(is_due, self.dynamic_scale * 2.0, self.dynamic_scale)
        counted = ops.where(is_due, 0, self.step_counter + 1)
        scale = ops.where(finite, grown, self.dynamic_scale / 2.0)
        self.step_counter.assign(ops.where(finite, counted, 0))
        self.dynamic_scale.assign(scale)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Names variables that do not decay; see `Optimizer`."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Sets variables to their moving averages, if the inner optimizer keeps them."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def moving_averages(self) -> list[tuple[Any, Any]]:
        """The inner optimizer's."""
        return self.inner_optimizer.moving_averages()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {
            "name": self.name,
            "inner_optimizer": registry.serialize_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LossScaleOptimizer:
        """The optimizer with these constructor arguments."""
        inner = registry.deserialize_object(config["inner_optimizer"], custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
