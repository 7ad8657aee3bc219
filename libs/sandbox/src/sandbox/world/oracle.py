"""What a scenario must come to, computed from the story and the payers' rules alone, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from canonical.money import Money

from sandbox.world.adjudication import Decision, PayerRules, adjudicate, claim_dice
from sandbox.world.hospital import SimulatedStay
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.received_claims import ReceivedClaim, ReceivedLine
from sandbox.world.scenario import Scenario, SimulatedEncounter


@dataclass(frozen=True, slots=True)
class Expected:
    """The end of one encounter's claim: refused at the door, or decided."""

    encounter: SimulatedEncounter
    rejected: bool
    decision: Decision


@dataclass(frozen=True, slots=True)
class ExpectedTotals:
    """Sums of one entity and payer; `charge == rejected + paid + contractual + patient + denied + sequestered`."""

    claim_count: int
    charge: Money
    rejected: Money
    paid: Money
    contractual: Money
    patient: Money
    denied: Money
    sequestered: Money


def expected_outcomes(scenario: Scenario, seed: int, rules: PayerRules | None = None) -> list[Expected]:
    """How payers of this seed and these rules treat every billable encounter of the story."""
    return [_expected(encounter, seed, rules or PayerRules()) for encounter in scenario.billable]


def expected_totals(outcomes: list[Expected]) -> dict[tuple[str, str], ExpectedTotals]:
    """The sums per entity and payer code."""
    groups: dict[tuple[str, str], list[Expected]] = {}
    for outcome in outcomes:
        coverage = outcome.encounter.coverage
        if coverage:
            groups.setdefault((outcome.encounter.entity, coverage.payer), []).append(outcome)
    return {key: _totals(group) for key, group in sorted(groups.items())}


def _expected(encounter: SimulatedEncounter, seed: int, rules: PayerRules) -> Expected:
    claim = claim_of(encounter)
    payer = sandbox_master_data().payer_by_x12(claim.payer_identifier, encounter.service_from)
    rejected = claim_dice(seed, "door", claim).chance(rules.rejected_percent)
    return Expected(encounter, rejected, adjudicate(claim, payer, seed, rules))


def claim_of(encounter: SimulatedEncounter) -> ReceivedClaim:
    """The claim a payer should receive for a billable encounter, but for the biller's own numbers."""
    data, day = sandbox_master_data(), encounter.service_from
    if encounter.coverage is None:
        raise ValueError(f"{encounter.visit_number} is self-pay: no payer gets a claim for it")
    claim = ReceivedClaim(
        patient_control_number=encounter.visit_number,
        charge=encounter.total,
        place_of_service=data.location(encounter.location, day).place_of_service,
        frequency="1",
        billing_npi=data.entity(encounter.entity, day).npi,
        payer_identifier=data.payer(encounter.coverage.payer, day).x12_identifier,
        member_id=encounter.coverage.member_id,
        family_name=encounter.patient.family_name.upper(),
        given_name=encounter.patient.given_name.upper(),
        claim_type=encounter.claim_type,
        lines=tuple(
            ReceivedLine(
                charge.procedure_code,
                charge.modifiers,
                charge.amount,
                str(charge.units),
                charge.service_date.strftime("%Y%m%d"),
                charge.transaction_id,
                revenue_code=charge.revenue_code,
                tooth=charge.tooth,
            )
            for charge in encounter.charges
        ),
    )
    return claim if encounter.stay is None else _of_a_stay(claim, encounter.stay)


def _of_a_stay(claim: ReceivedClaim, stay: SimulatedStay) -> ReceivedClaim:
    admitted, discharged = f"{stay.admitted_at:%Y%m%d}", f"{stay.discharged_at:%Y%m%d}"
    return replace(
        claim,
        place_of_service=stay.bill_type,
        statement=(admitted, discharged),
        admitted_on=admitted,
        drg=stay.admission.drg,
    )


def _totals(group: list[Expected]) -> ExpectedTotals:
    decided = [outcome.decision for outcome in group if not outcome.rejected]
    return ExpectedTotals(
        claim_count=len(group),
        charge=Money.total(outcome.encounter.total for outcome in group),
        rejected=Money.total(outcome.encounter.total for outcome in group if outcome.rejected),
        paid=Money.total(decision.paid for decision in decided),
        contractual=Money.total(decision.contractual for decision in decided),
        patient=Money.total(decision.patient_responsibility for decision in decided),
        denied=Money.total(decision.claim.charge for decision in decided if decision.denied),
        sequestered=Money.total(decision.sequestered for decision in decided),
    )
