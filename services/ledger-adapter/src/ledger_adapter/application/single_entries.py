"""Facts that are a journal entry by themselves: the posting and the intent to book it, together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from canonical.envelope import Envelope, PublicEvent
from canonical.events.claims import ClaimAdjudicated, ClaimRevised, DenialReleased, DenialWrittenOff
from canonical.events.payments import (
    DepositMatched,
    DepositUnidentified,
    PatientBalanceWrittenOff,
    PatientDisputeMoved,
    PatientMoneyTransferred,
    PatientPaymentReturned,
    PatientPaymentSucceeded,
    PatientRefundMoved,
    PayerOverpaymentMoved,
    PaymentApplied,
    PayoutPaid,
    PriceConcessionMoved,
)
from canonical.journal import LedgerLine
from canonical.remittance import ProviderAdjustment
from chassis.eventstore import Work

from ledger_adapter.application.summaries import summarised
from ledger_adapter.domain import fact_lines as lines
from ledger_adapter.domain.journal_entry import JournalEntry, journal_id
from ledger_adapter.domain.posting_rules import RULES_VERSION
from ledger_adapter.domain.subledger import GroupKind, SubledgerPosting, content_hash_of, single_posting_id

Single = (
    DepositMatched
    | DepositUnidentified
    | PatientPaymentSucceeded
    | PaymentApplied
    | PayoutPaid
    | PatientRefundMoved
    | PatientDisputeMoved
    | PatientPaymentReturned
    | PatientBalanceWrittenOff
    | PatientMoneyTransferred
    | PriceConcessionMoved
    | PayerOverpaymentMoved
    | DenialReleased
    | DenialWrittenOff
    | ClaimAdjudicated
    | ClaimRevised
)


@dataclass(frozen=True, slots=True)
class SingleFact:
    """A fact that is a journal entry by itself; `item_id` is what a clearing account is cleared by, and `deposit_id` what
    unidentified receipts are."""

    kind: GroupKind
    posting_id: UUID
    item_id: UUID
    remittance_position: int = -1
    deposit_id: UUID | None = None

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The posting and the entry."""
        return (self.posting_id, journal_id(self.kind, self.posting_id))


def when_deposit_matched_intend_entry(work: Work, event: DepositMatched, envelope: Envelope) -> None:
    """J14 or J27."""
    intend_single(work, event, envelope, of_deposit(event), lambda: lines.lines_for_deposit(event))


def when_deposit_unidentified_intend_entry(work: Work, event: DepositUnidentified, envelope: Envelope) -> None:
    """J27."""
    intend_single(work, event, envelope, of_unidentified(event), lambda: lines.lines_for_unidentified_deposit(event))


def when_patient_payment_succeeded_intend_entry(work: Work, event: PatientPaymentSucceeded, envelope: Envelope) -> None:
    """J15."""
    intend_single(work, event, envelope, of_payment(event), lambda: lines.lines_for_patient_payment(event))


def when_payment_applied_intend_entry(work: Work, event: PaymentApplied, envelope: Envelope) -> None:
    """J16."""
    intend_single(work, event, envelope, of_application(event), lambda: lines.lines_for_application(event))


def when_payout_paid_intend_entry(work: Work, event: PayoutPaid, envelope: Envelope) -> None:
    """J17; a payout over several entities is one fact for each of them."""
    intend_single(work, event, envelope, of_payout(event), lambda: lines.lines_for_payout(event))


def when_denial_released_intend_entry(work: Work, event: DenialReleased, envelope: Envelope) -> None:
    """J09 the other way; it needs nothing else to be posted before it."""
    intend_single(work, event, envelope, of_release(event), lambda: lines.lines_for_denial_released(event))


def when_denial_written_off_intend_entry(work: Work, event: DenialWrittenOff, envelope: Envelope) -> None:
    """J10."""
    intend_single(work, event, envelope, of_write_off(event), lambda: lines.lines_for_denial_written_off(event))


def of_deposit(event: DepositMatched) -> SingleFact:
    posting_id = single_posting_id(GroupKind.DEPOSIT, event.deposit_id, event.remittance_id)
    deposit_id = event.deposit_id if event.was_unidentified else None
    return SingleFact(GroupKind.DEPOSIT, posting_id, event.remittance_id, deposit_id=deposit_id)


def of_unidentified(event: DepositUnidentified) -> SingleFact:
    posting_id = single_posting_id(GroupKind.UNIDENTIFIED_DEPOSIT, event.deposit_id)
    return SingleFact(GroupKind.UNIDENTIFIED_DEPOSIT, posting_id, event.deposit_id)


def of_payment(event: PatientPaymentSucceeded) -> SingleFact:
    posting_id = single_posting_id(GroupKind.PATIENT_PAYMENT, event.payment_id)
    return SingleFact(GroupKind.PATIENT_PAYMENT, posting_id, event.payment_id)


def of_application(event: PaymentApplied) -> SingleFact:
    posting_id = single_posting_id(GroupKind.APPLICATION, event.payment_id, event.application)
    return SingleFact(GroupKind.APPLICATION, posting_id, event.payment_id)


def of_payout(event: PayoutPaid) -> SingleFact:
    posting_id = single_posting_id(GroupKind.PAYOUT, event.payout_id, event.entity)
    return SingleFact(GroupKind.PAYOUT, posting_id, event.payout_id)


def of_release(event: DenialReleased) -> SingleFact:
    posting_id = single_posting_id(GroupKind.DENIAL_RELEASE, event.claim_id, event.release)
    return SingleFact(GroupKind.DENIAL_RELEASE, posting_id, event.claim_id)


def of_write_off(event: DenialWrittenOff) -> SingleFact:
    posting_id = single_posting_id(GroupKind.DENIAL_WRITE_OFF, event.claim_id, event.write_off)
    return SingleFact(GroupKind.DENIAL_WRITE_OFF, posting_id, event.claim_id)


def of_estimate_release(event: ClaimRevised) -> SingleFact:
    posting_id = single_posting_id(GroupKind.ESTIMATE_RELEASE, event.claim_id, event.revision)
    return SingleFact(GroupKind.ESTIMATE_RELEASE, posting_id, event.claim_id)


def of_match(event: ClaimAdjudicated) -> SingleFact:
    """A payment that was matched with its claim, or unmatched: it clears what J26 left of its remittance."""
    posting_id = match_posting_id(event.remittance_id, event.remittance_position, event.match)
    return SingleFact(GroupKind.CLAIM_MATCH, posting_id, event.remittance_id, event.remittance_position)


def match_posting_id(remittance_id: UUID, position: int, match: int) -> UUID:
    """The posting of one of the matches of a claim payment."""
    return single_posting_id(GroupKind.CLAIM_MATCH, remittance_id, position, match)


def intend_single(
    work: Work,
    event: Single,
    envelope: Envelope,
    fact: SingleFact,
    lines_of: Callable[[], tuple[LedgerLine, ...]],
    rules_version: str = RULES_VERSION,
) -> None:
    """The posting and the intent, together; nothing where the fact is drafted already."""
    posting, content = posting_of(work, fact.posting_id, event)
    if posting.exists:
        return
    booked = lines_of()
    posting.draft(
        group_kind=fact.kind,
        group_id=fact.posting_id,
        item_id=fact.item_id,
        remittance_position=fact.remittance_position,
        entity=event.entity,
        effective_date=event.effective_date,
        lines=booked,
        source_event_id=envelope.id,
        content_hash=content,
        rules_version=rules_version,
        deposit_id=fact.deposit_id,
    )
    summary = summarised(booked)
    if summary:
        work.get_or_new(JournalEntry, journal_id(fact.kind, fact.posting_id)).intend(
            entity=event.entity,
            effective_date=event.effective_date,
            lines=summary,
            group_kind=fact.kind,
            group_id=fact.posting_id,
            posting_ids=(fact.posting_id,),
        )


def posting_of(work: Work, posting_id: UUID, fact: PublicEvent | ProviderAdjustment) -> tuple[SubledgerPosting, str]:
    """The posting of a fact, drafted or not, and the hash of the fact's content; other content is refused."""
    posting = work.get_or_new(SubledgerPosting, posting_id)
    content = content_hash_of(fact)
    posting.refuse_other_content(content)
    return posting, content
