"""Derivatives: rules of one's own, derivatives along a direction, values computed twice to save memory."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ranvier.core import remat_scope, tree
from ranvier.core.body_trace import BodyTrace
from ranvier.core.context import context
from ranvier.core.dtypes import is_float
from ranvier.core.eager_trace import EagerTrace
from ranvier.core.masks import get_mask, set_mask
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace, current_trace
from ranvier.core.variable import Variable
from ranvier.ops._common import Value, operand, reshape_to, size_of
from ranvier.ops.control import branch
from ranvier.ops.shaping import concatenate

__all__ = ["custom_gradient", "jvp"]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a function a gradient of one's own, for numerical stability or to change what flows back.

    Args:
        f: a function of tensors that returns a nest of float tensors and a function: of the gradients of
            these tensors, which returns the gradient of the argument, or a tuple with one for each argument
            (None: zeros).

    Returns:
        A function of the same arguments that returns the nest of tensors.

    Raises:
        TypeError: if `f` is not callable. (From the function: if it does not return a pair of these, or the
            tensors are no floats of one dtype.)
        ValueError: (from the function) if the number or a shape of the gradients does not fit.

    Example:
        ```python
        @ops.custom_gradient
        def log1pexp(x):
            e = ops.exp(x)
            return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
        ```
    """
    if not callable(f):
        raise TypeError(f"custom_gradient() takes a function. Received: {f!r}")

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = f(*args, **kwargs)
        if not isinstance(result, (tuple, list)) or len(result) != 2 or not callable(result[1]):
            raise TypeError("A function with a custom gradient must return a tensor and a gradient function.")
        values, rule = result
        trace = current_trace()
        leaves = tree.flatten(values)
        if trace is None or not any(isinstance(x, Tensor) for x in leaves):
            return values
        arguments = [trace.tensor(operand(x)) for x in args]
        outputs = _with_rule(trace, [operand(x) for x in leaves], rule, arguments)
        return tree.pack_sequence_as(values, outputs)

    return wrapped


def _with_rule(
    trace: Trace, values: list[Value], rule: Callable[..., Any], arguments: list[Tensor]
) -> list[Value]:
    """The values, through a node whose gradient is the rule's."""
    dtypes = {str(value.dtype) for value in values}
    if len(dtypes) != 1 or not is_float(next(iter(dtypes))):
        raise TypeError(f"A custom gradient takes float tensors of one dtype, got {sorted(dtypes)}.")
    # A node has one output, and the rule wants the gradients of all values together.
    shapes = [tuple(value.shape) for value in values]
    packed = values[0]
    if len(values) > 1:
        packed = concatenate([reshape_to(v, (size_of(v.shape),)) for v in values])
    body = BodyTrace(trace)
    with body:
        upstream = body.input(tuple(packed.shape), str(packed.dtype))
        found = rule(*_unpacked(upstream, shapes))
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) != len(arguments):
            raise ValueError(
                f"The gradient function must return one gradient for each of {len(arguments)} arguments, "
                f"got {len(found)}."
            )
        gradients = [_like(g, x) for g, x in zip(found, arguments, strict=True)]
    if body.written():
        raise ValueError("The gradient function cannot assign variables.")
    inputs = [upstream.id, *body.inputs_for(body.captured)]
    attributes = {"body": body.body(inputs, gradients)}
    node = trace.emit("custom_gradient", [packed, *arguments, *body.captured.values()], attributes)
    return _unpacked(node, shapes)


def _unpacked(packed: Tensor, shapes: list[tuple[int, ...]]) -> list[Value]:
    if len(shapes) == 1:
        return [packed]
    parts, begin = [], 0
    for shape in shapes:
        end = begin + size_of(shape)
        parts.append(reshape_to(packed[begin:end], shape))
        begin = end
    return parts


def _like(gradient: Any, x: Tensor) -> Any:
    if gradient is None:
        return np.zeros(x.shape, x.dtype)
    value = operand(gradient, x.dtype)
    if tuple(value.shape) != x.shape:
        raise ValueError(f"The gradient of an argument of shape {x.shape} has shape {tuple(value.shape)}.")
    return value


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The derivative of a function in a direction: how its outputs move when its inputs do.

    The backward pass is linear in the gradient that it starts from; its own derivative is this one.

    Args:
        fun: a function that returns a nest of float tensors, with `has_aux` a pair of such a nest and
            anything.
        primals: a tuple or list: its arguments, nests of floats.
        tangents: the direction, built like `primals`.
        has_aux: whether `fun` returns something beside.

    Returns:
        The outputs and their derivatives, with `has_aux` also the rest.

    Raises:
        TypeError: if primals and tangents differ in structure, shape or dtype, or are no floats.

    Example:
        ```python
        ops.jvp(ops.sin, (0.0,), (1.0,))  # (0.0, 1.0)
        ```
    """
    trace = current_trace()
    if trace is not None:
        return _jvp(trace, fun, primals, tangents, has_aux)
    with EagerTrace() as eager:
        result = _jvp(eager, fun, primals, tangents, has_aux)
    return tree.map_structure(lambda x: x.numpy() if isinstance(x, Tensor) else x, result)


def _jvp(trace: Trace, fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    points, directions = ([operand(x) for x in tree.flatten(nest)] for nest in (primals, tangents))
    described = [[(tuple(x.shape), str(x.dtype)) for x in xs] for xs in (points, directions)]
    if described[0] != described[1] or type(primals) is not type(tangents):
        raise TypeError(
            f"`primals` and `tangents` must have equal structures, shapes and dtypes, got {described[0]} and "
            f"{described[1]}."
        )
    if not all(is_float(dtype) for _, dtype in described[0]):
        raise TypeError(f"jvp() takes floats, got {described[0]}.")
    xs = [trace.distinct(x) for x in points]
    result = fun(*tree.pack_sequence_as(primals, list(xs)))
    outputs, aux = result if has_aux else (result, None)
    ys = [trace.tensor(operand(y)) for y in tree.flatten(outputs)]
    starts = [trace.distinct(np.ones(y.shape, y.dtype)) for y in ys]
    backward = zip(trace.gradients(ys, xs, starts), directions, strict=True)
    reached = [(g, d) for g, d in backward if g is not None]
    moved: list[Tensor | None] = [None] * len(ys)
    if reached:
        moved = trace.gradients([g for g, _ in reached], starts, [d for _, d in reached])
    found = [np.zeros(y.shape, y.dtype) if m is None else m for m, y in zip(moved, ys, strict=True)]
    pair = (tree.pack_sequence_as(outputs, list(ys)), tree.pack_sequence_as(outputs, found))
    return (*pair, aux) if has_aux else pair


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose inner values are computed again for the backward pass, not kept from the forward.

    It saves the memory of what the function computes on the way, for the time of computing it twice
    ("activation checkpointing"; Chen et al., "Training deep nets with sublinear memory cost", 2016).

    Args:
        f: a function that returns a nest of tensors.

    Returns:
        A function of the same arguments with the same results and gradients.

    Raises:
        TypeError: if `f` is not callable.
    """
    if not callable(f):
        raise TypeError(f"remat() takes a function. Received: {f!r}")
    return functools.wraps(f)(_remat(f))


def _remat(f: Callable[..., Any], threshold: int | None = None, nested: bool = True) -> Callable[..., Any]:
    """`remat`, for more than `threshold` elements of output only, and inside of others only if `nested`."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        trace = current_trace()
        if trace is None or trace.is_eager or (context.computes_twice and not nested):
            return f(*args, **kwargs)
        call = functools.partial(f, *args, **kwargs)
        if threshold is not None and _output_size(trace, call) <= threshold:
            return call()
        return _computed_twice(trace, call)

    return wrapped


remat_scope.bind(_remat)


@contextlib.contextmanager
def _inside() -> Iterator[None]:
    outer, context.computes_twice = context.computes_twice, True
    try:
        yield
    finally:
        context.computes_twice = outer


def _output_size(trace: Trace, call: Callable[[], Any]) -> int:
    """How many elements the tensors have that a function returns."""
    trial = BodyTrace(trace)
    trial.losses = []
    with trial, _inside():
        result = call()
    return sum(size_of(x.shape) for x in tree.flatten(result) if _is_traced(x))


def _computed_twice(trace: Trace, call: Callable[[], Any]) -> Any:
    """What a function returns, as a branch without an alternative: its derivative keeps what comes in only.

    The masks of what is returned and the losses that layers add come out of the branch as well.
    """
    result: Any = None
    masks: dict[int, Any] = {}
    add_losses: list[Callable[[Any], None]] = []

    def body() -> list[Any]:
        nonlocal result, masks, add_losses
        inner = current_trace()
        assert isinstance(inner, BodyTrace)
        inner.losses = []
        with _inside():
            result = call()
        leaves = tree.flatten(result)
        masks = {i: get_mask(x) for i, x in enumerate(leaves) if _is_traced(x) and get_mask(x) is not None}
        add_losses = [add for add, _ in inner.losses]
        values = [x for x in leaves if _is_traced(x)]
        return [*values, *masks.values(), *(loss for _, loss in inner.losses)]

    found = iter(branch(trace, trace.constant(np.int32(0)), [body]))
    leaves = [next(found) if _is_traced(x) else x for x in tree.flatten(result)]
    for i in masks:
        set_mask(leaves[i], next(found))
    for add_loss, loss in zip(add_losses, found, strict=True):
        add_loss(loss)
    return tree.pack_sequence_as(result, leaves)


def _is_traced(x: Any) -> bool:
    """Whether a value changes from run to run: a tensor or a variable."""
    return isinstance(x, (Tensor, Variable))
