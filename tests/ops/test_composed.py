"""Drives the table of functions: both float dtypes, at once and compiled, gradients, signatures, refusals."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest
from tests.ops import composed_linalg, composed_order, composed_table
from tests.ops.composed import Entry
from tests.ops.dump_outputs import canonical_bits
from tests.ops.engine import Compiled, flatten
from tests.ops.rows import widen

from ranvier import ops
from ranvier.core.trace import Trace
from ranvier.ops import control, derivatives

TABLES = (composed_table, composed_order, composed_linalg)
ENTRIES = tuple(entry for table in TABLES for entry in table.ENTRIES)
# Functions that take functions are tested in test_control.py, `vectorize` with them.
PLAIN = {
    *control.__all__,
    *derivatives.__all__,
    "associative_scan",
    "vectorized_map",
    *(name for table in TABLES for name in table.PLAIN),
}
EACH = [pytest.param(entry, id=f"{i}-{entry}") for i, entry in enumerate(ENTRIES)]
SMOOTH = [pytest.param(entry, id=f"{i}-{entry}") for i, entry in enumerate(ENTRIES) if entry.smooth]


def test_every_function_has_an_entry() -> None:
    functions = {name for name, value in vars(ops).items() if isinstance(value, types.FunctionType)}
    public = {name for name in functions if name[0] != "_"}
    assert public - {entry.name for entry in ENTRIES} - PLAIN == set()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of empty slices and NaN
@pytest.mark.parametrize("floats", ["float32", "float64"])
@pytest.mark.parametrize("entry", EACH)
def test_against_the_oracle(entry: Entry, floats: str) -> None:
    inputs = entry.inputs(floats)
    op = getattr(ops, entry.name)
    for call in entry.calls:
        with np.errstate(all="ignore"):
            expected = flatten(call(entry.oracle, *(widen(x) for x in inputs)))
        actual = flatten(call(op, *inputs))
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            compare(a, np.asarray(e), entry.ulps, floats)


def compare(actual: Any, expected: np.ndarray, ulps: float, floats: str) -> None:
    """Shape, kind of dtype, and values within `ulps` eps of 1 + |expected|."""
    assert isinstance(actual, np.ndarray)
    assert actual.shape == expected.shape
    if expected.dtype.kind != "f":
        assert actual.dtype.kind == expected.dtype.kind
        np.testing.assert_array_equal(actual, expected)
        return
    assert actual.dtype.name in (floats, "float32")
    eps = float(np.finfo(actual.dtype).eps)
    rounded = expected.astype(actual.dtype)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(rounded))
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(actual[~finite & ~np.isnan(actual)], rounded[~finite & ~np.isnan(rounded)])
    error = np.abs(actual[finite] - expected[finite])
    assert np.all(
        (actual[finite] == rounded[finite]) | (error <= ulps * eps * (1 + np.abs(expected[finite])))
    )


@pytest.mark.parametrize("entry", EACH)
def test_compiled_gives_the_same_bits(entry: Entry) -> None:
    inputs = entry.inputs("float32")
    op = getattr(ops, entry.name)
    for call in entry.calls:
        at_once = flatten(call(op, *inputs))
        program = Compiled(lambda *tensors, call=call: call(op, *tensors), inputs)
        for a, b in zip(at_once, program.run(), strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_array_equal(canonical_bits(a), canonical_bits(b))


@pytest.mark.parametrize("entry", SMOOTH)
def test_gradient(entry: Entry) -> None:
    """A call need not use all arrays, but each must have a gradient in some call."""
    op = getattr(ops, entry.name)
    without = set(entry.smooth)
    for call in entry.calls:
        inputs = entry.inputs("float64")
        program = Compiled(lambda *tensors, call=call: call(op, *tensors), inputs, entry.smooth)
        found = [s for s, f in zip(entry.smooth, program.gradients_found, strict=True) if f]
        if found:
            Compiled(lambda *tensors, call=call: call(op, *tensors), inputs, found).check_gradients(
                tolerance=1e-6
            )
        without -= set(found)
    assert not without


def test_ctc_loss_of_more_frames_takes_no_more_steps() -> None:
    def steps(frames: int) -> int:
        with Trace() as trace:
            logits = trace.input((2, frames, 5))
            lengths = np.array([2, 1]), np.array([frames, 3])
            loss = ops.ctc_loss(np.array([[1, 2], [3, 0]]), logits, *lengths)
            return trace.compile([loss]).step_count

    assert steps(40) == steps(4)
