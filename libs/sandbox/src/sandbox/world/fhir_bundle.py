"""FHIR R4 transaction bundles: one bundle holds one finished encounter with everything that it refers to."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from canonical.master_data import Entity, Provider
from canonical.money import Money

from sandbox.world.fhir_stay import ICD10_SYSTEM, Json, stay_fields, stay_resources
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.scenario import SimulatedCharge, SimulatedCoverage, SimulatedEncounter, SimulatedPatient

ENTITY_SYSTEM = "urn:sandbox:entity"
PAYER_SYSTEM = "urn:sandbox:payer"
PROVIDER_SYSTEM = "urn:sandbox:provider"
DEPARTMENT_SYSTEM = "urn:sandbox:department"
LOCATION_SYSTEM = "urn:sandbox:location"
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
CPT_SYSTEM = "http://www.ama-assn.org/go/cpt"
HCPCS_SYSTEM = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CDT_SYSTEM = "http://www.ada.org/cdt"
REVENUE_SYSTEM = "https://www.nubc.org/CodeSystem/RevenueCodes"
TOOTH_SYSTEM = "http://www.ada.org/tooth"
SURFACE_SYSTEM = "http://terminology.hl7.org/CodeSystem/FDI-surface"
SELF_PAY_SYSTEM = "http://terminology.hl7.org/CodeSystem/coverage-selfpay"
MODIFIER_EXTENSION = "urn:sandbox:procedure-modifier"
IDENTIFIER_TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0203"
BILLABLE, IN_ERROR = "billable", "entered-in-error"
_QUOTED_NUMBER = re.compile(r'"number:(-?[0-9.]+)"')


def transaction_bundle(
    encounter: SimulatedEncounter, later: Sequence[tuple[SimulatedCharge, str]] = (), *, number: int = 0
) -> bytes:
    """The bundle of one encounter; money is written with exactly two decimals.

    With a number, the so-many-th later word on it: its charges are then those of `later`, each with its status.
    """
    told = later if number else [(charge, BILLABLE) for charge in encounter.charges]
    entity = sandbox_master_data().entity(encounter.entity, encounter.service_from)
    provider = sandbox_master_data().provider(encounter.provider, encounter.service_from)
    resources = [
        _organization(entity),
        _practitioner(provider),
        _patient(encounter),
        _encounter(encounter),
        *(_charge_item(encounter, charge, status) for charge, status in told),
        *(stay_resources(encounter) if encounter.stay else ()),
    ]
    resources[2:2] = [_payer_organization(each) for each in encounter.coverages]
    resources += [_coverage(encounter, each, order) for order, each in enumerate(encounter.coverages, 1)]
    resources += [] if encounter.coverages else [_self_pay(encounter)]
    name = f"{encounter.visit_number}-{number}" if number else encounter.visit_number
    bundle: Json = {
        "resourceType": "Bundle",
        "id": f"bundle-{name}",
        "meta": {"source": encounter.source},
        "identifier": {"system": f"urn:sandbox:{encounter.source}:bundle", "value": name},
        "type": "transaction",
        "timestamp": _instant(encounter.service_to + timedelta(days=1 + number)),
        "entry": [_entry(encounter.source, resource) for resource in resources],
    }
    return _QUOTED_NUMBER.sub(r"\1", json.dumps(bundle, indent=1)).encode()


def _entry(source: str, resource: Json) -> Json:
    place = f"{resource['resourceType']}/{resource['id']}"
    return {
        "fullUrl": f"https://{source}.example/fhir/{place}",
        "resource": resource,
        "request": {"method": "PUT", "url": place},
    }


def _instant(day: date) -> str:
    return datetime.combine(day, time(9, 30), UTC).isoformat()


def _organization(entity: Entity) -> Json:
    return {
        "resourceType": "Organization",
        "id": f"entity-{entity.code}",
        "identifier": [
            {"system": ENTITY_SYSTEM, "value": entity.code},
            {"system": NPI_SYSTEM, "value": entity.npi},
        ],
        "active": True,
        "name": entity.name,
    }


def _payer_organization(coverage: SimulatedCoverage) -> Json:
    return {
        "resourceType": "Organization",
        "id": f"payer-{coverage.payer}",
        "identifier": [{"system": PAYER_SYSTEM, "value": coverage.payer}],
        "active": True,
        "name": coverage.payer,
    }


def _practitioner(provider: Provider) -> Json:
    return {
        "resourceType": "Practitioner",
        "id": provider.code,
        "identifier": [
            {"system": PROVIDER_SYSTEM, "value": provider.code},
            {"system": NPI_SYSTEM, "value": provider.npi},
        ],
        "name": [{"family": provider.family_name, "given": [provider.given_name]}],
    }


def _patient(encounter: SimulatedEncounter) -> Json:
    patient: SimulatedPatient = encounter.patient
    medical_record = {"coding": [{"system": IDENTIFIER_TYPE_SYSTEM, "code": "MR"}]}
    return {
        "resourceType": "Patient",
        "id": patient.mrn,
        "identifier": [
            {"type": medical_record, "system": f"urn:sandbox:{encounter.source}:mrn", "value": patient.mrn},
        ],
        "active": True,
        "name": [{"use": "official", "family": patient.family_name, "given": [patient.given_name]}],
        "gender": {"F": "female", "M": "male"}[patient.sex],
        "birthDate": patient.birth_date.isoformat(),
        "address": [
            {
                "line": [patient.street],
                "city": patient.city,
                "state": patient.state,
                "postalCode": patient.postal_code,
                "country": "US",
            }
        ],
    }


def _coverage(encounter: SimulatedEncounter, coverage: SimulatedCoverage, order: int) -> Json:
    suffix = "" if order == 1 else f"-{order}"
    resource: Json = {
        "resourceType": "Coverage",
        "id": f"cov-{encounter.visit_number}{suffix}",
        "status": "active",
        "beneficiary": {"reference": f"Patient/{encounter.patient.mrn}"},
        "subscriber": {"reference": f"Patient/{encounter.patient.mrn}"},
        "relationship": {"coding": [{"code": "self"}]},
        "payor": [{"reference": f"Organization/payer-{coverage.payer}"}],
        "class": [{"type": {"coding": [{"code": "group"}]}, "value": coverage.group_number}],
        "order": order,
    }
    if coverage.member_id:
        resource["subscriberId"] = coverage.member_id
    return resource


def _self_pay(encounter: SimulatedEncounter) -> Json:
    return {
        "resourceType": "Coverage",
        "id": f"cov-{encounter.visit_number}",
        "status": "active",
        "type": {"coding": [{"system": SELF_PAY_SYSTEM, "code": "pay"}]},
        "beneficiary": {"reference": f"Patient/{encounter.patient.mrn}"},
        "payor": [{"reference": f"Patient/{encounter.patient.mrn}"}],
    }


def _encounter(encounter: SimulatedEncounter) -> Json:
    emergency = encounter.location == "S-ER"
    resource: Json = {
        "resourceType": "Encounter",
        "id": encounter.visit_number,
        "identifier": [{"system": f"urn:sandbox:{encounter.source}:visit", "value": encounter.visit_number}],
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "EMER" if emergency else "AMB",
        },
        "subject": {"reference": f"Patient/{encounter.patient.mrn}"},
        "participant": [{"individual": {"reference": f"Practitioner/{encounter.provider}"}}],
        "period": {"start": encounter.service_from.isoformat(), "end": encounter.service_to.isoformat()},
        "reasonCode": [_diagnosis(code) for code in encounter.diagnosis_codes],
        "location": [{"location": {"identifier": {"system": LOCATION_SYSTEM, "value": encounter.location}}}],
        "serviceProvider": {"reference": f"Organization/entity-{encounter.entity}"},
    }
    return resource | stay_fields(encounter) if encounter.stay else resource


def _charge_item(encounter: SimulatedEncounter, charge: SimulatedCharge, status: str) -> Json:
    resource: Json = {
        "resourceType": "ChargeItem",
        "id": charge.transaction_id,
        "identifier": [{"system": f"urn:sandbox:{encounter.source}:charge", "value": charge.transaction_id}],
        "status": status,
        "code": {"coding": _charge_codes(charge), "text": charge.description},
        "subject": {"reference": f"Patient/{encounter.patient.mrn}"},
        "context": {"reference": f"Encounter/{encounter.visit_number}"},
        "occurrenceDateTime": charge.service_date.isoformat(),
        "performer": [{"actor": {"reference": f"Practitioner/{encounter.provider}"}}],
        "costCenter": {"identifier": {"system": DEPARTMENT_SYSTEM, "value": charge.source_department}},
        "quantity": {"value": charge.units},
        "priceOverride": _money(charge.amount),
        "overrideReason": "contract price of the source",
        "enteredDate": _instant(charge.service_date),
        "reason": [_diagnosis(code) for code in charge.diagnosis_codes],
    }
    if charge.tooth:
        resource["bodysite"] = [
            {"coding": [{"system": TOOTH_SYSTEM, "code": charge.tooth}]},
            *({"coding": [{"system": SURFACE_SYSTEM, "code": surface}]} for surface in charge.surfaces),
        ]
    if charge.modifiers:
        resource["extension"] = [{"url": MODIFIER_EXTENSION, "valueCode": code} for code in charge.modifiers]
    return resource


def _charge_codes(charge: SimulatedCharge) -> list[Json]:
    """The procedure, the revenue code, or both."""
    code = charge.procedure_code
    system = CPT_SYSTEM if code.isdigit() else CDT_SYSTEM if code.startswith("D") else HCPCS_SYSTEM
    codings = [(system, code), (REVENUE_SYSTEM, charge.revenue_code)]
    return [{"system": each, "code": value, "display": charge.description} for each, value in codings if value]


def _diagnosis(code: str) -> Json:
    return {"coding": [{"system": ICD10_SYSTEM, "code": code}]}


def _money(amount: Money) -> Json:
    return {"value": f"number:{amount.decimal_text}", "currency": amount.currency}
