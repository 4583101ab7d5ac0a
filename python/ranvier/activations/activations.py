"""The activation functions: each a composition of `ops` with Keras 3's arguments and defaults.

Every function takes a tensor or array `x` of floats and returns one of the same shape and dtype, unless its
docstring says otherwise.
"""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.user_code import short_traceback, warn


@short_traceback
def linear(x: Any) -> Any:
    """`x` itself."""
    return x


@short_traceback
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """The rectifier: `max(x, 0)` with the default arguments.

    Args:
        x: input.
        negative_slope: the slope below the threshold: there the value is `negative_slope * (x - threshold)`.
        max_value: the largest value returned; None: no limit.
        threshold: values not above it count as below it.
    """
    if threshold == 0.0 and negative_slope == 0.0:
        y = ops.relu(x)
    else:
        below = negative_slope * (ops.convert_to_tensor(x) - threshold) if negative_slope else 0.0
        y = ops.where(ops.greater(x, threshold), x, below)
    return y if max_value is None else ops.minimum(y, max_value)


@short_traceback
def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`."""
    return ops.relu6(x)


@short_traceback
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where it is positive, `negative_slope * x` elsewhere."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


@short_traceback
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016)."""
    return ops.elu(x, alpha=alpha)


@short_traceback
def selu(x: Any) -> Any:
    """The scaled exponential linear unit of self-normalizing networks (Klambauer et al., 2017)."""
    return ops.selu(x)


@short_traceback
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017)."""
    return ops.celu(x, alpha=alpha)


@short_traceback
def glu(x: Any, axis: int = -1) -> Any:
    """The gated linear unit: `a * sigmoid(b)`, where a and b are the halves of `x` along `axis`.

    Returns:
        A value with half of x's size along `axis`.
    """
    return ops.glu(x, axis=axis)


@short_traceback
def gelu(x: Any, approximate: bool = False) -> Any:
    """`x * Phi(x)` with the normal distribution function Phi (Hendrycks & Gimpel, 2016).

    Args:
        x: input.
        approximate: use the tanh approximation of Phi instead of the error function.
    """
    return ops.gelu(x, approximate=approximate)


@short_traceback
def silu(x: Any) -> Any:
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017)."""
    return ops.silu(x)


@short_traceback
def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))` (Misra, 2019)."""
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


@short_traceback
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return ops.sigmoid(x)


@short_traceback
def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`."""
    return ops.log_sigmoid(x)


@short_traceback
def hard_sigmoid(x: Any) -> Any:
    """`x / 6 + 0.5`, limited to [0, 1]."""
    return ops.hard_sigmoid(x)


@short_traceback
def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019)."""
    return ops.hard_silu(x)


@short_traceback
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return ops.tanh(x)


@short_traceback
def hard_tanh(x: Any) -> Any:
    """`x`, limited to [-1, 1]."""
    return ops.hard_tanh(x)


@short_traceback
def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`."""
    return ops.tanh_shrink(x)


@short_traceback
def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x)` divided by its sum along `axis`: positive values that add up to one.

    Args:
        x: input of rank 1 or more.
        axis: an axis, or a tuple of axes over which the values together add up to one.

    Warns if there is one value to add up: it is always 1 then.
    """
    x = ops.convert_to_tensor(x)
    if isinstance(axis, int) and -len(x.shape) <= axis < len(x.shape) and x.shape[axis] == 1:
        warn(
            f"A softmax over axis {axis} of the shape {tuple(x.shape)} is always 1: there is one element. "
            "For two classes and one unit use a sigmoid."
        )
    return ops.softmax(x, axis=axis)


@short_traceback
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of `softmax(x, axis)`, computed without overflow or loss of precision."""
    return ops.log_softmax(x, axis=axis)


@short_traceback
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`."""
    return ops.softplus(x)


@short_traceback
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return ops.softsign(x)


@short_traceback
def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x^2 + b)) / 2`: a smooth rectifier without exponentials (Barron, 2021)."""
    return ops.squareplus(x, b=b)


@short_traceback
def exponential(x: Any) -> Any:
    """`exp(x)`."""
    return ops.exp(x)


@short_traceback
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where |x| is above the threshold, 0 elsewhere."""
    return ops.hard_shrink(x, threshold=threshold)


@short_traceback
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by the threshold, and 0 where |x| is not above it."""
    return ops.soft_shrink(x, threshold=threshold)


@short_traceback
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point of the simplex: like `softmax`, with exact zeros (Martins & Astudillo, 2016).

    Args:
        x: a tensor.
        axis: the axis that sums to 1.
    """
    return ops.sparsemax(x, axis=axis)


@short_traceback
def sparse_plus(x: Any) -> Any:
    """0 up to -1, `(x + 1)^2 / 4` between -1 and 1, `x` from 1 on."""
    return ops.sparse_plus(x)


@short_traceback
def sparse_sigmoid(x: Any) -> Any:
    """`(x + 1) / 2`, limited to [0, 1]."""
    return ops.sparse_sigmoid(x)


@short_traceback
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it is above `threshold`, `default_value` elsewhere."""
    return ops.threshold(x, threshold, default_value)


@short_traceback
def binary_step(x: Any) -> Any:
    """The perceptron's step: 1 where `x >= 0`, 0 elsewhere (Rosenblatt, 1958); an extension to Keras's list.

    Its gradient is zero everywhere, so no layer before it learns by gradient descent: train a perceptron with
    its own rule, or use `sigmoid`. NaN gives 0.
    """
    x = ops.convert_to_tensor(x)
    # The second term is 0 and carries the gradient, which is 0 too; without it there would be none.
    return ops.add(ops.binary_step(x), 0.0 * ops.where(ops.isfinite(x), x, 0.0))
