#!/usr/bin/env python3
"""Measures the products of training, alone, next to NumPy's OpenBLAS and PyTorch, and says where each stands.

examples:
  python bench/product_sweep.py --threads 1 --json one.json
  python bench/product_sweep.py --slice 1/6 --json part1.json          every sixth shape; then
  python bench/product_sweep.py --from part*.json --json all.json --markdown sweep.md
  python bench/product_sweep.py --only "batch 1, input"                shapes whose name has these words

A number is the time of one product that is repeated over the same operands: in cache as far as they fit.
Ours is a step of a program that the epoch loop repeats, which is how training runs it: dispatch and threads
are in it, no call from Python is. A rival's has its call from Python in it (np.matmul or torch.mm with out=),
which is how its user runs it. "net" takes from each contestant the time of its own 1 x 1 x 1 product, so that
kernels are compared, too. The floor of a shape is the larger of flops / peak and bytes / rate, where the rate
is that of reading memory of the size of its operands over and over, plus our 1 x 1 x 1 product.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import machine
import measure
import numpy as np
import products
import report
from process import Gone, Process, held_back

RIVALS = ("numpy", "torch")
ROUNDS = 5
LEAST = 0.8  # of the better rival: shapes under it are listed
SHORTEST = 1e-9  # seconds that can be told from nothing
CALL = products.Shape("1 x 1 x 1", 1, 1, 1)  # nothing but fixed costs
FOOTPRINTS = tuple(1 << bits for bits in (15, 18, 20, 22, 24, 26, 28))  # bytes whose reading is timed


def main(argv: list[str] | None = None) -> int:
    """Measures or merges, and writes what was asked for. Returns the exit status."""
    arguments = parse(argv)
    if arguments.merged:
        results = merge([json.loads(path.read_text(encoding="utf-8")) for path in arguments.merged])
    else:
        results = run(arguments)
    text = markdown(results)
    print(text)
    if arguments.json:
        arguments.json.write_text(json.dumps(results | summary(results), indent=1) + "\n", encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.write_text(text + "\n", encoding="utf-8")
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, help="processors that each contestant may use (default: all)")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements (default: %(default)s)")
    parser.add_argument("--slice", default="1/1", metavar="I/N", help="every N-th shape, from the I-th on")
    parser.add_argument("--only", default="", metavar="WORDS", help="only shapes whose name contains this")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="(default: %(default)s)")
    parser.add_argument("--python-for", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    parser.add_argument(
        "--from", dest="merged", type=Path, nargs="+", metavar="JSON", help="measure nothing: merge these"
    )
    arguments = parser.parse_args(argv)
    at, _, of = arguments.slice.partition("/")
    if not (at.isdigit() and of.isdigit() and 1 <= int(at) <= int(of)):
        parser.error(f"--slice takes I/N with 1 <= I <= N, not {arguments.slice!r}")
    arguments.slice = (int(at) - 1, int(of))
    arguments.python_for = dict(pair.partition("=")[::2] for pair in arguments.python_for)
    arguments.rivals = list(filter(None, arguments.rivals.split(",")))
    for name in (*arguments.rivals, *(set(arguments.python_for) - {measure.OURS})):
        if name not in RIVALS:
            parser.error(f"unknown rival {name!r}; known: {', '.join(RIVALS)}")
    if arguments.rounds < 1 or (arguments.threads or 1) < 1:
        parser.error("--rounds and --threads must be at least 1")
    return arguments


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures the shapes of the slice. Returns the record of it.

    Raises:
        SystemExit: if a contestant cannot be measured: without all of them there is nothing to say.
    """
    described = machine.describe(arguments.threads)
    first, step = arguments.slice
    chosen = [s for s in products.swept(arguments.dtype) if arguments.only in s.name][first::step]
    team = [
        Process(name, arguments.python_for.get(name, sys.executable), arguments.threads)
        for name in (measure.OURS, *arguments.rivals)
    ]
    # One thread leaves nothing spinning when its turn is over.
    settle = measure.SETTLE_SECONDS if described["cpus"] > 1 else 0.0
    results: dict[str, Any] = {
        "schema": 1,
        "machine": described,
        "rates": machine.read_rates(described["cpus"], FOOTPRINTS),
        "dtype": arguments.dtype,
        "rounds": arguments.rounds,
        "held_back": held_back(),
        "contestants": {},
        "shapes": [],
    }
    try:
        for one in team:
            results["contestants"][one.name] = one.start()
        results["calls"] = _row(CALL, team, arguments.rounds, settle)["seconds"]
        for shape in chosen:
            print(shape.name, file=sys.stderr, flush=True)
            results["shapes"].append(_row(shape, team, arguments.rounds, settle))
    except Gone as reason:
        raise SystemExit(f"a contestant cannot be measured: {reason}") from None
    finally:
        for one in team:
            one.stop()
    return results


def _row(shape: products.Shape, team: list[Process], rounds: int, settle: float) -> dict[str, Any]:
    """A shape with each contestant's median, and the spread of the ratio to the better rival."""
    entries = measure.multiplying(shape, "", team, rounds, settle)["entries"]
    for name, entry in entries.items():
        if "refused" in entry:
            raise Gone(f"{name} on {shape.name}: {entry['refused']}")
    seconds = {name: float(np.median(entry["seconds"])) for name, entry in entries.items()}
    ratios = {name: report.ratio(entry, entries[measure.OURS]) for name, entry in entries.items()}
    better = min((name for name in seconds if name != measure.OURS), key=lambda name: seconds[name])
    ratio = ratios[better]
    assert ratio is not None
    return {
        "name": shape.name,
        "sizes": [shape.m, shape.k, shape.n],
        "form": "nt"[shape.transpose_a] + "nt"[shape.transpose_b],
        "flops": shape.flops,
        "bytes": shape.bytes,
        "seconds": seconds,
        "better": better,
        "ratio": ratio._asdict(),
    }


def merge(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """One record of several slices.

    Raises:
        SystemExit: if they were not measured alike.
    """
    whole = parts[0]
    for part in parts[1:]:
        for key in ("schema", "dtype", "rounds", "contestants"):
            if part[key] != whole[key]:
                raise SystemExit(f"the parts differ in {key}: {part[key]} and {whole[key]}")
        whole["shapes"] += part["shapes"]
    # What the machine can do is what it did in its best moment.
    for part in parts:
        for known, found in (
            (whole["machine"]["peak"], part["machine"]["peak"]),
            (whole["rates"], part["rates"]),
        ):
            for key, value in found.items():
                known[key] = max(known.get(key, 0.0), value)
        for name, seconds in part["calls"].items():
            whole["calls"][name] = min(whole["calls"][name], seconds)
    order = {shape.name: i for i, shape in enumerate(products.swept())}
    whole["shapes"].sort(key=lambda row: order.get(row["name"], len(order)))
    return whole


def floor(row: dict[str, Any], results: dict[str, Any]) -> tuple[float, str]:
    """The least seconds that this machine allows for a shape, and what sets them."""
    lanes = 1 if results["dtype"] == "float32" else 2
    peak = results["machine"]["peak"].get("flops", 0.0) / lanes
    rates = sorted((int(size), rate) for size, rate in results["rates"].items())
    compute = row["flops"] / peak if peak else 0.0
    rate = next((rate for size, rate in rates if size >= row["bytes"]), rates[-1][1] if rates else 0.0)
    memory = row["bytes"] / rate if rate else 0.0
    fixed = results["calls"][measure.OURS]
    bound = "fixed" if fixed > max(compute, memory) else "memory" if memory > compute else "arithmetic"
    return max(compute, memory) + fixed, bound


def net(row: dict[str, Any], results: dict[str, Any]) -> float:
    """The better rival's time over ours, each less its 1 x 1 x 1 product, no less than the floor's work."""
    calls, ours = results["calls"], measure.OURS
    least = max(floor(row, results)[0] - calls[ours], SHORTEST)
    rivals = [max(seconds - calls[name], least) for name, seconds in row["seconds"].items() if name != ours]
    return min(rivals) / max(row["seconds"][ours] - calls[ours], least)


def _geometric_mean(values: list[float]) -> float:
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """The geometric means, and the shapes that fall short."""
    rows = results["shapes"]
    return {
        "geometric_mean": _geometric_mean([row["ratio"]["median"] for row in rows]),
        "geometric_mean_net": _geometric_mean([net(row, results) for row in rows]),
        "short": [row["name"] for row in rows if row["ratio"]["median"] < LEAST],
        "short_net": [row["name"] for row in rows if net(row, results) < LEAST],
    }


def markdown(results: dict[str, Any]) -> str:
    """The table, with what it needs to be understood."""
    rivals = [name for name in results["contestants"] if name != measure.OURS]
    names = [report.NAMES[name] for name in rivals]
    header = ["product", "m x k x n", "floor µs", "set by", "ranvier", *names, "of floor", "ratio", "net"]
    lines = [header, ["---", "---"] + ["---:"] * (len(header) - 2)]
    for row in results["shapes"]:
        least, bound = floor(row, results)
        ours = row["seconds"][measure.OURS]
        sizes = " x ".join(map(str, row["sizes"])) + " " + row["form"]
        cells = [row["name"], sizes, report.microseconds(least), bound, report.microseconds(ours)]
        cells += [report.microseconds(row["seconds"][name]) for name in rivals]
        ratio = report.Ratio(**row["ratio"])
        lines.append([*cells, f"{least / ours:.2f}", str(ratio), f"{net(row, results):.2f}"])
    found = summary(results)
    calls = ", ".join(f"{name} {1e9 * seconds:,.0f} ns" for name, seconds in results["calls"].items())
    rates = ", ".join(f"{int(size) >> 10} KiB {rate / 1e9:,.0f}" for size, rate in results["rates"].items())
    remarks = [
        report.machine_line(results),
        f"{results['dtype']}, medians of {results['rounds']} rounds; a 1 x 1 x 1 product: {calls}",
        f"reading memory over and over, GB/s: {rates}",
        f"{len(results['shapes'])} shapes: geometric mean {found['geometric_mean']:.2f} of the better rival, "
        f"{found['geometric_mean_net']:.2f} net",
        f"under {LEAST}: {'; '.join(found['short']) or 'none'}",
        f"under {LEAST} net: {'; '.join(found['short_net']) or 'none'}",
    ]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([*table, "", *(f"- {remark}" for remark in remarks)])


if __name__ == "__main__":
    sys.exit(main())
