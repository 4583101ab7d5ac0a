"""`vectorized_map`: a function of one slice, traced once and applied to all slices by the same operations.

The function is traced on a slice, and each operation of its graph is added once more for all slices at a
time: with one axis more in front, by a rule for its kind. Values that do not depend on a slice have no such
axis. An element is computed by the same operations in the same order as in a loop, so the bits are those of
`map`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ranvier import _core
from ranvier.core import tree
from ranvier.core.body_trace import BodyTrace
from ranvier.core.stateless_scope import current_stateless_scope
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace, current_trace
from ranvier.ops._common import Value, cast_to, dtype_of, operand, where3
from ranvier.ops.comparison import greater_equal, less, logical_and
from ranvier.ops.control import flatten, map, pack
from ranvier.ops.elementwise import add


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` of each slice along axis 0, stacked: `map` without the loop.

    The function is traced once, for one slice, and its operations are applied to all slices together. Where
    that cannot be done (control flow, decompositions, variables that are assigned, random draws from a
    `SeedGenerator`), it is `map`, whose loop runs natively; the results are the same. In a step that runs
    eagerly, and for a function that looks at numbers or calls methods of arrays, it is Python's loop.

    Args:
        function: a function of a nest of tensors like `elements`, without the first axis.
        elements: a nest of tensors with the same number of slices.

    Returns:
        A nest of tensors like what the function returns, with the slices along axis 0.

    Raises:
        ValueError: if the numbers of slices differ.
    """
    leaves = [operand(x) for x in tree.flatten(elements)]
    counts = {x.shape[:1] for x in leaves}
    trace = current_trace()
    if len(counts) != 1 or counts == {()} or (trace is not None and trace.is_eager):
        return map(function, elements)
    if trace is None and current_stateless_scope() is not None:  # what is assigned there must have numbers
        return map(function, elements)
    if trace is not None:
        found = _all_at_once(trace, function, elements, leaves)
        return map(function, elements) if found is None else found
    try:
        with Trace() as trace:
            inputs = [trace.input(tuple(x.shape), str(x.dtype)) for x in leaves]
            found = _all_at_once(trace, function, elements, inputs)
            if found is None:
                found = map(function, tree.pack_sequence_as(elements, inputs))
            structure, outputs = flatten(trace, found)
            program = trace.compile(outputs, name="vectorized_map")
            arrays = [x for x in leaves if isinstance(x, np.ndarray)]
    except (AttributeError, TypeError):  # the function looks at numbers, or calls methods of arrays
        return map(function, elements)
    return pack(structure, program.run(arrays))


class _Lifted(NamedTuple):
    """A value of the function for all slices."""

    tensor: Tensor
    is_batched: bool  # whether its first axis is that of the slices


class _Operation(NamedTuple):
    name: str
    inputs: list[int]
    attributes: dict[str, Any]
    is_elementwise: bool


_Rule: TypeAlias = Callable[["_Lift", dict[str, Any], list[_Lifted]], Tensor]


def _all_at_once(trace: Trace, function: Any, elements: Any, leaves: Sequence[Value]) -> Any:
    """The function of all slices; None if some of its operations has no rule."""
    body = BodyTrace(trace)
    with body:
        slices = [body.input(tuple(x.shape[1:]), str(x.dtype)) for x in leaves]
        structure, results = flatten(body, function(tree.pack_sequence_as(elements, slices)))
    if body.written():
        return None
    lift = _Lift(trace, leaves[0].shape[0])
    for tensor, leaf in zip(slices, leaves, strict=True):
        lift.values[tensor.id] = _Lifted(trace.tensor(leaf), True)
    for key, outer in body.captured.items():
        (inner,) = body.inputs_for({key: outer})
        lift.values[inner] = _Lifted(outer, False)
    if not lift.lift(body.graph, [x.id for x in results]):
        return None
    return pack(structure, [lift.spread(lift.values[x.id]) for x in results])


class _Lift:
    """What the nodes of a graph are for all slices.

    Args:
        trace: where operations are added.
        count: the number of slices.
    """

    def __init__(self, trace: Trace, count: int) -> None:
        self.trace = trace
        self.count = count
        self.values: dict[int, _Lifted] = {}

    def lift(self, graph: _core.Graph, wanted: Sequence[int]) -> bool:
        """Lifts nodes and what they need; False, before anything is added, if one has no rule."""
        needed: dict[int, _Operation] = {}
        rest = list(wanted)
        while rest:
            node = rest.pop()
            if node not in self.values and node not in needed:
                needed[node] = _Operation(*graph.operation(node))
                rest.extend(needed[node].inputs)
        order = sorted(needed)  # a node's inputs come before it
        batched = {node for node, value in self.values.items() if value.is_batched}
        for node in order:
            name, inputs, _, is_elementwise = needed[node]
            which = [i in batched for i in inputs]
            if any(which):
                batched.add(node)
                if not (is_elementwise or name in _RULES) or which != _ONLY_BY.get(name, which):
                    return False
            elif name in _NEVER:
                return False
        for node in order:
            operation = needed[node]
            if operation.name == "constant":
                constant = self.trace.constant(_core.evaluate(graph, node, []))
                self.values[node] = _Lifted(constant, False)
            else:
                self.values[node] = self._lifted(operation)
        return True

    def _lifted(self, operation: _Operation) -> _Lifted:
        name, inputs, attributes, _ = operation
        values = [self.values[i] for i in inputs]
        if not any(value.is_batched for value in values):
            return _Lifted(self.trace.emit(name, [v.tensor for v in values], attributes), False)
        if name in _RULES:
            return _Lifted(_RULES[name](self, attributes, values), True)
        rank = max(self.rank(value) for value in values)
        return _Lifted(self.trace.emit(name, [self.front(v, rank) for v in values], attributes), True)

    def rank(self, value: _Lifted) -> int:
        """The number of axes for one slice."""
        return value.tensor.ndim - value.is_batched

    def front(self, value: _Lifted, rank: int) -> Tensor:
        """The value so that it broadcasts with others of `rank` axes: the slices' axis is before these."""
        tensor = value.tensor
        if not value.is_batched or tensor.ndim == rank + 1:
            return tensor
        shape = [self.count, *[1] * (rank + 1 - tensor.ndim), *tensor.shape[1:]]
        return self.trace.emit("reshape", [tensor], {"shape": shape})

    def spread(self, value: _Lifted) -> Tensor:
        """The value with the axis of the slices."""
        if value.is_batched:
            return value.tensor
        shape = [self.count, *value.tensor.shape]
        return self.trace.emit("broadcast_to", [value.tensor], {"shape": shape})

    def moved(self, x: Tensor, source: int, target: int) -> Tensor:
        """x with an axis moved."""
        axes = [i for i in range(x.ndim) if i != source]
        axes.insert(target, source)
        return self.trace.emit("transpose", [x], {"axes": axes})


def _shifted(name: str, *keys: str) -> _Rule:
    """Axes, one or several of them, count from the slices' axis on."""

    def rule(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
        changed = {
            k: [a + 1 for a in v] if isinstance(v, list) else v + 1
            for k, v in attributes.items()
            if k in keys
        }
        return lift.trace.emit(name, [lift.spread(v) for v in values], attributes | changed)

    return rule


def _longer(name: str, **first: int) -> _Rule:
    """Lists with an entry for each axis get one for the slices' axis: `first`; -1: their number."""

    def rule(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
        changed = {k: [lift.count if e < 0 else e, *attributes[k]] for k, e in first.items()}
        return lift.trace.emit(name, [lift.spread(v) for v in values], attributes | changed)

    return rule


def _transpose(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
    axes = [0, *(a + 1 for a in attributes["axes"])]
    return lift.trace.emit("transpose", [values[0].tensor], {"axes": axes})


def _broadcast_to(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
    shape = attributes["shape"]
    return lift.trace.emit(
        "broadcast_to", [lift.front(values[0], len(shape))], {"shape": [lift.count, *shape]}
    )


def _matmul(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
    rank = max(lift.rank(v) for v in values)
    return lift.trace.emit("matmul", [lift.front(v, rank) for v in values], attributes)


def _take(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
    """Rows of a table for all, or of each slice's own table."""
    table, index = values
    if not table.is_batched:
        return lift.trace.emit("take", [table.tensor, index.tensor], attributes)
    if not index.is_batched:
        rows = lift.trace.emit("take", [lift.moved(table.tensor, 0, 1), index.tensor], attributes)
        return lift.moved(rows, index.tensor.ndim, 0)
    count, rest = table.tensor.shape[1], list(table.tensor.shape[2:])
    whole = lift.trace.emit("reshape", [table.tensor], {"shape": [lift.count * count, *rest]})
    return lift.trace.emit("take", [whole, _places(lift, index.tensor, count)], attributes)


def _scatter_add(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
    """The transpose of `_take`."""
    source, index = values
    rows = attributes["rows"]
    if not index.is_batched:
        behind = lift.moved(source.tensor, 0, index.tensor.ndim)
        return lift.moved(lift.trace.emit("scatter_add", [behind, index.tensor], attributes), 1, 0)
    places = _places(lift, index.tensor, rows)
    whole = lift.trace.emit("scatter_add", [lift.spread(source), places], {"rows": lift.count * rows})
    return lift.trace.emit("reshape", [whole], {"shape": [lift.count, rows, *whole.shape[1:]]})


def _places(lift: _Lift, index: Tensor, rows: int) -> Value:
    """Each slice's own rows as rows of all tables; -1, which is refused, for what is in none of its own."""
    wide = cast_to(index, "int64" if lift.count * rows >= 2**31 else dtype_of(index))
    starts = np.arange(lift.count, dtype=dtype_of(wide)) * rows
    starts = starts.reshape(lift.count, *[1] * (index.ndim - 1))
    is_own = logical_and(greater_equal(wide, 0), less(wide, rows))
    return where3(is_own, add(wide, starts), -1)


def _searchsorted(lift: _Lift, attributes: dict[str, Any], values: list[_Lifted]) -> Tensor:
    """Places in a row for all."""
    return lift.trace.emit("searchsorted", [v.tensor for v in values], attributes)


_ALIKE = (  # work on the last axis, or on each element
    "argsort bitcast log_softmax log_softmax_grad softmax softmax_grad sparse_softmax_cross_entropy "
    "sparse_softmax_cross_entropy_grad identity one_hot"
).split()
_RULES: dict[str, _Rule] = {
    **{name: _shifted(name, "axes") for name in ("sum", "prod", "max", "min", "any", "all")},
    **{name: _shifted(name, "axis") for name in ("argmax", "argmin", "concatenate")},
    **{name: _shifted(name) for name in _ALIKE},
    "reshape": _longer("reshape", shape=-1),
    "slice": _longer("slice", begin=0, size=-1, stride=1),
    "unslice": _longer("unslice", shape=-1, begin=0, stride=1),
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "matmul": _matmul,
    "take": _take,
    "scatter_add": _scatter_add,
    "searchsorted": _searchsorted,
}
# Which inputs must be each slice's own, the others not.
_ONLY_BY = {"searchsorted": [False, True]}
# What belongs to a graph of its own.
_NEVER = frozenset("branch loop while_loop item custom_gradient".split())
