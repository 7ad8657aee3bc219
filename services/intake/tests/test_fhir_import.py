"""`$import` takes files line by line: exactly once whatever kills it, in bounded memory, and tells what it refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from chassis.inbound.receiving_queue import ReceivingQueue
from intake.adapters.fhir import FhirNames, fhir_app
from intake.adapters.fhir.import_door import ImportDoor
from intake.adapters.fhir.import_files import LineReading, NdjsonFolder
from intake.application import bulk_importing
from intake.application.bulk_importing import BulkImporting
from intake.application.deliveries import InboundDelivery, Outcome
from intake.domain.bulk_import import PORTIONS_BETWEEN_SNAPSHOTS
from starlette.testclient import TestClient

from .fhir_world import JSON, as_client, door_of
from .world import IntakeUnderTest, Wire, bundle, encounters

STORIES = [each for each in encounters(Wire.FHIR) if each.source == "ehr-north"][:6]
ASYNC = JSON | {"Prefer": "respond-async"}
KINDS = ("ChargeItem", "Coverage", "Encounter", "Organization", "Patient", "Practitioner")


class Importing:
    """A service with a folder of files, and its door."""

    def __init__(self, exchange: Path) -> None:
        self.service = IntakeUnderTest()
        self.folder = exchange / "fhir-import"
        self.folder.mkdir()
        self.importing = BulkImporting(
            self.service.store,
            self.service.clock,
            self.service.intake.messages.receive,
            NdjsonFolder(exchange),
            LineReading(FhirNames()),
            crash_point=lambda step: self.service.crash(step),
        )
        self.queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(self.service.intake.messages.receive)
        routes = ImportDoor(self.importing, self.service.clock).routes
        self.http = TestClient(fhir_app(door_of(self.service, self.queue, more_routes=routes)))

    def write(self, kind: str, lines: list[bytes]) -> dict[str, str]:
        (self.folder / f"{kind}.ndjson").write_bytes(b"\n".join(lines) + b"\n")
        return {"type": kind, "url": f"{kind}.ndjson"}

    def begin(self, inputs: list[dict[str, str]], headers: dict[str, str] | None = None, **more: Any) -> Any:
        manifest = {"inputFormat": "application/fhir+ndjson", "inputSource": "ehr-north", "input": inputs} | more
        return self.http.post("/fhir/$import", content=json.dumps(manifest).encode(), headers=headers or ASYNC)

    def run(self) -> None:
        for _ in range(200):
            if not self.importing.run():
                return
        raise AssertionError("the import does not come to an end")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Importing]:
    found = Importing(tmp_path)
    yield found
    found.queue.stop()


def lines_of(kind: str) -> list[bytes]:
    found = (entry["resource"] for story in STORIES for entry in bundle(story)["entry"])
    return list(dict.fromkeys(json.dumps(each).encode() for each in found if each["resourceType"] == kind))


def everything(world: Importing) -> list[dict[str, str]]:
    return [world.write(kind, lines_of(kind)) for kind in KINDS]


def charged(service: IntakeUnderTest) -> list[str]:
    return [event.TYPE for event in service.events() if event.TYPE == "encounter-charged"]


def test_an_import_takes_every_line_and_says_so(world: Importing) -> None:
    begun = world.begin(everything(world))
    status = begun.headers["Content-Location"]
    assert (begun.status_code, world.http.get(status, headers=JSON).status_code) == (202, 202)
    world.run()
    done = world.http.get(status, headers=JSON)
    total = sum(len(lines_of(kind)) for kind in KINDS)
    assert (done.status_code, done.json()["accepted"], done.json()["refused"]) == (200, total, 0)
    assert len(charged(world.service)) == len(STORIES)


@pytest.mark.parametrize("where", ["after-receive", "before-ack", "before-advance"])
def test_a_killed_import_goes_on_where_it_was_and_takes_nothing_twice(world: Importing, where: str) -> None:
    status = world.begin(everything(world)).headers["Content-Location"]
    died: list[str] = []

    def crash(step: str) -> None:
        if step == where and len(died) < 3:
            died.append(step)
            raise KeyboardInterrupt

    world.service.crash = crash
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            world.run()
    world.run()
    done = world.http.get(status, headers=JSON).json()
    assert (done["accepted"], done["refused"]) == (sum(len(lines_of(kind)) for kind in KINDS), 0)
    assert len(charged(world.service)) == len(STORIES)


def test_what_is_refused_is_told_by_line_and_the_rest_is_taken(world: Importing) -> None:
    good = lines_of("Patient")
    bad = json.loads(good[0]) | {"id": "x", "birthDate": "over"}
    lines = [good[0], b"{", json.dumps(bad).encode(), b"", json.dumps({"resourceType": "Group"}).encode(), good[1]]
    lines += [b'{"resourceType": "Patient", "text": "' + b"A" * 1_100_000 + b'"}', good[2]]
    status = world.begin([world.write("Patient", lines)]).headers["Content-Location"]
    world.run()
    done = world.http.get(status, headers=JSON).json()
    assert (done["state"], done["accepted"], done["refused"]) == ("finished", 3, 4)
    told = world.http.get(done["error"][0]["url"], headers=JSON).text.splitlines()
    places = [json.loads(line)["issue"][0]["details"]["text"] for line in told]
    assert places == [f"file Patient.ndjson line {number}" for number in (2, 3, 5, 7)]
    rules = [json.loads(line)["issue"][0]["diagnostics"].split(":")[0] for line in told]
    assert rules == ["json", "fhir-r4", "resource-type", "too-large"]


def test_refused_lines_come_page_by_page_and_no_page_reads_more_than_one(
    world: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_importing, "REFUSALS_PER_PAGE", 2)
    status = world.begin([world.write("Patient", [b"{"] * 5)]).headers["Content-Location"]
    world.run()
    job = UUID(status.rsplit("/", 1)[1])
    asked: list[int] = []
    rows = world.service.store.rows

    def counted(*asking: Any, **how: Any) -> Any:
        asked.append(how["limit"])
        return rows(*asking, **how)

    monkeypatch.setattr(world.service.store, "rows", counted)
    pages = [[row["line"] for row in world.importing.refusals(job, page)] for page in range(4)]
    assert pages == [[1, 2], [3, 4], [5], []]
    assert set(asked) == {2}


def test_pages_beyond_those_that_are_listed_are_reached_from_the_page_before(
    world: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_importing, "REFUSALS_PER_PAGE", 2)
    job = world.begin([world.write("Patient", [b"{"] * 7)]).headers["Content-Location"].rsplit("/", 1)[1]
    world.run()
    routes = ImportDoor(world.importing, world.service.clock, pages_max=2).routes
    http = TestClient(fhir_app(door_of(world.service, world.queue, more_routes=routes)))
    listed = [each["url"] for each in http.get(f"/fhir/$import-status/{job}", headers=JSON).json()["error"]]
    assert listed == [f"/fhir/$import-outcomes/{job}/{page}" for page in (0, 1)]
    read, address = [http.get(listed[0], headers=JSON).text], listed[1]
    while address:
        answer = http.get(address, headers=JSON)
        read.append(answer.text)
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    lines = [json.loads(line)["issue"][0]["details"]["text"] for page in read for line in page.splitlines()]
    assert lines == [f"file Patient.ndjson line {number}" for number in range(1, 8)]
    assert http.get(f"/fhir/$import-outcomes/{job}/2", headers=JSON).status_code == 404
    assert http.get(f"/fhir/$import-outcomes/{job}/2?after=x", headers=JSON).status_code == 400


def test_a_long_import_reads_no_more_of_its_past_for_a_later_portion(world: Importing) -> None:
    portions = 2 * PORTIONS_BETWEEN_SNAPSHOTS + 20
    lines = [b""] * (portions * bulk_importing.LINES_PER_PORTION_MAX)
    status = world.begin([world.write("Patient", lines)]).headers["Content-Location"]
    world.run()
    job = UUID(status.rsplit("/", 1)[1])
    history = world.service.store.load([job])[job]
    assert history.snapshot is not None
    assert len(history.events) < PORTIONS_BETWEEN_SNAPSHOTS
    assert world.http.get(status, headers=JSON).json()["state"] == "finished"


def test_the_same_request_again_is_the_same_import(world: Importing) -> None:
    inputs = [world.write("Patient", lines_of("Patient"))]
    first, second = world.begin(inputs), world.begin(inputs)
    assert first.headers["Content-Location"] == second.headers["Content-Location"]


def test_a_file_that_changes_ends_the_import_by_name(world: Importing) -> None:
    inputs = [world.write("Patient", lines_of("Patient"))]
    status = world.begin(inputs).headers["Content-Location"]
    world.write("Patient", lines_of("Patient")[:2])
    world.run()
    assert world.http.get(status, headers=JSON).json()["reason"] == "file-changed: Patient.ndjson"


def test_a_file_of_too_many_lines_fails_by_name_and_is_not_told_to_be_finished(world: Importing) -> None:
    lines = lines_of("Patient")
    assert len(lines) > 1
    status = world.begin([world.write("Patient", lines)]).headers["Content-Location"]
    service = world.service
    short = BulkImporting(
        service.store,
        service.clock,
        service.intake.messages.receive,
        NdjsonFolder(world.folder.parent),
        LineReading(FhirNames()),
        lines_max=len(lines) - 1,
    )
    while short.run():
        pass
    done = world.http.get(status, headers=JSON).json()
    assert (done["state"], done["reason"]) == ("failed", "too-many-lines: Patient.ndjson")


def test_a_cancelled_import_stops(world: Importing) -> None:
    status = world.begin([world.write("Patient", lines_of("Patient"))]).headers["Content-Location"]
    assert world.http.delete(status, headers=JSON).status_code == 202
    world.run()
    assert world.http.get(status, headers=JSON).json()["state"] == "cancelled"


def test_an_import_is_shown_to_clients_of_its_source_alone(world: Importing) -> None:
    status = world.begin([world.write("Patient", lines_of("Patient"))]).headers["Content-Location"]
    assert world.http.get(status, headers=as_client("north")).status_code == 202
    assert world.http.get(status, headers=as_client("stranger")).status_code == 404
    assert world.http.get(status, headers=as_client("charges")).status_code == 403


def test_who_may_only_create_imports_nothing_for_a_line_may_update(world: Importing) -> None:
    inputs = [world.write("Patient", lines_of("Patient"))]
    assert world.begin(inputs, headers=as_client("creator", Prefer="respond-async")).status_code == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"input": [{"type": "Patient", "url": "https://elsewhere.example/Patient.ndjson"}]}, 422),
        ({"input": [{"type": "Patient", "url": "../secret.ndjson"}]}, 422),
        ({"input": [{"type": "Patient", "url": "file:/etc/passwd"}]}, 422),
        ({"input": [{"type": "Patient", "url": "link.ndjson"}]}, 422),
        ({"input": [{"type": "Patient", "url": "missing.ndjson"}]}, 422),
        ({"input": [{"type": "Group", "url": "Patient.ndjson"}]}, 422),
        ({"input": []}, 422),
        ({"inputFormat": "text/csv"}, 422),
        ({"inputSource": "ehr-elsewhere"}, 403),
    ],
)
def test_only_plain_files_of_the_folder_are_imported(world: Importing, change: dict[str, Any], status: int) -> None:
    inputs = [world.write("Patient", lines_of("Patient"))]
    (world.folder / "link.ndjson").symlink_to(world.folder / "Patient.ndjson")
    assert world.begin(inputs, **change).status_code == status


def test_a_manifest_may_be_a_parameters_resource_and_wants_an_answer_later(world: Importing) -> None:
    world.write("Patient", lines_of("Patient"))
    part = [{"name": "type", "valueCode": "Patient"}, {"name": "url", "valueUrl": "file:Patient.ndjson"}]
    told = [
        {"name": "inputFormat", "valueCode": "application/fhir+ndjson"},
        {"name": "inputSource", "valueUri": "ehr-north"},
        {"name": "input", "part": part},
    ]
    content = json.dumps({"resourceType": "Parameters", "parameter": told}).encode()
    assert world.http.post("/fhir/$import", content=content, headers=ASYNC).status_code == 202
    assert world.http.post("/fhir/$import", content=content, headers=JSON).status_code == 400
