"""What intake announces: encounters with their charges, and what payers answered."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import ClaimType, PayerClass, RevisionReason
from canonical.encounter import ChargeLine, NextPayer
from canonical.envelope import PublicEvent
from canonical.money import Money
from canonical.remittance import ClaimPayment, RemittanceSummary
from canonical.sealed import Sealed


class PatientRegistered(PublicEvent):
    """A patient became known; `patient_id` is the pseudonym that stands for them everywhere else."""

    SERVICE = "intake"
    TYPE = "patient-registered"

    patient_id: UUID
    details: Sealed


class PatientsMerged(PublicEvent):
    """The patient `retired_id` is another record of the person who is `survivor_id`, who may be retired too.

    Nothing moves by it: what was recorded of each patient stays theirs, and who asks for a person sums it. `by_source`
    where the EHR said so, else a person here has.
    """

    SERVICE = "intake"
    TYPE = "patients-merged"

    survivor_id: UUID
    retired_id: UUID
    by_source: bool


class PatientsUnmerged(PublicEvent):
    """The merge of `retired_id` into `survivor_id` was wrong, and is taken back."""

    SERVICE = "intake"
    TYPE = "patients-unmerged"

    survivor_id: UUID
    retired_id: UUID
    by_source: bool


class PostedCharges(PublicEvent):
    """One posting of an encounter: its charges, whom to bill, and the sealed details (kind `encounter.v1`).

    `posting` counts the postings of one encounter from 1; this posting's charges only. `payer` is empty for self-pay.
    `diagnosis_count` says how many diagnoses the sealed part holds; `plan` is the first payer's plan, where one is known.
    `guarantor_id` stands for who answers for what the payers leave, where the source said who does: the sealed part names them.
    """

    encounter_id: UUID
    posting: int
    entity: Public[str]
    patient_id: UUID
    payer: Public[str]
    payer_class: PayerClass
    location: Public[str] = ""
    place_of_service: Public[str] = "11"
    rendering_provider: Public[str]
    service_from: Financial[date]
    service_to: Financial[date]
    charges: tuple[ChargeLine, ...]
    total: Money
    diagnosis_count: int
    has_member_id: bool
    details: Sealed
    message_ids: tuple[UUID, ...]
    next_payers: tuple[NextPayer, ...] = ()
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    plan: Public[str] = ""
    guarantor_id: UUID | None = None


class EncounterCharged(PostedCharges):
    """An encounter is complete enough to bill: a first word on one posting of its charges."""

    SERVICE = "intake"
    TYPE = "encounter-charged"


class ChargesRevised(PostedCharges):
    """A posting as it is now, whole, after the source corrected, voided or added charges; without charges it is void.

    `revision` counts the revisions of one posting from 1, `previous_*` is what it said before, and `revised_on` the day on
    which the source's word came. `reason` is what led to it: a void posting, a late charge in it, a correction, else that
    something else of the visit is told to payers.
    """

    SERVICE = "intake"
    TYPE = "charges-revised"

    revision: int
    previous_charges: tuple[ChargeLine, ...]
    previous_total: Money
    reason: RevisionReason
    revised_on: Financial[date]


class VisitGuarantorChanged(PublicEvent):
    """Another than was told with its postings answers for what the payers of a visit leave; nothing of its charges changed.

    It is of the same key as the postings, and so comes after the words that it overtakes.
    """

    SERVICE = "intake"
    TYPE = "visit-guarantor-changed"

    encounter_id: UUID
    entity: Public[str]
    patient_id: UUID
    guarantor_id: UUID


class PatientPaymentReported(PublicEvent):
    """The source took money from a patient, at its front desk; `method` in the source's word.

    Without an encounter the money is the patient's, for whatever the patient owes the entity.
    """

    SERVICE = "intake"
    TYPE = "patient-payment-reported"

    payment_id: UUID
    entity: Public[str]
    patient_id: UUID
    encounter_id: UUID | None = None
    amount: Money
    method: Public[str]
    received_on: Financial[date]
    message_id: UUID


class AcknowledgementReceived(PublicEvent):
    """A TA1 or one set of a 999: the receiver's word on an interchange of ours.

    `code` is TA104 (A, E, R) or AK9/IK5 (A, E, P, R, ...); `rejected_sets` are the ST02 of refused sets of ours.
    """

    SERVICE = "intake"
    TYPE = "acknowledgement-received"

    message_id: UUID
    kind: Public[str]
    interchange_control_number: Public[str] = ""
    group_control_number: Public[str] = ""
    code: Public[str]
    rejected_sets: tuple[Public[str], ...] = ()
    notes: tuple[Public[str], ...] = ()


class ClaimStatusLine(PublicEvent):
    """One claim's status in a 277CA: accepted for adjudication (`WQ`) or rejected (`U`), with the category codes.

    `reporter` is `payer` or `clearinghouse` (NM101 of 2100A, PR or AY); `submission_reference` is TRN02 of 2200B, the
    BHT03 of the 837 that is answered, and empty where the answer does not name it.
    """

    SERVICE = "intake"
    TYPE = "claim-status-received"

    message_id: UUID
    patient_control_number: Public[str]
    accepted: bool
    payer_control_number: Financial[str] = ""
    category_codes: tuple[Public[str], ...] = ()
    charge: Money
    reporter: Public[str] = ""
    submission_reference: Public[str] = ""


class ClaimStatusReported(PublicEvent):
    """One claim's status in a 277 (X212), the answer to a question of ours: where the payer says the claim stands.

    `category_codes` are STC01-1 (A acknowledged, P pending, F finalized, R asks for more, D found nothing, E error),
    `status_codes` STC01-2; `inquiry_reference` is TRN02 of 2200D, the trace of our 276.
    """

    SERVICE = "intake"
    TYPE = "claim-status-reported"

    message_id: UUID
    patient_control_number: Public[str]
    inquiry_reference: Public[str] = ""
    category_codes: tuple[Public[str], ...]
    status_codes: tuple[Public[str], ...] = ()
    payer_control_number: Financial[str] = ""
    charge: Money | None = None
    paid: Money | None = None
    status_date: Financial[date] | None = None


class PlatformBalanceReported(PublicEvent):
    """What the external platform that works a claim holds to be open of it at its payer, at the end of `as_of`."""

    SERVICE = "intake"
    TYPE = "platform-balance-reported"

    message_id: UUID
    platform: Public[str]
    patient_control_number: Public[str]
    balance: Money
    as_of: Financial[date]


class RemittanceReceived(PublicEvent):
    """The head of a balanced remittance; its chunks follow under the same key, the receipt's id."""

    SERVICE = "intake"
    TYPE = "remittance-received"

    summary: RemittanceSummary


class RemittanceChunkReceived(PublicEvent):
    """A part of a remittance: its next claims, at most 500, and fewer where they are large; parts count from 0."""

    SERVICE = "intake"
    TYPE = "remittance-chunk-received"

    remittance_id: UUID
    receipt_id: UUID
    chunk: int
    claims: tuple[ClaimPayment, ...]
    total_paid: Money


class MessageQuarantined(PublicEvent):
    """A message was kept but nothing of it went on; the findings name segment or field and rule, without PHI."""

    SERVICE = "intake"
    TYPE = "message-quarantined"

    message_id: UUID
    format: Public[str]
    findings: tuple[Public[str], ...]
    residual: Money | None = None
