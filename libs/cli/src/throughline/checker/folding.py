"""One pass over a log: its chain is followed, its facts are folded, its stream is compared, all at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from throughline.checker.announcing import Announcements
from throughline.checker.chain import follow
from throughline.checker.invariants.secrets_kept import Search
from throughline.checker.records import Fact, Message, StoredEvent
from throughline.checker.result import Failures
from throughline.checker.world import Store

_KEY = re.compile(rb'"key_id": ?"([0-9a-f-]{36})"')


@dataclass(slots=True)
class Sources:
    """What stands beside a store: its stream's messages, whether the oldest are gone, and who looks for PHI."""

    messages: Iterable[Message] | None = None
    trimmed: bool = False
    search: Search | None = None


def fold_log(events: Iterable[StoredEvent], store: Store, sources: Sources) -> None:
    """Fills the store's log, book and stream, and notes under which keys its events are sealed."""
    announcements = None
    if sources.messages is not None:
        seen = _searched(sources.messages, store.service, sources.search)
        announcements = Announcements(store.service, seen, trimmed=sources.trimmed)
    for event in follow(events, store.log):
        if sources.search is not None:
            sources.search.look("events", f"{store.service} event {event.position} ({event.topic})", event.state)
        store.keys.update(key.decode() for key in _KEY.findall(event.state))
        fact = _fact_of(event, store.book.unreadable)
        if fact is not None:
            store.book.take(fact)
            _announce(announcements, fact, store.book.unreadable)
    store.stream = announcements.finish() if announcements is not None else None


def _fact_of(event: StoredEvent, unreadable: Failures) -> Fact | None:
    try:
        state = json.loads(event.state)
    except ValueError:
        unreadable.add(f"position {event.position} ({event.topic}): its state is no JSON")
        return None
    return Fact(event.position, str(event.id), event.version, event.topic, state)


def _announce(announcements: Announcements | None, fact: Fact, unreadable: Failures) -> None:
    if announcements is None:
        return
    try:
        announcements.take(fact)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as fault:
        unreadable.add(f"position {fact.position} ({fact.topic}): {type(fault).__name__} beside its message")


def _searched(messages: Iterable[Message], service: str, search: Search | None) -> Iterator[Message]:
    for message in messages:
        if search is not None:
            envelope = "\n".join((message.subject, *message.headers.values())).encode()
            search.look("streams", f"stream of {service}, sequence {message.sequence}", message.data + b"\n" + envelope)
        yield message
