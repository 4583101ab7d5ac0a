"""MNIST: 70,000 handwritten digits, 28x28."""

from __future__ import annotations

import numpy as np

from ranvier.core.user_code import short_traceback
from ranvier.datasets import _download
from ranvier.datasets.digits import Split

SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

__all__ = ["load_data"]


@short_traceback
def load_data(path: str = "mnist.npz") -> Split:
    """Loads MNIST, downloading 11 MB at first use.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"; copyright Yann
    LeCun and Corinna Cortes, licensed CC BY-SA 3.0. The archive is the one Keras uses.

    Args:
        path: the file's name in the cache folder, `$KERAS_HOME/datasets` or `~/.keras/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shapes (60000, 28, 28) and (10000, 28, 28)
        with values from 0 to 255, uint8 labels of shapes (60000,) and (10000,) with values from 0 to 9.

    Raises:
        ValueError: if `path` contains a folder, or the downloaded file's checksum is wrong.
        OSError: if the file cannot be downloaded or stored.
    """
    file = _download.fetch("mnist.npz", SHA256, save_as=path)
    with np.load(file, allow_pickle=False) as archive:
        train = archive["x_train"], archive["y_train"]
        test = archive["x_test"], archive["y_test"]
    return train, test
