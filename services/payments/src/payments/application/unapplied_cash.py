"""Cash that pays nothing: of accounts, by payment, and of payments that belong to no account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Above, Change, EventStore, Question, Row, Table, Where, add, put

from payments.application.patient_rows import ACCOUNTS, PAYMENTS
from payments.domain.patient_account import PatientAccount

UNCLAIMED_MAX = 5000
UNAPPLIED_CASH = Table(
    "unapplied_cash",
    {
        "account_id": "uuid",
        "payment_id": "uuid",
        "entity": "text",
        "received_on": "date",
        "amount_minor": "bigint",
    },
    key=("account_id", "payment_id"),
    indexes=(("amount_minor",),),
)
"""What of each payment of an account pays nothing, zero included."""


class Why(StrEnum):
    """Why cash pays nothing."""

    UNCLAIMED = "unclaimed"
    NOTHING_OWED = "nothing-owed"
    SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True)
class Unapplied:
    """Cash of one payment that pays nothing; `account_id` is empty where it belongs to nobody yet."""

    payment_id: UUID
    account_id: UUID | None
    entity: str
    amount: Money
    since: date
    why: Why


@dataclass(frozen=True, slots=True)
class Listed:
    """The oldest of them, with the sum and the number of all."""

    found: Sequence[Unapplied]
    total: Money
    count: int


def project_unapplied_cash(event: Event) -> Iterable[Change]:
    """The rows of unapplied cash that one stored event changes."""
    match event:
        case PatientAccount.PaymentReceived():
            facts = {"entity": event.entity, "received_on": event.effective_date}
            yield put(UNAPPLIED_CASH, account_id=event.originator_id, payment_id=event.payment_id, **facts)
            yield _moved(event.originator_id, event.payment_id, event.unapplied)
        case PatientAccount.UnappliedApplied() | PatientAccount.CashTakenBack():
            yield _moved(event.originator_id, event.payment_id, -event.amount)
        case _:
            return


def unapplied_cash(
    store: EventStore, entity: str, account_id: UUID | None, limit: int, *, only_unclaimed: bool
) -> Listed:
    """Unapplied cash, the oldest first. Of payments that belong to nobody, the oldest 5,000 are counted."""
    where: dict[str, object] = {"entity": entity} if entity else {}
    of_nobody = [] if account_id else _unclaimed(store, where)
    if only_unclaimed:
        return Listed(of_nobody[:limit], Money.total(each.amount for each in of_nobody), len(of_nobody))
    if account_id:
        where["account_id"] = account_id
    where["amount_minor"] = Above.ZERO
    rows = store.rows(UNAPPLIED_CASH, where, order=("received_on",), limit=limit)
    found = sorted([*of_nobody, *_of_accounts(store, rows)], key=lambda each: (each.since, each.payment_id.bytes))
    total, count = _sums(store, where)
    return Listed(found[:limit], total + Money.total(each.amount for each in of_nobody), count + len(of_nobody))


def _unclaimed(store: EventStore, where: Where) -> list[Unapplied]:
    nobodys = {**where, "state": "succeeded", "account_id": None}
    rows = store.rows(PAYMENTS, nobodys, order=("effective_date",), limit=UNCLAIMED_MAX)
    found = [
        Unapplied(
            _uuid(row["payment_id"]),
            None,
            str(row["entity"]),
            Money(_int(row["amount_minor"]) - _int(row["taken_back_minor"])),
            _day(row["effective_date"]),
            Why.UNCLAIMED,
        )
        for row in rows
    ]
    return [each for each in found if each.amount]


def _of_accounts(store: EventStore, rows: Sequence[Row]) -> list[Unapplied]:
    ids = sorted({_uuid(row["account_id"]) for row in rows}, key=str)
    (accounts,) = store.rows_of_each([Question(ACCOUNTS, {"account_id": ids}, limit=max(1, len(ids)))])
    owing = {row["account_id"] for row in accounts if _owes(row)}
    return [
        Unapplied(
            _uuid(row["payment_id"]),
            _uuid(row["account_id"]),
            str(row["entity"]),
            Money(_int(row["amount_minor"])),
            _day(row["received_on"]),
            Why.SET_ASIDE if row["account_id"] in owing else Why.NOTHING_OWED,
        )
        for row in rows
    ]


def _owes(row: Row) -> bool:
    """Free cash pays whatever is owed; beside a debt, only what a person set aside pays nothing."""
    owed = _int(row["responsibility_minor"]) - _int(row["written_off_minor"])
    return owed > _int(row["applied_minor"])


def _sums(store: EventStore, where: Where) -> tuple[Money, int]:
    for row in store.sums(UNAPPLIED_CASH, ["amount_minor"], [], where):
        return Money(_int(row["amount_minor"])), _int(row["count"])
    return Money(0), 0


def _moved(account_id: UUID, payment_id: UUID, amount: Money) -> Change:
    return add(UNAPPLIED_CASH, {"account_id": account_id, "payment_id": payment_id}, amount_minor=amount.minor)


def _uuid(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _day(value: object) -> date:
    assert isinstance(value, date)
    return value
