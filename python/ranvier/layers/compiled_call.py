"""Calls on arrays, as native programs: the second call of a built-in layer with one signature is compiled.

Outside of a trace a layer's ops run one by one, each by a program of its own, and what surrounds them in
Python costs more than they do. So the call is traced once for each signature, and the program runs from then
on. The results are the same bits, and variables that the call assigns (moving averages, states of seeds) are
written by the program.

That serves calls which need no Python each time: the layer and all layers in it must be this library's own
classes with functions of this library, so that no user's code is skipped, and the call must take one array,
add no losses, attach no masks and set no attributes. Everything else runs as it is written.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from ranvier import _core
from ranvier.core import tree
from ranvier.core.context import context
from ranvier.core.masks import get_mask
from ranvier.core.program_cache import ProgramCache, ambient_key
from ranvier.core.stateless_scope import current_stateless_scope
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace, current_trace
from ranvier.layers.edits import edits_in_all, edits_of

# What one layer keeps at most.
_MOST_SIGNATURES = 32
_MOST_BYTES = 64 << 20

_SEEN, _UNFIT = "seen once", "unfit"


class _Compiled(NamedTuple):
    program: _core.Program
    structure: Any  # of the results, their places as leaves; an int where there is one


class CompiledCalls:
    """The programs of one layer.

    Attributes:
        edits: what `edits_of` gave when they were compiled.
        programs: those programs.
        others: the signatures that have none, because they were seen only once or do not fit.
    """

    __slots__ = ("edits", "edits_in_all", "is_plain", "others", "programs")

    def __init__(self, layer: Any) -> None:
        self.edits = edits_of(layer)
        self.edits_in_all = edits_in_all()
        self.is_plain = is_plain(layer)
        self.programs: ProgramCache[_Compiled] = ProgramCache(_MOST_SIGNATURES, _MOST_BYTES)
        self.others: dict[Any, str] = {}


def call_compiled(layer: Any, x: np.ndarray, kwargs: dict[str, Any]) -> Any:
    """The layer's result for an array, by a program; NotImplemented if it has to be called in Python.

    Args:
        layer: a layer that is built.
        x: the only positional argument.
        kwargs: the others.
    """
    training = context.training
    if kwargs:
        if len(kwargs) > 1 or "training" not in kwargs:
            return NotImplemented
        if kwargs["training"] is not None:
            training = kwargs["training"]
    if not (training is None or isinstance(training, bool)):
        return NotImplemented
    if current_trace() is not None or current_stateless_scope() is not None or not layer.built:
        return NotImplemented
    calls = layer.__dict__.get("_rv_compiled_calls")
    if calls is None or (calls.edits_in_all != edits_in_all() and not _still_fits(calls, layer)):
        calls = layer.__dict__["_rv_compiled_calls"] = CompiledCalls(layer)
    if not calls.is_plain:
        return NotImplemented
    key = (x.dtype, x.shape, training, ambient_key())
    compiled = calls.programs.get(key)
    if compiled is None:
        compiled = _compile_if_seen(calls, key, layer, x, training)
        if compiled is None:
            return NotImplemented
    if get_mask(x) is not None:
        return NotImplemented
    try:
        results = compiled.program.run([x])
    except (ValueError, TypeError, IndexError):  # the call in Python says which layer refuses what
        return NotImplemented
    if compiled.structure == 0:
        return results[0]
    return tree.map_structure(lambda place: results[place], compiled.structure)


def _compile_if_seen(
    calls: CompiledCalls, key: Any, layer: Any, x: np.ndarray, training: Any
) -> _Compiled | None:
    """The program of a signature that was seen before, unless it does not fit."""
    seen = calls.others.get(key)
    if seen is None:
        if len(calls.others) >= _MOST_SIGNATURES:
            calls.others.clear()
        calls.others[key] = _SEEN
    if seen is not _SEEN:
        return None
    compiled = _compile(layer, x, training)
    if compiled is None:
        calls.others[key] = _UNFIT
    else:
        calls.others.pop(key, None)
        calls.programs.put(key, compiled)
    return compiled


def _still_fits(calls: CompiledCalls, layer: Any) -> bool:
    """Whether the changes since were of other layers."""
    now = edits_in_all()
    if edits_of(layer) != calls.edits:
        return False
    calls.edits_in_all = now
    return True


def is_plain(layer: Any) -> bool:
    """Whether the calls of a layer and of all layers in it are made of this library's code alone."""
    return all(map(_is_plain_layer, layer._rv_flatten_layers()))


def _is_plain_layer(layer: Any) -> bool:
    """Whether a layer's call is made of this library's code alone, but for what its sublayers do."""
    edits = layer.__dict__.get("_rv_edits", 0)
    found = layer.__dict__.get("_rv_plain")
    if found is None or found[0] != edits:
        found = layer.__dict__["_rv_plain"] = (edits, _find_plain(layer))
    is_plain: bool = found[1]
    return is_plain


def _find_plain(layer: Any) -> bool:
    if getattr(layer, "run_eagerly", False) or layer.activity_regularizer is not None:
        return False
    if layer._rv_call_context_args:
        return False
    graph = getattr(layer, "_rv_graph", None)  # of a functional model: layers, and other operations
    others = [one for one in graph.operations if not hasattr(one, "_rv_layers")] if graph else []
    return _is_plain(layer, layer._rv_untracked) and all(map(_is_plain, others))


def _is_plain(operation: Any, passed_over: Collection[str] = ()) -> bool:
    """Whether the class and the functions that an operation holds are this library's."""
    if not type(operation).__module__.startswith("ranvier.") or not _is_ours(type(operation).call):
        return False
    held = [value for name, value in list(vars(operation).items()) if name not in passed_over]
    return all(map(_is_ours, tree.flatten(held)))


def _is_ours(value: Any) -> bool:
    if not callable(value) or isinstance(value, type):
        return True
    module = getattr(value, "__module__", None) or type(value).__module__
    return isinstance(module, str) and module.startswith("ranvier.")


def _compile(layer: Any, x: np.ndarray, training: Any) -> _Compiled | None:
    """The program of a call; None if it does not fit."""
    before = edits_of(layer)
    try:
        with Trace() as trace:
            outer, context.training = context.training, training
            try:
                result = layer(trace.input(x.shape, x.dtype.name))
            finally:
                context.training = outer
            leaves = tree.flatten(result)
            added = any(
                one._rv_losses and one._rv_losses_trace is trace for one in layer._rv_flatten_layers()
            )
            if added or not all(type(leaf) is Tensor and get_mask(leaf) is None for leaf in leaves):
                return None
            places = iter(range(len(leaves)))
            program = trace.compile(leaves, name=f"call of {layer.name}, {x.dtype}{x.shape}")
    except Exception:  # such as a layer that reads numbers: as it is written, it runs or says why not
        return None
    if edits_of(layer) != before or program.arena_bytes > _MOST_BYTES:
        return None
    return _Compiled(program, tree.map_structure(lambda _: next(places), result))
