"""The compiler's promise: fused or not, on one thread or several, a program gives the same bits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from ranvier import _core, ops
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable

UNARY = [ops.exp, ops.tanh, ops.sigmoid, ops.relu, ops.square, ops.negative, ops.abs, ops.softplus]
BINARY = [ops.add, ops.subtract, ops.multiply, ops.maximum, ops.minimum]
SHAPES = [(5, 7), (1, 7), (5, 1), (7,), (), (5, 7)]


def random_graph(trace: Trace, rng: np.random.Generator, variables: list[Variable], nodes: int) -> list:
    """Values of assorted shapes, all within (-4, 4) so that exp does not run away."""
    values = [trace.input(shape) for shape in SHAPES] + [v.value for v in variables]
    for _ in range(nodes):
        kind = rng.integers(0, 10)
        x = values[rng.integers(len(values))]
        if kind < 3:
            y = UNARY[rng.integers(len(UNARY))](ops.tanh(x))
        elif kind < 7:
            y = BINARY[rng.integers(len(BINARY))](x, values[rng.integers(len(values))])
        elif kind == 7 and len(x.shape) == 2:
            y = ops.reshape(ops.transpose(x), x.shape[::-1])
            if y.shape == (7, 5):
                y = ops.matmul(x, y)[:, :1] * 0.1
        elif kind == 8 and len(x.shape) == 2:
            y = ops.mean(x, axis=int(rng.integers(2)), keepdims=bool(rng.integers(2)))
        else:
            y = ops.where(x > 0.1, x, 0.5)
        if y.shape in {*SHAPES}:
            values.append(ops.tanh(y) if rng.integers(2) else y)
    return values


@pytest.mark.parametrize("seed", range(12))
def test_fused_programs_equal_unfused_ones(seed: int) -> None:
    def build(fuse: bool):
        rng = np.random.default_rng(seed)
        shapes = ((5, 7), (7,), (), (5, 1))
        variables = [Variable(rng.normal(size=shape).astype("float32")) for shape in shapes]
        with Trace() as trace:
            values = random_graph(trace, rng, variables, 40)
            loss = ops.sum(ops.tanh(values[-1])) + ops.sum(ops.tanh(values[-2]))
            gradients = trace.gradients(loss, variables)
            for v, gradient in zip(variables, gradients, strict=True):
                if gradient is not None:
                    v.assign(v - 0.1 * ops.tanh(gradient))
            inputs = [rng.normal(size=shape).astype("float32") for shape in SHAPES]
            program = trace.compile([loss, *values[-6:]], fuse=fuse)
        results = [program.run(inputs) for _ in range(3)]
        return [array for result in results for array in result] + [v.numpy() for v in variables]

    for fused, unfused in zip(build(True), build(False), strict=True):
        np.testing.assert_array_equal(fused, unfused)


VECTORS = [((1, 70), (70, 35)), ((35, 70), (70, 1)), ((1, 70), (70, 1)), ((35, 1), (1, 70))]
VECTORS += [
    ((3, 1, 70), (70, 35)),
    ((3, 1, 70), (3, 70, 35)),
    ((3, 5, 70), (70, 1)),
    ((1, 1, 70), (1, 70, 5)),
]
FLIPS = list(itertools.product((False, True), repeat=2))


def flipped(x: np.ndarray, flip: bool) -> np.ndarray:
    return np.ascontiguousarray(x.swapaxes(-1, -2) if flip else x)


@pytest.mark.parametrize("shapes", VECTORS)
def test_a_transposition_changes_no_order_of_sums(shapes: list[tuple[int, int]]) -> None:
    """A product that is a vector is summed in increasing k or in strips, by how its operands were given."""
    rng = np.random.default_rng(1)
    operands = [rng.normal(size=shape).astype("float32") for shape in shapes]
    for flips in FLIPS:
        stored = [flipped(x, flip) for x, flip in zip(operands, flips, strict=True)]
        results, steps = [], []
        for fuse in (True, False):
            with Trace() as trace:
                given = [trace.input(x.shape) for x in stored]
                a, b = (ops.swapaxes(x, -1, -2) if flip else x for x, flip in zip(given, flips, strict=True))
                y = ops.matmul(a, b)
                program = trace.compile([y, *trace.gradients(ops.sum(ops.sin(y)), [a, b])], fuse=fuse)
            results.append(program.run(stored))
            steps.append(program.step_count)
        assert steps[0] < steps[1]
        for fused, unfused in zip(*results, strict=True):
            np.testing.assert_array_equal(fused, unfused)


@pytest.mark.parametrize("units", [1, 5, 40])
def test_a_row_is_the_same_alone_and_among_others(units: int) -> None:
    """Forward, also against a matrix that was transposed."""
    rng = np.random.default_rng(2)
    x, w = (rng.normal(size=shape).astype("float32") for shape in ((33, 130), (130, units)))
    for flip in (False, True):

        def forward(rows: np.ndarray, flip: bool = flip) -> np.ndarray:
            with Trace() as trace:
                left, right = trace.input(rows.shape), trace.input(flipped(w, flip).shape)
                program = trace.compile([ops.matmul(left, ops.transpose(right) if flip else right)])
            return program.run([rows, flipped(w, flip)])[0]

        among = forward(x)
        np.testing.assert_array_equal(forward(x[:, None])[:, 0], among)
        for i in (0, 32):
            np.testing.assert_array_equal(forward(x[i : i + 1]), among[i : i + 1])


def test_fusion_makes_fewer_steps() -> None:
    with Trace() as trace:
        x, w, b = trace.input((64, 32)), trace.input((32, 16)), trace.input((16,))
        y = ops.tanh(x @ w + b) * 2.0
        assert trace.compile([y]).step_count == 1  # the product with the chain as its epilogue
        assert trace.compile([y], fuse=False).step_count == 4


@pytest.mark.parametrize(
    ("product", "shape", "operand", "steps"),
    [
        # (m, n) of the product, its shape for the chain, the chain's other operand, steps
        ((6, 8), (2, 3, 8), (8,), 1),
        ((6, 8), (2, 3, 8), (2, 3, 8), 1),
        ((6, 8), (2, 3, 8), (3, 1), 1),
        ((6, 8), (2, 3, 8), (2, 1, 1), 1),
        ((6, 8), (2, 3, 2, 4), (2, 4), 1),
        ((6, 8), (2, 3, 2, 4), (), 1),
        ((6, 8), (6, 1, 8), (6, 1, 8), 1),
        ((6, 8), (2, 3, 2, 4), (4,), 2),  # repeats within a row of the product
        ((6, 8), (2, 3, 2, 4), (2, 1), 2),
        ((6, 8), (8, 6), (6,), 2),  # other rows
        ((6, 8), (48,), (48,), 2),
        ((6, 1), (2, 3), (3,), 2),
        ((6, 1), (2, 3, 1), (3, 1), 1),
        ((1, 8), (2, 4), (4,), 2),
        ((1, 8), (2, 4), (2, 4), 1),
        ((40, 70), (4, 10, 7, 10), (10, 7, 10), 1),
        ((40, 70), (4, 10, 7, 10), (4, 1, 7, 10), 1),
    ],
)
def test_an_epilogue_through_a_reshape(product: tuple, shape: tuple, operand: tuple, steps: int) -> None:
    rng = np.random.default_rng(0)
    m, n = product
    inputs = [rng.normal(size=size).astype("float32") for size in ((m, 5), (5, n), operand)]
    with Trace() as trace:
        a, b, c = (trace.input(x.shape) for x in inputs)
        reshaped = ops.reshape(ops.matmul(a, b), shape)
        programs = [trace.compile([ops.tanh(reshaped + c) * reshaped], fuse=fuse) for fuse in (True, False)]
    assert programs[0].step_count == steps
    fused, unfused = (program.run(inputs)[0] for program in programs)
    np.testing.assert_array_equal(fused, unfused)
    expected = (inputs[0] @ inputs[1]).reshape(shape)
    np.testing.assert_allclose(fused, np.tanh(expected + inputs[2]) * expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("pool", [ops.average_pool, ops.max_pool])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("shape", "operand", "steps"),
    [
        ((2, 8, 6, 5), (5,), 1),
        ((2, 8, 6, 5), (2, 4, 3, 1), 1),
        ((2, 8, 6, 5), (3, 5), 1),
        ((2, 9, 7, 1), (1,), 1),  # a single column
        ((3, 12, 4), (4,), 1),
        ((8, 64, 64, 16), (16,), 1),  # many tasks
        ((0, 8, 6, 5), (5,), 1),
        ((2, 8, 6, 0), (0,), 1),
    ],
)
def test_pooling_takes_the_chain_that_follows(
    pool: Any, threads: int, shape: tuple, operand: tuple, steps: int
) -> None:
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=size).astype("float32") for size in (shape, operand)]
    before = _core.num_threads()
    _core.set_num_threads(threads)
    try:
        with Trace() as trace:
            x, bias = (trace.input(array.shape) for array in inputs)
            pooled = ops.relu(pool(x, 2) + bias)
            programs = [trace.compile([pooled], fuse=fuse) for fuse in (True, False)]
    finally:
        _core.set_num_threads(before)
    assert programs[0].step_count == steps
    fused, unfused = (program.run(inputs)[0] for program in programs)
    np.testing.assert_array_equal(fused, unfused)
    np.testing.assert_array_equal(fused, np.maximum(np.asarray(pool(inputs[0], 2)) + inputs[1], 0))


def test_a_pooled_image_that_others_read_too_is_a_step_of_its_own() -> None:
    x = np.random.default_rng(0).normal(size=(2, 8, 6, 5)).astype("float32")
    with Trace() as trace:
        pooled = ops.average_pool(trace.input(x.shape), 2)
        program = trace.compile([ops.relu(pooled), ops.sum(pooled, axis=1), pooled])
    relu, total, pooled = program.run([x])
    np.testing.assert_allclose(pooled, x.reshape(2, 4, 2, 3, 2, 5).mean((2, 4)), rtol=1e-5, atol=3e-7)
    np.testing.assert_array_equal(relu, np.maximum(pooled, 0))
    np.testing.assert_allclose(total, pooled.sum(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rank", [3, 4])
def test_a_stack_of_rows_trains_as_one_product(rank: int) -> None:
    """Dense layers on (batch, time, features): bias and activation, and the update, ride in products."""
    kernel, bias = Variable(np.ones((16, 8), "float32")), Variable(np.zeros(8, "float32"))
    shape = (4, 6, 16) if rank == 3 else (2, 2, 6, 16)
    with Trace() as trace:
        forward = ops.relu(ops.matmul(trace.input(shape), kernel) + bias)
        assert trace.compile([forward]).step_count == 1
    with Trace() as trace:
        forward = ops.relu(ops.matmul(trace.input(shape), kernel) + bias)
        gradients = trace.gradients(ops.sum(forward), [kernel, bias])
        for v, gradient in zip((kernel, bias), gradients, strict=True):
            v.assign(v - 0.1 * gradient)
        text = trace.compile([]).text()
    assert text.count("matmul+elementwise") == 2 and "commit matmul+elementwise" in text, text


def test_a_mask_of_the_backward_pass_is_not_stored() -> None:
    w1, w2 = (Variable(np.ones(shape, "float32")) for shape in ((4, 6), (6, 2)))
    with Trace() as trace:
        x = trace.input((8, 4))
        loss = ops.sum(ops.relu(x @ w1) @ w2)
        for v, gradient in zip((w1, w2), trace.gradients(loss, [w1, w2]), strict=True):
            v.assign(v - gradient)
        text = trace.compile([loss]).text()
    # two products forward, one with relu; the masked product backward
    assert text.count("main matmul") == 3
    assert text.count("main matmul+elementwise") == 2
    # two weight gradients, each with its update
    assert text.count("commit matmul+elementwise") == 2
    assert text.count("commit") == 2


def test_an_update_rides_in_its_gradient_unless_the_gradient_is_needed_before() -> None:
    w = Variable(np.full((4, 6), 0.5, "float32"))
    moment = Variable(np.zeros((4, 6), "float32"))

    def gradient_of(trace: Trace) -> tuple[Any, Any]:
        loss = ops.sum(ops.square(trace.input((8, 4)) @ w))
        return loss, trace.gradients(loss, [w])[0]

    with Trace() as trace:
        loss, gradient = gradient_of(trace)
        moment.assign(moment * 0.9 + gradient)
        w.assign(w - moment * 0.1)
        free = trace.compile([loss])
    assert free.text().count("commit matmul+elementwise") == 1
    with Trace() as trace:
        loss, gradient = gradient_of(trace)
        norm = ops.sqrt(ops.sum(ops.square(gradient)))  # as clipping by norm has it
        w.assign(w - gradient / norm)
        bound = trace.compile([loss])
    assert bound.text().count("commit matmul") == 0
    data = np.arange(32, dtype="float32").reshape(8, 4) / 32
    before = w.numpy().astype("float64")
    bound.run([data])
    expected = data.astype("float64").T @ (2 * (data @ before))
    np.testing.assert_allclose(w.numpy(), before - expected / np.sqrt((expected**2).sum()), rtol=1e-6)


def test_an_update_of_more_than_the_caches_hold() -> None:
    """There the product walks whole rows, and fewer at a time."""
    rng = np.random.default_rng(5)
    x, g = (rng.normal(size=(130, width)).astype("float32") for width in (2049, 2111))

    def updated(fuse: bool) -> np.ndarray:
        w = Variable(np.ones((2049, 2111), "float32"))
        with Trace() as trace:
            product = ops.matmul(ops.transpose(trace.input(x.shape)), trace.input(g.shape))
            w.assign(w - product * 0.125)
            program = trace.compile([], fuse=fuse)
        assert program.text().count("commit matmul+elementwise") == fuse
        program.run([x, g])
        return w.numpy()

    before = _core.num_threads()
    try:
        plain = updated(fuse=False)
        for threads in (1, 2, 3):
            _core.set_num_threads(threads)
            np.testing.assert_array_equal(updated(fuse=True), plain)
    finally:
        _core.set_num_threads(before)
    np.testing.assert_allclose(plain, 1 - (x.T @ g) * 0.125, atol=1e-4)


def test_a_product_that_reads_the_variable_it_updates() -> None:
    w = Variable(np.array([[1.0, 2.0], [3.0, 4.0]], "float32"))
    with Trace() as trace:
        w.assign(w + ops.matmul(w, w) * 0.5)
        program = trace.compile([])
    program.run([])
    np.testing.assert_array_equal(w.numpy(), [[4.5, 7.0], [10.5, 15.0]])


def test_chains_longer_than_a_unit() -> None:
    with Trace() as trace:
        x = trace.input((1000,))
        y = x
        for i in range(300):
            y = y * 1.01 + float(i % 3)
        program, plain = trace.compile([y]), trace.compile([y], fuse=False)
    data = np.linspace(-1, 1, 1000, dtype="float32")
    np.testing.assert_array_equal(program.run([data])[0], plain.run([data])[0])
    assert program.step_count < 10


@pytest.mark.parametrize("threads", [2, 4])
def test_thread_counts_give_the_same_bits(threads: int) -> None:
    rng = np.random.default_rng(3)
    x, w, b = (rng.normal(size=shape).astype("float32") for shape in ((512, 300), (300, 200), (200,)))

    def run() -> list[np.ndarray]:
        vw, vb = Variable(w), Variable(b)
        with Trace() as trace:
            data = trace.input(x.shape)
            h = ops.tanh(data @ vw + vb)
            loss = ops.mean(ops.logsumexp(h, axis=1))
            for v, gradient in zip((vw, vb), trace.gradients(loss, [vw, vb]), strict=True):
                v.assign(v - gradient)
            program = trace.compile([loss, h])
        return [*program.run([x]), vw.numpy(), vb.numpy()]

    before = _core.num_threads()
    try:
        _core.set_num_threads(1)
        one = run()
        _core.set_num_threads(threads)
        many = run()
    finally:
        _core.set_num_threads(before)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_arena_is_reused() -> None:
    def arena(depth: int) -> int:
        with Trace() as trace:
            x, w = trace.input((256, 256)), trace.input((256, 256))
            for _ in range(depth):
                x = ops.tanh(x @ w)
            return trace.compile([x]).arena_bytes

    assert arena(40) - arena(4) < 256 * 256 * 4


def test_planning_is_near_linear_in_the_nodes() -> None:
    w = Variable(np.eye(8, dtype="float32"))
    with Trace() as trace:
        x = trace.input((4, 8))
        for i in range(600):
            x = ops.relu(x @ w + float(i))
        loss = ops.sum(x)
        w.assign(w - trace.gradients(loss, [w])[0])
        program = trace.compile([loss])
    assert program.step_count < 4000


def test_an_output_that_repeats_a_value_which_goes_on() -> None:
    with Trace() as trace:
        x = trace.input((5,))
        t = ops.exp(x)
        program = trace.compile([ops.broadcast_to(t, (1, 5)), ops.tanh(-t)])
    data = np.linspace(-1, 1, 5, dtype="float32")
    copied, chained = program.run([data])
    np.testing.assert_allclose(copied[0], np.exp(data), rtol=1e-6)
    np.testing.assert_allclose(chained, np.tanh(-np.exp(data)), rtol=1e-6)


def test_a_swap_through_shapes_that_are_walked_alike() -> None:
    a, b = Variable(np.float32([1, 2, 3])), Variable(np.float32([[4, 5, 6]]))
    with Trace() as trace:
        old_a, old_b = a.value, b.value
        b.assign(ops.broadcast_to(old_a, (1, 3)))
        a.assign(ops.reshape(old_b, (3,)) + 1.0)
        program = trace.compile([])
    program.run([])
    assert (a.numpy().tolist(), b.numpy().tolist()) == ([5, 6, 7], [[1, 2, 3]])


def test_many_masks_in_one_chain() -> None:
    with Trace() as trace:
        masks = [trace.input((8,), "bool") for _ in range(96)]
        scalars = [trace.input(()) for _ in range(192)]
        x = trace.input((8,))
        for i, mask in enumerate(masks):
            x = x + ops.where(mask, scalars[2 * i], scalars[2 * i + 1])
        program = trace.compile([x])
    rng = np.random.default_rng(0)
    bools = [rng.integers(0, 2, 8).astype(bool) for _ in masks]
    numbers = [np.asarray(rng.normal(), "float32") for _ in scalars]
    expected = sum(np.where(m, numbers[2 * i], numbers[2 * i + 1]) for i, m in enumerate(bools))
    result = program.run([*bools, *numbers, np.zeros(8, "float32")])[0]
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


A, B = (0, 3, 1, 2), (0, 2, 3, 1)  # there and back


@pytest.mark.parametrize(
    ("compute", "steps"),
    [
        (lambda x, b: ops.transpose(ops.transpose(x, A), B) + 1.0, 1),
        (lambda x, b: ops.transpose(ops.transpose(x, A), A) + 1.0, 2),  # one copy for two
        (lambda x, b: ops.transpose(ops.relu(ops.transpose(x, A)), B), 1),
        (lambda x, b: ops.transpose(ops.transpose(ops.relu(ops.transpose(ops.transpose(x, B), A)), A), B), 1),
        (lambda x, b: ops.transpose(ops.tanh(ops.transpose(x, A) * 2.0 + ops.reshape(b, (5, 1, 1))), B), 1),
        (lambda x, b: ops.transpose(ops.where(ops.transpose(x, A) > 0, ops.transpose(x, A), 3.0), B), 1),
        (lambda x, b: ops.transpose(ops.transpose(x, A) + ops.reshape(x, (2, 5, 3, 4)), B), 3),
        (lambda x, b: ops.transpose(x[:, :1], (0, 2, 1, 3)) + 1.0, 2),  # the part, and no copy of it
    ],
)
def test_transpositions_that_cancel_copy_nothing(compute: Any, steps: int) -> None:
    x, b = (np.random.default_rng(0).normal(size=size).astype("float32") for size in ((2, 3, 4, 5), (5,)))
    with Trace() as trace:
        inputs = [trace.input(x.shape), trace.input(b.shape)]
        result = compute(*inputs)
        fused, unfused = (trace.compile([result], fuse=fuse) for fuse in (True, False))
    assert fused.step_count == steps, fused.text()
    np.testing.assert_array_equal(fused.run([x, b])[0], unfused.run([x, b])[0])


def test_a_transposed_value_that_is_wanted_too() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    with Trace() as trace:
        turned = ops.relu(ops.transpose(trace.input(x.shape), A))
        program = trace.compile([turned, ops.transpose(turned, B)])
    there, back = program.run([x])
    np.testing.assert_array_equal(back, np.maximum(x, 0))
    np.testing.assert_array_equal(there, np.maximum(x, 0).transpose(A))
