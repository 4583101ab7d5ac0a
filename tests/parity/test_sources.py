"""The sequence of what happens in fit, evaluate and predict: hooks, logs, batches read, warnings.

Keras calls `on_epoch_end` of a PyDataset also where no epoch has begun, and `on_train_batch_begin` for a
batch that does not come where data do not know their length; these calls are left out.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from tests.parity.oracle import keras
from tests.training import sources_table as table

import ranvier as rv

LIBRARIES = (rv, keras)
STEPS = {"all": None, "dividing": 3, "below": 4, "equal": table.BATCHES, "above": 8}


def arrays(module: Any, note: Any) -> tuple[Any, Any]:
    return table.X, table.Y


def dataset(module: Any, note: Any) -> tuple[Any, Any]:
    return table.make_dataset(module, note), None


def threads(module: Any, note: Any) -> tuple[Any, Any]:
    return table.make_dataset(module, lambda *event: event[0] == "read" or note(*event), workers=2), None


def endless_dataset(module: Any, note: Any) -> tuple[Any, Any]:
    return table.make_endless_dataset(module, note), None


def generator(module: Any, note: Any) -> tuple[Any, Any]:
    return table.endless(), None


KINDS = {f.__name__: f for f in (arrays, dataset, threads, endless_dataset, generator)}


class Record:
    """What happens with one library."""

    def __init__(self, module: Any, **options: Any) -> None:
        self.module = module
        self.model = table.make_model(module, **options)
        self.events: list[Any] = []
        self.ran_out = False
        self.in_epoch = False

    def note(self, *event: Any) -> None:
        if event[0] == "data begins":
            self.in_epoch = True
        if event[0] == "data ends":
            if not self.in_epoch:
                return
            self.in_epoch = False
        self.events.append(event)

    def call(self, method: str, kind: str, **options: Any) -> None:
        data, y = KINDS[kind](self.module, self.note)
        validation = options.pop("validation", None)
        if validation is not None:
            x, val_y = KINDS[validation](self.module, self.note)
            options["validation_data"] = x if val_y is None else (x, val_y)
        if y is not None:
            options["batch_size"] = table.ROWS
            if method != "predict":
                options["y"] = y
        hooks = table.noted_hooks(self.module, self.note)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(self.model, method)(data, callbacks=[hooks], **options)
        self.ran_out |= any("input ran out of data" in str(w.message) for w in caught)

    def without_last_begins(self) -> list[Any]:
        """The events without the beginnings of batches to which no end belongs."""
        ends = ("on_train_batch_end", "on_test_batch_end", "on_predict_batch_end")
        kept = []
        for i, event in enumerate(self.events):
            if event[0].endswith("batch_begin"):
                following = [e[0] for e in self.events[i + 1 : i + 6] if e[0] != "read"]
                if not following or following[0] not in ends:
                    continue
            kept.append(event)
        return kept


def assert_alike(calls: list[tuple[str, str, dict[str, Any]]], **options: Any) -> None:
    ours, theirs = (Record(module, **options) for module in LIBRARIES)
    for record in (ours, theirs):
        for method, kind, arguments in calls:
            record.call(method, kind, **arguments)
    assert ours.events == theirs.without_last_begins()
    assert ours.ran_out == theirs.ran_out


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_fit(kind, steps):
    if steps is None and kind in ("generator", "endless_dataset"):
        pytest.skip("an epoch without an end")
    if steps in (3, 4) and kind == "threads":
        pytest.skip("Keras's workers begin anew in the middle of a pass")
    options = {"steps_per_epoch": steps, "epochs": 3, "shuffle": False, "verbose": 1}
    assert_alike([("fit", kind, options)] * 2)  # a model that is built, and not


@pytest.mark.parametrize("validation_steps", [None, 4, 8])
@pytest.mark.parametrize("validation", ["arrays", "dataset", "threads"])
def test_validation(validation, validation_steps):
    options = {"validation": validation, "validation_steps": validation_steps, "validation_batch_size": 2}
    assert_alike([("fit", "dataset", {"epochs": 2, "shuffle": False, "verbose": 1, **options})])


@pytest.mark.parametrize("steps", [None, 4, 8])
@pytest.mark.parametrize("kind", ["arrays", "dataset", "threads"])
def test_evaluate_and_predict(kind, steps):
    options = {"steps": steps, "verbose": 1}
    assert_alike([("evaluate", kind, options), ("predict", kind, options), ("predict", kind, options)])


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize(("kind", "stride"), [("arrays", 4), ("dataset", 2), ("generator", 2)])
def test_steps_per_execution(kind, stride, steps):
    if steps is None and kind == "generator":
        pytest.skip("an epoch without an end")
    options = {"steps_per_epoch": steps, "epochs": 2, "shuffle": False, "verbose": 0}
    assert_alike([("fit", kind, options)], steps_per_execution=stride)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("at", [0, 3])
def test_stop_training_in_a_batch_hook(at, stride):
    seen = []
    for module in LIBRARIES:
        model = table.make_model(module, steps_per_execution=stride)
        events: list[Any] = []
        hooks = table.noted_hooks(module, lambda *event, events=events: events.append(event))
        stop = module.callbacks.LambdaCallback()
        stop.on_train_batch_end = lambda batch, logs=None, model=model: setattr(
            model, "stop_training", batch >= at
        )
        options = {"batch_size": 2, "shuffle": False, "verbose": 0, "validation_data": (table.X, table.Y)}
        model.fit(table.X, table.Y, epochs=3, callbacks=[hooks, stop], **options)
        seen.append(events)
    assert seen[0] == seen[1]
