"""NumPy: the network by hand, with the BLAS that NumPy brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import definitions
import numpy as np

from contestants.contestant import Contestant, Product

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task

numpy_net = definitions.load("numpy_net")


class NumpyLoop(Contestant):
    def versions(self) -> dict[str, str]:
        try:
            config: dict[str, Any] = np.show_config(mode="dicts")  # type: ignore[assignment]
            blas = config["Build Dependencies"]["blas"]
            return {"numpy": np.__version__, str(blas["name"]): str(blas["version"])}
        except (TypeError, KeyError):  # before NumPy 1.25
            return {"numpy": np.__version__}

    def prepare(self, task: Task) -> None:
        self.net = numpy_net.NumpyNet(task)

    def reset(self) -> None:
        self.net.reset()

    def fit(self, epochs: int) -> None:
        self.net.fit(epochs)

    def loss(self) -> float:
        return float(self.net.loss(self.net.forward(self.net.x)[-1], self.net.y))

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.net.forward(x)[-1])

    def product(self, a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool) -> Product:
        left, right = a.T if transpose_a else a, b.T if transpose_b else b
        out = left @ right

        def run(repeats: int) -> None:
            for _ in range(repeats):
                np.matmul(left, right, out=out)

        return Product(run, lambda: out)
