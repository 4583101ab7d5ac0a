"""`run_eagerly=True` and the compiled step: the same bits, for every layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.layers.layer_table import ROWS, Row

import ranvier as rv


def trained(row: Row, eagerly: bool) -> list[Any]:
    """The losses of two steps and the weights after them."""
    rv.utils.set_random_seed(1)
    arrays = row.inputs()
    inputs = [rv.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in arrays]
    output = rv.tree.flatten(row.make(rv)(inputs if len(inputs) > 1 else inputs[0]))[0]
    model = rv.Model(inputs, output)
    model.compile(optimizer=rv.optimizers.SGD(0.1), loss="mse", run_eagerly=eagerly)
    y = np.random.default_rng(0).normal(size=model.output_shape).astype("float32")
    losses = [model.train_on_batch(arrays, y) for _ in range(2)]
    return [*losses, *model.get_weights()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_step_by_python_gives_the_bits_of_the_compiled_one(row: Row) -> None:
    for eager, compiled in zip(trained(row, True), trained(row, False), strict=True):
        np.testing.assert_array_equal(eager, compiled)


def test_a_tape_gives_the_gradients_of_the_compiled_step() -> None:
    layer = rv.layers.GRU(3, return_sequences=True)
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    layer.build(x.shape)

    def gradients() -> list[Any]:
        with rv.GradientTape() as tape:
            loss = rv.ops.sum(rv.ops.square(layer(x)))
        return tape.gradient(loss, layer.trainable_variables)

    for one, other in zip(gradients(), rv.jit(gradients)(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cell_of_ones_own_is_run_by_python() -> None:
    seen: list[int] = []

    class Cell(rv.layers.SimpleRNNCell):
        def step(self, projected: Any, states: Any, context: Any) -> Any:
            seen.append(len(seen))
            return super().step(projected, states, context)

    rv.layers.RNN(Cell(2))(np.zeros((1, 7, 3), "float32"))
    assert len(seen) == 7
