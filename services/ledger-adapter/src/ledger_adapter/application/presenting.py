"""J25: at the end of a period the credit balances of receivables are shown as owed, and taken back the day after."""

from __future__ import annotations

import calendar
import hashlib
import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.codes import AccountRole
from canonical.journal import LedgerLine
from canonical.money import Money
from chassis.domain import Context, Refusal
from chassis.eventstore import EventStore, Row, Work, transact

from ledger_adapter.application.ports import ErpDirectory
from ledger_adapter.application.queries import LINES, POSTINGS
from ledger_adapter.application.summaries import minor, summarised
from ledger_adapter.domain.credit_balances import (
    CreditBalance,
    Debtor,
    Presentation,
    credit_balances,
    is_of_patients,
    sides_of,
    total_of,
)
from ledger_adapter.domain.journal_entry import JournalEntry, journal_id
from ledger_adapter.domain.period_calendar import LatePolicy, PeriodCalendar, calendar_id, posting_day
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS
from ledger_adapter.domain.subledger import GroupKind, SubledgerPosting

CREDITS_MAX = 10_000
TRANSFERS_MAX = 100_000
RECEIVABLES = [account.value for account in PAYER_ACCOUNTS | PATIENT_ACCOUNTS]


class UnknownPeriod(Refusal):
    """No period of the entity has this name."""


class PeriodNotOver(Refusal):
    """The credit balances of a period are those of its last day, which has not passed."""


class PeriodClosed(Refusal):
    """The period's last day takes no entries any more, so the presentation would be booked on another day, or not at all."""


class CreditsNotPresented(Refusal):
    """The entity's books are configured to leave credit balances where they are."""


class TooManyCredits(Refusal):
    """More credit balances than one entry is made of, or more transfers than can be reckoned with."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What stands of a period. `is_new` is false where it stood before, or nobody has a credit balance."""

    period_end: date
    credit_count: int
    amount: Money
    journal_ids: tuple[UUID, ...]
    is_new: bool


def present_credit_balances(
    store: EventStore, erps: ErpDirectory, context: Context, entity: str, period: str
) -> Presented:
    """Intends both entries together, once per entity and period; asked again, it changes nothing and tells what stands.

    `period` is the ERP's name for it, or a month such as 2026-03 where the ERP tells no periods.

    Raises:
        UnknownEntity, UnknownPeriod, PeriodNotOver, PeriodClosed, CreditsNotPresented, TooManyCredits: see there.
    """
    erps.of(entity)
    if not erps.presents_credit_balances(entity):
        raise CreditsNotPresented(f"the books of {entity} do not present credit balances; see present_credit_balances")

    def decide(work: Work) -> Presented:
        end = _end_of(work, entity, period)
        if end >= context.now.date():
            raise PeriodNotOver(f"{period} of {entity} ends on {end}; ask again the day after")
        return _present(work, sides_of(entity, end), erps.late_policy(entity))

    return transact(store, context, decide)


def _end_of(work: Work, entity: str, period: str) -> date:
    told = work.get_or_new(PeriodCalendar, calendar_id(entity)).periods
    found = next((each.end for each in told if each.name == period), None)
    if found is None and not told and re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", period):
        year, month = int(period[:4]), int(period[5:])
        found = date(year, month, calendar.monthrange(year, month)[1]) if year else None
    if found is None:
        known = ", ".join(each.name for each in told[-3:]) or "none; name a month such as 2026-03"
        raise UnknownPeriod(f"{entity} has no period {period!r}; its latest are {known}")
    return found


def _present(work: Work, sides: tuple[Presentation, Presentation], policy: LatePolicy) -> Presented:
    entries = [work.get_or_new(JournalEntry, journal_id(GroupKind.CREDIT_BALANCES, side.group_id)) for side in sides]
    ids = tuple(entry.id for entry in entries)
    if entries[0].exists:
        owed = -Money.total(each.amount for each in entries[0].lines if each.account is AccountRole.CREDIT_BALANCES)
        count = len(work.rows(POSTINGS, {"group_id": sides[0].group_id}, limit=CREDITS_MAX))
        return Presented(sides[0].period_end, count, owed, ids, is_new=False)
    _refuse_closed(work, sides[0], policy)
    found = credit_balances(_receivables(work, sides[0].entity, sides[0].period_end))
    if len(found) > CREDITS_MAX:
        raise TooManyCredits(f"{len(found)} credit balances; an entry is made of {CREDITS_MAX} at most")
    if not found:
        return Presented(sides[0].period_end, 0, Money(0), (), is_new=False)
    for side, entry in zip(sides, entries, strict=True):
        _intend(work, side, found, entry)
    return Presented(sides[0].period_end, len(found), total_of(found), ids, is_new=True)


def _refuse_closed(work: Work, presentation: Presentation, policy: LatePolicy) -> None:
    entity, end = presentation.entity, presentation.period_end
    if posting_day(end, work.get_or_new(PeriodCalendar, calendar_id(entity)).periods, policy) != end:
        raise PeriodClosed(f"{end} of {entity} takes no entries any more; open its period, present, and close it again")


def _receivables(work: Work, entity: str, until: date) -> dict[Debtor, int]:
    """What everybody owes by what is booked on this day or before, in minor units."""
    owed: dict[Debtor, int] = {}
    by = ["account", "party", "encounter_id", "patient_id", "effective_date"]
    for row in work.store.sums(LINES, ["amount_minor"], by, {"entity": entity, "account": RECEIVABLES}):
        if _is_until(row, until):
            subject = row["patient_id"] if is_of_patients(str(row["account"])) else row["encounter_id"]
            debtor = Debtor(str(row["party"]), str(subject or ""))
            owed[debtor] = owed.get(debtor, 0) + minor(row, "amount_minor")
    for debtor, amount in _taken_over(work, entity, until):
        owed[debtor] = owed.get(debtor, 0) + amount
    return owed


def _taken_over(work: Work, entity: str, until: date) -> list[tuple[Debtor, int]]:
    """Shares that patients took over from others: both sides are one account and one party, which the rows do not tell
    apart, and the posting is the taker's."""
    where = {"entity": entity, "group_kind": GroupKind.PATIENT_TRANSFER.value}
    transfers = work.rows(POSTINGS, where, limit=TRANSFERS_MAX + 1)
    if len(transfers) > TRANSFERS_MAX:
        raise TooManyCredits(f"{entity} has more than {TRANSFERS_MAX} transfers between patients to reckon with")
    rows = [row for row in transfers if _is_until(row, until)]
    ids = [identity for row in rows if isinstance(identity := row["posting_id"], UUID)]
    work.prefetch(ids)
    firsts = [(row, work.require(SubledgerPosting, identity).decided) for row, identity in zip(rows, ids, strict=True)]
    return [
        (Debtor(lines[0].party, str(row["patient_id"])), lines[0].amount.minor)
        for row, lines in firsts
        if lines and lines[0].account is AccountRole.AR_PATIENT
    ]


def _is_until(row: Row, until: date) -> bool:
    day = row["effective_date"]
    assert isinstance(day, date), "what is booked has a day"
    return day <= until


def _intend(work: Work, side: Presentation, found: tuple[CreditBalance, ...], entry: JournalEntry) -> None:
    """A posting for each credit balance, whose source is the presentation itself, and the entry of them all."""
    booked: list[LedgerLine] = []
    for credit in found:
        lines = side.lines(credit)
        booked.extend(lines)
        work.get_or_new(SubledgerPosting, side.posting_id(credit.debtor)).draft(
            group_kind=GroupKind.CREDIT_BALANCES,
            group_id=side.group_id,
            item_id=side.group_id,
            entity=side.entity,
            effective_date=side.day,
            lines=lines,
            source_event_id=side.group_id,
            content_hash=hashlib.sha256(f"{credit.debtor} {credit.amount}".encode()).hexdigest()[:32],
        )
    entry.intend(
        entity=side.entity,
        effective_date=side.day,
        lines=summarised(booked),
        group_kind=GroupKind.CREDIT_BALANCES,
        group_id=side.group_id,
        posting_ids=tuple(side.posting_id(credit.debtor) for credit in found),
    )
