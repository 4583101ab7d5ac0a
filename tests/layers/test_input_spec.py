from __future__ import annotations

import numpy as np
import pytest

from ranvier.layers import InputSpec
from ranvier.layers.input_spec import assert_input_compatibility


@pytest.mark.parametrize(
    ("spec", "shape", "complaint"),
    [
        ({"ndim": 2}, (3, 4), None),
        ({"ndim": 2}, (3,), "expected ndim=2, found ndim=1"),
        ({"shape": (None, 4)}, (3, 4), None),
        ({"shape": (None, 4)}, (3, 5), r"expected shape=\(None, 4\)"),
        ({"min_ndim": 2}, (3,), "expected min_ndim=2, found ndim=1"),
        ({"max_ndim": 1}, (3, 4), "expected max_ndim=1, found ndim=2"),
        ({"axes": {-1: 4}}, (3, 4), None),
        ({"axes": {-1: 4}}, (3, 5), "expected axis -1 of the input shape to have size 4, found 5"),
        ({"dtype": "float32"}, (3,), None),
        ({"dtype": "int32"}, (3,), "expected dtype=int32, found dtype=float32"),
        ({"shape": (None, 4, 1), "allow_last_axis_squeeze": True}, (3, 4), None),
    ],
)
def test_check(spec, shape, complaint):
    x = np.zeros(shape, "float32")
    if complaint is None:
        assert_input_compatibility(InputSpec(**spec), x, "it")
    else:
        with pytest.raises(ValueError, match=f'"it" is incompatible with the layer: {complaint}'):
            assert_input_compatibility(InputSpec(**spec), x, "it")


def test_number_of_inputs():
    with pytest.raises(ValueError, match="expects 2 input"):
        assert_input_compatibility([InputSpec(ndim=1)] * 2, np.zeros(3), "it")


def test_config():
    spec = InputSpec(shape=(None, 3), axes={1: 3})
    assert InputSpec.from_config(spec.get_config()).get_config() == spec.get_config()


@pytest.mark.parametrize("arguments", [{"axes": [1]}, {"ndim": 1, "axes": {3: 2}}])
def test_bad_arguments(arguments):
    with pytest.raises((TypeError, ValueError)):
        InputSpec(**arguments)
