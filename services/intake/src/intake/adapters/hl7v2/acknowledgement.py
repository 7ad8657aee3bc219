"""The acknowledgements of a message: AA, AE or AR, in enhanced mode CA, CE or CR, with what was found and no PHI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from intake.adapters.hl7v2.header import VERSIONS, Header
from intake.adapters.hl7v2.wire import CHARACTER_SETS, CONTROL
from intake.application.deliveries import Outcome

ERRORS_MAX = 20
VERSION_UNKNOWN = "2.5.1"
ONE_ERR_UNTIL = "2.4"
_INTERNAL = ("207", "Application internal error")
_ERRORS = {
    "required": ("101", "Required field missing"),
    "segments": ("100", "Segment sequence error"),
    "batch": ("100", "Segment sequence error"),
    "one-message": ("100", "Segment sequence error"),
    "number": ("102", "Data type error"),
    "money": ("102", "Data type error"),
    "date": ("102", "Data type error"),
    "transaction-type": ("103", "Table value not found"),
    "sender": ("103", "Table value not found"),
    "message-type": ("200", "Unsupported message type"),
    "trigger-event": ("201", "Unsupported event code"),
    "processing-id": ("202", "Unsupported processing id"),
    "version": ("203", "Unsupported version id"),
    "unknown-reference": ("204", "Unknown key identifier"),
    "ChargeChanged": ("205", "Duplicate key identifier"),
    "ChargeMoved": ("205", "Duplicate key identifier"),
}
_MARKS = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
_ESCAPES: dict[int, str] = str.maketrans(_MARKS) | CONTROL


def acknowledgements(header: Header, outcome: Outcome, now: datetime, *, rejected: bool) -> list[bytes]:
    """What the sender wants to hear of one message, after it was kept; nothing where it wants nothing.

    In enhanced mode the accept acknowledgement says whether the message was kept. Where the sender wants no application
    acknowledgement, a refusal shows in it too, for it would show nowhere else.
    """
    verdict = _verdict(outcome, rejected=rejected)
    if not header.is_enhanced:
        return [_acknowledgement(header, outcome, now, f"A{verdict}")]
    told = []
    application = header.application is not None and header.application.holds(accepted=outcome.accepted)
    if header.accept is not None and header.accept.holds(accepted=outcome.accepted):
        kept = application and not rejected
        told.append(_acknowledgement(header, outcome, now, "CA" if kept else f"C{verdict}", tells=not application))
    if application:
        told.append(_acknowledgement(header, outcome, now, f"A{verdict}"))
    return told


def acknowledgement(header: Header, outcome: Outcome, now: datetime, *, rejected: bool) -> bytes:
    """The one answer to a message of a batch file, whatever acknowledgements it would want on a connection."""
    return _acknowledgement(header, outcome, now, f"A{_verdict(outcome, rejected=rejected)}")


def _verdict(outcome: Outcome, *, rejected: bool) -> str:
    return "A" if outcome.accepted else "R" if rejected else "E"


def _acknowledgement(header: Header, outcome: Outcome, now: datetime, code: str, *, tells: bool = True) -> bytes:
    version = header.version if header.version in VERSIONS else VERSION_UNKNOWN
    stamp = now.strftime("%Y%m%d%H%M%S+0000")
    places = "|".join(map(text_of, (*header.receiver, *header.sender)))
    kind = "^".join(filter(None, ("ACK", header.kind[1] if header.trigger else "")))
    control_id = f"ACK-{code}-{outcome.message_id.hex[:13]}"
    processing_id = text_of(header.processing_id) or "P"
    is_new = VERSIONS.index(version) > VERSIONS.index(ONE_ERR_UNTIL)
    read_by = header.profile if is_new else ""
    ends = f"||||||{header.character_set}|||{read_by}".rstrip("|")
    rows = [
        f"MSH|^~\\&|{places}|{stamp}||{kind}|{control_id}|{processing_id}|{version}{ends}",
        f"MSA|{code}|{text_of(header.control_id)}",
    ]
    if tells:
        rows += _errors(outcome, is_new=is_new)
    encoding = CHARACTER_SETS[header.character_set]
    return "".join(f"{row}\r" for row in rows).encode(encoding, "replace")


def _errors(outcome: Outcome, *, is_new: bool) -> list[str]:
    """One ERR up to 2.4, its only field repeated; from 2.5 on one for each finding, and one for each warning."""
    findings = outcome.findings[:ERRORS_MAX]
    if not is_new:
        return [f"ERR|{'~'.join(map(_error_of_old, findings))}"] if findings else []
    return [*_errors_of_new(findings, "E"), *_errors_of_new(outcome.notes[:ERRORS_MAX], "W")]


def _error_of_old(finding: str) -> str:
    place, rule, _ = _parts(finding)
    code, meaning = _ERRORS.get(rule, _INTERNAL)
    segment, sequence, field = (*_location(place), "", "", "")[:3]
    return f"{segment}^{sequence}^{field}^{code}&{meaning}: {text_of(finding)}&HL70357"


def _errors_of_new(findings: Sequence[str], severity: str) -> list[str]:
    rows = []
    for finding in findings:
        place, rule, _ = _parts(finding)
        code, meaning = _ERRORS.get(rule, _INTERNAL)
        rows.append(f"ERR||{'^'.join(_location(place))}|{code}^{meaning}^HL70357|{severity}||||{text_of(finding)}")
    return rows


def _parts(finding: str) -> tuple[str, str, str]:
    place, rule, note = (*finding.split(": ", 2), "", "")[:3]
    return place, rule, note


def _location(field: str) -> tuple[str, ...]:
    """`FT1[2]-11` as the segment, sequence and field of ERR-2; empty where the place is none of a message."""
    segment, _, number = field.partition("-")
    name, _, sequence = segment.partition("[")
    if len(name) != 3 or not name.isalnum() or not name.isupper():
        return ()
    return tuple(filter(None, (name, sequence.split("]")[0] or "1", number.split(".")[0])))


def text_of(value: str) -> str:
    """The value with what delimits escaped, and blanks for marks of frames and other controls."""
    return value.translate(_ESCAPES)
