"""The report on one file as data: the keys here are what scripts rely on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from canonical.money import USD, Money
from x12.findings import Finding
from x12.inspection import Inspection, InterchangeInspection, SetInspection

Report = dict[str, object]


def file_report(name: str, inspection: Inspection) -> Report:
    """A file, its interchanges and their transaction sets."""
    refusal = inspection.refusal
    return {
        "file": name,
        "verdict": inspection.verdict.value,
        "bytes": inspection.bytes,
        "outside_bytes": inspection.outside_bytes,
        "refusal": refusal and {"rule": refusal.code, "message": refusal.message, "offset": refusal.offset},
        "interchanges": [_interchange(each) for each in inspection.interchanges],
    }


def unreadable(name: str, message: str) -> Report:
    """A file that could not be opened, in the same shape."""
    return {
        "file": name,
        "verdict": "refused",
        "bytes": 0,
        "outside_bytes": 0,
        "refusal": {"rule": "unreadable_file", "message": message, "offset": 0},
        "interchanges": [],
    }


def _interchange(interchange: InterchangeInspection) -> Report:
    return {
        "control_number": interchange.control_number,
        "sender": interchange.sender.strip(),
        "receiver": interchange.receiver.strip(),
        "date": interchange.date,
        "version": interchange.version,
        "usage": interchange.usage,
        "verdict": interchange.verdict.value,
        "offset": interchange.offset,
        "length": interchange.length,
        "findings": _findings(interchange.findings),
        "acknowledgements": [asdict(each) for each in interchange.acknowledgements],
        "transaction_sets": [_transaction_set(each) for each in interchange.transaction_sets],
    }


def _transaction_set(found: SetInspection) -> Report:
    return {
        "type": found.type,
        "version": found.version,
        "control_number": found.control_number,
        "group_control_number": found.group_control_number,
        "verdict": found.verdict.value,
        "offset": found.offset,
        "length": found.length,
        "segment_count": found.segments,
        "claim_count": found.claims,
        "line_count": found.lines,
        "currency": USD,
        "sums": {name: amount.decimal_text for name, amount in found.sums.items()},
        "residuals": _findings(found.residuals),
        "findings": _findings(found.findings),
        "findings_omitted": found.findings_omitted,
    }


def _findings(findings: Iterable[Finding]) -> list[Report]:
    return [
        {
            "rule": each.code,
            "severity": each.severity.value,
            "segment": each.segment,
            "position": each.position,
            "level": each.level and each.level.value,
            "message": each.message,
            "expected": each.expected,
            "found": each.found,
            "residual": _text(each.residual),
        }
        for each in findings
    ]


def _text(amount: Money | None) -> str | None:
    return None if amount is None else amount.decimal_text
