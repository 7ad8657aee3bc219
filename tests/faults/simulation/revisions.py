"""What the EHR says of charges later: some are corrected, credited in part, voided, or come late; and of their visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from canonical.ids import derive
from canonical.money import Money
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import ChargeSeen, ChargeVoided, DiagnosisSeen, Fact
from sandbox.world.scenario import Flaw, Scenario, SimulatedEncounter

SAID_AT = datetime(2026, 3, 2, 7, tzinfo=UTC)
RAISED = Money(12_50)
CREDITED = Money(4_00)
LATE = Money(33_00)
FOUND_LATER = "Z79.899"


def is_revised(encounter: SimulatedEncounter) -> bool:
    """Visits of one known payer, told without a flaw: each of them is said again in part."""
    clean = encounter.flaw is Flaw.NONE and encounter.coverage is not None and encounter.stay is None
    return clean and not encounter.next_coverages and encounter.ordinal % 2 == 0


def is_voided(encounter: SimulatedEncounter) -> bool:
    """Of one in four everything is taken back."""
    return is_revised(encounter) and encounter.ordinal % 8 == 2


def as_revised(scenario: Scenario) -> Scenario:
    """The story as it is once everything was said."""
    return replace(scenario, encounters=tuple(_revised(each) for each in scenario.encounters))


def _revised(encounter: SimulatedEncounter) -> SimulatedEncounter:
    if not is_revised(encounter):
        return encounter
    if is_voided(encounter):
        return replace(encounter, charges=())
    first, *others = encounter.charges
    changed = replace(first, amount=first.amount + RAISED - CREDITED)
    late = replace(first, transaction_id=f"{first.transaction_id}-late", amount=LATE)
    return replace(encounter, charges=(changed, *others[:-1], late))


def revisions_of(encounter: SimulatedEncounter, told: Sequence[InboundDelivery]) -> list[InboundDelivery]:
    """The messages that say it after what was `told` first, one for each word: they end alike in every order."""
    charges = [fact for delivery in told for fact in delivery.facts if isinstance(fact, ChargeSeen)]
    if is_voided(encounter):
        words: list[Fact] = [_credit(charge, None, 1) for charge in charges]
    else:
        first, *others = charges
        assert first.amount is not None
        corrected = replace(first, amount=first.amount + RAISED, corrects=True, said_at=_at(1))
        late = replace(first, charge_id=derive("late", first.charge_id), amount=LATE)
        diagnosis = DiagnosisSeen("diagnosis", first.encounter, FOUND_LATER)
        words = [corrected, _credit(first, CREDITED, 2), late, diagnosis]
        words += [_credit(charge, None, 1) for charge in others[-1:]]
    return [_message(told[-1], word, number) for number, word in enumerate(words, 1)]


def _credit(charge: ChargeSeen, amount: Money | None, hour: int) -> ChargeVoided:
    return ChargeVoided(charge.place, charge.charge_id, charge.encounter, amount, _at(hour))


def _at(hour: int) -> datetime:
    return SAID_AT + timedelta(hours=hour)


def _message(told: InboundDelivery, word: Fact, number: int) -> InboundDelivery:
    key = f"{told.delivery_key} revised {number}"
    return InboundDelivery(
        told.source, key, told.format, key.encode(), told.actor, (word,), patient=told.patient, entity=told.entity
    )
