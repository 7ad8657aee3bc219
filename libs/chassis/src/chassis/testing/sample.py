"""A small aggregate with two read models, for tests of what works with any aggregate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from canonical.money import Money
from pydantic import BaseModel

from chassis.domain import Aggregate, Event, Refusal
from chassis.eventstore import Change, EventRegistry, Table, add, put, remove


class PurseIsClosed(Refusal):
    """A closed purse takes nothing more."""


class PurseState(BaseModel):
    """The snapshot of a purse."""

    owner: str
    balance_minor: int
    is_closed: bool


class Purse(Aggregate):
    """Opened, filled, closed; closed purses may be opened again."""

    snapshot_every: ClassVar[int] = 10

    def start(self) -> None:
        self.owner = ""
        self.balance = Money(0)
        self.is_closed = False

    class Opened(Event):
        TOPIC = "sample.purse.opened"
        owner: Public[str]

        def apply(self, purse: Purse) -> None:
            purse.owner = self.owner
            purse.is_closed = False

    class Filled(Event):
        TOPIC = "sample.purse.filled"
        amount: Money

        def apply(self, purse: Purse) -> None:
            purse.balance += self.amount

    class Closed(Event):
        TOPIC = "sample.purse.closed"

        def apply(self, purse: Purse) -> None:
            purse.is_closed = True
            purse.balance = Money(0)

    def open(self, owner: str) -> None:
        self.trigger_event(self.Opened, owner=owner)

    def fill(self, amount: Money) -> None:
        if not self.exists or self.is_closed:
            raise PurseIsClosed(f"purse {self.id} is closed; open it first")
        self.trigger_event(self.Filled, amount=amount)

    def close(self) -> None:
        if not self.is_closed:
            self.trigger_event(self.Closed)

    def snapshot(self) -> BaseModel:
        return PurseState(owner=self.owner, balance_minor=self.balance.minor, is_closed=self.is_closed)

    def restore(self, state: bytes) -> None:
        kept = PurseState.model_validate_json(state)
        self.owner = kept.owner
        self.balance = Money(kept.balance_minor)
        self.is_closed = kept.is_closed


PURSES = Table(
    "purses",
    {
        "purse_id": "uuid",
        "owner": "text",
        "balance_minor": "bigint",
        "fills": "integer",
        "is_large": "boolean",
        "opened_on": "date",
        "opened_at": "timestamptz",
        "notes": "jsonb",
        "mark": "bytea",
    },
    key=("purse_id",),
    indexes=(("owner",),),
)
OWNERS = Table("purse_owners", {"owner": "text", "day": "date", "filled_minor": "bigint"}, key=("owner", "day"))
TABLES = (PURSES, OWNERS)


def project_purses(event: Event) -> Iterable[Change]:
    """One row a purse, gone when it is closed; sums by owner and day."""
    if isinstance(event, Purse.Opened):
        yield put(
            PURSES,
            purse_id=event.originator_id,
            owner=event.owner,
            balance_minor=0,
            opened_on=event.timestamp.date(),
            opened_at=event.timestamp,
            notes={"opened": [event.owner, None]},
            mark=event.originator_id.bytes,
        )
    elif isinstance(event, Purse.Filled):
        yield add(PURSES, {"purse_id": event.originator_id}, balance_minor=event.amount.minor, fills=1)
        if event.amount.minor > 100_000:
            yield put(PURSES, purse_id=event.originator_id, is_large=True)
        key = {"owner": event.meta.actor, "day": event.timestamp.date()}
        yield add(OWNERS, key, filled_minor=event.amount.minor)
    elif isinstance(event, Purse.Closed):
        yield remove(PURSES, purse_id=event.originator_id)


def purse_id(name: object) -> UUID:
    """The id of a test's purse."""
    return derive("sample-purse", name)


def registry() -> EventRegistry:
    """The events of a purse."""
    return EventRegistry((Purse,))
