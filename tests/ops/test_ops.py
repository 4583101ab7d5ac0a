"""Drives the op table: forward, gradient, threads, instruction sets, fusion, refusals."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.ops.dump_outputs import canonical_bits, outputs
from tests.ops.engine import compiled_row, forward
from tests.ops.op_table import ROWS
from tests.ops.rows import FLOATS, Case, Row, widen

from ranvier import _core

ROOT = pathlib.Path(__file__).resolve().parents[2]


ROW_DTYPES = [
    pytest.param(row, dtype, id=f"{i}-{row.op}-{dtype}") for i, row in enumerate(ROWS) for dtype in row.dtypes
]
SMOOTH = [
    pytest.param(row, id=f"{i}-{row.op}")
    for i, row in enumerate(ROWS)
    if row.smooth and set(row.dtypes) & {*FLOATS}
]
LARGE = [
    pytest.param(row, case, dtype, id=f"{i}-{row.op}-{dtype}-{j}")
    for i, row in enumerate(ROWS)
    for dtype in row.dtypes
    for j, case in enumerate(row.large)
]
REFUSALS = [
    pytest.param(row.op, *refusal, id=f"{i}-{row.op}-{j}")
    for i, row in enumerate(ROWS)
    for j, refusal in enumerate(row.refused)
]


@pytest.fixture(autouse=True)
def _all_threads() -> Iterator[None]:
    count = _core.num_threads()
    yield
    _core.set_num_threads(count)


# They hold graphs, which no row can: test_control.py has their table.
CONTROL = {"branch", "loop", "while_loop", "item", "custom_gradient"}


def test_every_operation_has_a_row() -> None:
    assert set(_core.op_names()) - {row.op for row in ROWS} == CONTROL
    assert {row.op for row in ROWS} - set(_core.op_names()) == set()


def check(
    row: Row, actual: np.ndarray, inputs: list[np.ndarray], attributes: dict[str, Any], dtype: str
) -> None:
    """Compares with the oracle, within the row's bound."""
    wide = [widen(x) for x in inputs]
    with np.errstate(all="ignore"):
        expected = np.asarray(row.oracle(*wide, **attributes))
        wanted = row.result_dtype(attributes, dtype)
        assert actual.dtype.name == wanted
        assert actual.shape == expected.shape
        rounded = expected.astype(wanted)
        if actual.dtype.kind != "f":
            np.testing.assert_array_equal(actual, rounded)
            return
        eps = float(np.finfo(wanted).eps)
        bound = np.asarray(row.allowed(expected, eps, *wide, **attributes), np.longdouble)
        # Programs make results that are not normal zero, and what an operation computes on its way.
        tiny = np.finfo(wanted).tiny
        slack = bound * (1 + 1e-6) + np.where(bound > 0, tiny * (bound + 1), 0)
        error = np.abs(actual.astype(np.longdouble) - expected.astype(np.longdouble))
        flushed = (actual == 0) & (np.abs(rounded) < tiny)
        same = flushed | (actual == rounded) | (np.isnan(actual) & np.isnan(rounded))
        close = same | (np.isfinite(actual) & np.isfinite(rounded) & (error <= slack))
    if not close.all():
        at = np.unravel_index(np.argmin(close), close.shape)
        shown = [
            np.broadcast_to(x, close.shape)[at] if x.shape == () or x.ndim == close.ndim else "..."
            for x in inputs
        ]
        raise AssertionError(
            f"{row.op}{attributes}: {np.count_nonzero(~close)} of {close.size} are wrong, the first at {at}: "
            f"got {actual[at]!r}, expected {rounded[at]!r}, inputs {shown}, error {error[at]}, allowed "
            f"{np.broadcast_to(bound, close.shape)[at]}"
        )


@pytest.mark.parametrize(("row", "dtype"), ROW_DTYPES)
def test_forward(row: Row, dtype: str) -> None:
    for case in row.cases:
        inputs = row.inputs(case, dtype)
        check(row, forward(row.op, inputs, case.attributes), inputs, case.attributes, dtype)
    if row.specials:
        inputs = row.special_inputs(dtype)
        check(row, forward(row.op, inputs, {}), inputs, {}, dtype)
    for case in row.large if dtype != "float64" else ():
        inputs = row.inputs(case, dtype)
        check(row, forward(row.op, inputs, case.attributes), inputs, case.attributes, dtype)


@pytest.mark.parametrize("row", SMOOTH)
def test_gradient(row: Row) -> None:
    tried = 0
    for case in row.cases:
        if 0 < case.size <= 64:
            program = compiled_row(row, case, row.inputs(case, "float64", smooth=True))
            # A cast to float32 leaves 7 digits.
            program.check_gradients(row.step, 1e-3 if case.attributes.get("dtype") == "float32" else 1e-7)
            tried += 1
    assert tried


@pytest.mark.parametrize(
    "op", sorted({row.op for row in ROWS if not row.smooth} - {row.op for row in ROWS if row.smooth})
)
def test_stated_as_not_differentiable(op: str) -> None:
    assert not _core.is_differentiable(op)


@pytest.mark.parametrize("op", sorted({row.op for row in ROWS if row.smooth}))
def test_stated_as_differentiable(op: str) -> None:
    assert _core.is_differentiable(op)


def _all_bits(row: Row, case: Case, dtype: str) -> list[np.ndarray]:
    return [canonical_bits(a) for a in compiled_row(row, case, row.inputs(case, dtype)).run()]


@pytest.mark.parametrize(("row", "case", "dtype"), LARGE)
def test_threads_do_not_change_bits(row: Row, case: Case, dtype: str) -> None:
    _core.set_num_threads(1)
    one = _all_bits(row, case, dtype)
    for count in (2, 4):
        _core.set_num_threads(count)
        many = _all_bits(row, case, dtype)
        assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True)), (
            f"{count} threads differ from 1"
        )


@pytest.mark.parametrize(("row", "dtype"), ROW_DTYPES)
def test_fusion_does_not_change_bits(row: Row, dtype: str) -> None:
    """But for the sign of zero: a sum over one element is simplified to that element, and 0 + -0 is 0."""
    for case in row.cases:
        inputs = row.inputs(case, dtype)
        fused, unfused = (compiled_row(row, case, inputs, fuse).run() for fuse in (True, False))
        for a, b in zip(fused, unfused, strict=True):
            assert np.array_equal(canonical_bits(a + 0), canonical_bits(b + 0)), case


@pytest.mark.parametrize(("op", "inputs", "attributes", "exception", "pattern"), REFUSALS)
def test_refused(
    op: str, inputs: Any, attributes: dict[str, Any], exception: type[Exception], pattern: str
) -> None:
    with pytest.raises(exception, match=pattern):
        forward(op, list(inputs), attributes)


@pytest.fixture(scope="module")
def own_outputs() -> dict[str, np.ndarray]:
    return dict(outputs())


@pytest.mark.parametrize("isa", _core.build_info()["isas_supported"])
def test_instruction_sets_agree(isa: str, own_outputs: dict[str, np.ndarray], tmp_path: pathlib.Path) -> None:
    """Every result and gradient of the table, computed by another process on another instruction set."""
    if isa == _core.build_info()["isa"]:
        pytest.skip("the instruction set of this process")
    path = tmp_path / "outputs.npz"
    environment = {**os.environ, "RANVIER_ISA": isa}
    subprocess.run(
        [sys.executable, "-m", "tests.ops.dump_outputs", str(path)], cwd=ROOT, env=environment, check=True
    )
    with np.load(path) as theirs:
        assert set(theirs.files) == set(own_outputs)
        different = [name for name in theirs.files if not np.array_equal(theirs[name], own_outputs[name])]
    assert not different
