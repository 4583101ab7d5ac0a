"""ranvier: the Keras workflow, and products as the engine runs them inside a program."""

from __future__ import annotations

import time

import numpy as np

import ranvier
from contestants.contestant import Product
from contestants.keras_api import KerasApi
from ranvier import _core
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable
from ranvier.ops._emit import emit
from ranvier.training.train_step import flatten_logs


class Ranvier(KerasApi):
    def __init__(self) -> None:
        super().__init__(ranvier)

    def versions(self) -> dict[str, str]:
        build = _core.build_info()
        shown = {key: str(build[key]) for key in ("compiler", "isa", "threads")}
        return {"ranvier": ranvier.__version__, **shown}

    def product(self, a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool) -> Product:
        """A step of a program, as in training: the epoch loop runs it, and no call from Python is counted."""
        left, right = Variable(a), Variable(b)
        with Trace() as trace:
            trace.input((1,), "float32")  # an epoch walks over rows: here rows of nothing
            product = emit("matmul", left, right, transpose_a=transpose_a, transpose_b=transpose_b)
            program = trace.compile([product])

        def run(repeats: int) -> None:
            _core.Epoch(program, None, [np.zeros((repeats, 1), "float32")], 1).advance()

        return Product(run, lambda: np.asarray(program.run([np.zeros(1, "float32")])[0]))

    def stages(self, layers: int, units: int = 64, batch: int = 32) -> dict[str, float]:
        """What has to happen before the first step of a deep network, in seconds, and its size.

        Args:
            layers: how many Dense layers it has.
            units: of each.
            batch: rows of a step.
        """
        ranvier.utils.clear_session()
        clock = time.perf_counter
        start = clock()
        dense = [ranvier.layers.Dense(units, activation="tanh") for _ in range(layers - 1)]
        model = ranvier.Sequential([ranvier.Input((units,)), *dense, ranvier.layers.Dense(10)])
        model.compile("adam", ranvier.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.optimizer.build(model.trainable_variables)
        built = clock()
        with Trace() as trace:
            data = trace.input((batch, units), "float32"), trace.input((batch, 1), "int32")
            logs = model.train_step(data)
            traced = clock()
            program = trace.compile(list(flatten_logs("train", logs).values()))
        planned = clock()
        seconds = {"build": built - start, "trace": traced - built, "plan": planned - traced}
        return {**seconds, "nodes": len(trace.graph), "steps": program.step_count}
