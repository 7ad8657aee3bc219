"""The questions of `billing.intake.v1`, asked over a real connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import grpc
import pytest
from billing.intake.v1 import intake_pb2 as pb
from billing.intake.v1 import intake_pb2_grpc
from chassis.rpc import RemoteRefusal, channel_to, make_server
from intake.adapters.grpc import intake_service
from intake.domain.access import Disclosure
from intake.domain.identities import encounter_id_of
from sandbox.world.bulk import generate_remittance
from sandbox.world.remittances import corrupted
from sandbox.world.scenario import Flaw

from .callers import KnownTokens, Token
from .people import JANE, message, person, seen, visit
from .world import STORY, IntakeUnderTest, Wire, charge_message, encounters, messages_of, replace_field

ENCOUNTER = encounters(Wire.FHIR)[0]
HELD = next(each for each in STORY.flawed if each.flaw is Flaw.UNKNOWN_PAYER)
PAID_ON = date(2026, 2, 27)
SCOPES = {
    "reader": {"intake.read"},
    "writer": {"intake.read", "intake.write"},
    "auditor": {"intake.raw.read", "phi.read"},
    "registrar": {"intake.read", "intake.patients.write"},
}


@dataclass(frozen=True)
class Door:
    service: IntakeUnderTest
    port: int

    def calling_as(self, name: str) -> intake_pb2_grpc.IntakeServiceStub:
        return intake_pb2_grpc.IntakeServiceStub(channel_to(f"127.0.0.1:{self.port}", Token(name)))


@pytest.fixture
def door() -> Iterator[Door]:
    service = IntakeUnderTest()
    service.receive(messages_of(ENCOUNTER).messages[0], replace_field(charge_message(), "FT1", 10, "0"))
    service.receive_encounters([HELD])
    service.receive_file(generate_remittance(3, PAID_ON).content)
    service.receive_file(corrupted(generate_remittance(3, PAID_ON, seed=2)).content, "bad.835")
    served = [intake_service(service.intake.core, service.sealer, lambda: service.master_data)]
    server = make_server(served, KnownTokens(SCOPES), host="127.0.0.1", port=0, threads=2)
    server.server.start()
    yield Door(service, server.port)
    server.server.stop(None).wait()


def test_raw_bytes_are_given_and_every_look_is_recorded(door: Door) -> None:
    content = messages_of(ENCOUNTER).messages[0]
    encounter_id = str(encounter_id_of(ENCOUNTER.source, ENCOUNTER.visit_number))
    known = door.calling_as("reader").GetEncounter(pb.GetEncounterRequest(encounter_id=encounter_id))
    message_id = known.postings[0].message_ids[0]
    auditor = door.calling_as("auditor")
    whole = auditor.ReadRawSpan(pb.ReadRawSpanRequest(message_id=message_id))
    part = auditor.ReadRawSpan(pb.ReadRawSpanRequest(message_id=message_id, start=5, length=10))
    looks = [each.event for each in door.service.store.log(0, 10_000) if isinstance(each.event, Disclosure.Given)]
    assert (whole.content, whole.size_bytes, part.content) == (content, len(content), content[5:15])
    assert [(look.meta.actor, look.start, look.length) for look in looks] == [
        ("user:auditor", 0, len(content)),
        ("user:auditor", 5, 10),
    ]


@pytest.mark.parametrize("caller", ["reader", "writer"])
def test_phi_needs_a_scope_of_its_own(door: Door, caller: str) -> None:
    calls = door.calling_as(caller)
    encounter_id = str(encounter_id_of(ENCOUNTER.source, ENCOUNTER.visit_number))
    with pytest.raises((RemoteRefusal, grpc.RpcError), match=r"raw\.read|PERMISSION_DENIED"):
        calls.ReadRawSpan(pb.ReadRawSpanRequest(message_id=encounter_id))
    with pytest.raises((RemoteRefusal, grpc.RpcError), match=r"phi\.read|PERMISSION_DENIED"):
        calls.GetEncounterPatient(pb.GetEncounterPatientRequest(encounter_id=encounter_id))


def test_who_may_see_phi_sees_the_patient(door: Door) -> None:
    encounter_id = str(encounter_id_of(ENCOUNTER.source, ENCOUNTER.visit_number))
    answer = door.calling_as("auditor").GetEncounterPatient(pb.GetEncounterPatientRequest(encounter_id=encounter_id))
    assert (answer.family_name, answer.account_number) == (ENCOUNTER.patient.family_name, ENCOUNTER.visit_number)


def test_an_encounter_is_shown_with_charges_and_postings(door: Door) -> None:
    encounter_id = str(encounter_id_of(ENCOUNTER.source, ENCOUNTER.visit_number))
    answer = door.calling_as("reader").GetEncounter(pb.GetEncounterRequest(encounter_id=encounter_id))
    assert (answer.encounter.state, answer.encounter.posted.minor) == ("finished", ENCOUNTER.total.minor)
    assert [charge.amount.minor for charge in answer.charges] == [each.amount.minor for each in ENCOUNTER.charges]
    assert all(charge.posted for charge in answer.charges)
    assert ENCOUNTER.patient.family_name not in str(answer)


def test_messages_are_listed_and_counted_by_format(door: Door) -> None:
    reader = door.calling_as("reader")
    counts = {(c.format, c.state): c.count for c in reader.CountsByFormat(pb.CountsByFormatRequest()).counts}
    quarantined = reader.ListMessages(pb.ListMessagesRequest(state="quarantined")).messages
    found = reader.GetMessage(pb.GetMessageRequest(message_id=quarantined[0].message_id))
    assert (counts["x12", "accepted"], counts["x12", "quarantined"], counts["hl7v2", "refused"]) == (1, 1, 1)
    assert [abs(message.residual.minor) for message in quarantined] == [1]
    assert found.message.delivery_key == "bad.835"
    assert any("line_unbalanced" in finding for finding in found.findings)


def test_receipts_are_listed(door: Door) -> None:
    (receipt,) = door.calling_as("reader").ListReceipts(pb.ListReceiptsRequest()).receipts
    assert (receipt.payer, receipt.entity, receipt.claim_count, receipt.claims_read) == ("ACME", "NORTH", 3, 3)


def test_a_held_encounter_is_released_once_master_data_knows_its_payer(door: Door) -> None:
    writer = door.calling_as("writer")
    (held,) = writer.ListEncounters(pb.ListEncountersRequest(state="held")).encounters
    request = pb.ReleaseEncounterRequest(encounter_id=held.encounter_id, reason="payer added")
    assert "unknown-payer" in held.hold_reasons
    with pytest.raises(RemoteRefusal, match="unknown-payer"):
        writer.ReleaseEncounter(request)
    known = door.service.master_data
    payer = known.payers[0].model_copy(update={"code": "NOSUCHPAYER"})
    door.service.master_data = known.model_copy(update={"payers": (*known.payers, payer)})
    assert writer.ReleaseEncounter(request).posting == 1
    assert list(writer.ListEncounters(pb.ListEncountersRequest(state="held")).encounters) == []


def likely(door: Door) -> tuple[str, str]:
    """Two patients who may be one person."""
    door.service.receive(message("1", seen("A", JANE)), message("2", seen("B", JANE)))
    return str(person("A")), str(person("B"))


def test_a_person_merges_a_probable_match_and_takes_it_back(door: Door) -> None:
    one, other = likely(door)
    registrar = door.calling_as("registrar")
    (match,) = registrar.ListPatientMatches(pb.ListPatientMatchesRequest()).matches
    assert ({match.first_id, match.second_id}, match.score, match.kind) == ({one, other}, 90, "probable")
    asked = pb.MergePatientsRequest(retired_id=one, survivor_id=other, reason="same passport")
    assert registrar.MergePatients(asked).person_id == other
    told = registrar.GetPatient(pb.GetPatientRequest(patient_id=one))
    assert (told.person_id, [(each.retired_id, each.actor) for each in told.merges]) == (
        other,
        [(one, "user:registrar")],
    )
    assert [(each.state, each.reason) for each in told.matches] == [("merged", "same passport")]
    registrar.UnmergePatients(pb.UnmergePatientsRequest(retired_id=other, survivor_id=one, reason="two passports"))
    parted = registrar.GetPatient(pb.GetPatientRequest(patient_id=one))
    assert (parted.person_id, list(parted.merges), parted.matches[0].state) == (one, [], "distinct")


def test_a_person_tells_two_patients_apart(door: Door) -> None:
    one, other = likely(door)
    registrar = door.calling_as("registrar")
    registrar.DistinguishPatients(
        pb.DistinguishPatientsRequest(patient_id=one, other_id=other, reason="they are twins")
    )
    assert not registrar.ListPatientMatches(pb.ListPatientMatchesRequest()).matches
    (decided,) = registrar.ListPatientMatches(pb.ListPatientMatchesRequest(state="distinct")).matches
    assert (decided.reason, decided.actor) == ("they are twins", "user:registrar")


def test_merging_needs_a_reason_a_known_patient_and_a_scope_of_its_own(door: Door) -> None:
    one, other = likely(door)
    asked = pb.MergePatientsRequest(retired_id=one, survivor_id=other, reason="same passport")
    with pytest.raises(grpc.RpcError, match=r"intake\.patients\.write"):
        door.calling_as("writer").MergePatients(asked)
    registrar = door.calling_as("registrar")
    with pytest.raises(grpc.RpcError, match="reason"):
        registrar.MergePatients(pb.MergePatientsRequest(retired_id=one, survivor_id=other, reason=" x "))
    with pytest.raises(RemoteRefusal, match="no Patient"):
        registrar.MergePatients(
            pb.MergePatientsRequest(retired_id=str(person("nobody")), survivor_id=other, reason="same passport")
        )


def test_who_a_patient_is_is_told_by_permission_alone_and_every_look_is_recorded(door: Door) -> None:
    one, _ = likely(door)
    asked = pb.GetPatientDetailsRequest(patient_id=one)
    with pytest.raises(grpc.RpcError, match=r"phi\.read"):
        door.calling_as("registrar").GetPatientDetails(asked)
    told = door.calling_as("auditor").GetPatientDetails(asked)
    assert (told.family_name, told.address) == ("Doe", "1 Main St, Springfield, IL, 62701")
    looks = [entry.event for entry in door.service.store.log(0, 10_000) if isinstance(entry.event, Disclosure.Given)]
    assert [(look.what, str(look.subject_id), look.meta.actor) for look in looks] == [("patient", one, "user:auditor")]


def test_the_encounters_of_a_person_are_those_of_every_merged_patient(door: Door) -> None:
    one, other = likely(door)
    door.service.receive(message("v1", *visit("V1", "A", 100)), message("v2", *visit("V2", "B", 200)))
    registrar = door.calling_as("registrar")
    assert len(registrar.ListEncounters(pb.ListEncountersRequest(patient_id=one)).encounters) == 1
    registrar.MergePatients(pb.MergePatientsRequest(retired_id=one, survivor_id=other, reason="same passport"))
    found = registrar.ListEncounters(pb.ListEncountersRequest(patient_id=one)).encounters
    assert {encounter.patient_id for encounter in found} == {one, other}
    assert registrar.GetPatient(pb.GetPatientRequest(patient_id=one)).encounter_count == 2
