"""A look at data before a day of training on them: what is said, once, of what cannot be meant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier import activations
from ranvier.core import tree
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.operation import producer
from ranvier.core.user_code import warn
from ranvier.layers import Dense
from ranvier.training.data import ArrayFeed

# How many numbers of an array are looked at before training. More would cost a part of an epoch; the loss
# tells of the others (`Look.after`).
_MOST = 1 << 18
# With fewer numbers an epoch is so short that its loss tells soon enough, and a look would cost a part of it.
_FEW = 1 << 14
# Activations whose values are probabilities.
_PROBABILITIES = (
    activations.sigmoid,
    activations.softmax,
    activations.hard_sigmoid,
    activations.sparse_sigmoid,
)


class Look:
    """Warns once of NaN and infinity, and of labels and outputs that are no probabilities where they must be.

    Args:
        model: the model, compiled.
        x: the inputs as they were given: the columns of a frame are called by their names.
    """

    def __init__(self, model: Any, x: Any) -> None:
        self._model = model
        self._columns = columns_of(x)
        self._finite = self._labels = True  # as far as was seen
        self._kept: list[tuple[ArrayFeed, str]] = []  # what is to be looked at
        self._count = 0  # the numbers in it

    def begin(self, source: Any) -> None:
        """Looks at the arrays of a source, or has a source of batches show each batch of its first pass."""
        feed = getattr(source, "feed", None)
        source.look = self
        if feed is not None:
            self.at(feed)
            self._at_outputs(feed)

    def at(self, feed: ArrayFeed, place: str = "") -> None:
        """Looks at the arrays of a feed, at most at their first numbers; at small ones later and together.

        Args:
            feed: the arrays.
            place: where they come from, for the message: " of batch 3".
        """
        self._kept.append((feed, place))
        self._count += sum([array.size for array in feed.x])
        if self._count >= _FEW:
            self._at_kept(True)

    def after(self, logs: dict[str, Any], source: Any) -> None:
        """Looks at what is left at the end of an epoch, and at all numbers if a result is not finite."""
        is_finite = all(math.isfinite(value) for value in logs.values() if isinstance(value, float))
        self._at_kept(not is_finite)
        feed = getattr(source, "feed", None)
        if not is_finite and self._finite and feed is not None:
            self._at_numbers(feed, "", None)

    def _at_kept(self, numbers: bool) -> None:
        kept, self._kept, self._count = self._kept, [], 0
        if numbers and self._finite:
            if len(kept) == 1 or not _are_finite([feed for feed, _ in kept]):
                for feed, place in kept:
                    if self._finite:
                        self._at_numbers(feed, place, _MOST)
        loss = self._model._rv_compile_loss
        if self._labels and loss is not None:
            for feed, place in kept:
                for y in loss.binary_targets(feed.structures[1]) if feed.y else ():
                    self._at_labels(y, place)

    def _at_numbers(self, feed: ArrayFeed, place: str, most: int | None) -> None:
        groups = (feed.x, feed.y, feed.sample_weight)
        names = ("x", "y", "sample_weight")
        for what, structure, arrays in zip(names, feed.structures, groups, strict=True):
            for i, array in enumerate(arrays):
                if array.dtype.kind == "f" and not _is_finite(array.reshape(-1)[:most]):
                    self._finite = False
                    columns = self._columns if what == "x" else ()
                    warn(_not_finite(_name(what, structure, i), array, place, columns))
                    return

    def _at_labels(self, y: np.ndarray, place: str) -> None:
        if not self._labels:
            return
        part = y.reshape(-1)[:_MOST]
        least, most = part.min(), part.max()
        if least < 0 or most > 1:
            self._labels = False
            warn(
                f"The labels `y`{place} go from {least:g} to {most:g}, but a binary crossentropy takes "
                "labels from 0 to 1. Labels of -1 and 1 become `(y + 1) / 2`; for more than two classes use "
                "'sparse_categorical_crossentropy' and a unit for each class."
            )

    def _at_outputs(self, feed: ArrayFeed) -> None:
        """Computes some outputs, once for each `compile`, if nothing makes probabilities of them."""
        loss = self._model._rv_compile_loss
        if loss is None or loss.outputs_seen or not loss.takes_probabilities():
            return
        loss.outputs_seen = True
        last = _last_layer(self._model)
        if not isinstance(last, Dense) or last.activation in _PROBABILITIES:
            return
        if not type(self._model).train_step.__module__.startswith("ranvier."):  # it may use x in its own way
            return
        if any(getattr(layer, "stateful", False) for layer in self._model._flatten_layers()):
            return
        x = tree.map_structure(lambda a: None if a is None else a[:32], feed.structures[0])
        outputs = np.asarray(self._model(x, training=False))
        if np.any(outputs < 0) or np.any(outputs > 1):
            warn(
                f"The outputs of layer '{last.name}' go from {outputs.min():g} to {outputs.max():g}, but a "
                'binary crossentropy takes probabilities. Write `activation="sigmoid"` in that layer, or '
                "`loss=losses.BinaryCrossentropy(from_logits=True)`."
            )


def _are_finite(feeds: list[ArrayFeed]) -> bool:
    """Whether all numbers of several small feeds are finite."""
    arrays = [array for feed in feeds for array in (*feed.x, *feed.y, *feed.sample_weight)]
    floats = [array.reshape(-1)[:_MOST] for array in arrays if array.dtype.kind == "f"]
    return not floats or _is_finite(np.concatenate(floats))


def _is_finite(numbers: np.ndarray) -> bool:
    """Whether all numbers are finite. One pass at the speed of memory tells; squares may overflow, though."""
    if numbers.size < 4096:
        return bool(np.isfinite(numbers).all())
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(np.dot(numbers, numbers)) or bool(np.isfinite(numbers).all())


def columns_of(x: Any) -> tuple[Any, ...]:
    """The names of a frame's columns; none for anything else."""
    if type(x) is np.ndarray:
        return ()
    return tuple(x.columns) if hasattr(x, "iloc") and hasattr(x, "columns") else ()


def compare_columns(expected: tuple[Any, ...], x: Any, told: set[tuple[Any, ...]]) -> None:
    """Warns if a frame has other columns than that of `fit`, or the same in another order.

    Args:
        expected: the columns in `fit`.
        x: the inputs as they were given.
        told: the columns of which this was said already; those of `x` are added.
    """
    came = columns_of(x)
    if not came or not expected or came == expected or len(came) != len(expected) or came in told:
        return
    told.add(came)
    if set(came) == set(expected):
        said = "in another order"
        advice = f"Columns go by their place: write `x[{list(expected)}]`."
    else:
        said = "others"
        advice = "Columns go by their place and not by their name."
    warn(
        f"The columns of `x` are {said} than in `fit`. Expected: {list(expected)}. Received: {list(came)}. "
        f"{advice}"
    )


def _name(what: str, structure: Any, position: int) -> str:
    """What a user calls an array: "x", "x[1]", "x['age']"."""
    if isinstance(structure, np.ndarray):
        return what
    paths = [path for path, leaf in tree.flatten_with_path(structure) if leaf is not None]
    return what + "".join(f"[{part!r}]" for part in paths[position])


def _not_finite(name: str, array: np.ndarray, place: str, columns: tuple[Any, ...]) -> str:
    wrong = ~np.isfinite(array)
    first = tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), array.shape))
    kind = "NaN" if np.isnan(array[first]) else "infinity"
    where = f"in row {first[0]}{place}"
    if array.ndim == 2 and len(columns) == array.shape[1]:
        where += f", column {columns[first[1]]!r}"
    elif array.ndim > 1:
        where += f", column {first[1] if array.ndim == 2 else first[1:]}"
    count = int(wrong.sum())
    more = f", and {count - 1} more such values" if count > 1 else ""
    return (
        f"`{name}` holds {kind}: {where}{more}. If neither the model nor the loss sees to them, the loss "
        f"and the weights become NaN. Drop such rows or fill them, for example with "
        f"`np.nan_to_num({name})` or `frame.fillna(...)`."
    )


def _last_layer(model: Any) -> Any:
    """The layer that makes the only output of a model whose layers are known; else None."""
    outputs = model._rv_known_outputs()
    if not isinstance(outputs, KerasTensor):
        return None
    node = producer(outputs)
    return model.layers[-1] if node is None else node.operation
