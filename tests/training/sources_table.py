"""Kinds of data, and a model that counts how often it has seen each of their batches.

All have 6 batches; those without an end begin again after these. The rows of a batch are one-hot for its
number, and the model's loss is its mean output, so that after training with the rate 1 its weights are minus
the number of times that each batch was seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

BATCHES, ROWS = 6, 2
X = np.repeat(np.eye(BATCHES, dtype="float32"), ROWS, axis=0)
Y = np.zeros((len(X), 1), "float32")


def batch(number: int) -> tuple[np.ndarray, np.ndarray]:
    begin = number % BATCHES * ROWS
    return X[begin : begin + ROWS], Y[begin : begin + ROWS]


def make_model(keras: Any, **options: Any) -> Any:
    """The model, of Ranvier or of Keras."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((BATCHES,)), dense])
    options = {"loss": lambda y, y_pred: keras.ops.mean(y_pred, axis=-1), **options}
    model.compile(keras.optimizers.SGD(1.0), **options)
    return model


def seen_batches(model: Any) -> list[int]:
    """How often each batch was trained on."""
    return [int(n) for n in np.rint(-np.asarray(model.get_weights()[0])[:, 0])]


def make_dataset(
    keras: Any, note: Callable[..., Any] = lambda *event: None, seconds: float = 0.0, **options: Any
) -> Any:
    """A PyDataset that tells `note` what is asked of it."""

    class Data(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return BATCHES

        def __getitem__(self, index: int) -> Any:
            note("read", index)
            time.sleep(seconds)
            return batch(index)

        def on_epoch_begin(self) -> None:
            note("data begins")

        def on_epoch_end(self) -> None:
            note("data ends")

    return Data(**options)


def make_endless_dataset(keras: Any, note: Callable[..., Any] = lambda *event: None, **options: Any) -> Any:
    """A PyDataset without an end."""

    class Endless(type(make_dataset(keras, note))):  # type: ignore[misc]
        num_batches = None

    return Endless(**options)


def make_empty_dataset(keras: Any) -> Any:
    """A PyDataset without batches."""

    class Empty(type(make_dataset(keras))):  # type: ignore[misc]
        def __len__(self) -> int:
            return 0

    return Empty()


class ForProcesses:
    """A data set that can be sent to other processes."""

    workers, use_multiprocessing, max_queue_size = 2, True, 4

    def __len__(self) -> int:
        return BATCHES

    def __getitem__(self, index: int) -> Any:
        return batch(index)


class Iterable:
    """Batches that can be read again; `length` is what `len()` returns or raises."""

    def __init__(self, length: Any = BATCHES) -> None:
        self.length = length

    def __len__(self) -> Any:
        if isinstance(self.length, type):
            raise self.length("no length")
        return self.length

    def __iter__(self) -> Any:
        return map(batch, range(BATCHES))


class Foreign:
    """A tensor of another library: nothing but a shape, a dtype and `__array__`."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self._array, dtype)


class DataLoader:
    """Like torch's: lists of tensors, and a length only where the data set has one."""

    batch_size = ROWS

    def __init__(self, has_length: bool = True) -> None:
        self.has_length = has_length

    def __len__(self) -> int:
        if not self.has_length:
            raise TypeError("object of type 'IterableDataset' has no len()")
        return BATCHES

    def __iter__(self) -> Any:
        for number in range(BATCHES):
            yield [Foreign(part) for part in batch(number)]


class TensorDataset:
    """Like TensorFlow's: tuples of tensors, and a cardinality that is negative where it is not known."""

    element_spec = (None, None)

    def __init__(self, cardinality: int = BATCHES) -> None:
        self._cardinality = cardinality

    def cardinality(self) -> Any:
        return Foreign(np.array(self._cardinality))

    def __len__(self) -> int:
        if self._cardinality < 0:
            raise TypeError("The dataset is infinite, or its length is unknown.")
        return self._cardinality

    def __iter__(self) -> Any:
        for number in range(10**9 if self._cardinality == -1 else BATCHES):
            yield tuple(map(Foreign, batch(number)))


class Rewinding:
    """An iterator that begins again when it is asked for an iterator."""

    def __iter__(self) -> Any:
        self.next = 0
        return self

    def __next__(self) -> Any:
        if self.next == BATCHES:
            raise StopIteration
        self.next += 1
        return batch(self.next - 1)


def endless() -> Any:
    number = 0
    while True:
        yield batch(number)
        number += 1


def expected_batches(steps: int | None, epochs: int, ends: bool = True, stride: int = 1) -> list[list[int]]:
    """The numbers of the batches of each epoch, as Keras documents them.

    Args:
        steps: `steps_per_epoch`.
        epochs: the number of epochs.
        ends: whether the data have an end, at which an epoch ends early and the next one begins anew.
        stride: `steps_per_execution`.
    """
    position, listed = 0, []
    for _ in range(epochs):
        wanted = BATCHES if steps is None else -(-steps // stride) * stride
        count = min(wanted, BATCHES - position) if ends else wanted
        listed.append([n % BATCHES for n in range(position, position + count)])
        position += count
        if ends and position >= BATCHES:
            position = 0
    return listed


def counts(epochs: list[list[int]]) -> list[int]:
    """How often each batch is in the lists."""
    return np.bincount(sum(epochs, []), minlength=BATCHES).tolist()


def noted_hooks(keras: Any, note: Callable[..., Any]) -> Any:
    """A callback that notes its hooks, with the loss of those at the end of something."""

    def hook(name: str) -> Callable[..., None]:
        def method(self: Any, *arguments: Any, logs: Any = None) -> None:
            index = [a for a in arguments if isinstance(a, int)]
            logs = logs or next((a for a in arguments if isinstance(a, dict)), None) or {}
            loss = [round(float(logs["loss"]), 4)] if "loss" in logs and name.endswith("end") else []
            note(name, *index, *loss)

        return method

    kinds = ("train", "test", "predict")
    what = ("epoch", *kinds, *(f"{kind}_batch" for kind in kinds))
    names = [f"on_{part}_{end}" for part in what for end in ("begin", "end")]
    return type("Noted", (keras.callbacks.Callback,), {name: hook(name) for name in names})()
