"""Which aggregates a message needs: a batch loads those of all its messages in one query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from intake.application.deliveries import InboundDelivery
from intake.domain.facts import (
    AdjustmentSeen,
    ChargeSeen,
    ChargesWithdrawn,
    CoverageSeen,
    EncounterSeen,
    Fact,
    Link,
    PatientPaymentSeen,
    PatientSeen,
    PatientsMerged,
    PatientsUnmerged,
)
from intake.domain.identities import reference_id_of


def ids_needed(delivery: InboundDelivery) -> Iterator[UUID]:
    """Of everything that a message speaks of, as far as it names it by itself."""
    for resource in delivery.resources:
        yield reference_id_of(delivery.source, resource.reference)
    for fact in delivery.facts:
        yield from _ids_of(fact, delivery.source)


def _ids_of(fact: Fact, source: str) -> Iterator[UUID]:
    match fact:
        case PatientSeen():
            yield fact.patient_id
        case PatientsMerged() | PatientsUnmerged():
            yield from _linked((fact.survivor, fact.retired), source)
        case EncounterSeen():
            yield fact.encounter_id
            yield from _linked((fact.patient, fact.entity, fact.rendering_provider), source)
        case CoverageSeen():
            yield from _linked((fact.patient, fact.encounter, fact.payer), source)
        case ChargeSeen():
            yield from _linked((fact.encounter, fact.performer), source)
        case PatientPaymentSeen() | AdjustmentSeen():
            yield from _linked((fact.patient, fact.encounter), source)
        case ChargesWithdrawn():
            pass
        case _:
            yield from _linked((fact.encounter,), source)


def _linked(links: Sequence[Link], source: str) -> Iterator[UUID]:
    for link in links:
        if link.id is not None:
            yield link.id
        elif link.reference:
            yield reference_id_of(source, link.reference)
