"""Batches that several workers make ahead of the training."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

from ranvier.core.user_code import note_lines

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

_data: Any = None  # of a worker process


def batches_of_workers(
    data: Any, order: Iterable[int], workers: int, processes: bool, ahead: int
) -> Generator[Any, None, None]:
    """The batches `data[i]` in the order asked for; up to `ahead` of them are made before they are needed.

    Args:
        data: gives a batch for its number.
        order: the numbers.
        workers: how many threads or processes make batches.
        processes: whether they are processes; each works on a copy of `data`.
        ahead: the most batches that are made and not yet taken; at least one for each worker.
    """
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    pool: Executor
    if processes:
        context: Any = _EndWithParent()
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_hold, initargs=(data,))
    else:
        pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    waiting: deque[Future[Any]] = deque()
    result: Callable[[Future[Any]], Any] = _result if processes else lambda future: future.result()
    try:
        for index in order:
            waiting.append(pool.submit(_batch, index) if processes else pool.submit(data.__getitem__, index))
            if len(waiting) >= max(workers, ahead):
                yield result(waiting.popleft())
        while waiting:
            yield result(waiting.popleft())
    finally:  # also when the epoch ends before the data do
        pool.shutdown(wait=False, cancel_futures=True)


class _EndWithParent:
    """The context of `multiprocessing`, whose processes are ended when this one ends, whatever they do.

    A pool waits for its processes otherwise, for ever where nobody told them. See also `_end_with_parent`.
    """

    def __init__(self) -> None:
        import multiprocessing

        self._context = multiprocessing.get_context()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def Process(self, *args: Any, **kwargs: Any) -> Any:
        make: Any = self._context
        process = make.Process(*args, **kwargs)
        process.daemon = True
        return process


def _hold(data: Any) -> None:
    global _data
    _data = data
    _end_with_parent()


def _end_with_parent() -> None:
    """Has this worker process end when its parent does, however that ends.

    A process that a thread starts while the interpreter ends, or whose parent is killed, is told by nobody.
    It would wait for work for ever, and with it whoever reads the parent's output to its end.

    The parent's sentinel alone does not tell of its end: a forked process holds the pipes behind the
    sentinels of others, and two that were forked at the same moment by two threads hold each other's.
    So a worker whose parent started it directly looks at its parent's number as well.
    """
    import os
    import threading
    from multiprocessing import get_start_method, parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is None:
        return

    is_child = get_start_method() != "forkserver"

    def watch() -> None:
        while not wait([parent.sentinel], timeout=1) and (not is_child or os.getppid() == parent.pid):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def _batch(index: int) -> Any:
    try:
        return _data[index]
    except Exception as error:
        note_lines(error, "Raised in a worker process:")
        raise


def _result(future: Future[Any]) -> Any:
    """What a worker process made. An error that says itself where it was raised needs no text of that."""
    try:
        return future.result()
    except Exception as error:
        if getattr(error, "__notes__", None):
            error.__cause__ = None
        raise
