"""A layer without weights counts as built at once, unless a subclass builds something."""

from __future__ import annotations

import numpy as np
import pytest
from tests.layers.weightless_table import WEIGHTLESS, subclass

import ranvier as rv
from ranvier import layers


def input_of(name):
    if name[-1] == "D":
        return np.ones((2, *[4] * int(name[-2]), 3), "float32")
    return np.ones((2, 4), "float32" if name != "CategoryEncoding" else "int32")


@pytest.mark.parametrize("in_model", [False, True])
@pytest.mark.parametrize("name", WEIGHTLESS)
def test_the_build_of_a_subclass_runs(name, in_model):
    layer = subclass(getattr(layers, name))(*WEIGHTLESS[name])
    assert not layer.built
    x = input_of(name)
    call = rv.Sequential([layer]) if in_model else layer
    call(x)
    assert layer.built and len(layer.weights) == 1
