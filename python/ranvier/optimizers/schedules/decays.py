"""The learning-rate schedules. They compute in `floatx()`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.arguments import number
from ranvier.optimizers.schedules.schedule import LearningRateSchedule


def _number(name: str, value: float) -> float:
    number(value, name)
    return value  # as it is: the config of an integer has an integer


def _positive(name: str, value: float) -> float:
    if number(value, name) <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")
    return value


def _as_float(x: Any) -> Any:
    return ops.convert_to_tensor(x, dtype=dtypes.floatx())


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate^(step / decay_steps)`.

    Args:
        initial_learning_rate: the learning rate of step 0.
        decay_steps: after how many steps it has been multiplied by `decay_rate`; above 0.
        decay_rate: the factor.
        staircase: whether `step / decay_steps` is rounded down, so that the rate falls in steps.
        name: a name.

    Raises:
        ValueError: if `decay_steps` is not above 0.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = _number("decay_rate", decay_rate)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = _as_float(step) / self.decay_steps
        periods = ops.floor(periods) if self.staircase else periods
        return self.initial_learning_rate * ops.power(_as_float(self.decay_rate), periods)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the learning rate of step 0.
        decay_steps: the unit of time, in steps; above 0.
        decay_rate: how fast the divisor grows.
        staircase: whether `step / decay_steps` is rounded down, so that the rate falls in steps.
        name: a name.

    Raises:
        ValueError: if `decay_steps` is not above 0.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = _number("decay_rate", decay_rate)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = _as_float(step) / self.decay_steps
        periods = ops.floor(periods) if self.staircase else periods
        return self.initial_learning_rate / (1.0 + self.decay_rate * periods)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """One learning rate up to each boundary, the last one after them.

    Args:
        boundaries: step numbers in increasing order; a boundary belongs to the part before it.
        values: the learning rates: one more than boundaries.
        name: a name.

    Raises:
        ValueError: if the numbers of boundaries and values do not fit.
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, "
                f"and values={values} of length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        rate = _as_float(self.values[-1])
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            rate = ops.where(ops.less_equal(step, boundary), _as_float(value), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) * (1 - step / decay_steps)^power + end`, and `end` from `decay_steps` on.

    Args:
        initial_learning_rate: the learning rate of step 0.
        decay_steps: when the end is reached; above 0.
        end_learning_rate: the learning rate then. Default 0.0001.
        power: Default 1, a straight line.
        cycle: whether, beyond `decay_steps`, the end is put off to the next multiple of it.
        name: a name.

    Raises:
        ValueError: if `decay_steps` is not above 0.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.end_learning_rate = _number("end_learning_rate", end_learning_rate)
        self.power = _number("power", power)
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = _as_float(step)
        if self.cycle:
            cycles = ops.maximum(ops.ceil(step / self.decay_steps), 1.0)
            progress = step / (cycles * self.decay_steps)
        else:
            progress = ops.minimum(step, self.decay_steps) / self.decay_steps
        span = self.initial_learning_rate - self.end_learning_rate
        return span * ops.power(1.0 - progress, self.power) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial learning rate down to a share of it, after a linear warm-up
    (Loshchilov & Hutter, 2017).

    Args:
        initial_learning_rate: the learning rate of step 0.
        decay_steps: how long the decay takes, in steps; above 0.
        alpha: the share of the decay's first learning rate that remains. Default 0.
        name: a name.
        warmup_target: the learning rate that the warm-up reaches; None: there is no warm-up.
        warmup_steps: how long the warm-up takes, in steps.

    Raises:
        ValueError: if `decay_steps` is not above 0.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.alpha = _number("alpha", alpha)
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = _number("warmup_steps", warmup_steps)

    def _decayed(self, step: Any, first_rate: float) -> Any:
        progress = ops.clip(step / self.decay_steps, 0.0, 1.0)
        cosine = 0.5 * (1.0 + ops.cos(progress * math.pi))
        return first_rate * ((1.0 - self.alpha) * cosine + self.alpha)

    def __call__(self, step: Any) -> Any:
        step = _as_float(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        decayed = self._decayed(step - self.warmup_steps, self.warmup_target)
        if not self.warmup_steps:
            return decayed
        rise = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        warm = self.initial_learning_rate + rise * step
        return ops.where(ops.less(step, self.warmup_steps), warm, decayed)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines that start again, each longer and lower than the last (Loshchilov & Hutter, 2017).

    Args:
        initial_learning_rate: the learning rate of step 0.
        first_decay_steps: how long the first decay takes, in steps; above 0.
        t_mul: the factor by which each decay is longer than the one before. Default 2.
        m_mul: the factor by which each starts higher (or, below 1, lower) than the one before. Default 1.
        alpha: the share of each decay's first learning rate that remains. Default 0.
        name: a name.

    Raises:
        ValueError: if `first_decay_steps` is not above 0.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = _positive("first_decay_steps", first_decay_steps)
        self.t_mul = _number("t_mul", t_mul)
        self.m_mul = _number("m_mul", m_mul)
        self.alpha = _number("alpha", alpha)
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = _as_float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restart = ops.floor(periods)
            progress = periods - restart
        else:
            # Restart i begins where the geometric series of the lengths sums to (t_mul^i - 1) / (t_mul - 1).
            growth = ops.log(1.0 - periods * (1.0 - self.t_mul)) / math.log(self.t_mul)
            restart = ops.floor(growth)
            length = ops.power(_as_float(self.t_mul), restart)
            progress = (periods - (1.0 - length) / (1.0 - self.t_mul)) / length
        height = ops.power(_as_float(self.m_mul), restart)
        cosine = 0.5 * height * (1.0 + ops.cos(progress * math.pi))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
