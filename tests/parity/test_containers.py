"""Weights of layers in containers, in files that Keras wrote and reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.layers.containers_table import CONTAINERS, leaves
from tests.parity.oracle import assert_agrees, keras

import ranvier

pytest.importorskip("h5py")
X = np.random.default_rng(3).normal(size=(4, 3)).astype("float32")


def net(k: Any, name: str) -> Any:
    """A model with two layers in a container; of two classes, as Keras gives sets no order."""

    class Net(k.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.blocks = CONTAINERS[name](k.layers.Dense(3, name="a"), k.layers.EinsumDense("ab,bc->ac", 3))

        def call(self, x: Any) -> Any:
            for layer in sorted(leaves(self.blocks), key=lambda layer: type(layer).__name__):
                x = layer(x)
            return x

    model = Net()
    model(X)
    return model


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
@pytest.mark.parametrize(("source", "target"), [(keras, ranvier), (ranvier, keras)], ids=["from", "to"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_files_travel(name: str, source: Any, target: Any, ending: str, tmp_path: Path) -> None:
    first, second = net(source, name), net(target, name)
    path = str(tmp_path / f"file{ending}")
    (first.save_weights if ending == ".weights.h5" else first.save)(path)
    second.load_weights(path)
    assert_agrees(second(X), first(X))
