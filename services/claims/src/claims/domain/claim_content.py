"""What is billed: the content of one claim, the reasons that may hold it, and the ids that follow from its causes."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.codes import ClaimType, PayerClass
from canonical.encounter import ChargeLine, NextPayer
from canonical.ids import derive, patient_control_number
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from canonical.sealed import Sealed


class PriorLine(CanonicalModel):
    """What an earlier payer decided of one line: `charge of the line == paid + sum(adjustments)`. `line` counts from 1."""

    line: int
    paid: Money
    adjustments: tuple[ClaimAdjustment, ...]


class PriorPayment(CanonicalModel):
    """What an earlier payer decided, as the next payer must be shown it.

    `adjustments` are those of the claim as a whole. Without `lines` they are all there are, and `charge of the claim ==
    paid + sum(adjustments)`; with them `paid == sum(paid of the lines) - sum(adjustments)`.
    """

    payer: Public[str]
    paid: Money
    adjustments: tuple[ClaimAdjustment, ...]
    lines: tuple[PriorLine, ...]
    adjudication_date: Financial[date]
    payer_control_number: Financial[str] = ""


class ClaimContent(CanonicalModel):
    """One claim as drafted from one posting of an encounter's charges.

    The line control number of a line is its ordinal from 1. `details` is sealed, of kind `encounter.v1`. `sequence` is 1
    for the primary payer's claim; `revision` is that of the charges; `next_payers` pay after this one, `prior` holds what those before it paid, in order.
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
    sequence: int = 1
    next_payers: tuple[NextPayer, ...] = ()
    prior: tuple[PriorPayment, ...] = ()
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    plan: Public[str] = ""
    revision: int = 0
    location: Public[str] = ""

    @property
    def lacks_prior_payers(self) -> bool:
        """Whether what a payer before decided is not among what is shown."""
        return len(self.prior) < self.sequence - 1

    def says_the_same_as(self, other: ClaimContent) -> bool:
        """Equal in everything readable; sealing the same details twice gives two ciphertexts."""
        return self.model_copy(update={"details": other.details}) == other


class HoldReason(CanonicalModel):
    """Why a claim may not go out: the edit that failed, and what is needed. No PHI."""

    code: Public[str]
    needs: Public[str]

    def __str__(self) -> str:
        return f"{self.code}: {self.needs}"


def control_number_of_posting(encounter_id: UUID, posting: int, sequence: int = 1) -> str:
    """The patient control number (CLM01) of the claim for one posting of an encounter, to its first or a later payer."""
    return patient_control_number(derive("claim", encounter_id, posting, sequence))


def claim_id_of(control_number: str) -> UUID:
    """The claim behind a patient control number, so that CLP01 of a remittance leads to it without a look-up."""
    return derive("claim-of", control_number)


def claim_id_in_sequence(content: ClaimContent, sequence: int) -> UUID:
    """The claim for the same charges to the payer that comes at this place."""
    return claim_id_of(control_number_of_posting(content.encounter_id, content.posting, sequence))
