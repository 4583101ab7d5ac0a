"""Adam, and AdamW with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.optimizers.optimizer import Optimizer


def moving_average(slot: Variable, value: Any, kept: float) -> Any:
    """Moves a slot towards a value, by 1 - kept of the way, and returns it."""
    average = slot + (value - slot) * (1.0 - kept)
    slot.assign(average)
    return average


def corrected_rate(rate: Any, iterations: Any, beta_1: float, beta_2: float, dtype: str) -> Any:
    """The learning rate with Adam's corrections for averages that began at zero."""
    step = ops.cast(iterations + 1, dtype)
    correction_1 = 1.0 - ops.power(ops.convert_to_tensor(beta_1, dtype), step)
    correction_2 = 1.0 - ops.power(ops.convert_to_tensor(beta_2, dtype), step)
    return rate * ops.sqrt(correction_2) / correction_1


class Adam(Optimizer):
    """Steps by a moving average of the gradient over the root of one of its square (Kingma & Ba, 2015).

    `m += (1 - beta_1) * (g - m)`, `s += (1 - beta_2) * (g^2 - s)`, then
    `v -= lr * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(s) + epsilon)`, t being the number of the step.

    Args:
        learning_rate: see `Optimizer`. Default 0.001.
        beta_1: how much of m one step keeps. Default 0.9.
        beta_2: how much of s one step keeps. Default 0.999.
        epsilon: keeps the division finite. Default 1e-7.
        amsgrad: whether to divide by the largest s so far (Reddi et al., 2018).
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad
        self._momentums: list[Variable] = []
        self._velocities: list[Variable] = []
        self._velocity_hats: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate = self.shared(
            "corrected_rate",
            dtype,
            lambda: corrected_rate(
                self.shared_rate(learning_rate, dtype), self.iterations, self.beta_1, self.beta_2, dtype
            ),
        )
        gradient = ops.cast(gradient, dtype)
        i = self._rv_get_variable_index(variable)
        m = moving_average(self._momentums[i], gradient, self.beta_1)
        s = moving_average(self._velocities[i], ops.square(gradient), self.beta_2)
        if self.amsgrad:
            s = ops.maximum(self._velocity_hats[i], s)
            self._velocity_hats[i].assign(s)
        variable.assign_sub(m * rate / (ops.sqrt(s) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019): `Adam` whose `weight_decay` is 0.004.

    Raises:
        ValueError: without weight decay, and as for `Adam`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
