"""Control flow: branches and loops whose bodies run natively.

In a trace each of these is one node that runs a program of its own, however long the loop. Elsewhere they
are what they look like in Python.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ranvier.core import tree
from ranvier.core.arguments import integer, refuse_long_and_empty
from ranvier.core.body_trace import BodyTrace, Key
from ranvier.core.eager_trace import EagerTrace
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace, current_trace
from ranvier.ops._common import Value, operand
from ranvier.ops.comparison import less
from ranvier.ops.elementwise import add, clip
from ranvier.ops.shaping import stack

__all__ = [
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "while_loop",
]


def _open_trace() -> Trace | None:
    """The trace to add a node to; None where Python runs the loop."""
    trace = current_trace()
    return None if trace is None or trace.is_eager else trace


# --- branches ---


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What `true_fn` returns if `pred` holds, else what `false_fn` returns; only that one runs.

    In a trace both are traced; they must return nests alike, of the same shapes and dtypes. Variables that
    one of them assigns are assigned if it runs. Gradients flow into the function that ran.

    Args:
        pred: a scalar.
        true_fn: a function without arguments.
        false_fn: likewise.

    Raises:
        ValueError: if `pred` is no scalar, or the functions return different structures, shapes or dtypes.
    """
    pred = operand(pred)
    if tuple(pred.shape) != ():
        raise ValueError(f"cond() takes a scalar `pred`. Received: shape {tuple(pred.shape)}")
    trace = _open_trace()
    if trace is None or not isinstance(pred, Tensor):
        return true_fn() if bool(pred) else false_fn()
    index = trace.emit("cast", [trace.emit("cast", [pred], {"dtype": "bool"})], {"dtype": "int32"})
    return branch(trace, index, [false_fn, true_fn])


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What one of several functions returns; only that one runs.

    Args:
        index: which: an integer scalar, taken as the nearest number of a branch.
        branches: functions of `operands`; see `cond` for what they return.
        *operands: their arguments.

    Raises:
        ValueError: if there are no branches, `index` is no integer scalar, or the functions return different
            structures, shapes or dtypes.
    """
    index = operand(index)
    if not branches:
        raise ValueError("switch() takes at least one branch.")
    if tuple(index.shape) != () or "int" not in str(index.dtype):
        raise ValueError(
            f"switch() takes an integer scalar `index`. Received: {index.dtype} of shape {tuple(index.shape)}"
        )
    calls = [functools.partial(branch, *operands) for branch in branches]
    trace = _open_trace()
    if trace is None or not isinstance(index, Tensor):
        return calls[min(max(int(index), 0), len(calls) - 1)]()
    if index.dtype != "int32":
        index = trace.emit("cast", [clip(index, 0, len(calls) - 1)], {"dtype": "int32"})
    return branch(trace, index, calls)


def branch(trace: Trace, index: Tensor, calls: Sequence[Callable[[], Any]]) -> Any:
    """One `branch` node.

    Args:
        trace: where to add it.
        index: which function runs, an int32 scalar.
        calls: functions without arguments that return nests alike.
    """
    bodies, results = [], []
    for call in calls:
        body = BodyTrace(trace)
        with body:
            results.append(flatten(body, call()))
        bodies.append(body)
    structure, first = results[0]
    for other, tensors in results[1:]:
        _check_alike("The branches return", (structure, first), (other, tensors))
    captured: dict[Key, Tensor] = {}
    owners = {key: body for body in bodies for key in body.written()}
    ends = []
    for body, (_, tensors) in zip(bodies, results, strict=True):
        variables = [owner.variables[key] for key, owner in owners.items()]
        ends.append([*tensors, *(body.read(variable) for variable in variables)])
        captured.update(body.captured)
    attributes: dict[str, Any] = {"branches": len(bodies)}
    for k, (body, outputs) in enumerate(zip(bodies, ends, strict=True)):
        attributes[f"body{k}"] = body.body(body.inputs_for(captured), outputs)
    node = trace.emit("branch", [index, *captured.values()], attributes)
    items = trace.items(node, len(ends[0]))
    for (key, owner), item in zip(owners.items(), items[len(first) :], strict=True):
        owner.assign_outside(key, item)
    return pack(structure, items[: len(first)])


# --- loops ---


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Goes through the slices of `xs` along axis 0 and carries a state along.

    Gradients flow through all iterations: the backward pass is a scan the other way, which computes each
    iteration anew from the state that it began with; these states are kept.

    Args:
        f: a function of the state and a slice that returns the next state (of the same nest, shapes and
            dtypes) and a nest of tensors, or None.
        init: the first state, a nest of tensors.
        xs: a nest of tensors with the same number of slices; None: there are none, and `length` says how
            often.
        length: the number of iterations; None: that of slices.
        reverse: whether to go from the last slice to the first. What `f` returns keeps its slice's place.
        unroll: accepted as in Keras: how a compiler might trade size for speed; the native loop needs no such
            trade.

    Returns:
        The last state, and what `f` returned second, stacked along axis 0.

    Raises:
        ValueError: if neither `xs` nor `length` is given, the numbers of slices differ, or `f` returns a
            state of another structure, shape or dtype.
        TypeError: if `f` is not callable.

    Example:
        ```python
        total, sums = ops.scan(lambda total, x: (total + x, total + x), 0.0, np.ones(3, "float32"))
        # 3.0, [1, 2, 3]
        ```
    """
    if not callable(f):
        raise TypeError(f"`f` should be a callable. Received: f={f!r}")
    if not isinstance(unroll, (bool, int)) or unroll < 0:
        raise ValueError(f"`unroll` must be a bool or a non-negative integer. Received: unroll={unroll!r}")
    slices = [operand(x) for x in tree.flatten(xs) if x is not None]
    count = _length(slices, length)

    def step(i: Any, state: Any, parts: list[Any]) -> Any:
        del i
        rest = iter(parts)
        result = f(state, tree.map_structure(lambda x: None if x is None else next(rest), xs))
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ValueError(f"The function given to scan() must return a pair (carry, y), got {result!r}.")
        return result

    trace = _open_trace()
    if trace is None:
        return _python_loop(step, init, slices, range(count), reverse)
    return _native_loop(trace, "scan()", step, init, slices, count, reverse)[:2]


def native_scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, reverse: bool) -> Any:
    """`scan` of a function that is this library's own: no user looks at its iterations.

    So it need not be Python's loop anywhere, and its gradient adds up in one order everywhere.

    Args:
        f: as in `scan`; so are the others.
        init: the first state.
        xs: a nest of tensors, or None, with the same number of slices.
        reverse: whether to go from the last slice to the first.
    """
    trace = current_trace()
    if trace is None and any(isinstance(x, Tensor) for x in tree.flatten((init, xs))):
        return scan(f, init, xs, reverse=reverse)  # tensors that have outlived their trace
    if trace is not None and not trace.is_eager:
        return scan(f, init, xs, reverse=reverse)
    slices = [operand(x) for x in tree.flatten(xs) if x is not None]
    count = _length(slices, None)

    def step(i: Any, state: Any, parts: list[Any]) -> Any:
        del i
        rest = iter(parts)
        return f(state, tree.map_structure(lambda x: None if x is None else next(rest), xs))

    if trace is not None:
        return _native_loop(trace, "scan()", step, init, slices, count, reverse)[:2]
    with EagerTrace() as trace:
        results = _native_loop(trace, "scan()", step, init, slices, count, reverse)[:2]
    return tree.map_structure(lambda x: None if x is None else x.numpy(), results)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice along axis 0, stacked.

    Args:
        f: a function of a nest of tensors like `xs`, without the first axis.
        xs: a nest of tensors with the same number of slices.

    Returns:
        A nest of tensors like what `f` returns, with the slices along axis 0.

    Raises:
        ValueError: if the numbers of slices differ.
    """
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`value = body_fun(i, value)` for i from `lower` to `upper` - 1.

    With numbers as bounds gradients flow through it, as through `scan`; with tensors as bounds there are
    none.

    Args:
        lower: the first i, an integer.
        upper: the i to end before.
        body_fun: a function of i (an int32 scalar) and the value that returns the next value, of the same
            nest, shapes and dtypes.
        init_val: the first value, a nest of tensors.

    Returns:
        The last value.

    Raises:
        ValueError: if the body returns a value of another structure, shape or dtype.
    """
    trace = _open_trace()
    if trace is not None and (isinstance(lower, Tensor) or isinstance(upper, Tensor)):
        _, value = while_loop(
            lambda i, value: less(i, upper),
            lambda i, value: (add(i, 1), body_fun(i, value)),
            (operand(lower, "int32"), init_val),
        )
        return value
    begin, end = integer(_integer(lower), "lower"), integer(_integer(upper), "upper")

    def step(i: Any, value: Any, parts: list[Any]) -> Any:
        del parts
        return body_fun(i, value), None

    if trace is None:
        return _python_loop(step, init_val, [], range(begin, end), False)[0]
    start = operand(np.int32(begin))
    return _native_loop(trace, "fori_loop()", step, init_val, [], max(end - begin, 0), False, start)[0]


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    It has no gradient: how often it runs is not known before. Use `scan` or `fori_loop` for that.

    Args:
        cond: a function of the variables that returns a boolean scalar.
        body: a function of the variables that returns their next values, of the same nest, shapes and dtypes.
        loop_vars: the first values: a tuple or list of nests of tensors, or a single one.
        maximum_iterations: how often it runs at most; None: no limit.

    Returns:
        The last values, like `loop_vars`.

    Raises:
        ValueError: if `body` returns values of another structure, shape or dtype, or `cond` something other
            than a scalar.
    """
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)

    def run(*now: Any) -> tuple[Any, ...]:
        result = body(*now)
        return tuple(result) if several else (result,)

    trace = _open_trace()
    if trace is None:
        count = 0
        values = tree.map_structure(operand, values)
        while (maximum_iterations is None or count < maximum_iterations) and bool(cond(*values)):
            values = tree.map_structure(operand, run(*values))
            count += 1
    else:
        values = _native_while(trace, cond, run, values, maximum_iterations)
    return (values if isinstance(loop_vars, tuple) else list(values)) if several else values[0]


def _integer(x: Any) -> Any:
    return x if isinstance(x, int) else np.asarray(operand(x)).item()


def _length(slices: list[Value], length: int | None) -> int:
    if length is not None:
        length = integer(length, "length")
    for x in slices:
        if not x.shape:
            raise ValueError("scan() goes through the slices of tensors; a scalar has none.")
        if length is not None and x.shape[0] != length:
            raise ValueError(
                f"Expected {length} slices along axis 0, got a tensor of shape {tuple(x.shape)}."
            )
        length = x.shape[0]
    if length is None:
        raise ValueError("Got no `xs` to scan over and `length` not provided.")
    return length


def _python_loop(step: Any, state: Any, slices: list[Value], indices: range, reverse: bool) -> Any:
    for x in slices:
        if isinstance(x, np.ndarray):
            refuse_long_and_empty(x)
    rows: list[Any] = []
    state = tree.map_structure(lambda x: None if x is None else operand(x), state)
    order = range(len(indices) - 1, -1, -1) if reverse else range(len(indices))
    for t in order:
        state, y = step(np.int32(indices[t]), state, [x[t] for x in slices])
        rows.append(y)
    if not rows:
        return state, None
    rows.reverse() if reverse else None
    return state, tree.map_structure(lambda *ys: None if ys[0] is None else stack(list(ys)), *rows)


def _native_loop(
    trace: Trace,
    name: str,
    step: Any,
    init: Any,
    slices: list[Value],
    length: int,
    reverse: bool,
    start: Value | None = None,
) -> tuple[Any, Any, Tensor]:
    """One `loop` node. `start`: a counter that the step gets; the first of the carries."""
    init = _settled(trace, init, lambda state, parts: step(start, state, parts)[0], slices)
    structure, carried = flatten(trace, init)
    counters = [] if start is None else [trace.tensor(start)]
    body = BodyTrace(trace)
    with body:
        state = [body.input(x.shape, x.dtype) for x in (*counters, *carried)]
        parts = [body.input(tuple(x.shape[1:]), str(x.dtype)) for x in slices]
        own = state[len(counters) :]
        i = state[0] if counters else None
        result, y = step(i, pack(structure, own), parts)
        after = flatten(body, result)
        _check_alike(f"The carry of {name} changes", (structure, carried), after)
        stacked_structure, stacked = flatten(body, y)
        ends = [*(add(counter, 1) for counter in state[: len(counters)]), *after[1]]
    written = body.written()
    invariants = {key: outer for key, outer in body.captured.items() if key not in written}
    variables = {key: body.captured[key] for key in written}
    ends += [body.read(body.variables[key]) for key in written]
    inputs = [*body.inputs_for(invariants), *(t.id for t in state), *body.inputs_for(variables)]
    function = body.body([*inputs, *(t.id for t in parts)], [*ends, *stacked])
    node = trace.emit(
        "loop",
        [*invariants.values(), *counters, *carried, *variables.values(), *slices],
        {
            "body": function,
            "length": length,
            "reverse": reverse,
            "invariants": len(invariants),
            "carries": len(ends),
        },
    )
    items = trace.items(node, len(ends) + len(stacked))
    last = items[len(counters) : len(ends)]
    for key, item in zip(written, last[len(carried) :], strict=True):
        body.assign_outside(key, item)
    return pack(structure, last[: len(carried)]), pack(stacked_structure, items[len(ends) :]), node


def _settled(trace: Trace, init: Any, step: Any, slices: list[Value]) -> Any:
    """`init` with Python's numbers in the dtype that the body makes of them: they have none of their own."""
    if not any(type(x) in (int, float) for x in tree.flatten(init)):
        return init
    structure, carried = flatten(trace, init)
    with BodyTrace(trace) as trial:
        state = pack(structure, [trial.input(x.shape, x.dtype) for x in carried])
        after = step(state, [trial.input(tuple(x.shape[1:]), str(x.dtype)) for x in slices])
        skeleton, found = flatten(trial, after)
    if _skeleton(skeleton) != _skeleton(structure):
        return init  # refused when it is traced again

    def settle(x: Any, y: Any) -> Any:
        return operand(x, y.dtype) if type(x) in (int, float) and y.shape == () else x

    return tree.map_structure(settle, init, pack(structure, found))


def _native_while(trace: Trace, cond: Any, run: Any, init: Any, limit: int | None) -> Any:
    """One `while_loop` node."""
    init = _settled(trace, init, lambda state, _: run(*state), [])
    structure, carried = flatten(trace, init)
    test, body = BodyTrace(trace), BodyTrace(trace)
    with test:
        test_state = [test.input(x.shape, x.dtype) for x in carried]
        holds = operand(cond(*pack(structure, test_state)))
        if tuple(holds.shape) != ():
            raise ValueError(f"`cond` must return a scalar, got a value of shape {tuple(holds.shape)}.")
        holds = test.emit("cast", [holds], {"dtype": "bool"})
    if test.written():
        raise ValueError("The condition of while_loop() cannot assign variables.")
    with body:
        state = [body.input(x.shape, x.dtype) for x in carried]
        after = flatten(body, run(*pack(structure, state)))
        _check_alike("The variables of while_loop() change", (structure, carried), after)
    written = body.written()
    captured = {**test.captured, **body.captured}
    invariants = {key: outer for key, outer in captured.items() if key not in written}
    variables = {key: body.captured[key] for key in written}
    ends = [*after[1], *(body.read(body.variables[key]) for key in written)]

    def inputs(part: BodyTrace, own: list[Tensor]) -> list[int]:
        return [*part.inputs_for(invariants), *(t.id for t in own), *part.inputs_for(variables)]

    node = trace.emit(
        "while_loop",
        [*invariants.values(), *carried, *variables.values()],
        {
            "body": body.body(inputs(body, state), ends),
            "condition": test.body(inputs(test, test_state), [holds]),
            "invariants": len(invariants),
            "limit": -1 if limit is None else integer(limit, "maximum_iterations"),
        },
    )
    items = trace.items(node, len(ends))
    for key, item in zip(written, items[len(carried) :], strict=True):
        body.assign_outside(key, item)
    return pack(structure, items[: len(carried)])


# --- nests of tensors ---


def flatten(trace: Trace, nest: Any) -> tuple[Any, list[Tensor]]:
    """A nest's structure (with None where a leaf is None) and its tensors in the trace."""
    tensors = [trace.tensor(operand(x)) for x in tree.flatten(nest) if x is not None]
    return tree.map_structure(lambda x: None if x is None else 0, nest), tensors


def pack(structure: Any, tensors: Sequence[Any]) -> Any:
    rest = iter(tensors)
    leaves = [None if leaf is None else next(rest) for leaf in tree.flatten(structure)]
    return tree.pack_sequence_as(structure, leaves)


def _check_alike(what: str, first: tuple[Any, list[Tensor]], second: tuple[Any, list[Tensor]]) -> None:
    if _skeleton(first[0]) != _skeleton(second[0]):
        raise ValueError(f"{what} values of different structure: {first[0]} and {second[0]}.")
    for a, b in zip(first[1], second[1], strict=True):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            raise ValueError(
                f"{what} values of different type: {a.dtype}{list(a.shape)} and {b.dtype}{list(b.shape)}."
            )


def _skeleton(structure: Any) -> Any:
    """A nest without the difference between tuples and lists."""
    if isinstance(structure, dict):
        return {key: _skeleton(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_skeleton(item) for item in structure]
    return structure
