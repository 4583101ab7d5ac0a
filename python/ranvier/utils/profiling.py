"""Profiles: what every step of the native programs costs, next to what the machine could do at best."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

from ranvier import _core
from ranvier.core.files import write_whole

_EAGER = "single operations"  # what the core calls the programs of ops that run outside of a trace


class StepProfile(SimpleNamespace):
    """One step of a program, summed over its runs.

    Attributes:
        program: the program's name, such as "train_step of sequential, batch 32".
        phase: "main", "commit" (writes variables) or "readout" (computes logs) for the program's own steps;
            "around" for what is done around them, such as gathering the batch.
        what: the operations and their sizes, such as "matmul 32x784x128 + add, relu" (m x k x n).
        dtype: "float32" or "float64".
        count: how often it ran.
        seconds: the time of all runs. What reading the clock costs is taken off.
        least_seconds: the time of the shortest run.
        flops: floating-point operations of all runs. Exponentials, logarithms and their kin count 20 each.
        bytes: bytes read and written by all runs, each operand once.
        floor_seconds: the time that the machine needs at least: `flops` over its peak or `bytes` over the
            bandwidth of its memory, whichever is more.
        limit: "flops" or "bytes", by which of the two it is.
    """

    program: str
    phase: str
    what: str
    dtype: str
    count: int
    seconds: float
    least_seconds: float
    flops: float
    bytes: float
    floor_seconds: float
    limit: str

    @property
    def mean_seconds(self) -> float:
        """The time of one run."""
        return self.seconds / self.count

    @property
    def gflops(self) -> float:
        """10^9 floating-point operations a second."""
        return self.flops / self.seconds * 1e-9 if self.seconds else 0.0

    @property
    def gbps(self) -> float:
        """10^9 bytes a second."""
        return self.bytes / self.seconds * 1e-9 if self.seconds else 0.0

    @property
    def share_of_floor(self) -> float:
        """`floor_seconds / seconds`: 1 at the machine's limit, more where the data were still in cache."""
        return self.floor_seconds / self.seconds if self.seconds else 0.0


class Profile:
    """Measures the steps of every native program that runs while it is active; made by `profile()`.

    Attributes:
        seconds: how long it was active.
    """

    def __init__(self) -> None:
        self._core = _core.Profile()
        self._began: float | None = None
        self._peak: dict[str, float] | None = None
        self.seconds = 0.0

    def start(self) -> Profile:
        """Begins, or goes on after `stop`.

        Raises:
            RuntimeError: if it is active already.
        """
        if self._began is not None:
            raise RuntimeError("This profile is active already; use another one: `with ranvier.profile():`.")
        self._began = time.perf_counter()
        self._core.start()
        return self

    def stop(self) -> None:
        """Ends the measurement. The results stay."""
        if self._began is not None:
            self._core.stop()
            self.seconds += time.perf_counter() - self._began
            self._began = None

    def __enter__(self) -> Profile:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def peak(self) -> dict[str, float]:
        """The machine's limits, measured when first asked for: "float32" and "float64" operations a second,
        "bandwidth" in bytes a second, and the "threads" they are of."""
        if self._peak is None:
            self._peak = _machine_peak(_core.num_threads())
        return self._peak

    @property
    def steps(self) -> list[StepProfile]:
        """Every step that ran, program by program, in the order in which they run."""
        return [step for group in self._groups() for step in group]

    def _groups(self) -> list[list[StepProfile]]:
        """The steps of each program. Programs of single operations are one group; equal ones are added up."""
        groups: list[list[StepProfile]] = []
        single: dict[tuple[str, str], list[Any]] = {}
        for name, _, rows in self._core.programs():
            ran = [row for row in rows if row[3]]
            if name != _EAGER:
                around = [row for row in ran if row[0] == "around"]
                groups.append([self._step(name, row) for row in around + ran[: len(ran) - len(around)]])
                continue
            for phase, what, dtype, count, total, least, flops, moved in ran:
                sums = single.setdefault((what, dtype), [phase, what, dtype, 0, 0, least, 0.0, 0.0])
                for i, term in ((3, count), (4, total), (6, flops), (7, moved)):
                    sums[i] += term
                sums[5] = min(sums[5], least)
        groups.append([self._step(_EAGER, row) for row in single.values()])
        return [group for group in groups if group]

    def _step(self, program: str, row: Any) -> StepProfile:
        phase, what, dtype, count, total_ns, least_ns, flops, moved = row
        by_flops, by_bytes = flops / self.peak[dtype], moved / self.peak["bandwidth"]
        return StepProfile(
            program=program,
            phase=phase,
            what=what,
            dtype=dtype,
            count=count,
            seconds=total_ns * 1e-9,
            least_seconds=least_ns * 1e-9,
            flops=flops,
            bytes=moved,
            floor_seconds=max(by_flops, by_bytes),
            limit="flops" if by_flops > by_bytes else "bytes",
        )

    def table(self, sort: str = "order") -> str:
        """The steps as text: a part for each program, the longest first, and the machine's limits.

        Args:
            sort: "order": a program's steps in the order in which they run; "time": the longest first.

        Returns:
            Lines of text. The rate is in GFLOP/s where arithmetic is the limit and in GB/s where memory is;
            "floor" is the share of the least time that the machine would need.

        Raises:
            ValueError: for another `sort`.
        """
        if sort not in ("order", "time"):
            raise ValueError(f"Argument `sort` must be 'order' or 'time'. Received: sort={sort!r}")
        groups = sorted(self._groups(), key=_seconds, reverse=True)
        inside = sum(map(_seconds, groups))
        parts = [_program_table(group, sort) for group in groups]
        active = self.seconds + (time.perf_counter() - self._began if self._began is not None else 0.0)
        peak = self.peak
        parts.append(
            f"{_time(active)} in all: {_time(inside)} in native programs, the rest in Python around them.\n"
            f"100 % of the floor is {peak['float32'] * 1e-9:.0f} GFLOP/s (float64: "
            f"{peak['float64'] * 1e-9:.0f}) or {peak['bandwidth'] * 1e-9:.0f} GB/s of memory, measured here "
            f"on {peak['threads']:.0f} thread(s); data in cache may exceed it."
        )
        return "\n\n".join(parts)

    def save(self, path: Any) -> None:
        """Writes the single runs of steps as a Chrome trace: open it in chrome://tracing or ui.perfetto.dev.

        Args:
            path: the file, usually "*.json"; overwritten. It holds the first 1,048,576 runs of steps.

        Raises:
            OSError: if it cannot be written; an old file is as it was.
        """
        import json

        trace = json.dumps(self.chrome_trace())
        write_whole(os.fspath(path), lambda file: file.write(trace.encode()))

    def chrome_trace(self) -> dict[str, Any]:
        """What `save` writes: {"traceEvents": [...]}, with a complete event ("X") for each run of a step,
        times in microseconds since the first one."""
        programs, runs, process = self._core.programs(), self._core.events(), os.getpid()
        events: list[dict[str, Any]] = []
        begin = int(runs[:, 3].min()) if len(runs) else 0
        for program, row, thread, at, duration in runs.tolist():
            name, _, rows = programs[program]
            phase, what, dtype, count, _, _, flops, moved = rows[row]
            events.append(
                {
                    "name": what,
                    "cat": phase,
                    "ph": "X",
                    "ts": (at - begin) / 1000,
                    "dur": duration / 1000,
                    "pid": process,
                    "tid": thread,
                    "args": {
                        "program": name,
                        "dtype": dtype,
                        "flops": flops / count,
                        "bytes": moved / count,
                    },
                }
            )
        named = {"name": "process_name", "ph": "M", "pid": process, "args": {"name": "ranvier"}}
        return {
            "traceEvents": [named, *events],
            "displayTimeUnit": "ns",
            "otherData": {"runs_left_out": self._core.dropped_events},
        }


def profile() -> Profile:
    """Measures every step of the native programs that run inside a `with` statement.

    Programs run as they do otherwise, with two readings of the clock (some 20 ns) between their steps. With
    no profile active nothing is measured, and nothing costs time. The environment variable `RANVIER_PROFILE`
    profiles a whole process without a change to it.

    Returns:
        A `Profile`, to be read inside the statement or after it.

    Example:

    ```python
    with ranvier.profile() as profile:
        model.fit(x, y, epochs=2)
    print(profile.table())
    profile.save("trace.json")  # for chrome://tracing
    ```
    """
    return Profile()


@functools.lru_cache(maxsize=8)
def _machine_peak(threads: int) -> dict[str, float]:
    del threads  # the core measures with as many as are set
    return _core.machine_peak()


def _seconds(group: list[StepProfile]) -> float:
    return sum(step.seconds for step in group)


def _time(seconds: float) -> str:
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _program_table(steps: list[StepProfile], sort: str) -> str:
    total = _seconds(steps)
    if sort == "time":
        steps = sorted(steps, key=lambda step: step.seconds, reverse=True)
    rows = [("phase", "step", "count", "total", "mean", "time", "rate", "floor")]
    for step in steps:
        rate = f"{step.gflops:.1f} GFLOP/s" if step.limit == "flops" else f"{step.gbps:.1f} GB/s"
        known = step.seconds > 0 and step.floor_seconds > 0
        rows.append(
            (
                step.phase,
                step.what,
                f"{step.count:,}",
                _time(step.seconds),
                _time(step.mean_seconds),
                f"{100 * step.seconds / total:.1f} %" if total else "",
                rate if known else "",
                f"{100 * step.share_of_floor:.0f} %" if known else "",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    title = f"{steps[0].program or 'program without a name'}: {_time(total)}"
    return "\n".join([title, *lines])


def profile_process() -> None:
    """Does what `RANVIER_PROFILE` says: "1" prints the table of the whole process to standard error when it
    ends, "*.json" also writes the trace there; "0" or nothing does nothing.

    Raises:
        ValueError: for anything else.
    """
    wanted = os.environ.get("RANVIER_PROFILE", "")
    if wanted in ("", "0"):
        return
    if wanted != "1" and not wanted.endswith(".json"):
        raise ValueError(
            f"RANVIER_PROFILE must be 1 or the name of a .json file for the trace; received '{wanted}'"
        )
    whole = Profile().start()

    def report() -> None:
        whole.stop()
        if not whole.steps:  # such as a process that only imports the library
            return
        print(whole.table(), file=sys.stderr)
        if wanted != "1":
            try:
                whole.save(wanted)
            except OSError as error:  # the process ends, and this is no fault of the program's
                print(f"ranvier: RANVIER_PROFILE={wanted}: {error}", file=sys.stderr)

    atexit.register(report)
