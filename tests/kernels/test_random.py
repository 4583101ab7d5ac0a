"""Random kernels: the cipher by its published vectors, laws by their references, ranges by whole streams."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.kernels.harness import (
    FLOATS,
    ISAS,
    KERNELS,
    REFERENCE,
    TABLES,
    assert_same_bits,
    assert_untouched,
    assert_within,
    guarded_empty,
)

LAWS = ("random_uniform", "random_normal", "truncated_normal")
COVERED = {f"{law}_{suffix}" for law in LAWS for suffix in FLOATS} | {"random_integers"}

FIRST_BLOCK = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)  # of key 0 and stream 0
KEYS = ((0, 0), (1, 2), (2**64 - 1, 2**64 - 1), (0x0123456789ABCDEF, 0xFEDCBA9876543210))
# The start of a stream, and where the block number's low word overflows.
STARTS = (0, 4 * 2**32 - 37, 2 * 2**32 - 70, 2**40 + 1)
LENGTHS = (0, 1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 129, 1023)

# Against the construction in double (docs/numerics.md). Normal draws: relative to max(1, |z|).
NORMAL_ERROR = {"f32": 3e-7, "f64": 3e-15}


def draw(
    table: dict[str, Any], name: str, dtype: Any, key: tuple[int, int], begin: int, end: int, *law: int
) -> np.ndarray:
    out = guarded_empty(end - begin, dtype)
    table[name](key, begin, end, *law, out)
    assert_untouched(out)
    return out


def truncated_error(z: np.ndarray, suffix: str) -> np.ndarray:
    """z = sqrt(2) erfinv(t): within 3 ulps and two roundings; t is rounded twice, which the slope magnifies
    by t dz/dt = t sqrt(pi / 2) exp(z^2 / 2)."""
    eps = float(np.finfo(FLOATS[suffix]).eps) / 2
    size = np.abs(z.astype(float))
    magnified = 0.9545 * np.sqrt(np.pi / 2) * np.exp(size**2 / 2)
    reference = 1e-15 if suffix == "f64" else 0.0  # the reference's own erf, in double
    return (2 * (3 + 2) * size + 2 * magnified) * eps + reference * (1 + magnified)


@pytest.mark.parametrize(
    "counter, key, words",
    [
        ((0,) * 4, (0,) * 2, FIRST_BLOCK),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]) -> None:
    """The vectors published with the cipher (Random123, kat_vectors, philox4x32 with 10 rounds)."""
    assert tuple(KERNELS.philox4x32(counter, key)) == words


def raw_words(table: dict[str, Any], key: tuple[int, int], blocks: int, first: int = 0) -> np.ndarray:
    """The stream's words: an integer in the widest range is its 64-bit draw less one."""
    draws = draw(
        table, "random_integers", np.int64, key, 2 * first, 2 * (first + blocks), -(2**63), 2**63 - 1
    )
    return (draws.view(np.uint64) - np.uint64(2**63) + np.uint64(1)).view(np.uint32).reshape(blocks, 4)


def test_kernels_read_the_cipher() -> None:
    for isa, (key, stream) in itertools.product(ISAS, KEYS):
        for first in (0, 5, 2**32 - 9):
            words = raw_words(TABLES[isa], (key, stream), 40, first)
            for b in range(40):
                block = first + b
                counter = (block & 0xFFFFFFFF, block >> 32, stream & 0xFFFFFFFF, stream >> 32)
                expected = KERNELS.philox4x32(counter, (key & 0xFFFFFFFF, key >> 32))
                assert words[b].tolist() == list(expected), (isa, key, stream, block)
    assert raw_words(TABLES[ISAS[-1]], (0, 0), 1)[0].tolist() == list(FIRST_BLOCK)


@pytest.mark.parametrize("suffix", FLOATS)
@pytest.mark.parametrize("law", LAWS)
def test_against_the_reference(law: str, suffix: str) -> None:
    name = f"{law}_{suffix}"
    for key, begin in itertools.product(KEYS, STARTS):
        end = begin + 1500
        # The references of the other laws are doubles for both types.
        wide = FLOATS[suffix] if law == "random_uniform" else np.float64
        expected = draw(REFERENCE, name, wide, key, begin, end)
        for isa in ISAS:
            actual = draw(TABLES[isa], name, FLOATS[suffix], key, begin, end)
            if law == "random_uniform":
                assert_same_bits(actual, expected, f"{name} on {isa}")
                assert (actual >= 0).all() and (actual < 1).all()
            elif law == "random_normal":
                bound = NORMAL_ERROR[suffix] * np.maximum(1, np.abs(expected))
                assert_within(actual, expected, bound, f"{name} on {isa}")
            else:
                assert_within(actual, expected, truncated_error(expected, suffix), f"{name} on {isa}")
                assert (np.abs(actual) < 2).all()
            if isa == ISAS[0]:
                first = actual
            assert_same_bits(actual, first, f"{name}: {isa} and {ISAS[0]}")


@pytest.mark.parametrize("low, high", [(0, 1), (-5, 5), (0, 2**31), (-(2**63), 2**63 - 1), (7, 2**62 + 3)])
def test_integers(low: int, high: int) -> None:
    for key, begin in itertools.product(KEYS, STARTS):
        expected = draw(REFERENCE, "random_integers", np.int64, key, begin, begin + 300, low, high)
        assert (expected >= low).all() and (expected < high).all()
        for isa in ISAS:
            actual = draw(TABLES[isa], "random_integers", np.int64, key, begin, begin + 300, low, high)
            assert_same_bits(actual, expected, f"integers on {isa}")


@pytest.mark.parametrize("name", sorted(COVERED))
def test_no_range_changes_a_bit(name: str) -> None:
    dtype = FLOATS.get(name[-3:], np.dtype(np.int64))
    law = () if name[-3:] in FLOATS else (-3, 1000)
    for isa, start in itertools.product(ISAS, (0, 1, 3, 62, 2 * 2**32 - 70)):
        whole = draw(TABLES[isa], name, dtype, (3, 4), start, start + 2 * max(LENGTHS), *law)
        for length, skip in itertools.product(LENGTHS, (0, 1, 2, 63)):
            part = draw(TABLES[isa], name, dtype, (3, 4), start + skip, start + skip + length, *law)
            what = f"{name}: {length} from {start} + {skip} on {isa}"
            assert_same_bits(part, whole[skip : skip + length], what)


@pytest.mark.parametrize("suffix", FLOATS)
def test_laws(suffix: str) -> None:
    """Mean and variance within five standard errors of the law's."""
    count = 200_000
    table, dtype = TABLES[ISAS[-1]], FLOATS[suffix]
    # Mean, variance, fourth central moment; of the truncated law by integration by parts.
    laws = {
        "random_uniform": (0.5, 1 / 12, 1 / 80),
        "random_normal": (0, 1, 3),
        "truncated_normal": (0, 0.77374, 1.4162),
    }
    for law, (mean, variance, fourth) in laws.items():
        x = draw(table, f"{law}_{suffix}", dtype, (11, 12), 0, count).astype(np.float64)
        assert abs(x.mean() - mean) < 5 * np.sqrt(variance / count)
        assert abs(((x - mean) ** 2).mean() - variance) < 5 * np.sqrt((fourth - variance**2) / count)
