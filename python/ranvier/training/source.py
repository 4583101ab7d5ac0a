"""Where an epoch's batches come from: arrays that the engine gathers from, or batches that Python makes.

A source's `start` gives a run. A run's `advance(max_steps, seconds)` does some steps and returns how many (0:
the epoch is finished); `logs()` and `outputs()` read out what the steps computed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ranvier.core import scope
from ranvier.core.user_code import warn
from ranvier.training.data import ArrayFeed, make_feed, unpack_x_y_sample_weight
from ranvier.training.step_outputs import check_alike, join_steps
from ranvier.training.workers import batches_of_workers


def check_positive(name: str, value: Any) -> int:
    """`value` as an int.

    Raises:
        ValueError: if it is not a positive integer.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) <= 0:
        raise ValueError(f"Argument `{name}` must be a positive integer. Received: {name}={value}")
    return int(value)


def _nothing() -> None:
    """The hook of data sets that have none."""


class ArraySource:
    """Batches from arrays.

    Args:
        feed: the arrays.
        batch_size: the number of samples in a batch; the last one may be shorter.
        shuffle: whether each pass over the data has an order of its own.
        steps: the steps of an epoch; None: one pass.
        resumes: whether, where an epoch has fewer steps than a pass, the next one continues where it
            stopped; else every epoch begins with the first batch.

    Attributes:
        num_steps: the number of steps of an epoch.
    """

    def __init__(
        self,
        feed: ArrayFeed,
        batch_size: int,
        shuffle: bool = False,
        steps: int | None = None,
        resumes: bool = False,
    ) -> None:
        self.batch_size = batch_size
        self.resumes = resumes
        self.shuffle = shuffle
        self.steps = steps
        self._pass: Any = None  # the run of a pass that an epoch has left unfinished
        self._pass_done = 0
        self.use(feed)

    def use(self, feed: ArrayFeed) -> None:
        """Takes the batches from other arrays."""
        self.feed = feed
        self.pass_steps = -(-feed.num_samples // self.batch_size)
        self.num_steps: int = self.pass_steps if self.steps is None else self.steps
        self._epoch_steps = self.num_steps  # of the epoch that runs now

    def first_feed(self) -> ArrayFeed:
        """Data of the shapes and dtypes that the batches have."""
        return self.feed

    def prepare(self, function: Any) -> None:
        """Has the programs compiled."""
        function.prepare(self.feed, self.batch_size)

    def start(self, function: Any) -> Any:
        """The run of an epoch."""
        if self.steps is not None:
            part = _PartOfPass(self, function)
            self._epoch_steps = part.left
            return part
        return function.start(self.feed, self.batch_size, scope.next_seed() if self.shuffle else None)

    def has_step(self, step: int) -> bool:
        """Whether an epoch of which `step` steps are done has another one."""
        return step < self._epoch_steps

    def end_epoch(self) -> None:
        """Nothing: arrays need no notice."""

    def outputs_of_steps(self, run: Any, begin: int, end: int) -> list[np.ndarray]:
        """The predictions of some steps of a run."""
        return run.outputs_of_steps(begin, end)


class _PartOfPass:
    """The run of an epoch with a given number of steps, or fewer if the pass ends before."""

    def __init__(self, source: ArraySource, function: Any) -> None:
        self.source = source
        self.left = source.num_steps
        if source._pass is None or not source.resumes:
            seed = scope.next_seed() if source.shuffle else None
            source._pass = function.start(source.feed, source.batch_size, seed)
            source._pass_done = 0
        self.run = source._pass
        pass_left = source.pass_steps - source._pass_done
        if pass_left < self.left:
            self.left = pass_left
            warn(
                f"The data has {source.pass_steps} batches in a pass, and {pass_left} of them are left for "
                f"an epoch of {source.num_steps} steps; the epoch ends early.",
            )

    def advance(self, max_steps: int | None, seconds: float | None) -> int:
        if self.left == 0:
            return 0
        done = self.run.advance(self.left if max_steps is None else min(max_steps, self.left), seconds)
        self.left -= done
        self.source._pass_done += done
        if self.source._pass_done >= self.source.pass_steps:
            self.source._pass = None
        return done

    @property
    def structure(self) -> Any:
        return self.run.structure

    def logs(self) -> dict[str, float]:
        return self.run.logs()

    def outputs(self) -> list[np.ndarray]:
        # Of a pass that is cut short, the engine has filled the first rows only.
        return self.outputs_of_steps(0, self.source.num_steps)

    def outputs_of_steps(self, begin: int, end: int) -> list[np.ndarray]:
        return self.run.outputs_of_steps(begin, end)


class BatchSource:
    """Batches from a generator, another iterable, or an object with `__len__` and `__getitem__` like
    `PyDataset`.

    Args:
        data: the iterable; its items are `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
        shuffle: whether the batches of an object with `__getitem__` come in random order.
        steps: the steps of an epoch; None: all batches.
        class_weight: class -> weight.
        resumes: see `ArraySource`; a generator cannot begin again in any case.
    """

    def __init__(
        self,
        data: Any,
        shuffle: bool = False,
        steps: int | None = None,
        class_weight: Any = None,
        resumes: bool = False,
    ) -> None:
        self.data = data
        self.indexed = hasattr(data, "__getitem__") and hasattr(data, "__len__")
        self.one_pass = isinstance(data, Iterator)  # a generator cannot begin again
        self.shuffle = shuffle and self.indexed
        self.steps = steps
        self.resumes = resumes and steps is not None
        self.class_weight = class_weight
        if class_weight is not None and not self.indexed:
            raise ValueError("Argument `class_weight` is not supported for generators and other iterables.")
        length = getattr(data, "num_batches", None) if self.indexed else None
        if length is None and hasattr(data, "__len__"):
            length = len(data)
        self.num_steps: int | None = steps if steps is not None else length
        self._iterator: Iterator[Any] | None = None
        self._waiting: list[ArrayFeed] = []  # a batch that was looked at and not used yet
        self._is_fresh = True  # no batch was taken yet, though one may have been looked at
        self._warned = False

    def _new_iterator(self) -> Iterator[Any]:
        if not self.indexed:
            return iter(self.data)
        count = len(self.data)
        order: Iterable[int] = range(count)
        if self.shuffle:
            order = np.random.default_rng(scope.next_seed()).permutation(count).tolist()
        workers, processes = (
            getattr(self.data, "workers", 1),
            getattr(self.data, "use_multiprocessing", False),
        )
        if workers > 1 or (processes and workers > 0):
            return batches_of_workers(self.data, order, workers, processes, self.data.max_queue_size)
        return (self.data[i] for i in order)

    def _peek(self) -> ArrayFeed | None:
        """The next batch, which stays the next one; None at the end."""
        if not self._waiting:
            if self._iterator is None:
                self._iterator = self._new_iterator()
            try:
                item = next(self._iterator)
            except StopIteration:
                return None
            x, y, sample_weight = unpack_x_y_sample_weight(item)
            if x is None or isinstance(x, (int, float, str)):
                raise ValueError(
                    "Each item of the data must be a batch: (inputs,), (inputs, targets) or (inputs, "
                    f"targets, sample_weights). Received: {item!r}"
                )
            self._waiting.append(make_feed(x, y, sample_weight, self.class_weight))
        return self._waiting[0]

    def first_feed(self) -> ArrayFeed:
        """The first batch.

        Raises:
            ValueError: if there is none.
        """
        feed = self._peek()
        if feed is None:
            raise ValueError("The data is empty: it must yield at least one batch.")
        return feed

    def prepare(self, function: Any) -> None:
        """Has the program for the first batch compiled."""
        feed = self.first_feed()
        function.prepare(feed, feed.num_samples)

    def take(self) -> ArrayFeed | None:
        """The next batch; None at the end of the data."""
        feed = self._peek()
        self._waiting.clear()
        self._is_fresh = False
        return feed

    def start(self, function: Any) -> Any:
        """The run of an epoch."""
        getattr(self.data, "on_epoch_begin", _nothing)()
        if not self._is_fresh and not self.resumes and not self.one_pass:
            self._iterator = None
            self._waiting.clear()
        return _BatchRun(self, function)

    def has_step(self, step: int) -> bool:
        """Whether an epoch of which `step` steps are done has another one."""
        if self.steps is not None and step >= self.steps:
            return False
        return self._peek() is not None

    def end_pass(self) -> None:
        """Notes that the data has ended; if it can, it begins again."""
        self._iterator = iter(()) if self.one_pass else None

    def end_epoch(self) -> None:
        """Tells a data set with an `on_epoch_end` method."""
        getattr(self.data, "on_epoch_end", _nothing)()

    def outputs_of_steps(self, run: Any, begin: int, end: int) -> list[np.ndarray]:
        """The predictions of some steps of a run."""
        return run.outputs_of_steps(begin, end)

    def warn_short(self) -> None:
        """Warns, once, that an epoch has fewer steps than it should have."""
        if not self._warned:
            self._warned = True
            warn(
                "Your input ran out of data. Make sure that it can generate at least `steps_per_epoch * "
                "epochs` batches.",
            )


class _BatchRun:
    """A run that gets each batch from Python."""

    def __init__(self, source: BatchSource, function: Any) -> None:
        self.source = source
        self.function = function
        self.done = 0
        self.last: Any = None
        self._outputs: list[list[np.ndarray]] = []
        self.structure: Any = None  # of the predictions

    def advance(self, max_steps: int | None, seconds: float | None) -> int:
        source, began, done = self.source, time.perf_counter(), 0
        while max_steps is None or done < max_steps:
            if source.steps is not None and self.done >= source.steps:
                break
            feed = source.take()
            if feed is None:
                if source.steps is not None:
                    source.warn_short()
                source.end_pass()
                break
            self.function.prepare(feed, feed.num_samples)
            self.last = self.function.start(feed, feed.num_samples, None)
            self.last.advance(None, None)
            if self.function.kind == "predict":
                if not self._outputs:
                    self.structure = self.last.structure
                check_alike(self.structure, self.last.structure)
                self._outputs.append(self.last.outputs())
            done += 1
            self.done += 1
            if seconds is not None and time.perf_counter() - began >= seconds:
                break
        return done

    def logs(self) -> dict[str, float]:
        return self.last.logs() if self.last is not None else {}

    def outputs(self) -> list[np.ndarray]:
        return self.outputs_of_steps(0, len(self._outputs))

    def outputs_of_steps(self, begin: int, end: int) -> list[np.ndarray]:
        return join_steps(self._outputs[begin:end])
