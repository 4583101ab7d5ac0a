"""Many threads at once: one model predicts for all, what writes is used in turns, nobody waits for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest

import ranvier as rv
from ranvier import _core, ops
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable

THREADS = 8


@pytest.fixture(autouse=True, params=[1, 2, 4])
def threads_of_the_core(request: pytest.FixtureRequest):
    before = _core.num_threads()
    _core.set_num_threads(request.param)
    yield
    _core.set_num_threads(before)


def at_once(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Calls work(0), work(1), ... on threads of their own; the first exception is raised here."""
    errors: list[BaseException] = []
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread waits for ever"
    if errors:
        raise errors[0]


def test_one_model_predicts_for_many() -> None:
    rng = np.random.default_rng(0)
    model = rv.Sequential(
        [rv.Input((40,)), rv.layers.Dense(64, activation="gelu"), rv.layers.Dense(5, activation="softmax")]
    )
    # Whole batches, short ones and single rows, some of a signature that nobody has compiled yet.
    data = [rng.random((rows, 40), dtype="float32") for rows in (1, 32, 70, 200, 200, 33, 1, 64)]
    expected = [model.predict(x, verbose=0) for x in data[:4]]
    reference = np.concatenate([model(x) for x in data[4:]])

    def work(number: int) -> None:
        x = data[number]
        for _ in range(25):
            result = model.predict(x, verbose=0)
            if number < 4:
                assert result.tobytes() == expected[number].tobytes()
            else:
                begin = sum(len(d) for d in data[4:number])
                np.testing.assert_allclose(result, reference[begin : begin + len(x)], rtol=1e-5)
            np.testing.assert_allclose(model(x), result, rtol=1e-5)

    at_once(work)


def test_a_program_that_only_computes_serves_all_at_once() -> None:
    factor = Variable(np.float32(3.0))
    with Trace() as trace:
        x = trace.input((300, 300))
        program = trace.compile([ops.matmul(x, x) * factor, x + 1.0])
    inputs = [np.full((300, 300), number, "float32") for number in range(THREADS)]

    def work(number: int) -> None:
        for _ in range(10):
            product, more = program.run([inputs[number]])
            assert (product == 3.0 * 300 * number * number).all() and (more == number + 1).all()

    at_once(work)


def test_a_program_with_programs_inside_serves_all_at_once() -> None:
    """Loops and branches, one inside the other. Every frame has frames of its own for the bodies."""
    with Trace() as trace:
        x, times = trace.input((50, 50)), trace.input((), "int32")

        def inner(carry, row):
            carry = ops.cond(ops.sum(row) > 0, lambda: carry + row, lambda: carry - row)
            return carry, carry

        last, rows = ops.scan(inner, x[0], x)
        grown = ops.while_loop(lambda i, v: i < times, lambda i, v: (i + 1, v * 2.0), (0, x))[1]
        program = trace.compile([last, rows, grown])

    def work(number: int) -> None:
        values = np.random.default_rng(number).standard_normal((50, 50)).astype("float32")
        for _ in range(20):
            last, rows, grown = program.run([values, np.array(number, "int32")])
            expected = values[0]
            for row, seen in zip(values, rows, strict=True):
                expected = expected + row if row.sum() > 0 else expected - row
                assert (seen == expected).all()
            assert (last == expected).all() and (grown == values * 2**number).all()

    at_once(work)


def test_a_program_that_writes_is_used_in_turns() -> None:
    total = Variable(np.zeros(1000, "float32"))
    with Trace() as trace:
        x = trace.input((1000,))
        total.assign_add(x)
        program = trace.compile([total.value])

    def work(number: int) -> None:
        for _ in range(200):
            (seen,) = program.run([np.full(1000, number, "float32")])
            assert (seen == seen[0]).all()

    at_once(work)
    assert (total.numpy() == 200 * sum(range(THREADS))).all()


def test_epochs_share_a_short_batchs_program() -> None:
    def make(rows: int) -> _core.Program:
        with Trace() as trace:
            x = trace.input((rows, 2))
            return trace.compile([x * 2.0])

    three, two, one = make(3), make(2), make(1)
    data = np.arange(10, dtype="float32").reshape(5, 2)

    def work(number: int) -> None:
        for _ in range(200):
            if number % 2:
                epoch = _core.Epoch(three, two, [data], 3, None, True)
            else:
                epoch = _core.Epoch(two, one, [data], 2, None, True)
            assert epoch.advance() == epoch.steps
            assert (epoch.results[0] == 2 * data).all()

    at_once(work)


def test_training_and_predicting_at_once() -> None:
    """Predictions may see any mixture of weights; what they must not do is disturb the training."""

    def train(model: rv.Sequential, busy: bool) -> list[bytes]:
        x = np.random.default_rng(1).random((64, 4), dtype="float32")
        done = threading.Event()

        def work(number: int) -> None:
            if number == 0:
                model.fit(x, x, batch_size=8, epochs=20, verbose=0)
                done.set()
            while not done.is_set():
                assert model.predict(x, verbose=0).shape == (64, 4)

        at_once(work, THREADS if busy else 1)
        return [w.tobytes() for w in model.get_weights()]

    results = []
    for busy in (False, True):
        rv.utils.set_random_seed(5)
        model = rv.Sequential([rv.Input((4,)), rv.layers.Dense(16, activation="tanh"), rv.layers.Dense(4)])
        model.compile("adam", "mse")
        results.append(train(model, busy))
    assert results[0] == results[1]


def test_the_process_ends_while_daemon_threads_compute() -> None:
    script = """if True:
        import threading, time, numpy as np, ranvier as rv
        x = np.ones((300, 300), "float32")
        program = rv.jit(lambda x: rv.ops.sum(rv.ops.tanh(x @ rv.ops.transpose(x))))
        def work():
            while True:
                program(x)
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.05)
        """
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_child_of_fork_predicts_although_another_thread_was_compiling() -> None:
    script = """if True:
        import faulthandler, os, threading, numpy as np, ranvier as rv
        compiling, child_is_done = threading.Event(), threading.Event()
        class Slow(rv.layers.Layer):
            def call(self, x):
                if x.shape[0] == 3:
                    compiling.set()
                    child_is_done.wait()
                return x * 2.0
        model = rv.Sequential([Slow()])
        model.predict(np.ones((2, 2), "float32"), verbose=0)
        thread = threading.Thread(target=lambda: model.predict(np.ones((3, 2), "float32"), verbose=0))
        thread.start()
        compiling.wait()
        child = os.fork()
        if not child:
            faulthandler.dump_traceback_later(10, exit=True)
            os._exit(int(model.predict(np.ones((2, 2), "float32"), verbose=0).sum()))
        status = os.waitpid(child, 0)[1]
        child_is_done.set()
        thread.join()
        assert os.waitstatus_to_exitcode(status) == 8, status
        """
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
