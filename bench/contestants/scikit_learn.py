"""scikit-learn: an epoch is a call of partial_fit, on its MLPClassifier or MLPRegressor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

from contestants.contestant import Contestant

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task


class ScikitLearn(Contestant):
    substitute = "adam"  # it has no RMSprop

    def versions(self) -> dict[str, str]:
        return {"scikit-learn": sklearn.__version__, "numpy": np.__version__}

    def prepare(self, task: Task) -> None:
        self.task = task
        kind = MLPRegressor if task.loss == "mse" else MLPClassifier
        self.net: Any = kind(
            hidden_layer_sizes=task.sizes[1:-1],
            activation=task.hidden,
            batch_size=task.batch_size,
            alpha=0.0,
            epsilon=1e-7,
            random_state=0,
        )
        self.x, y = task.training
        self.y = y.ravel() if task.loss == "binary_crossentropy" else y
        self.classes = {} if task.loss == "mse" else {"classes": np.unique(self.y)}
        rows = min(task.batch_size, task.rows)
        self.net.partial_fit(self.x[:rows], self.y[:rows], **self.classes)  # makes its arrays
        self.reset()

    def reset(self) -> None:
        self.net.coefs_ = [weight.copy() for weight in self.task.weights[::2]]
        self.net.intercepts_ = [bias.copy() for bias in self.task.weights[1::2]]
        self.net.__dict__.pop("_optimizer", None)  # the next partial_fit makes a fresh one

    def fit(self, epochs: int) -> None:
        for _ in range(epochs):
            self.net.partial_fit(self.x, self.y, **self.classes)
            held_out = self.task.validation
            if held_out:
                self._loss(*held_out)

    def _loss(self, x: np.ndarray, y: np.ndarray) -> float:
        if self.task.loss == "mse":
            return float(np.square(self.net.predict(x) - y).mean())
        right = self.predict(x)[np.arange(len(x)), y.ravel().astype(int)]
        return float(-np.log(np.clip(right, 1e-7, 1)).mean())

    def loss(self) -> float:
        return self._loss(self.x, self.y)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.net.predict_proba(x))
