"""A message on which our own code fails is kept and told to a person; the others of its batch are taken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from canonical.ids import derive
from chassis.domain import Transient
from intake.adapters.fhir.outcomes import outcome_of, status_of
from intake.adapters.hl7v2.acknowledgement import acknowledgement
from intake.adapters.hl7v2.header import Header
from intake.application.deliveries import Outcome
from intake.application.taking_facts import FactTaking
from intake.domain.facts import Fact

from .people import message, seen, visit
from .world import IntakeUnderTest


def failing_on(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """Makes the taking of visit 2 fail after it recorded something."""
    take = FactTaking.take

    def failing(taking: FactTaking, facts: tuple[Fact, ...]) -> list[str]:
        notes = take(taking, facts)
        if any(fact.place == "BUG" for fact in facts):
            raise failure
        return notes

    monkeypatch.setattr(FactTaking, "take", failing)


def told(number: str, place: str = "PID") -> tuple[Fact, ...]:
    person = seen(number)
    return (type(person)(place, person.patient_id, person.details), *visit(number, number, 1000))


def test_a_bug_keeps_one_message_for_a_person_and_lets_the_others_through(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_on(monkeypatch, KeyError("Doe"))
    service = IntakeUnderTest()
    batch = [message(f"m{number}", *told(number, "BUG" if number == "2" else "PID")) for number in "123"]
    outcomes = service.receive(*batch)
    assert [each.accepted for each in outcomes] == [True, False, True]
    assert outcomes[1].rule == "Defect"
    assert "Doe" not in str(outcomes[1].findings)
    assert [row["code"] for row in service.cases()] == ["Defect"]
    assert service.store.spans(outcomes[1].message_id)
    assert len(service.events()) == 4


def test_a_failure_that_will_pass_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_on(monkeypatch, Transient("gone"))
    service = IntakeUnderTest()
    with pytest.raises(Transient):
        service.receive(message("m1", *told("1")), message("m2", *told("2", "BUG")))
    assert service.store.last_position() == 0


def test_a_bug_is_an_error_of_ours_at_both_doors() -> None:
    outcome = Outcome(derive("test-message", 1), accepted=False, findings=("message: Defect: kept",))
    assert status_of(outcome) == 500
    assert "'code': 'exception'" in str(outcome_of(outcome))
    told = acknowledgement(Header(), outcome, datetime(2026, 3, 1, tzinfo=UTC), rejected=False)
    assert b"MSA|AE|" in told
    assert b"207^Application internal error" in told
