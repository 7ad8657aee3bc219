"""What the EHR says of charges after it has told them: corrected, taken back, come late; and money that its desk took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from canonical.money import Money

from sandbox.world.ehr import Delivery, DeliveryKind
from sandbox.world.encounters import SimulatedCharge, SimulatedEncounter, Wire
from sandbox.world.fhir_bundle import BILLABLE, IN_ERROR, transaction_bundle
from sandbox.world.hl7_messages import CHARGED, CREDITED, PAID, later_transactions

RAISED_PERCENT = 25
FRONT_DESK_CASH = "CASH"


class LaterWord(StrEnum):
    """What is said later of an encounter's charges."""

    CORRECTED = "corrected"
    TAKEN_BACK = "taken-back"
    VOIDED = "voided"
    LATE = "late"


def as_said(encounter: SimulatedEncounter, word: LaterWord) -> SimulatedEncounter:
    """The encounter as it is after that word.

    A correction raises the first charge, what is taken back is the last of several, and what comes late is one more of
    the first.
    """
    first, *others = encounter.charges
    match word:
        case LaterWord.CORRECTED:
            raised = first.amount + first.amount.share_half_even(RAISED_PERCENT, 100)
            return replace(encounter, charges=(replace(first, amount=raised), *others))
        case LaterWord.TAKEN_BACK:
            return replace(encounter, charges=encounter.charges[:-1])
        case LaterWord.VOIDED:
            return replace(encounter, charges=())
        case LaterWord.LATE:
            late = replace(first, transaction_id=f"{encounter.visit_number}-L", units=1, amount=first.unit_amount)
            return replace(encounter, charges=(*encounter.charges, late))


def word_between(before: SimulatedEncounter, after: SimulatedEncounter, number: int = 1) -> Delivery:
    """The delivery that makes of the one encounter the other, over its own wire; the `number`-th later word on it."""
    known = {charge.transaction_id: charge for charge in before.charges}
    standing = {charge.transaction_id for charge in after.charges}
    told = [charge for charge in after.charges if known.get(charge.transaction_id) != charge]
    gone = [charge for charge in before.charges if charge.transaction_id not in standing]
    if before.wire is Wire.FHIR:
        bundle = transaction_bundle(before, [*_each(told, BILLABLE), *_each(gone, IN_ERROR)], number=number)
        return Delivery(DeliveryKind.BUNDLE, before.visit_number, before.source, (bundle,))
    return _by_hl7(before, [*_each(told, CHARGED), *_each(gone, CREDITED)], number)


def front_desk_payment(encounter: SimulatedEncounter, amount: Money, number: int = 1) -> Delivery:
    """Cash that the patient left at the desk; the EHR tells it by HL7, however it tells its charges."""
    like = encounter.charges[0]
    cash = replace(
        like,
        transaction_id=f"{encounter.visit_number}-P{number}",
        procedure_code=FRONT_DESK_CASH,
        description="Cash at the front desk",
        modifiers=(),
        units=1,
        unit_amount=amount,
        amount=amount,
        diagnosis_codes=(),
    )
    return _by_hl7(encounter, [(cash, PAID)], number)


def _each(charges: Iterable[SimulatedCharge], kind: str) -> list[tuple[SimulatedCharge, str]]:
    return [(charge, kind) for charge in charges]


def _by_hl7(encounter: SimulatedEncounter, told: list[tuple[SimulatedCharge, str]], number: int) -> Delivery:
    message = later_transactions(encounter, told, number)
    return Delivery(DeliveryKind.MLLP, encounter.visit_number, encounter.source, (message,))
