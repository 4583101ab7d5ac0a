"""Element types: their names, their promotion, and the default float type.

A dtype is a string everywhere in the library ("float32"). The engine computes in `COMPUTE_DTYPES`; the other
integer types are storage types: arithmetic on them runs in a wider integer and is cast back.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from ranvier.core.user_code import short_traceback

COMPUTE_DTYPES = ("float32", "float64", "int32", "int64", "bool")
FLOAT_DTYPES = ("float32", "float64")
SIGNED_DTYPES = ("int8", "int16", "int32", "int64")
UNSIGNED_DTYPES = ("uint8", "uint16", "uint32")
INT_DTYPES = SIGNED_DTYPES + UNSIGNED_DTYPES
ALL_DTYPES = (*FLOAT_DTYPES, *INT_DTYPES, "bool")

_IMAGE_DATA_FORMATS = ("channels_last", "channels_first")
# NumPy types that the engine has no kernel for, and what arrays of them become on the way in.
_CONVERTED = {
    "float16": "float32",
    "bfloat16": "float32",
    "longdouble": "float64",
    "float128": "float64",
    "uint64": "int64",
}
_PYTHON_TYPES = {bool: "bool", int: "int32", float: "float32"}

_MOST_BYTES = 2**63 - 1  # what an address, and a size in the core, can count

_MOST_AXES = 32  # of what becomes a tensor: more than any has, and no more than all of NumPy's functions take
_INT_LIMITS = {name: (int(np.iinfo(name).min), int(np.iinfo(name).max)) for name in INT_DTYPES}

_NATIVE = frozenset(np.dtype(name) for name in ALL_DTYPES)
# What `array_dtype` found: NumPy builds a dtype's name anew each time, which costs more than a small kernel.
_array_dtypes: dict[np.dtype, str] = {}

_settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def floatx() -> str:
    """The default float dtype: "float32" unless `set_floatx` changed it."""
    return _settings["floatx"]


@short_traceback
def set_floatx(value: str) -> None:
    """Sets the default float dtype.

    Args:
        value: "float32" or "float64".

    Raises:
        ValueError: for any other value (half precision is not offered).
    """
    if value not in FLOAT_DTYPES:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {FLOAT_DTYPES}")
    _settings["floatx"] = str(value)


def epsilon() -> float:
    """The fuzz factor that keeps divisions and logarithms finite: 1e-7 unless `set_epsilon` changed it."""
    return _settings["epsilon"]


@short_traceback
def set_epsilon(value: float) -> None:
    """Sets the fuzz factor returned by `epsilon`."""
    _settings["epsilon"] = value


def settings() -> tuple[Any, ...]:
    """All settings of this module, for the keys of programs: what is traced has them in it."""
    return tuple(_settings.values())


def image_data_format() -> str:
    """The default layout of images: "channels_last" unless `set_image_data_format` changed it."""
    return _settings["image_data_format"]


@short_traceback
def set_image_data_format(data_format: str) -> None:
    """Sets the default layout of images.

    Args:
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: for any other value.
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` in lower case, or the default layout for None.

    Raises:
        ValueError: for anything but None, "channels_last" and "channels_first".
    """
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in _IMAGE_DATA_FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of {_IMAGE_DATA_FORMATS}. "
            f"Received: data_format={data_format!r}"
        )
    return name


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype.

    Args:
        dtype: a name, a NumPy (or other library's) dtype, one of Python's `bool`, `int`, `float` ("bool",
            "int32", "float32"), or None for `floatx()`.

    Returns:
        One of `ALL_DTYPES`.

    Raises:
        ValueError: for a name that is unknown or that the engine does not offer.
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, type) and dtype in _PYTHON_TYPES:
        return _PYTHON_TYPES[dtype]
    if isinstance(dtype, str):
        name = dtype
    elif isinstance(dtype, type) and issubclass(dtype, np.generic):
        name = np.dtype(dtype).name
    else:
        given = getattr(dtype, "name", None)
        name = given if isinstance(given, str) and given else str(dtype)
    name = name.rpartition(".")[2]  # "torch.float32"
    name = "int32" if name == "int" else name
    if name not in ALL_DTYPES:
        raise ValueError(f"Invalid dtype: {dtype}. The dtypes offered are {', '.join(ALL_DTYPES)}")
    return name


def is_float(dtype: Any) -> bool:
    """Whether `dtype` is a floating-point type."""
    return standardize_dtype(dtype) in FLOAT_DTYPES


def is_int(dtype: Any) -> bool:
    """Whether `dtype` is an integer type; "bool" is not."""
    return standardize_dtype(dtype) in INT_DTYPES


def compute_dtype(dtype: str) -> str:
    """The type that arithmetic on `dtype` runs in: itself, or a wider integer for the storage types."""
    if dtype in COMPUTE_DTYPES:
        return dtype
    return "int64" if dtype == "uint32" else "int32"


def array_dtype(dtype: np.dtype) -> str:
    """The dtype that a NumPy array takes when it enters the engine.

    Half precision becomes "float32", long double "float64", "uint64" "int64"; byte order does not matter.

    Raises:
        TypeError: for types without a numeric meaning here (strings, objects, dates, complex numbers).
    """
    known = _array_dtypes.get(dtype)
    if known is not None:
        return known
    name = _CONVERTED.get(dtype.name, dtype.name)
    if name not in ALL_DTYPES:
        raise TypeError(f"An array of dtype {dtype} cannot become a tensor: expected numbers or booleans.")
    _array_dtypes[dtype] = name
    return name


def promotion_type(x: Any) -> Any:
    """What `result_type` should be told about an operand.

    Python numbers are weak: they give their kind (`bool`, `int`, `float`) and no width, so that `x * 2.0`
    keeps x's dtype. NumPy's float64 and int64 scalars count as Python numbers, for they are what NumPy's own
    arithmetic hands out; a shape-() array keeps its dtype.
    """
    if isinstance(x, (bool, np.bool_)):
        return "bool"
    if isinstance(x, (int, np.int64)):
        return int
    if isinstance(x, float):  # np.float64 is a float
        return float
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        return as_array(x).dtype.name
    return array_dtype(dtype) if isinstance(dtype, np.dtype) else standardize_dtype(dtype)


def result_type(*dtypes: Any) -> str:
    """The dtype that a computation on operands of these dtypes has: JAX's and Keras's promotion.

    Booleans give way to integers and integers to floats, whatever their width: int64 with float32 is float32.
    Within a kind the wider wins; a signed and an unsigned integer meet in the next wider signed one. Python's
    `int` and `float` are weak: they decide the kind, never the width.

    Args:
        *dtypes: dtype names, NumPy dtypes, or the Python types `bool`, `int`, `float`.

    Returns:
        A name; `floatx()` when called without arguments.
    """
    return _result_type(floatx(), *dtypes)


@functools.lru_cache(maxsize=1024)
def _result_type(default: str, *dtypes: Any) -> str:
    if not dtypes:
        return default
    weak = {d for d in dtypes if d is int or d is float}
    strong = {standardize_dtype(d) for d in dtypes if d is not int and d is not float}
    floats = strong.intersection(FLOAT_DTYPES)
    if floats:
        return "float64" if "float64" in floats else "float32"
    if float in weak:
        return default
    ints = strong.intersection(INT_DTYPES)
    if ints:
        return _join_ints(ints)
    return "int32" if int in weak else "bool"


def _join_ints(names: set[str]) -> str:
    signed = max((_bits(n) for n in names if n in SIGNED_DTYPES), default=0)
    unsigned = max((_bits(n) for n in names if n in UNSIGNED_DTYPES), default=0)
    if unsigned == 0 or signed > unsigned:
        return f"int{signed}"
    return f"uint{unsigned}" if signed == 0 else f"int{2 * unsigned}"


def _bits(name: str) -> int:
    return int(name.partition("int")[2])


def as_array(x: Any, dtype: str | None = None) -> np.ndarray:
    """A native-endian, C-contiguous array of an engine dtype, from anything NumPy can read.

    Python numbers and nested lists of them take the library's widths, not NumPy's: floats `floatx()`,
    integers "int32" (or "int64" where one does not fit). Arrays keep their dtype (see `array_dtype`).

    Args:
        x: an array, a number, or nested sequences of them.
        dtype: the wanted dtype; None: as described.

    Raises:
        TypeError: if the values are not numbers.
        OverflowError: for Python's integers that the dtype cannot hold, and uint64 values of 2^63 and more.
        ValueError: if nested sequences are ragged.
    """
    if type(x) is np.ndarray and x.dtype.isnative and x.flags.c_contiguous and x.dtype in _NATIVE:
        if (dtype is None or x.dtype == dtype) and x.ndim <= _MOST_AXES:
            return x
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        x = np.from_dlpack(x)
    has_dtype = isinstance(getattr(x, "dtype", None), np.dtype)
    a = np.asarray(x)
    if a.ndim > _MOST_AXES:
        raise ValueError(f"Expected at most {_MOST_AXES} axes, got an array of {a.ndim}.")
    if dtype is None:
        dtype = array_dtype(a.dtype)
        if not has_dtype and not hasattr(x, "__array__") and not _holds_arrays(x):
            dtype = _python_dtype(a, dtype)
    elif a.dtype.name != dtype:
        array_dtype(a.dtype)
    if dtype in _INT_LIMITS and (a.dtype == np.uint64 or isinstance(x, (int, np.int64, list, tuple))):
        _check_range(a, dtype)
    # ascontiguousarray would make a scalar one-dimensional.
    return np.asarray(a, dtype=dtype, order="C")


def _check_range(a: np.ndarray, dtype: str) -> None:
    """Refuses Python's integers that a dtype cannot hold, and uint64 values that int64 cannot."""
    if a.size and a.dtype.kind in "iu":
        least, most = (a.item(),) * 2 if a.ndim == 0 else (int(a.min()), int(a.max()))
        low, high = _INT_LIMITS[dtype]
        if least < low or most > high:
            raise OverflowError(f"The integers {least} to {most} do not fit {dtype}: {low} to {high}.")


def is_array_like(x: Any) -> bool:
    """Whether x offers its numbers as an array: by NumPy's protocol or by DLPack."""
    return hasattr(x, "__array__") or hasattr(x, "__dlpack__")


def check_size(shape: Iterable[int], dtype: str = "uint8") -> None:
    """Refuses shapes that no address space can hold; NumPy and the core report them in different ways.

    Args:
        shape: the sizes; negative ones (unknown yet) do not count.
        dtype: the dtype of the elements.

    Raises:
        MemoryError: if a size, or the number of bytes, exceeds 2^63 - 1.
    """
    sizes = tuple(shape)
    count = 1
    for size in sizes:
        count *= max(size, 1)
    if count * np.dtype(dtype).itemsize > _MOST_BYTES:
        raise MemoryError(f"A tensor of shape {sizes} is too large: more than 2^63 - 1 bytes.")


def _python_dtype(a: np.ndarray, dtype: str) -> str:
    if dtype == "float64":
        return floatx()
    if dtype == "int64":
        limits = np.iinfo(np.int32)
        fits = a.size == 0 or (a.min() >= limits.min and a.max() <= limits.max)
        return "int32" if fits else "int64"
    return dtype


def _holds_arrays(x: Any) -> bool:
    """Whether a nested sequence has NumPy values at its leaves (looking down its first elements)."""
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return hasattr(x, "dtype")
