"""Ops on KerasTensors: each public function becomes, where it meets one, an operation of a functional model.

There is no rule for any single op. The function's parameters fall into operands, which may be tensors, and
settings; the operation keeps the settings (they are its config, in Keras's format) and is called on the
operands; its output's shape is found by tracing the function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ranvier.core import registry, tree
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.operation import Operation
from ranvier.core.unknown_size import is_known
from ranvier.core.user_code import told

# The parameters that Keras's operations take when they are called; the others, when they are made.
_OPERANDS = frozenset(
    "x x1 x2 xs a array y inputs indices key condition condlist choicelist default start stop step target "
    "output targets predictions fill_value weights constant_values rtol atol start_indices variable "
    "updates".split()
)
# The functions of which Keras's operations take others.
_OPERANDS_OF = {
    name: frozenset(operands.split())
    for names, operands in (
        ("allclose", "x1 x2"),
        ("trapezoid", "y"),
        ("batch_normalization", "x mean variance offset scale"),
        ("layer_normalization", "x gamma beta"),
        ("rms_normalization", "x scale"),
        ("segment_sum segment_max segment_min segment_prod", "data segment_ids"),
        ("bincount unique", "x"),
        ("digitize", "x bins"),
        ("quantile percentile nanquantile nanpercentile", "x q"),
        ("searchsorted", "sorted_sequence values"),
        ("lstsq solve solve_triangular", "a b"),
        ("scatter", "indices values"),
        ("dot_product_attention", "query key value bias mask scale"),
        ("map", "f xs"),
        ("scan", "f init xs"),
        ("associative_scan", "f elems"),
        ("vectorized_map", "elements"),
        ("fori_loop", "init_val"),
        ("while_loop", "loop_vars"),
        ("switch", "index branches operands"),
    )
    for name in names.split()
}
# What describes or builds something other than a tensor, and takes KerasTensors as they are.
_NOT_SYMBOLIC = frozenset(("shape", "ndim", "is_tensor", "dtype", "convert_to_numpy", "jvp", "vectorize"))
# Functions whose operation Keras does not call by the function's name in camel case.
_CLASS_NAMES = {
    "allclose": "AllClose",
    "isin": "IsIn",
    "searchsorted": "SearchSorted",
    "batch_normalization": "BatchNorm",
    "layer_normalization": "LayerNorm",
    "rms_normalization": "RMSNorm",
    "swish": "Silu",
    "hard_swish": "HardSilu",
}

_functions: dict[tuple[str, str], FunctionType] = {}  # (namespace, class name) -> function
_namespaces: dict[FunctionType, str] = {}
_classes: dict[FunctionType, type[FunctionOperation]] = {}


def _as_int32(count: int) -> np.ndarray:
    """A count as the tensor that a graph has for it; of sizes that are not known only the type matters."""
    return np.asarray(count if is_known(count) else 0, "int32")



class FunctionOperation(Operation):
    """An op as an operation; each function has a subclass of its own, made when it is needed.

    Args:
        name: a name; None: made up from the function's.
        **settings: the function's arguments that are not operands.
    """

    function: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]
    operands: frozenset[str]  # the names of those parameters that are given when it is called

    def __init__(self, name: str | None = None, **settings: Any) -> None:
        super().__init__(name)
        unknown = settings.keys() - self.parameters.keys()
        takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in self.parameters.values())
        if unknown and not takes_any:
            raise TypeError(f"{type(self).__name__} got unexpected arguments: {sorted(unknown)}")
        self.settings = settings

    def call(self, *operands: Any, **more: Any) -> Any:
        """The function of these operands, with the operation's settings."""
        given = self.settings | more
        names = list(self.parameters)
        kinds = {name: parameter.kind for name, parameter in self.parameters.items()}
        if inspect.Parameter.VAR_POSITIONAL in kinds.values():
            first = [given.pop(n) for n in names if n in given and kinds[n] != inspect.Parameter.KEYWORD_ONLY]
            result = self.function(*first, *operands, **given)
        else:
            free = [name for name in names if name not in given]
            free.sort(key=lambda name: name not in self.operands)
            result = self.function(**given, **dict(zip(free, operands, strict=False)))
        # The size of a tensor is a number, but in a model a tensor like all others.
        return _as_int32(result) if isinstance(result, int) else result

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | registry.serialize_object(self.settings)

    def __reduce__(self) -> Any:
        return _restore, (type(self).__module__, type(self).__name__, self.name, self.settings)

    @classmethod
    def of_call(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Notes a call of the function: what it would return, as KerasTensors."""
        bound = inspect.Signature(list(cls.parameters.values())).bind(*args, **kwargs)
        bound.apply_defaults()
        settings: dict[str, Any] = {}
        operands: list[Any] = []
        more: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = cls.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                operands += value
            elif kind is inspect.Parameter.VAR_KEYWORD:
                settings.update(value)
            elif name in cls.operands:
                operands.append(value)
            elif _holds_keras_tensor(value):
                more[name] = value
            else:
                settings[name] = value
        while operands and operands[-1] is None:
            operands.pop()
        return cls(**settings).symbolic_call(*operands, **more)


def _restore(module: str, class_name: str, name: str, settings: dict[str, Any]) -> FunctionOperation:
    """An operation that was pickled."""
    cls = find_class(module, class_name)
    assert cls is not None
    return cls(name, **settings)


def _holds_keras_tensor(value: Any) -> bool:
    return tree.holds(value, KerasTensor)


def _class_name(function: FunctionType) -> str:
    name = function.__name__
    return _CLASS_NAMES.get(name) or "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def operands_of(function: FunctionType) -> frozenset[str]:
    """The names of a function's parameters that its operation is called with."""
    return _OPERANDS_OF.get(function.__name__, _OPERANDS)


def operation_class(function: FunctionType) -> type[FunctionOperation]:
    """The operation that stands for a public function of `ranvier.ops`."""
    cls = _classes.get(function)
    if cls is None:
        members = {
            "function": staticmethod(function),
            "parameters": dict(inspect.signature(function).parameters),
            "operands": operands_of(function),
            "__module__": f"ranvier.ops.{_namespaces[function]}",
            "__doc__": f"`ranvier.ops.{function.__name__}` as an operation of a functional model.",
        }
        cls = _classes[function] = type(_class_name(function), (FunctionOperation,), members)
    return cls


def find_class(module: str, name: str) -> type[FunctionOperation] | None:
    """The operation that a config of Keras's names, such as ("keras.src.ops.numpy", "Add"); None: unknown."""
    function = _functions.get((module.rpartition(".")[2], name))
    return None if function is None else operation_class(function)


def symbolic(function: FunctionType, namespace: str) -> FunctionType:
    """A public function that becomes an operation where one of its arguments is, or holds, a KerasTensor."""
    _namespaces[function] = namespace
    _functions.setdefault((namespace, _class_name(function)), function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            for value in args:
                kind = type(value)
                if kind is KerasTensor or ((kind is list or kind is tuple) and _holds_keras_tensor(value)):
                    return operation_class(function).of_call(args, kwargs)
            if kwargs:
                for value in kwargs.values():
                    if _holds_keras_tensor(value):
                        return operation_class(function).of_call(args, kwargs)
            return function(*args, **kwargs)
        except Exception as error:
            other = None
            try:
                other = told(error, function, args, kwargs)
            except Exception:  # the error goes on as it is
                pass
            if other is None:
                raise
            raise other from None

    return wrapper  # type: ignore[return-value]


def make_symbolic(
    whole: ModuleType, namespaces: dict[str, ModuleType], more: dict[str, Sequence[Any]]
) -> None:
    """Lets the public functions of modules take KerasTensors.

    Args:
        whole: the module that offers all of them.
        namespaces: Keras's name of a namespace ("numpy") -> the module that offers its functions. A function
            that stands in several belongs to the first.
        more: further functions of a namespace.
    """
    done: dict[Any, FunctionType] = {}
    for namespace, module in namespaces.items():
        for name in module.__all__:
            function = getattr(module, name)
            if name not in _NOT_SYMBOLIC and function not in done:
                done[function] = symbolic(function, namespace)
    for namespace, functions in more.items():
        done |= {function: symbolic(function, namespace) for function in functions}
    for module in (whole, *namespaces.values()):
        for name, value in list(vars(module).items()):
            if isinstance(value, FunctionType) and value in done:
                setattr(module, name, done[value])


registry.add_class_finder("keras.src.ops", find_class)
