"""The rules that what a message says of a stay must keep; a message that breaks one is refused by field and rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from canonical.encounter import DIAGNOSES_PER_STAY_MAX

from intake.domain.clinical import SeenStay
from intake.domain.refusals import Finding

CODES_OF_A_FAMILY_MAX = 24
CODE_CHARACTERS_MAX = 20
_DIAGNOSIS = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
_PROCEDURE = re.compile("[0-9A-HJ-NP-Z]{7}")
_BILL_TYPE = re.compile("[0-9]{2}")
_FREQUENCY = re.compile("[0-9A-Z]?")
_DRG = re.compile("[0-9]{3,4}")
_CODE_OF_TWO = re.compile("[0-9A-Z]{2}")
_PRESENT = frozenset("NUWY")
_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M"}


def is_diagnosis(code: str) -> bool:
    return _DIAGNOSIS.fullmatch(code) is not None


def broken_stay_rules(place: str, stay: SeenStay | None) -> Iterator[Finding]:
    """Every rule that it breaks."""
    if stay is None:
        return
    if stay.admitting_diagnosis and not is_diagnosis(stay.admitting_diagnosis):
        yield Finding(f"{place}.admitting-diagnosis", "diagnosis-code", "an ICD-10-CM code, with its dot")
    if not all(_PROCEDURE.fullmatch(each.code) for each in stay.procedures):
        yield Finding(f"{place}.procedures", "procedure-code", "an ICD-10-PCS code has seven characters")
    if not _PRESENT.issuperset(stay.on_admission.values()):
        yield Finding(f"{place}.present-on-admission", "present-on-admission", "N, U, W or Y")
    if stay.bill_type and not _BILL_TYPE.fullmatch(stay.bill_type):
        yield Finding(f"{place}.bill-type", "bill-type", "a type of bill begins with two digits for facility and care")
    if not _FREQUENCY.fullmatch(stay.bill_frequency):
        yield Finding(f"{place}.bill-type", "bill-frequency", "the frequency of a bill is one digit or letter")
    if stay.drg and not _DRG.fullmatch(stay.drg):
        yield Finding(f"{place}.drg", "drg", "three or four digits")
    yield from _times(place, stay)
    yield from _codes(place, stay)


def _times(place: str, stay: SeenStay) -> Iterator[Finding]:
    times = {"admitted-at": stay.admitted_at, "discharged-at": stay.discharged_at}
    for name, text in times.items():
        if text and not _is_instant(text):
            yield Finding(f"{place}.{name}", "instant", "a day, or a day with hour and minute")
    if stay.admitted_at and stay.discharged_at and stay.discharged_at[:8] < stay.admitted_at[:8]:
        yield Finding(f"{place}.discharged-at", "instant-order", "nobody leaves before the day of admission")


def _is_instant(text: str) -> bool:
    if len(text) not in _FORMATS or not (text.isascii() and text.isdigit()):
        return False
    try:
        datetime.strptime(text, _FORMATS[len(text)])  # noqa: DTZ007 - the facility's own clock
    except ValueError:
        return False
    return True


def _codes(place: str, stay: SeenStay) -> Iterator[Finding]:
    families = {
        "occurrences": [each.code for each in stay.occurrences],
        "values": [each.code for each in stay.values],
        "conditions": list(stay.conditions),
    }
    for name, codes in families.items():
        if len(codes) > CODES_OF_A_FAMILY_MAX or not all(map(_CODE_OF_TWO.fullmatch, codes)):
            yield Finding(f"{place}.{name}", "code", f"at most {CODES_OF_A_FAMILY_MAX} codes of two characters")
    if len(stay.procedures) > DIAGNOSES_PER_STAY_MAX:
        yield Finding(f"{place}.procedures", "too-many-procedures", f"at most {DIAGNOSES_PER_STAY_MAX}")
    coded = (stay.admission_type, stay.admission_source, stay.patient_status)
    if max(map(len, coded)) > CODE_CHARACTERS_MAX:
        yield Finding(f"{place}.stay", "code", f"a code has at most {CODE_CHARACTERS_MAX} characters")
