"""Optimizers can be copied by themselves, with the variables that they know."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from ranvier.core.variable import Variable
from ranvier.optimizers import AdamW


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_on_by_itself(copied) -> None:
    kernel, bias = Variable(np.float32([1, 2])), Variable(np.float32([3, 4]))
    optimizer = AdamW(0.1, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[bias])
    optimizer.build([kernel, bias])
    optimizer.apply([np.float32([1, 1]), np.float32([1, 1])])
    other, (k, b) = copied((optimizer, (kernel, bias)))
    for who in (optimizer, other):
        who.apply([np.float32([1, -1]), np.float32([2, 0])])
    np.testing.assert_array_equal(k.numpy(), kernel.numpy())
    np.testing.assert_array_equal(b.numpy(), bias.numpy())
    assert not other._rv_use_weight_decay(b)
    assert int(other.iterations.numpy()) == 2
