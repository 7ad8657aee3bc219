"""A zero byte in a file from a payer refuses its own remittance; the others of the file go on."""

from __future__ import annotations

import pytest
from canonical.events.intake import RemittanceReceived
from chassis.eventstore import EventStore
from chassis.inbound import read_raw
from sandbox.world.remittances import Remittance

from .test_files import remittance
from .test_on_postgres import store as postgres_store
from .world import IntakeUnderTest

__all__ = ["postgres_store"]


def together(first: Remittance, second: Remittance, place: bytes) -> bytes:
    """Two remittances of one group, the first with a zero byte."""
    holed = first.content.replace(place, place + b"\x00", 1)
    assert holed != first.content
    head, rest = holed[: holed.index(b"GE*")], holed[holed.index(b"GE*") :]
    another = second.content[second.content.index(b"ST*") : second.content.index(b"GE*")]
    return (
        head
        + another.replace(b"*0001~", b"*0002~").replace(b"ST*835*0001", b"ST*835*0002")
        + rest.replace(b"GE*1*", b"GE*2*")
    )


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.servers)])
def service(request: pytest.FixtureRequest) -> IntakeUnderTest:
    kept: EventStore | None = request.getfixturevalue("postgres_store") if request.param == "postgres" else None
    return IntakeUnderTest(kept)


@pytest.mark.parametrize("place", [b"CLP*", b"TRN*1*", b"N1*PR*", b"NM1*QC*1*"], ids=bytes.decode)
def test_only_the_remittance_that_holds_it_is_kept_back(service: IntakeUnderTest, place: bytes) -> None:
    seed = sum(place)
    first, second = remittance(3, seed), remittance(3, seed + 1)
    raw = together(first, second, place)
    before = len(service.cases())
    outcome = service.receive_file(raw, f"{place.decode()}.835")
    heads = [event for event in service.events() if isinstance(event, RemittanceReceived)]
    assert [each.summary.trace_number for each in heads[-1:]] == [second.trace_number]
    assert first.trace_number not in [each.summary.trace_number for each in heads]
    assert (outcome.quarantined, outcome.remittances) == (True, 1)
    assert any("zero_byte: the segment holds a zero byte" in finding for finding in outcome.findings)
    (case,) = service.cases()[before:]
    assert case["code"] == "UnusableRemittance"
    assert read_raw(service.store, service.sealer, outcome.message_id) == raw
