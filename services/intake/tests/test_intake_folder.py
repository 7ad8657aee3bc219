"""The intake folder: a file of any format is taken by what it is, once, whatever its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from canonical.events.intake import EncounterCharged, RemittanceReceived
from chassis.domain import Transient
from chassis.inbound import INBOUND_MESSAGES
from chassis.inbound.giving_way import GivingWay
from chassis.inbound.taken_files import TakenFiles
from chassis.inbound.watched_folder import WatchedFolder
from intake.adapters.answer_files import AnswerFiles
from intake.adapters.charge_batches import ChargeBatchDoor
from intake.adapters.fhir import FhirNames
from intake.adapters.hl7v2 import BatchDoor, read_profiles
from intake.adapters.intake_folder import IntakeFolder
from intake.application.answering import AnswerWriting
from prometheus_client import REGISTRY
from sandbox.world.bulk import generate_remittance
from sandbox.world.remittances import in_other_layout

from .test_charge_batches import batch, row
from .world import TODAY, IntakeUnderTest, Wire, bundle, encounters, messages_of, resources


class Office:
    """The folder over an intake, with the answers it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.service = service = IntakeUnderTest()
        self.answers: dict[str, bytes] = {}
        receive, way = service.intake.messages.receive, GivingWay()
        self.door = IntakeFolder(
            lambda deliveries: receive(deliveries),
            way,
            AnswerFiles(service.intake.files, lambda: service.master_data, service.clock, way),
            BatchDoor(receive, way, read_profiles(None), service.clock, service.report, self.answers.__setitem__),
            ChargeBatchDoor(receive, way, self.answers.__setitem__),
            FhirNames("urn:sandbox"),
            TakenFiles(service.store, service.clock, service.sealer, "file-drop"),
        )
        self.watched = WatchedFolder(folder, "intake", self.door.take, service.report, settle_seconds=0)

    def drop(self, name: str, content: bytes) -> str:
        """Where the file went."""
        (self.folder / "intake-inbound" / name).write_bytes(content)
        assert self.watched.poll() == 1
        states = [state for state in ("done", "quarantine") if (self.folder / f"intake-{state}" / name).exists()]
        return states[0]

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.service.events())


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def fhir() -> bytes:
    return messages_of(encounters(Wire.FHIR)[0]).messages[0]


def hl7() -> bytes:
    return b"".join(messages_of(encounters(Wire.HL7)[0]).messages)


def ndjson() -> bytes:
    """The resources of a bundle, one in each line, in an order in which they can be taken."""
    content = bundle()
    kinds = ("Patient", "Encounter", "Coverage", "ChargeItem")
    found = [each | {"meta": content.get("meta", {})} for kind in kinds for each in resources(content, kind)]
    return b"\n".join(json.dumps(each).encode() for each in found)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", fhir()), ("a.hl7", hl7()), ("a.csv", batch(row()))],
    ids=["fhir", "hl7", "charge-batch"],
)
def test_charges_of_every_format_are_billed_and_the_same_bytes_again_are_done_already(
    office: Office, name: str, content: bytes
) -> None:
    assert office.drop(name, content) == "done"
    assert office.count(EncounterCharged) == 1
    position = office.service.store.last_position()
    assert office.drop(f"again-{name}", content) == "done"
    assert office.service.store.last_position() == position


def test_each_line_of_ndjson_is_a_message_of_its_own(office: Office) -> None:
    content = ndjson()
    office.drop("a.ndjson", content)
    assert len(office.service.store.rows(INBOUND_MESSAGES, {})) == content.count(b"\n") + 1


def repeats(kind: str) -> float:
    found = REGISTRY.get_sample_value("throughline_door_repeats_total", {"door": "files", "format": kind})
    return found or 0.0


def test_a_payers_file_is_taken_once_by_its_bytes_and_counted_when_it_comes_again(office: Office) -> None:
    sent = generate_remittance(2, TODAY, seed=1).content
    assert office.drop("a.835", sent) == "done"
    position, counted = office.service.store.last_position(), repeats("x12")
    assert office.drop("b.835", sent) == "done"
    assert office.service.store.last_position() == position
    assert repeats("x12") == counted + 1


def test_the_same_remittance_in_other_bytes_is_told_as_another_copy(office: Office) -> None:
    sent = generate_remittance(2, TODAY, seed=1).content
    office.drop("a.835", sent)
    office.drop("b.835", in_other_layout(sent))
    assert office.count(RemittanceReceived) == 2


def test_a_payers_file_that_was_not_accepted_is_read_again_under_another_name(office: Office) -> None:
    sent = generate_remittance(2, TODAY, seed=1)
    known = office.service.master_data
    office.service.master_data = known.model_copy(update={"payers": ()})
    assert office.drop("a.835", sent.content) == "quarantine"
    office.service.master_data = known
    assert office.drop("b.835", sent.content) == "done"
    assert office.count(RemittanceReceived) == 1


def test_who_sends_an_interchange_again_gets_the_same_answer_again(office: Office) -> None:
    service = office.service
    payers = tuple(each.model_copy(update={"acknowledge_remittances": "TA1"}) for each in service.master_data.payers)
    service.master_data = service.master_data.model_copy(update={"payers": payers})
    written: list[tuple[str, bytes]] = []
    writing = AnswerWriting(service.store, service.clock, lambda name, content: written.append((name, content)))
    sent = generate_remittance(2, TODAY, seed=1).content
    for name in ("a.835", "b.835", "a.835"):
        office.drop(name, sent)
        writing.run()
    assert len(written) == 3
    assert len(set(written)) == 1


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.hl7", hl7().replace(b"|P|", b"|T|"), "processing-id"),
        ("a.json", b'{"resourceType": "Bundle", "type": "transaction", "entry": [{}]}', "source-system"),
        ("a.csv", batch(row(units="none")), "line 2.units"),
        ("a.txt", b"Dear colleagues", ""),
    ],
)
def test_what_is_refused_lies_in_quarantine_with_its_reasons(
    office: Office, name: str, content: bytes, told: str
) -> None:
    assert office.drop(name, content) == "quarantine"
    reasons = (office.folder / "intake-quarantine" / f"{name}.reason.txt").read_text("utf-8")
    assert told in reasons


def test_a_file_that_was_not_accepted_may_come_again_and_be_taken(office: Office) -> None:
    before, after = batch(row(visit_number="V-7", service_date="2026-03-02")), batch(row(visit_number="V-7"))
    assert office.drop("a.csv", before) == "quarantine"
    assert office.drop("a.csv", after) == "done"


def test_a_file_is_remembered_only_when_it_is_durable(office: Office) -> None:
    broken = True

    def crash(step: str) -> None:
        if broken and step == "before-commit":
            raise Transient("the store is away")

    office.service.crash = crash
    with pytest.raises(Transient):
        office.door.take("a.csv", batch(row()))
    broken = False
    assert office.door.take("b.csv", batch(row()))
    assert office.count(EncounterCharged) == 1


def test_the_reasons_of_a_file_of_resources_name_its_lines(office: Office) -> None:
    lines = ndjson().split(b"\n")
    assert office.drop("a.ndjson", b"\n".join([lines[0], b"", b"{", *lines[1:], b"[]"])) == "quarantine"
    reasons = (office.folder / "intake-quarantine" / "a.ndjson.reason.txt").read_text("utf-8").splitlines()
    told = [reason for reason in reasons if ": json" in reason]
    assert told == [
        "line 3: body: json: not JSON at byte 1",
        f"line {len(lines) + 3}: body: json-object: the message is one JSON object",
    ]
    assert all(reason.startswith("line ") for reason in reasons)
