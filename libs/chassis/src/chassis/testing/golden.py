"""Golden files: every stored event as it was once written, so that every later build proves it can still read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from chassis.domain import Event
from chassis.eventstore import EventRegistry


def assert_golden(registry: EventRegistry, folder: Path, examples: Iterable[Event]) -> None:
    """Every registered event has an example, is stored as its golden file says, and every file of any version loads.

    The events of the chassis itself have their golden files there, and need no example in a service.

    A missing file is written from the example, and the test fails once so that somebody looks at it and commits it.
    An existing file is never written. A field that is new, with a default, gets a further file of the same version
    (`<topic>.v1.2.json`): what the older one holds is written as before. Any other change of shape needs a new
    `class_version` with an upcast.
    """
    chosen = {event.TOPIC: event for event in examples}
    lacking = sorted(topic for topic in registry.classes.keys() - chosen.keys() if not topic.startswith("chassis."))
    assert not lacking, f"give an example event of: {', '.join(lacking)}"
    written = [name for event in chosen.values() if (name := _written_or_compared(registry, folder, event))]
    for path in sorted(folder.glob("*.json")):
        _load(registry, path)
    assert not written, f"look at the new golden files and commit them: {', '.join(written)}"


def _written_or_compared(registry: EventRegistry, folder: Path, event: Event) -> str:
    """The name of a file that had to be written, or empty."""
    content = _content(registry.encode(event))
    known = sorted(folder.glob(f"{event.TOPIC}.v{event.class_version}.*json"), key=lambda path: len(path.name))
    shapes = {path: json.loads(path.read_text(encoding="ascii")) for path in known}
    for path, shape in shapes.items():
        if shape == content:
            assert _load(registry, path) == event, f"{path.name}: what is read is not what was written"
            return ""
    for path, shape in shapes.items():
        told = f"{path.name}: stored otherwise than before; raise class_version and add an upcast"
        assert _only_adds(content, shape), told
    number = f"{len(known) + 1}." if known else ""
    path = folder / f"{event.TOPIC}.v{event.class_version}.{number}json"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=True) + "\n", encoding="ascii")
    return path.name


def _only_adds(now: object, before: object) -> bool:
    """Whether everything that was written before is written the same now, beside fields that are new."""
    if isinstance(now, dict) and isinstance(before, dict):
        return all(name in now and _only_adds(now[name], value) for name, value in before.items())
    if isinstance(now, list) and isinstance(before, list):
        return len(now) == len(before) and all(map(_only_adds, now, before))
    return now == before


def _content(stored: StoredEvent) -> dict[str, Any]:
    return {
        "originator_id": str(stored.originator_id),
        "originator_version": stored.originator_version,
        "topic": stored.topic,
        "state": json.loads(stored.state),
    }


def _load(registry: EventRegistry, path: Path) -> Event:
    content = json.loads(path.read_text(encoding="ascii"))
    assert content["topic"] in registry.classes, f"{path.name}: a stored event must stay readable for ever"
    state = json.dumps(content["state"], separators=(",", ":")).encode()
    stored = StoredEvent(UUID(content["originator_id"]), content["originator_version"], content["topic"], state)
    return registry.decode(stored)
