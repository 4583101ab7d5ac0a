"""An independent oracle of the random operations: Philox 4x32-10 in NumPy, from its paper.

Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The mapping of words to
numbers is the library's own and is written out again here: it is part of the promise "same seed, same
numbers".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def words(seed: np.ndarray, blocks: int) -> np.ndarray:
    """The four 32-bit words of blocks 0, 1, ... of the stream seed = (key, stream): uint64 [blocks, 4]."""
    key, stream = (int(v) & (2**64 - 1) for v in seed)
    index = np.arange(blocks, dtype=np.uint64)
    counter = [
        index & _MASK,
        index >> _SHIFT,
        np.full(blocks, stream & 0xFFFFFFFF, np.uint64),
        np.full(blocks, stream >> 32, np.uint64),
    ]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * counter[0], np.uint64(0xCD9E8D57) * counter[2]
        counter = [
            (p1 >> _SHIFT) ^ counter[1] ^ np.uint64(k0),
            p1 & _MASK,
            (p0 >> _SHIFT) ^ counter[3] ^ np.uint64(k1),
            p0 & _MASK,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(counter, axis=1)


def _words32(seed: np.ndarray, count: int) -> np.ndarray:
    """One word for each element."""
    return words(seed, -(-count // 4)).ravel()[:count]


def _words64(seed: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The low and the high word of each element's pair."""
    pairs = words(seed, -(-count // 2)).reshape(-1, 2)[:count]
    return pairs[:, 0], pairs[:, 1]


def _fraction53(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (high >> np.uint64(5)).astype(np.float64) * 2.0**26 + (low >> np.uint64(6)).astype(np.float64)


def oracle_uniform(seed: np.ndarray, *, shape: Any, dtype: str) -> np.ndarray:
    """[0, 1) with the upper 24 bits of a word, or 53 of two."""
    count = math.prod(shape)
    if dtype == "float32":
        values = (_words32(seed, count) >> np.uint64(8)).astype(np.float64) * 2.0**-24
    else:
        values = _fraction53(*_words64(seed, count)) * 2.0**-53
    return values.reshape(shape)


def oracle_normal(seed: np.ndarray, *, shape: Any, dtype: str) -> np.ndarray:
    """Box and Muller, 1958: the cosine and the sine of a random angle, times sqrt(-2 log u)."""
    count = math.prod(shape)
    pairs = -(-count // 2)
    if dtype == "float32":
        two = _words32(seed, 2 * pairs).reshape(-1, 2)
        # Rounded to float32 as the kernel does: near 1 the logarithm sees nothing but this rounding.
        u = ((two[:, 0] >> np.uint64(1)).astype(np.float32) + np.float32(0.5)).astype(np.float64) * 2.0**-31
        turn = two[:, 1].astype(np.float64) * 2.0**-32
    else:
        four = words(seed, pairs)
        u = (_fraction53(four[:, 0], four[:, 1]) + 1.0) * 2.0**-53
        turn = four[:, 3].astype(np.float64) * 2.0**-32
    # A turn's rest is signed: it lies around its quadrant, not behind it.
    quadrant = np.floor(turn * 4)
    rest = turn * 4 - quadrant
    if dtype == "float64":
        rest = rest + (four[:, 2] >> np.uint64(1)).astype(np.float64) * 2.0**-61
    rest = np.where(rest >= 0.5, rest - 1, rest)
    angle = (quadrant + rest) * (math.pi / 2)
    radius = np.sqrt(-2 * np.log(u))
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return values.ravel()[:count].reshape(shape)


def oracle_truncated(seed: np.ndarray, *, shape: Any, dtype: str) -> np.ndarray:
    """sqrt(2) erfinv(v erf(sqrt(2))), v the middle of one of 2^24 (2^52) equal parts of (-1, 1)."""
    count = math.prod(shape)
    if dtype == "float32":
        v = ((_words32(seed, count) >> np.uint64(8)).astype(np.float64) * 2 + 1 - 2.0**24) * 2.0**-24
    else:
        low, high = _words64(seed, count)
        bits = (high >> np.uint64(6)).astype(np.float64) * 2.0**26 + (low >> np.uint64(6)).astype(np.float64)
        v = (bits * 2.0 + 1.0 - 2.0**52) * 2.0**-52
    target = v * math.erf(math.sqrt(2.0))
    return _normal_quantile(target.ravel()).reshape(shape)


def _normal_quantile(target: np.ndarray) -> np.ndarray:
    """z with erf(z / sqrt(2)) = target: a look at a table, then Newton's steps."""
    erf = np.vectorize(math.erf, otypes=[np.float64])
    grid = np.linspace(-2.5, 2.5, 2001)
    z = np.interp(target, erf(grid / math.sqrt(2.0)), grid)
    for _ in range(4):
        slope = math.sqrt(2.0 / math.pi) * np.exp(-0.5 * z * z)
        z = z - (erf(z / math.sqrt(2.0)) - target) / slope
    return z


def oracle_integers(seed: np.ndarray, *, shape: Any, low: int, high: int) -> np.ndarray:
    """low + floor(draw * (high - low) / 2^64) for a 64-bit draw."""
    first, second = _words64(seed, math.prod(shape))
    draws = ((int(b) << 32) | int(a) for a, b in zip(first, second, strict=True))
    values = [low + ((draw * (high - low)) >> 64) for draw in draws]
    return np.array(values, np.int64).reshape(shape)
