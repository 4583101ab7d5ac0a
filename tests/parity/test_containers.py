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


@pytest.mark.parametrize(("source", "target"), [(keras, ranvier), (ranvier, keras)], ids=["from", "to"])
@pytest.mark.parametrize("name", ["list", "OrderedDict", "namedtuple", "nested", "list class"])
def test_variables_of_optimizers_travel(name: str, source: Any, target: Any, tmp_path: Path) -> None:
    def compiled(k: Any, start: float) -> Any:
        class Keeping(k.optimizers.Optimizer):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__(learning_rate=0.1)
                self.kept = CONTAINERS[name](k.Variable(start), k.Variable(2 * start))

            def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
                self.assign_sub(variable, gradient * learning_rate)

        model = k.Sequential([k.Input((3,)), k.layers.Dense(1)])
        model.compile(Keeping(), "mse")
        model.fit(X, X[:, :1], verbose=0)
        return model

    first, second = compiled(source, 3.0), compiled(target, 5.0)
    path = str(tmp_path / "file.weights.h5")
    first.save_weights(path)
    second.load_weights(path)
    assert [float(np.asarray(v)) for v in leaves(second.optimizer.kept)] == [3.0, 6.0]
    assert len(first.optimizer.variables) == len(second.optimizer.variables) == 4
