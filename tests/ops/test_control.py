"""Control flow: one table of functions, run by Python, natively, fused and not, and differentiated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.tracing import numeric_gradient

import ranvier as rv
from ranvier import _core, ops
from ranvier.core import tree
from ranvier.core.eager_trace import EagerTrace
from ranvier.core.trace import Trace

RNG = np.random.default_rng(5)
X = RNG.normal(size=(7, 3)) * 0.5
W = RNG.normal(size=(3, 3)) * 0.5
S = np.array(0.3)


def rnn(x, w):
    return ops.scan(lambda h, x: (ops.tanh(x + h @ w), ops.sum(h)), ops.zeros((3,), "float64"), x)


def nested(x, w):
    def outer(c, row):
        inner = ops.fori_loop(0, 3, lambda i, v: ops.sin(v @ w) + ops.cast(i, "float64") * 0.1, row)
        return c + ops.cond(ops.sum(inner) > 0, lambda: inner * c, lambda: ops.exp(-inner)), inner

    return ops.scan(outer, ops.ones((3,), "float64"), x)


def in_a_branch(x, w):
    return ops.switch(
        ops.argmax(ops.sum(x, axis=0)), [lambda v: v @ w, lambda v: ops.sum(v) * w, lambda v: v[:3]], x[:3]
    )


# name -> (a function, its arguments, whether it has a gradient)
TABLE: dict[str, tuple[Callable[..., Any], tuple[Any, ...], bool]] = {
    "cond": (lambda s: ops.cond(s > 0, lambda: s * s, lambda: -s), (S,), True),
    "cond of a false predicate": (lambda s: ops.cond(s > 1, lambda: s * s, lambda: [-s][0]), (S,), True),
    "cond with a nest": (
        lambda s: ops.cond(s > 0, lambda: {"a": s, "b": (s * 2, None)}, lambda: {"a": -s, "b": [s, None]}),
        (S,),
        True,
    ),
    "switch": (in_a_branch, (X, W), True),
    "switch out of range": (
        lambda s: ops.switch(ops.cast(s * 100, "int32"), [lambda: s, lambda: s**3.0], *()),
        (S,),
        True,
    ),
    "scan": (rnn, (X, W), True),
    "scan in reverse": (lambda x: ops.scan(lambda c, v: (c * v, c), np.ones(3), x, reverse=True), (X,), True),
    "scan without slices": (lambda s: ops.scan(lambda c, _: (ops.sin(c), None), s, length=5)[0], (S,), True),
    "scan of nothing": (lambda s: ops.scan(lambda c, _: (ops.sin(c), None), s, length=0)[0], (S,), True),
    "scan that passes on": (lambda x: ops.scan(lambda c, v: ((c[1], c[0]), v), (x[0], x[1]), x), (X,), True),
    "scan with integers": (
        lambda x: ops.scan(lambda c, v: ((c[0] + 1, c[1] * v[0]), c[0]), (0, 1.0), x)[0][1],
        (X,),
        True,
    ),
    "scan of two": (
        lambda x, w: ops.scan(lambda c, p: (c + p["a"] * p["b"], None), np.zeros(3), {"a": x[:3], "b": w}),
        (X, W),
        True,
    ),
    "nested": (nested, (X, W), True),
    "map": (lambda x, w: ops.map(lambda row: ops.softmax(row @ w), x), (X, W), True),
    "vectorized_map": (lambda x: ops.vectorized_map(lambda row: ops.sum(row**2.0), x), (X,), True),
    "fori_loop": (
        lambda s: ops.fori_loop(2, 6, lambda i, v: v * s + ops.cast(i, "float64"), 1.0),
        (S,),
        True,
    ),
    "fori_loop that never runs": (lambda s: ops.fori_loop(3, 3, lambda i, v: v * 0.0, s), (S,), True),
    "fori_loop with a tensor": (
        lambda s: ops.fori_loop(0, ops.cast(s * 10, "int32"), lambda i, v: v + s, s),
        (S,),
        False,
    ),
    "while_loop": (lambda s: ops.while_loop(lambda v: v < 100.0, lambda v: v * (1 + s), 1.0), (S,), False),
    "while_loop with a limit": (
        lambda s: ops.while_loop(
            lambda i, v: v < 100.0, lambda i, v: (i + 1, v + s), (0, s), maximum_iterations=4
        ),
        (S,),
        False,
    ),
    "while_loop of a list": (
        lambda x: ops.while_loop(lambda a, b: ops.sum(a) < 50, lambda a, b: [a + b, b * 1.5], [x, x**2.0]),
        (X,),
        False,
    ),
    "custom_gradient": (lambda x: stable(x), (X,), True),
}
NAMES = list(TABLE)
KEPT = rv.Variable(np.zeros(3, "float32"))


@ops.custom_gradient
def stable(x):
    e = ops.exp(x)
    return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))


def flat(nest: Any) -> list[Any]:
    return [leaf for leaf in tree.flatten(nest) if leaf is not None]


def total(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The sum of all float results, differently weighted."""

    def summed(*args: Any) -> Any:
        parts = [ops.sum(ops.cast(y, "float64") * (1.0 + 0.1 * i)) for i, y in enumerate(flat(fn(*args)))]
        return sum(parts[1:], parts[0])

    return summed


def compiled(fn: Callable[..., Any], arrays: tuple[Any, ...], fuse: bool = True) -> list[np.ndarray]:
    with Trace() as trace:
        inputs = [trace.input(np.shape(a), "float64") for a in arrays]
        program = trace.compile(flat(fn(*inputs)), fuse=fuse)
    return program.run([np.asarray(a) for a in arrays])


@pytest.mark.parametrize("name", NAMES)
def test_python_and_native_agree(name: str) -> None:
    fn, arrays, _ = TABLE[name]
    with EagerTrace() as trace:  # where operators are ops, not NumPy's
        expected = [np.asarray(y) for y in flat(fn(*(trace.leaf(a) for a in arrays)))]
    for y, other in zip(expected, flat(fn(*arrays)), strict=True):
        np.testing.assert_allclose(other, y, rtol=1e-12)
    for fuse in (True, False):
        for a, b in zip(compiled(fn, arrays, fuse), expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name][2]])
def test_gradients(name: str) -> None:
    fn, arrays, _ = TABLE[name]
    argnums = tuple(range(len(arrays)))
    native = rv.jit(rv.grad(total(fn), argnums))(*arrays)
    eager = rv.grad(total(fn), argnums)(*arrays)
    for i, (a, b) in enumerate(zip(native, eager, strict=True)):
        # Forward and backward add the same terms, but through a loop in another order than one by one.
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
        numeric = numeric_gradient(total(fn), [np.asarray(v) for v in arrays], i)
        np.testing.assert_allclose(a, numeric, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["scan", "nested", "switch", "fori_loop", "scan in reverse"])
def test_second_derivatives(name: str) -> None:
    fn, arrays, _ = TABLE[name]
    squared = lambda *args: ops.sum(rv.grad(total(fn))(*args) ** 2.0)  # noqa: E731
    native = rv.jit(rv.grad(squared))(*arrays)
    np.testing.assert_allclose(native, rv.grad(squared)(*arrays), rtol=1e-10, atol=1e-12)
    numeric = numeric_gradient(squared, [np.asarray(v) for v in arrays])
    np.testing.assert_allclose(native, numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, v: ops.scan(lambda c, r: ((c[0] + r * r, ops.sqrt(c[1]) * v[0]), r), (x[0], x[1]), x)[0][0],
        lambda x, v: ops.scan(lambda c, r: (c + r * ops.stop_gradient(v[2]), ops.sqrt(r)), x[0], x)[0],
        lambda x, v: ops.fori_loop(0, 3, lambda i, c: (c[0] + c[1], c[1], ops.sqrt(c[2])), (x, x, v))[0],
        lambda x, v: ops.cond(x[0] > 0, lambda: (x * x, ops.sqrt(x * v)), lambda: (x, v))[0],
        lambda x, v: rv.remat(lambda z: (z * z, ops.sqrt(z * v)))(x)[0],
    ],
)
def test_what_no_gradient_reaches_has_none(fn) -> None:
    """Zeros instead would be NaN behind a square root of zero; and they would hide that there is no path."""
    v = rv.Variable(np.float32([0, 0, 2]))

    def step(x):
        with rv.GradientTape() as outer:
            x = outer.watch(x)
            with rv.GradientTape() as tape:
                tape.watch(x)
                loss = ops.sum(fn(x, v))
            gradients = tape.gradient(loss, [x, v])
            penalty = ops.sum(gradients[0] ** 2)
        return [*gradients, *outer.gradient(penalty, [x, v])]

    x = np.float32([1, 0, 2])
    native, eager = rv.jit(step)(x), step(x)
    assert native[1] is None and np.isfinite(native[0]).all()
    for a, b in zip(native, eager, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_the_same_bits_on_any_number_of_threads() -> None:
    count = _core.num_threads()
    x, w = RNG.normal(size=(5, 64, 256)).astype("float32"), RNG.normal(size=(256, 256)).astype("float32") / 16
    loss = lambda x, w: ops.sum(ops.scan(lambda h, v: (ops.tanh(v + h @ w), None), x[0], x)[0])  # noqa: E731
    try:
        results = []
        for threads in (1, 2, 4):
            _core.set_num_threads(threads)
            results.append(rv.jit(rv.grad(loss, (0, 1)))(x, w))
    finally:
        _core.set_num_threads(count)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_bits_do_not_depend_on_the_instruction_set() -> None:
    code = (
        "import numpy as np, ranvier as rv; from ranvier import ops\n"
        "x = np.random.default_rng(0).normal(size=(6, 5, 40)).astype('float32'); w = x[0].T @ x[1] / 8\n"
        "f = lambda x, w: ops.sum(ops.scan(lambda h, v: (ops.tanh(v + h @ w), None), x[0], x)[0])\n"
        "import hashlib; gs = rv.jit(rv.grad(f, (0, 1)))(x, w)\n"
        "print(hashlib.sha256(b''.join(g.tobytes() for g in gs)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "RANVIER_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for isa in _core.build_info()["isas_supported"]
    }
    assert len(digests) == 1


def test_variables_that_bodies_assign() -> None:
    count, last, steps = rv.Variable(0), rv.Variable(np.float32(0)), rv.Variable(np.float32(1))

    def body(c, x):
        count.assign_add(1)
        last.assign(x * steps)
        ops.cond(x > 1.5, lambda: steps.assign(steps * 2.0), lambda: steps.value)
        return c + last, count.value

    def run(xs):
        return ops.scan(body, 0.0, xs)

    results = []
    for fn in (run, rv.jit(run)):
        for v, start in ((count, 0), (last, 0), (steps, 1)):
            v.assign(np.asarray(start, v.dtype))
        results.append([*flat(fn(np.float32([1, 2, 3]))), count.numpy(), last.numpy(), steps.numpy()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [float(v) for v in results[0][2:]] == [3, 6, 4]

    count.assign(0)
    rv.jit(lambda n: ops.while_loop(lambda i: i < n, lambda i: (count.assign_add(2), i + 1)[1], 0))(5)
    assert int(count) == 10


def test_random_numbers_in_a_loop_differ_and_repeat() -> None:
    def draws():
        seed = rv.random.SeedGenerator(3)
        fn = lambda: ops.scan(lambda c, _: (c, rv.random.normal((2,), seed=seed)), 0.0, length=4)[1]  # noqa: E731
        return fn, rv.jit(fn)

    eager, _ = draws()
    _, native = draws()
    first = native()
    np.testing.assert_array_equal(first, eager())
    assert len(np.unique(first)) == 8 and not np.array_equal(native(), first)


def test_a_long_loop_is_one_step_and_plans_at_once() -> None:
    began = time.perf_counter()
    with Trace() as trace:
        x, w = trace.input((20_000, 4)), trace.input((4, 4))
        loss = ops.sum(ops.scan(lambda h, v: (ops.tanh(v + h @ w), None), ops.zeros((4,)), x)[0])
        program = trace.compile(trace.gradients(loss, [w]))
    assert program.step_count < 20
    result = program.run([np.zeros((20_000, 4), "float32"), np.eye(4, dtype="float32")])[0]
    assert result.tolist() == np.zeros((4, 4)).tolist()
    assert time.perf_counter() - began < 5


def test_a_history_that_no_derivative_needs_is_not_kept() -> None:
    def program(derived: bool):
        with Trace() as trace:
            x = trace.input((1000, 1000))
            last, _ = ops.scan(lambda c, v: (c + v, None), ops.zeros((1000,)), x)
            return trace.compile(trace.gradients(ops.sum(last), [x]) if derived else [last])

    assert program(False).arena_bytes < 4.2e6  # the input, and little else
    assert program(True).arena_bytes < 8.3e6


def test_only_one_branch_runs() -> None:
    fn = rv.jit(lambda x, i: ops.cond(i < 3, lambda: ops.take(x, i, axis=0), lambda: x[0]))
    x = np.float32([5, 6, 7])
    assert [float(fn(x, i)) for i in (2, 1, 100)] == [7, 6, 5]  # row 100 would be refused


def test_data_refused_inside_a_loop_changes_nothing() -> None:
    v = rv.Variable(np.float32(0))

    @rv.jit
    def fn(table, indices):
        total, _ = ops.scan(lambda c, i: (c + ops.take(table, i, axis=0), None), 0.0, indices)
        v.assign(total)
        return total

    table = np.float32([1, 2, 3])
    assert float(fn(table, np.int32([0, 2, 2]))) == 7 == float(v)
    with pytest.raises(ValueError, match=r"index 3.*\[0, 3\)"):
        fn(table, np.int32([0, 3, 0]))
    assert float(v) == 7


def test_ctrl_c_leaves_an_endless_loop() -> None:
    v = rv.Variable(np.float32(1))
    fn = rv.jit(lambda: v.assign(ops.while_loop(lambda x: x > 0.0, lambda x: x * 1.0, v.value)))
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        fn()
    assert float(v) == 1


def test_scan_in_a_layer_learns_through_fit() -> None:
    class Running(rv.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight((shape[-1], shape[-1]), "orthogonal")

        def call(self, x):
            steps = ops.transpose(x, (1, 0, 2))
            return ops.scan(lambda h, v: (ops.tanh(v + h @ self.w), None), ops.zeros_like(steps[0]), steps)[0]

    rv.utils.set_random_seed(0)
    x = RNG.normal(size=(256, 6, 4)).astype("float32")
    y = x[:, 0, :1]  # the first step has to be remembered
    net = rv.Sequential([rv.layers.Dense(8), Running(), rv.layers.Dense(1)])
    net.compile(rv.optimizers.Adam(0.01), "mse")
    losses = net.fit(x, y, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


def test_a_whole_epoch_of_training_in_one_loop() -> None:
    xs = RNG.normal(size=(10, 16, 4)).astype("float32")
    ys = np.sum(xs, axis=2, keepdims=True) ** 2

    def setup():
        rv.utils.set_random_seed(4)
        net = rv.Sequential([rv.Input((4,)), rv.layers.Dense(8, activation="tanh"), rv.layers.Dropout(0.1)])
        net.add(rv.layers.Dense(1))
        optimizer, metric = rv.optimizers.Adam(0.01), rv.metrics.Mean()
        optimizer.build(net.trainable_variables)

        def step(x, y):
            with rv.GradientTape() as tape:
                loss = ops.mean((net(x, training=True) - y) ** 2.0)
            optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
            metric.update_state(loss)
            return loss

        return step, [*net.variables, *optimizer.variables, *metric.variables]

    step, variables = setup()
    epoch = rv.jit(lambda xs, ys: ops.map(lambda batch: step(*batch), (xs, ys)))
    losses = [epoch(xs, ys) for _ in range(3)]
    step, others = setup()
    by_hand = rv.jit(step)
    expected = [[by_hand(x, y) for x, y in zip(xs, ys, strict=True)] for _ in range(3)]
    np.testing.assert_array_equal(losses, expected)
    for a, b in zip(variables, others, strict=True):
        np.testing.assert_array_equal(a, b)


def test_associative_scan_is_a_running_total() -> None:
    x = RNG.normal(size=(11, 3))
    np.testing.assert_allclose(ops.associative_scan(ops.add, x), np.cumsum(x, axis=0), rtol=1e-12)
    np.testing.assert_allclose(ops.associative_scan(ops.add, x, axis=1), np.cumsum(x, axis=1), rtol=1e-12)
    expected = np.cumsum(x[::-1], axis=0)[::-1]
    np.testing.assert_allclose(ops.associative_scan(ops.add, x, reverse=True), expected, rtol=1e-12)

    def compose(first, second):  # of linear functions a v + b
        return {"a": first["a"] * second["a"], "b": second["a"] * first["b"] + second["b"]}

    both = rv.jit(lambda a, b: ops.associative_scan(compose, {"a": a, "b": b}))(x[:, 0], x[:, 1])
    v, values = 0.0, []
    for a, b in x[:, :2]:
        v = a * v + b
        values.append(v)
    np.testing.assert_allclose(both["b"], values, rtol=1e-10)


def test_custom_gradients() -> None:
    @ops.custom_gradient
    def doubled_back(x, y):
        return x * y, lambda g: (g * y * 2.0, None)

    gradients = rv.grad(lambda x, y: ops.sum(doubled_back(x, y)), (0, 1))
    x, y = np.float32([1, 2]), np.float32([3, 4])
    for fn in (gradients, rv.jit(gradients)):
        a, b = fn(x, y)
        assert a.tolist() == [6, 8] and b.tolist() == [0, 0]
    assert doubled_back(x, y).tolist() == [3, 8]
    np.testing.assert_allclose(
        rv.grad(stable)(100.0), 1.0
    )  # exp(100) overflows float32; the plain rule gives NaN


def test_a_custom_gradient_of_several_tensors_gets_all_gradients_together() -> None:
    @ops.custom_gradient
    def split(x):
        def rule(g):  # not linear, so the two cannot be taken one by one
            return ops.maximum(ops.sum(g["a"]), g["b"][0]) * ops.ones_like(x)

        return {"a": x * 2.0, "b": x[:1]}, lambda *gs: rule(dict(zip("ab", gs, strict=True)))

    def loss(x):
        parts = split(x)
        return ops.sum(parts["a"]) + 7.0 * parts["b"][0]

    for fn in (rv.grad(loss), rv.jit(rv.grad(loss))):
        assert fn(np.float32([1, 2])).tolist() == [7, 7]
    assert ops.convert_to_numpy(split(np.float32([1, 2]))["a"]).tolist() == [2, 4]


@pytest.mark.parametrize("name", ["scan", "nested", "switch", "cond", "fori_loop"])
def test_jvp_is_the_gradient_in_a_direction(name: str) -> None:
    fn, arrays, _ = TABLE[name]
    directions = tuple(np.asarray(RNG.normal(size=np.shape(a))) for a in arrays)
    along = lambda *args: ops.jvp(total(fn), args, directions)  # noqa: E731
    gradients = rv.grad(total(fn), tuple(range(len(arrays))))(*arrays)
    expected = sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))
    for value, moved in (along(*arrays), rv.jit(along)(*arrays)):
        np.testing.assert_allclose(value, total(fn)(*arrays), rtol=1e-12)
        np.testing.assert_allclose(moved, expected, rtol=1e-9)


def test_jvp_of_nests_and_with_aux() -> None:
    x, d = np.float32([1, 2]), np.float32([1, 0])
    for run in (lambda f: f(), lambda f: rv.jit(f)()):
        (s, t), (ds, dt), aux = run(
            lambda: ops.jvp(lambda v: ((ops.sin(v), np.float32(3)), {"v": v}), (x,), (d,), has_aux=True)
        )
        np.testing.assert_allclose(s, np.sin(x), rtol=1e-6)
        np.testing.assert_allclose(ds, np.cos(x) * d, rtol=1e-6)
        assert t == 3 and dt == 0 and aux["v"].tolist() == [1, 2]
    for primals, tangents in (((x,), [d]), ((x,), (d[:1],)), ((np.int32([1]),), (np.int32([1]),))):
        with pytest.raises(TypeError, match="jvp|primals"):
            ops.jvp(lambda v: v, primals, tangents)


def test_remat_saves_memory_and_changes_nothing() -> None:
    w = RNG.normal(size=(64, 64)).astype("float32") / 8

    def block(x):
        for _ in range(12):
            x = ops.tanh(x @ w)
        return x

    def program(f):
        with Trace() as trace:
            x = trace.input((256, 64))
            loss = ops.sum(f(f(f(x))))
            return trace.compile([loss, *trace.gradients(loss, [x])])

    plain, saving = program(block), program(rv.remat(block))
    x = RNG.normal(size=(256, 64)).astype("float32")
    for a, b in zip(plain.run([x]), saving.run([x]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert saving.arena_bytes < 0.7 * plain.arena_bytes
    with pytest.raises(TypeError, match="takes a function"):
        rv.remat(3)


@pytest.mark.parametrize(
    ("fn", "error", "message"),
    [
        (lambda x: ops.cond(x, lambda: x, lambda: x), ValueError, r"scalar `pred`.*\(3,\)"),
        (lambda x: ops.cond(x[0] > 0, lambda: x, lambda: x[0]), ValueError, r"float32\[\] and float32\[3\]"),
        (lambda x: ops.cond(x[0] > 0, lambda: x, lambda: (x,)), ValueError, "different structure"),
        (lambda x: ops.switch(0, []), ValueError, "at least one branch"),
        (lambda x: ops.switch(x[0], [lambda: x]), ValueError, "integer scalar"),
        (lambda x: ops.scan(lambda c, v: (c, v), x), ValueError, "`length` not provided"),
        (lambda x: ops.scan(lambda c, v: (c, v), x, x, length=4), ValueError, r"Expected 4 slices.*\(3,\)"),
        (lambda x: ops.scan(lambda c, v: c, 0.0, x), ValueError, "must return a pair"),
        (
            lambda x: ops.scan(lambda c, v: (x, v), 0.0, x),
            ValueError,
            r"carry of scan\(\).*float32\[\] and float32\[3\]",
        ),
        (lambda x: ops.scan(3, 0.0, x), TypeError, "callable"),
        (lambda x: ops.scan(lambda c, v: (c, v), 0.0, x, unroll=-1), ValueError, "unroll"),
        (lambda x: ops.while_loop(lambda v: v > 0, lambda v: v, x), ValueError, r"scalar.*\(3,\)"),
        (
            lambda x: ops.while_loop(lambda v: v[0] > 0, lambda v: v[0], x),
            ValueError,
            "variables of while_loop",
        ),
        (lambda x: ops.fori_loop(0, 2, lambda i, v: (v, v), x), ValueError, "different structure"),
        (lambda x: ops.fori_loop(0.5, 2, lambda i, v: v, x), TypeError, "integer"),
        (lambda x: ops.custom_gradient(lambda v: v)(x), TypeError, "gradient function"),
        (lambda x: ops.custom_gradient(lambda v: (v, KEPT.assign))(x), ValueError, "cannot assign"),
        (
            lambda x: ops.custom_gradient(lambda v: (v, lambda g: (g, g)))(x),
            ValueError,
            "each of 1 arguments",
        ),
        (
            lambda x: rv.grad(lambda v: ops.while_loop(lambda a: a < 9, lambda a: a * v, 1.0))(x[0]),
            ValueError,
            "ops.scan",
        ),
    ],
)
def test_refusals(fn, error, message) -> None:
    with pytest.raises(error, match=message):
        rv.jit(fn)(np.float32([1, 2, 3]))


def test_losses_of_a_body_are_refused() -> None:
    class Adding(rv.layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return x

    layer = Adding(name="adding")
    with pytest.raises(ValueError, match=r"'adding' calls `add_loss\(\)` in the body"):
        rv.jit(lambda x: ops.map(layer, x))(X)


def test_values_of_a_body_do_not_leave_it() -> None:
    kept = []

    def leaking(x):
        ops.scan(lambda c, v: (kept.append(v), (c, v))[1], 0.0, x)
        return kept[0] * 2.0

    with pytest.raises(ValueError, match="another trace"):
        rv.jit(leaking)(np.float32([1, 2]))
