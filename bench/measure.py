"""The workloads: contestants take turns, and are compared only if they do the same work."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import definitions
import numpy as np
import products
from process import Gone, Process

OURS = "ranvier"
SETTLE_SECONDS = 0.2  # before a turn, so that the last contestant's threads have stopped spinning
SAME_START = 1e-3  # how much the loss of the initial weights may differ, relatively
SAME_FALL = 1.5  # how many times as far one's loss may fall as another's: batches are shuffled differently
SAME_OUTPUTS = 1e-4
LEAST_FALL = 0.02  # of the initial loss: whoever learns less has not trained

CALLS = (
    "model(x), one row",
    "predict_on_batch",
    "test_on_batch",
    "train_on_batch",
    "evaluate, one batch",
    "fit, one batch",
    "fit, all batches, with a Python callback at each",
)

Entry = dict[str, Any]  # what is known of a contestant in a workload: "seconds", "refused", "note", ...
Row = dict[str, Any]  # a workload's record


def row(name: str, what: str, unit: str, flops: float = 0.0, group: str = "") -> Row:
    """A workload's record, still without entries.

    Args:
        name: its name.
        what: a few words.
        unit: what the seconds are divided by ("step"); "" for the thing as a whole.
        flops: floating-point operations of a unit; 0: not limited by arithmetic.
        group: what it belongs to, if it is one of several of a kind.
    """
    return {"name": name, "what": what, "unit": unit, "flops": flops, "group": group, "entries": {}}


def training(name: str, team: Sequence[Process], rounds: int) -> Row:
    """Measures a network's training."""
    task = definitions.load("tasks").task(name)
    record = row(name, task.what, "step", task.flops)
    _prepare(record, team, lambda one: one.ask("train", name=name))
    _judge(record, _other_training)
    _take_turns(record, team, rounds)
    return record


def sweeping(
    shape: dict[str, Any], team: Sequence[Process], rounds: int, settle: float = SETTLE_SECONDS
) -> Row:
    """Measures the training of a classifier, a point of a curve.

    Some points train for a few steps only, so that here contestants are compared if they start at the same
    loss (so have the same network, loss and data) and move from it.

    Args:
        shape: what `tasks.classifier` takes.
        team: the contestants.
        rounds: measurements of each.
        settle: seconds before each turn.
    """
    task = definitions.load("tasks").classifier(**shape)
    record = row("classifier", task.what, "step", task.flops)
    _prepare(record, team, lambda one: one.ask("train_classifier", **shape))
    _judge(record, _other_point)
    _take_turns(record, team, rounds, settle=settle)
    return record


def predicting(team: Sequence[Process], rounds: int) -> Row:
    """Measures the prediction of one row."""
    task = definitions.load("tasks").task("predict_one")
    sizes = "-".join(map(str, task.sizes))
    cells = sum(fan_in * fan_out for fan_in, fan_out in task.layers)
    record = row(task.name, f"one row through {sizes}, from array to array", "row", 2.0 * cells)
    _prepare(record, team, lambda one: one.ask("predict", name=task.name))
    _judge(record, _other_outputs)
    _take_turns(record, team, rounds)
    return record


def calling(name: str, team: Sequence[Process], rounds: int) -> Row:
    """Measures a single call of the Keras workflow, whose time is mostly the call's own."""
    task = definitions.load("tasks").task("predict_one")
    record = row("call", f"{name} ({'-'.join(map(str, task.sizes))})", "")
    _prepare(record, team, lambda one: one.ask("call", name=name))
    _only_offered(record)
    _take_turns(record, [one for one in team if one.name in record["entries"]], rounds)
    return record


def _only_offered(record: Row) -> None:
    """Leaves out those who do not have what is measured."""
    record["entries"] = {
        name: entry for name, entry in record["entries"].items() if entry.get("offered", True)
    }


def multiplying(
    shape: products.Shape, group: str, team: Sequence[Process], rounds: int, settle: float = SETTLE_SECONDS
) -> Row:
    """Measures a product alone; `settle` seconds pass before each turn."""
    record = row("product", shape.name, "", shape.flops, group)
    _prepare(record, team, lambda one: one.ask("product", **dataclasses.asdict(shape)))
    _only_offered(record)
    team = [one for one in team if one.name in record["entries"]]
    for entry in record["entries"].values():
        if entry.get("error", 0) > products.TOLERANCE:
            entry["refused"] = f"its result is off by {entry['error']:.0e}"
    _take_turns(record, team, rounds, settle=settle)
    return record


def importing(team: Sequence[Process], rounds: int) -> Row:
    """Measures the import of each library."""
    record = row("import", "import after NumPy, in a fresh interpreter", "")
    # NumPy after NumPy is nothing to compare with.
    others = [one for one in team if one.name != "numpy"]
    for one in others:
        _try(record, one, lambda one: {"warm": one.import_seconds()})
    _take_turns(record, others, rounds, lambda one: one.import_seconds())
    return record


def first_fitting(team: Sequence[Process], rounds: int) -> Row:
    """Measures the first epoch of a fresh process: whatever is traced, compiled or planned for it."""
    name = "tiny_batch"
    record = row("first_fit", f"build, compile and first epoch of {name}, in a fresh process", "")

    def once(one: Process) -> float:
        one.start()
        return float(one.ask("first_fit", name=name)["seconds"])

    for one in team:
        _try(record, one, lambda one: {"warm": once(one)})
    _take_turns(record, team, rounds, once)
    return record


def _try(record: Row, one: Process, action: Callable[[Process], Entry]) -> None:
    try:
        record["entries"][one.name] = {**action(one), "seconds": []}
    except Gone as reason:
        record["entries"][one.name] = {"refused": str(reason), "seconds": []}


def _prepare(record: Row, team: Sequence[Process], action: Callable[[Process], Entry]) -> None:
    for one in team:
        _try(record, one, action)


def _judge(record: Row, difference: Callable[[Entry, Entry], str]) -> None:
    """Refuses every entry that differs from ours, saying why."""
    entries = record["entries"]
    ours = entries[OURS]
    if "refused" in ours:
        return
    for entry in entries.values():
        reason = "" if "refused" in entry else difference(entry, ours)
        if reason:
            entry["refused"] = reason


def _other_training(entry: Entry, ours: Entry) -> str:
    """Why two trainings are not the same work, or ""."""
    start, end = entry["before"], entry["after"]
    fall, our_fall = start - end, ours["before"] - ours["after"]
    if reason := _other_start(entry, ours):
        return reason
    if not fall > LEAST_FALL * start:  # a NaN too
        return f"does not learn: loss {start:.4f} to {end:.4f}"
    if not our_fall / SAME_FALL <= fall <= our_fall * SAME_FALL:
        return f"loss falls to {end:.4f}, ours to {ours['after']:.4f}"
    return ""


def _other_start(entry: Entry, ours: Entry) -> str:
    """Why two trainings do not start from the same weights, data and loss, or ""."""
    start, wanted = entry["before"], ours["before"]
    same = abs(start - wanted) <= SAME_START * abs(wanted)
    return "" if same else f"starts at loss {start:.4f}, ours at {wanted:.4f}"


def _other_point(entry: Entry, ours: Entry) -> str:
    """Why two short trainings are not the same work, or ""."""
    start, end = entry["before"], entry["after"]
    moves = np.isfinite(end) and end != start
    return _other_start(entry, ours) or ("" if moves else f"does not train: loss {start:.4f} to {end:.4f}")


def _other_outputs(entry: Entry, ours: Entry) -> str:
    one, other = np.array(entry["outputs"]), np.array(ours["outputs"])
    same = one.shape == other.shape and np.allclose(one, other, rtol=0, atol=SAME_OUTPUTS)
    return "" if same else "predicts something else"


def _measure(one: Process) -> float:
    return float(one.ask("measure")["seconds"])


def _take_turns(
    record: Row,
    team: Sequence[Process],
    rounds: int,
    once: Callable[[Process], float] = _measure,
    settle: float = SETTLE_SECONDS,
) -> None:
    """Fills the entries' seconds, one measurement of each contestant a round: A B C, A B C, ..."""
    for _ in range(rounds):
        for one in team:
            entry = record["entries"][one.name]
            if "refused" in entry:
                continue
            time.sleep(settle)
            try:
                entry["seconds"].append(once(one))
            except Gone as reason:
                entry["refused"] = str(reason)
