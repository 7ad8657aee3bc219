"""The event store: the truth of one service, its inbox, its read models."""

from chassis.eventstore.port import (
    Commit,
    EventStore,
    History,
    InboxEntry,
    LoggedEvent,
    ParkedMessage,
    RawSpan,
    SnapshotRow,
    VersionConflict,
)
from chassis.eventstore.registry import EventRegistry, NewerEvent, UnknownTopic
from chassis.eventstore.tables import Above, Change, Projection, Question, Row, Table, Where, add, put, remove
from chassis.eventstore.work import Work, transact

__all__ = [
    "Above",
    "Change",
    "Commit",
    "EventRegistry",
    "EventStore",
    "History",
    "InboxEntry",
    "LoggedEvent",
    "NewerEvent",
    "ParkedMessage",
    "Projection",
    "Question",
    "RawSpan",
    "Row",
    "SnapshotRow",
    "Table",
    "UnknownTopic",
    "VersionConflict",
    "Where",
    "Work",
    "add",
    "put",
    "remove",
    "transact",
]
