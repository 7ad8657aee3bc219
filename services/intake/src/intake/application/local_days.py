"""Which day it is where the legal entity of a message is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from canonical.master_data import MasterData, UnknownMasterData
from canonical.time_zones import day_in
from chassis.eventstore import Work

from intake.application.deliveries import InboundDelivery
from intake.domain.encounter import Encounter
from intake.domain.facts import AdjustmentSeen, ChargeSeen, Link, PatientPaymentSeen
from intake.domain.identities import reference_id_of
from intake.domain.source_reference import SourceReference


def today_of(work: Work, delivery: InboundDelivery, master_data: MasterData, now: datetime) -> date:
    """The day at the clocks of the entity that the message names, or whose encounters it names.

    Of several entities it is the latest day, and of all where nothing tells which it is: what one of them has done today
    is not of the future.
    """
    zones = {row.time_zone for row in master_data.entities if row.holds_on(now.date())} or {"UTC"}
    if len(zones) > 1:
        zones = _zones_of(work, delivery, master_data, now.date()) or zones
    return max(day_in(zone, now) for zone in zones)


def _zones_of(work: Work, delivery: InboundDelivery, master_data: MasterData, day: date) -> set[str]:
    """Those of its entities; none where one of them is not known."""
    words = {delivery.entity} if delivery.entity else set(_entities(work, delivery))
    try:
        ours = {master_data.translate(delivery.source, "entity", word, day) for word in words}
        return {master_data.entity(code, day).time_zone for code in ours}
    except UnknownMasterData:
        return set()


def _entities(work: Work, delivery: InboundDelivery) -> Iterator[str]:
    """Those of the encounters that it names, in the source's word; empty for one that has not come in before."""
    kinds = ChargeSeen | PatientPaymentSeen | AdjustmentSeen
    for link in dict.fromkeys(fact.encounter for fact in delivery.facts if isinstance(fact, kinds)):
        encounter = _encounter(work, link, delivery.source)
        yield encounter.facts.entity if encounter and encounter.facts else ""


def _encounter(work: Work, link: Link, source: str) -> Encounter | None:
    identity = link.id
    if identity is None and link.reference:
        known = work.get(SourceReference, reference_id_of(source, link.reference))
        identity = known.target_id if known else None
    return work.get(Encounter, identity) if identity else None
