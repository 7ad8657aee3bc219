"""What lies in the future is told by the clocks of the entity that a message is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from canonical.master_data import Entity, MasterData
from canonical.time_zones import zone_of
from intake.application.deliveries import InboundDelivery, Outcome
from intake.domain.facts import Link
from pydantic import ValidationError

from .test_moved_charges import delivery
from .test_revisions import Source, charge

TODAY_UTC, TOMORROW_UTC = date(2026, 3, 1), date(2026, 3, 2)


def with_zones(source: Source, **zones: str) -> None:
    """The clocks of the entities; it is eight in the evening of `TODAY_UTC`."""
    data: MasterData = source.service.master_data
    rows = tuple(row.model_copy(update={"time_zone": zones.get(row.code, "UTC")}) for row in data.entities)
    source.service.master_data = data.model_copy(update={"entities": rows})


def told(source: Source, day: date, entity: str = "NORTH") -> Outcome:
    message: InboundDelivery = replace(delivery(f"charge of {day}", charge(service_date=day)), entity=entity)
    return source.service.receive(message)[0]


@pytest.mark.parametrize("named", ["NORTH", ""], ids=["named by the message", "of the encounter"])
@pytest.mark.parametrize(
    ("zone", "day", "rule"),
    [
        ("Pacific/Guam", TOMORROW_UTC, ""),
        ("America/Chicago", TODAY_UTC, ""),
        ("America/Chicago", TOMORROW_UTC, "date-in-future"),
        ("UTC", TOMORROW_UTC, "date-in-future"),
    ],
)
def test_a_charge_is_held_against_the_day_at_its_entity(named: str, zone: str, day: date, rule: str) -> None:
    source = Source()
    with_zones(source, NORTH=zone, SOUTH="Pacific/Pago_Pago")
    assert told(source, day, entity=named).rule == rule


def test_an_entity_further_east_moves_no_day_of_another() -> None:
    source = Source()
    with_zones(source, NORTH="America/Chicago", SOUTH="Pacific/Guam")
    assert told(source, TOMORROW_UTC).rule == "date-in-future"


def test_where_nothing_tells_the_entity_the_latest_day_of_all_counts() -> None:
    source = Source()
    with_zones(source, NORTH="America/Chicago", SOUTH="Pacific/Guam")
    assert told(source, TOMORROW_UTC, entity="nobody knows it").accepted
    unknown = charge(2, service_date=TOMORROW_UTC, encounter=Link(reference="Encounter/never came"))
    (outcome,) = source.service.receive(replace(delivery("of no visit", unknown), entity=""))
    assert outcome.rule == "unknown-reference"


def test_an_entity_has_no_zone_that_nobody_knows() -> None:
    (entity, *_) = Source().service.master_data.entities
    with pytest.raises(ValidationError, match="no time zone of the IANA database"):
        Entity.model_validate(entity.model_dump() | {"time_zone": "Mars/Olympus"})
    with pytest.raises(ValueError, match="no time zone"):
        zone_of("../../etc/localtime")
