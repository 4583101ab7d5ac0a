"""Variable: a tensor that lasts, held in native storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ranvier import _core
from ranvier.core import scope
from ranvier.core.allowance import take
from ranvier.core.dtypes import as_array, check_size, standardize_dtype
from ranvier.core.keras_tensor import standardize_shape
from ranvier.core.operators import Operators, function
from ranvier.core.stateless_scope import StatelessScope, current_stateless_scope, stateless_value
from ranvier.core.tensor import Tensor
from ranvier.core.trace import check_new_variable, current_trace, no_trace
from ranvier.core.user_code import short_traceback

_AGGREGATIONS = ("none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = ("none", "on_read", "on_write", "auto")

_initializers: list[Callable[[str], Any]] = []  # how to find one by name


def bind_initializers(find: Callable[[str], Any]) -> None:
    """Says how an initializer is found by its name: initializers are a room above this one."""
    _initializers[:] = [find]


def _initializer_named(name: str) -> Any:
    if not _initializers:
        raise ValueError(f"An initializer by name, {name!r}, needs `ranvier.initializers` to be imported.")
    return _initializers[0](name)


def _one_of(names: tuple[str, ...], argument: str, value: str | None) -> str:
    if value is None:
        return "none"
    if value not in names:
        raise ValueError(
            f"Invalid `{argument}`: expected one of {', '.join(names)}. Received: {argument}={value}"
        )
    return value


def _callable_or_none(attribute: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise ValueError(f"`{attribute}` must be callable or None. Received: {value}")
    return value


class Variable(Operators):
    """A tensor whose value is kept between steps and can be assigned.

    Inside a trace, reading it gives a Tensor and assigning is recorded; outside, both act at once.

    Args:
        initializer: the first value (an array, numbers), a callable `(shape, dtype=...)` that returns it, or
            an initializer's name.
        shape: the shape; needed for a callable and a name.
        dtype: a dtype name; by default the value's own (Python's floats: `floatx()`, integers: "int32"), of
            what an initializer returns `floatx()`.
        trainable: whether training updates it.
        autocast: accepted as in Keras; there is one precision.
        aggregation: "none" (or None), "mean", "sum" or "only_first_replica": how replicas are joined.
        synchronization: "none" (or None), "on_read", "on_write" or "auto": accepted as in Keras.
        name: its name; made up if None. Its path is that of the open name scopes and this name.
        layout: must be None: it says how Keras spreads a variable over devices.
        **kwargs: none; an unknown argument is refused by name.

    Raises:
        ValueError: if the name holds "/", a callable comes without a shape, the value's shape is another, or
            an initializer, an aggregation or a synchronization is unknown.
        MemoryError: if the value does not fit into memory.
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        if layout is not None:
            raise ValueError(f"Variables are on one device here: `layout` must be None, got {layout!r}.")
        if kwargs:
            raise TypeError(f"Variable() got unexpected keyword arguments: {sorted(kwargs)}")
        scope_around = current_stateless_scope()
        if scope_around is not None and not scope_around.may_make_variables:
            raise ValueError(
                "You are attempting to create a variable while in a stateless scope. This is disallowed. "
                "Make sure that all variables are created before you start using your layer/model objects."
            )
        check_new_variable(f"A Variable{f' named {name!r}' if name else ''}")
        name = name or scope.auto_name("variable")
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"Argument `name` must be a string without '/'. Received: name={name!r}")
        self._name = name
        self._path = scope.variable_path(name)
        self.autocast = bool(autocast)
        self.aggregation = _one_of(_AGGREGATIONS, "aggregation", aggregation)
        self.synchronization = _one_of(_SYNCHRONIZATIONS, "synchronization", synchronization)
        self._regularizer: Callable[[Any], Any] | None = None
        self._constraint: Callable[[Any], Any] | None = None
        self._overwrite_with_gradient = False
        self._trainable = bool(trainable)
        value = self._first_value(initializer, shape, dtype)
        self._shape: tuple[int, ...] = value.shape
        self._dtype: str = value.dtype.name
        self._store(value)

    def _store(self, value: np.ndarray) -> None:
        self.storage = _core.Storage(self.dtype, list(self.shape))
        self._array = self.storage.array()
        self._array[...] = value

    def __getstate__(self) -> dict[str, Any]:
        # Native storage cannot be copied by Python; a copy gets storage of its own.
        return {key: value for key, value in self.__dict__.items() if key != "storage"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._store(state["_array"])

    def _first_value(self, initializer: Any, shape: Any, dtype: Any) -> np.ndarray:
        if isinstance(initializer, str):
            initializer = _initializer_named(initializer)
        if initializer is None:
            raise ValueError("A Variable needs a first value or an initializer, got None.")
        if not callable(initializer):
            value = as_array(initializer, None if dtype is None else standardize_dtype(dtype))
            if shape is not None and (shape := standardize_shape(shape)) != value.shape:
                raise ValueError(f"The initial value has shape {value.shape}, expected shape={shape}.")
            return value
        if shape is None:
            raise ValueError("When a Variable is made from an initializer, the `shape` argument is required.")
        shape = standardize_shape(shape)
        if None in shape:
            raise ValueError(f"Shapes of variables must be fully defined. Received: shape={shape!r}")
        dtype = standardize_dtype(dtype)
        take(shape, dtype, f"variable {self._path!r}")
        check_size(shape, dtype)
        with no_trace():
            value = as_array(initializer(shape, dtype=dtype), dtype)
        if value.shape != shape:
            raise ValueError(f"The initializer returned shape {value.shape}, expected {shape}.")
        return value

    @property
    def value(self) -> Any:
        """The current value: a Tensor inside a trace, else an array (a copy)."""
        given = stateless_value(self)
        if given is not None:
            return given
        trace = current_trace()
        return self._array.copy() if trace is None else trace.read(self)

    def numpy(self) -> np.ndarray:
        """The current value, as a new array.

        Raises:
            TypeError: while a step is traced: the value is known when it runs.
        """
        given = stateless_value(self)
        if given is not None:
            return np.array(given)
        trace = current_trace()
        return self._array.copy() if trace is None else trace.read(self).numpy()

    @short_traceback
    def assign(self, value: Any) -> Any:
        """Gives the variable a new value.

        Args:
            value: of the variable's shape; converted to its dtype.

        Returns:
            The new value, in the variable's dtype.

        Raises:
            ValueError: if the shape is another; the variable keeps its value then.
        """
        trace = current_trace()
        if isinstance(value, Variable):
            value = value.value
        elif isinstance(value, (list, tuple)):  # perhaps of tensors
            value = function("array")(value)
        scope = current_stateless_scope()
        if scope is not None:
            return self._assign_in(scope, value)
        if trace is None:
            if isinstance(value, Tensor) and not value.trace.is_eager:
                raise ValueError("A symbolic tensor can be assigned only inside the trace that made it.")
            array = self._converted(value)
            self._check_shape(array.shape)
            self._array[...] = array
            return array
        self._check_shape(value.shape if isinstance(value, Tensor) else np.shape(value))
        tensor = trace.tensor(value)
        if tensor.dtype != self.dtype:
            tensor = trace.emit("cast", [tensor], {"dtype": self.dtype})
        trace.write(self, tensor)
        return tensor

    def _converted(self, value: Any) -> np.ndarray:
        """Numbers in the variable's dtype, by the core's conversion: a trace does not give others."""
        array = as_array(value)
        if array.dtype.name == self.dtype:
            return array
        return _core.eager("cast", [array], {"dtype": self.dtype})

    def _assign_in(self, scope: StatelessScope, value: Any) -> Any:
        if not isinstance(value, Tensor):
            value = self._converted(value)
        elif value.dtype != self.dtype:
            value = value.trace.emit("cast", [value], {"dtype": self.dtype})
        self._check_shape(value.shape)
        scope.add_update((self, value))
        return value

    def _check_shape(self, shape: Any) -> None:
        if tuple(shape) != self.shape:
            raise ValueError(
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match. variable.shape={self.shape}, "
                f"Received: value.shape={tuple(shape)}. "
                f"Target variable: {self}"
            )

    @short_traceback
    def assign_add(self, value: Any) -> Any:
        """Adds `value` to the variable."""
        return self.assign(self + value)

    @short_traceback
    def assign_sub(self, value: Any) -> Any:
        """Subtracts `value` from the variable."""
        return self.assign(self - value)

    @property
    def name(self) -> str:
        return self._name

    @property
    def path(self) -> str:
        return self._path

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def regularizer(self) -> Callable[[Any], Any] | None:
        """What a layer adds to the loss for it; None: nothing."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Callable[[Any], Any] | None) -> None:
        self._regularizer = _callable_or_none("regularizer", value)

    @property
    def constraint(self) -> Callable[[Any], Any] | None:
        """What an optimizer projects it by after an update; None: nothing."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Callable[[Any], Any] | None) -> None:
        self._constraint = _callable_or_none("constraint", value)

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether an optimizer takes the gradient for the new value."""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"`overwrite_with_gradient` must be a bool. Received: {value}")
        self._overwrite_with_gradient = value

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(self._array.size)

    @property
    def nbytes(self) -> int:
        return int(self._array.nbytes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if current_trace() is not None or current_stateless_scope() is not None:
            return np.asarray(self.value, dtype)  # refused by a symbolic tensor, with advice
        if copy is False and dtype is not None and np.dtype(dtype) != self._array.dtype:
            raise ValueError(f"A variable of dtype {self.dtype} cannot become {dtype} without a copy.")
        # The memory of the variable itself only for who asks for it: a later step would change the array.
        return self._array.view() if copy is False else np.array(self._array, dtype=dtype)

    def __dlpack__(self, **options: Any) -> Any:
        """The memory of the variable, for `from_dlpack` of NumPy, PyTorch and others, without a copy."""
        if current_trace() is not None or current_stateless_scope() is not None:
            return np.asarray(self.value).__dlpack__(**options)  # refused by a symbolic tensor
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def __pos__(self) -> Any:
        return self.value

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A scalar variable has no length.")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self._array}>"
