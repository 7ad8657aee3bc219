"""The calls of `IntakeReadingService`, over a real connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
import pytest
from billing.intake.v1 import intake_reading_pb2 as pb
from billing.intake.v1 import intake_reading_pb2_grpc
from chassis.rpc import RemoteRefusal, channel_to, make_server
from intake.adapters.explaining import Explaining
from intake.adapters.fhir import FhirNames
from intake.adapters.grpc_reading import CONTENT_BYTES_MAX, reading_service
from intake.adapters.hl7v2 import read_profiles
from intake.domain.access import Disclosure

from .callers import KnownTokens, Token
from .test_charge_batches import batch, row
from .world import IntakeUnderTest, Wire, charge_message, encounters, messages_of, replace_field

SCOPES = {"reader": {"intake.read"}, "reprocessor": {"intake.reprocess"}}


@dataclass(frozen=True)
class Door:
    service: IntakeUnderTest
    port: int

    def calling_as(self, name: str) -> intake_reading_pb2_grpc.IntakeReadingServiceStub:
        return intake_reading_pb2_grpc.IntakeReadingServiceStub(channel_to(f"127.0.0.1:{self.port}", Token(name)))

    def explain(self, content: bytes) -> pb.ExplainContentResponse:
        return self.calling_as("reader").ExplainContent(pb.ExplainContentRequest(content=content))


@pytest.fixture
def door() -> Iterator[Door]:
    service = IntakeUnderTest()
    core, profiles, names = service.intake.core, read_profiles(None), FhirNames("urn:sandbox")
    reprocessing = service.reprocessing(profiles)
    served = [reading_service(core, Explaining(profiles, names, service.intake.messages.rehearse), reprocessing)]
    server = make_server(served, KnownTokens(SCOPES), host="127.0.0.1", port=0, threads=2)
    server.server.start()
    yield Door(service, server.port)
    server.server.stop(None).wait()


def test_an_explanation_says_what_would_become_of_a_message_and_keeps_nothing(door: Door) -> None:
    told = door.explain(charge_message().encode())
    assert (told.format, told.message_count, told.accepted_count) == ("hl7v2", 1, 1)
    assert "DFT^P03 from ehr-north at NORTH" in told.sentences[0]
    assert any("charges of" in sentence for sentence in told.sentences)
    assert any("charged: posting 1" in effect or "held" in effect for effect in told.effects)
    assert door.service.store.last_position() == 0


@pytest.mark.parametrize("wire", [Wire.HL7, Wire.FHIR])
def test_no_explanation_says_who_the_patient_is(door: Door, wire: Wire) -> None:
    encounter = encounters(wire)[0]
    patient = encounter.patient
    for message in messages_of(encounter).messages:
        said = str(door.explain(message))
        for secret in (patient.family_name, patient.given_name, patient.birth_date.isoformat(), patient.mrn):
            assert secret not in said
        assert "****" in said


def test_codes_that_master_data_does_not_know_are_named(door: Door) -> None:
    told = door.explain(batch(row(payer="NOBODY", member_id="M1", department="NOWHERE")))
    assert any("NOBODY" in each for each in told.unmapped)
    assert any("NOWHERE" in each for each in told.unmapped)


def test_what_is_wrong_is_told_by_place_and_rule(door: Door) -> None:
    spoiled = replace_field(charge_message(), "FT1", 10, "0")
    assert any("units-above-zero" in finding for finding in door.explain(spoiled).findings)
    assert any("control-row" in finding for finding in door.explain(batch(row(), control="")).findings)
    assert "trailer" in door.explain(b"FHS|^~\\&|A\r" + charge_message().encode()).findings[0]


def test_charges_in_another_currency_are_explained_by_the_rule_that_refuses_them(door: Door) -> None:
    told = door.explain(replace_field(charge_message(), "FT1", 11, "120.00&EUR"))
    assert any("currency" in finding for finding in told.findings)
    assert any("120.00 EUR in all" in sentence for sentence in told.sentences)


def test_what_is_wrong_with_one_of_several_messages_names_which(door: Door) -> None:
    spoiled = replace_field(charge_message(), "FT1", 10, "0")
    told = door.explain(charge_message().encode() + spoiled)
    assert told.findings
    assert all(finding.startswith("2. FT1[1]") for finding in told.findings)


def test_what_came_before_is_told_as_such(door: Door) -> None:
    door.service.receive(charge_message().encode())
    assert "came before, and was accepted" in door.explain(charge_message().encode()).sentences[0]


def test_bytes_of_no_format_are_said_to_be_none_and_too_many_are_refused(door: Door) -> None:
    assert door.explain(b"Dear colleagues").format == ""
    with pytest.raises((RemoteRefusal, grpc.RpcError), match="content"):
        door.explain(b"M" * (CONTENT_BYTES_MAX + 1))


def test_messages_are_read_again_by_those_who_may_and_each_look_is_recorded(door: Door) -> None:
    (outcome,) = door.service.receive(charge_message().encode())
    request = pb.ReprocessMessagesRequest(message_ids=[str(outcome.message_id)])
    with pytest.raises((RemoteRefusal, grpc.RpcError), match=r"reprocess|PERMISSION_DENIED"):
        door.calling_as("reader").ReprocessMessages(request)
    (again,) = door.calling_as("reprocessor").ReprocessMessages(request).messages
    assert (again.before, again.after, list(again.differences)) == ("accepted", "accepted", [])
    (look,) = [each.event for each in door.service.store.log(0, 10_000) if isinstance(each.event, Disclosure.Given)]
    assert (look.what, look.meta.actor) == ("raw-read-again", "user:reprocessor")


def test_messages_since_an_instant_are_read_in_portions_payers_files_among_them(door: Door) -> None:
    door.service.receive(charge_message().encode())
    door.service.receive_file(b"ISA*")
    request = pb.ReprocessMessagesRequest(limit=1, dry_run=True)
    request.since.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
    found: list[pb.RereadMessage] = []
    calls = 0
    while calls < 10:
        answer = door.calling_as("reprocessor").ReprocessMessages(request)
        found += answer.messages
        calls += 1
        if not answer.next_position:
            break
        request.position = answer.next_position
    assert len(found) == 2
    assert (found[1].unreadable, found[1].after) == ("", "quarantined")
    assert "no_isa" in found[1].findings[0]


@pytest.mark.parametrize(
    "request_", [pb.ReprocessMessagesRequest(), pb.ReprocessMessagesRequest(message_ids=["nonsense"])]
)
def test_a_call_that_names_no_messages_is_refused(door: Door, request_: pb.ReprocessMessagesRequest) -> None:
    with pytest.raises((RemoteRefusal, grpc.RpcError), match=r"since|message_ids"):
        door.calling_as("reprocessor").ReprocessMessages(request_)
