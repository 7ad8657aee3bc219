"""The testing kit: a clock that stands still, contexts, given-when-then for aggregates, golden files of stored events."""

from chassis.testing.clock import FixedClock
from chassis.testing.contexts import context
from chassis.testing.given import Happened, given, happened
from chassis.testing.golden import assert_golden

__all__ = ["FixedClock", "Happened", "assert_golden", "context", "given", "happened"]
