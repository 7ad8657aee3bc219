"""`throughline submit --explain`: what a file says and what would become of it, before anything is sent."""

from __future__ import annotations

from pathlib import Path

from billing.intake.v1 import intake_reading_pb2 as pb
from billing.intake.v1 import intake_reading_pb2_grpc
from chassis.file_formats import Format
from x12.inspection import inspect

from throughline.connection import Access
from throughline.inspection.explanation import explained as x12_explained
from throughline.inspection.tables import FINDINGS_SHOWN
from throughline.screen import say

NO_FORMAT = "neither FHIR, NDJSON, HL7 v2, X12, BAI2, NACHA nor a charge batch"
OF_BANKS = {
    Format.BAI2: "BAI2: balances and movements of bank accounts; the bank folder takes it.",
    Format.NACHA: "NACHA: electronic entries with what they are for (TRN), and returns; the bank folder takes it.",
}


def explained(path: Path, kind: Format, access: Access) -> dict[str, object]:
    """What is found in one file: X12 is read here, the others by intake, which keeps nothing of them.

    Raises:
        Failure: intake does not answer, or does not let us in.
    """
    if kind is Format.X12:
        inspection = inspect([path.read_bytes()])
        lines = x12_explained(path.name, inspection, {}, FINDINGS_SHOWN)
        return _told(path, kind, [line for line in lines if line])
    if kind in OF_BANKS:
        return _told(path, kind, [OF_BANKS[kind]])
    stub = intake_reading_pb2_grpc.IntakeReadingServiceStub(access.channel("intake"))
    request = pb.ExplainContentRequest(content=path.read_bytes())
    found = access.call("intake", stub.ExplainContent, request)
    return {
        "file": str(path),
        "format": found.format or kind.value,
        "messages": found.message_count,
        "accepted": found.accepted_count,
        "sentences": list(found.sentences),
        "findings": list(found.findings),
        "unmapped": list(found.unmapped),
        "effects": list(found.effects),
    }


def unknown(path: Path) -> dict[str, object]:
    """The explanation of a file that no door takes."""
    return _told(path, None, [NO_FORMAT])


def _told(path: Path, kind: Format | None, sentences: list[str]) -> dict[str, object]:
    return {
        "file": str(path),
        "format": kind.value if kind else "",
        "sentences": sentences,
        "findings": [],
        "unmapped": [],
        "effects": [],
    }


def tell(found: dict[str, object]) -> None:
    """The explanation as a person reads it."""
    say(f"{found['file']}: {found['format'] or 'no known format'}", style="bold")
    for title, key in (("", "sentences"), ("wrong: ", "findings"), ("unmapped: ", "unmapped"), ("then: ", "effects")):
        lines = found[key]
        assert isinstance(lines, list)
        for line in lines:
            say(f"  {title}{line}")
