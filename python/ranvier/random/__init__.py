"""Random tensors, as in `keras.random`.

Every draw is a function of its seed and of the element's index (Philox 4x32-10), so the same seed gives the
same numbers on any number of threads and any instruction set. They are not the numbers of Keras's backends:
the laws agree, the bits do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.arguments import integer, number
from ranvier.core.tensor import Tensor
from ranvier.core.user_code import short_traceback
from ranvier.ops._common import Value, as_float, canonical_axis, cast_to, dtype_of, operand, to_shape
from ranvier.ops._emit import emit
from ranvier.ops.activation import log_softmax
from ranvier.ops.comparison import greater_equal, where
from ranvier.ops.elementwise import add, divide, log, maximum, multiply, negative, subtract
from ranvier.ops.indexing import take
from ranvier.ops.reductions import argmax
from ranvier.ops.shaping import expand_dims
from ranvier.random.gamma import beta, binomial, gamma
from ranvier.random.seed_generator import SeedGenerator, draw_seed

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


_BLOCK = 1 << 16  # elements


def _float_dtype(function: str, dtype: Any) -> str:
    name = dtypes.standardize_dtype(dtype)
    if name not in dtypes.FLOAT_DTYPES:
        raise ValueError(f"`random.{function}` requires a floating point `dtype`. Received: dtype={dtype!r}")
    return name


@short_traceback
def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Value:
    """Numbers uniform in [minval, maxval).

    Args:
        shape: the shape.
        minval: the lower bound, a number or a tensor that broadcasts.
        maxval: the upper bound. Rounding may reach it unless the bounds are 0 and 1.
        dtype: a float dtype; None: `floatx()`.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Raises:
        ValueError: for a dtype that is not floating.
    """
    name = _float_dtype("uniform", dtype)
    draw = emit("random_uniform", draw_seed(seed), shape=to_shape(shape), dtype=name)
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        return _transformed(draw, maxval - minval, minval)
    low = operand(minval, name)
    return add(multiply(draw, subtract(operand(maxval, name), low)), low)


@short_traceback
def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Value:
    """Numbers of the normal law.

    Args:
        shape: the shape.
        mean: the mean, a number or a tensor that broadcasts.
        stddev: the standard deviation, likewise.
        dtype: a float dtype; None: `floatx()`.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Raises:
        ValueError: for a dtype that is not floating.
    """
    return _scaled("random_normal", "normal", shape, mean, stddev, dtype, seed)


@short_traceback
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Value:
    """Numbers of the normal law, restricted to less than two standard deviations from the mean.

    The arguments are those of `normal`; `stddev` is that of the law before it is restricted.
    """
    return _scaled("truncated_normal", "truncated_normal", shape, mean, stddev, dtype, seed)


def _scaled(op: str, function: str, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Value:
    name = _float_dtype(function, dtype)
    draw = emit(op, draw_seed(seed), shape=to_shape(shape), dtype=name)
    if isinstance(mean, (int, float)) and isinstance(stddev, (int, float)):
        return _transformed(draw, stddev, mean)
    return add(multiply(draw, operand(stddev, name)), operand(mean, name))


def _transformed(draw: Value, factor: float, offset: float) -> Value:
    """draw * factor + offset. A drawn array, which nobody else has seen, becomes the result itself."""
    if isinstance(draw, Tensor):
        draw = draw if factor == 1 else multiply(draw, float(factor))
        return draw if offset == 0 else add(draw, float(offset))
    flat = draw.reshape(-1)
    # Both steps on one block, while it is in the cache: large weights cost one pass through memory.
    for begin in range(0, flat.size, _BLOCK):
        block = flat[begin : begin + _BLOCK]
        if factor != 1:
            np.multiply(block, float(factor), out=block)
        if offset != 0:
            np.add(block, float(offset), out=block)
    return draw


@short_traceback
def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Value:
    """Integers uniform in [minval, maxval).

    Args:
        shape: the shape.
        minval: the lower bound, an int.
        maxval: the upper bound, an int; not included.
        dtype: an integer dtype.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Raises:
        ValueError: for a dtype that is not an integer one, or if no integer lies between the bounds.
    """
    name = dtypes.standardize_dtype(dtype)
    if name not in dtypes.INT_DTYPES:
        raise ValueError(f"`random.randint` requires an integer `dtype`. Received: dtype={dtype!r}")
    low, high = _int(minval, "minval"), _int(maxval, "maxval")
    return cast_to(emit("random_integers", draw_seed(seed), shape=to_shape(shape), low=low, high=high), name)


def _int(value: Any, name: str) -> int:
    return integer(int(value) if isinstance(value, float) and value.is_integer() else value, name)


@short_traceback
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Value:
    """Classes drawn with the probabilities softmax(logits), with replacement.

    The draws are the largest of logits plus Gumbel noise (Gumbel, 1954).

    Args:
        logits: [batch, classes].
        num_samples: how many are drawn for each row.
        dtype: an integer dtype.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Returns:
        [batch, num_samples].

    Raises:
        ValueError: if the logits do not have 2 axes.
    """
    value = as_float(logits)
    if value.ndim != 2:
        raise ValueError(f"categorical: expected logits of shape (batch, classes), got {value.shape}.")
    rows, classes = value.shape
    draw = uniform((rows, int(num_samples), classes), dtype=dtype_of(value), seed=seed)
    least = float(np.finfo(dtype_of(value)).tiny)  # a draw of 0 has no logarithm
    noise = negative(log(negative(log(maximum(draw, least)))))
    choice = argmax(add(expand_dims(log_softmax(value), 1), noise), axis=-1)
    return cast_to(choice, dtypes.standardize_dtype(dtype))


@short_traceback
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Value:
    """inputs with elements set to 0 at random and the others divided by 1 - rate (Srivastava et al., 2014).

    Args:
        inputs: a tensor.
        rate: the probability of an element to be dropped, in [0, 1].
        noise_shape: the shape of the mask, which broadcasts to that of the inputs; an entry of None is the
        inputs'
            own size. None: the inputs' shape.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Raises:
        ValueError: for a rate outside [0, 1].
    """
    rate = number(rate, "rate")
    if not 0 <= rate <= 1:
        raise ValueError(f"dropout: the rate must be in [0, 1], got {rate}.")
    value = as_float(inputs)
    if rate == 0:
        return value
    shape = tuple(value.shape)
    if noise_shape is not None:
        shape = tuple(dim if n is None else int(n) for n, dim in zip(noise_shape, shape, strict=True))
    # The draw is float32 whatever the inputs' dtype: 24 bits decide a mask well enough.
    draw = emit("random_uniform", draw_seed(seed), shape=shape, dtype="float32")
    kept = divide(value, 1.0 - rate) if rate < 1 else value
    return where(greater_equal(draw, rate), kept, 0)


@short_traceback
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Value:
    """x with its slices along an axis in a random order.

    Args:
        x: an array.
        axis: the axis.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Raises:
        ValueError: for an axis out of range.
    """
    value = operand(x)
    count = value.shape[canonical_axis(axis, value.ndim)]
    keys = emit("random_integers", draw_seed(seed), shape=(count,), low=0, high=2**62)
    return take(value, emit("argsort", keys, descending=False, count=count), axis)
