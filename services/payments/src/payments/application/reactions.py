"""What payments does when another service announces something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from canonical.encounter import ChargeLine
from canonical.envelope import Envelope
from canonical.events.claims import ClaimAdjudicated
from canonical.events.intake import (
    ChargesRevised,
    EncounterCharged,
    PatientPaymentReported,
    PostedCharges,
    RemittanceChunkReceived,
    RemittanceReceived,
    VisitGuarantorChanged,
)
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import NotYet
from chassis.eventstore import Work
from chassis.exceptions import raise_case
from chassis.merged_patients import MERGE_REACTIONS
from chassis.messaging.reactions import Reaction

from payments.application.guarantors import name_guarantor, when_visit_guarantor_changed_name_them
from payments.application.payer_credits import concerns_a_credit, follow_payer_credit
from payments.application.price_concessions import Portfolios, estimate_new_share
from payments.application.remittance_effects import ids_touched, move_provider_balances, suspect_duplicate
from payments.application.use_cases import take_front_desk_payment
from payments.domain.patient_account import PatientAccount, account_id_of
from payments.domain.payer_credit import payer_credit_id_of
from payments.domain.payer_words import LineOwed, PayerWord
from payments.domain.remittance import ReceiptVerdict, Remittance, RemittanceChunk, chunk_id
from payments.domain.visit_guarantor import visit_guarantor_id

_Shared = TypeVar("_Shared", EncounterCharged, ChargesRevised, ClaimAdjudicated)


CONFLICT = "RemittanceConflict"


def when_remittance_received_judge_it(work: Work, event: RemittanceReceived, envelope: Envelope) -> None:
    """Accepts the first copy; a repetition is recorded, other content under the same trace number is a person's to judge."""
    summary = event.summary
    verdict = work.get_or_new(Remittance, summary.remittance_id).receive(summary)
    if verdict is ReceiptVerdict.ACCEPTED:
        suspect_duplicate(work, summary)
        move_provider_balances(work, summary)
    elif verdict is ReceiptVerdict.CONFLICTING:
        raise_case(
            work,
            summary.receipt_id,
            code=CONFLICT,
            summary=f"trace {summary.trace_number} came again with other content: {summary.payment}, "
            f"{summary.claim_count} claims",
            subject="remittance",
            subject_id=summary.remittance_id,
            entity=summary.entity,
            amount=summary.payment,
        )


def when_remittance_chunk_received_pass_it_on(work: Work, event: RemittanceChunkReceived, envelope: Envelope) -> None:
    """Passes on the parts of an accepted copy; those of any other copy end here."""
    remittance = work.get(Remittance, event.remittance_id)
    verdict = remittance.verdicts.get(event.receipt_id) if remittance else None
    if remittance is None or verdict is None:
        raise NotYet(event.remittance_id, "the head of this remittance has not arrived")
    if verdict is ReceiptVerdict.ACCEPTED:
        assert remittance.summary is not None, "an accepted copy has a summary"
        chunk = work.get_or_new(RemittanceChunk, chunk_id(event.receipt_id, event.chunk))
        chunk.accept(remittance.summary, event.chunk, event.claims)


def when_claim_adjudicated_charge_the_patient(work: Work, event: ClaimAdjudicated, envelope: Envelope) -> None:
    """Adds what the payer left to the patient to their account; where a next payer owes it, the patient does not. What the payer
    has paid twice is kept apart, as its credit.

    A reversal takes it off again, and so may leave a credit balance. What other payers said of a claim that the patient
    may owe is kept too, so that a statement can tell it.
    """
    if concerns_a_credit(event):
        follow_payer_credit(work, event, envelope.sequence)
    if not _concerns_the_patient(event):
        return
    account = work.get_or_new(PatientAccount, account_id_of(event.entity, event.patient_id))
    account.assign(
        entity=event.entity,
        patient_id=event.patient_id,
        source_id=adjudication_id(event),
        claim_id=event.claim_id,
        encounter_id=event.encounter_id,
        amount=Money(0) if event.next_payer else event.patient_responsibility,
        on=event.effective_date,
        word=_word_of(event),
        lines=()
        if event.next_payer
        else tuple(LineOwed(line=str(each.line), amount=each.amount) for each in event.patient_lines),
    )


def adjudication_id(event: ClaimAdjudicated) -> UUID:
    """The id of one adjudication; a payment that was matched or unmatched later is another one each time."""
    place = (event.claim_id, event.remittance_id, event.remittance_position)
    return derive("adjudication", *place, event.match) if event.match else derive("adjudication", *place)


def _adjudicated_ids(event: ClaimAdjudicated) -> list[UUID]:
    credit = [payer_credit_id_of(event.claim_id)] if concerns_a_credit(event) else []
    return [account_id_of(event.entity, event.patient_id), *credit] if _concerns_the_patient(event) else credit


def _concerns_the_patient(event: ClaimAdjudicated) -> bool:
    """Something is left to somebody else than the first payer, or this is what a later one says of it."""
    return bool(event.patient_responsibility) or event.sequence > 1


def _word_of(event: ClaimAdjudicated) -> PayerWord:
    return PayerWord(
        payer=event.payer,
        sequence=event.sequence,
        charge=event.charge,
        paid=event.paid,
        left=event.patient_responsibility,
        next_payer=event.next_payer,
        service_from=event.service_from,
    )


def when_self_pay_encounter_charged_charge_the_patient(work: Work, event: EncounterCharged, envelope: Envelope) -> None:
    """An encounter without a payer is the patient's to pay, all of it. Who answers for a visit is kept in any case."""
    name_guarantor(work, event, envelope)
    _assign_self_pay(work, event, event.total, event.service_to, _lines_of(event.charges))


def when_charges_revised_charge_the_patient_the_difference(
    work: Work, event: ChargesRevised, envelope: Envelope
) -> None:
    """What the patient owes of a self-pay posting follows its revisions; less than before may leave a credit balance."""
    name_guarantor(work, event, envelope, event.revision)
    more = _lines_of(event.charges, event.previous_charges)
    _assign_self_pay(work, event, event.total - event.previous_total, event.revised_on, more, event.revision)


def _lines_of(charges: Sequence[ChargeLine], before: Sequence[ChargeLine] = ()) -> tuple[LineOwed, ...]:
    """What each charge adds to what it was before, where that is anything."""
    changes: dict[UUID, Money] = {}
    for charge, sign in (*((each, 1) for each in charges), *((each, -1) for each in before)):
        known = changes.get(charge.charge_id, Money(0))
        changes[charge.charge_id] = known + Money(sign * charge.amount.minor)
    return tuple(LineOwed(line=str(charge_id), amount=amount) for charge_id, amount in changes.items() if amount)


def _assign_self_pay(
    work: Work, event: PostedCharges, amount: Money, on: date, lines: tuple[LineOwed, ...], *revision: int
) -> None:
    if event.payer:
        return
    account = work.get_or_new(PatientAccount, account_id_of(event.entity, event.patient_id))
    account.assign(
        entity=event.entity,
        patient_id=event.patient_id,
        source_id=derive("self-pay", event.encounter_id, event.posting, *revision),
        claim_id=None,
        encounter_id=event.encounter_id,
        amount=amount,
        on=on,
        lines=lines,
    )


def when_patient_payment_reported_take_it(work: Work, event: PatientPaymentReported, envelope: Envelope) -> None:
    """What a front desk took pays the patient's account; where nothing is owed it stays unapplied.

    Raises:
        PaymentChanged: reported before with another amount.
    """
    take_front_desk_payment(work, event)


def _charged_account(event: PostedCharges) -> list[UUID]:
    named = [visit_guarantor_id(event.encounter_id)] if event.guarantor_id else []
    return named if event.payer else [*named, account_id_of(event.entity, event.patient_id)]


_WITHOUT_SHARES: tuple[Reaction[Any], ...] = (
    *MERGE_REACTIONS,
    Reaction(RemittanceReceived, when_remittance_received_judge_it, lambda event: ids_touched(event.summary)),
    Reaction(
        RemittanceChunkReceived,
        when_remittance_chunk_received_pass_it_on,
        lambda event: [event.remittance_id, chunk_id(event.receipt_id, event.chunk)],
    ),
    Reaction(
        PatientPaymentReported,
        when_patient_payment_reported_take_it,
        lambda event: [event.payment_id, account_id_of(event.entity, event.patient_id)],
    ),
    Reaction(
        VisitGuarantorChanged,
        when_visit_guarantor_changed_name_them,
        lambda event: [visit_guarantor_id(event.encounter_id)],
    ),
)


def reactions(portfolios: Portfolios) -> Mapping[str, Sequence[Reaction[Any]]]:
    """By upstream; what shares are not expected to be paid is estimated where they arise."""
    return {
        "intake": (
            *_WITHOUT_SHARES,
            _estimating(
                Reaction(EncounterCharged, when_self_pay_encounter_charged_charge_the_patient, _charged_account),
                portfolios,
                lambda event: event.encounter_id,
            ),
            _estimating(
                Reaction(ChargesRevised, when_charges_revised_charge_the_patient_the_difference, _charged_account),
                portfolios,
                lambda event: event.encounter_id,
            ),
        ),
        "claims": (
            _estimating(
                Reaction(
                    ClaimAdjudicated,
                    when_claim_adjudicated_charge_the_patient,
                    lambda event: (
                        [account_id_of(event.entity, event.patient_id)] if _concerns_the_patient(event) else []
                    ),
                ),
                portfolios,
                lambda event: event.claim_id,
            ),
        ),
    }


def _estimating(
    reaction: Reaction[_Shared], portfolios: Portfolios, place_of: Callable[[_Shared], UUID]
) -> Reaction[_Shared]:
    def act(work: Work, event: _Shared, envelope: Envelope) -> None:
        reaction.act(work, event, envelope)
        account_id = account_id_of(event.entity, event.patient_id)
        account = work.get(PatientAccount, account_id) if portfolios.rows else None
        if account is not None:
            on = next((entry.on for entry in reversed(account.owed.values()) if entry.place == place_of(event)), None)
            if on is not None:
                estimate_new_share(account, place_of(event), portfolios, on)

    return replace(reaction, act=act)
