"""The acknowledgement of a message: AA, AE or AR, with one ERR for each finding and no PHI."""

from __future__ import annotations

from datetime import datetime

from intake.adapters.hl7v2.translation import Hl7Reading
from intake.application.deliveries import Outcome

ERRORS_MAX = 20
_APPLICATION_ERROR = "207^Application error^HL70357"
_UNSUPPORTED = "200^Unsupported message type^HL70357"
_REQUIRED = "101^Required field missing^HL70357"
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": " "})


def acknowledgement(reading: Hl7Reading, outcome: Outcome, now: datetime) -> bytes:
    """The answer to one message, after it was kept."""
    code = "AA" if outcome.accepted else "AR" if reading.rejected else "AE"
    stamp = now.strftime("%Y%m%d%H%M%S+0000")
    sender, receiver = reading.receiver, reading.sender
    places = "|".join(map(_text, (*sender, *receiver)))
    trigger = f"ACK-{outcome.message_id.hex[:16]}"
    segments = [
        f"MSH|^~\\&|{places}|{stamp}||ACK|{trigger}|P|2.5.1",
        f"MSA|{code}|{_text(reading.control_id)}",
        *(_error(finding) for finding in outcome.findings[:ERRORS_MAX]),
    ]
    return "".join(f"{segment}\r" for segment in segments).encode()


def _error(finding: str) -> str:
    field, rule, note = (*finding.split(": ", 2), "", "")[:3]
    kind = {"required": _REQUIRED, "message-type": _UNSUPPORTED}.get(rule, _APPLICATION_ERROR)
    return f"ERR||{_location(field)}|{kind}|E||||{_text(f'{field}: {rule}: {note}')}"


def _location(field: str) -> str:
    """`FT1[2]-11` as the segment, sequence and field of ERR-2."""
    segment, _, number = field.partition("-")
    name, _, sequence = segment.partition("[")
    if len(name) != 3 or not name.isalnum():
        return ""
    return "^".join(filter(None, (name, sequence.split("]")[0] or "1", number.split(".")[0])))


def _text(value: str) -> str:
    return value.translate(_ESCAPES)
