"""Whatever comes through a door is answered and kept; nothing raises, and nothing of a patient shows in an answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chassis.inbound import read_raw
from hypothesis import given, settings
from hypothesis import strategies as st

from .world import IntakeUnderTest, Wire, charge_message, encounters, messages_of

BUNDLE = messages_of(encounters(Wire.FHIR)[0]).messages[0]
NAMES = [each.patient.family_name.encode() for each in (encounters(Wire.FHIR)[0], encounters(Wire.HL7)[0])]


def corpus(kind: str) -> list[Path]:
    configured = os.environ.get("THROUGHLINE_CORPUS")
    folder = Path(configured) if configured else Path(__file__).resolve().parents[4] / "shared" / "data"
    return sorted(path for path in (folder / kind).rglob("*") if path.is_file())


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """The message with a piece cut out, replaced or doubled."""
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 40)))
    piece = draw(st.one_of(st.binary(max_size=12), st.just(content[start:end] * 2)))
    return content[:start] + piece + content[end:]


@settings(max_examples=150, deadline=None)
@given(st.one_of(mutated(BUNDLE), mutated(charge_message().encode())))
def test_a_mutated_message_is_answered_and_kept(content: bytes) -> None:
    service = IntakeUnderTest()
    (outcome,) = service.receive(content)
    told = "".join(outcome.findings).encode()
    assert read_raw(service.store, service.sealer, outcome.message_id) == content
    assert outcome.accepted != bool(outcome.findings)
    assert not any(name in told for name in NAMES)


@pytest.mark.parametrize("path", corpus("fhir") + corpus("hl7v2"), ids=lambda path: path.name)
def test_real_messages_of_other_systems_are_answered_and_kept(path: Path) -> None:
    service = IntakeUnderTest()
    content = path.read_bytes()
    (outcome,) = service.receive(content)
    assert read_raw(service.store, service.sealer, outcome.message_id) == content
    assert outcome.accepted != bool(outcome.findings)


@pytest.mark.parametrize("path", corpus("x12"), ids=lambda path: path.name)
def test_real_files_of_payers_are_kept_and_either_balance_or_go_no_further(path: Path) -> None:
    service = IntakeUnderTest()
    content = path.read_bytes()
    outcome = service.receive_file(content, path.name)
    assert read_raw(service.store, service.sealer, outcome.message_id) == content
    assert outcome.quarantined == bool(service.cases())
