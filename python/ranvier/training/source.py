"""Where an epoch's batches come from: arrays that the engine gathers from, or batches that Python makes.

A source's `start` begins an epoch and gives its run. A run's `advance(max_steps, seconds)` does some steps
and returns how many. Once its epoch is over it returns 0, and never begins another pass over the data: that
is for the next `start`. `has_step()` says whether there is a step left; `logs()`, `outputs()` and
`outputs_of_steps(begin, end)` read out what the steps computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import scope
from ranvier.core.user_code import warn
from ranvier.training.data import ArrayFeed

DEFAULT_BATCH_SIZE = 32
EMPTY = "The data is empty: it must yield at least one batch."


def check_positive(name: str, value: Any) -> int:
    """`value` as an int.

    Raises:
        ValueError: if it is not a positive integer.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) <= 0:
        raise ValueError(f"Argument `{name}` must be a positive integer. Received: {name}={value}")
    return int(value)


class EpochLength:
    """How many steps an epoch has.

    Args:
        steps: the steps that were asked for; None: one pass over the data.
        steps_name: what the caller calls them, for messages.
        steps_per_execution: the steps between two calls of batch hooks. As in Keras, an epoch is made of
            whole executions: 5 steps asked for, 2 by 2, are 6.
        resumes: whether, where an epoch has fewer steps than a pass, the next one continues where it
            stopped; else every epoch begins with the first batch.

    Attributes:
        limit: the most steps of an epoch; None: all of a pass.
        look: who looks at the data for what cannot be meant, see `Look`; None: nobody.
    """

    def __init__(
        self,
        steps: int | None = None,
        steps_name: str = "steps",
        steps_per_execution: int = 1,
        resumes: bool = False,
    ) -> None:
        self.steps = steps
        self.steps_name = steps_name
        self.stride = steps_per_execution
        self.resumes = resumes and steps is not None
        self.limit = None if steps is None else self._in_whole_executions(steps)
        self._warned = False
        self.look: Any = None

    def _in_whole_executions(self, steps: int) -> int:
        return -(-steps // self.stride) * self.stride

    def note_end_of_data(self, done: int, expected: int | None) -> None:
        """Warns, once, if the data ended before an epoch was complete.

        Args:
            done: the steps of the epoch.
            expected: how many there should be; None: it was not known.
        """
        if expected is None or self._in_whole_executions(done) >= expected or self._warned:
            return
        self._warned = True
        if self.steps is None:
            advice = "Their length says that there are more."
        else:
            advice = (
                f"An epoch that ends with the data is shorter than `{self.steps_name}={self.steps}`; if the "
                "data can be read again, the next one begins with the first batch."
            )
        warn(f"Your input ran out of data: there were {done} batches for {expected} steps. {advice}")


class ArraySource(EpochLength):
    """Batches from arrays.

    Args:
        feed: the arrays.
        batch_size: the number of samples in a batch; the last one may be shorter. None: 32, or where the
            steps of an epoch are given, as many as make one pass of them; so in Keras.
        shuffle: whether each pass over the data has an order of its own.
        **length: see `EpochLength`.

    Attributes:
        batch_size: the number of samples in a batch.
        num_steps: the number of steps of an epoch.
    """

    def __init__(self, feed: ArrayFeed, batch_size: int | None, shuffle: bool = False, **length: Any) -> None:
        super().__init__(**length)
        self._wanted_batch_size = batch_size
        self.shuffle = shuffle
        self._pass: Any = None  # the run of a pass that an epoch has left unfinished
        self.use(feed)

    def use(self, feed: ArrayFeed) -> None:
        """Takes the batches from other arrays."""
        self.feed = feed
        by_default = DEFAULT_BATCH_SIZE if self.steps is None else -(-feed.num_samples // self.steps)
        self.batch_size = self._wanted_batch_size or by_default
        self.num_steps: int = -(-feed.num_samples // self.batch_size) if self.steps is None else self.steps

    def first_feed(self) -> ArrayFeed:
        """Data of the shapes and dtypes that the batches have."""
        return self.feed

    def prepare(self, function: Any, feed: ArrayFeed) -> None:
        """Has the programs compiled for what `first_feed` returned."""
        function.prepare(feed, self.batch_size)

    def start(self, function: Any) -> Any:
        """Begins an epoch and returns its run."""
        if self.limit is None:
            return self._new_pass(function)
        if self._pass is None or not self.resumes or not self._pass.has_step():
            self._pass = self._new_pass(function)
        return _PartOfPass(self, self._pass, self.limit)

    def _new_pass(self, function: Any) -> Any:
        return function.start(self.feed, self.batch_size, scope.next_seed() if self.shuffle else None)

    def end_epoch(self) -> None:
        """Nothing: arrays need no notice."""

    def close(self) -> None:
        """Nothing: there is nothing to give back."""


class _PartOfPass:
    """The run of an epoch with a given number of steps, or fewer if the pass ends before."""

    def __init__(self, source: ArraySource, run: Any, limit: int) -> None:
        self.source = source
        self.run = run
        self.limit = limit
        self.done = 0

    def has_step(self) -> bool:
        return self.done < self.limit and self.run.has_step()

    def advance(self, max_steps: int | None, seconds: float | None) -> int:
        left = self.limit - self.done
        if left == 0:
            return 0
        new = int(self.run.advance(left if max_steps is None else min(max_steps, left), seconds))
        self.done += new
        if not self.run.has_step():
            self.source.note_end_of_data(self.done, self.limit)
        return new

    @property
    def structure(self) -> Any:
        return self.run.structure

    def logs(self) -> dict[str, float]:
        return self.run.logs()

    def outputs(self) -> list[np.ndarray]:
        return self.run.outputs()

    def outputs_of_steps(self, begin: int, end: int) -> list[np.ndarray]:
        return self.run.outputs_of_steps(begin, end)
