"""Handwritten digits, 8x8: small, real, and part of the package.

These are the 1,797 images of the test part of the "Optical Recognition of Handwritten Digits" data set by
E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, under
the Creative Commons Attribution 4.0 licence (CC BY 4.0), as exported from scikit-learn's `load_digits`; see
the file DIGITS_LICENSE beside this one.
"""

from __future__ import annotations

import numpy as np

from ranvier.core.user_code import short_traceback

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

__all__ = ["load_data"]


@short_traceback
def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """Loads the digits, shuffled and split into a training and a test part.

    Each pixel counts the inked points of a 4x4 block of a 32x32 scan: from 0 (white) to 16 (black).

    Args:
        test_split: the share of the 1,797 images held out for testing, in [0, 1). Default 0.2: 1,437 images
            to train on, 360 to test on.
        seed: the seed of the shuffle before the split. The same seed gives the same split everywhere.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images are uint8 arrays of shape (n, 8, 8) with values from 0
        to 16, labels are uint8 arrays of shape (n,) with values from 0 to 9.

    Raises:
        ValueError: if `test_split` is outside [0, 1).
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be in [0, 1). Received: test_split={test_split!r}")
    from pathlib import Path

    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as archive:
        x, y = archive["x"], archive["y"]
    # RandomState, not Generator: NumPy keeps its streams the same for ever.
    order = np.random.RandomState(seed).permutation(len(x))
    train, test = np.split(order, [int(len(x) * (1 - test_split))])
    return (x[train], y[train]), (x[test], y[test])
