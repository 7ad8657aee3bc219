"""Codes of a stay are PHI: what encounters wait for is kept as a keyed hash, and known by the hashes of what crosswalks translate."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from canonical.master_data import MasterData

from intake.domain.encounter_content import HoldReason
from intake.domain.facility_codes import STAY_KINDS, FacilityCode, nubc_code
from intake.domain.unmapped_code import SourceCode

Hashing = Callable[[Sequence[str]], list[str]]


def veiled(reasons: Sequence[HoldReason], hashing: Hashing) -> tuple[HoldReason, ...]:
    """The reasons as they may be kept: a code of a stay, which is known in memory alone, as its keyed hash."""
    return tuple(_veiled(reason, hashing) for reason in reasons)


def _veiled(reason: HoldReason, hashing: Hashing) -> HoldReason:
    code = reason.unmapped
    if code is None or code.kind not in STAY_KINDS:
        return reason
    (kept,) = hashing([_text(code.source, code.kind, code.code)])
    return reason.model_copy(update={"unmapped": code.model_copy(update={"code": kept})})


def is_known(code: SourceCode, master_data: MasterData, hashing: Hashing) -> bool:
    """Whether master data says by now what is waited for; of a code that is kept as its hash, by a crosswalk's row for it."""
    if code.kind not in STAY_KINDS:
        return code.is_known(master_data)
    rows = [
        row.code
        for row in master_data.crosswalks
        if (row.source, row.kind) == (code.source, code.kind)
        and row.holds_on(code.day)
        and nubc_code(FacilityCode(code.kind), row.ours) is not None
    ]
    return code.code in hashing([_text(code.source, code.kind, each) for each in rows])


def _text(source: str, kind: str, code: str) -> str:
    return "|".join((source, kind, code))
