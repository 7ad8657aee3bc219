"""How a service's Python runs: it looks for cycles in small steps, and lets its threads take turns often."""

from __future__ import annotations

import gc
import sys

COLLECT_AFTER = (30_000, 33, 50)
SWITCH_SECONDS = 0.0005


def tune_interpreter() -> None:
    """For a process that handles batches and answers calls at once.

    Batches make many short-lived objects without cycles. Looking for cycles stops every thread, for about a millisecond
    where thirty thousand new objects are looked at, of which a batch of messages at a door makes fewer; older ones are looked
    at as seldom as before. A thread that answers a call takes its turn several times; Python's five milliseconds would make
    it wait for a batch that often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(SWITCH_SECONDS)
