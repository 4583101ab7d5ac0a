"""Draws the curves as SVG files: small, the same for the same numbers, readable on light and dark pages.

Colours are Okabe and Ito's, made for those who do not tell all colours apart; markers differ as well.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import curve_text
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

Curve = dict[str, Any]

# Values that occur nowhere else in a file: a style sheet finds them there and turns them over in dark mode.
INK, PAPER, GRID = "#24292e", "#fefefe", "#d8dee3"
DARK = {INK: "#e6edf2", PAPER: "#0d1116", GRID: "#30373d"}
LOOKS = {
    "ranvier": {"color": "#0072b2", "marker": "o", "linewidth": 2.2, "zorder": 4},
    "numpy": {"color": "#009e73", "marker": "^", "linewidth": 1.4, "linestyle": "--"},
    "keras": {"color": "#d55e00", "marker": "s", "linewidth": 1.4, "linestyle": "-."},
    "torch": {"color": "#cc79a7", "marker": "v", "linewidth": 1.4, "linestyle": ":"},
    "jax": {"color": "#e69f00", "marker": "D", "linewidth": 1.4, "linestyle": "--"},
    "sklearn": {"color": "#56b4e9", "marker": "P", "linewidth": 1.4, "linestyle": ":"},
}
LIMIT = {"color": "#808890", "linestyle": (0, (4, 3)), "linewidth": 1.1, "zorder": 1}
BLUE, GREEN, RED, SKY = "#0072b2", "#009e73", "#d55e00", "#56b4e9"
SETTINGS = {
    "svg.hashsalt": "ranvier",  # else identifiers differ from run to run
    "svg.fonttype": "path",  # looks the same without the font
    "font.family": "DejaVu Sans",  # matplotlib brings it
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.markersize": 4,
    "legend.frameon": False,
    "path.simplify": True,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), PAPER),
}


def draw(results: dict[str, Any], folder: Path, kind: str = "svg") -> list[Path]:
    """Draws every curve that the record has.

    Args:
        results: the record of curves.py.
        folder: where the files go; it is made.
        kind: "svg", or "png" to look at.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with matplotlib.rc_context(SETTINGS):
        for name, curve in results["curves"].items():
            path = folder / f"{name}.{kind}"
            path.write_bytes(_bytes(FIGURES[name](curve), kind))
            paths.append(path)
    return paths


def _bytes(figure: Figure, kind: str) -> bytes:
    file = io.BytesIO()
    dateless = {"Date": None, "Creator": None} if kind == "svg" else None
    figure.savefig(file, format=kind, dpi=110, metadata=dateless)
    if kind != "svg":
        return file.getvalue()
    # Thousandths of a point are enough, but small numbers are scales.
    text = re.sub(r"([1-9]\d*\.\d{3})\d+", r"\1", file.getvalue().decode())
    text = text.replace("</style>", _dark_style() + "</style>", 1)
    return "\n".join(line.rstrip() for line in text.splitlines()).encode() + b"\n"


def _dark_style() -> str:
    """What a browser that prefers dark pages changes; other programs ignore it."""
    rules = [
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    ]
    return "@media (prefers-color-scheme:dark){" + "".join(rules) + "}"


def _figure(panels: int = 2, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.0 if panels > 1 else 5.6, height), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    return figure, list(axes)


def _axes(axes: Axes, title: str, x: str, y: str, log: str = "", ticks: Sequence[int] = ()) -> None:
    """Names and scales. `log` has the letters of the logarithmic axes."""
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if "x" in log:
        axes.set_xscale("log", base=2 if ticks else 10)
    if "y" in log:
        axes.set_yscale("log")
    if ticks:
        axes.set_xticks(list(ticks), [f"{tick:,}" for tick in ticks])
    elif "x" in log:
        axes.xaxis.set_major_formatter(FuncFormatter(curve_text.short))
    for letter, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if letter in log:
            axis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(curve_text.short))
    if "y" not in log:
        axes.set_ylim(bottom=0)
    axes.tick_params(length=3)


def _name_limit(axes: Axes, text: str, y: float, right: bool = False) -> None:
    """A dashed line with its name above its left end, or below its right one."""
    axes.axhline(y, **LIMIT)
    place = {"ha": "right", "va": "top"} if right else {"ha": "left", "va": "bottom"}
    axes.annotate(
        text,
        (0.99 if right else 0.01, y),
        (0, -2 if right else 1),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=8,
        **place,
    )


def _throughput(curve: Curve, x: str, ticks: Sequence[int], network: str) -> Figure:
    """Samples per second and GFLOP/s of everybody, against one size."""
    figure, (samples, flops) = _figure()
    for name, points in curve_text.series(curve).items():
        look = LOOKS[name]
        xs = [point["x"] for point, _ in points]
        label = curve_text.name_of(name)
        samples.plot(xs, [point["batch"] / seconds for point, seconds in points], label=label, **look)
        flops.plot(xs, [point["flops"] / seconds / 1e9 for point, seconds in points], label=label, **look)
    _axes(samples, f"{network}: samples", x, "samples per second", "xy", ticks)
    _axes(flops, f"{network}: arithmetic", x, "GFLOP/s in products", "xy", ticks)
    peak = curve["machine"]["peak"].get("flops")
    if peak:
        _name_limit(flops, f"peak of the processors, {peak / 1e9:,.0f}", peak / 1e9)
        flops.set_ylim(top=peak / 1e9 * 2.2)
    flops.legend(loc="lower right")
    return figure


def _batch(curve: Curve) -> Figure:
    return _throughput(curve, "batch size (rows)", [1, 4, 16, 64, 256, 1024, 4096], "784-128-32-10")


def _width(curve: Curve) -> Figure:
    return _throughput(curve, "layer width (units)", [8, 32, 128, 512, 2048], "W-W-W-10, batch 128")


def _depth(curve: Curve) -> Figure:
    figure, (times, each) = _figure()
    for name, points in curve_text.series(curve).items():
        look, label = LOOKS[name], curve_text.name_of(name)
        layers = np.array([point["x"] for point, _ in points], float)
        us = np.array([seconds for _, seconds in points]) * 1e6
        times.plot(layers, us, label=label, **look)
        each.plot(layers, us / layers, label=label, **look)
        if name == "ranvier" and len(layers) > 2:
            fit = curve_text.line(layers, us)
            text = f"{fit.slope:.2f} µs a layer, R² {fit.r2:.4f}"
            times.plot(layers, fit.at(layers), label=text, **LIMIT)
    _axes(times, "a step of 64-unit layers, batch 32", "layers", "µs per step")
    _axes(each, "the same, by layer", "layers", "µs per step and layer", "xy")
    times.legend(loc="upper left")
    each.legend(loc="center")
    return figure


def _threads(curve: Curve) -> Figure:
    figure, (speed_up, rate) = _figure()
    count = max(curve["machine"]["cpus"], 1)
    for by, label, look in (
        ("batch", "784-128-32-10, by batch size", {"color": BLUE, "marker": "o"}),
        ("width", "W-W-W-10, by width", {"color": RED, "marker": "s", "linestyle": "-."}),
    ):
        points = [(point, *curve_text.one_and_all(point)) for point in curve["points"] if point["by"] == by]
        points.sort(key=lambda entry: entry[1])
        us = [one * 1e6 for _, one, _ in points]
        speed_up.plot(us, [one / every for _, one, every in points], label=label, **look)
        rate.plot(us, [point["flops"] / every / 1e9 for point, _, every in points], label=label, **look)
        dim = {**look, "alpha": 0.45, "linewidth": 1.0, "markersize": 2.5}
        rate.plot(us, [point["flops"] / one / 1e9 for point, one, _ in points], **dim)
    _axes(speed_up, f"{count} threads against one", "µs per step on one thread", "times as fast", "x")
    _axes(rate, f"{count} threads, and one (faint)", "µs per step on one thread", "GFLOP/s in products", "xy")
    _name_limit(speed_up, "as many times as there are threads", count)
    _name_limit(speed_up, "no faster", 1, right=True)
    speed_up.set_ylim(0, count * 1.2)
    speed_up.legend(loc="lower right")
    return figure


def _memory(curve: Curve) -> Figure:
    figure, panels = _figure()
    for axes, by, title, x in (
        (panels[0], "parameters", "training W-W-W-10, batch 32", "parameters"),
        (panels[1], "batch", "training 512-512-512-10", "batch size (rows)"),
    ):
        points = [point for point in curve["points"] if point["by"] == by]
        for name in dict.fromkeys(name for point in points for name in point["entries"]):
            known = [(p["x"], p["entries"][name]) for p in points if "peak" in p["entries"].get(name, {})]
            xs = [x for x, _ in known]
            mb = [entry["peak"] / 1e6 for _, entry in known]
            axes.plot(xs, mb, label=curve_text.name_of(name), **LOOKS[name])
        ticks = [1, 16, 64, 256, 1024, 4096] if by == "batch" else ()
        if by == "parameters":
            xs = [point["x"] for point in points]
            axes.plot(xs, [12 * x / 1e6 for x in xs], label="12 bytes a parameter", **LIMIT)
        _axes(axes, title, x, "MB beyond library and data", "xy", ticks)
    panels[0].legend(loc="lower right")
    return figure


def _plan(curve: Curve) -> Figure:
    figure, (axes,) = _figure(1)
    nodes = np.array([point["nodes"] for point in curve["points"]], float)
    for stage, label, look in (
        ("trace", "trace and differentiate (Python)", {"color": RED, "marker": "s", "linestyle": "-."}),
        ("plan", "plan", {"color": BLUE, "marker": "o", "linewidth": 2.2}),
    ):
        ms = [np.median(point["seconds"][stage]) * 1e3 for point in curve["points"]]
        axes.plot(nodes, ms, label=label, **look)
    _axes(axes, "from a model's step to its program", "nodes of the graph", "milliseconds", "xy")
    axes.axvline(10_000, **LIMIT)
    _name_limit(axes, "500 ms", 500)
    axes.set_ylim(top=1500)
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.72))
    return figure


def _start(curve: Curve) -> Figure:
    figure, (axes,) = _figure(1)
    points = curve["points"]
    layers, below = [point["x"] for point in points], np.zeros(len(points))
    labels = {"build": "build the layers", "trace": "trace, differentiate", "plan": "plan"}
    for (stage, label), color in zip(labels.items(), (SKY, RED, BLUE), strict=True):
        ms = np.array([np.median(point["seconds"][stage]) * 1e3 for point in points])
        axes.fill_between(layers, below, below + ms, label=label, color=color, linewidth=0)
        below = below + ms
    _axes(axes, "before the first step of 64-unit layers", "layers", "milliseconds")
    _name_limit(axes, "50 ms", 50)
    axes.set_xlim(layers[0], layers[-1])
    axes.set_ylim(0, max(60, below[-1] * 1.1))
    handles, names = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], names[::-1], loc="upper left", bbox_to_anchor=(0.0, 0.8))
    return figure


def _fits(curve: Curve) -> Figure:
    figure, (axes,) = _figure(1)
    looks = ({"color": BLUE, "linewidth": 2.2}, {"color": RED, "linestyle": "-.", "linewidth": 1.6})
    top = 0.0
    for point, look in zip(curve["points"], looks, strict=True):
        done, mb = np.array(point["read"], float).T
        top = max(top, mb.max() / 1e6)
        axes.plot(done, mb / 1e6, label=point["x"], **look)
    _axes(axes, "resident memory over consecutive fits of a small network", "fits", "MB, all of the process")
    axes.set_ylim(0, top * 1.3)
    axes.legend(loc="lower right")
    return figure


FIGURES: dict[str, Callable[[Curve], Figure]] = {
    "batch": _batch,
    "width": _width,
    "depth": _depth,
    "threads": _threads,
    "memory": _memory,
    "plan": _plan,
    "start": _start,
    "fits": _fits,
}
