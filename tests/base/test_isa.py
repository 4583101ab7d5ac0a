"""Which instruction set is used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ranvier import _core


def test_the_strongest_supported_one_is_chosen():
    info = _core.build_info()
    assert info["isas_supported"] == [isa for isa in info["isas_compiled"] if isa in info["isas_supported"]]
    assert info["isa"] == os.environ.get("RANVIER_ISA", info["isas_supported"][-1])


@pytest.mark.parametrize("isa", _core.build_info()["isas_supported"])
def test_each_supported_one_can_be_asked_for(isa):
    code = "from ranvier import _core; print(_core.build_info()['isa'])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "RANVIER_ISA": isa}
    )
    assert done.stdout == isa + "\n", done.stderr


def test_an_unknown_one_is_refused_with_the_choices():
    done = subprocess.run(
        [sys.executable, "-c", "import ranvier"],
        capture_output=True,
        text=True,
        env={**os.environ, "RANVIER_ISA": "sse9"},
    )
    assert done.returncode == 1
    choices = ", ".join(_core.build_info()["isas_supported"])
    message = f"RANVIER_ISA='sse9' is not an instruction set of this build; available: {choices}"
    assert message in done.stderr
