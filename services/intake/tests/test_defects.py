"""A message on which our own code fails is kept and told to a person; the others of its batch are taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from canonical.ids import derive
from chassis.domain import Transient, Unavailable
from chassis.eventstore import Work
from chassis.inbound.receiving_queue import ReceivingQueue
from chassis.telemetry.metrics import FAILURES
from chassis.testing import context
from intake.adapters.fhir.import_files import NdjsonFolder
from intake.adapters.fhir.outcomes import outcome_of, status_of
from intake.adapters.hl7v2.acknowledgement import acknowledgement
from intake.adapters.hl7v2.header import Header
from intake.application import receiving
from intake.application.bulk_importing import BulkImporting
from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.taking_facts import FactTaking
from intake.domain.facts import Fact

from .people import SOURCE, message, person, seen, visit
from .world import IntakeUnderTest

ANSWERED_SECONDS_MAX = 20.0


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


def failing_beside(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """Makes what follows the taking of a whole batch fail where patient 2 is in it."""

    def failing(work: Work) -> None:
        if any(event.originator_id == person("2") for event in work.pending_events()):
            raise failure

    monkeypatch.setattr(receiving, "match_people", failing)


def test_a_bug_beside_taking_one_message_of_several_keeps_that_one_for_a_person_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_beside(monkeypatch, KeyError("Doe"))
    service = IntakeUnderTest()
    before = counted()
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(service.intake.messages.receive)
    waiting = [queue.submit(message(f"m{number}", *told(number))) for number in "123"]
    outcomes = [future.result(timeout=ANSWERED_SECONDS_MAX) for future in waiting]
    queue.stop()
    assert [each.accepted for each in outcomes] == [True, False, True]
    assert [row["code"] for row in service.cases()] == ["Defect"]
    assert service.store.spans(outcomes[1].message_id)
    assert service.store.story(person("2")) == []
    assert counted() == before + 1
    assert service.receive(message("m2", *told("2")))[0].rule == "Defect"


def test_a_bug_beside_taking_one_line_of_an_import_lets_the_others_through_and_the_import_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failing_beside(monkeypatch, KeyError("Doe"))
    service = IntakeUnderTest()
    (tmp_path / "fhir-import").mkdir()
    (tmp_path / "fhir-import" / "Patient.ndjson").write_bytes(b"1\n2\n3\n")

    def read_line(raw: bytes, *, source: str, actor: str, kind: str, key: str) -> InboundDelivery:
        return message(key, *told(raw.strip().decode()))

    folder, receive = NdjsonFolder(tmp_path), service.intake.messages.receive
    importing = BulkImporting(service.store, service.clock, receive, folder, read_line)
    file = importing.look("Patient", "Patient.ndjson")
    assert file is not None
    job = importing.begin(context(), SOURCE, [file], "")
    while importing.run():
        pass
    row = importing.status(job)
    assert row is not None
    assert (row["state"], row["accepted"], row["refused"]) == ("finished", 2, 1)
    assert importing.refusals(job, 0)[0]["line"] == 2


def test_a_failure_that_will_pass_beside_taking_a_message_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_beside(monkeypatch, Unavailable("keys"))
    service = IntakeUnderTest()
    with pytest.raises(Unavailable):
        service.receive(message("m2", *told("2")))
    assert service.store.last_position() == 0


def test_a_delivery_that_cannot_even_be_kept_is_not_accepted_and_counted() -> None:
    def failing(deliveries: Sequence[InboundDelivery]) -> list[Outcome]:
        raise KeyError("Doe")

    before = counted("receiving-queue")
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(failing)
    with pytest.raises(Transient, match="not kept"):
        queue.submit(message("m1", *told("1"))).result(timeout=ANSWERED_SECONDS_MAX)
    queue.stop()
    assert counted("receiving-queue") == before + 1


def counted(where: str = "receiving") -> float:
    (metric,) = FAILURES.collect()
    wanted = {"where": where, "failure_class": "bug"}
    return sum(each.value for each in metric.samples if each.labels == wanted and each.name.endswith("_total"))
