"""Public events are promises: classified, sealed, and only ever growing."""

import copy
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import canonical.events  # registers every public event
import pytest
from canonical.classes import CanonicalModel, Phi, Public, Unclassified
from canonical.envelope import Envelope, PublicEvent, partition_of, registered_events
from canonical.events.claims import ClaimAdjudicated
from canonical.ids import derive, external_number, patient_control_number
from canonical.schemas import BreakingChange, breaking_changes, check, schema_of, write

assert canonical.events

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "contracts" / "schemas"


def adjudicated() -> dict[str, Any]:
    return copy.deepcopy(schema_of(ClaimAdjudicated))


def test_the_committed_schemas_are_those_of_the_code() -> None:
    assert check(SCHEMAS) == []


def test_a_removed_field_breaks() -> None:
    changed = adjudicated()
    del changed["properties"]["paid"]
    assert breaking_changes(adjudicated(), changed) == [".paid: removed"]


def test_a_retyped_field_breaks_even_inside_a_part() -> None:
    changed = adjudicated()
    changed["$defs"]["ClaimAdjustment"]["properties"]["reason"]["type"] = "integer"
    assert any("reason" in fault for fault in breaking_changes(adjudicated(), changed))


def test_a_new_required_field_breaks_and_an_optional_one_does_not() -> None:
    changed = adjudicated()
    changed["properties"]["note"] = {"type": "string"}
    assert breaking_changes(adjudicated(), changed)
    changed["properties"]["note"] = {"type": "string", "default": ""}
    assert breaking_changes(adjudicated(), changed) == []


def test_a_lost_code_breaks_and_a_new_one_does_not() -> None:
    grown, shrunk = adjudicated(), adjudicated()
    grown["$defs"]["PayerClass"]["enum"].append("other")
    shrunk["$defs"]["PayerClass"]["enum"].pop()
    assert breaking_changes(adjudicated(), grown) == []
    assert breaking_changes(adjudicated(), shrunk)


def test_a_breaking_schema_is_never_written(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "claims" / "claim-adjudicated.v1.json"
    older = json.loads(path.read_text())
    older["properties"]["vanished"] = {"type": "string"}
    path.write_text(json.dumps(older))
    with pytest.raises(BreakingChange, match="vanished: removed"):
        write(tmp_path)


def test_phi_in_a_public_event_fails_at_import() -> None:
    with pytest.raises(TypeError, match="only sealed"):

        class Leak(PublicEvent):
            SERVICE = "intake"
            TYPE = "leak"
            name: Phi[str]


def test_an_unmarked_text_field_fails_at_import() -> None:
    with pytest.raises(Unclassified, match="note"):

        class Unmarked(CanonicalModel):
            note: str


def test_readers_ignore_fields_that_are_newer_than_they_are() -> None:
    class Small(CanonicalModel):
        code: Public[str]

    assert Small.model_validate({"code": "A", "added_later": 1}) == Small(code="A")


def test_every_event_belongs_to_a_known_service_and_type() -> None:
    assert len(registered_events()) >= 25
    assert all(service and kind and version >= 1 for service, kind, version in registered_events())


def test_an_envelope_comes_back_from_its_headers() -> None:
    headers = _envelope().to_headers()
    assert Envelope.from_headers(headers) == _envelope()
    assert headers["Nats-Msg-Id"] == headers["ce-id"]


@pytest.mark.parametrize("missing", ["ce-id", "ce-type", "ce-time", "ce-sequence", "ce-correlationid"])
def test_an_envelope_without_a_header_is_refused_by_name(missing: str) -> None:
    headers = _envelope().to_headers()
    del headers[missing]
    with pytest.raises(ValueError, match=missing):
        Envelope.from_headers(headers)


def _envelope() -> Envelope:
    return Envelope.model_validate(
        {
            "id": derive("test", 1),
            "service": "claims",
            "type": "claim-adjudicated",
            "key": derive("test", 2),
            "sequence": 3,
            "time": "2026-11-22T10:00:00+00:00",
            "correlation_id": derive("test", 4),
            "causation_id": derive("test", 5),
            "actor": "service:claims",
        }
    )


def test_a_partition_is_the_same_everywhere() -> None:
    assert partition_of(UUID(int=0)) == int.from_bytes(bytes.fromhex("374708ff"), "big") % 32
    assert {partition_of(uuid4()) for _ in range(2000)} == set(range(32))


def test_ids_tell_their_parts_apart() -> None:
    assert derive("k", "a", "bc") != derive("k", "ab", "c")
    assert derive("k", "a") == derive("k", "a")


def test_references_fit_the_tightest_system() -> None:
    claim = derive("claim", 1)
    assert len(patient_control_number(claim)) == 17
    assert len(external_number(claim)) == 20
    assert external_number(claim).isalnum()
    assert external_number(claim).isascii()
