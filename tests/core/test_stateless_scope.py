"""Stateless scopes: layers, optimizers and metrics as functions of their variables' values."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops


def test_reads_and_assignments_stay_in_the_scope() -> None:
    v, w = rv.Variable(np.float32([1, 2])), rv.Variable(np.float32([3, 4]))
    with rv.StatelessScope([(v, [10.0, 20.0])]) as scope:
        assert (v + 1.0).tolist() == [11, 21] and np.asarray(v).tolist() == v.numpy().tolist() == [10, 20]
        v.assign_add([1.0, 1.0])
        w.assign(v * 2.0)
        assert ops.sum(w) == 64
        with rv.StatelessScope() as inner:
            assert (v + 0.0).tolist() == [1, 2]  # scopes do not see through each other
        assert inner.get_current_value(v) is None
    assert scope.get_current_value(v).tolist() == [11, 21]
    assert v.numpy().tolist() == [1, 2] and w.numpy().tolist() == [3, 4]


def test_a_loop_in_jax_style_equals_apply() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 4)).astype("float32"), rng.normal(size=(32, 1)).astype("float32")

    def setup():
        rv.utils.set_random_seed(1)
        layer = rv.layers.Dense(1)
        layer.build((None, 4))
        optimizer, metric = rv.optimizers.Adam(0.1), rv.metrics.Mean()
        optimizer.build(layer.trainable_variables)
        return layer, optimizer, metric

    layer, optimizer, metric = setup()
    trainable = [v.value for v in layer.trainable_variables]
    slots, counts = [v.value for v in optimizer.variables], metric.stateless_reset_state()

    @rv.jit
    def step(trainable, slots, counts, x, y):
        def loss_of(values):
            with rv.StatelessScope(zip(layer.trainable_variables, values, strict=True)):
                return ops.mean((layer(x) - y) ** 2.0)

        loss, gradients = rv.value_and_grad(loss_of)(trainable)
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return trainable, slots, metric.stateless_update_state(counts, loss)

    before = [v.numpy() for v in (*layer.variables, *optimizer.variables, *metric.variables)]
    for _ in range(5):
        trainable, slots, counts = step(trainable, slots, counts, x, y)
    for v, old in zip((*layer.variables, *optimizer.variables, *metric.variables), before, strict=True):
        np.testing.assert_array_equal(v, old)

    other, other_optimizer, other_metric = setup()

    @rv.jit
    def plain(x, y):
        with rv.GradientTape() as tape:
            loss = ops.mean((other(x) - y) ** 2.0)
        other_optimizer.apply(tape.gradient(loss, other.trainable_variables), other.trainable_variables)
        other_metric.update_state(loss)

    for _ in range(5):
        plain(x, y)
    for a, b in zip(trainable, other.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(slots, other_optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    assert metric.stateless_result(counts) == other_metric.result()


def test_layers_are_called_without_touching_their_variables() -> None:
    net = rv.Sequential(
        [rv.Input((4,)), rv.layers.Dense(3, kernel_regularizer="l2"), rv.layers.Dropout(0.5, seed=1)]
    )
    x = np.ones((2, 4), "float32")
    trainable = [v.value + 1.0 for v in net.trainable_variables]
    fixed = [v.value for v in net.non_trainable_variables]
    before = [v.numpy() for v in net.variables]
    call = lambda t, f, x: net.stateless_call(t, f, x, training=True, return_losses=True)  # noqa: E731
    results = [call(trainable, fixed, x), rv.jit(call)(trainable, fixed, x)]
    for outputs, after, losses in results:
        assert outputs.shape == (2, 3) and after[0].tolist() == [fixed[0][0], fixed[0][1] + 1]
        np.testing.assert_allclose(losses, [0.01 * np.sum(trainable[0] ** 2)], rtol=1e-5)
    np.testing.assert_array_equal(results[0][0], results[1][0])
    for v, old in zip(net.variables, before, strict=True):
        np.testing.assert_array_equal(v, old)
    outputs, _ = net.stateless_call(trainable, fixed, x)
    np.testing.assert_allclose(outputs, x @ trainable[0] + trainable[1], rtol=1e-5)
    with pytest.raises(ValueError, match="`trainable_variables`.* length 0, but expected 2"):
        net.stateless_call([], fixed, x)
    with pytest.raises(ValueError, match="must be built"):
        rv.layers.Dense(1).stateless_call([], [], x)


def test_loops_and_branches_assign_in_the_scope() -> None:
    count, seed = rv.Variable(np.float32(0)), rv.random.SeedGenerator(3)

    def body(total, x):
        ops.cond(x > 1.5, lambda: count.assign_add(10.0), lambda: count.assign_add(1.0))
        return total + x * count, rv.random.uniform((), seed=seed)

    def run(start, state, xs):
        with rv.StatelessScope([(count, start), (seed.state, state)]) as scope:
            total, draws = ops.scan(body, 0.0, xs)
        return total, draws, scope.get_current_value(count), scope.get_current_value(seed.state)

    arguments = np.float32(100), np.int64([3, 0]), np.float32([1, 2])
    eager, native = run(*arguments), rv.jit(run)(*arguments)
    for a, b in zip(eager, native, strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(native[0]) == 101 + 2 * 111 and float(native[2]) == 111 and native[3].tolist() == [3, 2]
    assert float(count) == 0 and seed.state.numpy().tolist() == [3, 0]


def test_a_tape_in_a_scope_differentiates_by_the_scopes_values() -> None:
    v = rv.Variable(np.float32(1))

    def slope(x):
        with rv.StatelessScope([(v, x)]), rv.GradientTape() as tape:
            y = v * v
            return tape.gradient(y, v)

    assert float(rv.jit(slope)(5.0)) == 10


def test_refusals() -> None:
    v, metric = rv.Variable(np.float32([1, 2])), rv.metrics.Mean()
    with pytest.raises(ValueError, match="must be Variable instances"):
        rv.StatelessScope([(1, 2)])
    with pytest.raises(ValueError, match=r"shape \(2,\).*shape \(3,\)"):
        rv.StatelessScope([(v, [1.0, 2.0, 3.0])])
    with rv.StatelessScope(), pytest.raises(ValueError, match="stateless scope"):
        rv.Variable(1.0)
    with rv.StatelessScope() as scope, pytest.raises(ValueError, match="shape"):
        v.assign(1.0)
    assert scope.get_current_value(v) is None
    with pytest.raises(ValueError, match="`metric_variables`.* 1 for 2"):
        metric.stateless_update_state([0.0], 1.0)
    with pytest.raises(ValueError, match="must be built"):
        rv.optimizers.SGD().stateless_apply([], [1.0], [1.0])


def test_variables_share_their_memory_by_dlpack() -> None:
    v = rv.Variable(np.float32([1, 2, 3]))
    shared = np.from_dlpack(v)
    assert np.shares_memory(shared, v._array) and shared.tolist() == [1, 2, 3]
    v.assign([4.0, 5.0, 6.0])
    assert shared.tolist() == [4, 5, 6]
    assert np.shares_memory(np.asarray(v, copy=False), v._array)
    assert not np.shares_memory(np.asarray(v), v._array)
    assert np.asarray(v, dtype="float64").dtype == "float64"
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(v, dtype="float64", copy=False)


class Foreign:
    """An array of another library, as far as DLPack shows it."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_arrays_of_other_libraries_are_read_in_place() -> None:
    from ranvier.core.dtypes import as_array

    data = np.arange(12, dtype="float32").reshape(4, 3)
    foreign = Foreign(data)
    assert np.shares_memory(as_array(foreign), data)
    np.testing.assert_array_equal(ops.sum(foreign, axis=0), data.sum(axis=0))
    net = rv.Sequential([rv.layers.Dense(1)])
    net.compile("sgd", "mse")
    history = net.fit(foreign, Foreign(data[:, :1].copy()), verbose=0)
    assert np.isfinite(history.history["loss"][0])


def test_tensors_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    from ranvier.core.dtypes import as_array

    tensor = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    array = as_array(tensor)
    tensor[0, 0] = 7
    assert array[0, 0] == 7  # the same memory
    v = rv.Variable(np.float32([1, 2]))
    torch.from_dlpack(v)[0] = 5
    assert v.numpy().tolist() == [5, 2]


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_runs_that_change_variables_are_refused_inside(method) -> None:
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    net = rv.Sequential([rv.Input((2,)), rv.layers.Dense(1)])
    net.compile("sgd", "mse")
    net.predict(x, verbose=0)
    given = [(v, np.zeros(v.shape)) for v in net.variables]
    with rv.StatelessScope(given):
        with pytest.raises(ValueError, match=rf"`{method}\(\)` of model .* inside of a StatelessScope"):
            getattr(net, method)(x, y)
        for predict in (lambda: net.predict(x, verbose=0), lambda: net.predict_on_batch(x)):
            with pytest.raises(ValueError, match="inside of a StatelessScope"):
                predict()
    assert np.any(net.predict(x, verbose=0))


def test_the_loss_as_a_function_of_the_variables() -> None:
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    inputs = rv.Input((2,))
    dense = [rv.layers.Dense(1, kernel_regularizer="l2", kernel_initializer="ones") for _ in range(2)]
    net = rv.Model(inputs, [layer(inputs) for layer in dense])
    net.compile("sgd", "mse")
    groups = [net.trainable_variables, net.non_trainable_variables]
    values = [[2 * v.value for v in group] for group in groups]
    p = [3 * y, 4 * y]
    net.evaluate(x, [y, y], verbose=0)
    net.reset_metrics()
    metrics = [v.value for v in net.metrics_variables]
    loss, (trainable, fixed, after) = net.stateless_compute_loss(*values, metrics, x, [y, y], p)
    assert float(loss) == pytest.approx(4 + 9 + 2 * 0.01 * 2 * 4)  # regularized as given, not as it is
    np.testing.assert_array_equal(trainable[0], values[0][0])
    assert fixed == [] and max(float(v) for v in after) == 4 * 9  # the second output's mean counts
    assert all(float(v.numpy().max(initial=0)) <= 1 for v in [*net.variables, *net.metrics_variables])
    with pytest.raises(ValueError, match="`trainable_variables` must be a list of 4 values.* list of 3"):
        net.stateless_compute_loss(values[0][1:], [], metrics, x, [y, y], p)
