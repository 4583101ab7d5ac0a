"""Schedule-free AdamW: averaging in place of a falling learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import initializers, ops
from ranvier.core.variable import Variable
from ranvier.optimizers.adam import moving_average
from ranvier.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """Takes gradients between a sequence of steps and the average of it (Defazio et al., 2024).

    A variable is `y = (1 - beta_1) z + beta_1 x`. In step t `s = beta_2 s + (1 - beta_2) g^2`,
    `z -= lr * g / (sqrt(s / (1 - beta_2^t)) + epsilon)`, and x, the mean of all z so far, moves by 1 / t
    towards z. Only z and s are kept beside y.

    Args:
        learning_rate: see `Optimizer`. Default 0.0025.
        beta_1: how near to the average x the gradients are taken. Default 0.9.
        beta_2: how much of s one step keeps. Default 0.999.
        epsilon: keeps the division finite. Default 1e-8.
        warmup_steps: over how many steps the learning rate rises to its value. Default 0.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps
        self._momentums: list[Variable] = []
        self._velocities: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        for variable in variables:
            first = initializers.Constant(variable.numpy())
            self._momentums.append(self.add_variable_from_reference(variable, "momentum", first))
            self._velocities.append(self.add_variable_from_reference(variable, "velocity"))

    def _factors(self, learning_rate: Any, dtype: str) -> tuple[Any, Any, Any]:
        """The learning rate of this step, the correction of s, and 1 / t."""
        rate = self.shared_rate(learning_rate, dtype)
        step = ops.cast(self.iterations + 1, dtype)
        if self.warmup_steps > 0:
            rate = rate * ops.minimum(step / float(self.warmup_steps), 1.0)
        correction = 1.0 / (1.0 - ops.power(ops.convert_to_tensor(self.beta_2, dtype), step))
        return rate, correction, 1.0 / step

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate, correction, share = self.shared("factors", dtype, lambda: self._factors(learning_rate, dtype))
        gradient = ops.cast(gradient, dtype)
        i = self._rv_get_variable_index(variable)
        s = moving_average(self._velocities[i], ops.square(gradient), self.beta_2)
        old = ops.convert_to_tensor(self._momentums[i])
        new = old - gradient * rate / (ops.sqrt(s * correction) + self.epsilon)
        self._momentums[i].assign(new)
        # beta_1 x, from what the variable is made of.
        average = variable - old * (1.0 - self.beta_1)
        average = average * (1.0 - share) + new * (share * self.beta_1)
        variable.assign(new * (1.0 - self.beta_1) + average)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
