"""Kinds of data x steps of an epoch x callbacks x verbosity: which batches are seen, and what is told."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from tests.training import sources_table as table

import ranvier as rv

EPOCHS = 3
# name -> what makes the data, and the arguments of `fit` that go with them
RESTARTABLE: dict[str, Any] = {
    "arrays": lambda: (table.X, {"y": table.Y, "batch_size": table.ROWS}),
    "nest": lambda: ([table.X], {"y": (table.Y,), "batch_size": table.ROWS}),
    "PyDataset": lambda: (table.make_dataset(rv), {}),
    "threads": lambda: (table.make_dataset(rv, workers=2), {}),
    "iterable": lambda: (table.Iterable(), {}),
    "without __len__": lambda: (type("Data", (), {"__iter__": table.Iterable.__iter__})(), {}),
    "len raises TypeError": lambda: (table.Iterable(TypeError), {}),
    "len raises NotImplementedError": lambda: (table.Iterable(NotImplementedError), {}),
    "len is None": lambda: (table.Iterable(None), {}),
    "len is infinite": lambda: (table.Iterable(float("inf")), {}),
    "len is negative": lambda: (table.Iterable(-1), {}),
    "rewinding iterator": lambda: (table.Rewinding(), {}),
    "DataLoader": lambda: (table.DataLoader(), {"batch_size": 5}),
    "DataLoader of an IterableDataset": lambda: (table.DataLoader(has_length=False), {"batch_size": 5}),
    "tf.data": lambda: (table.TensorDataset(), {"batch_size": 5}),
    "tf.data from_generator": lambda: (table.TensorDataset(-2), {}),
}
ENDLESS: dict[str, Any] = {
    "generator": lambda: (table.endless(), {}),
    "tf.data repeat": lambda: (table.TensorDataset(-1), {}),
    "num_batches None": lambda: (table.make_endless_dataset(rv), {}),
    "num_batches None, threads": lambda: (table.make_endless_dataset(rv, workers=2), {}),
}
STEPS = {"all": None, "dividing": 3, "below": 4, "equal": table.BATCHES, "above": 8}


class Hooks(rv.callbacks.Callback):
    """Notes the indices of its hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []
        self.losses: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.append([])

    def on_train_batch_end(self, batch, logs=None):
        self.batches[-1].append(batch)
        self.losses.append(logs["loss"])


def fit(data: Any, steps: int | None, hooked: bool, verbose: int, **options: Any) -> tuple[Any, Any, list]:
    """Trains; returns the model, the hooks and the warnings."""
    x, arguments = data
    model, hooks = table.make_model(rv), Hooks()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(
            x,
            **{"epochs": EPOCHS, "shuffle": False, **arguments, **options},
            steps_per_epoch=steps,
            verbose=verbose,
            callbacks=[hooks] if hooked else None,
        )
    assert len(history.epoch) == options.get("epochs", EPOCHS)
    return model, hooks, [str(w.message) for w in caught]


@pytest.mark.parametrize(("verbose", "hooked"), [(0, False), (1, False), (1, True), (2, False)])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("kind", [*RESTARTABLE, *ENDLESS])
def test_batches_of_fit(kind, steps, hooked, verbose):
    if kind in ENDLESS and steps is None:
        pytest.skip("an epoch without an end")
    model, hooks, said = fit({**RESTARTABLE, **ENDLESS}[kind](), steps, hooked, verbose)
    expected = table.expected_batches(steps, EPOCHS, ends=kind in RESTARTABLE)
    assert table.seen_batches(model) == table.counts(expected)
    if hooked:
        assert hooks.batches == [list(range(len(epoch))) for epoch in expected]
    too_short = any(len(epoch) < (steps or 0) for epoch in expected)
    assert [text[:26] for text in said] == ["Your input ran out of data"] * too_short


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("has_length", [False, True])
def test_batches_of_torch(has_length, steps, verbose):
    data = pytest.importorskip("torch.utils.data")
    tensors = data.TensorDataset(*map(pytest.importorskip("torch").from_numpy, (table.X, table.Y)))

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(tensors)

    loader = data.DataLoader(tensors if has_length else Stream(), batch_size=table.ROWS)
    model, _, _ = fit((loader, {"batch_size": 7}), steps, True, verbose, validation_data=loader)
    assert table.seen_batches(model) == table.counts(table.expected_batches(steps, EPOCHS))
    assert model.predict(loader, batch_size=7, verbose=verbose).shape == (len(table.X), 1)


@pytest.mark.parametrize("hooked", [False, True], ids=["plain", "hooked"])
@pytest.mark.parametrize("steps", [None, 4])
def test_batches_of_processes(steps, hooked):
    model, _, _ = fit((table.ForProcesses(), {}), steps, hooked, verbose=1)
    assert table.seen_batches(model) == table.counts(table.expected_batches(steps, EPOCHS))


@pytest.mark.parametrize("options", [{}, {"workers": 2}], ids=str)
def test_slow_batches(options):
    data = table.make_dataset(rv, seconds=0.03, **options)  # the bar is drawn between two batches
    model, _, _ = fit((data, {}), None, False, verbose=1, epochs=2)
    assert table.seen_batches(model) == [2] * table.BATCHES


def test_many_fast_batches_under_the_bar():
    class Large(type(table.make_dataset(rv))):
        def __len__(self):
            return 2000

    model, _, _ = fit((Large(), {}), None, False, verbose=1, epochs=2)
    assert sum(table.seen_batches(model)) == 4000


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("kind", ["arrays", "PyDataset", "len raises TypeError", "generator"])
def test_steps_per_execution(kind, steps, stride):
    if kind == "generator" and steps is None:
        pytest.skip("an epoch without an end")
    expected = table.expected_batches(steps, EPOCHS, kind in RESTARTABLE, stride)
    for hooked in (False, True):
        x, arguments = {**RESTARTABLE, **ENDLESS}[kind]()
        model, hooks = table.make_model(rv, steps_per_execution=stride), Hooks()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(
                x,
                **{"shuffle": False, **arguments},
                steps_per_epoch=steps,
                epochs=EPOCHS,
                verbose=1,
                callbacks=[hooks] if hooked else None,
            )
        assert table.seen_batches(model) == table.counts(expected)
    assert hooks.batches == [[*range(stride - 1, len(epoch) + stride - 1, stride)] for epoch in expected]


class TestEvaluateAndPredict:
    @pytest.mark.parametrize(("verbose", "hooked"), [(0, True), (1, False), (1, True), (2, False)])
    @pytest.mark.parametrize("steps", [None, 4, 8])
    @pytest.mark.parametrize("kind", [*RESTARTABLE, *ENDLESS])
    def test_rows(self, kind, steps, hooked, verbose):
        if kind in ENDLESS and steps is None:
            pytest.skip("an epoch without an end")
        x, arguments = {**RESTARTABLE, **ENDLESS}[kind]()
        model = table.make_model(rv)
        model.set_weights([np.arange(table.BATCHES)[:, None]])
        seen: list[int] = []
        hook = rv.callbacks.LambdaCallback(on_train_begin=None)
        hook.on_predict_batch_end = hook.on_test_batch_end = lambda batch, logs=None: seen.append(batch)
        options = {"steps": steps, "verbose": verbose, "callbacks": [hook] if hooked else None}
        expected = table.expected_batches(steps, 1, ends=kind in RESTARTABLE)[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loss = model.evaluate(x, **arguments, **options)
            if kind in ENDLESS:
                x = ENDLESS[kind]()[0]
            arguments.pop("y", None)
            outputs = model.predict(x, **arguments, **options)
        np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-6)
        np.testing.assert_array_equal(outputs[:: table.ROWS, 0], expected)
        assert not hooked or seen == [*range(len(expected))] * 2


class TestBatchSize:
    """Where the number of steps is given for arrays and the batch size is not, they make up one pass."""

    def test_of_fit(self):
        model, hooks = table.make_model(rv), Hooks()
        split = {"validation_data": (table.X, table.Y), "validation_steps": 3}
        history = model.fit(table.X, table.Y, steps_per_epoch=4, verbose=0, callbacks=hooks, **split)
        assert hooks.batches == [[0, 1, 2, 3]] and history.params["steps"] == 4
        assert int(model.optimizer.iterations) == 4

    def test_of_validation_split(self):
        class Tests(rv.callbacks.Callback):
            steps = 0

            def on_test_batch_end(self, batch, logs=None):
                self.steps += 1

        tests = Tests()
        options = {"validation_split": 0.5, "verbose": 0, "callbacks": tests}
        table.make_model(rv).fit(table.X, table.Y, steps_per_epoch=6, **options)
        assert tests.steps == 1
        table.make_model(rv).fit(table.X, table.Y, validation_steps=2, **options)
        assert tests.steps == 3

    def test_of_evaluate_and_predict(self):
        model = table.make_model(rv)
        assert model.predict(table.X, steps=4, verbose=0).shape == (len(table.X), 1)
        model.evaluate(table.X, table.Y, steps=4, verbose=0)

    @pytest.mark.parametrize("kind", ["PyDataset", "iterable", "len raises TypeError"])
    def test_is_ignored_beside_batches(self, kind):
        data, _ = RESTARTABLE[kind]()
        model = table.make_model(rv)
        validation = {"validation_data": table.Iterable(), "validation_batch_size": 3}
        model.fit(data, batch_size=1, verbose=0, shuffle=False, **validation)
        assert table.seen_batches(model) == [1] * table.BATCHES
        model.evaluate(data, batch_size=5, verbose=0)
        assert len(model.predict(data, batch_size=5, verbose=0)) == len(table.X)


class TestClassWeight:
    """The weight of class 0, which is that of all samples here, is 3."""

    @pytest.mark.parametrize("kind", ["arrays", "PyDataset", "iterable", "DataLoader", "tf.data"])
    def test_every_source_that_can_begin_again_takes_it(self, kind):
        x, arguments = RESTARTABLE[kind]()
        model = table.make_model(rv)
        model.fit(x, class_weight={0: 3.0}, epochs=2, verbose=1, shuffle=False, **arguments)
        assert table.seen_batches(model) == [6] * table.BATCHES


class TestUnknownLength:
    @pytest.mark.parametrize("kind", ["len raises TypeError", "without __len__"])
    def test_a_line_for_each_epoch_counts_the_steps(self, kind, capsys):
        x, _ = RESTARTABLE[kind]()
        model = table.make_model(rv)
        model.fit(x, epochs=2, verbose=2)
        model.evaluate(x, verbose=2)
        model.predict(x, verbose=2)
        lines = [line for line in capsys.readouterr().out.splitlines() if "step" in line]
        assert [line.partition(" ")[0] for line in lines] == ["6/6"] * 4

    def test_a_shorter_epoch_says_how_many_steps_it_had(self, capsys):
        with pytest.warns(UserWarning, match="6 batches for 8 steps"):
            table.make_model(rv).fit(table.Iterable(), steps_per_epoch=8, verbose=2)
        assert capsys.readouterr().out.startswith("6/8")

    def test_fewer_batches_than_the_length_says(self):
        with pytest.warns(UserWarning, match="6 batches for 9 steps"):
            table.make_model(rv).fit(table.Iterable(9), epochs=2, verbose=1, callbacks=[Hooks()])

    def test_more_batches_than_the_length_says(self):
        model = table.make_model(rv)
        model.fit(table.Iterable(4), epochs=2, verbose=1)
        assert table.seen_batches(model) == [2, 2, 2, 2, 0, 0]


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_eager_steps_end_too(run_eagerly):
    model = table.make_model(rv, run_eagerly=run_eagerly)
    model.fit(table.X, table.Y, batch_size=2, steps_per_epoch=3, epochs=3, shuffle=False, verbose=1)
    model.fit(table.Iterable(), verbose=1, callbacks=[Hooks()])
    assert table.seen_batches(model) == [3, 3, 3, 2, 2, 2]
