"""The matrix products that are measured alone: square ones, those of training dense networks, ragged ones."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

SQUARES = (64, 256, 1024, 2048)
BATCHES = (1, 8, 32, 128, 512)
LAYERS = ((2, 10), (32, 10), (784, 128), (1024, 2048), (2048, 2048))  # (inputs, units)
LARGE_FLOPS = 4e6  # from here on, a rival's call from Python is a small part of its time
# What product_sweep.py adds.
SWEPT_SQUARES = (64, 128, 256, 512, 1024, 2048, 4096)
SWEPT_BATCHES = (1, 8, 32, 128, 512, 2048)
SWEPT_LAYERS = (
    *((2, 10), (10, 10), (10, 2), (64, 64), (784, 128), (128, 32), (32, 10)),
    *((1024, 2048), (2048, 2048), (4096, 4096)),
)
RAGGED = ((97, 101, 103), (131, 517, 259), (1000, 333, 777), (1537, 1031, 1283))  # (m, k, n)
TOLERANCE = 1e-4  # of the largest element; rounding is under a hundredth of this


@dataclass(frozen=True)
class Shape:
    """(m, k) by (k, n); a transposed operand is stored the other way round."""

    name: str
    m: int
    k: int
    n: int
    transpose_a: bool = False
    transpose_b: bool = False
    dtype: str = "float32"

    @property
    def flops(self) -> float:
        return 2.0 * self.m * self.k * self.n

    @property
    def bytes(self) -> float:
        """Of both operands and the result."""
        cells = self.m * self.k + self.k * self.n + self.m * self.n
        return float(cells * np.dtype(self.dtype).itemsize)

    def operands(self) -> tuple[np.ndarray, np.ndarray]:
        """As they are stored, from a fixed seed."""
        rng = np.random.default_rng(0)
        a = rng.standard_normal((self.k, self.m) if self.transpose_a else (self.m, self.k), self.dtype)
        b = rng.standard_normal((self.n, self.k) if self.transpose_b else (self.k, self.n), self.dtype)
        return a, b

    def error(self, result: np.ndarray) -> float:
        """How far some rows of a result are from the truth, relative to the largest element."""
        a, b = self.operands()
        rows = np.unique([0, self.m // 2, self.m - 1])
        left = (a.T if self.transpose_a else a)[rows].astype("float64")
        truth = left @ (b.T if self.transpose_b else b).astype("float64")
        return float(np.abs(result[rows] - truth).max() / np.abs(truth).max())


def square(size: int) -> Shape:
    return Shape(f"{size} x {size} x {size}", size, size, size)


def of_training(
    batches: tuple[int, ...] = BATCHES, layers: tuple[tuple[int, int], ...] = LAYERS
) -> list[Shape]:
    """Forward, and the gradients of the kernel and of the input, of every batch size through every layer."""
    shapes = []
    for batch in batches:
        for inputs, units in layers:
            name = f"{inputs}-{units}, batch {batch}"
            shapes.append(Shape(f"{name}, forward", batch, inputs, units))
            shapes.append(Shape(f"{name}, kernel gradient", inputs, batch, units, transpose_a=True))
            shapes.append(Shape(f"{name}, input gradient", batch, units, inputs, transpose_b=True))
    return shapes


def ragged(sizes: tuple[tuple[int, int, int], ...] = RAGGED) -> list[Shape]:
    """Sizes that are no multiple of any tile, in all four transpositions."""
    shapes = []
    for m, k, n in sizes:
        for transpose_a, transpose_b in itertools.product((False, True), repeat=2):
            form = "nt"[transpose_a] + "nt"[transpose_b]
            shapes.append(Shape(f"{m} x {k} x {n} {form}", m, k, n, transpose_a, transpose_b))
    return shapes


def swept(dtype: str = "float32") -> list[Shape]:
    """The sweep: squares, products of training, ragged sizes, and for each layer a transposed pair."""
    shapes = [*map(square, SWEPT_SQUARES), *of_training(SWEPT_BATCHES, SWEPT_LAYERS), *ragged()]
    for inputs, units in SWEPT_LAYERS:
        shapes.append(Shape(f"{inputs}-{units}, both transposed", units, inputs, 128, True, True))
    return [replace(shape, dtype=dtype) for shape in shapes]
