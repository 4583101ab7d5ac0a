from __future__ import annotations

from collections.abc import Iterator

import pytest

from ranvier import _core


@pytest.fixture(params=[1, 2, 4])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Runs the test on several counts of threads."""
    before = _core.num_threads()
    _core.set_num_threads(request.param)
    yield request.param
    _core.set_num_threads(before)
