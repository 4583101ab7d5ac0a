"""Batches that Python makes: from a generator, another iterable, or a data set that gives them by number."""

from __future__ import annotations

import itertools
import math
import operator
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from ranvier.core import scope
from ranvier.training.class_weights import note_unknown_classes
from ranvier.training.data import ArrayFeed, make_feed, unpack_x_y_sample_weight
from ranvier.training.source import EMPTY, EpochLength
from ranvier.training.step_outputs import check_alike, join_steps
from ranvier.training.workers import batches_of_workers


class BatchSource(EpochLength):
    """Batches from a generator, another iterable, or an object that gives them by number like `PyDataset`.

    Data that give batches by number are read in a new order in each pass if `shuffle`, by workers if they say
    so, and between a call of their `on_epoch_begin` and one of their `on_epoch_end`. Of other data a new pass
    is a new `iter(data)`.

    Args:
        data: the data; its items are `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
        shuffle: whether batches that are given by number come in random order.
        class_weight: class -> weight.
        **length: see `EpochLength`.

    Attributes:
        num_steps: the number of steps of an epoch; None: not known before it ends.

    Raises:
        ValueError: if there is no batch, and for class weights with a generator.
    """

    def __init__(self, data: Any, shuffle: bool = False, class_weight: Any = None, **length: Any) -> None:
        super().__init__(**length)
        if class_weight is not None and isinstance(data, Iterator):
            raise ValueError(
                "Argument `class_weight` is not supported for generators. Yield (inputs, targets, "
                "sample_weights) instead."
            )
        self.data = data
        self.class_weight = class_weight
        self._classes_noted = False
        self.length = _length(data)  # the batches of a pass
        self.by_number = hasattr(data, "__getitem__") and (
            self.length is not None or hasattr(type(data), "num_batches")
        )
        if self.length == 0:
            raise ValueError(EMPTY)
        self.shuffle = shuffle and self.by_number and self.length is not None
        self.num_steps: int | None = self.length if self.steps is None else self.steps
        self._iterator: Iterator[Any] | None = None  # of the pass that runs; None: it has ended
        self._taken = 0  # batches of this pass
        self._ahead: list[ArrayFeed] = []  # the next batch, where it was looked at

    # --- passes ---

    def _begin_pass(self) -> None:
        self.close()
        if self._taken:
            self.look = None  # it has seen a pass
        self._taken = 0
        self._ahead.clear()
        if not self.by_number:
            self._iterator = iter(self.data)
            return
        self.length = _length(self.data)
        order: Iterable[int] = itertools.count() if self.length is None else range(self.length)
        if self.shuffle and self.length is not None:
            order = np.random.default_rng(scope.next_seed()).permutation(self.length).tolist()
        self._iterator = self._read(order)

    def _read(self, order: Iterable[int]) -> Generator[Any, None, None]:
        workers = getattr(self.data, "workers", 1)
        processes = getattr(self.data, "use_multiprocessing", False)
        if workers > 1 or (processes and workers > 0):
            return batches_of_workers(self.data, order, workers, processes, self.data.max_queue_size)
        return (self.data[i] for i in order)

    def close(self) -> None:
        """Stops the workers."""
        if self.by_number and isinstance(self._iterator, Generator):
            self._iterator.close()
        self._iterator = None

    # --- batches ---

    def has_batch(self) -> bool:
        """Whether the pass has another batch. It is read only where nothing else can tell."""
        if self._iterator is None or self._ahead:
            return bool(self._ahead)
        if self.length is not None:
            return self._taken < self.length
        return self.by_number or self._look()  # data by number have no end then

    def _look(self) -> bool:
        """Reads the next batch. Returns whether there is one."""
        if self._iterator is None:
            return False
        try:
            item = next(self._iterator)
        except StopIteration:
            self._iterator = None
            return False
        self._ahead.append(self._feed_of(item))
        return True

    def take(self) -> ArrayFeed | None:
        """The next batch; None at the end of the pass."""
        if not self._ahead and not self._look():
            return None
        feed = self._ahead.pop()
        if self.look is not None:
            self.look.at(feed, f" of batch {self._taken}")
        self._taken += 1
        return feed

    def _feed_of(self, item: Any) -> ArrayFeed:
        x, y, sample_weight = unpack_x_y_sample_weight(item)
        if x is None or isinstance(x, (int, float, str)):
            raise ValueError(
                "Each item of the data must be a batch: (inputs,), (inputs, targets) or (inputs, "
                f"targets, sample_weights). Received: {item!r}"
            )
        feed = make_feed(x, y, sample_weight, self.class_weight)
        if self.class_weight is not None and not self._classes_noted:
            self._classes_noted = True
            note_unknown_classes(self.class_weight, feed.structures[1])
        return feed

    # --- what a model asks for ---

    def first_feed(self) -> ArrayFeed:
        """A batch to build a model for.

        Batches by number can be read again, so this is an epoch of one batch, with its hooks. Of other data
        the batch is kept, and will be the first one of the first epoch.

        Raises:
            ValueError: if there is none.
        """
        if self.by_number:
            self._tell("on_epoch_begin")
            with closing(self._read([0])) as batches:
                feed = self._feed_of(next(batches))
            self._tell("on_epoch_end")
            return feed
        if not self._ahead:
            self._begin_pass()
            if not self._look():
                raise ValueError(EMPTY)
        return self._ahead[0]

    def prepare(self, function: Any, feed: ArrayFeed) -> None:
        """Has the program compiled for what `first_feed` returned."""
        function.prepare(feed, feed.num_samples)

    def start(self, function: Any) -> Any:
        """Begins an epoch and returns its run."""
        self._tell("on_epoch_begin")
        is_fresh = self._iterator is not None and self._taken == 0
        if not is_fresh and not (self.resumes and self.has_batch()):
            self._begin_pass()
        return _BatchRun(self, function)

    def end_epoch(self) -> None:
        """Tells a data set with an `on_epoch_end` method."""
        self._tell("on_epoch_end")

    def _tell(self, hook: str) -> None:
        method = getattr(self.data, hook, None)
        if method is not None:
            method()


def _length(data: Any) -> int | None:
    """How many batches a pass has; None: there is no end, or the data do not know.

    Raises:
        ValueError: for something else than a number.
    """
    length: Any = None
    if hasattr(data, "__getitem__") and hasattr(type(data), "num_batches"):
        try:
            length = data.num_batches
        except NotImplementedError:  # a PyDataset that has not said how many
            return None
    elif hasattr(data, "__len__"):
        try:
            length = len(data)
        except (TypeError, NotImplementedError, ValueError, OverflowError):
            # An iterable knows when it ends; torch's and TensorFlow's refuse to say before.
            if not hasattr(data, "__iter__"):
                raise
    if length is None or length == math.inf:
        return None
    try:
        number = operator.index(length)
    except TypeError:
        raise ValueError(f"The number of batches must be an integer or None. Received: {length!r}") from None
    return number if number >= 0 else None


class _BatchRun:
    """The run of an epoch that gets each batch from Python."""

    def __init__(self, source: BatchSource, function: Any) -> None:
        self.source = source
        self.function = function
        self.expected = source.length if source.limit is None else source.limit
        self.done = 0
        self.last: Any = None
        self.structure: Any = None  # of the predictions
        self._ended = False
        self._outputs: list[list[np.ndarray]] = []

    def has_step(self) -> bool:
        if not self._ended:
            if self.done == self.source.limit:
                self._ended = True
            elif not self.source.has_batch():
                self._end_with_the_data()
        return not self._ended

    def _end_with_the_data(self) -> None:
        self._ended = True
        self.source.note_end_of_data(self.done, self.expected)

    def advance(self, max_steps: int | None, seconds: float | None) -> int:
        began, done = time.perf_counter(), 0
        while (max_steps is None or done < max_steps) and self.has_step():
            feed = self.source.take()
            if feed is None:  # fewer than the data's length says
                self._end_with_the_data()
                break
            self._step(feed)
            done += 1
            self.done += 1
            if seconds is not None and time.perf_counter() - began >= seconds:
                break
        return done

    def _step(self, feed: ArrayFeed) -> None:
        self.last = self.function.start(feed, feed.num_samples, None)
        self.function.check(feed)
        self.last.advance(None, None)
        if self.function.kind == "predict":
            if not self._outputs:
                self.structure = self.last.structure
            check_alike(self.structure, self.last.structure)
            self._outputs.append(self.last.outputs())

    def logs(self) -> dict[str, float]:
        return self.last.logs() if self.last is not None else {}

    def outputs(self) -> list[np.ndarray]:
        return self.outputs_of_steps(0, len(self._outputs))

    def outputs_of_steps(self, begin: int, end: int) -> list[np.ndarray]:
        return join_steps(self._outputs[begin:end])
