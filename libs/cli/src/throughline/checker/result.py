"""What the checker says of one invariant: whether it holds, what was counted, and exactly where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

FAILURES_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Result:
    """`holds` is None where the invariant could not be looked at; `value` then gives the reason under `skipped`."""

    name: str
    title: str
    holds: bool | None
    value: Mapping[str, object]
    failures: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.title,
            "holds": self.holds,
            "value": dict(self.value),
            "failures": list(self.failures),
        }


@dataclass(slots=True)
class Failures:
    """Exact places, at most 20 of them, and how many there were."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, place: str) -> None:
        self.count += 1
        if len(self.shown) < FAILURES_SHOWN_MAX:
            self.shown.append(place)

    def extend(self, places: Iterable[str]) -> None:
        for place in places:
            self.add(place)

    def merge(self, other: Failures, prefix: str = "") -> None:
        """Takes over another's places; those it only counted stay counted."""
        for place in other.shown:
            self.add(f"{prefix}{place}")
        self.count += other.count - len(other.shown)

    def __bool__(self) -> bool:
        return self.count > 0

    def lines(self) -> tuple[str, ...]:
        more = self.count - len(self.shown)
        return (*self.shown, f"and {more} more") if more else tuple(self.shown)


def judged(name: str, title: str, failures: Failures, **value: object) -> Result:
    """The result of an invariant that was looked at."""
    return Result(name, title, not failures, value, failures.lines())


def skipped(name: str, title: str, reason: str) -> Result:
    """The result of an invariant that could not be looked at."""
    return Result(name, title, None, {"skipped": reason})
