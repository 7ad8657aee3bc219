"""What is billed: the content of one claim, the reasons that may hold it, and the ids that follow from its causes."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.codes import PayerClass
from canonical.encounter import ChargeLine
from canonical.ids import derive, patient_control_number
from canonical.money import Money
from canonical.sealed import Sealed


class ClaimContent(CanonicalModel):
    """One claim as drafted from one posting of an encounter's charges.

    The line control number of a line is its ordinal from 1. `details` is sealed, of kind `encounter.v1`.
    """

    patient_control_number: Public[str]
    encounter_id: UUID
    posting: int
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    patient_id: UUID
    rendering_provider: Public[str]
    place_of_service: Public[str]
    service_from: Financial[date]
    service_to: Financial[date]
    lines: tuple[ChargeLine, ...]
    total: Money
    diagnosis_count: int
    has_member_id: bool
    details: Sealed

    def says_the_same_as(self, other: ClaimContent) -> bool:
        """Equal in everything readable; sealing the same details twice gives two ciphertexts."""
        return self.model_copy(update={"details": other.details}) == other


class HoldReason(CanonicalModel):
    """Why a claim may not go out: the edit that failed, and what is needed. No PHI."""

    code: Public[str]
    needs: Public[str]

    def __str__(self) -> str:
        return f"{self.code}: {self.needs}"


def control_number_of_posting(encounter_id: UUID, posting: int) -> str:
    """The patient control number (CLM01) of the claim for one posting of an encounter."""
    return patient_control_number(derive("claim", encounter_id, posting, 1))


def claim_id_of(control_number: str) -> UUID:
    """The claim behind a patient control number, so that CLP01 of a remittance leads to it without a look-up."""
    return derive("claim-of", control_number)
