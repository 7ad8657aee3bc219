"""What an encounter is made of: what its source says of it, charge by charge, and on what terms it is billed."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.codes import ClaimType, PayerClass
from canonical.encounter import ChargeLine, NextPayer
from pydantic import AwareDatetime

from intake.domain.unmapped_code import SourceCode


class EncounterState(StrEnum):
    OPEN = "open"
    FINISHED = "finished"
    HELD = "held"
    CANCELLED = "cancelled"


class HoldReason(CanonicalModel):
    """Why an encounter cannot be billed: the field, the rule, and what is missing. No PHI.

    `unmapped` is the source's code that master data does not know, where that is why.
    """

    field: Public[str]
    rule: Public[str]
    note: Public[str]
    unmapped: SourceCode | None = None

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}: {self.note}"


class EncounterFacts(CanonicalModel):
    """What the source says of the encounter as a whole, in the source's codes."""

    patient_id: UUID
    source: Public[str]
    entity: Public[str]
    location: Public[str] = ""
    rendering_provider: Public[str] = ""
    guarantor_id: UUID | None = None


class CapturedCharge(CanonicalModel):
    """One charge in the source's codes, and the message that brought it; `said_at` is when the source said so.

    Without a price (`is_priced`) its amount is zero until the charge master gives one.
    """

    line: ChargeLine
    performer: Public[str]
    message_id: UUID
    said_at: AwareDatetime | None = None
    is_priced: bool = True

    def says_the_same_as(self, other: CapturedCharge) -> bool:
        """Equal in what it says, whichever message said it and when."""
        return (self.line, self.performer, self.is_priced) == (other.line, other.performer, other.is_priced)


class BillingTerms(CanonicalModel):
    """An encounter's charges as master data reads them: our codes, and whom to bill. `payer` is empty for self-pay.

    `covered_days` are covered by the bill beside the days of its charges.
    """

    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    location: Public[str]
    place_of_service: Public[str]
    rendering_provider: Public[str]
    departments: dict[Public[str], Public[str]]
    next_payers: tuple[NextPayer, ...] = ()
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    covered_days: tuple[Financial[date], ...] = ()


def changed_fields(before: ChargeLine, after: ChargeLine) -> list[str]:
    """The names of the fields in which two versions of a charge differ."""
    return [name for name in ChargeLine.model_fields if getattr(before, name) != getattr(after, name)]
