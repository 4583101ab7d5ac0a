"""What ends a loop: the flags that callbacks set, and loops inside of loops."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from tests.training import sources_table as table

import ranvier as rv


class Stop(rv.callbacks.Callback):
    """Sets a flag of the model at a batch of one kind, and notes the batches of all kinds."""

    def __init__(self, flag, kind, at):
        super().__init__()
        self.flag, self.kind, self.at = flag, kind, at
        self.seen = {"train": [], "test": [], "predict": []}

    def _note(self, kind, batch):
        self.seen[kind].append(batch)
        if (kind, batch) == (self.kind, self.at):
            setattr(self.model, self.flag, True)

    def on_train_batch_end(self, batch, logs=None):
        self._note("train", batch)

    def on_test_batch_end(self, batch, logs=None):
        self._note("test", batch)

    def on_predict_batch_end(self, batch, logs=None):
        self._note("predict", batch)


SOURCES = {
    "arrays": lambda: (table.X, table.Y),
    "PyDataset": lambda: (table.make_dataset(rv), None),
    "iterable": lambda: (table.Iterable(TypeError), None),
}
ALL = list(range(table.BATCHES))


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("kind", SOURCES)
class TestFlags:
    def test_training_ends_after_the_batch_and_is_validated_whole(self, kind, verbose):
        x, y = SOURCES[kind]()
        val_x, val_y = SOURCES[kind]()
        model, stop = table.make_model(rv), Stop("stop_training", "train", 1)
        model.set_weights([np.ones((table.BATCHES, 1))])
        history = model.fit(
            x,
            y,
            batch_size=table.ROWS,
            shuffle=False,
            epochs=5,
            validation_data=val_x if val_y is None else (val_x, val_y),
            verbose=verbose,
            callbacks=[stop],
        )
        assert stop.seen["train"] == [0, 1] and stop.seen["test"] == ALL
        np.testing.assert_allclose(history.history["val_loss"], [4 / 6], rtol=1e-6)
        assert model.stop_training

    def test_a_validation_ends_after_the_batch_and_training_goes_on(self, kind, verbose):
        x, y = SOURCES[kind]()
        model, stop = table.make_model(rv), Stop("stop_evaluating", "test", 2)
        options = {"batch_size": table.ROWS, "epochs": 2, "verbose": verbose, "callbacks": [stop]}
        history = model.fit(x, y, validation_data=(table.X, table.Y), **options)
        assert stop.seen["train"] == ALL * 2 and stop.seen["test"] == [0, 1, 2] * 2
        assert len(history.history["val_loss"]) == 2

    def test_evaluate_ends_after_the_batch(self, kind, verbose):
        x, y = SOURCES[kind]()
        model, stop = table.make_model(rv), Stop("stop_evaluating", "test", 2)
        model.set_weights([np.arange(table.BATCHES)[:, None]])
        loss = model.evaluate(x, y, batch_size=table.ROWS, verbose=verbose, callbacks=[stop])
        assert stop.seen["test"] == [0, 1, 2]
        np.testing.assert_allclose(loss, 1.0, rtol=1e-6)
        np.testing.assert_allclose(model.evaluate(*SOURCES[kind](), verbose=0), 2.5, rtol=1e-6)

    def test_predict_ends_after_the_batch(self, kind, verbose):
        x, _ = SOURCES[kind]()
        model, stop = table.make_model(rv), Stop("stop_predicting", "predict", 2)
        model.set_weights([np.arange(table.BATCHES)[:, None]])
        outputs = model.predict(x, batch_size=table.ROWS, verbose=verbose, callbacks=[stop])
        np.testing.assert_array_equal(outputs[:, 0], [0, 0, 1, 1, 2, 2])
        assert model.predict(table.X, batch_size=table.ROWS, verbose=verbose).shape == (12, 1)


def test_a_flag_of_another_loop_does_nothing():
    model = table.make_model(rv)
    stop = Stop("stop_training", "predict", 0)
    assert model.predict(table.X, batch_size=2, verbose=0, callbacks=[stop]).shape == (12, 1)
    stop = Stop("stop_predicting", "train", 0)
    model.fit(table.X, table.Y, batch_size=2, verbose=0, callbacks=[stop])
    assert stop.seen["train"] == ALL


def test_the_bar_says_where_an_epoch_was_stopped(capsys):
    stop = Stop("stop_training", "train", 1)
    table.make_model(rv).fit(table.X, table.Y, batch_size=2, epochs=3, verbose=2, callbacks=[stop])
    assert capsys.readouterr().out.splitlines()[1].startswith("2/6")


def test_another_thread_stops_a_training_without_end():
    model = table.make_model(rv)
    reached = threading.Event()

    def stop():
        reached.wait(30)
        model.stop_training = True

    class Tell(rv.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            reached.set()

    thread = threading.Thread(target=stop)
    thread.start()
    history = model.fit(table.X, table.Y, epochs=10**9, verbose=0, callbacks=[Tell()])
    thread.join()
    assert history.epoch


def other_model():
    return table.make_model(rv)


INSIDE = {
    "evaluate": lambda model: model.evaluate(table.X, table.Y, verbose=0),
    "evaluate with a bar": lambda model: model.evaluate(table.X, table.Y),
    "predict": lambda model: model.predict(table.X, verbose=0),
    "predict a data set": lambda model: model.predict(table.make_dataset(rv)),
    "fit of another model": lambda model: other_model().fit(table.X, table.Y, epochs=2),
    "train_on_batch of another": lambda model: other_model().train_on_batch(table.X, table.Y),
}


class TestLoopsInsideOfLoops:
    @pytest.mark.parametrize("inside", INSIDE)
    def test_early_stopping_counts(self, inside):
        """The callback runs after EarlyStopping, whose wish it must not undo."""

        class Inside(rv.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                INSIDE[inside](self.model)

        model = table.make_model(rv)
        early = rv.callbacks.EarlyStopping(monitor="loss", patience=0, mode="max")  # the loss falls
        history = model.fit(table.X, table.Y, epochs=5, verbose=0, callbacks=[early, Inside()])
        assert len(history.epoch) == 2

    @pytest.mark.parametrize("inside", INSIDE)
    @pytest.mark.parametrize("hook", ["on_epoch_begin", "on_test_end", "on_epoch_end", "on_batch_begin"])
    def test_the_outer_loop_sees_what_it_would_see(self, inside, hook):
        def train(inner):
            model = table.make_model(rv)
            callback = rv.callbacks.Callback()
            setattr(callback, hook, lambda *args, **kwargs: inner(model))
            history = model.fit(
                table.X,
                table.Y,
                batch_size=2,
                epochs=2,
                verbose=0,
                validation_data=(table.X, table.Y),
                callbacks=[callback],
            )
            return history.history["val_loss"], table.seen_batches(model)

        assert train(INSIDE[inside]) == train(lambda model: None)


@pytest.mark.parametrize("outer_stops", [False, True])
def test_a_fit_of_the_same_model_inside_of_a_fit_stops_itself_only(outer_stops):
    model, inner = table.make_model(rv), []

    class Inside(rv.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            model.stop_training = outer_stops
            stop = Stop("stop_training", "train", 1)
            model.fit(table.X, table.Y, batch_size=2, verbose=0, callbacks=[stop])
            inner.append(stop.seen["train"])

    history = model.fit(table.X, table.Y, epochs=3, verbose=0, callbacks=[Inside()])
    epochs = 1 if outer_stops else 3
    assert inner == [[0, 1]] * epochs and len(history.epoch) == epochs


class TestValidationData:
    def test_a_generator_that_has_ended_is_named(self):
        def once():
            yield from map(table.batch, ALL)

        with pytest.warns(UserWarning, match="validation data has ended.*after epoch 2") as caught:
            history = table.make_model(rv).fit(
                table.X, table.Y, epochs=4, verbose=0, validation_data=once(), batch_size=2
            )
        assert len(history.history["val_loss"]) == 1 and len(history.history["loss"]) == 4
        assert len(caught) == 1

    def test_a_generator_that_ends_within_a_validation(self):
        def once():
            yield from map(table.batch, ALL)

        options = {"epochs": 2, "verbose": 0, "validation_steps": 4}
        with pytest.warns(UserWarning, match="2 batches for 4 steps.*`validation_steps=4`"):
            history = table.make_model(rv).fit(table.X, table.Y, validation_data=once(), **options)
        assert len(history.history["val_loss"]) == 2

    @pytest.mark.parametrize("steps", [2, 4])
    @pytest.mark.parametrize("kind", ["arrays", "PyDataset", "iterable"])
    def test_steps_count_from_the_first_batch(self, kind, steps):
        x, y = SOURCES[kind]()
        model = table.make_model(rv)
        model.set_weights([np.arange(table.BATCHES)[:, None]])
        model.optimizer.learning_rate = 0.0
        history = model.fit(
            table.X,
            table.Y,
            epochs=3,
            verbose=1,
            validation_data=x if y is None else (x, y),
            validation_steps=steps,
            validation_batch_size=2,
        )
        np.testing.assert_allclose(history.history["val_loss"], [np.mean(range(steps))] * 3, rtol=1e-6)

    def test_an_endless_generator_goes_on(self):
        model = table.make_model(rv)
        model.set_weights([np.arange(table.BATCHES)[:, None]])
        model.optimizer.learning_rate = 0.0
        options = {"epochs": 3, "verbose": 0, "validation_steps": 2}
        history = model.fit(table.X, table.Y, validation_data=table.endless(), **options)
        np.testing.assert_allclose(history.history["val_loss"], [0.5, 2.5, 4.5], rtol=1e-6)


@pytest.mark.parametrize("data", [lambda: iter(()), lambda: table.make_empty_dataset(rv)], ids=["it", "Data"])
@pytest.mark.parametrize("built", [False, True])
def test_empty_data(data, built):
    model = table.make_model(rv)
    if built:
        model.fit(table.X, table.Y, verbose=0)
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ValueError, match="at least one batch"):
            call(data(), verbose=0)
