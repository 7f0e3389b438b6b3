"""Worker processes: jobs shared out, results in the order of the jobs, whatever goes wrong."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from fr3d.errors import UnavailableError

Job = TypeVar("Job")
Result = TypeVar("Result")

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@contextmanager
def in_order(
    work: Callable[[Job], Result],
    jobs: Iterable[Job],
    workers: int,
    first_of: Callable[[Job], str],
    prepare: Callable[[], None] | None = None,
) -> Iterator[Iterator[Result]]:
    """Do jobs in other processes, at most a few ahead of what is taken.

    Args:
        work: what to do with a job; a function of a module, as processes must find it.
        jobs: in the order of the results; made only as they are needed.
        workers: processes.
        first_of: the name of the first thing in a job, for the message when a process dies.
        prepare: called once in each process, after `leave_interrupts_to_parent`.

    Raises:
        UnavailableError: a worker process died.
    """
    with (
        _one_thread_each(),
        # A fresh interpreter each: forking a process that has threads is not safe.
        ProcessPoolExecutor(workers, get_context("spawn"), _begin, (prepare,)) as pool,
    ):
        try:
            yield _results(pool, work, jobs, 2 * workers, first_of)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def leave_interrupts_to_parent() -> None:
    """Set up a new process: neither Ctrl-C nor a dead parent leaves it behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the pool
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _begin(prepare: Callable[[], None] | None) -> None:
    leave_interrupts_to_parent()
    if prepare is not None:
        prepare()


def _leave_with_parent() -> None:
    """A parent that is killed cannot stop its workers, and they would wait for work forever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _results(
    pool: ProcessPoolExecutor,
    work: Callable[[Job], Result],
    jobs: Iterable[Job],
    ahead: int,
    first_of: Callable[[Job], str],
) -> Iterator[Result]:
    waiting: deque[tuple[Job, Future[Result]]] = deque()
    for job in jobs:
        waiting.append((job, _submit(pool, work, job, first_of)))
        if len(waiting) > ahead:
            yield _outcome(*waiting.popleft(), first_of)
    while waiting:
        yield _outcome(*waiting.popleft(), first_of)


def _submit(
    pool: ProcessPoolExecutor,
    work: Callable[[Job], Result],
    job: Job,
    first_of: Callable[[Job], str],
) -> Future[Result]:
    # a process that starts here inherits that Ctrl-C is held back, and never sees it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(work, job)
    except BrokenProcessPool as error:
        raise _worker_died(first_of(job)) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _outcome(job: Job, future: Future[Result], first_of: Callable[[Job], str]) -> Result:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise _worker_died(first_of(job)) from error


def _worker_died(first: str) -> UnavailableError:
    return UnavailableError(
        f"{first}: a worker process died at or after it",
        "often memory ran out: repeat with fewer --workers, finished parts are kept",
    )


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes share the cores already; their libraries read this when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
