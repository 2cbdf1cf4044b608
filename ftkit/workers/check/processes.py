"""The processes that share the work of a check: as many as there are processors, and none outlives the worker.

Takes names of modules, gives a pool. The modules are imported once, by a server of its own that is forked for each process,
so that they share its memory. It knows nothing of the work.
"""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def processes(modules: Sequence[str] = ()) -> Iterator[ProcessPoolExecutor]:
    """A pool; when its block ends by an exception, work that was begun is ended too.

    Args:
        modules: imported before the first process starts. The first pool of a worker decides: its server stays.
    """
    context = multiprocessing.get_context("forkserver")  # the worker has threads: it cannot be forked itself
    context.set_forkserver_preload(list(modules))
    pool = ProcessPoolExecutor(
        max_workers=len(os.sched_getaffinity(0)),
        mp_context=context,
        initializer=_end_with_parent,
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list((pool._processes or {}).values()):  # terminate_workers comes with Python 3.14
            process.terminate()
        raise
    pool.shutdown()


def _end_with_parent() -> None:
    """End when the worker ends, even where it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a process of the pool only"  # noqa: S101

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
