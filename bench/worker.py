"""A contestant's own process: reads requests on standard input, one JSON object a line, and answers likewise.

usage: worker.py CONTESTANT [CPUS]        started by process.py
"""

from __future__ import annotations

import gc
import json
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

MEASUREMENT_SECONDS = 0.1  # a workload is repeated until a measurement takes about this long
PRODUCT_SECONDS = 0.02
PREDICTIONS = 50  # in one repetition of predict_one


class Worker:
    """Does what the requests say.

    Args:
        contestant: whose process this is.
    """

    def __init__(self, contestant: Any) -> None:
        import definitions

        self.contestant = contestant
        self.tasks = definitions.load("tasks")
        self.once: Callable[[], float]  # does the work of the prepared workload once; the seconds that count
        self.repeats = 1
        self.units = 1  # what the seconds are divided by: steps, predictions, products

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        actions: dict[str, Callable[..., dict[str, Any]]] = {
            "train": self.train,
            "train_classifier": self.train_classifier,
            "footprint": self.footprint,
            "fits": self.fits,
            "stages": self.stages,
            "predict": self.predict,
            "call": self.call,
            "product": self.product,
            "first_fit": self.first_fit,
            "measure": self.measure,
        }
        return actions[request.pop("do")](**request)

    def train(self, name: str) -> dict[str, Any]:
        """Prepares a training workload, and does it once to show that it learns."""
        return self._train(self.tasks.task(name))

    def train_classifier(self, **shape: Any) -> dict[str, Any]:
        """Prepares the training of a classifier of any shape, likewise."""
        return self._train(self.tasks.classifier(**shape))

    def _train(self, task: Any) -> dict[str, Any]:
        contestant = self.contestant
        contestant.prepare(task)

        def once() -> float:
            contestant.reset()
            start = time.perf_counter()
            contestant.fit(task.epochs)
            return time.perf_counter() - start

        before = contestant.loss()
        once()
        after = contestant.loss()
        self._calibrate(once, MEASUREMENT_SECONDS, task.epochs * task.steps)
        substitute = contestant.substitute if contestant.substitute != task.optimizer else ""
        return {"before": before, "after": after, "substitute": substitute}

    def predict(self, name: str) -> dict[str, Any]:
        """Prepares predictions of one row each."""
        task, contestant = self.tasks.task(name), self.contestant
        contestant.prepare(task)
        rows = [task.x[i % len(task.x)][None] for i in range(PREDICTIONS)]

        def once() -> float:
            start = time.perf_counter()
            for row in rows:
                contestant.predict(row)
            return time.perf_counter() - start

        self._calibrate(once, MEASUREMENT_SECONDS, PREDICTIONS)
        return {"outputs": contestant.predict(rows[0]).ravel().tolist()}

    def call(self, name: str) -> dict[str, Any]:
        """Prepares a single call of the Keras workflow."""
        call = self.contestant.calls(self.tasks.task("predict_one")).get(name)
        if call is None:
            return {"offered": False}
        for _ in range(3):  # what is made at the first calls is no part of it
            call()

        def once() -> float:
            start = time.perf_counter()
            call()
            return time.perf_counter() - start

        self._calibrate(once, MEASUREMENT_SECONDS, 1)
        return {"offered": True}

    def product(self, **shape: Any) -> dict[str, Any]:
        """Prepares a product and compares its result with the truth."""
        import products

        wanted = products.Shape(**shape)
        prepared = self.contestant.product(*wanted.operands(), wanted.transpose_a, wanted.transpose_b)
        if prepared is None:
            return {"offered": False}
        prepared.run(1)
        start = time.perf_counter()
        prepared.run(2)
        count = math.ceil(2 * PRODUCT_SECONDS / (time.perf_counter() - start))

        def once() -> float:
            start = time.perf_counter()
            prepared.run(count)
            return time.perf_counter() - start

        self._calibrate(once, PRODUCT_SECONDS, count)
        return {"offered": True, "error": wanted.error(prepared.result())}

    def first_fit(self, name: str) -> dict[str, Any]:
        """The seconds from nothing to the end of a small network's first epoch. For a fresh process."""
        task = self.tasks.task(name)
        start = time.perf_counter()
        self.contestant.prepare(task)
        self.contestant.fit(1)
        return {"seconds": time.perf_counter() - start}

    def footprint(self, **shape: Any) -> dict[str, Any]:
        """The bytes that training takes beyond the library, the data and their initial weights. For a fresh
        process.
        """
        task = self.tasks.classifier(**shape)
        weights = sum(weight.nbytes for weight in task.weights)  # makes them
        gc.collect()
        forget_peak()
        before = resident()[0]
        self.contestant.prepare(task)
        self.contestant.fit(task.epochs)
        now, peak = resident()
        return {"resident": now - before, "peak": peak - before, "weights": weights}

    def fits(self, name: str, fresh: bool, count: int, every: int) -> dict[str, Any]:
        """Trains a small network for an epoch again and again. Gives the resident bytes as they go.

        Args:
            name: a task.
            fresh: whether each fit has a model of its own, built and compiled for it.
            count: how many fits.
            every: how many fits between two readings.
        """
        task = self.tasks.task(name)
        self.contestant.prepare(task)
        start, read = time.perf_counter(), [[0, resident()[0]]]
        for done in range(1, count + 1):
            if fresh:
                self.contestant.prepare(task)
            self.contestant.fit(1)
            if done % every == 0:
                read.append([done, resident()[0]])
        return {"read": read, "seconds": time.perf_counter() - start}

    def stages(self, repeats: int, **network: int) -> dict[str, Any]:
        """What happens before ranvier's first step: each stage's seconds, as often as asked for."""
        self.contestant.stages(layers=1)  # not counted: what is imported at first use
        return {"runs": [self.contestant.stages(**network) for _ in range(repeats)]}

    def measure(self) -> dict[str, Any]:
        """One measurement of what was prepared: seconds per unit."""
        return {"seconds": sum(self.once() for _ in range(self.repeats)) / (self.repeats * self.units)}

    def _calibrate(self, once: Callable[[], float], seconds: float, units: int) -> None:
        self.once, self.units = once, units
        self.repeats = max(1, math.ceil(seconds / max(once(), 1e-6)))


def resident() -> tuple[int, int]:
    """The bytes of memory that this process has now, and the most that it had (Linux)."""
    with open("/proc/self/status", encoding="ascii") as file:
        sizes = {key: text.split() for key, _, text in (line.partition(":") for line in file)}
    now, peak = (int(sizes[key][0]) * 1024 for key in ("VmRSS", "VmHWM"))
    return now, peak


def forget_peak() -> None:
    """From now on, the most that this process had is what it has."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def main() -> None:
    name, *cpus = sys.argv[1:]
    if cpus:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cpus[0])])
    # Libraries that print must not disturb the answers: these go to a copy of standard output, which itself
    # becomes standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    try:
        import contestants

        contestant = contestants.open_contestant(name)
        worker = Worker(contestant)
        send({"versions": contestant.versions()})
    except ImportError as error:
        send({"absent": f"{type(error).__name__}: {error}"})
        return
    for line in sys.stdin:
        try:
            send(worker.answer(json.loads(line)))
        except Exception as error:  # the suite reports it and goes on with the others
            send({"failed": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
