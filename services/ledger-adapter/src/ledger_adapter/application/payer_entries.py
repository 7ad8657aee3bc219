"""Journal entries of payers' overpayments: each step an entry by itself."""

from __future__ import annotations

from typing import Any

from canonical.envelope import Envelope
from canonical.events.payments import PayerOverpaymentMoved
from chassis.eventstore import Work
from chassis.messaging.reactions import Reaction

from ledger_adapter.application.single_entries import SingleFact, intend_single
from ledger_adapter.domain.payer_lines import lines_for_overpayment
from ledger_adapter.domain.subledger import GroupKind, single_posting_id


def when_overpayment_moved_intend_entry(work: Work, event: PayerOverpaymentMoved, envelope: Envelope) -> None:
    """J20."""
    intend_single(work, event, envelope, of_overpayment(event), lambda: lines_for_overpayment(event))


def of_overpayment(event: PayerOverpaymentMoved) -> SingleFact:
    posting_id = single_posting_id(GroupKind.PAYER_OVERPAYMENT, event.move_id)
    return SingleFact(GroupKind.PAYER_OVERPAYMENT, posting_id, event.overpayment_id)


PAYER_REACTIONS: tuple[Reaction[Any], ...] = (
    Reaction(PayerOverpaymentMoved, when_overpayment_moved_intend_entry, lambda event: of_overpayment(event).ids),
)
