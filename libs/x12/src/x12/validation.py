"""Validates whatever leaves: with pyx12 where it has the guide, with our own structure tables where it has not."""

from __future__ import annotations

from itertools import islice

from x12.guide_validation import guide_violations
from x12.structure import structure_violations
from x12.structure_tables import STRUCTURES
from x12.violations import ValidationError

ERRORS_MAX = 1_000
_ISA_LENGTH = 106
_GS_VERSION = 8


def validate(raw: bytes) -> list[ValidationError]:
    """Violations of the guide that GS08 names, in file order, at most `ERRORS_MAX`; empty for a file that may leave.

    Anything else than a readable interchange of a known guide gives an error too, never an exception.
    """
    guide = _guide_of(raw)
    found = structure_violations(raw, STRUCTURES[guide]) if guide in STRUCTURES else guide_violations(raw)
    return list(islice(found, ERRORS_MAX))


def _guide_of(raw: bytes) -> str:
    """GS08 of the first group; nothing where there is none to be seen behind a header of full length."""
    if len(raw) < _ISA_LENGTH:
        return ""
    separator, terminator = raw[3:4], raw[_ISA_LENGTH - 1 : _ISA_LENGTH]
    header = raw[_ISA_LENGTH:].split(terminator, 1)[0].strip().split(separator)
    return header[_GS_VERSION].decode("latin-1") if len(header) > _GS_VERSION else ""
