"""Discrete Fourier transforms. A complex tensor is a pair (real part, imaginary part).

A transform of n = p q points is q transforms of p points, a turn of each result, and p transforms of q points
(Cooley and Tukey, 1965); up to a few dozen points, and for prime n, it is a product with the matrix of
cosines and sines. So everything is products and sums: gradients follow, and bits do not depend on threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.core.arguments import integer
from ranvier.core.unknown_size import agree
from ranvier.ops._common import (
    Value,
    as_float,
    dtype_of,
    move_from_last,
    move_last,
    operand,
    positive,
    reshape_to,
)
from ranvier.ops._emit import emit
from ranvier.ops.elementwise import add, divide, multiply, negative, subtract
from ranvier.ops.indexing import flip, pad
from ranvier.ops.layout import extract_sequences
from ranvier.ops.products import matmul
from ranvier.ops.shaping import concatenate, part, swapaxes

_DIRECT = 64  # points up to which the matrix is used as it is

Complex = tuple[Value, Value]


def _turns(rows: int, columns: int, n: int, sign: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """cos and sin of sign * 2 pi j k / n for j < rows and k < columns."""
    steps = np.arange(rows, dtype=np.int64)[:, None] * np.arange(columns, dtype=np.int64) % n
    angles = sign * 2.0 * np.pi * steps / n
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def _times(re: Value, im: Value, c: np.ndarray, s: np.ndarray, product: Any) -> Complex:
    """(re + i im) (c + i s)."""
    return (
        subtract(product(re, c), product(im, s)),
        add(product(re, s), product(im, c)),
    )


def _split_size(n: int) -> int:
    """The largest divisor of n up to its root."""
    return max(p for p in range(1, math.isqrt(n) + 1) if n % p == 0)


def _transform(re: Value, im: Value, sign: int) -> Complex:
    """The sums of x[j] exp(sign 2 pi i j k / n) over the last axis."""
    n, dtype = re.shape[-1], dtype_of(re)
    p = 1 if n <= _DIRECT else _split_size(n)
    if p == 1:
        return _times(re, im, *_turns(n, n, n, sign, dtype), matmul)
    q, lead = n // p, tuple(re.shape[:-1])
    # x[q a + b], transformed over a: row b, column k.
    re, im = (swapaxes(reshape_to(x, (*lead, p, q)), -1, -2) for x in (re, im))
    re, im = _transform(re, im, sign)
    re, im = _times(re, im, *_turns(q, p, n, sign, dtype), multiply)
    # Over b: row k, column l, which is place k + p l of the result.
    re, im = _transform(swapaxes(re, -1, -2), swapaxes(im, -1, -2), sign)
    return tuple(reshape_to(swapaxes(x, -1, -2), (*lead, n)) for x in (re, im))  # type: ignore[return-value]


def _pair(name: str, x: Any, axes: int = 1) -> Complex:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(
            f"{name}: Input `x` should be a tuple of two tensors - real and imaginary. "
            f"Received: {type(x).__name__}"
        )
    re, im = as_float(x[0]), as_float(x[1])
    if not agree(re.shape, im.shape):
        raise ValueError(
            f"{name}: the real and imaginary parts of `x` should have the same shape. "
            f"Received: {tuple(re.shape)} and {tuple(im.shape)}"
        )
    if re.ndim < axes or 0 in re.shape[-axes:]:
        raise ValueError(f"{name}: expected at least {axes} axes that are not empty, got {tuple(re.shape)}.")
    return re, im


def _along(x: Complex, axis: int, sign: int) -> Complex:
    re, im = _transform(move_last(x[0], axis), move_last(x[1], axis), sign)
    return move_from_last(re, axis), move_from_last(im, axis)


def fft(x: Any) -> Complex:
    """The discrete Fourier transform along the last axis: the sums of x[j] exp(-2 pi i j k / n).

    Args:
        x: (real part, imaginary part), of one shape.

    Returns:
        (real part, imaginary part).

    Raises:
        ValueError: if x is not such a pair.
    """
    return _transform(*_pair("fft", x), -1)


def fft2(x: Any) -> Complex:
    """The discrete Fourier transform along the last two axes; see `fft`."""
    pair = _pair("fft2", x, 2)
    ndim = pair[0].ndim
    return _along(_along(pair, ndim - 1, -1), ndim - 2, -1)


def ifft2(x: Any) -> Complex:
    """The inverse of `fft2`."""
    pair = _pair("ifft2", x, 2)
    ndim, count = pair[0].ndim, pair[0].shape[-1] * pair[0].shape[-2]
    re, im = _along(_along(pair, ndim - 1, 1), ndim - 2, 1)
    return divide(re, float(count)), divide(im, float(count))


def _resized(value: Value, length: int) -> Value:
    """The last axis cut off, or filled up with zeros."""
    size = value.shape[-1]
    if length <= size:
        return part(value, value.ndim - 1, 0, length)
    return pad(value, [(0, 0)] * (value.ndim - 1) + [(0, length - size)])


def _length(name: str, fft_length: int | None, default: int) -> int:
    length = default if fft_length is None else integer(fft_length, "fft_length")
    if length < 1:
        raise ValueError(f"{name}: fft_length must be at least 1, got {length}.")
    return length


def rfft(x: Any, fft_length: int | None = None) -> Complex:
    """The discrete Fourier transform of real numbers along the last axis: its first n / 2 + 1 elements.

    Args:
        x: a tensor.
        fft_length: n: the axis is cut off or filled up with zeros; None: its size.

    Returns:
        (real part, imaginary part).

    Raises:
        ValueError: for a scalar or a length below 1.
    """
    value = as_float(x)
    if value.ndim == 0:
        raise ValueError("rfft: expected at least 1 axis, got a scalar.")
    length = _length("rfft", fft_length, value.shape[-1])
    value = _resized(value, length)
    re, im = _transform(value, np.zeros(value.shape, dtype_of(value)), -1)
    kept = length // 2 + 1
    return part(re, re.ndim - 1, 0, kept), part(im, im.ndim - 1, 0, kept)


def irfft(x: Any, fft_length: int | None = None) -> Value:
    """The inverse of `rfft`: real numbers from the first half of their transform.

    Args:
        x: (real part, imaginary part), of one shape.
        fft_length: the length of the result; None: 2 (m - 1) for m elements.

    Raises:
        ValueError: if x is not such a pair, or for a length below 1.
    """
    re, im = _pair("irfft", x)
    length = _length("irfft", fft_length, 2 * (re.shape[-1] - 1))
    kept = length // 2 + 1
    re, im = _resized(re, kept), _resized(im, kept)
    # The other half are the conjugates; the first, and the middle one of an even number, count as real.
    last, mirrored = re.ndim - 1, (length - 1) // 2
    im = multiply(im, (np.arange(kept) * 2 % length != 0).astype(dtype_of(im)))
    re = concatenate([re, flip(part(re, last, 1, mirrored), last)], -1)
    im = concatenate([im, negative(flip(part(im, last, 1, mirrored), last))], -1)
    return divide(_transform(re, im, 1)[0], float(length))


def _window(name: str, window: Any, sequence_length: int, fft_length: int, dtype: str) -> Value:
    """The window, zeros around it up to the transform's length."""
    if window is None:
        return np.ones(fft_length, dtype)
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                'If a string is passed to `window`, it must be one of `"hann"`, `"hamming"`. '
                f"Received: window={window!r}"
            )
        # Periodic: the first of the points that one more would have.
        make = np.hanning if window == "hann" else np.hamming
        shape: Value = make(sequence_length + 1)[:-1].astype(dtype)
    else:
        shape = operand(window, dtype)
        if shape.ndim != 1 or shape.shape[0] != sequence_length:
            raise ValueError(
                f"{name}: the shape of `window` must be equal to [sequence_length]. "
                f"Received: window shape={tuple(shape.shape)}"
            )
    before = (fft_length - sequence_length) // 2
    return pad(shape, [(before, fft_length - sequence_length - before)])


def _check_lengths(sequence_length: Any, sequence_stride: Any, fft_length: Any) -> None:
    positive("sequence_length", sequence_length)
    positive("sequence_stride", sequence_stride)
    positive("fft_length", fft_length)
    if fft_length < sequence_length:
        raise ValueError(
            "`fft_length` must equal or larger than `sequence_length`. "
            f"Received: sequence_length={sequence_length!r}, fft_length={fft_length!r}"
        )


def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Complex:
    """The Fourier transforms of overlapping, windowed pieces of a signal.

    Args:
        x: [..., length].
        sequence_length: the length of the window.
        sequence_stride: how far the next piece begins behind the one before it.
        fft_length: the length of a piece, at least the window's, which stands in its middle.
        window: "hann", "hamming", a tensor [sequence_length], or None: ones all over the piece.
        center: whether the signal is continued at both ends, mirrored, so that piece t is centred at t times
            the stride.

    Returns:
        (real part, imaginary part), [..., pieces, fft_length / 2 + 1] each.

    Raises:
        ValueError: for lengths or a window that do not fit, or a length or stride that is no positive
            integer.
    """
    value = as_float(x)
    _check_lengths(sequence_length, sequence_stride, fft_length)
    shape = _window("stft", window, sequence_length, fft_length, dtype_of(value))
    if center:
        border = fft_length // 2
        value = pad(value, [(0, 0)] * (value.ndim - 1) + [(border, border)], mode="reflect")
    return rfft(multiply(extract_sequences(value, fft_length, sequence_stride), shape), fft_length)


def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Value:
    """The inverse of `stft`: the pieces, windowed once more and added, over the sum of the squared windows.

    Args:
        x: (real part, imaginary part), [..., pieces, fft_length / 2 + 1] each.
        sequence_length: the length of the window.
        sequence_stride: how far the next piece begins behind the one before it.
        fft_length: the length of a piece.
        length: of the result; None: as long as the pieces reach.
        window: as in `stft`.
        center: as in `stft`.

    Returns:
        [..., length].

    Raises:
        ValueError: for lengths or a window that do not fit, or a length or stride that is no positive
            integer.
    """
    _check_lengths(sequence_length, sequence_stride, fft_length)
    pieces = irfft(x, fft_length)
    if pieces.ndim < 2:
        raise ValueError(f"istft: expected [..., pieces, frequencies], got shape {tuple(x[0].shape)}.")
    shape = _window("istft", window, sequence_length, fft_length, dtype_of(pieces))
    total = _overlapped(multiply(pieces, shape), sequence_stride)
    squares = emit("broadcast_to", multiply(shape, shape), shape=(pieces.shape[-2], fft_length))
    weights = _overlapped(squares, sequence_stride)
    covered = emit("greater", weights, np.asarray(1e-10, dtype_of(weights)))
    result = divide(total, emit("select", covered, weights, np.asarray(1.0, dtype_of(weights))))
    begin = fft_length // 2 if center else 0
    whole = result.shape[-1]
    end = whole - begin if center and length is None else whole
    end = end if length is None else min(begin + integer(length, "length"), whole)
    return part(result, result.ndim - 1, begin, max(end - begin, 0))


def _overlapped(pieces: Value, stride: int) -> Value:
    """[..., pieces, n] added where they overlap: [..., stride * (pieces - 1) + n]."""
    count, n = pieces.shape[-2:]
    lead = tuple(pieces.shape[:-2])
    places = (stride * np.arange(count)[:, None] + np.arange(n)).reshape(-1)
    rows = move_from_last(reshape_to(pieces, (*lead, count * n)), 0)
    base = np.zeros((stride * (count - 1) + n, *lead), dtype_of(pieces))
    return move_last(emit("scatter_update", base, places, rows, mode=1), 0)
