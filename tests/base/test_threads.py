"""How many threads are used, and what happens in a forked child.

Tested in processes of their own, because all of it is decided once per process.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"RANVIER_NUM_THREADS", "OMP_NUM_THREADS", "RANVIER_ISA"}
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**inherited, **environment},
    )


def threads(**environment: str) -> int:
    done = run("from ranvier import _core; print(_core.num_threads())", **environment)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_the_default_is_at_most_the_processors_this_process_may_use():
    assert 1 <= threads() <= len(os.sched_getaffinity(0))


def test_the_environment_decides():
    assert threads(RANVIER_NUM_THREADS="3") == 3
    assert threads(OMP_NUM_THREADS="5") == 5
    assert threads(OMP_NUM_THREADS="5,2") == 5  # OpenMP's list: one number per nesting level
    assert threads(RANVIER_NUM_THREADS="3", OMP_NUM_THREADS="5") == 3
    assert threads(RANVIER_NUM_THREADS="", OMP_NUM_THREADS="5") == 5


@pytest.mark.parametrize("value", ["0", "-1", "two", "2.5", "4 4", "99999999999999999999", "1025"])
def test_nonsense_is_refused_by_name(value):
    done = run("import ranvier", RANVIER_NUM_THREADS=value)
    assert done.returncode == 1
    assert f"RANVIER_NUM_THREADS must be an integer from 1 to 1024; received '{value}'" in done.stderr


@pytest.mark.parametrize("value", ["0", "-1", "two", "2.5", "99999999999999999999"])
def test_nonsense_for_openmp_is_passed_over(value):
    assert threads(OMP_NUM_THREADS=value) == threads()


def test_affinity_is_respected():
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from ranvier import _core
print(_core.num_threads())
"""
    assert run(code).stdout == "1\n"


def test_set_num_threads():
    code = """
from ranvier import _core
_core.set_num_threads(4)
print(_core.num_threads())
for threads in (0, -3, 1025):
    try:
        _core.set_num_threads(threads)
    except ValueError as error:
        print(error)
"""
    lines = run(code).stdout.splitlines()
    assert lines[0] == "4" and len(lines) == 4
    assert lines[1] == "the number of threads must be from 1 to 1024; received 0"


def test_far_more_threads_than_processors_give_the_same_bits():
    code = """
import hashlib
import numpy as np
import ranvier as rv
a = np.random.default_rng(0).normal(size=(600, 600)).astype("float32")
digest = {hashlib.sha256(rv.ops.matmul(a, a).tobytes()).hexdigest() for _ in range(20)}
print(*digest)
"""
    one, many = (run(code, RANVIER_NUM_THREADS=number) for number in ("1", "64"))
    assert one.returncode == 0 and many.returncode == 0, one.stderr + many.stderr
    assert one.stdout == many.stdout and len(one.stdout.split()) == 1


FORK = """
import os, sys
import numpy as np
import ranvier as rv
a = np.random.default_rng(0).normal(size=(700, 700)).astype("float32")
if PARENT_FIRST:
    expected = rv.ops.matmul(a, a)
read, write = os.pipe()
child = os.fork()
if child == 0:
    for _ in range(2):
        product = rv.ops.matmul(a, a)
    os.write(write, product.tobytes())
    os._exit(0)
os.close(write)
with os.fdopen(read, "rb") as pipe:
    content = pipe.read()
assert os.waitpid(child, 0)[1] == 0
assert np.array_equal(np.frombuffer(content, "float32").reshape(700, 700), rv.ops.matmul(a, a))
print("equal")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("parent_first", [True, False])
def test_a_forked_child_has_a_team_of_its_own(parent_first):
    code = FORK.replace("PARENT_FIRST", str(parent_first))
    for threads in ("1", "2"):
        done = run(code, RANVIER_NUM_THREADS=threads)
        assert (done.returncode, done.stdout, done.stderr) == (0, "equal\n", "")


CALLERS = """
import os, threading, time
import numpy as np
import ranvier as rv
from ranvier import _core
rng = np.random.default_rng(0)
pairs = [rng.normal(size=(2, 200 + 10 * i, 200 + 10 * i)).astype("float32") for i in range(8)]
expected = [rv.ops.matmul(a, b) for a, b in pairs]
wrong = []
def work(i):
    for _ in range(30):
        if not np.array_equal(rv.ops.matmul(*pairs[i]), expected[i]):
            wrong.append(i)
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for thread in threads: thread.start()
for number in (1, 4, 2, 3) * 5:  # the team shrinks and grows meanwhile
    _core.set_num_threads(number)
for thread in threads: thread.join()
tasks = lambda: len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
patience = time.monotonic() + 5
while tasks() > 4 and time.monotonic() < patience:  # a thread goes some time after it has ended
    time.sleep(0.01)
print(wrong, tasks())
"""


def test_many_callers_share_one_team():
    done = run(CALLERS, RANVIER_NUM_THREADS="3", OPENBLAS_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    wrong, tasks = done.stdout.rsplit(" ", 1)
    assert wrong == "[]"
    assert int(tasks) <= 1 + 3  # this one, and the team's members: no team for each caller
