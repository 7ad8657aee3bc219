"""What an exchange with an ERP makes of a journal entry: the document sent, and refusals, holds and differences recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from canonical.codes import Dimension
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work
from chassis.exceptions import raise_case
from pydantic import ValidationError

from ledger_adapter.application.ports import (
    ErpDocument,
    ErpJournal,
    ErpLine,
    Pending,
    RefusalKind,
    Refused,
)
from ledger_adapter.application.summaries import kept
from ledger_adapter.domain.journal_entry import JournalEntry, JournalState, differences_between
from ledger_adapter.domain.period_calendar import LatePolicy, PeriodCalendar, calendar_id, posting_day

TAKEN_MAX = 20
MAY_BE_SENT = (JournalState.PROBED, JournalState.UNCERTAIN)
ON_ITS_WAY = (*MAY_BE_SENT, JournalState.POSTED)
ERP_DIFFERS = "ErpDiffers"
UNWRITABLE = RefusalKind.INVALID.value
SENT_ELSEWHERE = "SentElsewhere"


def day_to_book(work: Work, entry: JournalEntry, policy: LatePolicy) -> date | None:
    """When an entry is booked, by the periods as the ERP told them last; None where it has to wait.

    One that may have been sent keeps the day that it was sent with.
    """
    assert entry.head is not None, "an intended entry has a head"
    if entry.state in MAY_BE_SENT:
        return entry.booked_on
    calendar = work.get_or_new(PeriodCalendar, calendar_id(entry.head.entity))
    return posting_day(entry.head.effective_date, calendar.periods, policy)


def erp_journal(entry: JournalEntry, dimensions: Collection[Dimension]) -> ErpJournal:
    """The document of an entry: nothing but our number, its date and its lines, by the dimensions that the books keep."""
    assert entry.head is not None, "an intended entry has a head"
    return ErpJournal(
        number=entry.head.external_number,
        entity=entry.head.entity,
        effective_date=entry.booked_on,
        lines=tuple(ErpLine(**dict(line)) for line in kept(entry.lines, dimensions)),
    )


def document_or_case(work: Work, entry: JournalEntry, dimensions: Collection[Dimension]) -> ErpJournal | None:
    """The document of a probed entry; one that cannot be written is refused by ourselves, so that others go on."""
    try:
        return erp_journal(entry, dimensions)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['type']}"[:200]
        entry.record_rejected(UNWRITABLE, reason)
        _report(work, entry, UNWRITABLE, reason)
        return None


def confirm_nothing(entry: JournalEntry, erp: str) -> None:
    """Ends an entry whose lines cancel out by what the books keep, such as revenue moved between departments that they do
    not tell apart: there is nothing to send, and nothing will be found."""
    entry.record_posted(erp, "")
    entry.confirm()


def record_refusal(work: Work, entry: JournalEntry, refused: Refused) -> int:
    """One where the ERP is to be asked again at once, else nought. A closed period holds the entry; any other refusal ends the attempt; both are a person's to mend.

    A number that is taken is most likely our own earlier sending, which a slow ERP finished after we had given up waiting
    and after it had said that it did not know the number: asking again tells. Only a number that stays taken and is
    never found is refused for good.
    """
    reason = refused.reason[:200]
    if refused.kind is RefusalKind.NUMBER_TAKEN and entry.uncertain_count < TAKEN_MAX:
        entry.record_uncertain(reason)
        return 1
    if refused.kind is RefusalKind.PERIOD_CLOSED:
        hold(work, entry, reason, refused_day=entry.booked_on)
    else:
        entry.record_rejected(refused.kind.value, reason)
        _report(work, entry, refused.kind.value, reason)
    return 0


def hold(work: Work, entry: JournalEntry, reason: str, *, refused_day: date | None = None) -> None:
    """`refused_day` is the day that the ERP refused; None where our own calendar says that the period is closed."""
    entry.hold_for_period(reason, refused_day)
    _report(work, entry, RefusalKind.PERIOD_CLOSED.value, reason)


def is_elsewhere(work: Work, entry: JournalEntry, erp: str) -> bool:
    """Whether it was on its way to another ERP when its entity moved to this one: only there can be told whether it is booked."""
    assert entry.head is not None, "an intended entry has a head"
    if entry.state not in ON_ITS_WAY or entry.erp in ("", erp):
        return False
    raise_case(
        work,
        derive("sent-elsewhere", entry.id, entry.erp, erp),
        code=SENT_ELSEWHERE,
        summary=f"journal {entry.head.external_number} was sent to {entry.erp}; its entity is at {erp} now",
        subject="journal-entry",
        subject_id=entry.id,
        entity=entry.head.entity,
        amount=Money.total(line.amount for line in entry.lines if line.amount.minor > 0),
    )
    return True


def confirm_or_report(
    work: Work, entry: JournalEntry, held: Mapping[str, ErpDocument | Pending], dimensions: Collection[Dimension]
) -> int:
    assert entry.head is not None, "a posted entry has a head"
    document = held.get(entry.head.external_number)
    if isinstance(document, Pending):
        return 0
    differences = differences_with(entry, document, dimensions)
    if differences:
        entry.record_differences(differences)
        _report(work, entry, ERP_DIFFERS, "; ".join(differences)[:400])
    else:
        entry.confirm()
    return 1


def differences_with(
    entry: JournalEntry, document: ErpDocument | None, dimensions: Collection[Dimension] = ()
) -> tuple[str, ...]:
    """What the ERP holds otherwise than we sent it; empty when equal line by line."""
    assert entry.head is not None, "a posted entry has a head"
    if document is None:
        return ("the ERP does not hold the document any more",)
    found = differences_between(kept(entry.lines, dimensions), document.lines)
    if document.effective_date != entry.booked_on:
        found += (f"dated {entry.booked_on} by us, {document.effective_date} at the ERP",)
    return found


def _report(work: Work, entry: JournalEntry, code: str, summary: str) -> None:
    assert entry.head is not None, "an intended entry has a head"
    raise_case(
        work,
        derive("journal-stopped", entry.id, entry.version),
        code=code,
        summary=f"journal {entry.head.external_number}: {summary}",
        subject="journal-entry",
        subject_id=entry.id,
        entity=entry.head.entity,
        amount=Money.total(line.amount for line in entry.lines if line.amount.minor > 0),
    )
