"""Who may only create cannot change what is known by sending it as a create."""

from __future__ import annotations

from dataclasses import replace

from intake.adapters.fhir.outcomes import status_of
from intake.domain.source_reference import ResourceSeen

from .people import message, person, seen, somebody
from .world import IntakeUnderTest

CREATED = ResourceSeen("Patient", "Patient", -1, "Patient/1", b"one", person("1"), may_update=False)


def test_a_create_of_what_is_known_needs_the_scope_to_update() -> None:
    service = IntakeUnderTest()
    first, again, other = (
        replace(message(key, seen("1", somebody(number))), resources=(replace(CREATED, content=content),))
        for key, number, content in (("m1", "1", b"one"), ("m2", "1", b"one"), ("m3", "2", b"two"))
    )
    outcomes = [service.receive(each)[0] for each in (first, again, other)]
    assert [each.accepted for each in outcomes] == [True, True, False]
    assert (outcomes[2].rule, status_of(outcomes[2])) == ("scope", 403)
    allowed = replace(other, delivery_key="m4", raw=b"m4", resources=(replace(other.resources[0], may_update=True),))
    assert service.receive(allowed)[0].accepted
