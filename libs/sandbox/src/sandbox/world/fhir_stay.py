"""What a FHIR bundle says of a stay: fields of the Encounter, its Conditions, and the Procedure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from sandbox.world.encounters import SimulatedEncounter
from sandbox.world.hospital import SimulatedStay

ICD10_SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_PCS_SYSTEM = "http://www.cms.gov/Medicare/Coding/ICD10"
BILL_TYPE_SYSTEM = "https://www.nubc.org/CodeSystem/TypeOfBill"
DRG_SYSTEM = (
    "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/"
    "MS-DRG-Classifications-and-Software"
)
PRESENT_EXTENSION = "urn:sandbox:present-on-admission"
HOSPITAL_ZONE = timezone(timedelta(hours=-5))
_PRIORITIES = {"1": "EM", "2": "UR", "3": "EL"}
_DISPOSITIONS = {"01": "home"}
_SOURCES = {"1": "emd"}

Json = dict[str, object]


def stay_fields(encounter: SimulatedEncounter) -> Json:
    """The fields of the Encounter that a visit has otherwise or not at all."""
    stay = _stay_of(encounter)
    uses = [("DD", 1), *(("CM", rank) for rank in range(2, len(encounter.diagnosis_codes) + 1)), ("AD", 0)]
    return {
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "type": [_coded(BILL_TYPE_SYSTEM, f"0{stay.bill_type}1"), _coded(DRG_SYSTEM, stay.admission.drg)],
        "priority": {"coding": [{"code": _PRIORITIES[stay.admission_type]}]},
        "period": {"start": _instant(stay.admitted_at), "end": _instant(stay.discharged_at)},
        "hospitalization": {
            "admitSource": {"coding": [{"code": _SOURCES[stay.admission_source]}]},
            "dischargeDisposition": {"coding": [{"code": _DISPOSITIONS[stay.patient_status]}]},
        },
        "diagnosis": [
            {
                "condition": {"reference": f"Condition/{_condition_id(encounter, number)}"},
                "use": {"coding": [{"code": use}]},
            }
            | ({"rank": rank} if rank else {})
            for number, (use, rank) in enumerate(uses, 1)
        ],
    }


def stay_resources(encounter: SimulatedEncounter) -> list[Json]:
    """A Condition for each diagnosis, the admitting one last, and the Procedure where one was done."""
    stay = _stay_of(encounter)
    codes = [*encounter.diagnosis_codes, stay.admission.admitting[0]]
    resources = [_condition(encounter, number, code) for number, code in enumerate(codes, 1)]
    if stay.admission.procedure:
        resources.append(
            {
                "resourceType": "Procedure",
                "id": f"procedure-{encounter.visit_number}",
                "status": "completed",
                "code": _coded(ICD10_PCS_SYSTEM, stay.admission.procedure),
                "subject": {"reference": f"Patient/{encounter.patient.mrn}"},
                "encounter": {"reference": f"Encounter/{encounter.visit_number}"},
                "performedDateTime": stay.procedure_day.isoformat(),
            }
        )
    return resources


def _stay_of(encounter: SimulatedEncounter) -> SimulatedStay:
    if encounter.stay is None:
        raise ValueError(f"{encounter.visit_number} is no stay")
    return encounter.stay


def _condition(encounter: SimulatedEncounter, number: int, code: str) -> Json:
    """The principal diagnosis was present on admission, the others too; the admitting one has no such mark."""
    resource: Json = {
        "resourceType": "Condition",
        "id": _condition_id(encounter, number),
        "code": _coded(ICD10_SYSTEM, code),
        "subject": {"reference": f"Patient/{encounter.patient.mrn}"},
        "encounter": {"reference": f"Encounter/{encounter.visit_number}"},
    }
    if number <= len(encounter.diagnosis_codes):
        resource["extension"] = [{"url": PRESENT_EXTENSION, "valueCode": "Y"}]
    return resource


def _condition_id(encounter: SimulatedEncounter, number: int) -> str:
    return f"condition-{encounter.visit_number}-{number}"


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _instant(moment: datetime) -> str:
    return moment.replace(tzinfo=HOSPITAL_ZONE).isoformat()
