"""One seed for everything random."""

from __future__ import annotations

import random

import numpy as np

from ranvier.core import arguments, scope
from ranvier.core.user_code import short_traceback


@short_traceback
def set_random_seed(seed: int) -> None:
    """Seeds Python's `random`, NumPy, and the library: initializers, dropout, shuffling.

    After it the same program computes the same bits, on any number of threads.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        ValueError: for anything else.
    """
    seed = arguments.plain(seed)
    if not arguments.is_integer(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"Expected `seed` to be an integer from 0 to 2**32 - 1. Received: seed={seed!r}")
    random.seed(seed)
    np.random.seed(seed)
    scope.set_global_seed(seed)
