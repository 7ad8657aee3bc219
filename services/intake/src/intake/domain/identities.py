"""The ids of what comes in, derived from what the source calls it."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from canonical.ids import derive

UNKNOWN_ENTITY = "unknown"
REFERENCES_REMEMBERED = 2_000
"""One message asks for each of its references several times, and many name the same doctors and payers."""
SELF = "self"
"""The relationship of a person to themselves."""


def patient_id_of(source: str, medical_record_number: str) -> UUID:
    """The pseudonym of a patient, which also names the patient's key."""
    return derive("patient", source, medical_record_number)


def encounter_id_of(source: str, visit_number: str) -> UUID:
    return derive("encounter", source, visit_number)


def charge_id_of(source: str, transaction_id: str) -> UUID:
    return derive("charge", source, transaction_id)


def guarantor_id_of(source: str, guarantor_number: str) -> UUID:
    """One guarantor may answer for several patients."""
    return derive("guarantor", source, guarantor_number)


@lru_cache(REFERENCES_REMEMBERED)
def reference_id_of(source: str, reference: str) -> UUID:
    """The id of what a source's own reference (`Patient/123`) stands for."""
    return derive("source-reference", source, reference)


def remittance_id_of(payer_identifier: str, trace_number: str) -> UUID:
    """The same for every copy of one remittance."""
    return derive("remittance", payer_identifier, trace_number)


def receipt_id_of(message_id: UUID, ordinal: int) -> UUID:
    """One copy of a remittance: transaction set `ordinal` of a message, from 0."""
    return derive("remittance-receipt", message_id, ordinal)


def answer_id_of(message_id: UUID, ordinal: int) -> UUID:
    """A payer's answer: set or TA1 `ordinal` of a message, from 0."""
    return derive("payer-answer", message_id, ordinal)
