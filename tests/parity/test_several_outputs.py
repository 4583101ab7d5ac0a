"""Several outputs against Keras: the keys, order and values of what `fit` and `evaluate` report."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, keras
from tests.training.outputs_table import ALL, IDS, X

import ranvier


@pytest.mark.parametrize(("make", "row"), ALL, ids=IDS)
def test_the_same_logs(make: Any, row: Any) -> None:
    kind, y, compiled, fitted = row
    found = []
    for module in (ranvier, keras):
        model = make(module, kind)
        # Keras's steps need not be compiled: that takes seconds, and a row has few steps.
        model.compile("sgd", run_eagerly=module is keras, **compiled)
        history = model.fit(X, y, epochs=2, batch_size=4, shuffle=False, verbose=0, **fitted).history
        results = model.evaluate(X, y, verbose=0)
        named = model.evaluate(X, y, verbose=0, return_dict=True)
        step = model.train_on_batch(X, y)
        found.append((history, results, named, step, model.metrics_names, model.get_weights()))
    (history, results, named, step, names, weights), theirs = found
    assert list(history) == list(theirs[0]) and list(named) == list(theirs[2]) and names == theirs[4]
    for key, values in theirs[0].items():
        assert_agrees(history[key], values)
    for ours, other in (
        (results, theirs[1]),
        (list(named.values()), list(theirs[2].values())),
        (step, theirs[3]),
    ):
        assert_agrees(ours, other)
    for ours, other in zip(weights, theirs[5], strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-6)
