"""NumPy's methods for tensors, variables and symbolic tensors: each is one function of `ranvier.ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

# The ops, by name. They are a room above this one: `ranvier.ops` hands them in with `operators.bind`.
functions: dict[str, Callable[..., Any]] = {}


# What arrays of NumPy, JAX, PyTorch and TensorFlow have and tensors here do not, and what to write.
_INSTEAD = {
    name: instead
    for names, instead in (
        ("at", "`ops.scatter_update(x, indices, updates)` or `ops.slice_update`, which return a new tensor"),
        ("fill put partition resize setfield", "`ops.where` or `ops.scatter_update`: tensors do not change"),
        ("set_shape ensure_shape", "`ops.reshape(x, shape)`"),
        ("get_shape", "`x.shape`"),
        ("view_as view", "`ops.reshape(x, shape)` or, for the bits, `ops.view(x, dtype)`"),
        ("permute", "`x.transpose(...)`"),
        ("unsqueeze", "`ops.expand_dims(x, axis)`"),
        ("to type float double long bool", "`x.astype(dtype)`"),
        ("cpu cuda device", "the tensor itself"),
        ("detach", "`ops.stop_gradient(x)`"),
        ("backward grad requires_grad", "`rv.GradientTape`"),
        ("tolist tobytes dump dumps tofile eval data flat", "`x.numpy()` where the tensor has numbers"),
        ("dim", "`x.ndim`"),
        ("trace", "`ops.trace(x)`"),
        ("mm bmm", "`x @ y`"),
    )
    for name in names.split()
}


class ArrayMethods:
    """The methods of arrays. `dtype` arguments say what to compute in, as in NumPy."""

    @property
    def T(self) -> Any:
        """The axes reversed."""
        return functions["transpose"](self)

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return functions["swapaxes"](self, -1, -2)

    @property
    def real(self) -> Any:
        """The tensor itself: its numbers are real."""
        return functions["real"](self)

    @property
    def imag(self) -> Any:
        """Zeros: its numbers are real."""
        return functions["imag"](self)

    def astype(self, dtype: Any) -> Any:
        """The same values in another dtype: `ops.cast`."""
        return functions["cast"](self, dtype)

    def reshape(self, *shape: Any) -> Any:
        """Another shape: `x.reshape(2, 3)` or `x.reshape((2, 3))`."""
        return functions["reshape"](self, _one_or_many(shape))

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order: `x.transpose(1, 0)` or `x.transpose((1, 0))`; without any, reversed."""
        return functions["transpose"](self, _one_or_many(axes) if axes else None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        return functions["swapaxes"](self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Any:
        return functions["squeeze"](self, axis)

    def ravel(self) -> Any:
        return functions["ravel"](self)

    def flatten(self) -> Any:
        return functions["ravel"](self)

    def copy(self) -> Any:
        return functions["copy"](self)

    def conj(self) -> Any:
        return functions["conj"](self)

    conjugate = conj

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return functions["sum"](_in_dtype(self, dtype), axis, keepdims)

    def prod(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return functions["prod"](_in_dtype(self, dtype), axis, keepdims)

    def mean(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return functions["mean"](_in_dtype(self, dtype), axis, keepdims)

    def std(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return functions["std"](_in_dtype(self, dtype), axis, keepdims)

    def var(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return functions["var"](_in_dtype(self, dtype), axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        return functions["max"](self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        return functions["min"](self, axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        return functions["any"](self, axis, keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        return functions["all"](self, axis, keepdims)

    def argmax(self, axis: Any = None, keepdims: bool = False) -> Any:
        return functions["argmax"](self, axis, keepdims)

    def argmin(self, axis: Any = None, keepdims: bool = False) -> Any:
        return functions["argmin"](self, axis, keepdims)

    def cumsum(self, axis: Any = None, dtype: Any = None) -> Any:
        return functions["cumsum"](self, axis, dtype)

    def cumprod(self, axis: Any = None, dtype: Any = None) -> Any:
        return functions["cumprod"](self, axis, dtype)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        return functions["clip"](self, min, max)

    def round(self, decimals: int = 0) -> Any:
        return functions["round"](self, decimals)

    def dot(self, other: Any) -> Any:
        return functions["dot"](self, other)

    def sort(self, axis: int = -1) -> Any:
        """Sorted along an axis: a new tensor, where NumPy's method sorts the array itself."""
        return functions["sort"](self, axis)

    def argsort(self, axis: int = -1) -> Any:
        return functions["argsort"](self, axis)

    def searchsorted(self, values: Any, side: str = "left") -> Any:
        return functions["searchsorted"](self, values, side)

    def take(self, indices: Any, axis: int | None = None) -> Any:
        return functions["take"](self, indices, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        return functions["repeat"](self, repeats, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        return functions["diagonal"](self, offset, axis1, axis2)

    def nonzero(self) -> Any:
        return functions["nonzero"](self)

    if not TYPE_CHECKING:  # a checker would take every name for an attribute

        def __getattr__(self, name: str) -> Any:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            instead = _INSTEAD.get(name) or (f"`ops.{name}(x)`" if name in functions else None)
            if instead is None:
                raise AttributeError(message, name=name, obj=self)
            # With `obj` set, too, Python would add a suggestion of its own.
            raise AttributeError(f"{message}. Write {instead}.", name=name)


def _one_or_many(arguments: tuple[Any, ...]) -> Any:
    """The arguments, or what the only one holds."""
    return arguments[0] if len(arguments) == 1 else arguments


def _in_dtype(x: Any, dtype: Any) -> Any:
    return x if dtype is None else functions["cast"](x, dtype)
