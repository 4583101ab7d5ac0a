"""Updates that count only if a condition holds: a graph has no branches, so both outcomes are computed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from ranvier import ops


@contextlib.contextmanager
def kept_if(condition: Any, variables: Sequence[Any]) -> Iterator[None]:
    """Takes back what is assigned to `variables` inside, unless `condition` (rank 0, bool) holds."""
    before = [ops.copy(variable) for variable in variables]
    yield
    for variable, old in zip(variables, before, strict=True):
        variable.assign(ops.where(condition, variable, old))
