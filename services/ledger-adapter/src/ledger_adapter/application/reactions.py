"""What the ledger adapter does when another service announces a financial fact: it drafts the fact's posting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from canonical.envelope import Envelope, PublicEvent
from canonical.events.claims import ClaimAdjudicated, ClaimPaymentUnknown
from canonical.events.intake import EncounterCharged
from canonical.events.payments import (
    DepositMatched,
    PatientPaymentSucceeded,
    PaymentApplied,
    PayoutPaid,
    RemittanceAccepted,
)
from canonical.journal import LedgerLine
from canonical.master_data import MasterData, Payer, UnknownMasterData
from chassis.domain import NotYet, Refusal
from chassis.eventstore import Work
from chassis.messaging.reactions import Reaction

from ledger_adapter.application.summaries import summarised
from ledger_adapter.domain import posting_rules as rules
from ledger_adapter.domain.charge_batches import charge_batches_id
from ledger_adapter.domain.journal_entry import JournalEntry, journal_id
from ledger_adapter.domain.manifest import RemittanceManifest, manifest_id
from ledger_adapter.domain.subledger import (
    GroupKind,
    SubledgerPosting,
    charge_posting_id,
    claim_payment_posting_id,
    content_hash_of,
    single_posting_id,
)


class UnknownPayer(Refusal):
    """Master data does not know this payer on the service date, so nobody can say what its contract takes off."""


class WrongEntity(Refusal):
    """A claim was adjudicated for another entity than the one that charged it."""


@dataclass(frozen=True)
class Drafting:
    """Drafts postings by the rules and by master data of the service date."""

    master: MasterData

    def when_encounter_charged_draft_posting(self, work: Work, event: EncounterCharged, envelope: Envelope) -> None:
        """J01 and J03; the posting waits for the batch of its entity and day."""
        posting, content = _posting_of(work, charge_posting_id(event.encounter_id, event.posting), event)
        if posting.exists:
            return
        percent = self._payer(event.payer, event.service_from).expected_contractual_percent if event.payer else 0
        posting.draft(
            group_kind=GroupKind.CHARGES,
            group_id=charge_batches_id(event.entity, event.service_to),
            item_id=event.encounter_id,
            entity=event.entity,
            effective_date=event.service_to,
            lines=rules.lines_for_charges(event, percent),
            source_event_id=envelope.id,
            content_hash=content,
        )

    def when_claim_adjudicated_draft_posting(self, work: Work, event: ClaimAdjudicated, envelope: Envelope) -> None:
        """J04, J05, J07, J09; it waits for the posting of the charges, whose estimate it may have to release."""
        posting, content = _posting_of(work, _claim_payment_posting(event), event)
        if posting.exists:
            return
        charges_id = charge_posting_id(event.encounter_id, event.posting)
        charges = work.get(SubledgerPosting, charges_id)
        if charges is None:
            raise NotYet(charges_id, "the charges of this claim have not been posted yet")
        if charges.entity != event.entity:
            raise WrongEntity(f"claim {event.claim_id}: charged by {charges.entity}, adjudicated for {event.entity}")
        reasons = self._payer(event.payer, event.service_from).contractual_reasons
        posting.draft(
            group_kind=GroupKind.REMITTANCE,
            group_id=event.remittance_id,
            item_id=event.remittance_id,
            remittance_position=event.remittance_position,
            entity=event.entity,
            effective_date=event.effective_date,
            cash=event.paid,
            lines=rules.lines_for_adjudication(event, charges.estimate, reasons, charges.department),
            source_event_id=envelope.id,
            content_hash=content,
        )

    def _payer(self, code: str, day: date) -> Payer:
        try:
            return self.master.payer(code, day)
        except UnknownMasterData as unknown:
            raise UnknownPayer(f"{unknown}; add it to master data and try again") from unknown


def when_claim_payment_unknown_draft_posting(work: Work, event: ClaimPaymentUnknown, envelope: Envelope) -> None:
    """J26: counts towards its remittance like any other claim payment."""
    posting, content = _posting_of(work, _claim_payment_posting(event), event)
    if posting.exists:
        return
    posting.draft(
        group_kind=GroupKind.REMITTANCE,
        group_id=event.remittance_id,
        item_id=event.remittance_id,
        remittance_position=event.remittance_position,
        entity=event.entity,
        effective_date=event.effective_date,
        cash=event.paid,
        lines=rules.lines_for_unknown_claim(event),
        source_event_id=envelope.id,
        content_hash=content,
    )


def when_remittance_accepted_expect_its_postings(work: Work, event: RemittanceAccepted, envelope: Envelope) -> None:
    """Keeps the manifest; the journal entry is drafted when exactly its postings are here."""
    work.get_or_new(RemittanceManifest, manifest_id(event.summary.remittance_id)).expect(event.summary)


def when_deposit_matched_intend_entry(work: Work, event: DepositMatched, envelope: Envelope) -> None:
    """J14."""
    fact = _SingleFact(GroupKind.DEPOSIT, _deposit_posting(event), event.remittance_id)
    _intend_single(work, event, envelope, fact, rules.lines_for_deposit(event))


def when_patient_payment_succeeded_intend_entry(work: Work, event: PatientPaymentSucceeded, envelope: Envelope) -> None:
    """J15."""
    fact = _SingleFact(GroupKind.PATIENT_PAYMENT, _payment_posting(event), event.payment_id)
    _intend_single(work, event, envelope, fact, rules.lines_for_patient_payment(event))


def when_payment_applied_intend_entry(work: Work, event: PaymentApplied, envelope: Envelope) -> None:
    """J16."""
    fact = _SingleFact(GroupKind.APPLICATION, _application_posting(event), event.payment_id)
    _intend_single(work, event, envelope, fact, rules.lines_for_application(event))


def when_payout_paid_intend_entry(work: Work, event: PayoutPaid, envelope: Envelope) -> None:
    """J17; a payout over several entities is one fact for each of them."""
    fact = _SingleFact(GroupKind.PAYOUT, _payout_posting(event), event.payout_id)
    _intend_single(work, event, envelope, fact, rules.lines_for_payout(event))


@dataclass(frozen=True, slots=True)
class _SingleFact:
    """A fact that is a journal entry by itself."""

    kind: GroupKind
    posting_id: UUID
    item_id: UUID


def _intend_single(
    work: Work,
    event: DepositMatched | PatientPaymentSucceeded | PaymentApplied | PayoutPaid,
    envelope: Envelope,
    fact: _SingleFact,
    lines: tuple[LedgerLine, ...],
) -> None:
    """The posting and the intent, together."""
    posting, content = _posting_of(work, fact.posting_id, event)
    if posting.exists:
        return
    posting.draft(
        group_kind=fact.kind,
        group_id=fact.posting_id,
        item_id=fact.item_id,
        entity=event.entity,
        effective_date=event.effective_date,
        lines=lines,
        source_event_id=envelope.id,
        content_hash=content,
    )
    summary = summarised(lines)
    if summary:
        work.get_or_new(JournalEntry, journal_id(fact.kind, fact.posting_id)).intend(
            entity=event.entity,
            effective_date=event.effective_date,
            lines=summary,
            group_kind=fact.kind,
            group_id=fact.posting_id,
            posting_ids=(fact.posting_id,),
        )


def _posting_of(work: Work, posting_id: UUID, event: PublicEvent) -> tuple[SubledgerPosting, str]:
    """The posting of a fact, drafted or not, and the hash of the fact's content; other content is refused."""
    posting = work.get_or_new(SubledgerPosting, posting_id)
    content = content_hash_of(event)
    posting.refuse_other_content(content)
    return posting, content


def _claim_payment_posting(event: ClaimAdjudicated | ClaimPaymentUnknown) -> UUID:
    return claim_payment_posting_id(event.remittance_id, event.remittance_position)


def _deposit_posting(event: DepositMatched) -> UUID:
    return single_posting_id(GroupKind.DEPOSIT, event.deposit_id, event.remittance_id)


def _payment_posting(event: PatientPaymentSucceeded) -> UUID:
    return single_posting_id(GroupKind.PATIENT_PAYMENT, event.payment_id)


def _application_posting(event: PaymentApplied) -> UUID:
    return single_posting_id(GroupKind.APPLICATION, event.payment_id, event.application)


def _payout_posting(event: PayoutPaid) -> UUID:
    return single_posting_id(GroupKind.PAYOUT, event.payout_id, event.entity)


def _with_entry(kind: GroupKind, posting_id: UUID) -> tuple[UUID, UUID]:
    return (posting_id, journal_id(kind, posting_id))


def reactions_by_upstream(master: MasterData) -> Mapping[str, tuple[Reaction[Any], ...]]:
    """Everything this service reacts to, by the service that announces it."""
    drafting = Drafting(master)
    return {
        "intake": (
            Reaction(
                EncounterCharged,
                drafting.when_encounter_charged_draft_posting,
                lambda event: (charge_posting_id(event.encounter_id, event.posting),),
            ),
        ),
        "claims": (
            Reaction(
                ClaimAdjudicated,
                drafting.when_claim_adjudicated_draft_posting,
                lambda event: (_claim_payment_posting(event), charge_posting_id(event.encounter_id, event.posting)),
            ),
            Reaction(
                ClaimPaymentUnknown,
                when_claim_payment_unknown_draft_posting,
                lambda event: (_claim_payment_posting(event),),
            ),
        ),
        "payments": (
            Reaction(
                RemittanceAccepted,
                when_remittance_accepted_expect_its_postings,
                lambda event: (manifest_id(event.summary.remittance_id),),
            ),
            Reaction(
                DepositMatched,
                when_deposit_matched_intend_entry,
                lambda event: _with_entry(GroupKind.DEPOSIT, _deposit_posting(event)),
            ),
            Reaction(
                PatientPaymentSucceeded,
                when_patient_payment_succeeded_intend_entry,
                lambda event: _with_entry(GroupKind.PATIENT_PAYMENT, _payment_posting(event)),
            ),
            Reaction(
                PaymentApplied,
                when_payment_applied_intend_entry,
                lambda event: _with_entry(GroupKind.APPLICATION, _application_posting(event)),
            ),
            Reaction(
                PayoutPaid,
                when_payout_paid_intend_entry,
                lambda event: _with_entry(GroupKind.PAYOUT, _payout_posting(event)),
            ),
        ),
    }
