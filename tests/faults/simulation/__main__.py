"""`python -m tests.faults.simulation`: replays one seed, or explores many."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from .mischief import GROUPS, Kind
from .run import Outcome, run


def main() -> int:
    """0 where every run held, 1 where one did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this seed, and print every step")
    parser.add_argument("--runs", type=int, default=20, help="how many seeds to explore")
    parser.add_argument("--seconds", type=float, default=60.0, help="stop exploring after so long")
    parser.add_argument("--first", type=int, default=1, help="the first seed to explore")
    parser.add_argument("--faults", default="all", help=f"comma-separated: all, none, {', '.join(GROUPS)}, or one kind")
    arguments = parser.parse_args()
    faults = tuple(arguments.faults.split(","))
    if arguments.seed is not None:
        return _replay(arguments.seed, faults)
    return _explore(arguments.first, arguments.runs, arguments.seconds, faults)


def _replay(seed: int, faults: tuple[str, ...]) -> int:
    outcome = run(seed, faults)
    print("\n".join(outcome.trace))
    _print_struck(outcome.struck)
    print("\n".join(outcome.broken) or "everything held")
    print(f"trace {outcome.trace_hash}")
    return 0 if outcome.holds else 1


def _explore(first: int, runs: int, seconds: float, faults: tuple[str, ...]) -> int:
    started = time.monotonic()
    struck: Counter[Kind] = Counter()
    failed: list[Outcome] = []
    done = steps = 0
    for seed in range(first, first + runs):
        if time.monotonic() - started > seconds:
            break
        outcome = run(seed, faults)
        done, steps = done + 1, steps + len(outcome.trace)
        struck.update(outcome.struck)
        if not outcome.holds:
            failed.append(outcome)
            print(outcome.report(), file=sys.stderr)
    _print_struck(struck)
    spent = time.monotonic() - started
    print(f"{done} seeds from {first}, {steps} steps in {spent:.1f} s; failed: {[each.seed for each in failed]}")
    return 1 if failed else 0


def _print_struck(struck: Counter[Kind]) -> None:
    for kind in Kind:
        print(f"{struck[kind]:7d}  {kind.value}")


if __name__ == "__main__":
    raise SystemExit(main())
