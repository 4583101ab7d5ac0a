"""Derivatives of functions, as functions."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from ranvier import ops
from ranvier.core import tree
from ranvier.core.tensor import Tensor
from ranvier.core.trace import current_trace
from ranvier.core.user_code import short_traceback
from ranvier.transforms.gradient_tape import GradientTape


@short_traceback
def value_and_grad(
    fn: Callable[..., Any],
    argnums: int | Sequence[int] | None = None,
    variables: Any = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """A function that returns what `fn` returns, and its derivatives.

    Args:
        fn: a function that returns a scalar, or with `has_aux` a pair of a scalar and anything.
        argnums: by which positional arguments (nests of float arrays) to differentiate: one number or
            several. 0 if neither this nor `variables` is given.
        variables: a variable or a nest of them, by which to differentiate in place of arguments.
        has_aux: whether `fn` returns something beside the value.

    Returns:
        A function of the arguments of `fn` that returns `(value, gradients)`, with `has_aux` `((value, aux),
        gradients)`. `gradients` is built like the argument, like a tuple of the arguments, or like
        `variables`. What `fn` does not depend on gives zeros for an argument and None for a variable.

    Raises:
        ValueError: if both `argnums` and `variables` are given. (From the function: if the value is no
            scalar, or there is no argument of that number.)
        TypeError: (from the function) if an argument to differentiate by does not hold floats, or `fn`
            returns something other than a scalar, or with `has_aux` than a pair.

    Example:
        ```python
        step = rv.value_and_grad(lambda w: ops.sum(w**2))
        value, gradient = step(np.ones(3, "float32"))
        ```
    """
    if argnums is not None and variables is not None:
        raise ValueError("value_and_grad() takes `argnums` or `variables`, not both.")
    if variables is None:
        argnums = 0 if argnums is None else argnums
        positions = [operator.index(n) for n in ([argnums] if isinstance(argnums, int) else argnums)]

    @short_traceback
    @functools.wraps(fn)
    def with_gradients(*args: Any, **kwargs: Any) -> Any:
        with GradientTape() as tape:
            if variables is None:
                args = _watched(tape, args, positions)
            result = fn(*args, **kwargs)
            value, aux = _pair(result) if has_aux else (result, None)
            _check_scalar(value)
            sources = variables
            if variables is None:
                sources = args[argnums] if isinstance(argnums, int) else tuple(args[n] for n in positions)
            unconnected = "zero" if variables is None else "none"
            gradients = tape.gradient(value, sources, unconnected_gradients=unconnected)
        outputs = ((value, aux), gradients) if has_aux else (value, gradients)
        return outputs if current_trace() is not None else tree.map_structure(_as_array, outputs)

    return with_gradients


@short_traceback
def grad(
    fn: Callable[..., Any],
    argnums: int | Sequence[int] | None = None,
    variables: Any = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """A function that returns the derivatives of `fn`.

    Args:
        fn: see `value_and_grad`, like the other arguments.
        argnums: the arguments to differentiate by.
        variables: or the variables.
        has_aux: whether `fn` returns something beside the value.

    Returns:
        A function of the arguments of `fn` that returns the gradients, with `has_aux` `(gradients, aux)`.

    Raises:
        ValueError: see `value_and_grad`.

    Example:
        ```python
        second = rv.grad(rv.grad(lambda x: x**3))
        second(2.0)  # 12.0
        ```
    """
    both = value_and_grad(fn, argnums, variables, has_aux)

    @short_traceback
    @functools.wraps(fn)
    def gradients_only(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradients_only


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(
            "With `has_aux=True` the function must return a pair of a scalar and anything. Received: "
            f"{result!r} (of type {type(result).__name__})"
        )
    return result[0], result[1]


def _check_scalar(value: Any) -> None:
    if value is None or tree.is_nested(value):
        raise TypeError(
            f"Gradients are those of a scalar; the function returned {value!r} (of type "
            f"{type(value).__name__})."
        )
    if tuple(getattr(value, "shape", ())) != ():
        raise ValueError(
            f"Gradients are those of a scalar; the function returned a value of shape {value.shape}."
        )


def _watched(tape: GradientTape, args: tuple[Any, ...], positions: list[int]) -> tuple[Any, ...]:
    """The arguments, those at `positions` as tensors of their own."""
    made = list(args)
    for n in positions:
        if not -len(args) <= n < len(args):
            raise ValueError(f"There is no positional argument {n}: the function was given {len(args)}.")
        made[n] = tree.map_structure(lambda x: tape.watch(_distinct(tape, x)), made[n])
    return tuple(made)


def _distinct(tape: GradientTape, x: Any) -> Any:
    # An argument that is also used in another way, or given twice, is another value in each place.
    return tape._trace.distinct(ops.convert_to_tensor(x))  # type: ignore[union-attr]


def _as_array(x: Any) -> Any:
    return x.numpy() if isinstance(x, Tensor) else x
