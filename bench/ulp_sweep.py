#!/usr/bin/env python3
"""Largest error of unary elementwise kernels over all float32, or over every so many of them.

usage: ulp_sweep.py [--isa ISA] [--stride N] [--from X --to X] [--float64] [OPERATION ...]

Prints for each operation the largest error in units in the last place (ulp) of the exact result, where it
is, and whether all instruction sets give the same bits. The exact result is the plain reference, evaluated
for the same argument in double (long double inside): its own error is below 1e-8 ulp. With --stride 1 every
float32 is taken, 2^32 of them: about half an hour for an operation. --float64 takes random doubles instead,
as many as float32 would be, against the reference rounded to double (so errors are known up to 0.5 ulp).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from ranvier import _core

KERNELS = _core.kernels
REFERENCE = KERNELS.table("reference")
UNARY = [name for name, *kind in KERNELS.elementwise_ops if kind == [1, "F", "T"]]
CHUNK = 1 << 20


def apply(table: dict[str, Any], op: str, x: np.ndarray) -> np.ndarray:
    """The kernel's result, in the argument's type."""
    out = np.empty_like(x)
    table["ew_lookup"](op, x.dtype.name, "arrays")(len(x), out, x, None, None)
    return out


def ulps(actual: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The distance in ulps of `exact` in the type of `actual`. Infinite where only one of them is NaN;
    infinity counts as the next power of two."""
    info = np.finfo(actual.dtype)
    wide = np.float64 if actual.dtype == np.float32 else np.longdouble
    limit = wide(2) ** info.maxexp
    a = np.clip(actual.astype(wide), -limit, limit)
    e = np.clip(exact.astype(wide), -limit, limit)
    _, exponent = np.frexp(np.minimum(np.abs(e), limit / 2))
    size = np.ldexp(wide(1), np.maximum(exponent - 1, info.minexp) - info.nmant)
    distance = np.where(np.isnan(a) & np.isnan(e), 0, np.abs(a - e) / size)
    return np.where(np.isnan(distance), np.inf, distance)


def arguments(options: argparse.Namespace) -> Iterator[np.ndarray]:
    """Chunks of arguments within the bounds."""
    if options.float64:
        rng = np.random.default_rng(0)
        for _ in range(max(1, 2**32 // options.stride // CHUNK)):
            x = np.frombuffer(rng.bytes(8 * CHUNK), np.float64)
            usual = rng.uniform(-1, 1, CHUNK) * 10.0 ** rng.uniform(-6, 3, CHUNK)
            x = np.where(rng.random(CHUNK) < 0.5, x, usual)
            yield x[~((x < options.low) | (x > options.high))]
        return
    for first in range(0, 2**32, CHUNK * options.stride):
        last = min(first + CHUNK * options.stride, 2**32)
        x = np.arange(first, last, options.stride, dtype=np.uint64).astype(np.uint32).view(np.float32)
        x = x[~((x < options.low) | (x > options.high))]
        if len(x):
            yield x


def sweep(op: str, options: argparse.Namespace) -> None:
    """Prints the operation's row."""
    tables = {isa: KERNELS.table(isa) for isa in KERNELS.isas}
    chosen = options.isa or KERNELS.isas[-1]
    start, count, worst, at, different = time.perf_counter(), 0, -1.0, np.float64(0), 0
    for x in arguments(options):
        actual = apply(tables[chosen], op, x)
        exact = apply(REFERENCE, op, x.astype(np.float64))
        error = ulps(actual, exact)
        i = int(np.argmax(error))
        if error[i] > worst:
            worst, at = float(error[i]), x[i]
        for isa, table in tables.items():
            if isa != chosen:
                unsigned = f"u{x.itemsize}"
                differ = apply(table, op, x).view(unsigned) != actual.view(unsigned)
                different += int((differ & ~np.isnan(actual)).sum())
        count += len(x)
    same = "same bits" if different == 0 else f"{different} DIFFER"
    seconds = time.perf_counter() - start
    print(
        f"{op:11} {chosen:9} {worst:7.4f} ulp at {at!s:24} {count:>13,} arguments, {same}, {seconds:.0f} s",
        flush=True,
    )


def main() -> None:
    """Sweeps the operations named, or all unary ones of floating-point numbers."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"of {', '.join(UNARY)}")
    parser.add_argument("--isa", choices=KERNELS.isas, help="whose errors (the strongest)")
    parser.add_argument("--stride", type=int, default=1021, help="every so many floats (1021)")
    parser.add_argument("--from", dest="low", type=float, default=-np.inf, help="smallest argument")
    parser.add_argument("--to", dest="high", type=float, default=np.inf, help="largest argument")
    parser.add_argument("--float64", action="store_true", help="random doubles instead")
    options = parser.parse_args()
    for op in options.operations or UNARY:
        if op not in UNARY:
            parser.error(f"'{op}' is not one of {', '.join(UNARY)}")
        with np.errstate(all="ignore"):
            sweep(op, options)


if __name__ == "__main__":
    main()
