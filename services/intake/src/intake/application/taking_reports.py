"""Takes the money that a platform reports beside its remittances: what patients paid it, and what it adjusted by itself."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from canonical.ids import derive
from canonical.master_data import MasterData
from chassis.eventstore import Work
from chassis.exceptions import raise_case

from intake.application.taking_money import of_encounter, take_adjustment, take_payment
from intake.domain.charge_rules import money_rules
from intake.domain.encounter import Encounter
from intake.domain.facts import AdjustmentSeen, PatientPaymentSeen
from intake.domain.refusals import InvalidMessage, ReportedOtherwise

NOT_ITS_ENTITY = "NotThePlatformsEntity"
UNPLACED = "PlatformMoneyUnplaced"


def is_worked_by(master_data: MasterData, entity: str, platform: str) -> bool:
    """Whether the platform works, or worked, the claims of the entity; where no platform sent it, there is nothing to ask."""
    return not platform or any(
        each.code == entity and each.claims_worked_by == platform for each in master_data.entities
    )


def take_reported_money(
    work: Work,
    platform: str,
    facts: Iterable[PatientPaymentSeen | AdjustmentSeen],
    message_id: UUID,
    master_data: MasterData,
) -> None:
    """Takes each once; what cannot be placed becomes a case that names the amount."""
    for fact in facts:
        why = _take(work, platform, fact, message_id, master_data)
        if why:
            identity = fact.payment_id if isinstance(fact, PatientPaymentSeen) else fact.adjustment_id
            raise_case(
                work,
                derive("platform-money-unplaced", message_id, identity),
                code=UNPLACED,
                summary=f"{platform} reports {fact.amount} in {fact.place}: {why}"[:500],
                subject="inbound-message",
                subject_id=message_id,
                entity="",
                amount=fact.amount,
            )


def _take(
    work: Work,
    platform: str,
    fact: PatientPaymentSeen | AdjustmentSeen,
    message_id: UUID,
    master_data: MasterData,
) -> str:
    """Why it cannot be taken; empty where it was."""
    assert fact.encounter.id is not None, "a report names encounters by our ids"
    encounter = work.get(Encounter, fact.encounter.id)
    if encounter is None or encounter.facts is None:
        return "no encounter of ours has this id"
    if not is_worked_by(master_data, encounter.facts.entity, platform):
        return f"{encounter.facts.entity} is not worked by it"
    if findings := list(money_rules(fact)):
        return "; ".join(map(str, findings))
    try:
        if isinstance(fact, AdjustmentSeen):
            take_adjustment(work, fact, of_encounter(encounter), message_id)
        else:
            take_payment(work, fact, of_encounter(encounter), master_data, message_id)
    except (InvalidMessage, ReportedOtherwise) as refused:
        return str(refused)
    return ""
