"""A process of a test's own that dies, or fails, at a named place."""

import os
import traceback
from collections.abc import Callable

from ftkit import failpoints


def act_in_a_child(act: Callable[[], object], failpoint: str = "") -> int:
    """Do something in a forked process, with ``FTKIT_FAILPOINT`` as given; its exit code, ``-9`` where it was killed."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            failpoints._TABLE = failpoints._Table(failpoint)
            act()
            code = 0
        except Exception:  # noqa: BLE001 - the top of a process
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
