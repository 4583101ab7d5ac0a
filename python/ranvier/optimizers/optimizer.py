"""The base of optimizers: what happens to gradients before and after the update rule of a subclass.

Everything here is written with `ops` on variables, so one and the same code updates at once when it is
called on arrays, and becomes part of the training graph when it is called in a trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ranvier import initializers, ops
from ranvier.core import dtypes, old_attributes, registry, scope
from ranvier.core.arguments import shown
from ranvier.core.keywords import constructor_keywords, suggest_keywords
from ranvier.core.missing_names import retired
from ranvier.core.stateless_scope import values_in, with_values
from ranvier.core.trace import current_trace, variables_allowed
from ranvier.core.user_code import short_traceback, warn
from ranvier.core.variable import Variable
from ranvier.optimizers import clipping
from ranvier.optimizers.conditional import kept_if
from ranvier.optimizers.pairs import with_gradient
from ranvier.optimizers.schedules import schedule
from ranvier.optimizers.state import OptimizerState

T = TypeVar("T", bound="Optimizer")

Schedule = schedule.LearningRateSchedule

# The arguments that every update rule takes.
SHARED_ARGUMENTS = (
    "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip


@retired(old_attributes.OPTIMIZER)
class Optimizer(OptimizerState):
    """A rule that changes variables by the gradients of a loss.

    A subclass makes its slot variables in `build` with `add_optimizer_variables` and changes one variable in
    `update_step`.

    Args:
        learning_rate: a number of at least 0, a `LearningRateSchedule` (evaluated at every step, inside
            the graph), or a function without arguments (called when a step is traced or run).
        weight_decay: the factor f of the decoupled weight decay `v -= f * learning_rate * v` before each
            update.
        clipnorm: scale each gradient down to this length.
        clipvalue: limit each gradient's elements to [-clipvalue, clipvalue].
        global_clipnorm: scale all gradients together down to this length.
        use_ema: keep a moving average of each variable.
        ema_momentum: how much of the average one step keeps. Default 0.99.
        ema_overwrite_frequency: after how many steps the variables are set to their averages; None or 0: only
            by `finalize_variable_values`, which `fit` calls at its end.
        loss_scale_factor: divide gradients by it; the loss must have been multiplied, see `scale_loss`.
        gradient_accumulation_steps: update only every so many steps, with the mean of the gradients since
            the last update. At least 2; None or 0: at each step.
        name: a name; None: made up from the class.
        **kwargs: none; an unknown argument is refused by name.

    Raises:
        ValueError: for any other argument, or more than one kind of clipping.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("decay", None) is not None:
            warn("Argument `decay` is no longer supported and will be ignored.")
        if "lr" in kwargs:
            raise ValueError(f"The argument `lr` is now `learning_rate`. Received: lr={kwargs['lr']}")
        if kwargs:
            near = suggest_keywords(kwargs, constructor_keywords(type(self)))
            raise ValueError(f"Argument(s) not recognized: {kwargs}.{near}")
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue!r}, global_clipnorm={global_clipnorm!r}"
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(
                f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum!r}"
            )
        if ema_overwrite_frequency and not _is_integer(ema_overwrite_frequency, 1):
            raise ValueError(
                "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: "
                f"ema_overwrite_frequency={ema_overwrite_frequency}"
            )
        if gradient_accumulation_steps and not _is_integer(gradient_accumulation_steps, 2):
            raise ValueError(
                "`gradient_accumulation_steps` must be an integer >= 2. Received: "
                f"gradient_accumulation_steps={gradient_accumulation_steps}"
            )
        self.name = scope.given_name(name, type(self))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._rv_trainable_variables: list[Variable] = []
        # Variables hash by identity.
        self._rv_index: dict[Any, int] = {}
        self._rv_not_decayed: set[Any] = set()
        self._rv_not_decayed_names: list[str] = []
        self._rv_averages: list[Variable] = []
        self._rv_accumulators: list[Variable] = []
        self._rv_shared: dict[tuple[str, str], Any] | None = None
        self._rv_iterations = self.add_variable((), "zeros", "int32", name="iteration")
        self._rv_learning_rate = self._rv_as_learning_rate(learning_rate)

    # --- variables ---

    @property
    def iterations(self) -> Any:
        """The number of updates so far, an int32 variable (a value, with gradient accumulation)."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._rv_iterations, self.gradient_accumulation_steps)
        return self._rv_iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step: a variable, or the value of the schedule or function.

        Setting a number assigns the variable; setting a schedule or a function replaces it.

        Raises:
            TypeError: when a number is set while a schedule rules.
        """
        trace = current_trace()
        if trace is not None:  # a program knows the schedule, or that there is none
            trace.presume(self, "_rv_learning_rate")
        if isinstance(self._rv_learning_rate, Schedule):
            return self._rv_learning_rate(self._rv_iterations)
        if isinstance(self._rv_learning_rate, Variable):
            return self._rv_learning_rate
        return self._rv_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        previous = self._rv_learning_rate
        if callable(value):
            self._rv_learning_rate = value
            self._rv_variables[:] = [v for v in self._rv_variables if v is not previous]
            self._rv_tracker.renew()
        elif isinstance(previous, Schedule):
            raise TypeError(
                "The learning rate of this optimizer is a LearningRateSchedule and not settable. Make the "
                "optimizer with a float `learning_rate`, or set another schedule."
            )
        elif isinstance(previous, Variable):
            previous.assign(value)
        else:
            self._rv_learning_rate = self._rv_as_learning_rate(float(value))
            self._rv_variables.insert(1, self._rv_variables.pop())

    def _rv_as_learning_rate(self, value: Any) -> Any:
        if callable(value) and not isinstance(value, Variable):
            return value
        is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not is_number or value < 0:
            raise ValueError(
                "Argument `learning_rate` should be a number of at least 0, a LearningRateSchedule, or a "
                f"function without arguments. Received instead: learning_rate={value}"
            )
        initial = initializers.Constant(float(value))
        return self.add_variable((), initial, dtypes.floatx(), name="learning_rate")

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the slots for the variables to train. Only the first call counts."""
        if self.built:
            return
        self._rv_trainable_variables = list(variables)
        self._rv_index = {variable: i for i, variable in enumerate(self._rv_trainable_variables)}
        if self.use_ema:
            self._rv_averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._rv_accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self.built = True

    def _rv_get_variable_index(self, variable: Any) -> int:
        """The place of a variable among those the optimizer was built for."""
        return self._rv_index[variable]

    # --- a step ---

    @short_traceback
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """Updates variables by their gradients.

        Args:
            grads_and_vars: pairs of a gradient and its variable.

        Returns:
            The iterations.

        Raises:
            ValueError: see `apply`.
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._rv_iterations

    @short_traceback
    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Updates variables by their gradients.

        The gradients are unscaled (`loss_scale_factor`) and clipped, weights decay, `update_step` runs
        for every variable, averages are kept, constraints are applied, and the step is counted.

        Args:
            grads: the gradients. Variables whose gradient is None are left out, with a warning.
            trainable_variables: their variables; None: those that the optimizer was built for. An
                optimizer that is not built is built for them.

        Raises:
            ValueError: if there are no gradients, their number or a shape does not fit the variables, or
                a variable is not one that the optimizer was built for.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._rv_targets(grads, trainable_variables)
        grads, variables = with_gradient(grads, variables)
        self._rv_shared = {}
        try:
            self._rv_apply(grads, variables)
        finally:
            self._rv_shared = None

    def stateless_apply(
        self, optimizer_variables: Iterable[Any], grads: Iterable[Any], trainable_variables: Iterable[Any]
    ) -> tuple[list[Any], list[Any]]:
        """`apply` as a function: of the values of all variables, which it leaves as they are.

        Args:
            optimizer_variables: the values of `variables`.
            grads: the gradients.
            trainable_variables: the values of the variables that the optimizer was built for.

        Returns:
            The new values of the trainable variables and of the optimizer's.

        Raises:
            ValueError: if the optimizer is not built, or a number or shape does not fit.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its variables must "
                "have been created). You can build it via `optimizer.build(trainable_variables)`."
            )
        own, trained = self.variables, self._rv_trainable_variables
        values = [*trainable_variables, *optimizer_variables]
        with with_values(
            [*trained, *own], values, "s `trainable_variables` and `optimizer_variables`"
        ) as scope:
            self.apply(grads)
        return values_in(scope, trained), values_in(scope, own)

    def _rv_targets(self, grads: list[Any], trainable_variables: Iterable[Any] | None) -> list[Any]:
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without variables, the optimizer must already be built on a list "
                    "of variables. Call `optimizer.build(trainable_variables)` first."
                )
            variables = self._rv_trainable_variables
        else:
            if isinstance(trainable_variables, np.ndarray):
                raise TypeError(f"Optimizers update variables. Received: {shown(trainable_variables)}")
            variables = list(trainable_variables)
            for variable in variables:
                if not hasattr(variable, "assign"):
                    raise TypeError(f"Optimizers update variables. Received: {shown(variable)}")
            if not self.built:
                with variables_allowed():  # in the first step of a loop written by hand
                    self.build(variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"Expected one gradient per variable: {len(grads)} for {len(variables)} variables."
            )
        for variable in variables:
            if variable not in self._rv_index:
                raise ValueError(
                    f"Unknown variable: {variable}. An optimizer can only be called for the variables that "
                    "it was built for. Make a new one for a new set of variables."
                )
        return variables

    def _rv_apply(self, grads: list[Any], variables: list[Any]) -> None:
        if self.loss_scale_factor is not None:
            grads = [ops.divide(gradient, self.loss_scale_factor) for gradient in grads]
        if self.gradient_accumulation_steps:
            self._rv_accumulate(grads, variables)
        else:
            self._rv_update(grads, variables)
        if self.use_ema:
            self._rv_update_averages()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self._rv_iterations.assign_add(1)

    def _rv_update(self, grads: list[Any], variables: list[Any]) -> None:
        grads = self._rv_clip(grads)
        learning_rate = self.learning_rate
        self._rv_decay_weights(variables, learning_rate)
        self.begin_step(learning_rate)
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def begin_step(self, learning_rate: Any) -> None:
        """Called once before the `update_step` of all variables; for state that they share."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Changes one variable and its slots; what a subclass implements.

        Args:
            gradient: the gradient, after clipping.
            variable: the variable.
            learning_rate: the learning rate, a rank-0 value.
        """
        raise NotImplementedError("Optimizer subclasses must implement the `update_step()` method.")

    def shared(self, key: str, dtype: str, compute: Callable[[], Any]) -> Any:
        """A rank-0 value that the updates of all variables of a dtype have in common, computed once per step.

        Args:
            key: what it is.
            dtype: the dtype that it is for.
            compute: computes it.
        """
        if self._rv_shared is None:  # update_step was called by itself
            return compute()
        if (key, dtype) not in self._rv_shared:
            self._rv_shared[key, dtype] = compute()
        return self._rv_shared[key, dtype]

    def shared_rate(self, learning_rate: Any, dtype: str) -> Any:
        """The learning rate in a variable's dtype."""
        return self.shared("learning_rate", dtype, lambda: ops.cast(learning_rate, dtype))

    # --- what surrounds the update rule ---

    def _rv_clip(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm is not None and self.clipnorm > 0:
            return [clipping.clip_by_norm(gradient, self.clipnorm) for gradient in grads]
        if self.global_clipnorm is not None and self.global_clipnorm > 0:
            return clipping.clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue is not None and self.clipvalue > 0:
            return [ops.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in grads]
        return grads

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Names variables that do not decay.

        Args:
            var_list: variables.
            var_names: regular expressions that are searched for in the variables' paths.
        """
        self._rv_not_decayed = set(var_list or ())
        self._rv_not_decayed_names = list(var_names or ())

    def _rv_use_weight_decay(self, variable: Any) -> bool:
        if variable in self._rv_not_decayed:
            return False
        return not any(re.search(name, variable.path) for name in self._rv_not_decayed_names)

    def _rv_decay_weights(self, variables: list[Any], learning_rate: Any) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._rv_use_weight_decay(variable):
                rate = self.shared_rate(learning_rate, variable.dtype)
                decay = self.shared("decay", variable.dtype, partial(ops.multiply, rate, self.weight_decay))
                variable.assign_sub(variable * decay)

    def _rv_accumulate(self, grads: list[Any], variables: list[Any]) -> None:
        """Adds the gradients up, and updates if the number of steps is reached.

        The update is computed in every step and kept in the last one.
        """
        steps = self.gradient_accumulation_steps
        is_last = ops.equal(ops.mod(self._rv_iterations + 1, steps), 0)
        kept = {
            id(v)
            for v in (self._rv_iterations, self._rv_learning_rate, *self._rv_averages, *self._rv_accumulators)
        }
        state = [*variables, *(v for v in self._rv_variables if id(v) not in kept)]
        sums = [self._rv_accumulators[self._rv_get_variable_index(variable)] for variable in variables]
        totals = [accumulator + gradient for accumulator, gradient in zip(sums, grads, strict=True)]
        with kept_if(is_last, state):
            self._rv_update([total / float(steps or 1) for total in totals], variables)
        for accumulator, total in zip(sums, totals, strict=True):
            accumulator.assign(ops.where(is_last, ops.zeros_like(total), total))

    def _rv_update_averages(self) -> None:
        """Moves the averages towards the variables; the first step sets them."""
        is_late = ops.not_equal(self.iterations, 0)
        for variable, average in zip(self._rv_trainable_variables, self._rv_averages, strict=True):
            in_dtype = partial(ops.where, is_late, self.ema_momentum, ops.zeros((), variable.dtype))
            momentum = self.shared("ema_momentum", variable.dtype, in_dtype)
            average.assign(momentum * average + (1.0 - momentum) * variable)
        if self.ema_overwrite_frequency:
            is_due = ops.equal(ops.mod(self.iterations + 1, self.ema_overwrite_frequency), 0)
            for variable, average in zip(self._rv_trainable_variables, self._rv_averages, strict=True):
                variable.assign(ops.where(is_due, average, variable))

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Sets variables to their moving averages, if these are kept (`use_ema`).

        Raises:
            ValueError: if a variable is not one that the optimizer was built for.
        """
        if self.use_ema:
            for variable in var_list:
                if variable not in self._rv_index:
                    raise ValueError(f"Unknown variable: {variable}. This optimizer was not built for it.")
                variable.assign(self._rv_averages[self._rv_get_variable_index(variable)])

    def moving_averages(self) -> list[tuple[Variable, Variable]]:
        """Each variable with its moving average (`use_ema`).

        Raises:
            ValueError: if none are kept, or before the optimizer is built.
        """
        if not self.use_ema or not self.built:
            raise ValueError(
                "The optimizer has no moving averages: it must be made with `use_ema=True`, and built. "
                f"Received: use_ema={self.use_ema}, built={self.built}"
            )
        return list(zip(self._rv_trainable_variables, self._rv_averages, strict=True))

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, if there is one."""
        return loss if self.loss_scale_factor is None else ops.multiply(loss, self.loss_scale_factor)

    # --- for subclasses written for Keras ---

    def assign(self, variable: Any, value: Any) -> None:
        """`variable = value`."""
        variable.assign(ops.cast(value, variable.dtype))

    def assign_add(self, variable: Any, value: Any) -> None:
        """`variable += value`."""
        variable.assign_add(ops.cast(value, variable.dtype))

    def assign_sub(self, variable: Any, value: Any) -> None:
        """`variable -= value`."""
        variable.assign_sub(ops.cast(value, variable.dtype))

    # --- configs ---

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        rate = self._rv_learning_rate
        return {
            "name": self.name,
            "learning_rate": float(rate.numpy())
            if isinstance(rate, Variable)
            else registry.serialize_object(rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any], custom_objects: Any = None) -> T:
        """The optimizer with these constructor arguments.

        Args:
            config: the arguments; a schedule may be given as its config dict.
            custom_objects: name -> class, for schedules that are not the library's.
        """
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = registry.deserialize_object(config["learning_rate"], custom_objects)
        return cls(**config)


def _is_integer(value: Any, at_least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= at_least
