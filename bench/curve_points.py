"""What each curve measures: its points, and who takes part in them.

A point is a dict: what it was measured at ("x" and the sizes), and "entries" as in `measure`, or the figures
themselves where only ranvier takes part.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import measure
import numpy as np
from contestants import RIVALS
from process import Gone, Process

Point = dict[str, Any]

SETTLE_SECONDS = 0.1  # before a turn
STEPS = 512  # of a measurement, about
MOST_EPOCHS = 8
MOST_FLOPS = 2e10  # of a measurement, where the epochs can be chosen
FITS, FITS_BETWEEN = 1000, 10

MLP = (784, 128, 32, 10)
BATCHES = tuple(1 << bits for bits in range(13))
WIDTHS = tuple(1 << bits for bits in range(3, 13))
WIDTH_BATCH = 128
DEPTHS = (1, 2, 5, 10, 20, 40, 60, 80, 100)
DEPTH_UNITS, DEPTH_BATCH = 64, 32
DEEP = (1, 2, 5, 10, 20, 50, 100, 200, 222, 400)  # layers of what is planned; 222 make 10,000 nodes
STARTS = (1, 25, 50, 75, 100)
MEMORY_WIDTHS = (64, 128, 256, 512, 1024, 2048, 3072)
MEMORY_BATCHES = (1, 16, 64, 256, 1024, 4096)
MEMORY_WIDTH, MEMORY_BATCH = 512, 32


@dataclass
class Setup:
    """How curves are measured.

    Args:
        rivals: who takes part besides ranvier.
        pythons: the interpreters of those whose library is not in this one.
        threads: processors of each; None: all.
        rounds: measurements of each contestant at each point.
        short: a few small points only, to see that everything runs.
    """

    rivals: Sequence[str] = RIVALS
    pythons: dict[str, str] = field(default_factory=dict)
    threads: int | None = None
    rounds: int = 3
    short: bool = False

    def some(self, values: Sequence[int]) -> Sequence[int]:
        """The points of a curve."""
        return values[:2] if self.short else values

    def process(self, name: str, threads: int | None = None) -> Process:
        return Process(name, self.pythons.get(name, sys.executable), threads or self.threads)

    @contextlib.contextmanager
    def team(self) -> Iterator[list[Process]]:
        """ranvier and those rivals that can be started, each in its process."""
        team = []
        try:
            for name in (measure.OURS, *self.rivals):
                one = self.process(name)
                try:
                    one.start()
                    team.append(one)
                except Gone as reason:
                    if name == measure.OURS:
                        raise SystemExit(f"ranvier itself cannot be measured: {reason}") from None
                    print(f"{name}: skipped: {reason}", file=sys.stderr, flush=True)
            yield team
        finally:
            for one in team:
                one.stop()

    @contextlib.contextmanager
    def ours(self, threads: int | None = None) -> Iterator[Process]:
        """ranvier alone."""
        one = self.process(measure.OURS, threads)
        try:
            yield one
        finally:
            one.stop()


def shape_of(sizes: Sequence[int], batch: int, hidden: str = "relu") -> dict[str, Any]:
    """What `tasks.classifier` takes: rows for at most 64 steps and 8,192 rows, and epochs to last a while."""
    cells = [fan_in * fan_out for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True)]
    step = 2.0 * batch * (3 * sum(cells) - cells[0])
    steps = max(8192 // batch, 2) if batch > 16 else 512
    steps = int(np.clip(MOST_FLOPS / step, 8, min(steps, 64 if batch > 16 else 512)))
    epochs = int(np.clip(min(STEPS / steps, MOST_FLOPS / (step * steps)), 1, MOST_EPOCHS))
    return {
        "sizes": list(sizes),
        "rows": steps * batch,
        "batch_size": batch,
        "epochs": epochs,
        "hidden": hidden,
    }


def _trained(x: int, shape: dict[str, Any], team: Sequence[Process], setup: Setup) -> Point:
    say(f"  {x}: {'-'.join(map(str, shape['sizes'][:5]))} batch {shape['batch_size']}")
    record = measure.sweeping(shape, team, setup.rounds, SETTLE_SECONDS)
    return {"x": x, "batch": shape["batch_size"], "flops": record["flops"], "entries": record["entries"]}


def batch(setup: Setup) -> list[Point]:
    """Training of one network in batches of 1 to 4,096 rows."""
    with setup.team() as team:
        return [_trained(size, shape_of(MLP, size), team, setup) for size in setup.some(BATCHES)]


def _wide(width: int, batch_size: int = WIDTH_BATCH) -> dict[str, Any]:
    return shape_of((width, width, width, 10), batch_size)


def width(setup: Setup) -> list[Point]:
    """Training of networks with layers of 8 to 4,096 units."""
    with setup.team() as team:
        return [_trained(units, _wide(units), team, setup) for units in setup.some(WIDTHS)]


def depth(setup: Setup) -> list[Point]:
    """Training of networks of 1 to 100 layers."""
    shapes = {
        layers: shape_of((DEPTH_UNITS,) * layers + (10,), DEPTH_BATCH, "tanh")
        for layers in setup.some(DEPTHS)
    }
    with setup.team() as team:
        return [_trained(layers, shape, team, setup) for layers, shape in shapes.items()]


def threads(setup: Setup) -> list[Point]:
    """ranvier's training on one thread and on all, in turns: the points of `batch` and `width`."""
    shapes = [("batch", size, shape_of(MLP, size)) for size in setup.some(BATCHES)]
    shapes += [("width", units, _wide(units)) for units in setup.some(WIDTHS)]
    counts = (1, setup.threads)
    points = []
    with setup.ours(1) as one, setup.ours() as every:
        for by, x, shape in shapes:
            say(f"  {by} {x}")
            task = measure.definitions.load("tasks").classifier(**shape)
            seconds: dict[str, list[float]] = {"one": [], "all": []}
            for process in (one, every):
                process.ask("train_classifier", **shape)
            for _ in range(setup.rounds):
                for key, process in zip(seconds, (one, every), strict=True):
                    time.sleep(SETTLE_SECONDS)
                    seconds[key].append(float(process.ask("measure")["seconds"]))
            points.append({"x": x, "by": by, "flops": task.flops, "threads": counts, "seconds": seconds})
    return points


def memory(setup: Setup) -> list[Point]:
    """What training takes beyond the library and the data, by size of model and of batch; fresh processes."""
    cases = [("parameters", _footprint(units, MEMORY_BATCH)) for units in setup.some(MEMORY_WIDTHS)]
    cases += [("batch", _footprint(MEMORY_WIDTH, size)) for size in setup.some(MEMORY_BATCHES)]
    points = []
    with setup.team() as team:
        for by, shape in cases:
            say(f"  {shape['sizes'][0]} wide, batch {shape['batch_size']}")
            entries: dict[str, Any] = {}
            for one in team:
                one.start()
                try:
                    entries[one.name] = one.ask("footprint", **shape)
                except Gone as reason:
                    entries[one.name] = {"refused": str(reason)}
            parameters = entries[measure.OURS]["weights"] // 4
            x = parameters if by == "parameters" else shape["batch_size"]
            points.append({"x": x, "by": by, "parameters": parameters, "entries": entries})
    return points


def _footprint(units: int, batch_size: int) -> dict[str, Any]:
    """A few steps, with a network of `_wide`."""
    return {
        "sizes": [units, units, units, 10],
        "rows": max(2 * batch_size, 128),
        "batch_size": batch_size,
        "epochs": 2,
        "hidden": "relu",
    }


def plan(setup: Setup) -> list[Point]:
    """From a model's step to its program: seconds of tracing and of planning, by the number of nodes."""
    return _stages(setup, DEEP)


def start(setup: Setup) -> list[Point]:
    """Import, and what comes before the first step of networks of up to 100 layers."""
    with setup.ours() as one:
        imports = [one.import_seconds() for _ in range(setup.rounds)]
    return [{**point, "import": imports} for point in _stages(setup, STARTS)]


def _stages(setup: Setup, depths: Sequence[int]) -> list[Point]:
    points = []
    with setup.ours() as one:
        for layers in setup.some(depths):
            runs = one.ask("stages", repeats=max(setup.rounds, 3), layers=layers)["runs"]
            seconds = {stage: [run[stage] for run in runs] for stage in ("build", "trace", "plan")}
            points.append(
                {"x": layers, "nodes": runs[0]["nodes"], "steps": runs[0]["steps"], "seconds": seconds}
            )
    return points


def fits(setup: Setup) -> list[Point]:
    """The resident memory over many consecutive fits: of one model, and of a new model each."""
    count, every = (20, FITS_BETWEEN) if setup.short else (FITS, FITS_BETWEEN)
    points = []
    for fresh in (False, True):
        with setup.ours() as one:
            answer = one.ask("fits", name="tiny_batch", fresh=fresh, count=count, every=every)
        points.append({"x": "a new model each" if fresh else "one model", **answer})
    return points


def say(line: str) -> None:
    """Progress, apart from the results."""
    print(line, file=sys.stderr, flush=True)


CURVES: dict[str, Callable[[Setup], list[Point]]] = {
    "batch": batch,
    "width": width,
    "depth": depth,
    "threads": threads,
    "memory": memory,
    "plan": plan,
    "start": start,
    "fits": fits,
}
