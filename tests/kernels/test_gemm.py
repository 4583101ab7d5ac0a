"""Whole products, as planned and run: sizes at the edges of tiles and blocks, all paths, threads, epilogues.

An element of the product of depth k is a chain of k fused multiply-adds: within k eps sum |a||b| of the exact
value, and the reference (double for float32, long double for float64) within its last rounding. In strips the
chains are shorter, and folding their ends adds four roundings (float64: three).
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.kernels.harness import (
    ISAS,
    KERNELS,
    SIZES,
    TABLES,
    assert_same_bits,
    assert_untouched,
    assert_within,
    guarded,
    guarded_empty,
    unit_roundoff,
)

COVERED = {
    f"gemm_{kernel}_{suffix}"
    for kernel, suffix in itertools.product(("block", "pack", "pack_a", "thin", "dot"), ("f32", "f64"))
}
COVERED |= {"gemm_tile_shape"}

TRANSPOSED = list(itertools.product((False, True), repeat=2))
FLOATS = ("float32", "float64")
STRIP = {"float32": 16, "float64": 8}  # lanes along k of a product that is a vector

# The bits of GemmPath (csrc/kernels/gemm/gemm_path.h) that the shapes here must reach.
PATHS = {
    "in place": 0,
    "pack B": 1,
    "whole": 2,
    "thin columns": 4,
    "thin rows": 8,
    "pack A": 64,
    "turned": 128,
    "dots": 256,
}


def tile(isa: str, dtype: str) -> tuple[int, int]:
    rows, cols, panel_rows = (np.zeros(1, np.int64) for _ in range(3))
    TABLES[isa]["gemm_tile_shape"](dtype, rows, cols, panel_rows)
    return int(rows[0]), int(cols[0])


def edges(dtype: str) -> tuple[list[int], list[int]]:
    """Numbers of rows and columns around the register tiles of all instruction sets."""
    rows, cols = {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 16, 17}
    for isa in ISAS:
        r, c = tile(isa, dtype)
        rows |= {r - 1, r, r + 1, 2 * r + 3}
        cols |= {c // 2 - 1, c // 2 + 1, c - 1, c, c + 1, 2 * c + 5}
    return sorted(rows), sorted(cols)


def matrix(
    rows: int, cols: int, dtype: str, transposed: bool, slack: int, seed: int
) -> tuple[np.ndarray, int]:
    """Memory for a matrix, and its leading dimension: `slack` elements (NaN: not to be read) follow a row."""
    rng = np.random.default_rng(seed)
    lines, length = (cols, rows) if transposed else (rows, cols)
    if np.dtype(dtype).kind == "i":
        info = np.iinfo(dtype)
        values = rng.integers(info.min, info.max, (lines, length + slack), dtype)
    else:
        values = (rng.normal(size=(lines, length + slack)) * 10.0 ** rng.uniform(-1, 1)).astype(dtype)
        values[:, length:] = np.nan
    flat = values.ravel()
    return flat[: len(flat) - slack] if slack else flat, length + slack  # nothing follows the last row


def dense(memory: np.ndarray, leading: int, rows: int, cols: int, transposed: bool) -> np.ndarray:
    lines, length = (cols, rows) if transposed else (rows, cols)
    x = np.lib.stride_tricks.as_strided(memory, (lines, length), (leading * memory.itemsize, memory.itemsize))
    return x.T if transposed else x


Shape = tuple[int, int, int]


def product(
    isa: str,
    shape: Shape,
    transposed: tuple[bool, bool],
    a: tuple[np.ndarray, int],
    b: tuple[np.ndarray, int],
    slack: int,
    threads: int,
    watched: bool = True,
    bf16_dot: bool = True,
    strips: bool = False,
) -> tuple[np.ndarray, int, int]:
    """C, the path and the threads. Checks what an epilogue sees, and what lies around C's rows. Operands of
    uint16 hold bfloat16."""
    m, n, _ = shape
    dtype = a[0].dtype if a[0].dtype != np.uint16 else np.dtype(np.float32)
    c = guarded_empty(max(0, m * (n + slack) - slack), dtype)
    before = c.copy()
    visits, copy = np.zeros((m, n), np.int32), np.empty((m, n), dtype)
    options: dict[str, Any] = {"copy": copy, "visits": visits} if watched else {}
    leading = [a[1], b[1], n + slack]
    options |= {"bf16_dot": bf16_dot, "strips": strips}
    path, used = KERNELS.gemm(isa, shape, transposed, leading, a[0], b[0], c, threads, **options)
    rows = np.lib.stride_tricks.as_strided(c, (m, n), ((n + slack) * dtype.itemsize, dtype.itemsize)).copy()
    assert_untouched(c)
    outside = np.ones(len(c), bool)
    outside[(np.arange(m)[:, None] * (n + slack) + np.arange(n)).ravel()] = False
    assert_same_bits(c[outside], before[outside], "between the rows of C")
    if watched and isa != "reference":
        assert (visits == 1).all(), "the epilogue must see every element once"
        assert_same_bits(copy, rows, "the epilogue must see finished elements")
    return rows, path, used


def check(
    shape: Shape,
    dtype: str,
    transposed: tuple[bool, bool],
    slack: int = 0,
    threads: tuple[int, ...] = (1,),
    isas: tuple[str, ...] = ISAS,
    strips: bool = False,
) -> dict[str, tuple[int, int]]:
    """Against the reference, and between instruction sets and threads. Returns path and threads by set."""
    m, n, k = shape
    a = matrix(m, k, dtype, transposed[0], slack, 1)
    b = matrix(k, n, dtype, transposed[1], slack, 2)
    a, b = (guarded(a[0]), a[1]), (guarded(b[0]), b[1])
    bound: np.ndarray | float = 0.0
    if dtype in FLOATS:
        left, right = (
            x.astype(np.float64) for x in (dense(*a, m, k, transposed[0]), dense(*b, k, n, transposed[1]))
        )
        chain = -(-k // STRIP[dtype]) + 4 if strips else k
        bound = (chain + 1) * 1.01 * unit_roundoff(np.dtype(dtype)) * (np.abs(left) @ np.abs(right))
    if m * n * k > 2**26:  # the reference would take a second
        assert dtype == "float32"
        expected = left @ right
    else:
        expected, _, _ = product("reference", shape, transposed, a, b, slack, 1)
    ran, first = {}, None
    for isa in isas:
        for count in threads:
            what = f"{shape} {dtype} {transposed} on {isa} with {count} threads"
            actual, path, used = product(
                isa, shape, transposed, a, b, slack, count, slack > 0 or count > 1, strips=strips
            )
            if dtype in FLOATS:
                assert_within(actual, expected, bound, what)
            first = actual if first is None else first
            assert_same_bits(actual, first if dtype in FLOATS else expected, what)
        ran[isa] = (path, used)
    return ran


@pytest.mark.parametrize("transposed", TRANSPOSED)
@pytest.mark.parametrize("dtype", FLOATS)
def test_edges_of_tiles(dtype: str, transposed: tuple[bool, bool]) -> None:
    rows, cols = edges(dtype)
    depths = (0, 1, 2, 7, 8, 17, 33)
    for i, (m, n) in enumerate(itertools.product(rows, cols)):
        check((m, n, depths[i % len(depths)]), dtype, transposed, slack=(0, 3)[i % 2])


@pytest.mark.parametrize("transposed", TRANSPOSED)
@pytest.mark.parametrize("dtype", FLOATS)
def test_thin_shapes(dtype: str, transposed: tuple[bool, bool]) -> None:
    for short, long, k in itertools.product((1, 2, 3, 4), (63, 65, 130), (1, 15, 16, 17, 70)):
        check((short, long, k), dtype, transposed, slack=1)
        check((long, short, k), dtype, transposed)


@pytest.mark.parametrize("transposed", TRANSPOSED)
@pytest.mark.parametrize("dtype", FLOATS)
def test_empty_shapes(dtype: str, transposed: tuple[bool, bool]) -> None:
    for shape in itertools.product((0, 3, 70), repeat=3):
        if 0 in shape:
            check(shape, dtype, transposed, slack=2, threads=(1, 4))


# Large enough for blocks, packing and several threads; no size is a multiple of anything.
LARGE: list[Shape] = [
    (67, 93, 515),
    (131, 259, 77),
    (515, 67, 93),
    (259, 1201, 19),
    (5, 1025, 301),
    (41, 1031, 263),
    (131, 1031, 263),
    (521, 10, 333),
    (261, 75, 1031),
]


@pytest.mark.parametrize("transposed", TRANSPOSED)
@pytest.mark.parametrize("dtype", FLOATS)
def test_blocks_and_threads(dtype: str, transposed: tuple[bool, bool]) -> None:
    used = 1
    for shape in LARGE:
        ran = check(shape, dtype, transposed, threads=(1, 2, 4))
        used = max(used, *(threads for _, threads in ran.values()))
    assert used > 1, "no product was shared by threads"


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_path_is_reached(dtype: str) -> None:
    """Paths are chosen by shape: these shapes must reach all of them on every instruction set."""
    shapes = [*LARGE, (3, 130, 70), (130, 3, 70), (9, 9, 9), (1, 70, 70)]
    for isa in ISAS:
        reached = set()
        for (m, n, k), (trans_a, trans_b) in itertools.product(shapes, TRANSPOSED):
            a, b, c = np.ones(m * k, dtype), np.ones(k * n, dtype), np.empty((m, n), dtype)
            leading = [m if trans_a else k, k if trans_b else n, n]
            path, _ = KERNELS.gemm(
                isa, (m, n, k), (trans_a, trans_b), leading, a, b, c, 2, strips=m == 1 and trans_b
            )
            assert (c == k).all()
            reached |= {bit for bit in PATHS.values() if (path & bit) or path == bit}
        assert reached == set(PATHS.values()), (
            isa,
            [name for name, bit in PATHS.items() if bit not in reached],
        )


@pytest.mark.parametrize("transposed", TRANSPOSED)
def test_a_product_in_several_passes(transposed: tuple[bool, bool]) -> None:
    """A B beyond the caches, packed block by block over its columns and over k; A in pieces of its rows. The
    emulated multiply-adds of the weakest instruction set would take seconds."""
    fused = ISAS[1:] or ISAS
    check((163, 1601, 1709), "float32", transposed, threads=(1, 2, 4, 6), isas=fused)


def in_strips(lines: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """The dot products of lines, by the definition, each multiply-add rounded from exact numbers. (A float32
    is rounded to double first, which matters once in 2^29 times.)"""
    number, lanes = lines.dtype.type, STRIP[lines.dtype.name]
    result = np.empty(len(lines), lines.dtype)
    for q, line in enumerate(lines):
        sums = np.zeros(lanes, lines.dtype)
        for p, (x, y) in enumerate(zip(line.tolist(), vector.tolist(), strict=True)):
            sums[p % lanes] = number(float(Fraction(x) * Fraction(y) + Fraction(float(sums[p % lanes]))))
        while len(sums) > 1:
            sums = sums[: len(sums) // 2] + sums[len(sums) // 2 :]
        result[q] = sums[0]
    return result


@pytest.mark.parametrize("dtype", FLOATS)
def test_vectors_are_summed_in_strips(dtype: str) -> None:
    rng = np.random.default_rng(7)
    for lines, k in ((1, 1), (2, 7), (3, 8), (5, 16), (9, 17), (15, 40), (17, 67)):
        x, y = rng.normal(size=(lines, k)).astype(dtype), rng.normal(size=k).astype(dtype)
        expected = in_strips(x, y)
        for isa, across in itertools.product(ISAS, (False, True)):
            c = np.empty(lines, dtype)
            shape, leading = ((1, lines, k), [k, k, lines]) if across else ((lines, 1, k), [k, 1, 1])
            a, b = (y, x.ravel()) if across else (x.ravel(), y)
            KERNELS.gemm(isa, shape, (False, across), leading, a, b, c, strips=True)
            assert_same_bits(c, expected, (isa, shape))


@pytest.mark.parametrize("dtype", FLOATS)
def test_strips(dtype: str) -> None:
    """All that may be summed in strips: with one element, a column or a row of many, shared by threads."""
    for i, k in enumerate(SIZES):
        for transposed in ((False, False), (False, True), (True, True)):
            check((1, 1, k), dtype, transposed, slack=2, strips=True)
        for lines in (2, 7, 16 + i):
            for transposed in TRANSPOSED:
                slack = (0, 3)[lines % 2]
                if not transposed[0]:
                    check((lines, 1, k), dtype, transposed, slack, strips=True)
                if transposed[1]:
                    check((1, lines, k), dtype, transposed, slack, strips=True)
    check((1, 1, 70), dtype, (True, False), strips=True)
    used = 1
    for shape, transposed in (((801, 1, 515), (False, False)), ((1, 801, 515), (True, True))):
        ran = check(shape, dtype, transposed, slack=1, threads=(1, 2, 4), strips=True)
        used = max(used, *(threads for _, threads in ran.values()))
    assert used > 1, "no product was shared by threads"


def test_strips_are_of_vectors_that_lie_along_k() -> None:
    x = np.ones(100, np.float32)
    for shape, transposed in (
        ((2, 3, 4), (False, True)),
        ((1, 3, 4), (False, False)),
        ((3, 1, 4), (True, True)),
    ):
        with pytest.raises(ValueError, match="strips"):
            KERNELS.gemm(ISAS[0], shape, transposed, [4, 4, 4], x, x, x.copy(), strips=True)


@pytest.mark.parametrize("transposed", TRANSPOSED)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers_wrap(dtype: str, transposed: tuple[bool, bool]) -> None:
    for shape in ((1, 1, 1), (3, 5, 7), (17, 33, 40), (2, 3, 0), (0, 3, 2)):
        check(shape, dtype, transposed, slack=1, threads=(1, 2))


@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values_stay_in_their_row_and_column(dtype: str) -> None:
    info = np.finfo(dtype)
    shapes = ((9, 35, 20), (70, 130, 33), (3, 65, 18), (65, 3, 18), (65, 1, 18))
    for (m, n, k), transposed in itertools.product(shapes, TRANSPOSED):
        strips = n == 1 and not transposed[0]
        a = np.ones((m, k), dtype)
        b = np.ones((k, n), dtype)
        a[0, 0], a[1, k - 1], a[2, 1] = np.nan, np.inf, info.max
        b[0, 0], b[1, -1] = -np.inf, info.smallest_subnormal
        memory = [
            np.ascontiguousarray(x.T if t else x).ravel() for x, t in zip((a, b), transposed, strict=True)
        ]
        leading = [m if transposed[0] else k, k if transposed[1] else n]
        operands = [(guarded(x), lead) for x, lead in zip(memory, leading, strict=True)]
        with np.errstate(all="ignore"):
            expected = (a.astype(np.longdouble) @ b.astype(np.longdouble)).astype(dtype)
        for isa in ISAS:
            actual, _, _ = product(isa, (m, n, k), transposed, *operands, 0, 1, strips=strips)
            np.testing.assert_array_equal(np.isfinite(actual), np.isfinite(expected), f"{isa} {(m, n, k)}")
            np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected), f"{isa} {(m, n, k)}")
            np.testing.assert_allclose(actual, expected, rtol=k * float(info.eps))


def test_sizes_that_do_not_fit_are_refused() -> None:
    x = np.zeros(100, np.float32)
    for depth, leading in ((-1, (3, 3, 3)), (3, (2, 3, 3)), (3, (3, 2, 3)), (3, (3, 3, 2))):
        with pytest.raises(ValueError, match="gemm: "):
            KERNELS.gemm(ISAS[0], (3, 3, depth), (False, False), leading, x, x, x.copy())
