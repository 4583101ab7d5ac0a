"""Functions of single elements (or small arrays) as functions of tensors."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from ranvier.core.unknown_size import broadcast_shapes
from ranvier.ops._common import Value, operand, reshape_to, size_of
from ranvier.ops._emit import emit
from ranvier.ops.vectorized_map import vectorized_map


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function that applies another one to all elements, as NumPy's `vectorize`.

    Args:
        pyfunc: a function of scalars, or of arrays of the axes that `signature` names.
        excluded: numbers of positional and names of keyword arguments that are passed on as they are.
        signature: the axes that the function itself works on: "(m,n),(n)->(m)". The others broadcast.

    Returns:
        A function of tensors that broadcast; it loops natively.

    Raises:
        ValueError: if the signature is malformed (here), or does not fit the arguments (in the call).
    """
    apart = frozenset(excluded or ())
    ranks = None if signature is None else _ranks(signature)

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        fixed = {i: arg for i, arg in enumerate(args) if i in apart}
        positions = [i for i in range(len(args)) if i not in apart]
        names = [name for name in kwargs if name not in apart]
        kept = {name: value for name, value in kwargs.items() if name in apart}
        values = [operand(args[i]) for i in positions] + [operand(kwargs[name]) for name in names]

        def call(slices: Sequence[Any]) -> Any:
            given = fixed | dict(zip(positions, slices[: len(positions)], strict=True))
            named = dict(zip(names, slices[len(positions) :], strict=True))
            return pyfunc(*(given[i] for i in range(len(args))), **named, **kept)

        return _mapped(call, values, ranks or [0] * len(values))

    return vectorized


def _ranks(signature: str) -> list[int]:
    """How many axes each argument of a signature has."""
    if not re.fullmatch(r"\s*\([^()]*\)(\s*,\s*\([^()]*\))*\s*->\s*\(.*\)\s*", signature):
        raise ValueError(f"vectorize: not a valid gufunc signature: {signature!r}")
    arguments = re.findall(r"\(([^()]*)\)", signature.split("->")[0])
    return [len([name for name in argument.split(",") if name.strip()]) for argument in arguments]


def _mapped(call: Callable[[Sequence[Any]], Any], values: list[Value], ranks: list[int]) -> Any:
    if len(ranks) != len(values) or any(v.ndim < r for v, r in zip(values, ranks, strict=True)):
        shapes = [tuple(v.shape) for v in values]
        raise ValueError(
            f"vectorize: arguments of shapes {shapes} do not fit the signature, of axes {ranks}."
        )
    own = [tuple(v.shape[v.ndim - r :]) for v, r in zip(values, ranks, strict=True)]
    lead = broadcast_shapes(*(tuple(v.shape[: v.ndim - r]) for v, r in zip(values, ranks, strict=True)))
    if not lead:
        return call(values)
    rows = [
        reshape_to(emit("broadcast_to", v, shape=(*lead, *shape)), (size_of(lead), *shape))
        for v, shape in zip(values, own, strict=True)
    ]
    results = vectorized_map(call, rows)

    def unfolded(x: Value) -> Value:
        return reshape_to(x, (*lead, *x.shape[1:]))

    return tuple(map(unfolded, results)) if isinstance(results, (list, tuple)) else unfolded(results)
