#!/usr/bin/env python3
"""Largest error of elementwise kernels over all float32, or over every so many of them.

usage: ulp_sweep.py [--isa ISA] [--stride N] [--from X --to X] [--float64] [--bits] [--jobs N] [OPERATION ...]

Prints for each operation the largest error in units in the last place (ulp) of the exact result, and where
it is. With --stride 1 every float32 is taken, 2^32 of them: 10 to 80 seconds for an operation.

float32 is held against the same operation in double, whose own error (below 2 ulp of double, 4e-9 ulp of
float) is first measured against the plain reference (the C library's long double) at 2^18 arguments.
--float64 takes random doubles, as many as float32 would be, against that reference rounded to double, so
these errors are known up to 0.5 ulp. `power` takes random pairs. --bits compares all instruction sets.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ranvier import _core

KERNELS = _core.kernels
REFERENCE = KERNELS.table("reference")
FLOATING = "FNA"  # domains of operations with floating-point arguments
UNARY = [name for name, arity, domain, _ in KERNELS.elementwise_ops if arity == 1 and domain in FLOATING]
TO_BOOL = {name for name, *_, result in KERNELS.elementwise_ops if result == "B"}
PAIRS = ["power"]
CHUNK = 1 << 16  # arguments and results of a chunk stay in the second-level cache
PARTS = 64  # of a sweep, shared out over the processes
HALF = 0.5
DOUBLE_ERROR = 4.5  # ulp: the most that the double kernels may be off, the reference's rounding included


@dataclass(frozen=True)
class Options:
    """What the command line says, for a process of the pool."""

    isa: str
    stride: int
    low: float
    high: float
    float64: bool
    bits: bool


@dataclass
class Worst:
    """The largest error so far, its arguments, and how many arguments there were."""

    error: float = -1.0
    at: tuple[Any, ...] = ()
    count: int = 0
    different: int = 0

    def join(self, other: Worst) -> None:
        if other.error > self.error:
            self.error, self.at = other.error, other.at
        self.count += other.count
        self.different += other.different


def apply(table: dict[str, Any], op: str, *arguments: np.ndarray) -> np.ndarray:
    """The kernel's result, in the arguments' type (or bool)."""
    x = arguments[0]
    out = np.empty(len(x), bool if op in TO_BOOL else x.dtype)
    table["ew_lookup"](op, x.dtype.name, "arrays")(len(x), out, *arguments, *[None] * (3 - len(arguments)))
    return out


def ulps(actual: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The distance in ulps of `exact` in the type of `actual`. Infinite where only one is NaN, or they
    are zeros of different sign; infinity counts as the next power of two."""
    info = np.finfo(actual.dtype)
    wide = np.float64 if actual.dtype == np.float32 else np.longdouble
    limit = wide(2) ** info.maxexp
    a = np.clip(actual.astype(wide), -limit, limit)
    e = np.clip(exact.astype(wide), -limit, limit)
    _, exponent = np.frexp(np.minimum(np.abs(e), limit / 2))
    size = np.ldexp(wide(1), np.maximum(exponent - 1, info.minexp) - info.nmant)
    distance = np.where(np.isnan(a) & np.isnan(e), 0, np.abs(a - e) / size)
    other_zero = (a == 0) & (e == 0) & (np.signbit(a) != np.signbit(e))
    return np.where(np.isnan(distance) | other_zero, np.inf, distance)


def steps_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many float32 lie between, roughly: cheap, and never 0 where the bits differ."""
    distance = a.view(np.int32) - b.view(np.int32)  # signs differ: wraps to something large
    return np.abs(distance, out=distance).view(np.uint32)


def largest_error(actual: np.ndarray, exact: np.ndarray) -> tuple[float, int]:
    """Of a chunk, and where. For float32 only candidates are looked at closely: the error is within half an
    ulp of the distance from the rounded exact result. HALF: the exact result, correctly rounded."""
    if actual.dtype == np.bool_:
        return float((actual != exact).any()), int(np.argmax(actual != exact))
    if actual.dtype == np.float64:
        error = ulps(actual, exact)
        return float(error.max()), int(error.argmax())
    apart = steps_apart(actual, exact.astype(np.float32))
    for least in (2, 1):  # two NaN may be far apart, so that nothing is found in the first attempt
        candidates = np.flatnonzero(apart >= least)
        error = ulps(actual[candidates], exact[candidates])
        if len(error) and error.max() > least - 0.5:
            return float(error.max()), int(candidates[error.argmax()])
    return HALF, 0


def floats(part: int, options: Options) -> Iterator[tuple[np.ndarray, ...]]:
    """Chunks of the part's float32 within the bounds."""
    begin, end = (2**32 * i // PARTS for i in (part, part + 1))
    offset = -begin % options.stride
    x = np.empty(0, np.float32)
    for first in range(begin + offset, end, CHUNK * options.stride):
        last = min(first + CHUNK * options.stride, end)
        x = np.arange(first, last, options.stride, dtype=np.int64).astype(np.uint32).view(np.float32)
        if options.low > -np.inf or options.high < np.inf:
            x = x[~((x < options.low) | (x > options.high))]
        if len(x):
            yield (x,)


def doubles(
    part: int, options: Options, arity: int, dtype: type = np.float64
) -> Iterator[tuple[np.ndarray, ...]]:
    """Chunks of random arguments: half over all bit patterns, half of usual sizes."""
    rng = np.random.default_rng(part)
    size = np.dtype(dtype).itemsize

    def draw() -> np.ndarray:
        patterns = np.frombuffer(rng.bytes(size * CHUNK), dtype)
        usual = rng.uniform(-1, 1, CHUNK) * 10.0 ** rng.uniform(-6, 3, CHUNK)
        return np.where(rng.random(CHUNK) < 0.5, patterns, usual).astype(dtype)

    for _ in range(max(1, 2**32 // options.stride // CHUNK // PARTS)):
        arguments = tuple(draw() for _ in range(arity))
        inside = ~((arguments[0] < options.low) | (arguments[0] > options.high))
        yield arguments if inside.all() else tuple(x[inside] for x in arguments)


def sweep_part(op: str, part: int, options: Options) -> Worst:
    """The largest error in one part of the arguments."""
    tables = {isa: KERNELS.table(isa) for isa in KERNELS.isas}
    arity = 2 if op in PAIRS else 1
    random = options.float64 or arity == 2
    dtype = np.float64 if options.float64 else np.float32
    worst = Worst()
    with np.errstate(all="ignore"):
        for arguments in doubles(part, options, arity, dtype) if random else floats(part, options):
            actual = apply(tables[options.isa], op, *arguments)
            truth = REFERENCE if options.float64 else tables[options.isa]
            exact = apply(truth, op, *(x.astype(np.float64) for x in arguments))
            error, i = largest_error(actual, exact)
            worst.join(Worst(error, tuple(x[i] for x in arguments), len(arguments[0])))
            for isa in tables if options.bits else ():
                differ = apply(tables[isa], op, *arguments).view(f"u{actual.itemsize}") != actual.view(
                    f"u{actual.itemsize}"
                )
                worst.different += int((differ & (actual == actual)).sum())
    return worst


def check_doubles(op: str, options: Options) -> None:
    """The double kernels, which judge the float32 ones, against the plain reference.

    Raises:
        SystemExit: if they are not good enough for that.
    """
    wide = Options(options.isa, 2**32 // (4 * CHUNK * PARTS) * PARTS, -np.inf, np.inf, True, False)
    for part in range(4):
        worst = sweep_part(op, part, wide)
        if worst.error > DOUBLE_ERROR:
            raise SystemExit(f"{op} in double is off by {worst.error} ulp at {worst.at}: no judge of float32")


def sweep(op: str, options: Options, pool: concurrent.futures.Executor) -> None:
    """Prints the operation's row."""
    start = time.perf_counter()
    if not options.float64:
        check_doubles(op, options)
    worst = Worst()
    for part in pool.map(sweep_part, [op] * PARTS, range(PARTS), [options] * PARTS):
        worst.join(part)
    bits = "" if not options.bits else ", same bits" if not worst.different else f", {worst.different} DIFFER"
    at = "correctly rounded" if worst.error == HALF else f"at {', '.join(map(str, worst.at))}"
    print(
        f"{op:12} {options.isa:9} {worst.error:7.4f} ulp {at:31} {worst.count:>13,} arguments{bits},"
        f" {time.perf_counter() - start:.0f} s",
        flush=True,
    )


def main() -> None:
    """Sweeps the operations named, or all unary ones of floating-point numbers."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    known = UNARY + PAIRS
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"of {', '.join(known)}")
    parser.add_argument(
        "--isa", choices=KERNELS.isas, default=KERNELS.isas[-1], help="whose errors (the strongest)"
    )
    parser.add_argument("--stride", type=int, default=1021, help="every so many floats (1021)")
    parser.add_argument("--from", dest="low", type=float, default=-np.inf, help="smallest argument")
    parser.add_argument("--to", dest="high", type=float, default=np.inf, help="largest argument")
    parser.add_argument("--float64", action="store_true", help="random doubles instead")
    parser.add_argument("--bits", action="store_true", help="compare all instruction sets' bits")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    given = parser.parse_args()
    options = Options(given.isa, given.stride, given.low, given.high, given.float64, given.bits)
    with concurrent.futures.ProcessPoolExecutor(given.jobs) as pool:
        for op in given.operations or known:
            if op not in known:
                parser.error(f"'{op}' is not one of {', '.join(known)}")
            sweep(op, options, pool)


if __name__ == "__main__":
    main()
