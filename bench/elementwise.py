#!/usr/bin/env python3
"""Operations that compute little for each element: time, and share of what memory or arithmetic allow.

usage: elementwise.py [--threads N] [--only PATTERN] [--sizes L1,L2,L3,memory] [--python-for torch=PATH]
                      [--no-rivals]

A row for each operation and size: nanoseconds an element and GB/s for ours, with the share of the memory's
limit where the operands are beyond the caches, then nanoseconds an element for NumPy and PyTorch. Bytes are
counted as the memory moves them: a written line is read first, so that an output counts twice. The limit is
the triad of peak.c counted in the same way. Every result is compared with NumPy's before it is timed.

Ours runs as a step of a program: operands in variables, no call from Python in between. The rivals write into
an output that is there already (`out=`) where they can.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SIZES = {"L1": 1 << 12, "L2": 1 << 16, "L3": 1 << 20, "memory": 1 << 25}  # float32 elements of an operand
SECONDS = 0.05  # of a measurement
ROUNDS = 3  # measurements, of which the best counts
TOLERANCE = 1e-5
COLUMNS = 1024

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Case:
    """An operation, said in three ways. A callable takes the library and its operands."""

    name: str
    inputs: Callable[[int, np.random.Generator], Arrays]
    ours: Callable[..., Any]
    numpy: Callable[..., Any]
    torch: Callable[..., Any] | None = None


def positive(n: int, rng: np.random.Generator) -> Arrays:
    return [rng.uniform(0.1, 4.0, n).astype("float32")]


def normal(count: int = 1) -> Callable[[int, np.random.Generator], Arrays]:
    return lambda n, rng: [rng.standard_normal(n, "float32") for _ in range(count)]


def table(columns: int = COLUMNS, count: int = 1) -> Callable[[int, np.random.Generator], Arrays]:
    return lambda n, rng: [
        rng.standard_normal((max(1, n // columns), columns), "float32") for _ in range(count)
    ]


def square(n: int, rng: np.random.Generator) -> Arrays:
    side = 1 << (n.bit_length() - 1) // 2
    return [rng.standard_normal((n // side, side), "float32")]


def cube(n: int, rng: np.random.Generator) -> Arrays:
    """Images: (batch, height * width, channels)."""
    return [rng.standard_normal((max(1, n // (256 * 16)), 256, 16), "float32")]


def images(n: int, rng: np.random.Generator) -> Arrays:
    """(batch, height, width, channels)."""
    return [rng.standard_normal((max(1, n // (32 * 32 * 32)), 32, 32, 32), "float32")]


def np_pool(pair: str) -> Callable[..., Any]:
    """2 x 2 windows by a function of two arrays: of neighbouring columns, then of rows."""

    def pool(m: Any, x: np.ndarray) -> np.ndarray:
        both = getattr(m, pair)
        columns = both(x[:, :, ::2], x[:, :, 1::2])
        return both(columns[:, ::2], columns[:, 1::2])

    return pool


def torch_pool(name: str) -> Callable[..., Any]:
    """The channels last, in memory: so PyTorch is fastest."""

    def pool(m: Any, x: Any) -> Any:
        return getattr(m.nn.functional, name)(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)

    return pool


def picked(n: int, rng: np.random.Generator) -> Arrays:
    rows = max(1, n // 64)
    return [rng.standard_normal((rows, 64), "float32"), rng.permutation(rows).astype("int32")]


def np_softmax(np_: Any, x: np.ndarray) -> np.ndarray:
    e = np_.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def np_log_softmax(np_: Any, x: np.ndarray) -> np.ndarray:
    d = x - x.max(-1, keepdims=True)
    return d - np_.log(np_.exp(d).sum(-1, keepdims=True))


def np_erf(_: Any, x: np.ndarray) -> np.ndarray:
    return np.array([math.erf(v) for v in x[:4096]], "float32")  # as many as are compared


def chain(m: Any, x: Any, a: Any, b: Any) -> Any:
    return m.maximum(x * a + b, 0.0)


def long_chain(m: Any, x: Any, a: Any, b: Any) -> Any:
    y = x
    for _ in range(10):
        y = (y * a + b) * 0.5
    return y


def unary(name: str, inputs: Any = None, numpy: Any = None, torch: str | None = None) -> Case:
    np_call = numpy or (lambda m, x, out=None: getattr(m, name)(x, out=out))
    return Case(
        name,
        inputs or normal(),
        lambda m, x: getattr(m, name)(x),
        np_call,
        lambda m, x, out=None: getattr(m, torch or name)(x, out=out),
    )


def binary(name: str) -> Case:
    def call(m: Any, x: Any, y: Any, out: Any = None) -> Any:
        return getattr(m, name)(x, y, out=out)

    return Case(name, normal(2), lambda m, x, y: getattr(m, name)(x, y), call, call)


def reduction(label: str, name: str, inputs: Any, axis: Any) -> Case:
    dims = {} if axis is None else {"dim": axis}
    torch_name = {"max": "amax"}.get(name, name)
    return Case(
        f"{name} {label}",
        inputs,
        lambda m, x: getattr(m, name)(x, axis=axis),
        lambda m, x: getattr(m, name)(x, axis=axis),
        lambda m, x: getattr(m, torch_name)(x, **dims),
    )


def moved(label: str, inputs: Any, axes: tuple[int, ...]) -> Case:
    return Case(
        f"transpose {label}",
        inputs,
        lambda m, x: m.transpose(x, axes),
        lambda m, x: m.ascontiguousarray(m.transpose(x, axes)),
        lambda m, x: x.permute(axes).contiguous(),
    )


CASES = [
    unary("negative"),
    unary("sqrt", positive),
    unary("exp"),
    unary("log", positive),
    unary("tanh"),
    unary("sigmoid", numpy=lambda m, x: 1 / (1 + m.exp(-x))),
    unary("erf", numpy=np_erf),
    unary("sin"),
    binary("add"),
    binary("multiply"),
    binary("divide"),
    Case("relu(x*a+b)", normal(3), chain, chain, lambda m, x, a, b: m.relu(x * a + b)),
    Case("30 operations", normal(3), long_chain, long_chain, long_chain),
    Case(
        "add a row",
        lambda n, rng: [*table()(n, rng), rng.standard_normal(COLUMNS, "float32")],
        lambda m, x, y: x + y,
        lambda m, x, y, out=None: m.add(x, y, out=out),
        lambda m, x, y, out=None: m.add(x, y, out=out),
    ),
    reduction("of all", "sum", normal(), None),
    reduction("of rows of 1024", "sum", table(), -1),
    reduction("of rows of 16", "sum", table(16), -1),
    reduction("of columns", "sum", table(), 0),
    reduction("of 16 columns", "sum", table(16), 0),
    reduction("of a middle axis", "sum", cube, 1),
    reduction("of the outer axes", "sum", cube, (0, 2)),
    reduction("of all", "max", normal(), None),
    reduction("of rows of 1024", "max", table(), -1),
    reduction("of all", "argmax", normal(), None),
    reduction("of rows of 1024", "argmax", table(), -1),
    Case("softmax of 1024", table(), lambda m, x: m.softmax(x), np_softmax, lambda m, x: m.softmax(x, -1)),
    Case("softmax of 10", table(10), lambda m, x: m.softmax(x), np_softmax, lambda m, x: m.softmax(x, -1)),
    Case(
        "log_softmax of 1024",
        table(),
        lambda m, x: m.log_softmax(x),
        np_log_softmax,
        lambda m, x: m.log_softmax(x, -1),
    ),
    moved("(m, n)", square, (1, 0)),
    moved("(b, hw, c)", cube, (0, 2, 1)),
    Case("max_pool 2x2", images, lambda m, x: m.max_pool(x, 2), np_pool("maximum"), torch_pool("max_pool2d")),
    Case(
        "average_pool 2x2",
        images,
        lambda m, x: m.average_pool(x, 2),
        lambda m, x: np_pool("add")(m, x) * np.float32(0.25),
        torch_pool("avg_pool2d"),
    ),
    Case(
        "slice [:, ::2]",
        table(),
        lambda m, x: x[:, ::2],
        lambda m, x: x[:, ::2].copy(),
        lambda m, x: x[:, ::2].contiguous(),
    ),
    Case(
        "concatenate columns",
        table(64, 2),
        lambda m, x, y: m.concatenate([x, y], 1),
        lambda m, x, y: m.concatenate([x, y], 1),
        lambda m, x, y: m.cat([x, y], 1),
    ),
    Case(
        "take rows of 64",
        picked,
        lambda m, x, i: m.take(x, i, axis=0),
        lambda m, x, i: m.take(x, i, axis=0),
        lambda m, x, i: m.index_select(x, 0, i),
    ),
]


def best_time(run: Callable[[int], None]) -> float:
    """Seconds of one repetition of `run(repetitions)`."""
    repeats, best = 1, math.inf
    while True:
        start = time.perf_counter()
        run(repeats)
        seconds = time.perf_counter() - start
        if seconds > SECONDS / 4:
            break
        repeats = max(repeats * 2, int(repeats * SECONDS / max(seconds, 1e-9) / 2))
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run(repeats)
        best = min(best, (time.perf_counter() - start) / repeats)
    return best


class Ours:
    """A program whose one step is the operation."""

    def __init__(self) -> None:
        import ranvier
        from ranvier import _core
        from ranvier.core.trace import Trace

        self.ops, self.variable, self.trace, self.epoch = ranvier.ops, ranvier.Variable, Trace, _core.Epoch

    def prepare(self, case: Case, inputs: Arrays) -> tuple[np.ndarray, Callable[[int], None]]:
        variables = [self.variable(x, dtype=x.dtype.name, trainable=False) for x in inputs]
        with self.trace() as trace:
            trace.input((1,))
            result = case.ours(self.ops, *(trace.read(v) for v in variables))
            shape = [1] * len(result.shape)
            few = self.ops.slice(result, [0] * len(shape), shape)  # outputs are copied out: keep that small
        whole = trace.compile([result]).run([np.zeros(1, "float32")])[0]
        program = trace.compile([few])

        def run(repeats: int) -> None:
            steps = np.zeros((repeats, 1), "float32")
            self.epoch(program, None, [steps], 1, None, False).advance()

        return whole, run


class NumPy:
    """NumPy, with `out` where the operation has it."""

    def prepare(self, case: Case, inputs: Arrays) -> tuple[np.ndarray, Callable[[int], None]]:
        result = case.numpy(np, *inputs)
        call = with_out(case.numpy, np, inputs, result)
        return result, lambda repeats: [call() for _ in range(repeats)] and None


class Torch:
    """PyTorch, likewise."""

    def __init__(self, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.torch = torch

    def prepare(self, case: Case, inputs: Arrays) -> tuple[np.ndarray, Callable[[int], None]]:
        operands = [self.torch.from_numpy(x) for x in inputs]
        module = self.torch
        assert case.torch is not None
        result = case.torch(module, *operands)
        call = with_out(case.torch, module, operands, result)
        return result.numpy(), lambda repeats: [call() for _ in range(repeats)] and None


def with_out(call: Callable[..., Any], module: Any, operands: list[Any], out: Any) -> Callable[[], Any]:
    if "out" in call.__code__.co_varnames[: call.__code__.co_argcount]:
        return lambda: call(module, *operands, out=out)
    return lambda: call(module, *operands)


def measure(contestant: str, threads: int, only: str, sizes: list[str]) -> None:
    """Prints a JSON object for each row."""
    one: Any = {"ranvier": Ours, "numpy": NumPy, "torch": lambda: Torch(threads)}[contestant]()
    for case in CASES:
        if not re.search(only, case.name):
            continue
        for size in sizes:
            inputs = case.inputs(SIZES[size], np.random.default_rng(0))
            result, run = one.prepare(case, inputs)
            truth = case.numpy(np, *inputs) if contestant != "numpy" else result
            row: dict[str, Any] = {"case": case.name, "size": size}
            head = np.s_[: len(truth)] if truth.shape and result.shape != truth.shape else np.s_[...]
            if not np.allclose(result[head], truth, rtol=TOLERANCE, atol=TOLERANCE * np.sqrt(inputs[0].size)):
                row["refused"] = True
            elif contestant == "numpy" and case.name == "erf":
                continue
            else:
                row["seconds"] = best_time(run)
            row["elements"] = max(x.size for x in inputs)
            row["bytes"] = sum(x.nbytes for x in inputs) + 2 * result.nbytes
            print(json.dumps(row), flush=True)


def ask(contestant: str, python: str, options: argparse.Namespace) -> dict[tuple[str, str], dict[str, Any]]:
    environment = dict(
        os.environ, RANVIER_NUM_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads)
    )
    if contestant != "ranvier":
        environment.pop("OPENBLAS_CORETYPE", None)
    command = [python, __file__, "--contestant", contestant, "--threads", str(options.threads)]
    command += ["--only", options.only, "--sizes", options.sizes]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{contestant}: {done.stderr[-2000:]}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["case"], row["size"]): row for row in rows}


def report(options: argparse.Namespace) -> None:
    """Runs the contestants one after the other and prints the table."""
    import machine

    limit = (
        machine.describe(options.threads)["peak"].get("bytes", math.nan) * 4 / 3
    )  # with the lines read first
    rivals = {} if options.no_rivals else {"numpy": sys.executable, **dict(options.python_for or [])}
    rows = {"ranvier": ask("ranvier", sys.executable, options)}
    rows |= {name: ask(name, python, options) for name, python in rivals.items()}
    print(
        f"threads: {options.threads}; memory: {limit / 1e9:.1f} GB/s, lines read before being written counted"
    )
    print("| operation | size | ns/element | GB/s | of memory | " + " | ".join(rivals) + " |")
    print("|---|---|--:|--:|--:|" + "--:|" * len(rivals))
    for key, row in rows["ranvier"].items():
        cells = [*key, "refused", "", ""]
        if "seconds" in row:
            rate = row["bytes"] / row["seconds"]
            share = f"{rate / limit:.2f}" if key[1] == "memory" else ""
            cells = [*key, f"{row['seconds'] / row['elements'] * 1e9:.3f}", f"{rate / 1e9:.1f}", share]
        for name in rivals:
            other = rows[name].get(key, {})
            cells.append(f"{other['seconds'] / other['elements'] * 1e9:.3f}" if "seconds" in other else "-")
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Measures, or prints the table of those who measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", default="", help="operations whose name has this pattern")
    parser.add_argument("--sizes", default=",".join(SIZES), help="of L1, L2, L3, memory")
    parser.add_argument(
        "--python-for", action="append", type=lambda text: text.split("=", 1), metavar="torch=PATH"
    )
    parser.add_argument("--no-rivals", action="store_true")
    parser.add_argument("--contestant", choices=("ranvier", "numpy", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        measure(options.contestant, options.threads, options.only, options.sizes.split(","))
    else:
        report(options)


if __name__ == "__main__":
    main()
