"""Values that nobody should pass and somebody will: what the attack by calls gives to parameters.

`Values` draws them at random. By a parameter's name it knows what a sensible value would be, so that most
arguments of a call are right and the wrong one gets past the first check.
"""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

_POWERS = (31, 33, 40, 62, 63, 64)
HUGE = tuple(sign * 2**power + more for power in _POWERS for sign in (1, -1) for more in (0, -1))
SMALL = (0, 1, 2, 3, 4, 5, 7, 9, 17, 64, -1, -2, -3, -4, -9)
FLOATS = (0.0, -0.0, 0.5, 1.0, -1.0, 1.5, 2.5, -3.7, math.nan, math.inf, -math.inf, 1e308, 5e-324, 1e-7)
TEXTS = tuple(
    "|abc|float32|float64|int32|bool|complex64|float16|bfloat16|uint64|object|relu|same|valid|channels_last|"
    "adam|mse|channels_first|a,b->ab|a b -> b a|...|ij,jk->ik|\x00|ü|None|1|sum|mean|constant|reflect|l2|"
    "zeros".split("|")
)
DTYPES = ("float32", "float64", "int32", "int64", "bool", "uint8", "int8", "uint16", "int16", "uint32")


class Awkward:
    """An object whose protocols answer with wrong things."""

    shape = "wide"
    dtype = "heavy"
    name = 7

    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: Any) -> Any:
        if i not in (0, 1):
            raise IndexError(i)
        return i


def _misaligned(rng: np.random.Generator) -> np.ndarray:
    memory = np.zeros(4 * 12 + 1, np.uint8)
    array = memory[1:].view(np.float32).reshape(3, 4)
    array[...] = rng.normal(size=(3, 4))
    return array


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _structured(rng: np.random.Generator) -> np.ndarray:
    del rng
    return np.zeros(3, [("a", "f4"), ("b", "i4")])


ARRAYS: tuple[Callable[[np.random.Generator], Any], ...] = (
    lambda rng: rng.normal(size=(3, 4)).astype("float32")[:, ::2],
    lambda rng: rng.normal(size=(4, 3)).astype("float32").T,
    lambda rng: rng.normal(size=(4, 3)).astype("float32")[::-1],
    lambda rng: np.broadcast_to(np.float32(2), (3, 4)),
    lambda rng: np.broadcast_to(rng.normal(size=(3, 1)), (3, 4)),
    lambda rng: np.broadcast_to(np.float32(1), (0, 2**33)),
    lambda rng: np.broadcast_to(np.float32(1), (2**33, 0, 3)),
    lambda rng: np.broadcast_to(np.int32(1), (2**31, 2**29, 0)),
    lambda rng: _read_only(rng.normal(size=(3, 4)).astype("float32")),
    _misaligned,
    lambda rng: rng.normal(size=(3, 4)).astype(">f4"),
    lambda rng: rng.integers(0, 9, (3, 4)).astype(">i8"),
    lambda rng: rng.normal(size=(3, 4)).astype("float16"),
    lambda rng: rng.normal(size=(3, 4)).astype("longdouble"),
    lambda rng: rng.normal(size=(3, 4)).astype("complex64"),
    lambda rng: rng.integers(0, 9, (3, 4)).astype("datetime64[s]"),
    lambda rng: rng.integers(0, 9, (3, 4)).astype("timedelta64[D]"),
    lambda rng: np.array([2**63, 2**64 - 1], np.uint64),
    lambda rng: np.array(["a", "b"]),
    lambda rng: np.array([b"a", b"b"]),
    lambda rng: np.array([None, 1, "x"], object),
    lambda rng: np.array([1.0, 2.0], object),
    _structured,
    lambda rng: np.zeros((0,), "float32"),
    lambda rng: np.zeros((0, 3), "float32"),
    lambda rng: np.zeros((3, 0), "int32"),
    lambda rng: np.zeros((), "float32"),
    lambda rng: np.array(3),
    lambda rng: np.array([[math.nan, math.inf], [-math.inf, -0.0]], "float32"),
    lambda rng: np.zeros((1,) * 8, "float32"),
    lambda rng: np.zeros((1,) * 9, "float32"),
    lambda rng: np.zeros((2,) * 12, "bool"),
    lambda rng: np.float32(1.5),
    lambda rng: np.int64(3),
    lambda rng: np.bool_(True),
    lambda rng: np.ma.masked_array([1.0, 2.0], [True, False]),
    lambda rng: np.matrix([[1.0, 2.0]]),
    lambda rng: np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
)


def _nested(depth: int) -> list[Any]:
    value: list[Any] = [1.0]
    for _ in range(depth):
        value = [value]
    return value


def _endless() -> list[Any]:
    value: list[Any] = [1.0]
    value.append(value)
    return value


OBJECTS: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: None,
    lambda: None,
    lambda: True,
    lambda: False,
    list,
    tuple,
    dict,
    set,
    lambda: {"a": 1},
    lambda: {"a": [1, {"b": None}]},
    lambda: {"class_name": "Dense", "config": {"units": "x"}},
    lambda: {1: 2, "a": 3},
    lambda: [1, 2],
    lambda: (0, 1),
    lambda: [[1, 2], [3]],
    lambda: [[1.0, 2.0], [3.0, 4.0]],
    lambda: [None, None],
    lambda: [None, 3],
    lambda: (None, None, 2),
    lambda: ["a", "b"],
    lambda: [1, "a", None],
    lambda: ((1, 2), (3, 4)),
    lambda: b"bytes",
    lambda: bytearray(b"ab"),
    lambda: 1j,
    lambda: object(),
    lambda: object,
    lambda: int,
    lambda: float,
    lambda: ...,
    lambda: slice(1, 2),
    lambda: range(3),
    lambda: iter([1, 2]),
    lambda: (i for i in range(3)),
    lambda: datetime.date(2020, 1, 1),
    lambda: Awkward(),
    lambda: NotImplemented,
    lambda: lambda *args, **kwargs: args[0] if args else None,
    lambda: lambda: None,
    lambda: len,
    lambda: math,
    lambda: memoryview(b"abcd"),
    lambda: _nested(40),
    lambda: _nested(150),
    lambda: _endless(),
    lambda: np.dtype("float32"),
    lambda: np.dtype([("a", "f4")]),
    lambda: np.float16,
    lambda: np,
)

# Parameters whose sensible values are of one kind, by words of their names.
_ARRAYS = frozenset(
    "x x1 x2 xs a b y inputs input array arrays y_true y_pred target output targets outputs logits "
    "tensor value values data sequences query key weights sample_weight features gradients grads "
    "tensors predictions sorted_sequence states state updates elems elements init_val inputs_embeds "
    "bias mask arr v kernel mean variance".split()
)
_INDICES = frozenset(
    "indices segment_ids labels start_indices idx index sequence_length target_length output_length".split()
)
_SIZES = frozenset(
    "units filters output_dim input_dim num_heads key_dim num_classes num_segments head_dim groups "
    "pool_size size n k m rank num num_samples depth N M repeats length minlength num_query_heads "
    "num_key_value_heads query_groups sequence_stride sequence_length fft_length sequence_stride "
    "batch_size num_thresholds upper lower maximum_iterations steps decay_steps total_num_partitions "
    "cropping padding strides".split()
)
_SHAPES = frozenset(
    "shape target_shape newshape output_shape input_shape noise_shape dims batch_shape sizes reps "
    "shift".split()
)
_RATES = frozenset(
    "rate momentum epsilon learning_rate beta_1 beta_2 rho alpha gamma stddev mean scale factor dropout "
    "negative_slope threshold minval maxval low high l1 l2 weight_decay p q probs clipnorm clipvalue "
    "delta axis_scale".split()
)
_FUNCTIONS = frozenset(
    "f fn func function body body_fun cond_fn true_fn false_fn cond branches pyfunc".split()
)
# How often Python's own code would run: small, or the call does what it was asked to, for hours.
_COUNTS = frozenset(
    "lower upper length maximum_iterations num_samples epochs n_iter".split()
)


class Values:
    """A source of arguments.

    Args:
        rng: decides everything.
        tensor: makes a KerasTensor of a shape and a dtype.
    """

    def __init__(self, rng: random.Random, tensor: Callable[[tuple[int | None, ...], str], Any]) -> None:
        self.rng = rng
        self.tensor = tensor
        self.numpy = np.random.default_rng(rng.getrandbits(64))
        self.rank = rng.choice((0, 1, 2, 2, 2, 3, 3, 4))
        self.shape = tuple(rng.choice((1, 2, 3, 3, 4)) for _ in range(self.rank))
        self.is_symbolic = rng.random() < 0.2

    def hostile(self) -> Any:
        """Anything."""
        kind = self.rng.random()
        if kind < 0.22:
            return self.rng.choice(HUGE + SMALL)
        if kind < 0.30:
            return self.rng.choice(FLOATS)
        if kind < 0.40:
            return self.rng.choice(TEXTS)
        if kind < 0.60:
            return self.rng.choice(ARRAYS)(self.numpy)
        if kind < 0.65:
            return self.any_tensor()
        if kind < 0.72:
            return tuple(self.rng.choice(HUGE + SMALL) for _ in range(self.rng.randrange(4)))
        if kind < 0.76:
            return [self.hostile() for _ in range(self.rng.randrange(4))]
        return self.rng.choice(OBJECTS)()

    def any_tensor(self) -> Any:
        """A KerasTensor, perhaps with unknown axes."""
        shape = tuple(self.rng.choice((None, None, 0, 1, 3, 4)) for _ in range(self.rng.randrange(5)))
        return self.tensor(shape, self.rng.choice(DTYPES))

    def operand(self) -> Any:
        """An array of the call's shape, or a KerasTensor like it."""
        dtype = self.rng.choice(("float32",) * 6 + DTYPES)
        if self.is_symbolic:
            shape = tuple(None if i == 0 or self.rng.random() < 0.1 else n for i, n in enumerate(self.shape))
            return self.tensor(shape, dtype)
        return (self.numpy.normal(size=self.shape) * 2).astype(dtype)

    def sensible(self, name: str) -> Any:
        """What a parameter of this name might be meant for."""
        rng = self.rng
        if name in _COUNTS:
            return rng.randrange(4)
        if name in ("axis", "axes", "axis1", "axis2", "source", "destination", "dim", "offset", "diagonal"):
            places = [rng.randrange(-self.rank, self.rank) if self.rank else -1 for _ in range(2)]
            return rng.choice((places[0], places[0], places, tuple(places), None))
        if name in _ARRAYS:
            return self.operand() if rng.random() < 0.9 else [self.operand(), self.operand()]
        if name in _INDICES:
            return self.numpy.integers(0, 3, self.shape[:1] or (2,)).astype("int32")
        if name in _SHAPES:
            return rng.choice((self.shape, (3, 4), (2,), (-1,), (2, 3, 4), list(self.shape)))
        if name in _SIZES:
            return rng.choice((1, 2, 3, 4, 8))
        if name in _RATES or "rate" in name:
            return rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        if name in _FUNCTIONS:
            return lambda *args, **kwargs: args[0] if args else 1.0
        if "dtype" in name:
            return rng.choice(DTYPES)
        ends = ("initializer", "regularizer", "constraint", "activation")
        if name.endswith(ends) or name in ("name", "seed"):
            return None
        if name.startswith(("use_", "return_", "is_", "keep", "from_", "center", "stateful")):
            return rng.random() < 0.5
        return rng.choice((self.operand, lambda: 2, lambda: 0.5, lambda: True, lambda: None))()

    def argument(self, name: str, share: float = 0.3) -> Any:
        """An argument for a parameter: hostile in `share` of the cases."""
        if name not in _COUNTS and self.rng.random() < share:
            return self.hostile()
        return self.sensible(name)
