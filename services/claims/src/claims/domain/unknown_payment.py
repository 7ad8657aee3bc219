"""A payment for a claim that is not ours to adjudicate: its cash stays visible until a person finds the claim."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Conflict, Event

from claims.domain.adjudication import PayerDecision


class Why(StrEnum):
    """Why the payment could not go to a claim."""

    UNKNOWN_CONTROL_NUMBER = "unknown-control-number"
    NEVER_SUBMITTED = "never-submitted"
    OTHER_ENTITY = "other-entity"
    OTHER_PAYER = "other-payer"


class ChangedUnknownPayment(Conflict):
    """The same place of the same remittance came again with another payment."""


class UnknownClaimPayment(Aggregate):
    """Its id follows from remittance and position."""

    decision: PayerDecision

    class Recorded(Event):
        TOPIC = "claims.unknown-claim-payment.recorded"
        why: Why
        patient_control_number: Public[str]
        entity: Public[str]
        payer: Public[str]
        decision: PayerDecision

        def apply(self, payment: UnknownClaimPayment) -> None:
            payment.decision = self.decision

    def record(self, why: Why, control_number: str, entity: str, payer: str, decision: PayerDecision) -> bool:
        """Whether it is new; the same again changes nothing.

        Raises:
            ChangedUnknownPayment: the same place said something else before.
        """
        if self.exists:
            if not self.decision.says_the_same_as(decision):
                where = f"remittance {decision.remittance_id}, claim {decision.position}"
                raise ChangedUnknownPayment(f"{where} was another payment before")
            return False
        self.trigger_event(
            self.Recorded,
            why=why,
            patient_control_number=control_number,
            entity=entity,
            payer=payer,
            decision=decision,
        )
        return True


def unknown_payment_id_of(remittance_id: UUID, position: int) -> UUID:
    return derive("unknown-claim-payment", remittance_id, position)
