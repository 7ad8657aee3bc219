"""Codes as billing needs them: a diagnosis in ICD-10-CM with its dot, an NDC of eleven digits."""

from __future__ import annotations

import re

from intake.adapters.hl7v2.context import Reading
from intake.adapters.hl7v2.segments import Segment

DIAGNOSIS_SYSTEMS = ("", "I10", "I10C", "I10CM", "ICD10", "ICD-10", "ICD10CM", "ICD-10-CM", "ICD10-CM")
_UNDOTTED = re.compile(r"[A-Z][0-9][0-9A-Z][0-9A-Z]{1,4}")
_NDC = re.compile(r"([0-9]{4,5})-([0-9]{3,4})-([0-9]{1,2})")
NDC_DIGITS = 11


def diagnosis_in(segment: Segment, number: int, place: str, reading: Reading, repetition: int = 1) -> str:
    """The ICD-10-CM code of a field, with its dot; empty where it has none.

    A code of another system (SNOMED CT, ICD-9) is no code to bill by: it is left out, and the sender is told.
    """
    code = segment.field(number, repetition=repetition).upper()
    system = segment.field(number, 3, repetition=repetition).upper()
    if not code:
        return ""
    if system not in DIAGNOSIS_SYSTEMS:
        note = "codes of ICD-10-CM are billed; this one is kept in the message alone"
        reading.leave_out(f"{place}-{number}", "diagnosis-system", note)
        return ""
    return f"{code[:3]}.{code[3:]}" if _UNDOTTED.fullmatch(code) else code


def diagnoses_in(segment: Segment, number: int, place: str, reading: Reading) -> tuple[str, ...]:
    """The ICD-10-CM codes of a repeating field, each once."""
    count = segment.repetition_count(number)
    found = (diagnosis_in(segment, number, place, reading, repetition) for repetition in range(1, count + 1))
    return tuple(dict.fromkeys(filter(None, found)))


def drug_code_of(text: str) -> str:
    """The eleven digits of an NDC as it is printed (4-4-2, 5-3-2, 5-4-1, 5-4-2); empty where it is none."""
    if len(text) == NDC_DIGITS and text.isascii() and text.isdigit():
        return text
    found = _NDC.fullmatch(text)
    if not found or not 10 <= len(text) - 2 <= NDC_DIGITS:
        return ""
    labeler, product, package = found.groups()
    return f"{labeler.zfill(5)}{product.zfill(4)}{package.zfill(2)}"
