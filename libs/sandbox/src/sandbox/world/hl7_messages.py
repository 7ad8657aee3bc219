"""HL7 v2.5.1 messages: a patient is registered, or admitted and discharged (ADT), and the charges are posted (DFT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from canonical.master_data import Provider

from sandbox.world.catalog import DIAGNOSES
from sandbox.world.dice import Dice
from sandbox.world.hospital import HOSPITAL_DIAGNOSES, SimulatedStay
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.scenario import SimulatedCharge, SimulatedCoverage, SimulatedEncounter, SimulatedPatient

MOVED_PERCENT = 25
MISTAKEN_DISCHARGE_PERCENT = 30
MISTAKEN_CHARGE_PERCENT = 15
DETAILED_PERCENT = 20
MISTAKEN = "M"
SELF_PAY_CLASS = "SELF"
CHARGED, CREDITED, PAID = "CG", "CD", "PY"
Transaction = tuple[SimulatedCharge, str]
"""A charge, or money that is told like one, with its FT1-6."""
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
_DIAGNOSIS_TEXTS = dict(DIAGNOSES) | HOSPITAL_DIAGNOSES
_ADMISSION_TYPES = {"1": "E", "2": "U", "3": "C"}


def hl7_messages(encounter: SimulatedEncounter) -> tuple[bytes, ...]:
    """ADT^A04, ADT^A08 where the patient moved since, and DFT^P03 or P11 with all charges; segments end with CR.

    A stay begins with ADT^A01 and ends with ADT^A03; its charges come after that. Some are discharged by mistake before
    (A03, A13), and some batches hold a charge that is credited in the same batch.
    """
    messages = []
    if encounter.stay:
        messages.append(_admission(encounter, encounter.stay))
        if Dice("discharged by mistake", encounter.visit_number).chance(MISTAKEN_DISCHARGE_PERCENT):
            messages += [
                _discharge(encounter, encounter.stay, "MISTAKE"),
                _discharge_cancelled(encounter, encounter.stay),
            ]
        messages.append(_discharge(encounter, encounter.stay))
    elif _has_moved(encounter):
        former = replace(encounter.patient, street="1 Former Road")
        messages.append(_registration(encounter, "A04", former))
        messages.append(_registration(encounter, "A08", encounter.patient))
    else:
        messages.append(_registration(encounter, "A04", encounter.patient))
    messages.append(_charges(encounter))
    return tuple(messages)


def _has_moved(encounter: SimulatedEncounter) -> bool:
    return Dice("moved", encounter.visit_number).chance(MOVED_PERCENT)


def _registration(encounter: SimulatedEncounter, trigger: str, patient: SimulatedPatient) -> bytes:
    minute = {"A04": 0, "A08": 5}[trigger]
    stamp = f"{_day(encounter.service_from)}08{minute:02d}00"
    segments = [
        _header(encounter, f"ADT^{trigger}^ADT_A01", stamp),
        f"EVN|{trigger}|{stamp}",
        _patient(encounter, patient),
        _visit(encounter),
    ]
    segments += _insurances(encounter, patient)
    return _message(segments)


def _admission(encounter: SimulatedEncounter, stay: SimulatedStay) -> bytes:
    stamp = f"{stay.admitted_at:%Y%m%d%H%M%S}"
    code, text = stay.admission.admitting
    segments = [
        _header(encounter, "ADT^A01^ADT_A01", stamp),
        f"EVN|A01|{stamp}",
        _patient(encounter, encounter.patient),
        _visit(encounter),
        _segment("DG1", {1: "1", 3: f"{code}^{_text(text)}^I10", 6: "A"}),
    ]
    segments += _insurances(encounter, encounter.patient)
    return _message(segments)


def _discharge_cancelled(encounter: SimulatedEncounter, stay: SimulatedStay) -> bytes:
    stamp = f"{stay.discharged_at:%Y%m%d%H%M%S}"
    rows = [_header(encounter, "ADT^A13^ADT_A01", stamp), f"EVN|A13|{stamp}", _patient(encounter, encounter.patient)]
    return _message([*rows, _visit(encounter)])


def _discharge(encounter: SimulatedEncounter, stay: SimulatedStay, mark: str = "") -> bytes:
    stamp = f"{stay.discharged_at:%Y%m%d%H%M%S}"
    segments = [
        _header(encounter, "ADT^A03^ADT_A03", stamp, mark),
        f"EVN|A03|{stamp}",
        _patient(encounter, encounter.patient),
        _visit(encounter, is_discharged=True),
        *(_diagnosis_segment(code, index) for index, code in enumerate(encounter.diagnosis_codes, 1)),
        _segment("DRG", {1: stay.admission.drg}),
    ]
    if stay.admission.procedure:
        fields = {1: "1", 3: f"{stay.admission.procedure}^^I10P", 5: _day(stay.procedure_day), 6: "D"}
        segments.append(_segment("PR1", fields))
    segments += _insurances(encounter, encounter.patient)
    return _message(segments)


def later_transactions(encounter: SimulatedEncounter, told: Sequence[Transaction], number: int) -> bytes:
    """The DFT^P03 of the `number`-th later word on a visit: what else was charged, corrected, credited or paid."""
    stamp = f"{_day(encounter.service_to + timedelta(days=1 + number))}093000"
    segments = [
        _header(encounter, "DFT^P03^DFT_P03", stamp, f"-{number}"),
        f"EVN|P03|{stamp}",
        _patient(encounter, encounter.patient),
        _visit(encounter, is_discharged=True),
        *_transactions(encounter, told),
    ]
    return _message(segments)


def _charges(encounter: SimulatedEncounter) -> bytes:
    stamp = f"{_day(encounter.service_to + timedelta(days=1))}093000"
    is_detailed = Dice("detailed", encounter.visit_number).chance(DETAILED_PERCENT)
    event = "P11" if is_detailed else "P03"
    diagnoses = [_diagnosis_segment(code, index) for index, code in enumerate(encounter.diagnosis_codes, 1)]
    insurances = _insurances(encounter, encounter.patient)
    transactions = _transactions(encounter, _first_told(encounter))
    head = [
        _header(encounter, f"DFT^{event}^DFT_{event}", stamp),
        f"EVN|{event}|{stamp}",
        _patient(encounter, encounter.patient),
        _visit(encounter, is_discharged=True),
    ]
    if is_detailed:
        return _message([*head, *diagnoses, *insurances, *transactions])
    return _message([*head, *transactions, *diagnoses, *insurances])


def _first_told(encounter: SimulatedEncounter) -> list[Transaction]:
    told = [(charge, CHARGED) for charge in encounter.charges]
    if not encounter.stay and Dice("charged by mistake", encounter.visit_number).chance(MISTAKEN_CHARGE_PERCENT):
        mistaken = replace(encounter.charges[0], transaction_id=f"{encounter.visit_number}-{MISTAKEN}")
        told += [(mistaken, CHARGED), (mistaken, CREDITED)]
    return told


def _transactions(encounter: SimulatedEncounter, told: Sequence[Transaction]) -> list[str]:
    provider = sandbox_master_data().provider(encounter.provider, encounter.service_from)
    return [_transaction(encounter, charge, index, provider, kind) for index, (charge, kind) in enumerate(told, 1)]


def _message(segments: list[str]) -> bytes:
    return "".join(f"{segment}\r" for segment in segments).encode("ascii")


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")


def _text(value: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in value)


def _segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(index, "") for index in range(1, max(fields) + 1))])


def _header(encounter: SimulatedEncounter, kind: str, stamp: str, mark: str = "") -> str:
    control_id = f"{encounter.visit_number}-{kind[4:7]}{mark}"
    sender = f"{encounter.source}|{encounter.entity}|THROUGHLINE|BILLING"
    return f"MSH|^~\\&|{sender}|{stamp}||{kind}|{control_id}|P|2.5.1"


def _patient(encounter: SimulatedEncounter, patient: SimulatedPatient) -> str:
    fields = {
        1: "1",
        3: f"{patient.mrn}^^^{encounter.source}^MR",
        5: f"{_text(patient.family_name)}^{_text(patient.given_name)}",
        7: _day(patient.birth_date),
        8: patient.sex,
        11: f"{_text(patient.street)}^^{_text(patient.city)}^{patient.state}^{patient.postal_code}^USA",
        18: encounter.visit_number,
    }
    return _segment("PID", fields)


def _visit(encounter: SimulatedEncounter, *, is_discharged: bool = False) -> str:
    provider = sandbox_master_data().provider(encounter.provider, encounter.service_from)
    fields = {
        1: "1",
        2: "E" if encounter.location == "S-ER" else "O",
        3: f"{encounter.location}^^^{encounter.entity}",
        7: _people(provider),
        19: encounter.visit_number,
        20: "" if encounter.coverages else SELF_PAY_CLASS,
        44: _day(encounter.service_from),
        45: _day(encounter.service_to),
    }
    if encounter.stay:
        fields |= _stay_fields(encounter.stay, is_discharged=is_discharged)
    return _segment("PV1", fields)


def _stay_fields(stay: SimulatedStay, *, is_discharged: bool) -> dict[int, str]:
    fields = {2: "I", 4: _ADMISSION_TYPES[stay.admission_type], 14: stay.admission_source}
    fields |= {44: f"{stay.admitted_at:%Y%m%d%H%M}", 45: ""}
    if is_discharged:
        fields |= {36: stay.patient_status, 45: f"{stay.discharged_at:%Y%m%d%H%M}"}
    return fields


def _people(provider: Provider) -> str:
    name = f"{_text(provider.family_name)}^{_text(provider.given_name)}"
    return f"{provider.code}^{name}^^^^^^SANDBOX~{provider.npi}^{name}^^^^^^NPI"


def _transaction(
    encounter: SimulatedEncounter, charge: SimulatedCharge, index: int, provider: Provider, kind: str
) -> str:
    procedure = _procedure(charge)
    fields = {
        1: str(index),
        2: charge.transaction_id,
        4: _day(charge.service_date),
        5: _day(encounter.service_to + timedelta(days=1)),
        6: kind,
        7: procedure,
        10: str(charge.units),
        11: f"{charge.amount.decimal_text}&USD",
        12: f"{charge.unit_amount.decimal_text}&USD",
        13: charge.source_department,
        16: f"{encounter.location}^^^{encounter.entity}",
        19: "~".join(_diagnosis(code) for code in charge.diagnosis_codes),
        20: _people(provider),
        25: procedure,
        26: "~".join(charge.modifiers),
    }
    return _segment("FT1", fields)


def _procedure(charge: SimulatedCharge) -> str:
    """The procedure with the revenue code as its alternate, or the revenue code alone."""
    text = _text(charge.description)
    if not charge.procedure_code:
        return f"{charge.revenue_code}^{text}^NUBC"
    procedure = f"{charge.procedure_code}^{text}^C4"
    return f"{procedure}^{charge.revenue_code}^^NUBC" if charge.revenue_code else procedure


def _diagnosis(code: str) -> str:
    return f"{code}^{_text(_DIAGNOSIS_TEXTS[code])}^I10"


def _diagnosis_segment(code: str, index: int) -> str:
    return _segment("DG1", {1: str(index), 3: _diagnosis(code), 6: "F", 15: str(index)})


def _insurances(encounter: SimulatedEncounter, patient: SimulatedPatient) -> list[str]:
    return [_insurance(patient, each, order) for order, each in enumerate(encounter.coverages, 1)]


def _insurance(patient: SimulatedPatient, coverage: SimulatedCoverage, order: int) -> str:
    fields = {
        1: str(order),
        2: f"{coverage.payer}-PLAN",
        3: coverage.payer,
        4: coverage.payer,
        8: coverage.group_number,
        16: f"{_text(patient.family_name)}^{_text(patient.given_name)}",
        17: "SEL",
        18: _day(patient.birth_date),
        22: str(order),
        36: coverage.member_id,
    }
    return _segment("IN1", fields)
