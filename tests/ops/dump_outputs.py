"""Writes what every row of the op table computes on this instruction set to an .npz file.

usage: RANVIER_ISA=avx2 python -m tests.ops.dump_outputs FILE

Small cases are stored as they are, large ones as digests. Run on two instruction sets, the files must be
equal.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

import numpy as np
from tests.ops.engine import compiled_row, forward
from tests.ops.op_table import ROWS
from tests.ops.rows import FLOATS


def canonical_bits(array: np.ndarray) -> np.ndarray:
    """The bytes of an array, NaN with one sign and payload: those are not promised."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array).astype(array.dtype)
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)


def outputs() -> Iterator[tuple[str, np.ndarray]]:
    """(name, bytes) of every result and gradient of the table."""
    with np.errstate(all="ignore"):
        for number, row in enumerate(ROWS):
            for dtype in row.dtypes:
                key = f"{number}/{row.op}/{dtype}"
                for i, case in enumerate((*row.cases, *row.large)):
                    inputs = row.inputs(case, dtype)
                    result = canonical_bits(forward(row.op, inputs, case.attributes))
                    if case in row.large:
                        result = np.frombuffer(hashlib.sha256(result).digest(), np.uint8)
                    yield f"{key}/{i}", result
                    if row.smooth and dtype in FLOATS and case in row.cases:
                        for j, gradient in enumerate(compiled_row(row, case, inputs).run()[1:]):
                            yield f"{key}/{i}/gradient{j}", canonical_bits(gradient)
                if row.specials:
                    special = row.special_inputs(dtype)
                    yield f"{key}/specials", canonical_bits(forward(row.op, special, {}))


if __name__ == "__main__":
    np.savez(sys.argv[1], **dict(outputs()))
