"""A scan without a loop, for functions that are associative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranvier.core import tree
from ranvier.ops._common import Value, canonical_axis, operand
from ranvier.ops.indexing import flip
from ranvier.ops.shaping import concatenate, reshape, stack


def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The running results of an associative function: of a, b, c, ...: a, f(a, b), f(f(a, b), c), ...

    About 2 log2(n) calls of `f` on many elements at once (Blelloch, "Prefix sums and their applications",
    1990), in place of n - 1 calls on one each. Which terms are joined first differs, so floats may differ
    from those of a loop in the last digits.

    Args:
        f: a function of two nests like `elems`, elementwise along `axis`, with f(f(a, b), c) = f(a, f(b, c)).
        elems: a nest of tensors of the same length along `axis`.
        reverse: whether to go from the last element to the first.
        axis: the axis.

    Returns:
        A nest like `elems`.

    Raises:
        TypeError: if `f` is not callable.
        ValueError: if the lengths differ, or `axis` is out of range.
    """
    if not callable(f):
        raise TypeError(f"`f` should be a callable. Received: f={f!r}")
    values = [operand(x) for x in tree.flatten(elems)]
    axes = [canonical_axis(axis, len(x.shape)) for x in values]
    lengths = {x.shape[a] for x, a in zip(values, axes, strict=True)}
    if len(lengths) != 1:
        raise ValueError(f"The tensors must have the same length along axis {axis}, got {sorted(lengths)}.")

    def part(xs: list[Value], begin: int, end: int, step: int = 1) -> list[Value]:
        cut = slice(begin, end, step)
        return [x[_along(a, cut)] for x, a in zip(xs, axes, strict=True)]

    def join(first: list[Value], second: list[Value]) -> list[Value]:
        result = f(tree.pack_sequence_as(elems, first), tree.pack_sequence_as(elems, second))
        return [operand(x) for x in tree.flatten(result)]

    def run(xs: list[Value]) -> list[Value]:
        n = xs[0].shape[axes[0]]
        if n < 2:
            return xs
        odd = run(join(part(xs, 0, n - 1, 2), part(xs, 1, n, 2)))  # the results at 1, 3, 5, ...
        known = odd if n % 2 else part(odd, 0, n // 2 - 1)
        even = part(xs, 0, 1)
        if n > 2:
            even = [
                concatenate([a, b], axis=i)
                for a, b, i in zip(even, join(known, part(xs, 2, n, 2)), axes, strict=True)
            ]
        return [_interleave(a, b, i) for a, b, i in zip(even, odd, axes, strict=True)]

    def turned(xs: list[Value]) -> list[Value]:
        return [flip(x, axis=a) for x, a in zip(xs, axes, strict=True)] if reverse else xs

    return tree.pack_sequence_as(elems, turned(run(turned(values))))


def _along(axis: int, cut: slice) -> tuple[slice, ...]:
    """The index that cuts along one axis."""
    return (slice(None),) * axis + (cut,)


def _interleave(even: Value, odd: Value, axis: int) -> Value:
    """even[0], odd[0], even[1], ... along an axis; `even` may have one more."""
    count = odd.shape[axis]
    pairs = stack([even[_along(axis, slice(0, count))], odd], axis=axis + 1)
    shape = (*odd.shape[:axis], 2 * count, *odd.shape[axis + 1 :])
    merged = reshape(pairs, shape)
    if even.shape[axis] == count:
        return merged
    return concatenate([merged, even[_along(axis, slice(count, None))]], axis=axis)
