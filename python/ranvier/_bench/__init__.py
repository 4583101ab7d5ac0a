"""`ranvier bench`: the short form of the benchmark, on this machine, next to NumPy.

It needs nothing that is not installed with ranvier: the contestants take turns in this process. bench/ in the
repository is the long form, with more workloads and more rivals; what is trained, the Keras model and the
NumPy network are the same files.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import ranvier as rv
from ranvier._bench.keras_model import build_model, fit
from ranvier._bench.numpy_net import NumpyNet
from ranvier._bench.tasks import Task, task

if TYPE_CHECKING:
    from rich.table import Table

ROUNDS = 7
MEASUREMENT_SECONDS = 0.1  # the work is repeated until a measurement takes about this long
MOST_BUSY = 0.2  # processors at work for others, above which nothing is compared
WORKLOADS = ("tiny_sgd", "mnist_mlp", "simplechains")
PRODUCTS = [(32, 784, 128), (256, 256, 256), (1024, 1024, 1024)]

Contestant = Callable[[int], object]  # does its work the given number of times

__all__ = ["ROUNDS", "NumpyNet", "Task", "run", "tasks"]


def tasks() -> list[Task]:
    """The networks of the short benchmark."""
    return [task(name) for name in WORKLOADS]


def run(rounds: int = ROUNDS) -> int:
    """Measures everything and prints the table.

    Args:
        rounds: measurements of each contestant.

    Returns:
        0, the exit status of the command.
    """
    from rich.console import Console

    console = Console()
    rows = []
    with console.status("measuring"):
        others = busy_processors()
        for each in tasks():
            ours, theirs, ratio = compare(*_trainers(each), rounds)
            what = f"{each.name}: {each.what}"
            rows.append((what, "us/step", ours / each.steps, theirs / each.steps, ratio))
        for m, k, n in PRODUCTS:
            rows.append((f"product {m}x{k} by {k}x{n}", "us", *compare(*_products(m, k, n), rounds)))
        others = max(others, busy_processors())
    console.print(_table(rows, others <= MOST_BUSY))
    if others > MOST_BUSY:
        print(
            f"The machine is busy: other programs keep {others:.1f} of its processors at work. So these\n"
            "times are not compared with NumPy's, and say little. Run `ranvier bench` again when nothing\n"
            "else runs."
        )
    return 0


def busy_processors(seconds: float = 0.5) -> float:
    """How many of the processors that this process may use are at work for others, while it sleeps."""
    before = _idle_and_all()
    time.sleep(seconds)
    after = _idle_and_all()
    if before is None or after is None or after[1] <= before[1]:
        return 0.0  # the system does not tell
    idle = (after[0] - before[0]) / (after[1] - before[1])
    return (1.0 - min(idle, 1.0)) * len(os.sched_getaffinity(0))


def _idle_and_all() -> tuple[float, float] | None:
    """The idle and the whole time of the processors that this process may use; None: not told."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        names = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    except (OSError, AttributeError):  # not Linux
        return None
    times = [[float(t) for t in line.split()[1:9]] for line in lines if line.split(" ")[0] in names]
    return sum(t[3] + t[4] for t in times), sum(map(sum, times))


def _table(rows: Sequence[tuple[str, str, float, float, float]], compared: bool) -> Table:
    from rich.table import Table

    table = Table(title="ranvier next to NumPy" if compared else "ranvier", caption=_caption(compared))
    table.add_column("what")
    for column in ("ranvier", "NumPy", "faster")[: 3 if compared else 1]:
        table.add_column(column, justify="right")
    for what, unit, ours, theirs, ratio in rows:
        cells = [f"{ours * 1e6:,.1f} {unit}", f"{theirs * 1e6:,.1f} {unit}", f"{ratio:.2f}x"]
        table.add_row(what, *cells[: 3 if compared else 1])
    return table


def _caption(compared: bool) -> str:
    if not compared:
        return "medians"
    caption = "medians; faster: NumPy's time / ranvier's time"
    chosen = os.environ.get("OPENBLAS_CORETYPE")
    return f"{caption}\nNumPy may be held back: OPENBLAS_CORETYPE={chosen} is set" if chosen else caption


def compare(ours: Contestant, theirs: Contestant, rounds: int) -> tuple[float, float, float]:
    """Lets two contestants take turns.

    Args:
        ours: a contestant.
        theirs: its rival.
        rounds: measurements of each.

    Returns:
        The median seconds that each needs to do its work once, and the median of theirs / ours by round.
    """
    contestants = [(function, _repeats(function)) for function in (ours, theirs)]
    seconds = np.empty((rounds, 2))
    for turn in seconds:
        for i, (function, repeats) in enumerate(contestants):
            turn[i] = _seconds(function, repeats) / repeats
    medians = np.median(seconds, axis=0)
    return float(medians[0]), float(medians[1]), float(np.median(seconds[:, 1] / seconds[:, 0]))


def _seconds(function: Contestant, repeats: int) -> float:
    start = time.perf_counter()
    function(repeats)
    return time.perf_counter() - start


def _repeats(function: Contestant) -> int:
    """How often the work is done in one measurement. What is prepared at the first call is not measured."""
    function(1)
    repeats = 1
    while (seconds := _seconds(function, repeats)) < MEASUREMENT_SECONDS / 2:
        repeats = math.ceil(repeats * min(100.0, MEASUREMENT_SECONDS / seconds))
    return repeats


def _trainers(task: Task) -> tuple[Contestant, Contestant]:
    """Both contestants train as many epochs as asked for, going on where they stopped."""
    model = build_model(rv, task)
    return (lambda epochs: fit(model, task, epochs)), NumpyNet(task).fit


def _products(m: int, k: int, n: int) -> tuple[Contestant, Contestant]:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(m, k)).astype("float32"), rng.normal(size=(k, n)).astype("float32")

    def ours(repeats: int) -> None:
        for _ in range(repeats):
            rv.ops.matmul(a, b)

    def theirs(repeats: int) -> None:
        for _ in range(repeats):
            np.matmul(a, b)

    return ours, theirs
