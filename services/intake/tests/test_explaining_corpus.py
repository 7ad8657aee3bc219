"""Every real file of the formats that intake explains is explained, as it is judged when it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from chassis.file_formats import HEAD_BYTES, recognise
from intake.adapters.explaining import Explaining
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import read_message, read_profiles

from .test_any_input import corpus
from .world import IntakeUnderTest

FILES = [path for path in (*corpus("fhir"), *corpus("hl7v2")) if path.suffix in (".json", ".hl7")]
NAMES = FhirNames("urn:sandbox")
pytestmark = pytest.mark.skipif(not FILES, reason="the folder of real files is not here; set THROUGHLINE_CORPUS")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_explained_as_it_is_judged_and_nothing_is_kept(path: Path) -> None:
    service, content = IntakeUnderTest(), path.read_bytes()
    told = Explaining(read_profiles(None), NAMES, service.intake.messages.rehearse).explain(content)
    assert service.store.last_position() == 0
    kind = recognise(content[:HEAD_BYTES])
    assert kind is not None
    assert told.format == kind.value
    if path.suffix == ".json":
        deliveries = list(read_submission(content, NAMES, Sender("service:ehr")).deliveries)
    else:
        deliveries = [read_message(content, actor="door:mllp").delivery]
    outcomes = service.intake.messages.receive(deliveries)
    assert (told.messages, told.accepted) == (len(outcomes), sum(outcome.accepted for outcome in outcomes))
    assert list(told.findings) == [finding for outcome in outcomes for finding in outcome.findings]
    assert told.sentences
