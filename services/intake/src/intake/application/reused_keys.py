"""Which messages have come under a delivery key that should be unique."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chassis.eventstore import EventStore, Question
from chassis.inbound import INBOUND_MESSAGES


def messages_under(store: EventStore, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], set[object]]:
    """The ids of messages that came under each of these keys of sources, or at least two of them where there are many."""
    of_source: dict[str, list[str]] = {}
    for source, key in sorted(keys):
        of_source.setdefault(source, []).append(key)
    known: dict[tuple[str, str], set[object]] = {each: set() for each in keys}
    at_once = [_came_under(source, of_it) for source, of_it in of_source.items()]
    answers = store.rows_of_each(at_once)
    full = [
        str(asked.where["source_system"])
        for asked, rows in zip(at_once, answers, strict=True)
        if len(rows) == asked.limit
    ]
    # Where as many came as were asked for, those of one key may have kept out those of another.
    answers += store.rows_of_each([_came_under(each, [key]) for each in full for key in of_source[each]])
    for row in (row for rows in answers for row in rows):
        known[str(row["source_system"]), str(row["delivery_key"])].add(row["message_id"])
    return known


def _came_under(source: str, keys: Sequence[str]) -> Question:
    return Question(INBOUND_MESSAGES, {"source_system": source, "delivery_key": list(keys)}, limit=2 * len(keys))
