"""What FHIR resources say of a stay: Encounter.class, period, hospitalization, type and diagnosis, Condition, Procedure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from canonical.encounter import DatedCode

from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.resources import Entry, code_in, code_of, day_of
from intake.domain.clinical import SeenStay
from intake.domain.refusals import Finding

BILL_TYPES = ("https://www.nubc.org/CodeSystem/TypeOfBill",)
DRGS = (
    "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/"
    "MS-DRG-Classifications-and-Software",
)
PROCEDURE_SYSTEMS = ("http://www.cms.gov/Medicare/Coding/ICD10", "http://hl7.org/fhir/sid/icd-10-pcs")
INPATIENT_CLASSES = ("IMP", "ACUTE", "NONAC")
ADMITTING_USES = ("AD", "admitting")
PRINCIPAL_USES = ("principal", "DD", "billing")
LAST = 10_000


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    code: str
    use: str
    rank: int
    present_on_admission: str


class ClinicalResources:
    """The Conditions and Procedures of one message; each must belong to an Encounter of the same message."""

    def __init__(self, entries: Sequence[Entry], names: FhirNames) -> None:
        self._names = names
        self._conditions = _by_reference(each for each in entries if each.type == "Condition")
        self._procedures = [each for each in entries if each.type == "Procedure"]
        self._used: set[str] = set()

    def diagnoses_and_stay(self, entry: Entry, findings: list[Finding]) -> tuple[tuple[str, ...], SeenStay | None]:
        """The diagnoses to bill, the principal one first, and the stay where the encounter tells of one."""
        told = self._diagnoses(entry, findings)
        admitting = next((each.code for each in told if each.use in ADMITTING_USES), "")
        billed = sorted((each for each in told if each.use not in ADMITTING_USES), key=_importance)
        reasons = tuple(filter(None, (code_in(reason) for reason in entry.resource.reasonCode or ())))
        on_admission = {each.code: each.present_on_admission for each in billed if each.present_on_admission}
        stay = _stay(entry.resource, admitting, on_admission, self._performed(entry, findings))
        return tuple(each.code for each in billed) or reasons, stay

    def refuse_unused(self, findings: list[Finding]) -> None:
        """Names the resources that no encounter of the message took."""
        for entry in (*self._conditions.values(), *self._procedures):
            if entry.place not in self._used:
                self._used.add(entry.place)
                note = "belongs to an encounter of the same message (Encounter.diagnosis, Procedure.encounter)"
                findings.append(Finding(entry.place, "no-encounter", note))

    def _diagnoses(self, entry: Entry, findings: list[Finding]) -> list[_Diagnosis]:
        found = []
        for index, each in enumerate(entry.resource.diagnosis or ()):
            place = f"{entry.place}.diagnosis[{index}].condition"
            condition = self._conditions.get(_relative(each.condition))
            if condition is None:
                findings.append(Finding(place, "unknown-reference", "send the Condition in the same message"))
                continue
            self._used.add(condition.place)
            code = code_in(condition.resource.code)
            if not code:
                findings.append(Finding(f"{condition.place}.code", "required", "the diagnosis"))
                continue
            present = _extension(condition.resource, self._names.present_on_admission_extension)
            found.append(_Diagnosis(code, code_in(each.use), each.rank or LAST, present))
        return found

    def _performed(self, entry: Entry, findings: list[Finding]) -> tuple[DatedCode, ...]:
        """The ICD-10-PCS procedures of the encounter in the order of the message, the principal one first."""
        found = []
        for each in self._procedures:
            procedure = each.resource
            if _relative(procedure.encounter) not in (entry.reference, _tail(entry.full_url)):
                continue
            self._used.add(each.place)
            code = code_of(procedure.code, PROCEDURE_SYSTEMS)
            period = procedure.performedPeriod
            day = day_of(procedure.performedDateTime) or day_of(period.start if period else None)
            if code and day:
                found.append(DatedCode(code=code, on=day))
            elif code:
                findings.append(Finding(f"{each.place}.performedDateTime", "required", "the day of the procedure"))
        return tuple(found)


def _stay(
    encounter: Any, admitting: str, on_admission: dict[str, str], procedures: tuple[DatedCode, ...]
) -> SeenStay | None:
    kind = str(encounter.class_fhir.code or "") if encounter.class_fhir else ""
    period, hospital = encounter.period, encounter.hospitalization
    bill_type = _first_code(encounter.type, BILL_TYPES)
    seen = SeenStay(
        is_inpatient=kind in INPATIENT_CLASSES,
        bill_type=bill_type[1:3] if len(bill_type) == 4 else bill_type[:2],
        admission_type=code_in(encounter.priority),
        admission_source=code_in(hospital.admitSource) if hospital else "",
        patient_status=code_in(hospital.dischargeDisposition) if hospital else "",
        admitting_diagnosis=admitting,
        procedures=procedures,
        drg=_first_code(encounter.type, DRGS),
        on_admission=on_admission,
    )
    if seen == SeenStay():
        return None
    times = {"admitted_at": _time(period.start), "discharged_at": _time(period.end)} if period else {}
    return seen.model_copy(update=times)


def _importance(diagnosis: _Diagnosis) -> tuple[bool, int]:
    return (diagnosis.use not in PRINCIPAL_USES, diagnosis.rank)


def _time(value: object) -> str:
    """A FHIR dateTime on the clock it was written by, as `YYYYMMDDHHMM`; a date as `YYYYMMDD`."""
    if isinstance(value, datetime):
        return f"{value:%Y%m%d%H%M}"
    return f"{value:%Y%m%d}" if isinstance(value, date) else ""


def _first_code(concepts: Sequence[Any] | None, systems: Sequence[str]) -> str:
    return next(filter(None, (code_of(concept, systems) for concept in concepts or ())), "")


def _extension(resource: Any, url: str) -> str:
    return next((str(each.valueCode) for each in resource.extension or () if each.url == url and each.valueCode), "")


def _by_reference(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {name: each for each in entries for name in (each.reference, _tail(each.full_url)) if name}


def _relative(reference: Any) -> str:
    return _tail(str(reference.reference or "")) if reference else ""


def _tail(address: str) -> str:
    return "/".join(address.split("/")[-2:])
