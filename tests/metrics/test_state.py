"""The state of metrics of a user's own: found wherever it is kept, reset for each epoch and validation."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import ranvier as rv

X = np.arange(8, dtype="float32").reshape(8, 1)  # its sum is 28
Pair = namedtuple("Pair", "sum count")


class Counting(rv.metrics.Metric):
    """The sum of the targets, kept in a variable that `place` puts somewhere."""

    def __init__(self, name="total", **kwargs):
        super().__init__(name=name, **kwargs)
        self.place()

    def place(self):
        raise NotImplementedError

    def total(self):
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total().assign_add(rv.ops.sum(y_true))

    def result(self):
        return rv.ops.convert_to_tensor(self.total())


class InAttribute(Counting):
    def place(self):
        self.kept = rv.Variable(0.0)

    def total(self):
        return self.kept


class InList(InAttribute):
    def place(self):
        self.kept = []
        self.kept.append(rv.Variable(0.0))

    def total(self):
        return self.kept[0]


class InDict(InAttribute):
    def place(self):
        self.kept = OrderedDict(rest=())
        self.kept |= {"a": [rv.Variable(0.0)]}

    def total(self):
        return self.kept["a"][0]


class InNamedTuple(InAttribute):
    def place(self):
        self.kept = Pair(rv.Variable(0.0), None)

    def total(self):
        return self.kept.sum


class Made(InAttribute):
    def place(self):
        self.kept = self.add_variable((), "zeros")


class InInnerMetric(InAttribute):
    def place(self):
        self.kept = {"inner": rv.metrics.Sum()}

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.kept["inner"].update_state(y_true)

    def result(self):
        return self.kept["inner"].result()


class OwnReset(InAttribute):
    """It begins with 100, and says so in `reset_state`."""

    def place(self):
        self.kept = rv.Variable(100.0)

    def reset_state(self):
        self.kept.assign(100.0)


class OwnResetAndInnerMetric(OwnReset):
    def place(self):
        super().place()
        self.inner = rv.metrics.Mean()

    def reset_state(self):
        super().reset_state()
        self.inner.reset_state()


PLACES = {
    cls: 128.0 if issubclass(cls, OwnReset) else 28.0
    for cls in (
        Made, InAttribute, InList, InDict, InNamedTuple, InInnerMetric, OwnReset, OwnResetAndInnerMetric
    )
}  # fmt: skip


def compiled(metric, **options):
    net = rv.Sequential([rv.Input((1,)), rv.layers.Dense(1)])
    net.compile("sgd", "mse", metrics=[metric], **options)
    return net


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("cls", PLACES)
def test_every_epoch_and_validation_counts_from_the_beginning(cls, run_eagerly):
    right = PLACES[cls]
    net = compiled(cls(), run_eagerly=run_eagerly)
    history = net.fit(
        X, X, batch_size=3, epochs=3, validation_data=(X[:4], X[:4]), verbose=0, shuffle=False
    ).history
    assert history["total"] == [right] * 3
    assert history["val_total"] == [right - 28.0 + 6.0] * 3
    for _ in range(2):
        assert net.evaluate(X, X, verbose=0, return_dict=True)["total"] == right
        assert net.train_on_batch(X[:2], X[:2], return_dict=True)["total"] == right - 28.0 + 1.0


class Measuring(rv.layers.Layer):
    """A layer with a metric of the user's own in a list."""

    def __init__(self, cls):
        super().__init__()
        self.measures = [cls()]

    def call(self, x):
        self.measures[0].update_state(x, x)
        return x


@pytest.mark.parametrize("cls", PLACES)
def test_metrics_that_layers_hold(cls):
    net = rv.Sequential([rv.Input((1,)), Measuring(cls), rv.layers.Dense(1)])
    net.compile("sgd", "mse")
    history = net.fit(X, X, batch_size=3, epochs=3, verbose=0).history
    assert history["total"] == [PLACES[cls]] * 3


@pytest.mark.parametrize("cls", PLACES)
def test_variables_stateless_calls_and_copies(cls):
    metric = cls()
    count = 3 if cls is OwnResetAndInnerMetric else 1
    assert len(metric.variables) == count
    metric.update_state(X, X)
    values = [v.numpy() for v in metric.variables]
    after = metric.stateless_update_state(values, X, X)
    assert float(metric.stateless_result(after)) == PLACES[cls] + 28.0
    assert float(metric.result()) == PLACES[cls]
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert len(other.variables) == count and float(other.result()) == PLACES[cls]
        other.update_state(X, X)
        assert float(other.result()) == PLACES[cls] + 28.0
        other.reset_state()
        assert float(other.result()) == PLACES[cls] - 28.0
    assert float(metric.result()) == PLACES[cls]


def test_a_variable_that_is_taken_away():
    metric = InList()
    metric.kept.pop()
    assert metric.variables == []
    metric = InAttribute()
    del metric.kept
    assert metric.variables == []
