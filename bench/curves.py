#!/usr/bin/env python3
"""Measures how ranvier scales, and draws it: throughput, memory, planning, start-up.

examples:
  python bench/curves.py --json curves.json                        everything, some minutes
  python bench/curves.py batch width --json curves.json            two of them; the file keeps the others
  python bench/curves.py --rivals numpy,keras --python-for keras=/envs/keras/bin/python --json curves.json
  python bench/curves.py --from curves.json --plots docs/plots --markdown docs/benchmarks.md

docs/benchmarks.md says what the curves are. Drawing needs matplotlib; measuring does not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from pathlib import Path
from typing import Any

import curve_points
import curve_text
import machine
import measure
import report
from contestants import RIVALS
from process import held_back

ROUNDS = 3


def main(argv: list[str] | None = None) -> int:
    """Measures or reads curves, and draws and writes what was asked for. Returns the exit status."""
    arguments = parse(argv)
    if arguments.results:
        results = json.loads(arguments.results.read_text(encoding="utf-8"))
    else:
        results = run(arguments)
    if arguments.plots:
        import curve_plots

        for path in curve_plots.draw(results, arguments.plots):
            curve_points.say(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    text = curve_text.markdown(results, curve_text.place_of(arguments.plots, arguments.markdown))
    if arguments.markdown:
        report.replace_between(arguments.markdown, curve_text.MARKERS, text)
    else:
        print(text)
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    known = list(curve_points.CURVES)
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0] if __doc__ else None,
        epilog=f"curves: {' '.join(known)}; all of them by default",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("curves", nargs="*", metavar="CURVE")
    parser.add_argument(
        "--short", action="store_true", help="a few small points of each, to see that it runs"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="measurements of a point (default: %(default)s)"
    )
    parser.add_argument(
        "--rivals", default="numpy,keras", help="rivals, separated by commas (default: %(default)s)"
    )
    parser.add_argument("--python-for", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--threads", type=int, help="processors that each contestant may use (default: all)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write what was measured, keep other curves"
    )
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the curves as SVG files")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write between the marks in FILE")
    parser.add_argument("--from", dest="results", type=Path, metavar="JSON", help="measure nothing, use this")
    arguments = parser.parse_args(argv)
    arguments.curves = arguments.curves or known
    arguments.rivals = list(dict.fromkeys(filter(None, arguments.rivals.split(","))))
    arguments.python_for = dict(pair.partition("=")[::2] for pair in arguments.python_for)
    for what, given, allowed in (
        ("curve", arguments.curves, known),
        ("rival", arguments.rivals, RIVALS),
        ("contestant in --python-for", arguments.python_for, (measure.OURS, *RIVALS)),
    ):
        for name in given:
            if name not in allowed:
                parser.error(f"unknown {what} {name!r}; known: {', '.join(allowed)}")
    for path in (arguments.results, arguments.markdown):
        if path is not None and not path.is_file():
            parser.error(f"no such file: {path}")
    if arguments.rounds < 1 or (arguments.threads or 1) < 1:
        parser.error("--rounds and --threads must be at least 1")
    return arguments


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures the curves asked for. Returns the record, with the curves that the file had before."""
    results: dict[str, Any] = {"schema": 1, "curves": {}}
    if arguments.json and arguments.json.is_file():
        results = json.loads(arguments.json.read_text(encoding="utf-8"))
    setup = curve_points.Setup(
        arguments.rivals, arguments.python_for, arguments.threads, arguments.rounds, arguments.short
    )
    described = machine.describe(arguments.threads)
    for name in arguments.curves:
        curve_points.say(name)
        began = time.perf_counter()
        points = curve_points.CURVES[name](setup)
        results["curves"][name] = {
            "date": datetime.date.today().isoformat(),
            "machine": described,
            "rounds": arguments.rounds,
            "held_back": sorted(held_back()),
            "took": time.perf_counter() - began,
            "points": points,
        }
        curve_points.say(f"{name}: {results['curves'][name]['took']:.0f} s")
        if arguments.json:  # after each: an interrupted run keeps what it has
            arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return results


if __name__ == "__main__":
    sys.exit(main())
