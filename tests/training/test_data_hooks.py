"""A PyDataset's hooks: when they are called, and `for batch in dataset`."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.training import sources_table as table

import ranvier as rv

WORKERS = [{}, {"workers": 0}, {"workers": 2}, {"workers": 3, "max_queue_size": 2}]


class Noted:
    """A model, a PyDataset and a callback, and what they are asked for, in order."""

    def __init__(self, built=True, **options):
        self.model = table.make_model(rv)
        if built:
            self.model.fit(table.X, table.Y, verbose=0)
        self.events = []
        note = self.note
        self.data = table.make_dataset(rv, note, **options)
        self.callback = table.noted_hooks(rv, note)

    def note(self, *event):
        self.events.append(event[0] if event[0] != "read" else event)

    def order(self, *names):
        """The events of these names, without repetitions in a row."""
        named = [e for e in self.events if e in names or (e[0] == "read" and "read" in names)]
        return [key for key, _ in itertools.groupby(named, lambda e: "read" if e[0] == "read" else e)]


@pytest.mark.parametrize("options", WORKERS, ids=str)
@pytest.mark.parametrize("verbose", [0, 1, 2])
class TestOrder:
    def test_fit(self, options, verbose):
        noted = Noted(**options)
        noted.model.fit(noted.data, epochs=2, verbose=verbose, callbacks=[noted.callback])
        epoch = ["on_epoch_begin", "data begins", "read", "data ends", "on_epoch_end"]
        assert noted.order(*epoch) == epoch * 2

    def test_validation(self, options, verbose):
        noted = Noted(**options)
        options = {"validation_data": noted.data, "verbose": verbose, "callbacks": [noted.callback]}
        noted.model.fit(table.X, table.Y, epochs=2, **options)
        epoch = ["on_epoch_begin", "on_test_begin", "data begins", "read", "data ends", "on_test_end"]
        assert noted.order(*epoch) == epoch * 2

    def test_evaluate_and_predict(self, options, verbose):
        noted = Noted(**options)
        noted.model.evaluate(noted.data, verbose=verbose, callbacks=[noted.callback])
        noted.model.predict(noted.data, verbose=verbose, callbacks=[noted.callback])
        names = ["data begins", "read", "data ends"]
        tests = ["on_test_begin", *names, "on_test_end"]
        predictions = ["on_predict_begin", *names, "on_predict_end"]
        assert noted.order(*tests, *predictions) == [*tests, *predictions]

    def test_a_model_is_built_for_a_batch_that_is_read_between_the_hooks(self, options, verbose):
        noted = Noted(built=False, **options)
        noted.model.fit(noted.data, verbose=verbose, callbacks=[noted.callback])
        names = ["data begins", "read", "data ends"]
        assert noted.order("on_train_begin", *names) == [*names, "on_train_begin", *names]
        assert noted.events.count(("read", 0)) == 2 and len(noted.order("read")) == 1


def test_parts_of_a_pass_are_epochs():
    noted = Noted()
    noted.model.fit(noted.data, epochs=2, steps_per_epoch=3, shuffle=False, verbose=1)
    reads = [("read", n) for n in range(table.BATCHES)]
    assert noted.events == ["data begins", *reads[:3], "data ends", "data begins", *reads[3:], "data ends"]


def test_a_batch_is_read_after_its_begin():
    noted = Noted()
    noted.model.fit(noted.data, shuffle=False, verbose=1, callbacks=[noted.callback])
    begin = noted.events.index("on_train_batch_begin")
    assert noted.events[begin : begin + 3] == ["on_train_batch_begin", ("read", 0), "on_train_batch_end"]


class TestIteration:
    def test_it_ends(self):
        batches = list(table.make_dataset(rv))
        np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), table.X)

    @pytest.mark.parametrize("has_length", [False, True])
    def test_without_an_end(self, has_length):
        class Endless(rv.utils.PyDataset):
            if has_length:
                num_batches = None

            def __getitem__(self, index):
                return index

        assert list(itertools.islice(Endless(), 9)) == list(range(9))

    def test_a_data_set_that_has_not_said_how_many(self):
        class Data(rv.utils.PyDataset):
            def __getitem__(self, index):
                return table.batch(index)

        with pytest.raises(NotImplementedError, match="implement `__len__"):
            Data().num_batches  # noqa: B018
        model = table.make_model(rv)
        model.fit(Data(), steps_per_epoch=4, epochs=3, verbose=1)
        assert table.seen_batches(model) == [2] * table.BATCHES

    def test_a_length_that_cannot_be(self):
        class Data(rv.utils.PyDataset):
            num_batches = 1.5

        with pytest.raises(ValueError, match="number of batches must be an integer or None. Received: 1.5"):
            table.make_model(rv).fit(Data(), verbose=0)

    def test_an_error_in_len_is_raised(self):
        class Data(rv.utils.PyDataset):
            def __len__(self):
                return 7 / 2

            def __getitem__(self, index):
                return table.batch(index)

        with pytest.raises(TypeError, match="float"):
            table.make_model(rv).fit(Data(), verbose=0)

    def test_a_constructor_that_calls_no_other(self):
        class Data(type(table.make_dataset(rv))):
            def __init__(self):
                pass

        model = table.make_model(rv)
        model.fit(Data(), verbose=1)
        assert table.seen_batches(model) == [1] * table.BATCHES
