"""Checks of the arguments of fit, evaluate and predict, and the choice of a source for their data."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

from ranvier.callbacks import CallbackList
from ranvier.core.settings import max_epochs
from ranvier.core.user_code import harmless
from ranvier.training.batch_source import BatchSource
from ranvier.training.class_weights import note_unknown_classes
from ranvier.training.data import is_array_data, make_feed
from ranvier.training.source import ArraySource, check_positive

Source = ArraySource | BatchSource


def check_verbose(verbose: Any) -> int:
    """`verbose` as 0, 1 or 2.

    Raises:
        ValueError: for anything but these, True, False and "auto" (which is 1).
    """
    if verbose == "auto":
        return 1
    if verbose in (0, 1, 2):
        return int(verbose)
    raise ValueError(f"Argument `verbose` must be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")


def check_epochs(epochs: Any, initial_epoch: Any) -> None:
    """Checks that both are integers.

    Raises:
        ValueError: if they are not.
    """
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise ValueError(f"Argument `{name}` must be an integer. Received: {name}={value}")


def limited_epochs(epochs: int) -> int:
    """`epochs`, or the limit that `config.set_max_epochs` set."""
    limit = max_epochs()
    return epochs if limit is None else min(epochs, limit)


def check_shuffle(shuffle: Any) -> bool:
    """`shuffle` as a bool.

    Raises:
        ValueError: for "batch", which is not offered, and anything else that is not a bool.
    """
    if shuffle in (True, False):
        return bool(shuffle)
    raise ValueError(f"Argument `shuffle` must be True or False. Received: shuffle={shuffle!r}")


def validates_after(epoch: int, validation_freq: Any) -> bool:
    """Whether an epoch (counted from 0) is followed by a validation.

    Args:
        epoch: the epoch.
        validation_freq: a positive integer n: after every n-th epoch; or the epochs, counted from 1.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(validation_freq, Collection) and not isinstance(validation_freq, str):
        return epoch + 1 in validation_freq
    return (epoch + 1) % check_positive("validation_freq", validation_freq) == 0


def make_source(
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    class_weight: Any = None,
    batch_size: Any = None,
    shuffle: bool = False,
    steps: Any = None,
    steps_name: str = "steps",
    **length: Any,
) -> Source:
    """The source of the batches of an epoch.

    Args:
        x: arrays or nests of arrays; or an iterable of batches, which hold their targets and weights
            themselves.
        y: targets, or None.
        sample_weight: weights, or None.
        class_weight: class -> weight, or None.
        batch_size: a positive integer, or None; see `ArraySource`. Batches have their own.
        shuffle: whether the order is random.
        steps: the steps of an epoch; None: all data.
        steps_name: what the caller calls `steps`, for messages.
        **length: `steps_per_execution` and `resumes`, see `EpochLength`.

    Raises:
        ValueError: for data that cannot be used; see `make_feed`.
    """
    if steps is not None:
        steps = check_positive(steps_name, steps)
    length.update(steps=steps, steps_name=steps_name)
    if x is None:
        raise ValueError("Argument `x` is missing: there are no data.")
    if is_array_data(x):
        if batch_size is not None:
            batch_size = check_positive("batch_size", batch_size)
        feed = make_feed(x, y, sample_weight, class_weight)
        note_unknown_classes(class_weight, feed.structures[1], is_all=True)
        return ArraySource(feed, batch_size, shuffle, **length)
    by_number = hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(type(x), "num_batches"))
    if not hasattr(x, "__iter__") and not by_number:
        raise ValueError(f"Unrecognized data type: x={x!r} (of type {type(x)})")
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When `x` is a generator or a data set of batches, `{name}` should not be passed. Instead, "
                "it should be part of the batches."
            )
    return BatchSource(x, shuffle, class_weight, **length)


@contextlib.contextmanager
def named_validation_data(given: bool = True) -> Iterator[None]:
    """Says of the errors inside the block that they come from `validation_data`, if it was given."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        if given:
            _name_validation_data(error)
        raise


@harmless
def _name_validation_data(error: Exception) -> None:
    if error.args and isinstance(error.args[0], str):
        what = "In `validation_data`, a tuple (x, y) or (x, y, sample_weight)"
        error.args = (f"{what}: {error.args[0]}", *error.args[1:])


def make_callbacks(callbacks: Any, model: Any, verbose: int, **params: Any) -> CallbackList:
    """The list that a loop calls: the user's callbacks, a History where there are epochs, the bar."""
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(
        callbacks,
        add_history="epochs" in params,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        **params,
    )
