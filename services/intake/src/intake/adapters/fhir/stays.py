"""What FHIR resources say of a stay: Encounter.class, period, hospitalization, type and diagnosis, Condition, Procedure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from canonical.encounter import DatedCode

from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.resources import Entry, code_in, code_of, day_of, diagnosis_in
from intake.domain.clinical import SeenStay
from intake.domain.facility_codes import type_of_bill
from intake.domain.facts import DiagnosisSeen, Fact, Link, ProcedureSeen
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
WITHDRAWN = ("entered-in-error", "refuted", "not-done")
LAST = 10_000


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    code: str
    use: str
    rank: int
    present_on_admission: str
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class ListedDiagnoses:
    """The diagnoses to bill, the principal one first, and those taken back; reasons of the visit are no whole list."""

    codes: tuple[str, ...]
    withdrawn: tuple[str, ...]
    is_whole: bool


class ClinicalResources:
    """The Conditions and Procedures of one message; each must name an encounter, of this message or of another."""

    def __init__(self, message: FhirMessage) -> None:
        self._message = message
        self._names = message.names
        self._conditions = _by_reference(message.all_of("Condition"))
        self._procedures = message.of("Procedure")
        self._used: set[str] = set()

    def diagnoses_and_stay(self, entry: Entry, findings: list[Finding]) -> tuple[ListedDiagnoses, SeenStay | None]:
        """The diagnoses of the encounter, and the stay where it tells of one."""
        all_told = self._diagnoses(entry, findings)
        told = [each for each in all_told if not each.is_withdrawn]
        withdrawn = {each.code for each in all_told} - {each.code for each in told}
        admitting = next((each.code for each in told if each.use in ADMITTING_USES), "")
        billed = sorted((each for each in told if each.use not in ADMITTING_USES), key=_importance)
        reasons = tuple(filter(None, map(diagnosis_in, entry.resource.reasonCode or ())))
        on_admission = {each.code: each.present_on_admission for each in billed if each.present_on_admission}
        stay = _stay(entry.resource, admitting, on_admission, self._performed(entry, findings))
        codes = tuple(each.code for each in billed)
        return ListedDiagnoses(codes or reasons, tuple(sorted(withdrawn)), is_whole=bool(codes)), stay

    def on_their_own(self) -> list[Fact]:
        """What stands by itself: a diagnosis or procedure of an encounter that the message does not describe."""
        facts: list[Fact] = []
        for entry in {each.place: each for each in (*self._conditions.values(), *self._procedures)}.values():
            if entry.is_contained or entry.place in self._used:
                continue
            encounter = self._message.references.link(entry.resource.encounter)
            if _is_withdrawn(entry.resource) and (encounter.is_empty or entry.type != "Condition"):
                continue
            if encounter.is_empty:
                self._message.find(f"{entry.place}.encounter", "no-encounter", "the encounter that it is billed with")
            elif entry.type == "Condition":
                facts += self._diagnosis(entry, encounter)
            else:
                facts += self._procedure(entry, encounter)
        return facts

    def _diagnosis(self, entry: Entry, encounter: Link) -> list[DiagnosisSeen]:
        is_withdrawn = _is_withdrawn(entry.resource)
        code = self._code_of(entry)
        return [DiagnosisSeen(entry.place, encounter, code, withdrawn=is_withdrawn)] if code else []

    def _procedure(self, entry: Entry, encounter: Link) -> list[ProcedureSeen]:
        """Nothing where it has no ICD-10-PCS code: what is billed by CPT comes as a charge."""
        procedure = _dated(entry, self._message.findings)
        return [ProcedureSeen(entry.place, encounter, procedure)] if procedure else []

    def _code_of(self, condition: Entry) -> str:
        """What was never so need not say what it was."""
        code = diagnosis_in(condition.resource.code)
        if not code and not _is_withdrawn(condition.resource):
            self._message.find(f"{condition.place}.code", "diagnosis-code", "an ICD-10-CM code")
        return code

    def _diagnoses(self, entry: Entry, findings: list[Finding]) -> list[_Diagnosis]:
        found = []
        for index, each in enumerate(entry.resource.diagnosis or ()):
            place = f"{entry.place}.diagnosis[{index}].condition"
            condition = self._conditions.get(_relative(each.condition))
            if condition is None:
                findings.append(Finding(place, "unknown-reference", "send the Condition in the same message"))
                continue
            self._used.add(condition.place)
            if not (code := self._code_of(condition)):
                continue
            present = _extension(condition.resource, self._names.present_on_admission_extension)
            is_withdrawn = _is_withdrawn(condition.resource)
            found.append(_Diagnosis(code, code_in(each.use), each.rank or LAST, present, is_withdrawn))
        return found

    def _performed(self, entry: Entry, findings: list[Finding]) -> tuple[DatedCode, ...]:
        """The ICD-10-PCS procedures of the encounter in the order of the message, the principal one first."""
        found = []
        for each in self._procedures:
            if _relative(each.resource.encounter) not in (entry.reference, _tail(entry.full_url)):
                continue
            self._used.add(each.place)
            procedure = None if _is_withdrawn(each.resource) else _dated(each, findings)
            found += [procedure] if procedure else []
        return tuple(found)


def _is_withdrawn(resource: Any) -> bool:
    """Whether the source says that it never was, or is refuted."""
    said = getattr(resource, "status", None) or code_in(getattr(resource, "verificationStatus", None))
    return said in WITHDRAWN


def _dated(entry: Entry, findings: list[Finding]) -> DatedCode | None:
    """The ICD-10-PCS code and its day."""
    procedure = entry.resource
    code, period = code_of(procedure.code, PROCEDURE_SYSTEMS), procedure.performedPeriod
    day = day_of(procedure.performedDateTime) or day_of(period.start if period else None)
    if code and not day:
        findings.append(Finding(f"{entry.place}.performedDateTime", "required", "the day of the procedure"))
    return DatedCode(code=code, on=day) if code and day else None


def _stay(
    encounter: Any, admitting: str, on_admission: dict[str, str], procedures: tuple[DatedCode, ...]
) -> SeenStay | None:
    kind = str(encounter.class_fhir.code or "") if encounter.class_fhir else ""
    period, hospital = encounter.period, encounter.hospitalization
    bill_type, frequency = type_of_bill(_first_code(encounter.type, BILL_TYPES))
    seen = SeenStay(
        is_inpatient=kind in INPATIENT_CLASSES,
        bill_type=bill_type,
        bill_frequency=frequency,
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
    times = {"admitted_at": stay_time(period.start), "discharged_at": stay_time(period.end)} if period else {}
    return seen.model_copy(update=times)


def _importance(diagnosis: _Diagnosis) -> tuple[bool, int]:
    return (diagnosis.use not in PRINCIPAL_USES, diagnosis.rank)


def stay_time(value: object) -> str:
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
