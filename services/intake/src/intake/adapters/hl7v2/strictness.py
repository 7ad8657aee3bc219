"""The whole standard, for sites whose profile asks for it: structure, lengths, tables and data types."""

from __future__ import annotations

import re

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

from intake.adapters.hl7v2.segments import Message
from intake.domain.refusals import Finding

_ELEMENT = re.compile(r"\b[A-Z][A-Z0-9]{2}_(?:[0-9]{1,3}|[A-Z][0-9]{2}(?:_[A-Z_]+)?)\b")
_MISBEHAVIOUR = (LookupError, ValueError, AttributeError, TypeError, RecursionError)
"""What hl7apy raises, beside its own refusals, over some messages that are none."""


def broken_standard(message: Message) -> list[Finding]:
    """What keeps the message from being as the standard has it; empty where it is. Values are never told.

    It takes about ten milliseconds, many times what reading the billing fields takes.
    """
    text = "".join(f"{row}\r" for row in message.text.segments)
    try:
        parse_message(text, validation_level=VALIDATION_LEVEL.STRICT, find_groups=True).validate()
    except (HL7apyException, *_MISBEHAVIOUR) as refused:
        places = ", ".join(dict.fromkeys(_ELEMENT.findall(str(refused)))) or "the message"
        return [Finding("message", "strict", f"{type(refused).__name__} at {places}")]
    return []
