"""jit: what is traced, what is a constant of the signature, and what a program does to variables."""

from __future__ import annotations

import collections

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops
from ranvier.core.program_cache import ProgramCache


def counting(fn):
    """fn, and the list of its calls."""
    calls = []

    def counted(*args, **kwargs):
        calls.append(args)
        return fn(*args, **kwargs)

    return rv.jit(counted), calls


def test_one_program_for_each_signature() -> None:
    fn, calls = counting(lambda x, scale=1.0, training=False: x * scale if training else x)
    for _ in range(2):
        assert fn(np.float32([1, 2]), scale=3.0, training=True).tolist() == [3, 6]
        assert fn(np.float32([1, 2]), scale=4.0, training=True).tolist() == [4, 8]  # numbers are traced
        assert fn(np.float32([1, 2]), training=False).tolist() == [1, 2]  # flags are not
        assert fn(np.float32([1, 2, 3])).tolist() == [1, 2, 3]
        assert fn(np.int32([1, 2])).dtype == "int32"
    assert len(calls) == 4


def test_nests_in_and_out() -> None:
    Pair = collections.namedtuple("Pair", "first second")
    fn, calls = counting(
        lambda d: {"sum": d["b"] + d["a"][0], "pair": Pair(d["a"][1].first * 2.0, "text"), "n": None}
    )
    for _ in range(2):
        out = fn({"b": np.float32(1), "a": (2.0, Pair(np.float32([3]), None))})
        assert float(out["sum"]) == 3 and out["pair"].first.tolist() == [6]
        assert out["pair"].second == "text" and out["n"] is None
    assert len(calls) == 1


def test_variables_are_read_and_written_at_each_call() -> None:
    v = rv.Variable(np.float32([1, 2]))
    fn, calls = counting(lambda x: (v.assign_add(x), v)[1])
    assert fn(np.float32([1, 1])).tolist() == [2, 3]
    v.assign(np.float32([10, 20]))
    assert fn(np.float32([1, 1])).tolist() == [11, 21]
    assert v.numpy().tolist() == [11, 21] and len(calls) == 1


def test_variables_as_arguments_are_constants_of_the_signature() -> None:
    a, b = rv.Variable(np.float32(1)), rv.Variable(np.float32(1))
    fn, calls = counting(lambda v: v.assign_add(1.0))
    fn(a), fn(b), fn(a)
    assert (float(a), float(b), len(calls)) == (3, 2, 2)


def test_static_arguments_and_decorators() -> None:
    @rv.jit(static_argnums=1, static_argnames="axis")
    def tiled(x, n, axis=0):
        """Words."""
        return ops.concatenate([x] * n, axis=axis)

    assert tiled.__doc__ == "Words." and tiled.__name__ == "tiled"
    x = np.ones((2, 3), "float32")
    assert tiled(x, 2).shape == (4, 3) and tiled(x, 3, axis=1).shape == (2, 9)
    assert tiled(x, n=2).shape == (4, 3) and tiled(x, 3, 1).shape == (2, 9)
    assert rv.jit(lambda x, n: ops.concatenate([x] * n), static_argnums=-1)(x, 2).shape == (4, 3)
    assert rv.jit(lambda *args: args[2], static_argnums=2)(x, x, "s") == "s"
    for fn, static in ((lambda x: x, {"static_argnums": 1}), (lambda x: x, {"static_argnames": "y"})):
        with pytest.raises(ValueError, match=r"names (argument 1|'y')"):
            rv.jit(fn, **static)


@pytest.mark.parametrize("values", [(1, 1.0, True), (0.0, -0.0), ((1,), (1.0,), (True,)), ((), None, "")])
def test_static_arguments_that_are_equal_but_not_the_same(values) -> None:
    fn = rv.jit(lambda x, value: (x, repr(value)), static_argnums=1)
    for _ in range(2):
        assert [fn(1.0, value)[1] for value in values] == [repr(value) for value in values]
    assert len(fn._programs) == len(values)


def test_a_tensor_is_not_used_after_its_step() -> None:
    kept = []
    rv.jit(lambda x: kept.append(x * 2.0))(1.0)
    for use in (lambda: kept[0] + 1.0, lambda: rv.jit(lambda x: x + kept[0])(1.0), lambda: ops.exp(kept[0])):
        with pytest.raises(ValueError, match=r"test_jit\.py:\d+: .*cannot be kept and used after its step"):
            use()


def test_layers_inside_take_over_the_training_flag() -> None:
    class Thinned(rv.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = rv.layers.Dropout(0.5, seed=1)
            self.run = rv.jit(lambda x: self.dropout(x))

        def call(self, x):
            return self.run(x)

    layer, x = Thinned(), np.ones(64, "float32")
    for _ in range(2):
        assert layer(x).min() == 1 and layer(x, training=True).min() == 0
        assert layer(x, training=False).min() == 1


def test_the_fuzz_factor_is_a_part_of_the_signature() -> None:
    fn, before = rv.jit(rv.losses.categorical_crossentropy), rv.config.epsilon()
    y_true, y_pred = np.float32([[1, 0]]), np.float32([[0, 1]])
    fn(y_true, y_pred)
    try:
        rv.config.set_epsilon(0.01)
        assert fn(y_true, y_pred) == rv.losses.categorical_crossentropy(y_true, y_pred) < 5
    finally:
        rv.config.set_epsilon(before)


def test_in_a_stateless_scope_the_variables_keep_their_values() -> None:
    v = rv.Variable(np.float32([1, 2]))
    fn = rv.jit(lambda x: v.assign_add(x))
    fn(np.float32([1, 1]))
    with rv.StatelessScope([(v, np.float32([10, 20]))]) as scope:
        fn(np.float32([1, 1]))
    assert v.numpy().tolist() == [2, 3] and scope.get_current_value(v).tolist() == [11, 21]


def test_methods() -> None:
    class Counter:
        def __init__(self) -> None:
            self.v = rv.Variable(np.float32(0))

        @rv.jit
        def step(self, x):
            return self.v.assign_add(x)

    first, second = Counter(), Counter()
    assert float(first.step(1.0)) == 1 and float(first.step(2.0)) == 3 and float(second.step(5.0)) == 5


def test_a_loop_written_by_hand_learns_and_builds_at_the_first_call() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4)).astype("float32")
    y = np.tanh(x @ rng.normal(size=(4, 1))).astype("float32")
    rv.utils.set_random_seed(0)
    model = rv.Sequential(
        [rv.layers.Dense(16, activation="tanh"), rv.layers.Dropout(0.0), rv.layers.Dense(1)]
    )
    optimizer, metric = rv.optimizers.Adam(0.02), rv.metrics.Mean()

    @rv.jit
    def step(x, y):
        with rv.GradientTape() as tape:
            loss = ops.mean((model(x, training=True) - y) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        metric.update_state(loss)
        return loss

    losses = [float(step(x, y)) for _ in range(200)]
    assert losses[-1] < 0.02 * losses[0]
    assert float(metric.result()) == pytest.approx(np.mean(losses), rel=1e-5)
    assert int(optimizer.iterations) == 200


def test_random_numbers_are_drawn_anew() -> None:
    seed = rv.random.SeedGenerator(1)
    draw = rv.jit(lambda: [rv.random.normal((3,), seed=seed), rv.random.normal((3,))])
    (a, b), (c, d) = draw(), draw()
    assert not np.array_equal(a, c) and not np.array_equal(b, d)


def test_inside_another_trace_it_is_a_part() -> None:
    inner = rv.jit(lambda x: x * 2.0)
    assert float(rv.jit(lambda x: inner(x) + 1.0)(3.0)) == 7
    assert float(rv.grad(inner)(3.0)) == 2


@pytest.mark.parametrize(
    ("fn", "advice"),
    [
        (lambda x: 1.0 if ops.sum(x) > 0 else 2.0, "ops.where.*ops.cond.*run_eagerly"),
        (lambda x: float(x[0]), "the tensor itself"),
        (lambda x: np.asarray(x), "ranvier.ops"),
        (lambda x: x.numpy(), "ranvier.ops"),
        (lambda x: range(ops.argmax(x)), "fori_loop"),
        (lambda x: [1.0, 2.0][ops.argmax(x)], "ops.take"),
        (lambda x: x[: ops.argmax(x)], "ops.slice"),
        (lambda x: x[x > 0], "ops.where"),
        (lambda x: np.unwrap(x), "ranvier.ops"),
        (lambda x: ops.convert_to_numpy(x), "ranvier.ops"),
        (lambda x: x.__setitem__(0, 1.0), "ops.slice_update"),
        (lambda x: f"{x[0]:.2f}", "the tensor itself"),
        (lambda x: list(x[0]), "cannot be iterated"),
        (lambda x: len(x[0]), "no length"),
    ],
)
def test_values_that_python_needs_are_refused_with_the_line(fn, advice) -> None:
    with pytest.raises(TypeError, match=rf"test_jit\.py:\d+: (?s:.*){advice}"):
        rv.jit(fn)(np.float32([1, 2]))


def test_reading_a_variable_as_numbers_is_refused() -> None:
    v = rv.Variable(np.float32(1))
    for use in (float, np.asarray, lambda v: v.numpy(), bool):
        with pytest.raises(TypeError, match=r"test_jit\.py:\d+"):
            rv.jit(lambda use=use: use(v))()


def test_variables_are_not_made_while_a_step_is_traced() -> None:
    for make in (lambda: rv.Variable(1.0, name="v"), rv.metrics.Mean, lambda: rv.optimizers.SGD(0.1)):
        with pytest.raises(ValueError, match=r"test_jit\.py:\d+: A Variable.*`__init__` or `build`"):
            rv.jit(lambda make=make: make() and None)()


@pytest.mark.parametrize(
    "make",
    [
        lambda: rv.layers.Dense(2),
        lambda: rv.Sequential([rv.layers.Flatten(), rv.layers.Dense(2)]),
        lambda: rv.Model(x := rv.Input((3,)), rv.layers.Dense(2)(x)),
    ],
)
def test_layers_with_weights_are_not_made_while_a_step_is_traced(make) -> None:
    """Each program would have weights of its own, which nobody trains."""

    class Makes(rv.Layer):
        def call(self, x):
            return make()(x)

    x = np.ones((4, 3), "float32")
    for call in (rv.jit(lambda x: make()(x)), rv.Sequential([Makes()]).predict):
        with pytest.raises(ValueError, match=r"test_jit\.py:\d+: A Variable named 'kernel' was made"):
            call(x)
    assert Makes()(x).shape == (4, 2)  # outside of a step it is a layer like any other
    assert rv.jit(lambda x: rv.layers.Add()([rv.layers.Flatten()(x), x]))(x).shape == (4, 3)


def test_layers_that_a_build_or_a_layer_makes_for_itself_are_no_strays() -> None:
    class Builds(rv.Layer):
        def build(self, shape):
            inner = rv.Sequential([rv.layers.Dense(2)])
            self.inner = {"all": [inner]}

        def call(self, x):
            return self.inner["all"][0](x)

    net = rv.Sequential([Builds()])
    assert rv.jit(net)(np.ones((4, 3), "float32")).shape == (4, 2) and len(net.weights) == 2


def test_programs_that_take_much_memory_are_dropped() -> None:
    fn, calls = counting(lambda x: ops.exp(x) @ ops.ones((x.shape[1], 1)))
    fn._programs = ProgramCache(most_bytes=100_000)
    for n in (1, 2, 3, 4, 5):
        fn(np.zeros((n, 5_000), "float32"))  # 20 kB a row
    assert len(fn._programs) == 2
    fn(np.zeros((5, 5_000), "float32"))
    assert len(calls) == 5


def test_refusals() -> None:
    with pytest.raises(TypeError, match="takes a function"):
        rv.jit(3)
