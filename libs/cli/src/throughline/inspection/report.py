"""The report on files as data: the keys here are what scripts rely on."""

from __future__ import annotations

from dataclasses import asdict

from canonical.money import Money
from x12.findings import Finding, Level
from x12.inspection import Inspection, InterchangeInspection, SetInspection

from throughline.inspection.places import Place, places_of_envelope, places_of_set

Report = dict[str, object]
_GROUP_TAGS = ("GS", "GE")


def file_report(name: str, inspection: Inspection) -> Report:
    """What is to be said of a file as a whole."""
    refusal = inspection.refusal
    return {
        "file": name,
        "verdict": inspection.verdict.value,
        "bytes": inspection.bytes,
        "outside_bytes": inspection.outside_bytes,
        "refusal": refusal and {"rule": refusal.code, "message": refusal.message, "offset": refusal.offset},
    }


def unreadable(name: str, message: str) -> Report:
    """A file that could not be opened, in the same shape."""
    return {
        "file": name,
        "verdict": "refused",
        "bytes": 0,
        "outside_bytes": 0,
        "refusal": {"rule": "unreadable_file", "message": message, "offset": 0},
    }


def interchange_reports(name: str, inspection: Inspection) -> list[Report]:
    """The interchanges of a file with their transaction sets."""
    return [_interchange(name, each) for each in inspection.interchanges]


def level_of_envelope(finding: Finding) -> str:
    """Where a finding outside of any transaction set lies."""
    return "group" if finding.segment in _GROUP_TAGS else "interchange"


def level_in_set(finding: Finding) -> str:
    """Where a finding of a transaction set lies; what tells of no amount is the set's."""
    return (finding.level or Level.TRANSACTION).value


def _interchange(name: str, interchange: InterchangeInspection) -> Report:
    return {
        "file": name,
        "control": interchange.control_number,
        "sender": interchange.sender.strip(),
        "receiver": interchange.receiver.strip(),
        "verdict": interchange.verdict.value,
        "transaction_sets": [_transaction_set(interchange, each) for each in interchange.transaction_sets],
        "findings": [_finding(place, level_of_envelope(place.finding)) for place in places_of_envelope(interchange)],
        "acknowledgements": [asdict(each) for each in interchange.acknowledgements],
        "date": interchange.date,
        "version": interchange.version,
        "usage": interchange.usage,
        "offset": interchange.offset,
        "length": interchange.length,
    }


def _transaction_set(interchange: InterchangeInspection, found: SetInspection) -> Report:
    return {
        "type": found.type,
        "version": found.version,
        "control": found.control_number,
        "group": found.group_control_number,
        "verdict": found.verdict.value,
        "claims": found.claims,
        "lines": found.lines,
        "clp03": _text(found.sums.get("CLP03")),
        "clp04": _text(found.sums.get("CLP04")),
        "clp05": _text(found.sums.get("CLP05")),
        "plb": _text(found.sums.get("PLB")),
        "bpr02": _text(found.sums.get("BPR02")),
        "clm02": _text(found.sums.get("CLM02")),
        "residual": _text(found.residual),
        "statuses": found.statuses,
        "provider_adjustments": {code: _text(amount) for code, amount in found.provider_adjustments.items()},
        "findings": [_finding(place, level_in_set(place.finding)) for place in places_of_set(interchange, found)],
        "findings_omitted": found.findings_omitted,
        "segment": found.first_segment,
        "segments": found.segments,
        "offset": found.offset,
        "length": found.length,
    }


def _finding(place: Place, level: str) -> Report:
    finding = place.finding
    return {
        "severity": finding.severity.value,
        "level": level,
        "segment": place.segment,
        "rule": finding.code,
        "residual": _text(finding.residual),
        "tag": finding.segment,
        "message": finding.message,
        "expected": finding.expected,
        "found": finding.found,
    }


def _text(amount: Money | None) -> str | None:
    return None if amount is None else amount.decimal_text
