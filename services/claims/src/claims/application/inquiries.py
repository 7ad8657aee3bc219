"""What every question to a payer begins with: who asks whom, a number of its own, and the claim's opened details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from canonical.master_data import KnownMasterData
from chassis.domain import Context
from chassis.eventstore import EventStore, transact

from claims.application.ports import BillableClaim, Inquiring, PatientDetailsVault
from claims.application.remaking import DetailsGone
from claims.domain.claim import Claim
from claims.domain.control_numbers import CONTROL_NUMBERS_ID, ControlNumbers
from claims.domain.inquiry_order import InquiryOrder, Parties, inquiry_order, parties_on


@dataclass(frozen=True)
class Questions:
    """What it takes to ask payers. `production` is what ISA15 says."""

    store: EventStore
    clock: Callable[[], datetime]
    master_data: KnownMasterData
    vault: PatientDetailsVault
    inquiring: Inquiring
    production: bool = False

    def parties(self, entity: str, payer: str) -> Parties:
        """Who asks whom today.

        Raises:
            UnknownParty: master data does not know one of them.
        """
        return parties_on(self.master_data, entity, payer, self.clock().date())

    def order(self, context: Context, parties: Parties) -> InquiryOrder:
        """The order of questions under a number of their own, so that what answers them leads to nothing else.

        The number is spent whether they get an answer or not.
        """
        number = transact(self.store, context, lambda work: work.get_or_new(ControlNumbers, CONTROL_NUMBERS_ID).issue())
        return inquiry_order(parties, number, self.clock(), production=self.production)

    def opened(self, claim: Claim) -> BillableClaim:
        """Raises DetailsGone where the claim's details open no more."""
        (phi,) = self.vault.open_details([claim.content.details])
        if phi is None:
            raise DetailsGone(f"claim {claim.id}: its details open no more")
        return BillableClaim(claim.content, phi)
