"""The history of one aggregate, event by event, as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from throughline.connection import Service

LINES_OF_AN_EVENT_MAX = 40


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One stored event; sealed parts stand in `state_json` as the word `sealed`."""

    version: int
    topic: str
    timestamp: str
    actor: str
    causation_id: str
    correlation_id: str
    source_system: str
    source_reference: str
    state_json: str

    @property
    def name(self) -> str:
        """`journal-entry.became-uncertain` of `ledger.journal-entry.became-uncertain` is `became uncertain`."""
        return self.topic.rpartition(".")[2].replace("-", " ")

    @property
    def state(self) -> object:
        return json.loads(self.state_json or "{}")


@dataclass(frozen=True, slots=True)
class History:
    """What one service recorded of one aggregate, oldest first."""

    service: Service
    aggregate_id: str
    aggregate_type: str
    events: tuple[HistoryEvent, ...]

    def as_data(self) -> dict[str, object]:
        return asdict(self) | {"events": [_event_data(event) for event in self.events]}


def _event_data(event: HistoryEvent) -> dict[str, object]:
    data = {name: value for name, value in asdict(event).items() if name != "state_json"}
    return data | {"state": event.state}


def lines_of(state: object, lines_max: int = LINES_OF_AN_EVENT_MAX) -> Iterator[tuple[str, str]]:
    """The fields of an event by path, such as `lines 2 amount`; what is empty is left out, and the rest is counted."""
    found = list(_flat(state, ()))
    yield from ((" ".join(path), value) for path, value in found[:lines_max])
    if len(found) > lines_max:
        yield "...", f"{len(found) - lines_max} more; --full shows all"


def _flat(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, (*path, str(name)))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, item in enumerate(value, 1):
            yield from _flat(item, (*path, str(number)))
    elif isinstance(value, list):
        if value:
            yield path, ", ".join(map(str, value))
    elif value not in (None, ""):
        yield path, str(value)
