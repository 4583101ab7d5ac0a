"""`class_weight`: keys that are no class are named."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

X = np.zeros((6, 2), "float32")
NUMBERS = np.array([0, 1, 2, 0, 1, 2])
SCORES = np.eye(3, dtype="float32")[NUMBERS]
BINARY = np.array([[0.0], [1.0]] * 3, "float32")


def fit(y, class_weight, how):
    units, loss = (1, "mse") if y is BINARY else (3, "sparse_categorical_crossentropy")
    activation = "sigmoid" if y is BINARY else "softmax"
    model = rv.Sequential([rv.Input((2,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", "categorical_crossentropy" if y is SCORES else loss)
    if how == "fit":
        model.fit(X, y, class_weight=class_weight, epochs=2, verbose=0)
    elif how == "train_on_batch":
        model.train_on_batch(X, y, class_weight=class_weight)
    else:

        class Data(rv.utils.PyDataset):
            def __len__(self):
                return 2

            def __getitem__(self, index):
                return X, y

        model.fit(Data(), class_weight=class_weight, epochs=2, verbose=0)


CASES = [
    (NUMBERS, {"0": 2.0, "cat": 1.0}, "'0', 'cat', which are no class numbers"),
    (NUMBERS, {0: 1.0, 1.5: 2.0}, "1.5, which are no class numbers"),
    (NUMBERS, {None: 2.0}, "None, which are no class numbers"),
    (SCORES, {2: 1.0, 3: 2.0}, "3, but the targets hold the classes 0 to 2"),
    (SCORES, {-1: 2.0}, "-1, but the targets hold the classes 0 to 2"),
]
OF_ALL_TARGETS = [
    (NUMBERS, {3: 2.0, 4: 1.0}, "3, 4, but the targets hold the classes 0 to 2"),
    (BINARY, {0: 1.0, 2: 2.0}, "2, but the targets hold the classes 0 to 1"),
]


@pytest.mark.parametrize("how", ["fit", "train_on_batch", "PyDataset"])
@pytest.mark.parametrize(("y", "class_weight", "message"), CASES)
def test_keys_that_are_no_class(y, class_weight, message, how):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(y, class_weight, how)
    of_keys = [str(w.message) for w in caught if "has the keys" in str(w.message)]
    assert len(of_keys) == 1 and message in of_keys[0]


@pytest.mark.parametrize(("y", "class_weight", "message"), OF_ALL_TARGETS)
def test_keys_beyond_all_targets(y, class_weight, message):
    with pytest.warns(UserWarning, match=message):
        fit(y, class_weight, "fit")


@pytest.mark.parametrize("how", ["fit", "train_on_batch", "PyDataset"])
@pytest.mark.parametrize(
    ("y", "class_weight"),
    [
        (NUMBERS, {0: 1.0, 1: 2.0, 2: 0.5}),
        (NUMBERS, {np.int64(0): 1.0, 1.0: 2.0, 2: 1.0}),
        (SCORES, {0: 1, 1: 1, 2: 3}),
        (BINARY, {False: 1.0, True: 2.0}),
        (NUMBERS, {}),
    ],
)
def test_keys_that_are_classes(y, class_weight, how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(y, class_weight, how)


def test_a_batch_need_not_hold_all_classes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(NUMBERS, {0: 1.0, 7: 2.0}, "PyDataset")
