"""Devices: the CPU is the one there is."""

from __future__ import annotations

import pytest

import ranvier as rv


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "CPU:0"])
def test_the_cpu(name: str) -> None:
    with rv.device(name):
        assert rv.ops.sum(rv.ops.ones(3)) == 3


@pytest.mark.parametrize("name", ["gpu:0", "cpu:1", ""])
def test_others_are_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match="only device"), rv.device(name):
        pass


@pytest.mark.parametrize("name", [None, 3])
def test_what_is_no_name_is_refused(name) -> None:
    with pytest.raises(ValueError, match="`device_name`"), rv.device(name):
        pass
