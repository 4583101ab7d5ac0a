"""Operations on tensors: Keras's `ops`, flat and by namespace (`ops.numpy`, `ops.nn`, `ops.linalg`).

The same functions run at once on arrays and describe a graph inside a trace.
"""

import sys as _sys

from ranvier.ops import _operators as _operators
from ranvier.ops import _symbolic as _symbolic
from ranvier.ops import core as core
from ranvier.ops import linalg as linalg
from ranvier.ops import math as math
from ranvier.ops import nn as nn
from ranvier.ops import numpy as numpy
from ranvier.ops.activation import binary_step as binary_step
from ranvier.ops.associative_scan import associative_scan as associative_scan
from ranvier.ops.control import *  # noqa: F403
from ranvier.ops.core import *  # noqa: F403
from ranvier.ops.derivatives import *  # noqa: F403
from ranvier.ops.linalg import *  # noqa: F403
from ranvier.ops.math import *  # noqa: F403
from ranvier.ops.nn import *  # noqa: F403
from ranvier.ops.numpy import *  # noqa: F403
from ranvier.ops.vectorized_map import vectorized_map as vectorized_map

_symbolic.make_symbolic(
    _sys.modules[__name__],
    {"numpy": numpy, "nn": nn, "linalg": linalg, "math": math, "core": core},
    {"core": [associative_scan, fori_loop, map, scan, switch, vectorized_map, while_loop]},  # noqa: F405
)
_operators.give_operators(_sys.modules[__name__])

__all__ = [name for name, value in globals().items() if name[0] != "_" and callable(value)]
__all__ += ["linalg", "nn", "numpy"]
