"""What an account was at a business date, as it was known at an instant: rebuilt from the facts in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from canonical.money import Money
from chassis.domain import Context, ContextSource, Event, Meta
from chassis.eventstore import EventStore, Row

from payments.application.patient_rows import ACTIVITY, Counted, activity_row
from payments.domain.cash_spread import NOTHING, Owed, Part, Reserved, open_of_each
from payments.domain.patient_account import PatientAccount

_LINES = (
    PatientAccount.ResponsibilityAssigned,
    PatientAccount.PaymentReceived,
    PatientAccount.CashTakenBack,
    PatientAccount.WrittenOff,
)
_FACTS = (*_LINES, PatientAccount.Allocated)


@dataclass(frozen=True, slots=True)
class Moment:
    """Facts dated up to `as_of` (of any date without one) that were recorded up to `known_at`."""

    as_of: date | None
    known_at: datetime

    def has(self, event: Event) -> bool:
        """Whether the event was known by then, and is not of a later day."""
        on = getattr(event, "effective_date", None)
        return event.timestamp <= self.known_at and (self.as_of is None or on is None or on <= self.as_of)


@dataclass(frozen=True, slots=True)
class Place:
    """What is owed at one claim, or at one encounter without a claim. `open` below zero lowers what is open elsewhere."""

    place: UUID
    encounter_id: UUID
    since: date
    responsibility: Money
    written_off: Money
    paid: Money
    lines: Sequence[tuple[str, Money]] = ()

    @property
    def open(self) -> Money:
        return self.responsibility - self.written_off - self.paid


@dataclass(frozen=True, slots=True)
class Held:
    """The cash of one payment that an account has, what of it pays what, and what a person set aside."""

    payment_id: UUID
    received_on: date
    amount: Money
    parts: Sequence[Part]
    reserved: Sequence[tuple[UUID, Reserved]]

    @property
    def unapplied(self) -> Money:
        return self.amount - Money.total(part.amount for part in self.parts)


@dataclass(frozen=True, slots=True)
class AccountThen:
    """One account at a moment: its facts as lines, and what follows from them by the rule that spreads cash."""

    account_id: UUID
    entity: str
    patient_id: UUID
    places: Sequence[Place]
    cash: Sequence[Held]
    lines: Sequence[Row] = field(repr=False)

    @property
    def responsibility(self) -> Money:
        return Money.total(place.responsibility for place in self.places)

    @property
    def written_off(self) -> Money:
        return Money.total(place.written_off for place in self.places)

    @property
    def applied(self) -> Money:
        return Money.total(place.paid for place in self.places)

    @property
    def unapplied(self) -> Money:
        return Money.total(held.unapplied for held in self.cash)

    @property
    def balance(self) -> Money:
        """What the patient owes; below zero only where more was taken off than was ever owed."""
        return self.responsibility - self.written_off - self.applied


def accounts_at(store: EventStore, account_ids: Iterable[UUID], moment: Moment) -> list[AccountThen]:
    """Each account that had a fact by then, by entity; all are read at once."""
    wanted = list(account_ids)
    histories = store.load(wanted)
    found = [_at(identity, histories[identity].events, moment) for identity in wanted if identity in histories]
    return sorted(filter(None, found), key=lambda each: (each.entity, each.account_id.bytes))


def activity_of(store: EventStore, account_id: UUID, after: int, size: int) -> tuple[list[Row], int | None]:
    """Lines of an account recorded after a version, as rows of the read model with the instant of each; and the version
    that the next page begins after, None where there is none."""
    events = store.story(account_id, after=after, limit=size + 1)
    rows = [_line(event) for event in events[:size] if isinstance(event, Counted)]
    return rows, events[size - 1].originator_version if len(events) > size else None


def _at(identity: UUID, events: Iterable[Event], moment: Moment) -> AccountThen | None:
    account = PatientAccount(identity, ContextSource(_nobody(identity, moment.known_at)))
    lines = []
    for event in events:
        if not isinstance(event, _FACTS) or not moment.has(event):
            continue
        if _is_too_early(account, event):
            continue
        event.apply(account)
        if isinstance(event, _LINES):
            lines.append(_line(event))
    if account.patient_id is None:
        return None
    parts = account.parts
    return AccountThen(
        identity, account.entity, account.patient_id, _places(account, parts), _held(account, parts), lines
    )


def _is_too_early(account: PatientAccount, event: Event) -> bool:
    """Whether it is dated before what it changes: nothing is taken of cash that is not there yet, nor of a write-off."""
    if isinstance(event, PatientAccount.CashTakenBack):
        return event.payment_id not in account.cash
    return isinstance(event, PatientAccount.WrittenOff) and event.of_write_off not in (None, *account.given_up)


def _places(account: PatientAccount, parts: Sequence[Part]) -> list[Place]:
    found: dict[UUID, Owed] = {}
    for entry in account.owed.values():
        known = found.get(entry.place)
        since, amount = (min(known.on, entry.on), known.amount) if known else (entry.on, NOTHING)
        found[entry.place] = Owed(entry.place, entry.encounter_id, amount + entry.amount, since)
    given_up = open_of_each(account.written_off.values(), ())
    paid: dict[UUID, Money] = {}
    for part in parts:
        paid[part.place] = paid.get(part.place, NOTHING) + part.amount
    for entry in account.written_off.values():
        found.setdefault(entry.place, Owed(entry.place, entry.encounter_id, NOTHING, entry.on))
    return [
        Place(
            place,
            o.encounter_id,
            o.on,
            o.amount,
            -given_up.get(place, NOTHING),
            paid.get(place, NOTHING),
            [(line, amount) for (at, line), amount in account.lines.items() if at == place and amount],
        )
        for place, o in sorted(found.items(), key=lambda each: (each[1].on, each[0].bytes))
    ]


def _held(account: PatientAccount, parts: Sequence[Part]) -> list[Held]:
    return [
        Held(
            payment_id,
            cash.on,
            cash.amount,
            [part for part in parts if part.payment_id == payment_id],
            [(i, each) for i, each in account.reserved.items() if each.payment_id == payment_id and each.amount],
        )
        for payment_id, cash in sorted(account.cash.items(), key=lambda each: (each[1].on, each[0].bytes))
    ]


def _line(event: Counted) -> Row:
    empty = dict.fromkeys(ACTIVITY.columns)
    return empty | activity_row(event) | {"recorded_at": event.timestamp}


def _nobody(identity: UUID, now: datetime) -> Context:
    """What only looks records nothing."""
    return Context(now, Meta(correlation_id=identity, causation_id=identity, actor="reader"))
