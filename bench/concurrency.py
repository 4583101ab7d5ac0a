#!/usr/bin/env python3
"""Several threads that predict with one model, and several processes that train at once.

examples:
  python bench/concurrency.py                    both, on 1, 2, 4 and 8 threads and processes
  python bench/concurrency.py --seconds 3        longer measurements
  python bench/concurrency.py --python /envs/other/bin/python --only processes

A perfect machine with P processors would do min(n, P) times the work of one on n threads whose steps use one
thread each, and the same work with n processes as with one whose steps use all threads.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import definitions

NUMBERS = (1, 2, 4, 8)
ROUNDS = 3
PREDICTED_ROWS = (1, 32, 512)

# A process that trains the MNIST network: says "ready", waits for a line, works, prints its steps a second.
TRAINING = """
import sys, time
import definitions, ranvier as rv
task = definitions.load("tasks").task("mnist_mlp")
model = definitions.load("keras_model").build_model(rv, task)
x, y = task.training
x, y = x[:3200], y[:3200]
model.fit(x, y, batch_size=32, verbose=0)
print("ready", flush=True)
sys.stdin.readline()
begin, steps = time.perf_counter(), 0
while time.perf_counter() - begin < float(sys.argv[1]):
    model.fit(x, y, batch_size=32, verbose=0)
    steps += len(x) // 32
print(steps / (time.perf_counter() - begin), flush=True)
"""


def main(argv: list[str] | None = None) -> int:
    """Measures and prints. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a measurement (default: %(default)s)")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the processes")
    parser.add_argument("--only", choices=("threads", "processes"))
    parser.add_argument("--most", type=int, default=8, help="threads and processes (default: %(default)s)")
    arguments = parser.parse_args(argv)
    numbers = [number for number in NUMBERS if number <= arguments.most]
    if arguments.only != "processes":
        predicting_threads(numbers, arguments.seconds)
    if arguments.only != "threads":
        training_processes(arguments.python, numbers, arguments.seconds)
    return 0


def predicting_threads(numbers: Sequence[int], seconds: float) -> None:
    """Prints how many predictions threads do together in a second."""
    import numpy as np

    import ranvier as rv

    task = definitions.load("tasks").task("mnist_mlp")
    model = definitions.load("keras_model").build_model(rv, task)
    print(f"predictions in a second, {'-'.join(map(str, task.sizes))}, by so many threads: {numbers}")
    for each in dict.fromkeys((1, rv._core.num_threads())):
        rv._core.set_num_threads(each)
        for rows in PREDICTED_ROWS:
            x = np.ascontiguousarray(task.x[:rows])
            model.predict(x, batch_size=rows, verbose=0)
            rates = [predictions(model, x, number, seconds) for number in numbers]
            print(f"  {rows:4} rows, {each} thread(s) a step: {listed(rates)}")


def predictions(model: Any, x: Any, number: int, seconds: float) -> float:
    """How many predictions of `x` so many threads do in a second: the median of some rounds."""
    rates = []
    for _ in range(ROUNDS):
        counts = [0] * number
        end = time.perf_counter() + seconds / ROUNDS

        def work(i: int, counts: list[int] = counts, end: float = end) -> None:
            while time.perf_counter() < end:
                model.predict(x, batch_size=len(x), verbose=0)
                counts[i] += 1

        threads = [threading.Thread(target=work, args=(i,)) for i in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rates.append(sum(counts) / (seconds / ROUNDS))
    return statistics.median(rates)


def training_processes(python: str, numbers: Sequence[int], seconds: float) -> None:
    """Prints how many training steps processes do together in a second."""
    print(f"training steps in a second, 784-128-32-10, batch 32, by so many processes: {numbers}")
    for what, environment in (("all threads", {}), ("one thread", {"RANVIER_NUM_THREADS": "1"})):
        rates = [together(python, number, seconds, environment) for number in numbers]
        print(f"  {what} each: {listed(rates)}")


def together(python: str, number: int, seconds: float, environment: dict[str, str]) -> float:
    """What `number` processes that train at once do together in a second."""
    processes = [
        subprocess.Popen(
            [python, "-c", TRAINING, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent,
            env={**os.environ, **environment},
        )
        for _ in range(number)
    ]
    try:
        for process in processes:
            expect(process)
        for process in processes:
            print(file=process.stdin, flush=True)
        return sum(float(expect(process)) for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def expect(process: subprocess.Popen[str]) -> str:
    """A line from a process.

    Raises:
        SystemExit: if it has ended.
    """
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"a training process ended with status {process.wait()}")
    return line


def listed(rates: list[float]) -> str:
    """Rates, and how they compare with the first."""
    return ", ".join(f"{rate:,.0f} ({rate / rates[0]:.2f}x)" for rate in rates)


if __name__ == "__main__":
    sys.exit(main())
