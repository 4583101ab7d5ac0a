"""A model that one thread trains and others use; the end of a process whose threads train."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.training import sources_table as table

import ranvier as rv


class Pause(rv.callbacks.Callback):
    """Holds `fit` at the end of its first epoch until it may go on."""

    def __init__(self):
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_epoch_end(self, epoch, logs=None):
        self.reached.set()
        assert self.go_on.wait(60)


@pytest.mark.parametrize("data", [(table.X, table.Y), (table.Iterable(), None)], ids=["arrays", "batches"])
def test_other_threads_cannot_compile_or_train_meanwhile(data):
    model, pause = table.make_model(rv), Pause()
    with ThreadPoolExecutor(1) as pool:
        fitting = pool.submit(model.fit, *data, batch_size=2, epochs=3, verbose=0, callbacks=[pause])
        try:
            assert pause.reached.wait(60)
            with pytest.raises(RuntimeError, match="`compile` cannot be called now: another thread"):
                model.compile("sgd", "mse")
            with pytest.raises(RuntimeError, match="`fit` cannot be called now: another thread"):
                model.fit(table.X, table.Y, verbose=0)
            assert model.predict(table.X, verbose=0).shape == (12, 1)
        finally:
            pause.go_on.set()
        history = fitting.result()
    assert len(history.epoch) == 3 and table.seen_batches(model) == [3] * table.BATCHES
    model.compile("sgd", "mse")
    model.fit(table.X, table.Y, verbose=0)


def test_a_fit_that_failed_leaves_the_model_free():
    model = table.make_model(rv)
    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        callback = rv.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)
        pool.submit(model.fit, table.X, table.Y, verbose=0, callbacks=[callback]).result()
    model.compile("sgd", "mse")


def test_the_thread_that_trains_may_train_and_compile_in_a_callback():
    model = table.make_model(rv)

    class Again(rv.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                model.fit(table.X, table.Y, verbose=0, initial_epoch=1, epochs=2)

        def on_train_end(self, logs=None):
            model.compile("sgd", "mse")

    model.fit(table.X, table.Y, epochs=2, verbose=0, callbacks=[Again()])
    model.fit(table.X, table.Y, verbose=0)


def test_several_models_at_once():
    def train(seed):
        model = table.make_model(rv)
        model.fit(table.X, table.Y, batch_size=2, epochs=20, verbose=0)
        return model.get_weights()[0]

    with ThreadPoolExecutor(3) as pool:
        for weights in pool.map(train, range(3)):
            np.testing.assert_array_equal(weights, np.full((table.BATCHES, 1), -20.0))


SCRIPT = """
import sys, threading
import ranvier as rv
from tests.training import sources_table as table

class Tell(rv.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        begun.set()

kind, daemon = sys.argv[1], sys.argv[2] == "daemon"
data = {"arrays": lambda: (table.X, table.Y), "workers": lambda: (table.make_dataset(rv, workers=2),),
        "processes": lambda: (table.ForProcesses(),)}[kind]()
model, begun = table.make_model(rv), threading.Event()
options = dict(epochs=10**9, verbose=0, callbacks=[Tell()])
threading.Thread(target=model.fit, args=data, kwargs=options, daemon=daemon).start()
begun.wait()
try:
    model.compile("sgd", "mse")
except RuntimeError:
    print("refused")
if not daemon:
    model.stop_training = True
"""


def test_the_process_ends():
    cases = [(kind, how) for kind in ("arrays", "workers", "processes") for how in ("daemon", "thread")]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *case], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for case in cases
    ]
    try:
        for case, process in zip(cases, running, strict=True):
            out, errors = process.communicate(timeout=120)
            assert (out, process.returncode) == ("refused\n", 0), (case, errors)
    finally:
        for process in running:
            process.kill()
            process.wait()


KILLED = """
import sys
import ranvier as rv
from tests.training import sources_table as table

class Tell(rv.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("begun", flush=True)

table.make_model(rv).fit(table.ForProcesses(), epochs=10**9, verbose=0, callbacks=[Tell()])
"""


# Two threads start worker processes at the same moment: each holds the pipe that tells the other of the end.
KILLED_TOGETHER = """
import os, threading
import ranvier as rv
from tests.training import sources_table as table

fork, meet, begun = os.fork, threading.Barrier(2), threading.Semaphore(0)

def fork_together():
    try:
        meet.wait(10)
    except threading.BrokenBarrierError:
        pass
    return fork()

class Tell(rv.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        begun.release()
        threading.Event().wait()

os.fork = fork_together
for _ in range(2):
    threading.Thread(target=table.make_model(rv).fit, args=(table.ForProcesses(),),
                     kwargs=dict(verbose=0, callbacks=[Tell()]), daemon=True).start()
begun.acquire(), begun.acquire()
print("begun", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("script", [KILLED, KILLED_TOGETHER], ids=["one pool", "two pools at once"])
def test_worker_processes_end_with_a_parent_that_is_killed(script):
    """They hold its output: whoever reads that to its end would wait as long as they live."""
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    process.kill()
    process.communicate(timeout=120)
