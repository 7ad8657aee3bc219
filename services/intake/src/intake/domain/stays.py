"""A stay as a bill for a facility has it: the source's codes in those of the NUBC, and what is missing by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from canonical.encounter import InstitutionalStay
from canonical.master_data import MasterData, UnknownMasterData

from intake.domain.clinical import SeenStay
from intake.domain.encounter_content import HoldReason
from intake.domain.facility_codes import FacilityCode, nubc_code
from intake.domain.unmapped_code import SourceCode

INPATIENT_BILL = "11"
OUTPATIENT_BILL = "13"
STILL_A_PATIENT = "30"
WHOLE_STAY = "1"
INTERIM = frozenset("234")
INSTANT_DIGITS = 12


def institutional_stay(
    seen: SeenStay | None, source: str, day: date, bill_type: str, diagnoses: Sequence[str], master_data: MasterData
) -> tuple[InstitutionalStay, tuple[HoldReason, ...]]:
    """The stay, and why it cannot be billed as one. `bill_type` is the location's, where the source states none."""
    reading = _Reading(seen or SeenStay(), source, day, master_data)
    return reading.stay(bill_type, diagnoses), tuple(reading.reasons)


class _Reading:
    def __init__(self, seen: SeenStay, source: str, day: date, master_data: MasterData) -> None:
        self._seen = seen
        self._source = source
        self._day = day
        self._master_data = master_data
        self.reasons: list[HoldReason] = []

    def stay(self, bill_type: str, diagnoses: Sequence[str]) -> InstitutionalStay:
        seen = self._seen
        kind = self._code(FacilityCode.ADMISSION_TYPE, seen.admission_type)
        source = self._code(FacilityCode.ADMISSION_SOURCE, seen.admission_source)
        status = self._code(FacilityCode.DISCHARGE_DISPOSITION, seen.patient_status)
        self._need("admission-type", kind, "how urgent the admission or visit was")
        self._need("discharge-disposition", status, "where the patient went")
        if not diagnoses:
            self._need("diagnoses", "", "a principal diagnosis")
        if seen.is_inpatient:
            self._need("admission-source", source, "where the patient came from")
            self._need("admitting-diagnosis", seen.admitting_diagnosis, "the diagnosis at admission")
            self._need_instant("admitted-at", seen.admitted_at)
            if status != STILL_A_PATIENT:
                self._need_instant("discharged-at", seen.discharged_at)
        self._refuse_parts(status)
        facts = {name: getattr(seen, name) for name in ("occurrences", "conditions", "values", "procedures", "drg")}
        return InstitutionalStay(
            bill_type=seen.bill_type or bill_type or (INPATIENT_BILL if seen.is_inpatient else OUTPATIENT_BILL),
            admission_type=kind,
            admission_source=source,
            patient_status=status,
            admitted_at=_instant(seen.admitted_at) if seen.is_inpatient else "",
            discharged_at=_instant(seen.discharged_at) if seen.is_inpatient else "",
            admitting_diagnosis=seen.admitting_diagnosis,
            present_on_admission=tuple(seen.on_admission.get(code, "") for code in diagnoses),
            **facts,
        )

    def _refuse_parts(self, status: str) -> None:
        """Bills are made of what stands of a whole stay: its parts, and changes of what was billed, are not asked for."""
        frequency = self._seen.bill_frequency
        if frequency in INTERIM or (self._seen.is_inpatient and status == STILL_A_PATIENT):
            self._hold("bill-type", "interim-bill", "interim bills are not written: a stay is billed once it has ended")
        elif frequency not in ("", WHOLE_STAY):
            self._hold(
                "bill-type", "bill-frequency", "only a whole stay is billed (1); its charges replace and void a bill"
            )

    def _code(self, kind: FacilityCode, code: str) -> str:
        """Empty, with a reason, where nobody can tell what the source's code means; the code itself is PHI, for memory alone."""
        if not code:
            return ""
        try:
            ours = nubc_code(kind, self._master_data.translate(self._source, kind.value, code, self._day))
        except UnknownMasterData:
            ours = None
        if ours is None:
            unmapped = SourceCode(source=self._source, kind=kind.value, code=code, day=self._day)
            note = f"no code of the NUBC: a crosswalk of kind {kind.value} is needed"
            self._hold(kind.value, "unknown-code", note, unmapped)
        return ours or ""

    def _need(self, field: str, value: str, note: str) -> None:
        if not value and not any(reason.field == f"stay.{field}" for reason in self.reasons):
            self._hold(field, "required", note)

    def _need_instant(self, field: str, value: str) -> None:
        self._need(field, _instant(value), "day and hour")

    def _hold(self, field: str, rule: str, note: str, unmapped: SourceCode | None = None) -> None:
        self.reasons.append(HoldReason(field=f"stay.{field}", rule=rule, note=note, unmapped=unmapped))


def _instant(value: str) -> str:
    """Day, hour and minute; empty where only the day is known."""
    return value[:INSTANT_DIGITS] if len(value) >= INSTANT_DIGITS else ""


def days_of(stay: InstitutionalStay) -> tuple[date, ...]:
    """The days of admission and discharge that are known; the statement of the bill covers them."""
    return tuple(
        date(int(text[:4]), int(text[4:6]), int(text[6:8])) for text in (stay.admitted_at, stay.discharged_at) if text
    )
