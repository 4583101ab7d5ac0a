"""Calls at the edges of ops' domains, as `test_ops.py` compares them: narrow dtypes, nothing, infinities.

Not in the list, because it differs and is meant to:
- normalizations, softmax and activations of integers: Keras on JAX truncates or refuses some, ours are float.
- `istft` with `window=None`: Keras on JAX scales what it adds up and does not give the signal back.
- `geomspace` from 0, and `unique` of nothing with a size: ours raise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import keras
from tests.parity.test_ops import compare, outcome

from ranvier import ops

CALLS = """
nanvar(np.array([1,np.inf,np.nan],'float32'))
diag(B)
diagflat(B,k=1)
cumprod(B,dtype='bool')
max(B,initial=3.7)
min(B,initial=-1.5)
max(B>1,initial=2)
select([B>1,B>2],[B,B>0])
logsumexp(np.zeros((0,2),'float32'),axis=0)
sparsemax(np.zeros((2,0),'float32'))
bincount(B,minlength=6)
corrcoef(x[:1])
saturate_cast(np.array([-2,0,.5,3],'float32'),'bool')
saturate_cast(np.array([-np.inf,300,2.5],'float32'),'int8')
saturate_cast(np.array([-np.inf,3e38,2.5],'float32'),'float32')
saturate_cast(np.array([-5,300]),'uint8')
quantile(x,[0.1,0.5,0.9],method='nearest')
histogram(x[0],bins=2,range=(1,1))
histogram(x[0],bins=2,range=(1,0))
fmod(B,np.array([-2**31,-2,2],'int32'))
fmod(np.array([-2**31,-7,7],'int32'),np.array([7,-2,-2],'int32'))
fmod(np.array([-2**31],'int32'),np.array([-100],'float32'))
power(np.array([-7,2,3],'int8'),np.array([100,8,0],'int8'))
power(2,np.array([8,7],'uint8'))
power(np.array([3,-5],'int32'),25)
ldexp(np.array([0,3,3,1e-30],'float32'),np.array([255,-126,200,200],'int32'))
fmax(np.array([1,np.nan,np.nan],'float32'),np.array([np.nan,2,np.nan],'float32'))
cbrt(np.array([27,1e30,-0.0,-np.inf],'float32'))
isclose(np.array([2**31-1,-1],'int32'),-1)
angle(np.array([-0.,0,-3],'float32'))
round(x,40)
matmul(B.astype('int8'),B.astype('int8'))
matmul(B,B)
einsum('i,i',B.astype('int8'),B.astype('int8'))
einsum('i,i',B.astype('int8'),B)
where(x>2)
where(x,None,x)
expand_dims(x[:1,:1],None)
vander(x[0],N=-1)
linspace(-5,0,4,dtype='int32')
linspace(x,x+1,3,axis=1)
geomspace(1,1000,4,dtype='int32')
geomspace(-1,-8,4)
logspace(x[0],2,3,base=2)
stft(np.sin(np.arange(32,dtype='float32')),8,4,16,window=None)
get_item(x,np.s_[0,None,np.array([0,1])])
get_item(x,np.s_[::-1,::2])
get_item(x,np.s_[np.array([0,1]),np.array([2,0])])
get_item(x,np.s_[np.array([[0],[1]]),np.array([2,0])])
"""
LINES = [line for line in CALLS.splitlines() if line]
NAMES = {"B": np.uint8([3, 1, 2])}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", LINES)
def test_same_as_keras(call: str) -> None:
    theirs, ours = outcome(keras.ops, call, **NAMES), outcome(ops, call, **NAMES)
    if isinstance(theirs, Exception):
        assert isinstance(ours, (ValueError, TypeError)), ours
    elif isinstance(ours, Exception):
        raise ours
    else:
        compare(ours, theirs)


VARIABLES = """
~v
+v
v&3
v|4
v^1
v.assign([4.7,5,6])
v.assign_add([0.5,1,1])
round(v,1)
v[np.array([0,2])]
""".split()


def same_of_variables(package: Any, code: str) -> Any:
    variable = package.Variable([1, 2, 3])
    return np.asarray(eval(code, {"v": variable, "np": np}))


@pytest.mark.parametrize("code", VARIABLES)
def test_variables(code: str) -> None:
    import ranvier

    compare(same_of_variables(ranvier, code), same_of_variables(keras, code))
