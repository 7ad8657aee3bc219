"""Money that a source tells of in its own books: what its front desk took from patients, and what it adjusted."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.money import Money
from chassis.domain import Aggregate, Event

from intake.domain.refusals import ReportedOtherwise


class ReportedPayment(Aggregate):
    """Id: source system and the source's id of the payment. One without an encounter is the patient's."""

    def start(self) -> None:
        self.content: tuple[object, ...] = ()
        self.patient_id: UUID | None = None

    class Reported(Event):
        TOPIC = "intake.patient-payment.reported"
        entity: Public[str]
        patient_id: UUID
        encounter_id: UUID | None = None
        amount: Money
        method: Public[str]
        received_on: Financial[date]
        message_id: UUID

        def apply(self, payment: ReportedPayment) -> None:
            payment.patient_id = self.patient_id
            whose = self.encounter_id or self.patient_id
            payment.content = (whose, self.amount, self.method, self.received_on)

    def report(
        self,
        *,
        entity: str,
        patient_id: UUID,
        encounter_id: UUID | None,
        amount: Money,
        method: str,
        received_on: date,
        message_id: UUID,
    ) -> None:
        """Takes the source's word, once.

        Raises:
            ReportedOtherwise: the same payment came with other content.
        """
        if self.content:
            if self.content != (encounter_id or patient_id, amount, method, received_on):
                raise ReportedOtherwise(f"payment {self.id} came again with other content")
            return
        self.trigger_event(
            self.Reported,
            entity=entity,
            patient_id=patient_id,
            encounter_id=encounter_id,
            amount=amount,
            method=method,
            received_on=received_on,
            message_id=message_id,
        )


class ReportedAdjustment(Aggregate):
    """Id: source system and the source's id of the adjustment. It is kept for a person, and booked by nobody."""

    def start(self) -> None:
        self.content: tuple[object, ...] = ()
        self.patient_id: UUID | None = None

    class Reported(Event):
        TOPIC = "intake.adjustment.reported"
        encounter_id: UUID | None = None
        amount: Money
        code: Public[str]
        adjusted_on: Financial[date]
        message_id: UUID
        patient_id: UUID | None = None

        def apply(self, adjustment: ReportedAdjustment) -> None:
            adjustment.patient_id = self.patient_id
            adjustment.content = (self.encounter_id or self.patient_id, self.amount, self.code, self.adjusted_on)

    def report(
        self,
        *,
        patient_id: UUID,
        encounter_id: UUID | None,
        amount: Money,
        code: str,
        adjusted_on: date,
        message_id: UUID,
    ) -> bool:
        """Takes the source's word, once; whether it is new.

        Raises:
            ReportedOtherwise: the same adjustment came with other content.
        """
        if self.content:
            if self.content != (encounter_id or patient_id, amount, code, adjusted_on):
                raise ReportedOtherwise(f"adjustment {self.id} came again with other content")
            return False
        self.trigger_event(
            self.Reported,
            encounter_id=encounter_id,
            amount=amount,
            code=code,
            adjusted_on=adjusted_on,
            message_id=message_id,
            patient_id=patient_id,
        )
        return True
