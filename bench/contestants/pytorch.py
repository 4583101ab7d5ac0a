"""PyTorch: eager mode, Adam in its fused form, rows shuffled once an epoch and cut into views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as functional

from contestants.contestant import Contestant, Product

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task


class PyTorch(Contestant):
    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__, "threads": str(torch.get_num_threads())}

    def prepare(self, task: Task) -> None:
        torch.manual_seed(0)
        self.task = task
        modules: list[torch.nn.Module] = []
        for fan_in, fan_out in task.layers:
            activation = torch.nn.Tanh() if task.hidden == "tanh" else torch.nn.ReLU()
            modules += [torch.nn.Linear(fan_in, fan_out), activation]
        self.model = torch.nn.Sequential(*modules[:-1])
        self.loss_of = {
            "binary_crossentropy": functional.binary_cross_entropy_with_logits,
            "sparse_categorical_crossentropy": functional.cross_entropy,
            "mse": functional.mse_loss,
        }[task.loss]
        labels = task.loss == "sparse_categorical_crossentropy"
        x, y = torch.from_numpy(task.x), torch.from_numpy(task.y.astype("int64") if labels else task.y)
        self.x, self.y = x[: task.rows], y[: task.rows]
        self.held_out = (x[task.rows :], y[task.rows :])
        self.reset()

    def reset(self) -> None:
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), self.task.weights, strict=True):
                parameter.copy_(torch.from_numpy(value.T))
        parameters = self.model.parameters()
        self.optimizer: torch.optim.Optimizer
        if self.task.optimizer == "rmsprop":  # it has no fused form
            self.optimizer = torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=1e-7)
        else:
            self.optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=1e-7, fused=True)

    def fit(self, epochs: int) -> None:
        task, model, optimizer, loss_of = self.task, self.model, self.optimizer, self.loss_of
        for _ in range(epochs):
            if task.steps == 1:  # the order within one batch changes nothing
                batches = [(self.x, self.y)]
            else:
                order = torch.randperm(task.rows)
                x, y = self.x[order].split(task.batch_size), self.y[order].split(task.batch_size)
                batches = list(zip(x, y, strict=True))
            losses = []
            for x_batch, y_batch in batches:
                loss = loss_of(model(x_batch), y_batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            float(torch.stack(losses).mean())
            if task.held_out:
                with torch.inference_mode():
                    float(loss_of(model(self.held_out[0]), self.held_out[1]))

    def loss(self) -> float:
        with torch.inference_mode():
            return float(self.loss_of(self.model(self.x), self.y))

    def predict(self, x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return functional.softmax(self.model(torch.from_numpy(x)), -1).numpy()

    def product(self, a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool) -> Product:
        left, right = torch.from_numpy(a), torch.from_numpy(b)
        left, right = left.T if transpose_a else left, right.T if transpose_b else right
        out = left @ right

        def run(repeats: int) -> None:
            for _ in range(repeats):
                torch.mm(left, right, out=out)

        return Product(run, out.numpy)
