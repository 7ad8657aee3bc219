"""From what payers paid too much to the lines that it books."""

from __future__ import annotations

from canonical.events.payments import PayerOverpaymentMoved
from canonical.journal import LedgerLine

from ledger_adapter.domain.patient_lines import UnknownStep
from ledger_adapter.domain.posting_rules import Dimensions, Fact, booked


def lines_for_overpayment(event: PayerOverpaymentMoved) -> tuple[LedgerLine, ...]:
    """J20: owed back to the payer out of its receivable, returned, recouped, or withdrawn (the mirror of the first).

    Raises:
        UnknownStep: none of these.
    """
    steps = {
        "identified": (Fact.OVERPAYMENT_IDENTIFIED, event.amount),
        "returned": (Fact.OVERPAYMENT_RETURNED, event.amount),
        "recouped": (Fact.OVERPAYMENT_RECOUPED, event.amount),
        "withdrawn": (Fact.OVERPAYMENT_IDENTIFIED, -event.amount),
    }
    if event.step not in steps:
        raise UnknownStep(f"overpayment {event.overpayment_id}: {event.step}")
    fact, amount = steps[event.step]
    return booked(fact, amount, Dimensions(event.entity, payer=event.payer))
