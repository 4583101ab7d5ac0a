"""Products of bfloat16 summed in float32: one arithmetic, by the processor's instruction and without it.

A word of two numbers adds two fused multiply-adds, its upper half's first, in which denormal operands and
results are zeros. An element of depth k is k of them: within k eps sum |a||b| of the exact value, and k of
the smallest normal number for what is flushed.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from tests.kernels.harness import (
    ISAS,
    KERNELS,
    REFERENCE,
    SIZES,
    TABLES,
    assert_same_bits,
    assert_within,
    guarded,
    guarded_empty,
    unit_roundoff,
)
from tests.kernels.test_gemm import TRANSPOSED, Shape, dense, edges, matrix, product

COVERED = {"gemm_block_bf16", "gemm_block_bf16_dot", "gemm_pack_bf16", "gemm_pack_a_bf16"}
COVERED |= {"bf16_from_f32", "f32_from_bf16"}

# The instruction's kernel runs where the processor has it, and is the other one below AVX-512.
BLOCKS = [(isa, "gemm_block_bf16") for isa in ISAS]
BLOCKS += [(isa, "gemm_block_bf16_dot") for isa in ISAS if isa != "avx512" or KERNELS.bf16_dot]

ZEROS_AND_LIMITS = (
    0x0000,
    0x0001,
    0x007F,
    0x0080,
    0x0081,
    0x1F80,
    0x3F80,
    0x3F81,
    0x5F80,
    0x7F7F,
    0x7F80,
    0x7FC0,
)
SPECIAL = np.array([sign | x for sign in (0, 0x8000) for x in ZEROS_AND_LIMITS], np.uint16)
SMALLEST_NORMAL = 2.0**-126


def to_bf16(x: np.ndarray) -> np.ndarray:
    x = np.ascontiguousarray(x, np.float32)
    out = np.empty(x.shape, np.uint16)
    REFERENCE["bf16_from_f32"](x.size, x, out)
    return out


def to_float(x: np.ndarray) -> np.ndarray:
    """The float32 that a bfloat16 is; denormal ones stay what they are."""
    return (x.astype(np.uint32) << 16).view(np.float32)


def flushed(x: np.float32) -> float:
    return float(np.copysign(np.float32(0), x)) if abs(x) < SMALLEST_NORMAL else float(x)


def rounded(exact: Fraction) -> float:
    """The nearest float32, ties to even, and a zero where that would be denormal."""
    sign = -1.0 if exact < 0 else 1.0
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()  # the logarithm, or one above
    if size < Fraction(2) ** exponent:
        exponent -= 1
    place = Fraction(2) ** (exponent - 23)
    size = round(size / place) * place  # round() takes ties to even
    if size < Fraction(SMALLEST_NORMAL):
        return sign * 0.0
    return sign * (float("inf") if size >= Fraction(2) ** 128 else float(size))


def multiply_add(a: np.float32, b: np.float32, acc: np.float32) -> np.float32:
    """One step of the instruction, from exact numbers."""
    x, y, z = flushed(a), flushed(b), flushed(acc)
    if (
        not np.isfinite([x, y, z]).all() or x * y == 0 and z == 0
    ):  # IEEE's rules for NaN, infinities, signs of zeros
        with np.errstate(all="ignore"):
            return np.float32(np.float64(x) * np.float64(y) + np.float64(z))
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    return np.float32(rounded(exact) if exact else 0.0)


def words(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Pairs [count, 2] of bfloat16 of a kind, the lower half of a word first."""
    if kind == "specials":
        return rng.choice(SPECIAL, (count, 2))
    anything = rng.integers(0, 1 << 16, (count, 2), np.uint16)
    if kind == "anything":
        return anything
    first = {"near one": 120, "near the smallest normal": 62}[kind]
    exponents = rng.integers(first, first + 6, (count, 2), np.uint16)
    return (anything & 0x807F) | exponents << 7


@pytest.mark.parametrize("kind", ["near one", "near the smallest normal", "anything", "specials"])
def test_one_word_is_two_fused_multiply_adds(kind: str) -> None:
    """All of a row's words times all of a column's, onto a C of the same kind."""
    rng = np.random.default_rng(3)
    m, n = 19, 67
    a, b = words(kind, m, rng), words(kind, n, rng)
    x, y = to_float(a), to_float(b)
    start = rng.choice(to_float(SPECIAL), (m, n)) if kind == "specials" else np.empty((m, n), np.float32)
    for i, j in itertools.product(range(m), range(n)) if kind != "specials" else ():
        with np.errstate(
            all="ignore"
        ):  # as large as a product of the row and column, and now and then minus it
            product_of_both = np.float32(np.float64(x[i, 1]) * np.float64(y[j, 1]))
        start[i, j] = -product_of_both if (i + j) % 3 == 0 else rng.permuted(x[i])[0] * rng.normal()
    expected = np.empty((m, n), np.float32)
    for i, j in itertools.product(range(m), range(n)):
        expected[i, j] = multiply_add(x[i, 0], y[j, 0], multiply_add(x[i, 1], y[j, 1], start[i, j]))
    for isa, name in BLOCKS:
        c = start.copy()
        one, other = a.view(np.uint32).ravel(), b.view(np.uint32).ravel()
        TABLES[isa][name](m, n, 1, one, 1, False, other, n, c, n, True)
        assert_same_bits(c, expected, f"{name} on {isa}, {kind}")


def operands(shape: Shape, transposed: tuple[bool, bool], slack: int) -> list[tuple[np.ndarray, int]]:
    m, n, k = shape
    made = [
        matrix(rows, cols, "float32", t, slack, seed)
        for rows, cols, t, seed in ((m, k, transposed[0], 1), (k, n, transposed[1], 2))
    ]
    return [(guarded(to_bf16(memory)), leading) for memory, leading in made]


def check(
    shape: Shape, transposed: tuple[bool, bool], slack: int = 0, threads: tuple[int, ...] = (1,)
) -> int:
    """Against the reference, and between instruction sets, threads, and with the instruction switched off.
    Returns the most threads used."""
    m, n, k = shape
    a, b = operands(shape, transposed, slack)
    left, right = (
        to_float(dense(*x, *size, t)).astype(np.float64)
        for x, size, t in zip((a, b), ((m, k), (k, n)), transposed, strict=True)
    )
    bound = k * 1.01 * unit_roundoff(np.dtype(np.float32)) * (np.abs(left) @ np.abs(right))
    expected, _, _ = product("reference", shape, transposed, a, b, slack, 1)
    bound += (
        np.spacing(np.abs(expected)) / 2 + k * SMALLEST_NORMAL
    )  # the reference's own rounding; what is flushed
    first, most = None, 0
    for isa, count, dot in itertools.product(ISAS, threads, (True, False)):
        if dot and isa != "avx512":
            continue  # the same kernel
        what = f"{shape} {transposed} on {isa} with {count} threads, instruction {dot}"
        watched = slack > 0 or count > 1
        actual, _, used = product(isa, shape, transposed, a, b, slack, count, watched, dot)
        assert_within(actual, expected, bound, what)
        first = actual if first is None else first
        assert_same_bits(actual, first, what)
        most = max(most, used)
    return most


@pytest.mark.parametrize("transposed", TRANSPOSED)
def test_edges_of_tiles(transposed: tuple[bool, bool]) -> None:
    rows, cols = edges("float32")
    depths = (0, 1, 2, 3, 8, 31, 33, 66)
    for i, (m, n) in enumerate(itertools.product(rows, cols)):
        check((m, n, depths[i % len(depths)]), transposed, slack=(0, 3)[i % 2])


@pytest.mark.parametrize("transposed", TRANSPOSED)
def test_empty_shapes(transposed: tuple[bool, bool]) -> None:
    for shape in itertools.product((0, 3, 70), repeat=3):
        if 0 in shape:
            check(shape, transposed, slack=2, threads=(1, 4))


@pytest.mark.parametrize("transposed", TRANSPOSED)
def test_blocks_and_threads(transposed: tuple[bool, bool]) -> None:
    """Several tasks, several pieces of a task's rows, k in several blocks, whole and odd."""
    shapes = ((67, 93, 515), (1, 259, 77), (259, 1, 300), (259, 1301, 19), (131, 75, 2117), (301, 41, 901))
    used = [check(shape, transposed, threads=(1, 2, 4)) for shape in shapes]
    assert max(used) > 1, "no product was shared by threads"


def test_an_odd_depth_ends_with_zero() -> None:
    """What follows the last element of a line is no part of the product, be it NaN; its own specials are."""
    m, n, k = 3, 5, 7
    for special, transposed in itertools.product((0x7F80, 0x7FC0, 0xFF80), TRANSPOSED):
        a, b = (np.full((rows, cols), 0x3F80, np.uint16) for rows, cols in ((m, k), (k, n)))
        a[1, k - 1] = special
        memory = [np.ascontiguousarray(x.T if t else x) for x, t in zip((a, b), transposed, strict=True)]
        lines = [np.full((x.shape[0], x.shape[1] + 1), 0x7FC0, np.uint16) for x in memory]
        for line, x in zip(lines, memory, strict=True):
            line[:, :-1] = x
        expected = to_float(a).astype(np.float64) @ to_float(b)
        for isa, dot in itertools.product(ISAS, (True, False)):
            left, right = ((line.ravel(), line.shape[1]) for line in lines)
            actual, _, _ = product(isa, (m, n, k), transposed, left, right, 0, 1, bf16_dot=dot)
            np.testing.assert_array_equal(actual, expected, f"{isa} {special:#x} {transposed}")


def test_other_mixtures_are_refused() -> None:
    half, full = np.zeros(9, np.uint16), np.zeros(9, np.float32)
    for a, b, c in ((half, full, full), (full, half, full), (half, half, np.zeros(9)), (half, half, half)):
        with pytest.raises(ValueError, match="expected|bfloat16"):
            KERNELS.gemm(ISAS[0], (3, 3, 3), (False, False), (3, 3, 3), a, b, c.copy())


def floats_around_ties() -> np.ndarray:
    """Every bfloat16, and the floats at, above and below the middle and the ends of the way to the next."""
    upper = np.arange(1 << 16, dtype=np.uint32)[:, None] << 16
    rest = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    return (upper | rest).ravel().view(np.float32)


@pytest.mark.parametrize("isa", [*ISAS, "reference"])
def test_conversion_from_float32(isa: str) -> None:
    table = REFERENCE if isa == "reference" else TABLES[isa]
    x = floats_around_ties()
    out = guarded_empty(len(x), np.uint16)
    table["bf16_from_f32"](len(x), guarded(x), out)
    number = ~np.isnan(x)
    back = to_float(out)
    np.testing.assert_array_equal(np.isnan(back), ~number)
    assert (out[~number] & 0x40).all(), "a NaN must be quiet"
    np.testing.assert_array_equal(np.signbit(back), np.signbit(x))

    # No neighbour is nearer; at the same distance, the last bit is zero. 2^128 stands for infinity.
    def size(bits: np.ndarray) -> np.ndarray:
        finite = np.minimum(bits & 0x7FFF, 0x7F80)
        return np.where(finite == 0x7F80, 2.0**128, to_float(np.minimum(finite, 0x7F7F)).astype(np.float64))

    exact = np.abs(np.where(number, x, 0).astype(np.float64))
    exact[np.isinf(exact)] = 2.0**128
    distance = np.abs(size(out) - exact)
    for step in (-1, 1):
        neighbour = np.clip((out & 0x7FFF).astype(np.int64) + step, 0, 0x7F80).astype(np.uint16)
        other = np.abs(size(neighbour) - exact)
        better = (distance < other) | ((distance == other) & ((out & 1 == 0) | (neighbour == out & 0x7FFF)))
        assert better[number].all(), x[number][~better[number]][:3]
    assert_same_bits(out, to_bf16(x), isa)


@pytest.mark.parametrize("isa", [*ISAS, "reference"])
def test_conversion_to_float32(isa: str) -> None:
    table = REFERENCE if isa == "reference" else TABLES[isa]
    x = np.arange(1 << 16, dtype=np.uint16)
    for count in (*SIZES, len(x)):
        out = guarded_empty(count, np.float32)
        table["f32_from_bf16"](count, guarded(x[len(x) - count :]), out)
        np.testing.assert_array_equal(out.view(np.uint32), x[len(x) - count :].astype(np.uint32) << 16)
        again = guarded_empty(count, np.uint16)
        table["bf16_from_f32"](count, out, again)
        number = ~np.isnan(out)
        np.testing.assert_array_equal(again[number], x[len(x) - count :][number])
