"""Who gets the processor first when there is something to do: what answers a call, before batches.

Linux 6.12 and later let a thread ask for short turns: it gets its turn sooner, and no more of the processor in all
(`sched_setattr(2)`, `sched_runtime` of SCHED_OTHER). A process that only works through batches gives way to all others
(`nice(2)`, and that of its session, `sched(7)`: the autogroup feature). Elsewhere nothing happens.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SHORT_NANOSECONDS = 100_000
USUAL = 0
NICENESS = 5
AUTOGROUP = Path("/proc/self/autogroup")
_CALL_NUMBERS = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES = "=IIQiIQQQII"


@contextmanager
def short_turns() -> Iterator[None]:
    """This thread and those it starts meanwhile take short turns; this one takes the usual ones again afterwards."""
    take_turns(SHORT_NANOSECONDS)
    try:
        yield
    finally:
        take_turns(USUAL)


def take_short_turns() -> None:
    """This thread takes short turns from now on."""
    take_turns(SHORT_NANOSECONDS)


def take_turns(nanoseconds: int) -> bool:
    """Asks for turns of this length, or of the usual one for zero; whether the kernel took it."""
    number = _CALL_NUMBERS.get(platform.machine())
    if number is None or sys.platform != "linux":
        return False
    size = struct.calcsize(_ATTRIBUTES)
    attributes = struct.pack(_ATTRIBUTES, size, 0, 0, 0, 0, nanoseconds, 0, 0, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, 0, ctypes.c_char_p(attributes), 0) == 0)


def give_way() -> None:
    """From now on this process has a third of the weight of one that has not asked for this; to be called before threads start.

    Linux divides the processor among sessions first, so the session gives way too, unless others live in it.
    """
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(str(NICENESS), encoding="ascii")
