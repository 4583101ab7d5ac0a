"""What users hand to fit, evaluate and predict, as aligned arrays that the engine can gather batches from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ranvier.core import arguments, dtypes, tree
from ranvier.training.class_weights import class_weights
from ranvier.training.not_numbers import not_number_columns, not_numbers


def to_array(value: Any, what: str) -> np.ndarray:
    """An array that the engine can read: native byte order, contiguous, of a dtype it has.

    Floating-point data become `floatx()`, integers and booleans keep their type.

    Args:
        value: an array of any layout, a number, nested lists of numbers, a pandas DataFrame or Series, or an
            object with `__array__`.
        what: what it is, for messages ("x").

    Raises:
        ValueError: for strings, objects, dates, complex numbers, ragged lists and sparse matrices.
    """
    if hasattr(value, "toarray"):
        raise ValueError(
            f"Argument `{what}` is sparse, of type {type(value).__name__}, which is not supported. Give its "
            "`toarray()`."
        )
    if hasattr(value, "iloc"):
        value = _of_pandas(value, what)
    try:
        array = dtypes.as_array(value)
    except (TypeError, ValueError) as error:
        raise ValueError(not_numbers(value, what, error)) from None
    if array.dtype.kind == "f" and array.dtype.name != dtypes.floatx():
        array = array.astype(dtypes.floatx())
    if array.ndim == 0:
        raise ValueError(f"Argument `{what}` must have a batch dimension. Received a single number: {value}")
    return array


def _of_pandas(value: Any, what: str) -> Any:
    """A DataFrame or Series as an array.

    Columns of different types, and columns that may have missing values, become `floatx()`: NumPy would make
    objects of them.
    """
    is_frame = hasattr(value, "columns")
    kinds = [dtype.kind for _, dtype in value.dtypes.items()] if is_frame else [value.dtype.kind]
    if not set(kinds) <= set("biuf"):
        columns = value.items() if is_frame else [(value.name, value)]
        others = [column for column, kind in zip(columns, kinds, strict=True) if kind not in "biuf"]
        raise ValueError(not_number_columns(others, type(value).__name__, what))
    array = np.asarray(value)
    return value.to_numpy(dtype=dtypes.floatx(), na_value=np.nan) if array.dtype == object else array


def _is_number_list(value: Any) -> bool:
    """Whether a list or tuple stands for one array: nested lists of plain numbers."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(leaf, (int, float, str, np.generic)) for leaf in tree.flatten(value)
    )


def is_array_data(value: Any) -> bool:
    """Whether `value` is an array, something that becomes one, or a nest of such."""
    if isinstance(value, np.ndarray):
        return True
    if _is_number_list(value):
        return True
    if tree.is_nested(value):
        return all(is_array_data(leaf) for leaf in tree.flatten(value) if leaf is not None)
    sparse = hasattr(value, "toarray")  # which is refused later, by name
    return sparse or dtypes.is_array_like(value) or isinstance(value, (np.generic, int, float, str))


def _to_structure(value: Any, what: str) -> Any:
    """`value` with every array converted: an array, or a nest of arrays."""
    if isinstance(value, np.ndarray) or not tree.is_nested(value) or _is_number_list(value):
        return to_array(value, what)
    return tree.map_structure(lambda leaf: None if leaf is None else to_array(leaf, what), value)


class ArrayFeed:
    """Inputs, targets and sample weights with one row for each sample.

    Args:
        x: an array or a nest of arrays.
        y: the same, or None.
        sample_weight: the same, or None.
        class_weighted: whether the weights stand for the samples' classes: these are for training only.

    Attributes:
        x: the input arrays, flat.
        y: the target arrays, flat; empty if there are none.
        sample_weight: the weight arrays, flat; empty if there are none.
        num_samples: the number of rows.
        form: how the nests are built, to be compared: which array is where.
        signature: dtypes and shapes of the arrays, noted by who looks for programs with them; else None.

    Raises:
        ValueError: if the arrays differ in the number of rows, or there are no rows.
    """

    __slots__ = (
        "class_weighted",
        "form",
        "num_samples",
        "sample_weight",
        "signature",
        "structures",
        "x",
        "y",
    )

    def __init__(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weighted: bool = False
    ) -> None:
        self.class_weighted = class_weighted
        self.signature: tuple[Any, ...] | None = None
        self.structures = (x, y, sample_weight)
        self.form = tuple(map(_form, self.structures))
        self.x = _arrays(x)
        self.y = _arrays(y)
        self.sample_weight = _arrays(sample_weight)
        self.num_samples = self._count()

    def _count(self) -> int:
        groups = {"x": self.x, "y": self.y, "sample_weight": self.sample_weight}
        sizes = {name: [len(a) for a in arrays] for name, arrays in groups.items() if arrays}
        distinct = {size for group in sizes.values() for size in group}
        if len(distinct) > 1:
            listed = "\n".join(
                f"'{name}' sizes: {', '.join(map(str, group))}" for name, group in sizes.items()
            )
            raise ValueError(
                "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.\n"
                + listed
            )
        if not distinct or distinct == {0}:
            raise ValueError("The data is empty: there must be at least one sample.")
        return distinct.pop()

    @classmethod
    def of_array(cls, x: np.ndarray) -> ArrayFeed:
        """The feed of one input array that the engine can read as it is; nothing is checked."""
        feed = cls.__new__(cls)
        feed.class_weighted, feed.signature = False, None
        feed.structures = (x, None, None)
        feed.form = (True, False, False)
        feed.x, feed.y, feed.sample_weight = [x], [], []
        feed.num_samples = len(x)
        return feed

    def pack(self, x: Sequence[Any], y: Sequence[Any], sample_weight: Sequence[Any]) -> Any:
        """Values for the flat arrays, in the structures that the user gave, as a step is given them.

        Returns:
            x, (x,), (x, y) or (x, y, sample_weight): what there is, as in Keras.
        """
        packed = [
            None if structure is None else _pack(structure, list(values))
            for structure, values in zip(self.structures, (x, y, sample_weight), strict=True)
        ]
        return pack_x_y_sample_weight(*packed)

    def rows(self, begin: int, end: int) -> ArrayFeed:
        """The samples from `begin` to `end` (not included), as views."""

        def cut(structure: Any) -> Any:
            return tree.map_structure(lambda a: None if a is None else a[begin:end], structure)

        x, y, sample_weight = self.structures
        return ArrayFeed(
            cut(x),
            None if y is None else cut(y),
            None if sample_weight is None else cut(sample_weight),
            self.class_weighted,
        )

    def without_weights(self) -> ArrayFeed:
        """The same samples, all of weight 1."""
        return ArrayFeed(*self.structures[:2])


def _arrays(structure: Any) -> list[np.ndarray]:
    if isinstance(structure, np.ndarray):
        return [structure]
    return [leaf for leaf in tree.flatten(structure) if leaf is not None]


def _form(structure: Any) -> Any:
    """How a nest is built: whether there is an array at each place."""
    if structure is None or isinstance(structure, np.ndarray):
        return structure is not None
    entries = structure.items() if isinstance(structure, dict) else enumerate(structure)
    return (type(structure), *((key, _form(item)) for key, item in entries))


def _pack(structure: Any, values: list[Any]) -> Any:
    if isinstance(structure, np.ndarray):
        return values[0]
    remaining: Iterator[Any] = iter(values)
    leaves = [None if leaf is None else next(remaining) for leaf in tree.flatten(structure)]
    return tree.pack_sequence_as(structure, leaves)


def _only_item(value: Any) -> Any:
    """The item of a list or tuple of one array: it means the array itself. Other values as they are."""
    is_list = isinstance(value, (list, tuple)) and len(value) == 1
    return value[0] if is_list and hasattr(value[0], "__array__") and np.ndim(value[0]) else value


def make_feed(x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> ArrayFeed:
    """The feed of what a user gave.

    Args:
        x: arrays, nested lists of numbers, or nests of arrays.
        y: targets, likewise; or None.
        sample_weight: one weight for each sample (or for each of its parts), likewise; or None.
        class_weight: class -> weight; gives the samples' weights by their targets.

    Raises:
        ValueError: for data that are not numbers, that differ in length, or that are empty, and if both
            weights are given.
    """
    x, y = _only_item(x), _only_item(y)
    sample_weight = sample_weight if tree.is_nested(y) else _only_item(sample_weight)
    converted_x = _to_structure(x, "x")
    converted_y = None if y is None else _to_structure(y, "y")
    weights = None if sample_weight is None else _to_structure(sample_weight, "sample_weight")
    if class_weight is not None:
        if weights is not None:
            raise ValueError("You cannot specify `class_weight` and `sample_weight` at the same time.")
        weights = class_weights(converted_y, class_weight)
    elif tree.is_nested(weights) and not _same_structure(weights, converted_y):
        raise ValueError(
            "You should provide one `sample_weight` array per output in `y`. The two structures did not "
            f"match: y: {_brief(converted_y)}, sample_weight: {_brief(weights)}."
        )
    if weights is not None:
        weights = tree.map_structure(
            lambda w: None if w is None else w.astype(dtypes.floatx(), copy=False), weights
        )
    return ArrayFeed(converted_x, converted_y, weights, class_weighted=class_weight is not None)


def _same_structure(a: Any, b: Any) -> bool:
    """Whether two nests of arrays (or None) are built alike."""
    try:
        tree.map_structure(lambda *leaves: None, a, b)
    except (ValueError, TypeError):
        return False
    return True


def _brief(structure: Any) -> Any:
    """A nest with "array" in place of each array."""
    return tree.map_structure(lambda leaf: leaf if leaf is None else "array", structure)


def check_class_numbers(y: np.ndarray) -> None:
    """Checks that floating-point targets are whole numbers.

    Raises:
        ValueError: for NaN, an infinity or a fraction; the message says which and where.
    """
    if y.dtype.kind != "f":
        return
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~(y - np.trunc(y) == 0))  # infinity - infinity is NaN, and not 0
    if wrong.size:
        place = int(np.unravel_index(wrong[0], y.shape)[0])
        raise ValueError(
            "The loss takes class numbers (0, 1, 2, ...) as targets, but `y` holds "
            f"{y.reshape(-1)[wrong[0]]} in row {place}."
        )


def split_feed(feed: ArrayFeed, validation_split: float) -> tuple[ArrayFeed, ArrayFeed]:
    """The samples for training, and the last ones for validation.

    Args:
        feed: all samples.
        validation_split: the share of the samples to validate on. Class weights do not count there.

    Raises:
        ValueError: for a share that is not between 0 and 1, or that leaves one side empty.
    """
    validation_split = check_validation_split(validation_split)
    count = feed.num_samples
    boundary = math.floor(count * (1.0 - validation_split))
    if boundary in (0, count):
        raise ValueError(
            f"Training data contains {count} samples, which is not sufficient to split it into a validation "
            f"and training set as specified by `validation_split={validation_split}`. Either provide more "
            "data, or a different value for the `validation_split` argument."
        )
    test = feed.rows(boundary, count)
    return feed.rows(0, boundary), test.without_weights() if feed.class_weighted else test


def check_validation_split(validation_split: Any) -> float:
    """`validation_split` as a number, if it is a share.

    Raises:
        ValueError: for a number outside (0, 1), or something else.
    """
    validation_split = arguments.plain(validation_split)
    if not arguments.is_number(validation_split):
        raise ValueError(
            f"Argument `validation_split` must be a number between 0 and 1. Received: {validation_split}"
        )
    if not 0.0 < validation_split < 1.0:
        raise ValueError(
            "Argument `validation_split` must be greater than 0 and less than 1. "
            f"Received: validation_split={validation_split!r}"
        )
    split: float = validation_split
    return split


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch in any of the forms `x`, `(x,)`, `(x, y)`, `(x, y, sample_weight)`.

    What is missing is None.

    Raises:
        ValueError: for a longer tuple.
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"found a tuple of {len(data)} items."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The shortest form of a batch that `unpack_x_y_sample_weight` reads: x, (x, y) or (x, y, weights)."""
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
