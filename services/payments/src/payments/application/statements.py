"""The statement of an account as of a day, from the facts in the log: the same numbers as its balance of that day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import EventStore, Row

from payments.application.account_history import AccountThen, Moment, Place, accounts_at
from payments.application.dunning import Policies, asking_of, default_policy
from payments.application.guarantors import guarantors_of
from payments.application.payment_plans import plan_of
from payments.domain.cash_spread import NOTHING
from payments.domain.patient_account import PatientAccount
from payments.domain.payer_words import PayerWord, ShareOrigin
from payments.domain.statement import Statement, StatementLine, Visit, billing_of, together

_LINE_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "payment": ("", "Your payment. Thank you."),
    "refund": ("Refund to you.", "A refund to you was called off."),
    "return": ("Your bank took this payment back.", "Your bank gave this payment back."),
    "dispute": (
        "Your card company took this payment back, because it was disputed.",
        "Your card company gave this payment back.",
    ),
    "transfer": ("Your payment was moved to another account.", "A payment was moved here from another account."),
    "charity": ("Financial assistance was taken back.", "Financial assistance: you do not owe this."),
    "small-balance": ("A small balance is owed again.", "A small balance that we do not ask you for."),
    "price-concession": (
        "A part that we did not ask you for is owed again.",
        "A part that we do not ask you for.",
    ),
    "bad-debt": ("An old balance is owed again.", "An old balance that we no longer ask you for."),
}
"""By kind, what a line that raises what is owed says, and one that lowers it."""


@dataclass(slots=True)
class _Told:
    """What the log says beside the numbers: by claim or encounter its visit, what payers said, and what was moved."""

    encounters: dict[UUID, UUID]
    words: dict[UUID, list[PayerWord]]
    transferred: dict[UUID, Money]
    transfers: set[UUID]


def statement(
    store: EventStore, account_id: UUID, as_of: date, known_at: datetime, policies: Policies = default_policy
) -> Statement | None:
    """What an account's statement says as of a day, as it was known at an instant; None where it had no fact by then."""
    moment = Moment(as_of, known_at)
    account = next(iter(accounts_at(store, [account_id], moment)), None)
    if account is None:
        return None
    history = store.load([account_id])[account_id].events
    told = _told([event for event in history if moment.has(event)])
    visits, plan = _with_guarantors(store, _visits(account, told)), plan_of(store, account, as_of)
    return Statement(
        account_id=account_id,
        entity=account.entity,
        patient_id=account.patient_id,
        as_of=as_of,
        visits=visits,
        lines=tuple(_line(row, told) for row in account.lines),
        balance=account.balance,
        unapplied=account.unapplied,
        asking=asking_of(store, account_id, visits, plan, as_of, known_at, policies(account.entity, as_of)),
        plan=plan,
    )


def _told(events: Iterable[Event]) -> _Told:
    told = _Told({}, {}, {}, set())
    for event in events:
        if not isinstance(event, PatientAccount.ResponsibilityAssigned | PatientAccount.PayerHeard):
            continue
        place = event.claim_id or event.encounter_id
        if event.word is not None:
            told.encounters[place] = event.encounter_id
            told.words.setdefault(place, []).append(event.word)
        if isinstance(event, PatientAccount.ResponsibilityAssigned) and event.origin is ShareOrigin.TRANSFER:
            told.transferred[place] = told.transferred.get(place, NOTHING) + event.amount
            told.transfers.add(event.source_id)
    return told


def _visits(account: AccountThen, told: _Told) -> tuple[Visit, ...]:
    """The oldest first; the claims of one encounter are one visit, also those of which the patient owes nothing yet."""
    places: dict[UUID, list[Place]] = {}
    owed = {place.place for place in account.places}
    waiting = [
        Place(place, told.encounters[place], min(word.service_from for word in words), NOTHING, NOTHING, NOTHING)
        for place, words in told.words.items()
        if place not in owed
    ]
    for place in (*account.places, *waiting):
        places.setdefault(place.encounter_id, []).append(place)
    visits = [_visit(encounter_id, of_it, told) for encounter_id, of_it in places.items()]
    return tuple(sorted(visits, key=lambda visit: (visit.on, visit.encounter_id.bytes)))


def _with_guarantors(store: EventStore, visits: Sequence[Visit]) -> tuple[Visit, ...]:
    known = guarantors_of(store, [visit.encounter_id for visit in visits])
    return tuple(replace(visit, guarantor_id=known.get(visit.encounter_id)) for visit in visits)


def _visit(encounter_id: UUID, places: Sequence[Place], told: _Told) -> Visit:
    words = [word for place in places for word in told.words.get(place.place, ())]
    transferred = {place.place: told.transferred.get(place.place, NOTHING) for place in places}
    since = min(place.since for place in places)
    return Visit(
        encounter_id=encounter_id,
        on=min((word.service_from for word in words), default=since),
        since=since,
        billing=together(
            [
                billing_of(told.words.get(each.place, ()), each.responsibility - transferred[each.place])
                for each in places
            ]
        ),
        transferred=Money.total(transferred.values()),
        given_up=Money.total(place.written_off for place in places),
        paid=Money.total(place.paid for place in places),
    )


def _line(row: Row, told: _Told) -> StatementLine:
    kind, on, minor = str(row["kind"]), row["effective_date"], row["amount_minor"]
    encounter = row["encounter_id"]
    assert isinstance(on, date), "a line has a day"
    assert isinstance(minor, int), "a line has an amount"
    return StatementLine(
        on=on,
        kind=kind,
        amount=Money(minor),
        encounter_id=encounter if isinstance(encounter, UUID) else None,
        explanation=_explained(row, kind, minor, told),
    )


def _explained(row: Row, kind: str, minor: int, told: _Told) -> str:
    if kind != "responsibility":
        raised, lowered = _LINE_WORDS[kind]
        return raised if minor > 0 else lowered
    if row["source_id"] in told.transfers:
        return "Moved here from another account." if minor > 0 else "Moved to another account."
    if row["claim_id"]:
        lowered = "Your insurance took a decision back: this is not your share."
        return "Your share, as your insurance decided." if minor > 0 else lowered
    return "Charges of this visit." if minor > 0 else "Charges of this visit were lowered."
