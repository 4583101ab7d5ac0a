"""Tables of what was measured: in the terminal, in Markdown, in JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measure import OURS, Entry, Row

Results = dict[str, Any]
NAMES = {
    "numpy": "NumPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "keras": "Keras (JAX)",
    "sklearn": "scikit-learn",
}
TABLE_MARKERS = ("<!-- table -->", "<!-- /table -->")
README_MARKERS = (r"<!-- speeds: begin[^>]*-->", r"<!-- speeds: end -->")


class Ratio(NamedTuple):
    """A rival's time / ours, round by round."""

    median: float
    low: float  # the quartiles
    high: float

    def __str__(self) -> str:
        digits = 2 if self.median < 10 else 1 if self.median < 100 else 0
        low, high = (f"{end:,.{digits}f}" for end in (self.low, self.high))
        return (
            f"{self.median:,.{digits}f}x ({low} to {high})" if low != high else f"{self.median:,.{digits}f}x"
        )


def ratio(entry: Entry, ours: Entry) -> Ratio | None:
    """How a rival compares; None if it was not measured."""
    if "refused" in entry or "refused" in ours or not entry["seconds"] or not ours["seconds"]:
        return None
    ratios = np.array(entry["seconds"]) / np.array(ours["seconds"])
    return Ratio(float(np.median(ratios)), *map(float, np.quantile(ratios, [0.25, 0.75])))


def add_statistics(results: Results) -> None:
    """Adds medians and ratios to the record, for those who read the JSON."""
    for row in results["workloads"]:
        ours = row["entries"].get(OURS, {"refused": "", "seconds": []})
        for name, entry in row["entries"].items():
            if entry["seconds"]:
                entry["median"] = float(np.median(entry["seconds"]))
            compared = ratio(entry, ours) if name != OURS else None
            if compared:
                entry["ratio"] = compared._asdict()


def peak(results: Results) -> float:
    """Float32 operations per second: as measured, or those of the fastest product; 0 if neither is known."""
    measured = results["machine"]["peak"].get("flops")
    if measured:
        return float(measured)
    products = (row for row in results["workloads"] if row["name"] == "product")
    rates = (row["flops"] / e["median"] for row in products for e in row["entries"].values() if "median" in e)
    return float(max(rates, default=0.0))


def microseconds(seconds: float) -> str:
    """Three digits or more."""
    us = seconds * 1e6
    return f"{us:,.{2 if us < 10 else 1 if us < 100 else 0}f}"


class Table:
    """The cells of the table, as text.

    Args:
        results: the record.
    """

    def __init__(self, results: Results) -> None:
        self.results = results
        self.peak = peak(results)
        self.rivals = [name for name in NAMES if "versions" in results["contestants"].get(name, {})]
        self.notes: list[str] = []
        self.header = [
            "workload",
            "µs per",
            "floor",
            OURS,
            *(NAMES[name] for name in self.rivals),
            "best rival",
        ]
        alone = [row for row in results["workloads"] if not row["group"]]
        groups = dict.fromkeys(row["group"] for row in results["workloads"] if row["group"])
        self.rows = [self._single(row) for row in alone]
        for group in groups:
            self.rows.append(self._group(group, [r for r in results["workloads"] if r["group"] == group]))

    def _single(self, row: Row) -> list[str]:
        entries = row["entries"]
        ours = entries.get(OURS, {"refused": "", "seconds": []})
        label = f"{row['name']}: {row['what']}"
        floor = microseconds(row["flops"] / self.peak) if row["flops"] and self.peak else ""
        cells = [self._cell(label, rival, entries.get(rival), ours) for rival in [OURS, *self.rivals]]
        compared = {rival: ratio(entries[rival], ours) for rival in self.rivals if rival in entries}
        known = {rival: value for rival, value in compared.items() if value}
        best = min(known, key=lambda rival: known[rival].median, default="")
        verdict = f"{known[best]} {NAMES[best]}" if best else ""
        return [label, row["unit"] or "call", floor, *cells, verdict]

    def _cell(self, label: str, name: str, entry: Entry | None, ours: Entry) -> str:
        if entry is None:
            return ""
        if "refused" in entry:
            self._note(label, name, entry)
            return "not compared"
        if not entry["seconds"]:
            return ""
        star = ""
        if entry.get("substitute"):
            star = "*"
            note = f"* trains with {entry['substitute']}, because it has not the optimizer of the task"
            if note not in self.notes:
                self.notes.append(note)
        compared = ratio(entry, ours) if name != OURS else None
        return microseconds(entry["median"]) + (f" = {compared}" if compared else "") + star

    def _group(self, group: str, rows: Sequence[Row]) -> list[str]:
        """Many products in one line: geometric means of the ratios, and the lowest."""
        for row in rows:
            for name, entry in row["entries"].items():
                if "refused" in entry:
                    self._note(row["what"], name, entry)
        ours = [row for row in rows if row["entries"].get(OURS, {}).get("median")]
        shares = [row["flops"] / row["entries"][OURS]["median"] / self.peak for row in ours]
        share = f"{_geometric_mean(shares):.2f} of peak" if shares else ""
        cells = [_mean_ratio(rows, [rival])[0] for rival in self.rivals]
        mean, lowest = _mean_ratio(rows, self.rivals)
        return [f"{group} ({len(rows)} shapes)", "", "", share, *cells, mean + lowest]

    def _note(self, what: str, name: str, entry: Entry) -> None:
        self.notes.append(f"{what}: {NAMES.get(name, name)} is not compared: {entry['refused']}")


def _ratio_in(row: Row, rivals: Sequence[str]) -> float | None:
    """The lowest ratio of some rivals: that of the fastest of them."""
    entries = row["entries"]
    ours = entries.get(OURS, {"refused": "", "seconds": []})
    ratios = [ratio(entries[rival], ours) for rival in rivals if rival in entries]
    return min((value.median for value in ratios if value), default=None)


def _mean_ratio(rows: Sequence[Row], rivals: Sequence[str]) -> tuple[str, str]:
    """The geometric mean of the ratios to the fastest of some rivals, and the lowest ratio with its shape."""
    ratios = [(_ratio_in(row, rivals), row["what"]) for row in rows]
    known = [(value, what) for value, what in ratios if value is not None]
    if not known:
        return "", ""
    lowest, what = min(known)
    return f"{_geometric_mean([value for value, _ in known]):.2f}x", f", lowest {lowest:.2f}x: {what}"


def _geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def print_table(results: Results) -> None:
    """Prints the table, drawn by rich where it is installed."""
    table = Table(results)
    try:
        from rich.console import Console
        from rich.table import Table as RichTable
    except ImportError:
        print("\n".join(markdown_lines(table)))
    else:
        drawn = RichTable(title=machine_line(results), show_lines=True)
        for i, title in enumerate(table.header):
            drawn.add_column(title, justify="left" if i < 2 else "right", overflow="fold")
        for row in table.rows:
            drawn.add_row(*row)
        console = Console()
        # A file or a pipe has no width to respect.
        console = console if console.is_terminal else Console(width=240)
        console.print(drawn)
    for line in (*table.notes, *remarks(results)):
        print(line)


def machine_line(results: Results) -> str:
    """The machine in a sentence."""
    machine = results["machine"]
    known = machine["peak"]
    limits = ""
    if known:
        one, every = known["flops_one"] / 1e9, known["flops"] / 1e9
        limits = f", {one:,.0f} GFLOP/s float32 on one, {every:,.0f} on all, {known['bytes'] / 1e9:,.0f} GB/s"
    return f"{machine['processor']}, {machine['cpus']} processor(s){limits}; {machine['system']}"


def remarks(results: Results) -> list[str]:
    """What a reader must know beside the table."""
    settings, machine = results["settings"], results["machine"]
    lines = [
        f"{results['date']}; medians of {settings['rounds']} rounds ({settings['slow_rounds']} of products, "
        "imports and first fits); ratios: rival's time / ours (quartiles)"
    ]
    for name, details in results["contestants"].items():
        who = NAMES.get(name, name)
        versions = ", ".join(f"{key} {value}" for key, value in details.get("versions", {}).items())
        lines.append(f"{who}: {versions}" if versions else f"{who}: skipped: {details['absent']}")
    if settings["held_back"]:
        lines.append(f"set here and kept from all contestants: {', '.join(settings['held_back'])}")
    if was_busy(results):
        lines.append(
            f"the machine was busy at the start (load {machine['load']:.1f}): do not quote these numbers"
        )
    return lines


def was_busy(results: Results) -> bool:
    """Whether other programs ran when the measurements began."""
    machine = results["machine"]
    return bool(machine["load"] > 0.3 * machine["cpus"])


def markdown_lines(table: Table) -> list[str]:
    rows = [table.header, ["---"] * 2 + ["---:"] * (len(table.header) - 2), *table.rows]
    return ["| " + " | ".join(row) + " |" for row in rows]


def markdown(results: Results) -> str:
    """The table with its circumstances, for docs/benchmarks.md."""
    table = Table(results)
    remarked = [f"- {line}" for line in (*table.notes, *remarks(results))]
    return "\n".join([machine_line(results), "", *markdown_lines(table), "", *remarked])


def readme(results: Results) -> str:
    """A small table: ours, the fastest rival written by hand, Keras."""
    lines = ["| µs | ranvier | fastest rival by hand | Keras (JAX) |", "|---|---:|---:|---:|"]
    table = Table(results)
    by_hand = [rival for rival in table.rivals if rival != "keras"]
    for row in results["workloads"]:
        entries = row["entries"]
        ours = entries.get(OURS)
        if row["group"] or not ours or "median" not in ours:
            continue
        measured = [rival for rival in by_hand if ratio(entries.get(rival, ours | {"seconds": []}), ours)]
        best = min(measured, key=lambda rival: entries[rival]["ratio"]["median"], default="")
        hand = _readme_cell(entries, best) + (f" {NAMES[best]}" if best else "")
        cells = [
            f"{row['name']}: {row['what']}",
            microseconds(ours["median"]),
            hand,
            _readme_cell(entries, "keras"),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    disturbed = " Other programs ran meanwhile: these numbers are rough." if was_busy(results) else ""
    how = f"{machine_line(results)}. How: [docs/benchmarks.md](docs/benchmarks.md).{disturbed}"
    return "\n".join([*lines, "", how])


def _readme_cell(entries: dict[str, Entry], name: str) -> str:
    entry = entries.get(name, {})
    if "ratio" not in entry:
        return ""
    factor = entry["ratio"]["median"]
    return f"{microseconds(entry['median'])} ({factor:,.{1 if factor < 10 else 0}f}x)"


def replace_between(path: Path, markers: tuple[str, str], text: str) -> None:
    """Puts `text` between two marks in a file.

    Args:
        path: the file.
        markers: regular expressions of the marks, which stay.
        text: what comes between them.

    Raises:
        ValueError: if the file does not have them.
    """
    old = path.read_text(encoding="utf-8")
    found = re.search(rf"({markers[0]})(.*?)({markers[1]})", old, re.DOTALL)
    if not found:
        raise ValueError(f"{path} has no {markers[0]} ... {markers[1]}")
    new = f"{old[: found.end(1)]}\n{text}\n{old[found.start(3) :]}"
    path.write_text(new, encoding="utf-8")
