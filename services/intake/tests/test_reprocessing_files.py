"""Kept files of payers read again: what was never taken is taken; what was announced is never announced twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from canonical.events.intake import (
    ClaimStatusLine,
    RemittanceChunkReceived,
    RemittanceReceived,
)
from canonical.money import Money
from canonical.remittance import ClaimPayment
from chassis.domain import Context, Meta, Transient
from chassis.eventstore.work import no_crash
from chassis.inbound import INBOUND_MESSAGES
from chassis.inbound.taken_files import TakenFiles
from intake.adapters.hl7v2 import read_profiles
from intake.adapters.x12_files import X12File
from intake.application import comparing_files
from intake.application.ports import Survey
from intake.application.reprocessing_files import READ_DIFFERENTLY, FileReprocessing
from intake.application.rereadings import Original, Reread
from intake.domain.access import Disclosure
from sandbox.world.bulk import generate_remittance
from sandbox.world.remittances import corrupted
from x12.policy import PolicyOf, policy_of, strict

from .test_files import SAMPLES
from .world import IntakeUnderTest

PAID_ON = date(2026, 2, 27)
SENT = generate_remittance(3, PAID_ON, seed=1)
LARGE = generate_remittance(1100, PAID_ON, seed=1)


def caller(service: IntakeUnderTest) -> Context:
    call = uuid4()
    return Context(service.clock(), Meta(correlation_id=call, causation_id=call, actor="person:auditor"))


def reread(service: IntakeUnderTest, message_id: UUID, *, dry_run: bool = False, policies: PolicyOf = strict) -> Reread:
    service.clock.advance(minutes=1)
    again = service.reprocessing(read_profiles(None), policies)
    return again.reprocess(caller(service), message_id, dry_run=dry_run)


def without_payers() -> IntakeUnderTest:
    """Intake whose master data knows no payer."""
    service = IntakeUnderTest()
    service.master_data = service.master_data.model_copy(update={"payers": ()})
    return service


def mend(service: IntakeUnderTest) -> None:
    service.master_data = IntakeUnderTest().master_data


def announced(service: IntakeUnderTest, kind: type) -> int:
    return sum(isinstance(event, kind) for event in service.events())


def state(service: IntakeUnderTest, message_id: UUID) -> object:
    (row,) = service.store.rows(INBOUND_MESSAGES, {"message_id": message_id})
    return row["state"]


class Mended(X12File):
    """A reader that sees one more dollar left to the patient of each claim than the one before it did."""

    def parts(self, ordinal: int) -> Iterator[Sequence[ClaimPayment]]:
        for part in super().parts(ordinal):
            more = Money.of("1.00")
            yield [
                claim.model_copy(update={"patient_responsibility": claim.patient_responsibility + more})
                for claim in part
            ]


def read_by(service: IntakeUnderTest, file: X12File, message_id: UUID, *, dry_run: bool) -> Reread:
    known = TakenFiles(service.store, service.clock, service.sealer, "file-drop")
    again = FileReprocessing(service.store, service.intake.files, lambda: service.master_data, known)
    original = Original(message_id, file.source, file.delivery_key, file.format, service.clock())
    return again.reprocess(caller(service), original, file, dry_run=dry_run)


@pytest.mark.parametrize(
    "content", [SENT.content, corrupted(SENT).content, b"ISA*"], ids=["sound", "unbalanced", "none"]
)
def test_a_file_that_is_read_as_before_changes_nothing(content: bytes) -> None:
    service = IntakeUnderTest()
    message_id = service.receive_file(content).message_id
    position, verdict = service.store.last_position(), state(service, message_id)
    found = reread(service, message_id)
    assert (found.is_new, found.after) == (False, verdict)
    assert [type(entry.event) for entry in service.store.log(position, 100)] == [Disclosure.Given]


def test_a_dry_run_tells_which_public_events_there_would_be_and_records_only_the_look() -> None:
    service = without_payers()
    message_id = service.receive_file(SENT.content).message_id
    mend(service)
    position = service.store.last_position()
    found = reread(service, message_id, dry_run=True)
    assert (found.before, found.after) == ("quarantined", "accepted")
    assert [line.split(" ")[0] for line in found.differences] == ["remittance-received", "remittance-chunk-received"]
    assert f"{SENT.amount.decimal_text} by ACME, 3 claims" in found.differences[0]
    assert [type(entry.event) for entry in service.store.log(position, 100)] == [Disclosure.Given]


def test_what_was_in_quarantine_is_taken_once_the_payer_is_known_and_its_case_ends() -> None:
    service, whole = without_payers(), IntakeUnderTest()
    message_id = service.receive_file(LARGE.content).message_id
    whole.receive_file(LARGE.content)
    mend(service)
    for is_first in (True, False):
        assert reread(service, message_id).is_new is is_first
    assert state(service, message_id) == "accepted"
    kinds = (RemittanceReceived, RemittanceChunkReceived)
    assert [each for each in service.events() if isinstance(each, kinds)] == whole.events()
    assert [row["state"] for row in service.cases()] == ["corrected"]


@pytest.mark.parametrize("commits", range(4))
def test_a_crash_in_between_is_mended_by_reading_it_again(commits: int) -> None:
    service = without_payers()
    message_id = service.receive_file(LARGE.content).message_id
    mend(service)
    left = commits

    def crash(step: str) -> None:
        nonlocal left
        if step == "after-commit":
            left -= 1
            if left < 0:
                raise Transient("the process died")

    service.crash = crash
    try:
        reread(service, message_id)
    except Transient:
        assert left < 0
    service.crash = no_crash
    reread(service, message_id)
    assert state(service, message_id) == "accepted"
    assert [row["state"] for row in service.cases()] == ["corrected"]
    assert announced(service, RemittanceReceived) == 1
    assert announced(service, RemittanceChunkReceived) == 3


def test_the_policy_of_today_decides_what_is_held_against_a_file() -> None:
    service = IntakeUnderTest()
    message_id = service.receive_file(SENT.content.replace(b"GE*1*", b"GE*2*")).message_id
    eased = policy_of({"ge01_count": "finding"})
    assert reread(service, message_id).after == "quarantined"
    assert reread(service, message_id, policies=lambda sender: eased).after == "accepted"
    assert announced(service, RemittanceReceived) == 1


def test_a_remittance_that_was_announced_and_is_read_otherwise_is_a_case_and_not_announced_again() -> None:
    service = IntakeUnderTest()
    message_id = service.receive_file(SENT.content).message_id
    events = service.events()
    mended = Mended("a.835", SENT.content, source="file-drop")
    shown = read_by(service, mended, message_id, dry_run=True)
    assert service.cases() == []
    assert read_by(service, mended, message_id, dry_run=False) == shown
    assert service.events() == events
    (case,) = service.cases()
    assert (case["code"], case["subject_id"]) == (READ_DIFFERENTLY, message_id)
    assert "part 1, claim 1: patient_responsibility" in str(case["summary"])
    assert len(shown.notes) == 3
    again = read_by(service, mended, message_id, dry_run=False)
    assert (again.is_new, len(again.notes), len(service.cases())) == (False, 3, 1)


class OtherParts(X12File):
    """A reader that would announce a remittance in more parts than the one before it did."""

    def survey(self) -> Survey:
        survey = super().survey()
        survey.remittances = [replace(each, chunk_count=each.chunk_count + 1) for each in survey.remittances]
        return survey

    def parts(self, ordinal: int) -> Iterator[Sequence[ClaimPayment]]:
        yield []
        yield from super().parts(ordinal)


def test_a_remittance_that_would_be_announced_in_more_parts_gets_none_that_it_did_not_have() -> None:
    service = IntakeUnderTest()
    message_id = service.receive_file(SENT.content).message_id
    found = read_by(service, OtherParts("a.835", SENT.content, source="file-drop"), message_id, dry_run=False)
    assert "chunk_count 2, not 1" in found.notes[0]
    assert announced(service, RemittanceChunkReceived) == 1


def test_a_payer_of_another_code_by_now_is_such_a_difference_too() -> None:
    service = IntakeUnderTest()
    message_id = service.receive_file(SENT.content).message_id
    renamed = tuple(
        each.model_copy(update={"code": "OTHER"}) if each.code == "ACME" else each
        for each in service.master_data.payers
    )
    service.master_data = service.master_data.model_copy(update={"payers": renamed})
    found = reread(service, message_id)
    assert [each.split(": ")[1] for each in found.notes] == [
        "payer_id differs; it was announced once, and is not again"
    ]
    assert announced(service, RemittanceReceived) == 1


def test_a_file_that_was_accepted_and_would_be_refused_now_stays_and_that_is_told() -> None:
    service = IntakeUnderTest()
    message_id = service.receive_file(SENT.content).message_id
    service.master_data = service.master_data.model_copy(update={"payers": ()})
    found = reread(service, message_id)
    assert (found.before, found.after, found.differences) == ("accepted", "accepted", ())
    assert "unknown-payer" in found.findings[0]


def test_a_status_that_would_be_announced_otherwise_is_refused_by_name() -> None:
    service, content = IntakeUnderTest(), (SAMPLES / "mixed.277ca").read_bytes()
    message_id = service.receive_file(content, "a.277ca").message_id
    assert reread(service, message_id).findings == ()
    mended = X12File("a.277ca", content.replace(b"ICN0001", b"ICN0009"), source="file-drop")
    found = read_by(service, mended, message_id, dry_run=False)
    assert [each.split(": ")[2] for each in found.findings] == ["taken-already"]
    assert found.findings[0].startswith("claim-status-received ")
    assert announced(service, ClaimStatusLine) == 2


def test_a_file_that_came_again_under_another_name_and_was_accepted_is_not_taken_twice() -> None:
    service = without_payers()
    message_id = service.receive_file(SENT.content).message_id
    mend(service)
    known = TakenFiles(service.store, service.clock, service.sealer, "file-drop")
    service.receive_file(SENT.content, "b.835")
    known.note(known.address_of(SENT.content), "b.835")
    found = reread(service, message_id)
    assert (found.after, "taken-since" in found.findings[0]) == ("quarantined", True)
    assert announced(service, RemittanceReceived) == 1


def test_a_file_that_was_taken_by_reading_it_again_is_known_when_it_is_dropped_again() -> None:
    service = without_payers()
    message_id = service.receive_file(SENT.content).message_id
    mend(service)
    reread(service, message_id)
    known = TakenFiles(service.store, service.clock, service.sealer, "file-drop")
    assert known.name_of(known.address_of(SENT.content)) == "a.835"


def test_of_very_many_differences_so_many_are_told_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing_files, "LINES_MAX", 2)
    service = IntakeUnderTest()
    message_id = service.receive_file(SENT.content).message_id
    found = read_by(service, Mended("a.835", SENT.content, source="file-drop"), message_id, dry_run=True)
    assert [note.split(";")[0] for note in found.notes][2:] == ["and 1 more"]
