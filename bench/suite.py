#!/usr/bin/env python3
"""Measures ranvier next to its rivals, each in its own process and its own best idiom, taking turns.

examples:
  python bench/suite.py                                  everything, with the rivals installed here
  python bench/suite.py --short tiny_sgd mnist_mlp       two workloads, fewer rounds
  python bench/suite.py --contestants torch,jax --python-for torch=/envs/torch/bin/python
  python bench/suite.py --json results.json --markdown docs/benchmarks.md
  python bench/suite.py --from results.json --readme README.md        measures nothing, writes a table again

docs/benchmarks.md says what the workloads are and how each rival is run.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

import definitions
import machine
import measure
import products
import report
from contestants import RIVALS
from process import Gone, Process, held_back

ROUNDS = 9
SHORT_ROUNDS = 3
MOST_SLOW_ROUNDS = 5  # of what needs fresh processes, or is measured for very many shapes
SMALL, LARGE = "products of training, small", "products of training, large"


def main(argv: list[str] | None = None) -> int:
    """Measures or reads results, and writes them as asked. Returns the exit status."""
    arguments = parse(argv)
    if arguments.results:
        results = json.loads(arguments.results.read_text(encoding="utf-8"))
    else:
        results = run(arguments)
    report.add_statistics(results)
    report.print_table(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if arguments.markdown:
        report.replace_between(arguments.markdown, report.TABLE_MARKERS, report.markdown(results))
    if arguments.readme:
        report.replace_between(arguments.readme, report.README_MARKERS, report.readme(results))
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    known = [*definitions.load("tasks").TRAINING, "predict_one", "calls", "products", "import", "first_fit"]
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0] if __doc__ else None,
        epilog=f"workloads: {' '.join(known)}; all of them by default",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--short", action="store_true", help=f"{SHORT_ROUNDS} rounds, and fewer products")
    parser.add_argument("--rounds", type=int, help=f"measurements of each contestant (default: {ROUNDS})")
    parser.add_argument(
        "--contestants", default=",".join(RIVALS), help="rivals, separated by commas (default: %(default)s)"
    )
    parser.add_argument(
        "--python-for",
        action="append",
        default=[],
        metavar="NAME=PYTHON",
        help="the interpreter of a contestant whose library is not installed in this one",
    )
    parser.add_argument("--threads", type=int, help="processors that each contestant may use (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the table between the marks in FILE"
    )
    parser.add_argument("--readme", type=Path, metavar="FILE", help="write the small table between its marks")
    parser.add_argument(
        "--from", dest="results", type=Path, metavar="JSON", help="measure nothing, use an earlier run"
    )
    arguments = parser.parse_args(argv)
    arguments.workloads = arguments.workloads or known
    arguments.rounds = arguments.rounds or (SHORT_ROUNDS if arguments.short else ROUNDS)
    arguments.slow_rounds = min(arguments.rounds, MOST_SLOW_ROUNDS)
    arguments.contestants = list(dict.fromkeys(filter(None, arguments.contestants.split(","))))
    pairs = [pair.partition("=")[::2] for pair in arguments.python_for]
    arguments.python_for = dict(pairs)
    for what, given, allowed in (
        ("workload", arguments.workloads, known),
        ("contestant", arguments.contestants, RIVALS),
        ("contestant in --python-for", arguments.python_for, (measure.OURS, *RIVALS)),
    ):
        for name in given:
            if name not in allowed:
                parser.error(f"unknown {what} {name!r}; known: {', '.join(allowed)}")
    for path in (arguments.results, arguments.markdown, arguments.readme):
        if path is not None and not path.is_file():
            parser.error(f"no such file: {path}")
    if arguments.rounds < 1 or (arguments.threads or 1) < 1:
        parser.error("--rounds and --threads must be at least 1")
    return arguments


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures what was asked for. Returns the record of it.

    Raises:
        SystemExit: if ranvier itself cannot be measured.
    """
    contestants: dict[str, dict[str, Any]] = {}
    team = []
    for name in (measure.OURS, *arguments.contestants):
        one = Process(name, arguments.python_for.get(name, sys.executable), arguments.threads)
        try:
            contestants[name] = {"versions": one.start()}
            team.append(one)
        except Gone as reason:
            if name == measure.OURS:
                raise SystemExit(f"ranvier itself cannot be measured: {reason}") from None
            contestants[name] = {"absent": str(reason)}
            say(f"{name}: skipped: {reason}")
    results: dict[str, Any] = {
        "schema": 1,
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(arguments.threads),
        "settings": {
            "rounds": arguments.rounds,
            "slow_rounds": arguments.slow_rounds,
            "short": arguments.short,
            "threads": arguments.threads,
            "held_back": held_back(),
        },
        "contestants": contestants,
        "workloads": [],
    }
    try:
        for workload in arguments.workloads:
            say(workload)
            results["workloads"] += measured(workload, team, arguments)
    except KeyboardInterrupt:
        say("interrupted: the workloads finished before follow")
    finally:
        for one in team:
            one.stop()
    return results


def measured(workload: str, team: list[Process], arguments: argparse.Namespace) -> list[measure.Row]:
    """The records of one workload."""
    rounds = arguments.slow_rounds
    if workload == "import":
        return [measure.importing(team, rounds)]
    if workload == "first_fit":
        return [measure.first_fitting(team, rounds)]
    if workload == "predict_one":
        return [measure.predicting(team, arguments.rounds)]
    if workload == "calls":
        return [measure.calling(name, team, arguments.rounds) for name in measure.CALLS]
    if workload != "products":
        return [measure.training(workload, team, arguments.rounds)]
    rows = [measure.multiplying(products.square(size), "", team, rounds) for size in products.SQUARES]
    shapes = products.of_training(batches=(1, 32)) if arguments.short else products.of_training()
    for shape in shapes:
        group = LARGE if shape.flops >= products.LARGE_FLOPS else SMALL
        rows.append(measure.multiplying(shape, group, team, rounds))
    return rows


def say(line: str) -> None:
    """Progress, apart from the results."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
