"""One run from its seed to its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from traceback import format_tb

from .engine import Simulation
from .fingerprint import Fingerprint, fingerprint_of
from .invariants import Suite, violations
from .mischief import Kind, rates_of
from .story import STORIES

TAIL = 60
BROKEN_SHOWN_MAX = 20


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `broken` is empty where everything held."""

    seed: int
    story: int
    fingerprint: Fingerprint
    broken: tuple[str, ...]
    struck: Counter[Kind]
    trace: tuple[str, ...]
    trace_hash: str

    @property
    def holds(self) -> bool:
        return not self.broken

    def report(self) -> str:
        """What a person needs to look into a failure."""
        tail = "\n".join(self.trace[-TAIL:])
        broken = "\n".join(f"  {line}" for line in self.broken[:BROKEN_SHOWN_MAX]) or "  everything held"
        return f"seed {self.seed}, story {self.story}, trace {self.trace_hash[:16]}\n{tail}\n{broken}"


def run(seed: int, faults: Iterable[str] = ("all",)) -> Outcome:
    """Plays the story of the seed with these faults, and compares its end with the same story without any."""
    story = seed % STORIES
    names = tuple(faults)
    outcome = _played(seed, story, names)
    expected = _expected(story)
    differences = tuple(differences_between(expected, outcome.fingerprint)) if not outcome.broken else ()
    return replace(outcome, broken=outcome.broken + differences)


@cache
def _expected(story: int) -> Fingerprint:
    """The end of the story where nothing goes wrong, which must hold by itself."""
    outcome = _played(story, story, ("none",))
    assert outcome.holds, outcome.report()
    return outcome.fingerprint


def _played(seed: int, story: int, faults: tuple[str, ...]) -> Outcome:
    simulation = Simulation(seed, story, rates_of(faults))
    broken: list[str] = []
    try:
        simulation.play()
    except Exception as error:  # noqa: BLE001 -- any bug of a service becomes this run's verdict
        broken = [f"the run ended with {type(error).__name__}: {error}", *format_tb(error.__traceback__)]
    else:
        erp = simulation.erp.inner
        erp.is_down = False
        broken = violations(
            Suite(
                simulation.nodes,
                simulation.bus,
                erp,
                simulation.transport,
                simulation.story.books(),
                simulation.story.patients_end(),
                simulation.outside,
            )
        )
    return Outcome(
        seed=seed,
        story=story,
        fingerprint=fingerprint_of(simulation.nodes, simulation.erp.inner, simulation.entities),
        broken=tuple(broken),
        struck=simulation.mischief.struck,
        trace=tuple(simulation.trace),
        trace_hash=simulation.trace_hash(),
    )


def differences_between(expected: Fingerprint, found: Fingerprint) -> Iterator[str]:
    """Where two ends differ, entry by entry."""
    for name in expected:
        left, right = _entries(expected[name]), _entries(found[name])
        for key in sorted(left.keys() | right.keys(), key=str):
            if left.get(key) != right.get(key):
                yield f"{name} {key}: without faults {left.get(key)}, now {right.get(key)}"


def _entries(part: object) -> Mapping[object, object]:
    assert isinstance(part, Mapping)
    return part
