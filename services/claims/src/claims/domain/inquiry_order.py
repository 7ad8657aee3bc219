"""What the bytes of a question to a payer follow from, beside the claims that it asks about."""

from __future__ import annotations

from datetime import date, datetime

from canonical.classes import CanonicalModel, Public
from canonical.master_data import KnownMasterData, UnknownMasterData
from chassis.domain import Refusal
from pydantic import AwareDatetime

from claims.domain.interchange_order import BillingParty, PayerParty


class UnknownParty(Refusal):
    """Master data does not know who would ask or be asked."""


class Parties(CanonicalModel):
    """Who asks whom, as master data knows them on the day of the question."""

    billing: BillingParty
    payer: PayerParty


class InquiryOrder(CanonicalModel):
    """One interchange of questions. `production` is ISA15; the traces of its questions count from 1."""

    control_number: Public[str]
    created_at: AwareDatetime
    production: bool
    parties: Parties

    @property
    def file_name(self) -> str:
        return f"{self.control_number}.x12"

    @property
    def answer_name(self) -> str:
        return f"{self.control_number}.277"

    def trace(self, number: int) -> str:
        """What comes back with the answer to the question at this place."""
        return f"{self.control_number}-{number}"


def parties_on(master_data: KnownMasterData, entity: str, payer: str, day: date) -> Parties:
    """Raises UnknownParty."""
    try:
        billing, asked = master_data.entity(entity, day), master_data.payer(payer, day)
    except UnknownMasterData as unknown:
        raise UnknownParty(f"{unknown}") from None
    return Parties(
        billing=BillingParty.model_validate(billing.model_dump()), payer=PayerParty.model_validate(asked.model_dump())
    )


def inquiry_order(parties: Parties, control_number: str, now: datetime, *, production: bool) -> InquiryOrder:
    """The order of questions asked now; the envelope can tell the time to the minute."""
    created_at = now.replace(second=0, microsecond=0)
    return InquiryOrder(control_number=control_number, created_at=created_at, production=production, parties=parties)
