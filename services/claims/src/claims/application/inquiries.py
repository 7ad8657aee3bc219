"""What every question to a payer begins with: a number, the parties, and the claim's opened details."""

from __future__ import annotations

from chassis.domain import Context
from chassis.eventstore import EventStore, transact

from claims.application.ports import BillableClaim, PatientDetailsVault
from claims.application.remaking import DetailsGone
from claims.domain.claim import Claim
from claims.domain.control_numbers import CONTROL_NUMBERS_ID, ControlNumbers


def take_control_number(store: EventStore, context: Context) -> str:
    """A number of its own, so that what answers or acknowledges the question leads to nothing else.

    It is spent whether the question gets an answer or not.
    """
    return transact(store, context, lambda work: work.get_or_new(ControlNumbers, CONTROL_NUMBERS_ID).issue())


def opened(claim: Claim, vault: PatientDetailsVault) -> BillableClaim:
    """Raises DetailsGone where the claim's details open no more."""
    (phi,) = vault.open_details([claim.content.details])
    if phi is None:
        raise DetailsGone(f"claim {claim.id}: its details open no more")
    return BillableClaim(claim.content, phi)
