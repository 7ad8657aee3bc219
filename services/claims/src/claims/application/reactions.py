"""What claims does when intake or payments announce something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.intake import (
    AcknowledgementReceived,
    ChargesRevised,
    ClaimStatusLine,
    ClaimStatusReported,
    EncounterCharged,
    PlatformBalanceReported,
    PostedCharges,
)
from canonical.events.payments import RemittanceChunkAccepted
from chassis.eventstore import Work
from chassis.merged_patients import MERGE_REACTIONS
from chassis.messaging import Reaction

from claims.application.adjudicating import adjudicate_chunk, claims_paid_by
from claims.application.comparing_balances import claim_of_balance, when_platform_balance_reported_keep_it
from claims.application.contractual_reasons import contractual_reasons_by
from claims.application.following import DecisionFollowing
from claims.application.next_claims import advance_next_claims
from claims.application.revising import apply_revision, take_revision
from claims.application.use_cases import (
    claims_of,
    draft_claim,
    hear_of_claim,
    hear_of_inquiry,
    keep_reported_status,
    reject_claims_of,
)
from claims.domain.answers import ReportedStatus, SubmissionAnswer
from claims.domain.claim import Claim
from claims.domain.claim_content import ClaimContent, claim_id_of, control_number_of_posting
from claims.domain.control_numbers import interchange_id_of
from claims.domain.interchange import (
    ACCEPTING_CODES,
    Interchange,
    InterchangeState,
    UnknownInterchange,
    word_of,
)
from claims.domain.rules.edits import ClaimEdits
from claims.domain.status_inquiry import StatusInquiry, status_inquiry_id_of

ENVELOPE_KIND = "TA1"


def intake_reactions(edits: ClaimEdits) -> tuple[Reaction[Any], ...]:
    """Charges become claims; acknowledgements and statuses move interchanges and claims."""

    def when_encounter_charged_draft_claim(work: Work, event: EncounterCharged, envelope: Envelope) -> None:
        if event.payer:
            draft_claim(work, content_of(event), edits)

    def when_charges_revised_revise_claim(work: Work, event: ChargesRevised, envelope: Envelope) -> None:
        if not event.payer:
            return
        claim = take_revision(work, event, content_of(event, event.revision))
        if claim is not None:
            apply_revision(work, claim, edits)
            advance_next_claims(work, [claim], edits)

    def when_acknowledged_decide_interchange(work: Work, event: AcknowledgementReceived, envelope: Envelope) -> None:
        """What waited for the answer is done, where the answer refuses it."""
        for claim in decide_interchange(work, event):
            apply_revision(work, claim, edits)

    def when_claim_status_received_answer_claim(work: Work, event: ClaimStatusLine, envelope: Envelope) -> None:
        apply_revision(work, answer_claim(work, event), edits)

    return (
        *MERGE_REACTIONS,
        Reaction(EncounterCharged, when_encounter_charged_draft_claim, claim_of_charges),
        Reaction(ChargesRevised, when_charges_revised_revise_claim, claims_of_revision),
        Reaction(AcknowledgementReceived, when_acknowledged_decide_interchange, interchange_acknowledged),
        Reaction(ClaimStatusLine, when_claim_status_received_answer_claim, claim_of_status),
        Reaction(ClaimStatusReported, when_claim_status_reported_keep_it, claim_of_status),
        Reaction(PlatformBalanceReported, when_platform_balance_reported_keep_it, claim_of_balance),
    )


def payments_reactions(edits: ClaimEdits, following: DecisionFollowing) -> tuple[Reaction[Any], ...]:
    """Accepted remittances adjudicate claims; the next payer's claim passes the edits like any other."""
    reasons_of = contractual_reasons_by(edits.master_data)

    def when_remittance_chunk_accepted_adjudicate_claims(
        work: Work, event: RemittanceChunkAccepted, envelope: Envelope
    ) -> None:
        adjudicate_chunk(work, event, reasons_of, edits, following)

    return (Reaction(RemittanceChunkAccepted, when_remittance_chunk_accepted_adjudicate_claims, claims_paid_by),)


def content_of(event: PostedCharges, revision: int = 0) -> ClaimContent:
    """The claim that one posting of charges makes, or a revision of it."""
    return ClaimContent.trusted(
        patient_control_number=control_number_of_posting(event.encounter_id, event.posting),
        encounter_id=event.encounter_id,
        posting=event.posting,
        entity=event.entity,
        payer=event.payer,
        payer_class=event.payer_class,
        patient_id=event.patient_id,
        rendering_provider=event.rendering_provider,
        place_of_service=event.place_of_service,
        service_from=event.service_from,
        service_to=event.service_to,
        lines=event.charges,
        total=event.total,
        diagnosis_count=event.diagnosis_count,
        has_member_id=event.has_member_id,
        details=event.details,
        sequence=1,
        next_payers=event.next_payers,
        prior=(),
        claim_type=event.claim_type,
        plan=event.plan,
        revision=revision,
        location=event.location,
    )


def claim_of_charges(event: EncounterCharged) -> Iterable[UUID]:
    if event.payer:
        yield claim_id_of(control_number_of_posting(event.encounter_id, event.posting))


def claims_of_revision(event: ChargesRevised) -> Iterable[UUID]:
    if event.payer:
        for sequence in range(1, len(event.next_payers) + 2):
            yield claim_id_of(control_number_of_posting(event.encounter_id, event.posting, sequence))


def claim_of_status(event: ClaimStatusLine | ClaimStatusReported) -> Iterable[UUID]:
    yield claim_id_of(event.patient_control_number)


def number_acknowledged(event: AcknowledgementReceived) -> str:
    """A 999 names our GS06, a TA1 our ISA13; in our interchanges both are the same number."""
    return event.group_control_number or event.interchange_control_number


def interchange_acknowledged(event: AcknowledgementReceived) -> Iterable[UUID]:
    """The interchange of claims, or of questions about them, that has this number."""
    number = number_acknowledged(event)
    yield from (interchange_id_of(number), status_inquiry_id_of(number))


def decide_interchange(work: Work, event: AcknowledgementReceived) -> list[Claim]:
    """Takes a receiver's word on an interchange; the claims of one that is refused.

    Raises:
        UnknownInterchange: the number is not ours.
        ContradictingAcknowledgement: it says another thing than an earlier word.
    """
    number = number_acknowledged(event)
    interchange = work.get(Interchange, interchange_id_of(number))
    if interchange is None:
        inquiry = work.get(StatusInquiry, status_inquiry_id_of(number))
        if inquiry is not None:
            hear_of_inquiry(work, inquiry, event.kind, event.code)
            return []
        raise UnknownInterchange(f"{event.kind} {event.code} names control number {number!r}, which we never gave")
    if event.kind.upper() == ENVELOPE_KIND:
        if event.code in ACCEPTING_CODES:
            interchange.acknowledge_envelope(event.code)
            return []
        word = InterchangeState.REJECTED
    else:
        word = word_of(event.code, event.rejected_sets)
    if interchange.decide(word, event.kind, event.code, event.notes) and word is InterchangeState.REJECTED:
        reject_claims_of(work, interchange, f"{event.kind}:{event.code}", event.notes)
        return claims_of(work, interchange.claim_ids)
    return []


def answer_claim(work: Work, event: ClaimStatusLine) -> Claim:
    """Takes a receiver's word on a claim, and gives the claim.

    Raises:
        UnknownAggregate, NeverSubmitted, UnknownSubmission: it is not ours, never left, or was not part of the one named.
    """
    named = event.submission_reference
    answer = SubmissionAnswer(
        reporter=event.reporter,
        accepted=event.accepted,
        codes=event.category_codes,
        submission_id=interchange_id_of(named) if named else None,
    )
    hear_of_claim(work, event.patient_control_number, answer, event.payer_control_number)
    return work.require(Claim, claim_id_of(event.patient_control_number))


def when_claim_status_reported_keep_it(work: Work, event: ClaimStatusReported, envelope: Envelope) -> None:
    """Raises UnknownAggregate for a claim that is not ours, NeverSubmitted for one that never left."""
    status = ReportedStatus.model_validate(event.model_dump(include=set(ReportedStatus.model_fields)))
    keep_reported_status(work, event.patient_control_number, status)
