"""What payers send after a first decision: reversals, corrections, parts; and what was announced of it, added up."""

from __future__ import annotations

from collections import Counter
from typing import Any

from canonical.codes import AdjustmentGroup, PayerClass
from canonical.encounter import NextPayer
from canonical.events.claims import ClaimAdjudicated, ClaimPaymentUnknown, DenialReleased
from canonical.events.intake import EncounterCharged
from canonical.money import Money
from canonical.party import CoverageDetails
from canonical.remittance import ClaimAdjustment, ClaimPayment, ServicePayment
from chassis.eventstore import Work
from chassis.testing.contexts import context
from claims.domain.adjudication import negated
from claims.domain.claim import Claim

from .world import ClaimsUnderTest, adjustment, charged, claim_id, paid, person

CO, PR, OA = AdjustmentGroup.CONTRACTUAL, AdjustmentGroup.PATIENT, AdjustmentGroup.OTHER
CR = AdjustmentGroup.CORRECTION
SECOND = NextPayer(payer="BLUEOAK", payer_class=PayerClass.COMMERCIAL, has_member_id=True)
THIRD = NextPayer(payer="MEDICARE", payer_class=PayerClass.MEDICARE, has_member_id=True)


def reversal_of(payment: ClaimPayment, position: int = 0, **changes: Any) -> ClaimPayment:
    """CLP02 22 with every amount of the payment negated."""
    services = tuple(
        each.model_copy(update={"charge": -each.charge, "paid": -each.paid, "adjustments": negated(each.adjustments)})
        for each in payment.services
    )
    fields: dict[str, Any] = {
        "position": position,
        "status": "22",
        "charge": -payment.charge,
        "paid": -payment.paid,
        "patient_responsibility": -payment.patient_responsibility,
        "adjustments": negated(payment.adjustments),
        "services": services,
    }
    return payment.model_copy(update=fields | changes)


def service_line(number: int, charge: str, amount: str, *taken: ClaimAdjustment) -> ServicePayment:
    """The payment of one of the two lines of `charged`."""
    code, modifiers = (("99213", ("25",)), ("93000", ()))[number - 1]
    return ServicePayment(
        procedure_code=code,
        modifiers=modifiers,
        charge=Money.of(charge),
        paid=Money.of(amount),
        line_control_number=str(number),
        adjustments=taken,
    )


def paid_by_line(number: int = 1, position: int = 0, **changes: Any) -> ClaimPayment:
    """150.00 and 100.00 charged, 90.00 and 60.00 paid, 70.00 contractual, 30.00 copay; every cent at a line."""
    services = (
        service_line(1, "150.00", "90.00", adjustment(CO, "45", "30.00"), adjustment(PR, "3", "30.00")),
        service_line(2, "100.00", "60.00", adjustment(CO, "45", "40.00")),
    )
    return paid(number, position, adjustments=(), **({"services": services} | changes))


def part(line: int, position: int = 0) -> ClaimPayment:
    """One of the two lines alone, as a payer that splits the claim sends it."""
    whole = paid_by_line().services[line - 1]
    left = sum(each.amount.minor for each in whole.adjustments if each.group is PR)
    return paid_by_line(
        1,
        position,
        charge=whole.charge,
        amount=whole.paid.decimal_text,
        patient_responsibility=Money(left),
        services=(whole,),
        payer_control_number=f"ICN1-{line}",
    )


def booked_amounts(service: ClaimsUnderTest) -> Counter[str]:
    """Everything announced of payers' money, added up in cents by what it is."""
    sums: Counter[str] = Counter()
    for event in service.public_events():
        if isinstance(event, ClaimAdjudicated):
            sums["charge"] += event.charge.minor
            sums["paid"] += event.paid.minor
            sums["unapplied"] -= event.paid.minor if event.match else 0
            for each in event.adjustments:
                sums[f"{each.group}-{each.reason}"] += each.amount.minor
        elif isinstance(event, ClaimPaymentUnknown):
            sums["unapplied"] += event.paid.minor
        elif isinstance(event, DenialReleased):
            sums["released"] += event.amount.minor
    return Counter({name: minor for name, minor in sums.items() if minor})


def claim_of(service: ClaimsUnderTest, number: int = 1) -> Claim:
    """The aggregate itself."""
    return Work(service.store, context()).require(Claim, claim_id(number))


def charged_to(*payers: NextPayer, number: int = 1) -> EncounterCharged:
    """An encounter whose patient is insured with these too, and has a member id with each."""
    others = tuple(CoverageDetails(member_id=f"O{index:06d}") for index, _ in enumerate(payers, 1))
    phi = person(number).model_copy(update={"other_coverages": others})
    return charged(number, phi=phi, next_payers=payers)


def insured_twice(*more: NextPayer, second: NextPayer = SECOND) -> ClaimsUnderTest:
    """The service with one claim sent to the first of two payers or more."""
    service = ClaimsUnderTest()
    service.receive(charged_to(second, *more))
    service.sweep()
    return service
