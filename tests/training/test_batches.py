"""Training on batches that Python makes: generators, lists of batches, PyDataset."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def model(**kwargs):
    rv.utils.set_random_seed(0)
    net = rv.Sequential([rv.Input((3,)), layers.Dense(1)])
    net.compile("sgd", "mse", **kwargs)
    return net


def batches(size=10, count=4):
    for i in range(count):
        yield X[i * size : (i + 1) * size], Y[i * size : (i + 1) * size]


def endless(size=10):
    while True:
        yield from batches(size)


class Data(rv.utils.PyDataset):
    ended = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index * 10 : (index + 1) * 10], Y[index * 10 : (index + 1) * 10]

    def on_epoch_end(self):
        self.ended += 1


@pytest.mark.parametrize(
    "data", [batches, lambda: list(batches()), lambda: Data()], ids=["generator", "list", "Data"]
)
def test_is_fit_on_arrays(data):
    one, two = model(), model()
    one.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    source = data()
    if isinstance(source, list):
        source = iter(source)
    history = two.fit(source, shuffle=False, verbose=0)
    np.testing.assert_array_equal(one.get_weights()[0], two.get_weights()[0])
    np.testing.assert_allclose(history.history["loss"], one.history.history["loss"], rtol=1e-6)


def test_steps_of_an_endless_generator():
    net = model()
    history = net.fit(endless(), steps_per_epoch=3, epochs=4, verbose=0)
    assert int(net.optimizer.iterations) == 12 and len(history.epoch) == 4


def test_a_generator_that_ends():
    net = model()
    with pytest.warns(UserWarning, match="data has ended"):
        history = net.fit(batches(), epochs=3, verbose=0)
    assert len(history.epoch) == 1 and int(net.optimizer.iterations) == 4


def test_a_generator_that_ends_within_an_epoch():
    net = model()
    with pytest.warns(UserWarning, match="ran out of data"):
        history = net.fit(batches(), epochs=2, steps_per_epoch=3, verbose=0)
    assert int(net.optimizer.iterations) == 4 and len(history.epoch) == 2


def test_dataset_shuffles_and_is_told():
    data, net = Data(), model()
    net.fit(data, epochs=3, verbose=0)
    assert data.ended == 4  # as in Keras, the batch that a model is built for is an epoch of its own
    assert net.history.params["steps"] == 4
    other = model()
    other.fit(Data(), epochs=3, verbose=0, shuffle=False)
    assert not np.array_equal(net.get_weights()[0], other.get_weights()[0])


def test_batches_of_several_sizes_and_weights():
    def uneven():
        yield X[:7], Y[:7], np.zeros(7)
        yield X[7:], Y[7:], np.ones(33)

    net = model()
    net.compile(rv.optimizers.SGD(0.0), "mse")
    expected = np.mean((net(X[7:]) - Y[7:]) ** 2) * 33 / 40
    np.testing.assert_allclose(net.fit(uneven(), verbose=0).history["loss"], [expected], rtol=1e-5)


def test_evaluate_and_predict():
    net = model(metrics=["mae"])
    np.testing.assert_allclose(net.evaluate(batches(), verbose=0), net.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(net.predict(batches(), verbose=0), net.predict(X, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(
        net.predict((x for x, _ in batches()), verbose=0), net.predict(X, verbose=0), rtol=1e-5
    )
    assert net.predict(endless(), steps=2, verbose=0).shape == (20, 1)


def test_validation_on_batches():
    history = model().fit(X, Y, validation_data=Data(), epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2


def test_an_unbuilt_model_is_built_from_the_first_batch():
    net = rv.Sequential([layers.Dense(1)])
    net.compile("sgd", "mse")
    net.fit(batches(), verbose=0)
    assert net.input_shape == (None, 3) and int(net.optimizer.iterations) == 4


def test_class_weight_of_a_dataset():
    model().fit(Data(), class_weight={0: 2.0}, verbose=0)


def test_batch_hooks():
    class Count(rv.callbacks.Callback):
        begun = ended = 0

        def on_train_batch_begin(self, batch, logs=None):
            self.begun += 1

        def on_train_batch_end(self, batch, logs=None):
            self.ended += 1

    count = Count()
    model().fit(batches(), verbose=0, callbacks=[count])
    assert (count.begun, count.ended) == (4, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: model().fit(batches(), Y, verbose=0), "`y` should not be passed"),
        (lambda: model().fit(batches(), sample_weight=X, verbose=0), "`sample_weight` should not be passed"),
        (lambda: model().fit(batches(), validation_split=0.2, verbose=0), "only supported for arrays"),
        (lambda: model().fit(batches(), class_weight={0: 1.0}, verbose=0), "not supported for generators"),
        (lambda: model().fit(batches(count=0), verbose=0), "at least one batch"),
        (lambda: model().fit((3 for _ in range(3)), verbose=0), "must be a batch"),
        (lambda: model().fit(object(), verbose=0), "Unrecognized data type"),
        (lambda: rv.utils.PyDataset(workers=-1), "workers=?.*-1"),
        (lambda: rv.utils.PyDataset(workers=True), "workers=?.*True"),
        (lambda: rv.utils.PyDataset(max_queue_size=0), "max_queue_size=?.*0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 0},
        {"workers": 3},
        {"workers": 3, "max_queue_size": 1},
        {"workers": 2, "use_multiprocessing": True},
    ],
    ids=str,
)
def test_workers_give_the_batches_of_one(options):
    weights = []
    for data in (Data(), Data(**options)):
        several = model()
        several.fit(data, epochs=3, verbose=0, validation_data=Data(**options))
        assert data.ended == 4
        weights.append(several.get_weights()[0])
    np.testing.assert_array_equal(*weights)
    np.testing.assert_array_equal(several.predict(Data(**options), verbose=0), several.predict(X, verbose=0))


def test_workers_work_ahead_at_once_and_end_with_the_epoch():
    together = threading.Barrier(2, timeout=30)
    made = []

    class Slow(Data):
        def __len__(self):
            return 1000

        def __getitem__(self, index):
            if index < 2:
                together.wait()  # passes only where two workers make a batch at the same time
            made.append(index)
            return super().__getitem__(index % 4)

    net = model()
    net.fit(X, Y, verbose=0)  # builds what there is to build: no batch is looked at ahead of the epoch
    net.fit(Slow(workers=2, max_queue_size=4), epochs=1, steps_per_epoch=5, shuffle=False, verbose=0)
    assert 5 <= len(made) <= 12 and set(range(5)) <= set(made)


def test_the_error_of_a_worker_is_raised():
    class Broken(Data):
        def __getitem__(self, index):
            return super().__getitem__(index) if index < 2 else 1 / 0

    for processes in (False, True):
        with pytest.raises(ZeroDivisionError):
            model().fit(Broken(workers=2, use_multiprocessing=processes), shuffle=False, verbose=0)
