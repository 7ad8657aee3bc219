"""The credits that bank files tell of, each recorded once, also where two files tell of it in different words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import Row, Where, Work

from payments.application.queries import DEPOSITS
from payments.domain.deposit import Deposit, DepositKind, DepositSource

DAYS_APART_MAX = 3
CANDIDATES_MAX = 100


@dataclass(frozen=True, slots=True)
class ReportedDeposit:
    """One credit as a bank reports it, or, below zero, one debit of a payout; its identity is the bank's own reference, not the file it came in."""

    deposit_id: UUID
    entity: str
    kind: DepositKind
    amount: Money
    on: date
    reference: str
    span_start: int
    span_length: int
    originator: str = ""
    further_references: tuple[str, ...] = ()
    source: DepositSource = DepositSource.BAI2
    is_ach: bool = True


def record_deposits(work: Work, deposits: Iterable[ReportedDeposit], message_id: UUID) -> int:
    """Records the credits of one bank file; those known already change nothing. The number of new ones.

    Raises:
        DepositChanged: one is known with another amount or date; nothing of the file is recorded then.
    """
    reported = list(deposits)
    work.prefetch(entry.deposit_id for entry in reported)
    new = 0
    for entry in reported:
        deposit = work.get_or_new(Deposit, entry.deposit_id)
        deposit.refuse_change(entry.amount, entry.on)
        if deposit.exists:
            continue
        told_before = _told_before(work, entry)
        if told_before is not None:
            _repeat(told_before, deposit, entry, message_id)
            continue
        new += 1
        deposit.trigger_event(
            Deposit.Recorded,
            entity=entry.entity,
            kind=entry.kind,
            amount=entry.amount,
            effective_date=entry.on,
            reference=entry.reference,
            message_id=message_id,
            span_start=entry.span_start,
            span_length=entry.span_length,
            originator=entry.originator,
            further_references=entry.further_references,
            source=entry.source,
            is_ach=entry.is_ach,
        )
    return new


def _told_before(work: Work, entry: ReportedDeposit) -> Deposit | None:
    """The deposit of another kind of file that is this credit; one of the same trace first, else of the nearest day.

    Balance reports often say no trace, so that account, amount and day must do. Where several credits of one amount are
    alike, it does not matter which is which, as long as each is told again once.
    """
    if not entry.is_ach:
        return None
    where: Where = {
        "entity": entry.entity,
        "amount_minor": entry.amount.minor,
        "source": [source.value for source in DepositSource if source is not entry.source],
        "is_ach": True,
        "told_again_by": None,
    }
    rows = work.rows(DEPOSITS, where, order=("effective_date", "deposit_id"), limit=CANDIDATES_MAX)
    for row in sorted((row for row in rows if _may_be(row, entry)), key=lambda row: _distance(row, entry)):
        identity = row["deposit_id"]
        assert isinstance(identity, UUID)
        found = work.require(Deposit, identity)
        if found.told_again_by is None:
            return found
    return None


def _may_be(row: Row, entry: ReportedDeposit) -> bool:
    if row["kind"] == entry.kind.value and entry.kind is not DepositKind.OTHER:
        is_same_payer = "" in (row["originator"], entry.originator) or row["originator"] == entry.originator
        return row["reference"] == entry.reference and is_same_payer
    one_is_silent = DepositKind.OTHER.value in (row["kind"], entry.kind.value)
    return one_is_silent and _days_apart(row, entry) <= DAYS_APART_MAX


def _distance(row: Row, entry: ReportedDeposit) -> tuple[bool, int]:
    return (row["reference"] != entry.reference, _days_apart(row, entry))


def _days_apart(row: Row, entry: ReportedDeposit) -> int:
    day = row["effective_date"]
    assert isinstance(day, date)
    return abs((day - entry.on) // timedelta(days=1))


def _repeat(told_before: Deposit, deposit: Deposit, entry: ReportedDeposit, message_id: UUID) -> None:
    """Names the deposit by what either file says of it, and keeps that the other told of it again.

    A payout's money is in the books with the payout: what was booked as nobody's before stays that, with its case, until a
    person has corrected it.
    """
    is_booked_twice = told_before.is_unidentified and entry.kind is DepositKind.PAYOUT
    knows_better = told_before.kind is DepositKind.OTHER and not is_booked_twice
    told_before.trigger_event(
        Deposit.ToldAgain,
        told_by=deposit.id,
        source=entry.source,
        kind=entry.kind if knows_better else told_before.kind,
        reference=entry.reference if knows_better else told_before.reference,
        originator=told_before.originator or entry.originator,
        message_id=message_id,
        span_start=entry.span_start,
        span_length=entry.span_length,
    )
    deposit.trigger_event(Deposit.Repeated, same_as=told_before.id, amount=entry.amount, effective_date=entry.on)
