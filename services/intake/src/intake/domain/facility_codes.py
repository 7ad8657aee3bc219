"""Codes of a stay in the words of the NUBC, which an 837I wants, from the code sets that EHRs send instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

TYPE_OF_BILL_CHARACTERS = 4


class FacilityCode(StrEnum):
    """What is coded; also the kind of the crosswalk that translates a source's own codes."""

    ADMISSION_TYPE = "admission-type"
    ADMISSION_SOURCE = "admission-source"
    DISCHARGE_DISPOSITION = "discharge-disposition"


STAY_KINDS = frozenset(kind.value for kind in FacilityCode)

_PATTERNS = {
    FacilityCode.ADMISSION_TYPE: re.compile("[1-59]"),
    FacilityCode.ADMISSION_SOURCE: re.compile("[0-9A-Z]"),
    FacilityCode.DISCHARGE_DISPOSITION: re.compile("[0-9]{2}"),
}
_FROM_OTHER_SETS: Mapping[FacilityCode, Mapping[str, str]] = {
    FacilityCode.ADMISSION_TYPE: {"EM": "1", "UR": "2", "EL": "3", "E": "1", "U": "2", "C": "3", "R": "3", "N": "4"},
    FacilityCode.ADMISSION_SOURCE: {
        "emd": "1",
        "outp": "2",
        "gp": "2",
        "mp": "2",
        "hosp-trans": "4",
        "nursing": "5",
        "born": "5",
        "psych": "6",
        "rehab": "6",
        "other": "9",
    },
    FacilityCode.DISCHARGE_DISPOSITION: {
        "home": "01",
        "snf": "03",
        "aadvice": "07",
        "exp": "20",
        "rehab": "62",
        "long": "63",
        "psy": "65",
    },
}
"""HL7 0007 and v3 ActPriority, FHIR admit-source and discharge-disposition, as far as they have one meaning only."""


def type_of_bill(code: str) -> tuple[str, str]:
    """Its two digits for facility and care, and its frequency, from three characters or from four with the leading zero."""
    characters = code[1:] if len(code) == TYPE_OF_BILL_CHARACTERS else code
    return characters[:2], characters[2:]


def nubc_code(kind: FacilityCode, code: str) -> str | None:
    """The NUBC's code; None where it is neither one nor surely translated to one."""
    ours = _FROM_OTHER_SETS[kind].get(code, code)
    return ours if _PATTERNS[kind].fullmatch(ours) else None
