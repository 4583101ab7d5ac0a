"""What is said of data that are not numbers: what came, and how to turn it into numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

_LABELS = (
    "Text labels become class numbers with `sklearn.preprocessing.LabelEncoder().fit_transform(y)`, or "
    "`codes, names = pandas.factorize(y)`."
)
# What a column holds -> how it becomes numbers.
_COLUMNS = {
    "numbers": "Numbers as objects or text: `pandas.to_numeric(column)`.",
    "dates": "Dates: take out what matters, as in `column.dt.dayofweek`, or `(column - start).dt.days`.",
    "categories": "Categories: `column.cat.codes`, or `pandas.get_dummies(frame)` for a column for each.",
    "text": "Text: `pandas.get_dummies(frame)` for a column for each word, or `pandas.factorize(column)`.",
    "others": "Other objects: take the numbers out of them.",
}
_ARRAYS = {
    "numbers": "It holds numbers as objects or text: write `{what}.astype('float32')`.",
    "dates": "Dates: take the difference to a date, as in `({what} - start) / np.timedelta64(1, 'D')`.",
    "text": "Text must be encoded as numbers, for example by `np.unique({what}, return_inverse=True)`.",
    "others": "Lists of different lengths can be padded by `utils.pad_sequences`.",
}


def not_numbers(value: Any, what: str, error: Exception) -> str:
    """What to say of an array, or of what should become one.

    Args:
        value: what came.
        what: the argument, "x" or "y".
        error: why it cannot be used.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # a list of lists of different lengths
        array = np.empty(0, object)
    came = getattr(value, "dtype", type(value).__name__)
    kind = _kind(array)
    advice = _LABELS if kind == "text" and what == "y" else _ARRAYS.get(kind, "").format(what=what)
    return f"Argument `{what}` must hold numbers or booleans, found {came}: {error} {advice}".rstrip()


def not_number_columns(columns: list[tuple[Any, Any]], holder: str, what: str) -> str:
    """What to say of the columns of a DataFrame, or of a Series.

    Args:
        columns: name and column of each that holds no numbers.
        holder: "DataFrame" or "Series".
        what: the argument, "x" or "y".
    """
    kinds = [_kind(column) for _, column in columns]
    if what == "y" and holder == "Series" and kinds[0] in ("text", "categories"):
        return f"Argument `y` must hold numbers or booleans, found text ({columns[0][1].dtype}). {_LABELS}"
    listed = ", ".join(f"{name!r} ({column.dtype})" for name, column in columns)
    advice = " ".join(_COLUMNS[kind] for kind in dict.fromkeys(kinds))
    some = "this column does not" if len(columns) == 1 else "these columns do not"
    return (
        f"Argument `{what}` must hold numbers or booleans, found {holder}: {some}: {listed}. {advice} "
        "Columns that the model does not need: `frame.drop(columns=[...])`."
    )


def _kind(values: Any) -> str:
    """What an array or a column holds: "numbers", "dates", "categories", "text" or "others"."""
    dtype = values.dtype
    if dtype.kind in "mM":
        return "dates"
    if str(dtype) == "category":
        return "categories"
    first = [v for v in np.asarray(values, object).reshape(-1)[:1000] if v is not None and v == v]
    if first and all(isinstance(v, (int, float, np.number)) or _reads_as_number(v) for v in first):
        return "numbers"
    is_text = dtype.kind in "US" or any(isinstance(v, (str, bytes)) for v in first)
    return "text" if is_text else "others"


def _reads_as_number(value: Any) -> bool:
    """Whether a value is text that is a number."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)
