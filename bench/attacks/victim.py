"""A harness for attacks: many hostile cases, run in child processes that may die.

A script defines an `Attack` and hands it to `main`:

    def prepare() -> Any: ...                          # what the cases of a batch share; runs in the child
    def attack(state: Any, case: Case) -> None: ...    # one case: returns (accepted) or raises (refused)

    if __name__ == "__main__":
        raise SystemExit(victim.main(Attack("files", prepare, attack, documented=(ValueError, OSError))))

A case is determined by the seed and its index, so each can be repeated alone (`--only INDEX`). Batches of
cases run in forked children with limits on memory and file size. The parent watches: it counts a child's
death against the case that it was in and goes on with the next one.

What is a fault: a death (any end of the process: a signal, an exit), a case that does not come back, an
exception outside of the documented ones, a refusal that took more than five seconds, and whatever the attack
itself finds and raises as `Fault` ("half-changed model").
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import mmap
import os
import random
import resource
import select
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

SLOW_SECONDS = 5.0  # a refusal that took longer is a fault
GIVE_UP_SECONDS = 30.0  # a case that takes longer is killed
SHOWN_FAULTS = 30

ACCEPTED, REFUSED = "accepted", "refused"
DEATH, HANG, SLOW, UNDOCUMENTED = "death", "no end", "slow refusal", "undocumented exception"


class Fault(Exception):
    """What an attack found by itself.

    Args:
        kind: a few words, counted in the table: "half-changed model".
        what: the details.
    """

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind, self.what = kind, what


@dataclass
class Case:
    """One case: its number, its own source of random choices, and what it does in a few words."""

    index: int
    rng: random.Random
    board: Board

    def note(self, text: str) -> None:
        """Says what the case does, for the report of its fault; to be called before it is done.

        The clock begins anew: how long it took to think it up is not the victim's fault.
        """
        self.board.write_note(text)


@dataclass(frozen=True)
class Attack:
    """What is attacked, and how.

    Args:
        name: for the table.
        prepare: makes what the cases of a batch share; called in each child, once its limits are set.
        attack: runs one case.
        documented: the exceptions that a case may end with, and Python's own subclasses of them; those of
            other libraries (NumPy's AxisError is a ValueError) are not documented by that.
        faults: kinds of `Fault` that are listed even if there was none.
        batch: the number of cases in a child.
        memory: the most address space of a child, in bytes.
    """

    name: str
    prepare: Callable[[], Any]
    attack: Callable[[Any, Case], None]
    documented: tuple[type[BaseException], ...]
    faults: tuple[str, ...] = ()
    batch: int = 500
    memory: int = 4 << 30


@dataclass
class Outcome:
    """What a case came to.

    Args:
        kind: `ACCEPTED`, `REFUSED` or the kind of a fault.
        index: the case.
        seconds: how long it took.
        what: the name of the exception of a refusal; what happened in a fault.
        note: what the case did.
    """

    kind: str
    index: int
    seconds: float
    what: str = ""
    note: str = ""


@dataclass
class Results:
    """What all cases came to."""

    kinds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    faults: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.kinds[outcome.kind] += 1
        self.longest = max(self.longest, outcome.seconds)
        if outcome.kind == REFUSED:
            self.refusals[outcome.what] += 1
        elif outcome.kind != ACCEPTED:
            self.faults.append(outcome)


class Board:
    """Memory shared with a child: the case it is in, since when, and what that case does."""

    _HEAD = struct.Struct("qdi")  # index, begin, bytes of the note
    _SIZE = 4096

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._SIZE)
        self.begin(-1)

    def begin(self, index: int) -> None:
        self._HEAD.pack_into(self._memory, 0, index, time.monotonic(), 0)

    def write_note(self, text: str) -> None:
        encoded = text.encode(errors="replace")[: self._SIZE - self._HEAD.size]
        index = self._HEAD.unpack_from(self._memory)[0]
        self._memory[self._HEAD.size : self._HEAD.size + len(encoded)] = encoded
        self._HEAD.pack_into(self._memory, 0, index, time.monotonic(), len(encoded))

    def read(self) -> tuple[int, float, str]:
        """The case, the seconds it has taken so far, its note."""
        index, began, size = self._HEAD.unpack_from(self._memory)
        note = self._memory[self._HEAD.size : self._HEAD.size + size].decode(errors="replace")
        return index, time.monotonic() - began, note


# --- in the child ---


def _set_limits(attack: Attack) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (attack.memory, attack.memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def _case(seed: int, index: int, board: Board) -> Case:
    return Case(index, random.Random(f"{seed}/{index}"), board)


def _run_batch(attack: Attack, seed: int, indices: range, board: Board, pipe: int) -> None:
    """Runs cases and writes a line of JSON for each, with the fields of its outcome."""
    state = attack.prepare()
    for index in indices:
        board.begin(index)
        kind, what = _run_case(attack, state, _case(seed, index, board))
        _, seconds, note = board.read()
        if kind == REFUSED and seconds > SLOW_SECONDS:
            kind = SLOW
        outcome = Outcome(kind, index, seconds, what, "" if kind in (ACCEPTED, REFUSED) else note)
        os.write(pipe, json.dumps(vars(outcome)).encode() + b"\n")


def _run_case(attack: Attack, state: Any, case: Case) -> tuple[str, str]:
    """The kind of a case's outcome and what happened."""
    try:
        attack.attack(state, case)
    except Fault as fault:
        return fault.kind, fault.what
    except BaseException as error:
        if isinstance(error, attack.documented) and type(error).__module__ == "builtins":
            return REFUSED, type(error).__name__
        return UNDOCUMENTED, f"{_shown(error)}, {_place(error)}"
    return ACCEPTED, ""


def _shown(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def _place(error: BaseException) -> str:
    """Where an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "nowhere"


# --- in the parent ---


class _Child:
    """A process that runs a batch, and what it has said so far."""

    def __init__(self, attack: Attack, seed: int, indices: range) -> None:
        self.indices = indices
        self.board = Board()
        self.log = tempfile.TemporaryFile()
        self.said = b""
        self.hung = False
        self.seen, self.since = -1, time.monotonic()
        reading, writing = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(reading)
            self._live(attack, seed, writing)
        os.close(writing)
        self.pipe = reading

    def _live(self, attack: Attack, seed: int, writing: int) -> None:
        status = 1
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nothing, stream)
            faulthandler.enable(self.log)
            warnings.simplefilter("ignore")
            _set_limits(attack)
            _run_batch(attack, seed, self.indices, self.board, writing)
            status = 0
        except BaseException:
            self.log.write(traceback.format_exc().encode())
            self.log.flush()
        finally:
            os._exit(status)  # neither atexit functions nor buffers of the parent

    def read(self) -> bool:
        """Takes in what the child wrote; False at its end."""
        block = os.read(self.pipe, 1 << 16)
        self.said += block
        return bool(block)

    def stop_if_hung(self) -> None:
        """To be called now and then: kills the child if it is in the same case for too long.

        It goes by the clock of this process: the board may be read while the child writes on it.
        """
        index, now = self.board.read()[0], time.monotonic()
        if index != self.seen:
            self.seen, self.since = index, now
        elif now - self.since > GIVE_UP_SECONDS and not self.hung:
            self.hung = True
            os.kill(self.process, signal.SIGKILL)

    def finish(self, results: Results) -> range:
        """Adds the outcomes of the child's cases. Returns the cases that are still to be run."""
        os.close(self.pipe)
        status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        outcomes = [Outcome(**json.loads(line)) for line in self.said.splitlines()]
        for outcome in outcomes:
            results.add(outcome)
        if len(outcomes) == len(self.indices):
            return range(0)
        index, _, note = self.board.read()
        seconds = time.monotonic() - self.since
        self.log.seek(0)
        last_words = " | ".join(self.log.read().decode(errors="replace").splitlines()[:8])
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        if index < 0:
            raise RuntimeError(f"a child ended before its first case ({how}): {last_words}")
        kind = HANG if self.hung else DEATH
        results.add(Outcome(kind, index, seconds, f"{how}: {last_words}", note))
        return range(index + 1, self.indices.stop)


def run(attack: Attack, count: int, seed: int, jobs: int) -> Results:
    """Runs the cases 0, 1, ..., count - 1.

    Args:
        attack: the attack.
        count: the number of cases.
        seed: of all cases.
        jobs: the number of children at a time.

    Raises:
        RuntimeError: if a child ends before its first case.
    """
    results = Results()
    waiting = [range(i, min(i + attack.batch, count)) for i in range(0, count, attack.batch)]
    children: dict[int, _Child] = {}
    try:
        while waiting or children:
            while waiting and len(children) < jobs:
                child = _Child(attack, seed, waiting.pop(0))
                children[child.pipe] = child
            for pipe in select.select(list(children), [], [], 0.5)[0]:
                if not children[pipe].read():
                    rest = children.pop(pipe).finish(results)
                    if rest:
                        waiting.insert(0, rest)
            for child in children.values():
                child.stop_if_hung()
    finally:
        for child in children.values():
            os.kill(child.process, signal.SIGKILL)
            os.waitpid(child.process, 0)
    return results


def table(attack: Attack, results: Results, seconds: float) -> Iterator[str]:
    """The lines of the report: what came out, and how often; then the faults themselves."""
    total = results.kinds.total()
    yield f"{attack.name}: {total:,} cases in {seconds:.0f} s, the longest {results.longest:.2f} s"
    listed = (ACCEPTED, REFUSED, DEATH, HANG, UNDOCUMENTED, SLOW, *attack.faults)
    for kind in dict.fromkeys((*listed, *results.kinds)):
        yield f"  {kind:<32}{results.kinds[kind]:>10,}"
        if kind == REFUSED:
            yield from (f"    {name:<30}{count:>10,}" for name, count in results.refusals.most_common())
    faults = sorted(results.faults, key=lambda fault: fault.index)
    for fault in faults[:SHOWN_FAULTS]:
        yield f"case {fault.index}: {fault.kind}: {fault.what}"
        yield f"    {fault.note or 'no note'}"
    if len(faults) > SHOWN_FAULTS:
        yield f"and {len(faults) - SHOWN_FAULTS} more"
    if faults:
        yield f"again: python {os.path.relpath(sys.argv[0])} --seed SEED --only CASE"


def _run_one(attack: Attack, case: Case) -> int:
    """Runs a case in this process, which may die of it, and shows how it ends."""
    faulthandler.enable()
    _set_limits(attack)
    try:
        attack.attack(attack.prepare(), case)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        print(case.board.read()[2] or "no note")
    return 0


def main(attack: Attack, argv: list[str] | None = None) -> int:
    """Reads the command line, runs the attack, prints the table. Returns the exit status: 1 for faults."""
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="number of cases (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="children at a time")
    parser.add_argument("--only", type=int, metavar="CASE", help="run it alone, here, with its traceback")
    arguments = parser.parse_args(argv)
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # memory: cases may write many files
    with tempfile.TemporaryDirectory(prefix="ranvier-attack.", dir=place) as folder:
        before = os.getcwd()
        os.chdir(folder)  # what cases write by mistake goes with it
        try:
            if arguments.only is not None:
                return _run_one(attack, _case(arguments.seed, arguments.only, Board()))
            began = time.monotonic()
            results = run(attack, arguments.count, arguments.seed, arguments.jobs)
        finally:
            os.chdir(before)
    print("\n".join(table(attack, results, time.monotonic() - began)))
    return int(bool(results.faults))
