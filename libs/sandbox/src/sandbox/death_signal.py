"""Ties a child process to its parent: the kernel kills the child when the parent dies, however that happens."""

import ctypes
import os
import signal
from collections.abc import Callable
from functools import cache

_PR_SET_PDEATHSIG = 1


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> Callable[[], None]:
    """What a child does first, as `preexec_fn`.

    The signal comes when the *thread* that started the child ends, so that thread must last as long as the child.
    """
    libc, parent = _libc(), os.getpid()

    def ask_for_the_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_for_the_signal
