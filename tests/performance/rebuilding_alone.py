"""Rebuilds one service's read models when told to: `python -m tests.performance.rebuilding_alone MODULE`, DSN on standard input."""

from __future__ import annotations

import importlib
import sys
from time import perf_counter

from chassis.eventstore.postgres import PostgresEventStore
from chassis.runtime import ServiceShape
from chassis.runtime.interpreter import tune_interpreter


def main(module: str) -> None:
    """Says when it is loaded, waits for a line, and then says how many events it read in how many seconds."""
    shape = importlib.import_module(module).SHAPE
    assert isinstance(shape, ServiceShape)
    dsn = sys.stdin.readline().strip()
    tune_interpreter()
    with PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables) as store:
        _say("loaded")
        sys.stdin.readline()
        began = perf_counter()
        events = store.rebuild_read_models()
        _say(f"{events} {perf_counter() - began:.3f}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
