"""How a service's Python runs: it looks for cycles in small steps, and lets its threads take turns often."""

from __future__ import annotations

import gc
import sys

COLLECT_AFTER = (30_000, 33, 50)
THREAD_TURN_SECONDS = 0.0005


def tune_interpreter(thread_turn_seconds: float = THREAD_TURN_SECONDS) -> None:
    """For a process that handles batches and answers calls at once.

    Batches make many short-lived objects without cycles. Looking for cycles stops every thread, for about a millisecond
    where thirty thousand new objects are looked at, of which a batch of messages at a door makes fewer; older ones are looked
    at as seldom as before. A thread that answers a call takes its turn several times; Python's five milliseconds would make
    it wait for a batch that often. Where what is answered goes through the batch anyway, longer turns cost nobody and save
    the processor from changing threads.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(thread_turn_seconds)
