"""jit: a function of arrays and variables as a native program."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ranvier import _core
from ranvier.core import dtypes, tree
from ranvier.core.context import context
from ranvier.core.program_cache import ProgramCache, ambient_key
from ranvier.core.stateless_scope import current_stateless_scope
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace, current_trace, holds
from ranvier.core.user_code import short_traceback
from ranvier.core.variable import Variable


class _Compiled(NamedTuple):
    program: _core.Program
    structure: Any  # of the result; its leaves: a `_Leaf` stands for an output, anything else for itself
    premises: list[tuple[Any, str, Any]]


class CompiledFunction:
    """What `jit` returns: calls the function, natively from its second call with a signature on."""

    def __init__(
        self, fn: Callable[..., Any], static_argnums: Sequence[int], static_argnames: Sequence[str]
    ) -> None:
        functools.update_wrapper(self, fn)
        self._fn = fn
        self._static_argnums = frozenset(static_argnums)
        self._static_argnames = frozenset(static_argnames)
        self._programs: ProgramCache[_Compiled] = ProgramCache()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        # As a method: one function for each class, with the instance as a static first argument.
        return self if instance is None else functools.partial(self, instance)

    @short_traceback
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # A part of what is being traced; and programs know the variables' own values only.
        if current_trace() is not None or current_stateless_scope() is not None:
            return self._fn(*args, **kwargs)
        statics, arrays = self._split(args, kwargs)
        key = (
            statics,
            tuple((a.dtype.char, a.shape) for a in arrays),
            context.training,  # layers called inside take it over
            ambient_key(),
        )
        compiled = self._programs.get(key)
        if compiled is None or not holds(compiled.premises):
            compiled = self._compile(args, kwargs, arrays)
            self._programs.put(key, compiled)
        results = compiled.program.run(arrays)
        return tree.map_structure(
            lambda leaf: results[leaf.index] if type(leaf) is _Leaf else leaf, compiled.structure
        )

    def _split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, list[np.ndarray]]:
        """What the signature keeps of the arguments, and the arrays among them."""
        arrays: list[np.ndarray] = []

        def describe(x: Any) -> Any:
            if tree.is_nested(x):
                items = x.items() if hasattr(x, "items") else enumerate(x)
                return (type(x), tuple((key, describe(item)) for key, item in items))
            if _is_number(x):
                arrays.append(_to_array(x))
                return None
            return _Static(x)

        described = [_Static(x) if i in self._static_argnums else describe(x) for i, x in enumerate(args)]
        named = [
            (name, _Static(x) if name in self._static_argnames else describe(x))
            for name, x in sorted(kwargs.items())
        ]
        return (tuple(described), tuple(named)), arrays

    def _compile(self, args: tuple[Any, ...], kwargs: dict[str, Any], arrays: list[np.ndarray]) -> _Compiled:
        with Trace() as trace:
            inputs = iter([trace.input(a.shape, a.dtype.name) for a in arrays])

            def stand_in(x: Any) -> Any:
                if tree.is_nested(x):  # in the order of `_split`
                    if hasattr(x, "items"):
                        return {key: stand_in(item) for key, item in x.items()}
                    items = [stand_in(item) for item in x]
                    return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
                return next(inputs) if _is_number(x) else x

            call_args = [x if i in self._static_argnums else stand_in(x) for i, x in enumerate(args)]
            call_kwargs = {
                name: x if name in self._static_argnames else stand_in(x)
                for name, x in sorted(kwargs.items())
            }
            result = self._fn(*call_args, **call_kwargs)
            outputs: list[Any] = []

            def note(leaf: Any) -> Any:
                if not isinstance(leaf, (Tensor, Variable, np.ndarray)):
                    return leaf
                outputs.append(leaf)
                return _Leaf(len(outputs) - 1)

            structure = tree.map_structure(note, result)
            name = f"jit of {getattr(self._fn, '__qualname__', 'a function')}"
            return _Compiled(trace.compile(outputs, name=name), structure, trace.premises)


class _Leaf:
    """Stands in a result for an output of the program."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class _Static:
    """A value that is a part of the signature: compared by value where it can be, else by identity."""

    __slots__ = ("_exact", "_hash", "value")

    def __init__(self, value: Any) -> None:
        self.value = value  # kept, so that no other object gets its identity
        self._exact = _exact(value)
        self._hash = hash(self._exact)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and self._exact == other._exact


def _exact(value: Any) -> tuple[type, Any]:
    """What tells a value from all that a function might treat otherwise: 1 from 1.0 and True, 0.0 from -0.0.

    Variables and layers are told apart by identity; `==` of a variable is an operation on numbers.
    """
    if isinstance(value, (tuple, frozenset)):
        items = map(_exact, value)
        return type(value), tuple(items) if isinstance(value, tuple) else frozenset(items)
    if isinstance(value, (float, complex, np.generic)):
        return type(value), repr(value)
    return type(value), value if isinstance(value, (str, bytes, int, type(None))) else id(value)


def _is_number(x: Any) -> bool:
    """Whether an argument is traced: arrays and numbers are; flags, names and objects are not."""
    if isinstance(x, (bool, str, bytes, Variable)) or x is None:
        return False
    return isinstance(x, (np.ndarray, np.generic, int, float)) or dtypes.is_array_like(x)


def _to_array(x: Any) -> np.ndarray:
    return dtypes.as_array(x.numpy() if isinstance(x, Tensor) else x)


def jit(
    fn: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Any:
    """Compiles a function of arrays and variables into a native program.

    The function runs once for each signature of its arguments (dtypes and shapes of arrays, values of what
    is no array), with tensors in their place, and whatever `ranvier.ops`, layers, losses, metrics and
    optimizers do in it becomes one program. Variables that it reads and assigns may come as arguments or
    from around it; they are read and written whenever the program runs. Nothing else that the function does
    (printing, changing lists) happens after the first call.

    Args:
        fn: the function. Without it, `jit` with options is a decorator. Arguments may be nests (lists,
            tuples, dicts). Arrays and numbers become tensors; flags (`True`), strings, None, variables and
            other objects are constants of the signature.
        static_argnums: positions of arguments that are constants of the signature whatever they are, and
            however they are passed; negative ones count from the end of the function's parameters.
        static_argnames: names of arguments, likewise.

    Returns:
        A function that returns arrays, in a nest like that of `fn`.

    Raises:
        TypeError: if `fn` is not callable.
        ValueError: for a static argument that `fn` does not have.

    Example:
        ```python
        @rv.jit
        def train_step(x, y):
            with rv.GradientTape() as tape:
                loss = loss_fn(y, model(x, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return loss
        ```
    """
    nums = [static_argnums] if isinstance(static_argnums, int) else list(static_argnums)
    names = [static_argnames] if isinstance(static_argnames, str) else list(static_argnames)
    if fn is None:
        return functools.partial(jit, static_argnums=nums, static_argnames=names)
    if not callable(fn):
        raise TypeError(f"jit() takes a function. Received: {fn!r} (of type {type(fn).__name__})")
    return CompiledFunction(fn, *_statics(fn, nums, names))


def _statics(fn: Callable[..., Any], nums: list[int], names: list[str]) -> tuple[list[int], list[str]]:
    """The static arguments by place and by name, once it is clear that the function has them."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # of a function that is written in C, nothing is known
        return nums, names
    kinds = {p.kind for p in parameters}
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    count = len(positional)
    for n in nums:
        if not -count <= n < count and not (n >= 0 and inspect.Parameter.VAR_POSITIONAL in kinds):
            raise ValueError(f"`static_argnums` names argument {n} of a function that has {count}.")
    known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    for name in names:
        if name not in known and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise ValueError(f"`static_argnames` names {name!r}; the function has {sorted(known)}.")
    places = {n % count if n < 0 else n for n in nums}
    places |= {positional.index(name) for name in names if name in positional}
    return sorted(places), sorted({*names, *(positional[n] for n in places if n < count)})
