"""One example of every stored event."""

from __future__ import annotations

from uuid import UUID

from canonical.codes import AccountRole
from canonical.ids import derive, external_number
from canonical.journal import JournalHead, JournalLine
from canonical.money import Money
from chassis.domain import Event
from chassis.testing.clock import START
from chassis.testing.contexts import context
from reconciliation.domain.breaks import Break, Resolution
from reconciliation.domain.findings import (
    Compared,
    Control,
    ControlResult,
    Divergence,
    ExplainingItem,
    Place,
    concluded,
)
from reconciliation.domain.runs import ReconciliationRun
from reconciliation.domain.witnessed import ClearingCause, ClearingItem, WitnessedJournal

from .world import DAY

JOURNAL = derive("example-journal")
REMITTANCE = derive("example-remittance")
RUN = derive("example-run")
HEAD = JournalHead(
    journal_id=JOURNAL,
    entity="NORTH",
    kind="remittance",
    effective_date=DAY,
    external_number=external_number(JOURNAL),
    rules_version="2026.1-abc",
)
LINES = (
    JournalLine(account=AccountRole.EFT_CLEARING, amount=Money(8000)),
    JournalLine(account=AccountRole.AR_PAYER, amount=Money(-8000), party="ACME"),
)
PLACE = Place(
    control=Control.AR_PAYER, compared=Compared.BILLING_SUBLEDGER, entity="NORTH", account="ar-payer", party="ACME"
)
DIVERGENCE = Divergence(what="claim", subject_id=derive("example-claim"), amount=Money(-1), note="ours 1, theirs 2")
RESULT: ControlResult = concluded(
    PLACE,
    Money(1000),
    Money(901),
    [ExplainingItem(reason="in exception: X", amount=Money(100), subject_id=derive("x"), reference="R1")],
    [DIVERGENCE],
)


def _event(event_class: type[Event], identity: UUID, /, **fields: object) -> Event:
    envelope = {"originator_id": identity, "originator_version": 1, "timestamp": START, "meta": context().meta}
    return event_class.model_validate(envelope | fields)


def stored_examples() -> tuple[Event, ...]:
    return (
        _event(WitnessedJournal.Intended, derive("e", 1), head=HEAD, lines=LINES, group_id=REMITTANCE),
        _event(WitnessedJournal.Rejected, derive("e", 1), journal_id=JOURNAL, reason="ErpRejected: no such account"),
        _event(WitnessedJournal.Confirmed, derive("e", 1), head=HEAD, lines=LINES, erp="tryton", erp_document="77"),
        _event(
            ClearingItem.Moved,
            derive("e", 2),
            entity="NORTH",
            account="eft-clearing",
            item_id=REMITTANCE,
            cause=ClearingCause.REMITTANCE_ACCEPTED,
            cause_id=REMITTANCE,
            amount=Money(8000),
            balance=Money(8000),
            effective_date=DAY,
            reference="TRACE1",
        ),
        _event(ReconciliationRun.Started, RUN, entities=("NORTH", "SOUTH"), requested_by="user:controller"),
        _event(ReconciliationRun.Completed, RUN, positions={"claims": 10, "ledger": 30}, reads=2, results=(RESULT,)),
        _event(
            Break.Opened,
            PLACE.break_id,
            place=PLACE,
            occurrence=1,
            residual=Money(-1),
            first_divergence=DIVERGENCE,
            run_id=RUN,
        ),
        _event(Break.Moved, PLACE.break_id, residual=Money(-2), first_divergence=None, run_id=RUN),
        _event(Break.Explained, PLACE.break_id, reason="bank holiday"),
        _event(Break.Resolved, PLACE.break_id, how=Resolution.AGREES, run_id=RUN),
        _event(
            Break.WriteOffRequested, PLACE.break_id, requested_by="user:maker", residual=Money(-1), reason="one cent"
        ),
        _event(
            Break.WrittenOff,
            PLACE.break_id,
            requested_by="user:maker",
            approved_by="user:checker",
            residual=Money(-1),
            reason="agreed",
        ),
        _event(Break.WriteOffLapsed, PLACE.break_id, run_id=RUN),
    )
