"""What the curves say, in figures: for docs/benchmarks.md, and the statistics that the plots share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import report
from measure import OURS

Curve = dict[str, Any]
Point = dict[str, Any]
MARKERS = ("<!-- curves -->", "<!-- /curves -->")


class Line(NamedTuple):
    """A straight line through points, by least squares."""

    slope: float
    start: float
    r2: float

    def at(self, x: np.ndarray) -> np.ndarray:
        return self.start + self.slope * x


def line(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> Line:
    """The line through at least two points, and R², the share of y's variance that it explains."""
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    slope, start = np.polyfit(xs, ys, 1)
    rest = float(np.square(ys - start - slope * xs).sum())
    spread = float(np.square(ys - ys.mean()).sum())
    return Line(float(slope), float(start), 1 - rest / spread if spread else 1.0)


def power(x: Sequence[float], y: Sequence[float]) -> float:
    """The exponent p of y = a x**p, by least squares on logarithms: 1 is linear."""
    return line(np.log(x), np.log(y)).slope


def name_of(contestant: str) -> str:
    return report.NAMES.get(contestant, contestant)


def short(value: float, _: object = None) -> str:
    """A number for an axis: 200, 5k, 2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def series(curve: Curve) -> dict[str, list[tuple[Point, float]]]:
    """Of each contestant the points that it was measured at, with its median seconds."""
    found: dict[str, list[tuple[Point, float]]] = {}
    for point in curve["points"]:
        for name, entry in point["entries"].items():
            if entry.get("seconds") and "refused" not in entry:
                found.setdefault(name, []).append((point, float(np.median(entry["seconds"]))))
    return found


def one_and_all(point: Point) -> tuple[float, float]:
    """Median seconds on one thread and on all."""
    return float(np.median(point["seconds"]["one"])), float(np.median(point["seconds"]["all"]))


def place_of(plots: Path | None, markdown: Path | None) -> str:
    """The plots' folder as the Markdown file names it."""
    return Path(os.path.relpath(plots or "docs/plots", (markdown or Path("docs/x")).parent)).as_posix()


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---:"] * len(header), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _throughput(curve: Curve, what: str) -> list[str]:
    """Every second point: microseconds per step, samples and arithmetic per second, and rivals' ratios."""
    rivals = [name for name in series(curve) if name != OURS]
    rows = []
    for point in curve["points"]:
        ours = point["entries"][OURS]
        if "refused" in ours or not ours["seconds"]:
            continue
        seconds = float(np.median(ours["seconds"]))
        ratios = [report.ratio(point["entries"].get(name, {"seconds": []}), ours) for name in rivals]
        rates = [f"{point['batch'] / seconds:,.0f}", f"{point['flops'] / seconds / 1e9:,.1f}"]
        cells = [str(ratio) if ratio else "" for ratio in ratios]
        rows.append([f"{point['x']:,}", report.microseconds(seconds), *rates, *cells])
    return _table([what, "µs per step", "samples/s", "GFLOP/s", *map(name_of, rivals)], rows)


def _batch(curve: Curve) -> list[str]:
    return _throughput(curve, "batch")


def _width(curve: Curve) -> list[str]:
    return _throughput(curve, "width")


def _depth(curve: Curve) -> list[str]:
    points = series(curve)[OURS]
    lines = _throughput(curve, "layers")
    if len(points) < 3:
        return lines
    layers = np.array([point["x"] for point, _ in points], float)
    us = np.array([seconds for _, seconds in points]) * 1e6
    fit = line(layers, us)
    off = np.abs(us - fit.at(layers)) / us
    deep = layers >= 5
    return [
        *lines,
        "",
        f"Time per step = {fit.start:.1f} µs + {fit.slope:.2f} µs per layer, R² = {fit.r2:.5f}; from 5 "
        f"layers on a point is off the line by {off[deep].max():.1%} at most.",
    ]


def _threads(curve: Curve) -> list[str]:
    rows = []
    for point in curve["points"]:
        one, every = one_and_all(point)
        rates = [f"{point['flops'] / seconds / 1e9:,.1f}" for seconds in (one, every)]
        times = [report.microseconds(seconds) for seconds in (one, every)]
        rows.append([f"{point['by']} {point['x']:,}", *times, *rates, f"{one / every:.2f}x"])
    count = curve["machine"]["cpus"]
    return _table(["", "µs, 1 thread", f"{count} threads", "GFLOP/s, 1", f"{count}", "speed-up"], rows)


def _memory(curve: Curve) -> list[str]:
    names = list(dict.fromkeys(name for point in curve["points"] for name in point["entries"]))
    rows = []
    for point in curve["points"]:
        cells = []
        for name in names:
            entry = point["entries"].get(name, {})
            cells.append(f"{entry['peak'] / 1e6:,.1f}" if "peak" in entry else "")
        each = point["entries"][OURS]["peak"] / point["parameters"]
        batch = "32" if point["by"] == "parameters" else f"{point['x']:,}"
        rows.append([f"{point['parameters']:,}", batch, *cells, f"{each:.1f}"])
    return _table(["parameters", "batch", *(f"{name_of(name)}, MB" for name in names), "ours, B each"], rows)


def _milliseconds(point: Point, stage: str) -> float:
    return float(np.median(point["seconds"][stage])) * 1e3


def _plan(curve: Curve) -> list[str]:
    rows = []
    for point in curve["points"]:
        trace, plan = (_milliseconds(point, stage) for stage in ("trace", "plan"))
        cells = [
            f"{point['x']:,}",
            f"{point['nodes']:,}",
            f"{point['steps']:,}",
            f"{trace:.2f}",
            f"{plan:.2f}",
        ]
        rows.append([*cells, f"{plan * 1e6 / point['nodes']:,.0f}"])
    lines = _table(["layers", "nodes", "steps", "trace, ms", "plan, ms", "plan, ns per node"], rows)
    large = [point for point in curve["points"] if point["nodes"] >= 1000]
    if len(large) < 2:
        return lines
    nodes = [point["nodes"] for point in large]
    exponents = [power(nodes, [_milliseconds(p, stage) for p in large]) for stage in ("trace", "plan")]
    said = "From 1,000 nodes on, time grows with the nodes to the power of {:.2f} (trace) and {:.2f} (plan)."
    return [*lines, "", said.format(*exponents)]


def _start(curve: Curve) -> list[str]:
    rows = []
    for point in curve["points"]:
        stages = [_milliseconds(point, stage) for stage in ("build", "trace", "plan")]
        rows.append([f"{point['x']:,}", *(f"{ms:.1f}" for ms in (*stages, sum(stages)))])
    return _table(["layers", "build, ms", "trace, ms", "plan, ms", "together"], rows)


def _fits(curve: Curve) -> list[str]:
    rows = []
    for point in curve["points"]:
        done, read = np.array(point["read"], float).T
        at = [
            f"{np.interp(share * done[-1], done, read) / 1e6:.1f}" for share in (0, 0.1, 0.25, 0.5, 0.75, 1)
        ]
        rows.append([point["x"], *at, f"{point['seconds'] / done[-1] * 1e3:.2f}"])
    count = int(curve["points"][0]["read"][-1][0])
    after = [f"after {share * count:,.0f}" for share in (0, 0.1, 0.25, 0.5, 0.75, 1)]
    return _table(["MB resident", *after, "ms per fit"], rows)


class _Part(NamedTuple):
    title: str
    alt: str
    lines: Callable[[Curve], list[str]]


PARTS = {
    "batch": _Part("Batch size", "throughput against batch size", _batch),
    "width": _Part("Layer width", "throughput against layer width", _width),
    "depth": _Part("Depth", "time per step against the number of layers", _depth),
    "threads": _Part("Threads", "speed-up by threads against the length of a step", _threads),
    "memory": _Part("Memory", "resident memory against model size and batch size", _memory),
    "plan": _Part("Planning", "trace and plan time against nodes", _plan),
    "start": _Part("Before the first step", "build, trace and plan time against layers", _start),
    "fits": _Part("Many fits", "resident memory over 1,000 fits", _fits),
}


def markdown(results: dict[str, Any], folder: str) -> str:
    """The section between the marks: for each curve its plot, and its figures folded away.

    Args:
        results: the record of curves.py.
        folder: where the plots are, seen from the Markdown file.
    """
    lines: list[str] = []
    for name, part in PARTS.items():
        curve = results["curves"].get(name)
        if curve is None:
            continue
        lines += [f"### {part.title}", "", f"![{part.alt}]({folder}/{name}.svg)", ""]
        lines += ["<details><summary>figures</summary>", "", *part.lines(curve), "", "</details>", ""]
        lines += refusals(curve)
    curves = results["curves"].values()
    if curves:
        dates = sorted({curve["date"] for curve in curves})
        lines.append(
            f"Measured on {' and '.join(dates)}, medians of {min(c['rounds'] for c in curves)} rounds."
        )
    return "\n".join(lines)


def refusals(curve: Curve) -> list[str]:
    """Who was not compared, and why."""
    found = []
    for point in curve["points"]:
        for name, entry in point.get("entries", {}).items():
            if "refused" in entry:
                found.append(f"- {name_of(name)} at {point['x']:,} is not compared: {entry['refused']}")
    return [*found, ""] if found else []
