"""Profiles: every step once for each run, costs by hand, the table, the trace, the environment variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv
from ranvier import _core, ops
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable
from ranvier.utils import profiling

ROWS, BATCH = 20, 8
STEPS = 3  # two full batches and a short one


def model() -> rv.Sequential:
    net = rv.Sequential(
        [rv.Input((6,)), rv.layers.Dense(4, activation="relu"), rv.layers.Dense(3)], name="net"
    )
    net.compile("sgd", "mse")
    return net


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((ROWS, 6), dtype="float32"), rng.random((ROWS, 3), dtype="float32")


def test_a_training_in_rows() -> None:
    net = model()
    x, y = data()
    with rv.profile() as profile:
        net.fit(x, y, batch_size=BATCH, epochs=2, verbose=0)
    full = [step for step in profile.steps if step.program == "train_step of net, batch 8"]
    short = [step for step in profile.steps if step.program == "train_step of net, batch 4"]
    counts = {(step.phase, step.what): step.count for step in full}
    assert counts["around", "plan"] == 1
    assert counts["around", "shuffle the order of the rows"] == 2
    assert counts["around", "gather the batch"] == counts["main", "matmul 8x6x4 + add, relu"] == 4
    assert {s.count for s in short if s.what.startswith("matmul")} == {2}
    assert {s.phase for s in full} == {"around", "main", "commit"} and {s.phase for s in short} >= {"readout"}
    assert all(0 <= s.least_seconds <= s.mean_seconds <= s.seconds <= profile.seconds for s in profile.steps)


def run_of(make, *types, dtype: str = "float32"):
    """The one step of a program, profiled."""
    with Trace() as trace:
        program = trace.compile([make(*[trace.input(shape, dtype) for shape in types])], name="one")
    with rv.profile() as profile:
        program.run([np.ones(shape, dtype) for shape in types])
    (step,) = [s for s in profile.steps if s.phase != "around"]
    assert step.program == "one" and step.count == 1
    return step


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("make", "types", "what", "flops", "elements"),
    [
        (ops.matmul, [(4, 5), (5, 6)], "matmul 4x5x6", 2 * 4 * 5 * 6, 20 + 30 + 24),
        (ops.matmul, [(2, 4, 5), (2, 5, 6)], "matmul 4x5x6 times 2", 2 * 2 * 4 * 5 * 6, 2 * (20 + 30 + 24)),
        (
            lambda a, b, c: ops.relu(ops.matmul(a, b) + c),
            [(4, 5), (5, 6), (6,)],
            "matmul 4x5x6 + add, relu",
            2 * 4 * 5 * 6 + 2 * 24,
            20 + 30 + 6 + 24,
        ),
        (lambda a, b: ops.exp(a) * b, [(3, 7), (7,)], "exp, multiply 3x7", 21 * 21, 21 + 7 + 21),
        (lambda a: ops.sum(a, axis=1), [(3, 7)], "sum 3x7 -> 3", 21, 21 + 3),
        (lambda a: ops.softmax(a), [(3, 7)], "softmax 3x7", 24 * 21, 2 * 21),
        (lambda a: ops.transpose(a), [(3, 7)], "transpose 3x7 -> 7x3", 0, 2 * 21),
        (lambda a: a[1:2], [(3, 7)], "slice 3x7 -> 1x7", 0, 2 * 7),
        (lambda *a: ops.concatenate(a), [(3, 1)] * 3, "concatenate 3x1, 3x1, 3x1 -> 9x1", 0, 18),
        (
            lambda *a: ops.concatenate(a),
            [(3, 1)] * 50,
            "concatenate 3x1, 3x1, 3x1, 3x1, 3x1, ... (50 operands) -> 150x1",
            0,
            300,
        ),
    ],
)
def test_costs(make, types, what: str, flops: float, elements: int, dtype: str) -> None:
    step = run_of(make, *types, dtype=dtype)
    assert (step.what, step.dtype, step.flops) == (what, dtype, flops)
    assert step.bytes == elements * np.dtype(dtype).itemsize


def test_a_gather_counts_the_rows_it_reads() -> None:
    with Trace() as trace:
        table, index = trace.input((100, 5)), trace.input((3,), "int32")
        program = trace.compile([ops.take(table, index, axis=0)])
    with rv.profile() as profile:
        program.run([np.ones((100, 5), "float32"), np.zeros(3, "int32")])
    (step,) = [s for s in profile.steps if s.what.startswith("take")]
    assert step.bytes == 2 * 3 * 5 * 4 + 3 * 4


def test_a_loop_counts_what_its_body_computes() -> None:
    def body(carry, row):
        return ops.matmul(carry, carry) + row, carry

    with Trace() as trace:
        start, rows = trace.input((8, 8)), trace.input((5, 8))
        program = trace.compile(list(ops.scan(body, start, rows)))
    with rv.profile() as profile:
        program.run([np.zeros((8, 8), "float32"), np.ones((5, 8), "float32")])
    (step,) = [s for s in profile.steps if s.what.startswith("loop")]
    assert step.what.startswith("loop, 5 times ") and "matmul 8x8x8" in step.what
    assert step.flops == 5 * (2 * 8**3 + 8 * 8)
    carry, row = 8 * 8 * 4, 8 * 4
    assert step.bytes == (carry + 5 * row) + (carry + 5 * carry)


def test_the_floor_is_the_larger_of_two_times(monkeypatch: pytest.MonkeyPatch) -> None:
    peak = {"threads": 2, "float32": 1e11, "float64": 5e10, "bandwidth": 1e10}
    monkeypatch.setattr(profiling, "_machine_peak", lambda threads: peak)
    product = run_of(ops.matmul, (256, 256), (256, 256))
    copy = run_of(ops.transpose, (64, 64), dtype="float64")
    assert (product.limit, product.floor_seconds) == ("flops", pytest.approx(2 * 256**3 / 1e11))
    assert (copy.limit, copy.floor_seconds) == ("bytes", pytest.approx(2 * 64 * 64 * 8 / 1e10))
    assert product.share_of_floor == product.floor_seconds / product.seconds
    assert product.gflops == pytest.approx(2 * 256**3 / product.seconds * 1e-9)
    assert copy.gbps == pytest.approx(2 * 64 * 64 * 8 / copy.seconds * 1e-9)


def test_the_same_bits_with_and_without() -> None:
    results = []
    for profiled in (False, True):
        rv.utils.set_random_seed(3)
        net = model()
        if profiled:
            with rv.profile():
                net.fit(*data(), batch_size=BATCH, epochs=3, verbose=0)
        else:
            net.fit(*data(), batch_size=BATCH, epochs=3, verbose=0)
        results.append([w.tobytes() for w in net.get_weights()])
    assert results[0] == results[1]


def test_single_operations_are_added_up() -> None:
    with rv.profile() as profile:
        for _ in range(5):
            ops.add(np.ones(3, "float32"), np.ones(3, "float32"))
            ops.add(np.ones(4, "float32"), np.ones(4, "float32"))
    counts = {s.what: s.count for s in profile.steps if s.phase != "around"}
    assert counts == {"add 3": 5, "add 4": 5}
    assert {s.program for s in profile.steps} == {"single operations"}


def test_profiles_nest_and_go_on() -> None:
    x = np.ones(3, "float32")
    outer = rv.profile()
    with outer:
        ops.add(x, x)
        with rv.profile() as inner:
            ops.add(x, x)
        with pytest.raises(RuntimeError, match="active already"):
            outer.start()
    ops.add(x, x)
    with outer:
        ops.add(x, x)
    assert [sum(s.count for s in p.steps if s.what == "add 3") for p in (outer, inner)] == [3, 1]


def test_a_refused_step_is_no_harm() -> None:
    state = Variable(np.zeros(1, "float32"))
    with Trace() as trace:
        labels = trace.input((2,), "int32")
        loss = ops.sparse_categorical_crossentropy(labels, np.ones((2, 3), "float32"), from_logits=True)
        state.assign_add(ops.reshape(ops.sum(loss), (1,)))
        program = trace.compile([loss])
    with rv.profile() as profile:
        with pytest.raises(ValueError, match="outside"):
            program.run([np.array([0, 7], "int32")])
        program.run([np.array([0, 1], "int32")])
    assert {s.count for s in profile.steps if s.phase == "commit"} == {1}


def test_threads_have_lines_of_their_own(tmp_path: Path) -> None:
    def work() -> None:
        for _ in range(10):
            ops.add(np.ones(3, "float32"), np.ones(3, "float32"))

    with rv.profile() as profile:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    profile.save(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    runs = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    adds = [event for event in runs if event["name"] == "add 3"]
    assert len(adds) == 30 and len({event["tid"] for event in adds}) == 3
    assert min(event["ts"] for event in runs) == 0
    for event in adds:
        assert event["dur"] >= 0 and event["pid"] == os.getpid() and event["cat"] == "main"
        assert event["args"] == {
            "program": "single operations", "dtype": "float32", "flops": 3.0, "bytes": 36.0
        }  # fmt: skip


def test_the_table() -> None:
    net = model()
    with rv.profile() as profile:
        net.fit(*data(), batch_size=BATCH, verbose=0)
    table = profile.table()
    assert "train_step of net, batch 8: " in table and "matmul 8x6x4 + add, relu" in table
    assert "in native programs" in table and "GB/s of memory" in table
    longest = profile.table(sort="time").splitlines()
    assert longest[0].startswith("train_step of net") and len(longest) == len(table.splitlines())
    with pytest.raises(ValueError, match="'order' or 'time'"):
        profile.table(sort="name")
    assert "in native programs" in rv.profile().table()  # of nothing


def test_the_machines_peak() -> None:
    peak = _core.machine_peak()
    assert peak["threads"] == _core.num_threads()
    assert min(peak["float32"], peak["float64"], peak["bandwidth"]) > 1e7


SCRIPT = "import numpy as np, ranvier as rv; rv.ops.add(np.ones(3, 'float32'), np.ones(3, 'float32'))"


def environment(value: str) -> dict[str, str]:
    return {**os.environ, "RANVIER_PROFILE": value}


@pytest.mark.parametrize(("value", "shown"), [("0", False), ("", False), ("1", True), ("trace.json", True)])
def test_the_environment_variable(value: str, shown: bool, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment(value), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout == ""
    assert ("add 3" in done.stderr) is shown
    assert [path.name for path in tmp_path.iterdir()] == (["trace.json"] if value == "trace.json" else [])


def test_a_nonsensical_environment_variable_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import ranvier"], env=environment("yes"), capture_output=True, text=True
    )
    assert done.returncode != 0 and "RANVIER_PROFILE must be 1" in done.stderr
