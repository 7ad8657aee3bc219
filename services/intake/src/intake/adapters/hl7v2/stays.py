"""What HL7 segments say of a stay: PV1 class, times and codes, DG1 by type, PR1 of ICD-10-PCS, UB2, GP1, DRG."""

from __future__ import annotations

from collections.abc import Iterator

from canonical.encounter import DatedCode, ValuedCode
from canonical.money import Money, MoneyRefused

from intake.adapters.hl7v2.codes import diagnosis_in
from intake.adapters.hl7v2.context import Reading, value_in
from intake.adapters.hl7v2.segments import Message, Segment
from intake.adapters.hl7v2.site_profiles import SiteProfile
from intake.adapters.hl7v2.stamps import day_of
from intake.adapters.hl7v2.triggers import Trigger
from intake.domain.clinical import SeenStay
from intake.domain.facility_codes import type_of_bill

INPATIENT = "I"
ADMITTING = "A"
DELETED = "D"
REVENUE_SYSTEMS = ("NUBC", "HL70456", "0456")
REVENUE_DIGITS = 4
CODE_CHARACTERS_MAX = 20
PROCEDURE_SYSTEMS = ("I10P", "ICD10PCS", "I10PCS")
INSTANT_DIGITS, DAY_DIGITS = 12, 8


def diagnoses_and_stay(message: Message, reading: Reading) -> tuple[tuple[str, ...], SeenStay | None]:
    """The diagnoses to bill, the principal one first, and the stay where the message tells of one.

    DG1s of type A are the admission's: they are billed only where a visit that is no stay has none of another type.
    """
    pv1 = message.first("PV1")
    listed = (dg1 for dg1 in message.in_order("DG1") if dg1.field(21) != DELETED)
    told = [(diagnosis_in(dg1, 3, "DG1", reading), dg1) for dg1 in listed]
    admitting = [code for code, dg1 in told if dg1.field(6) == ADMITTING and code]
    others = [(code, dg1) for code, dg1 in told if dg1.field(6) != ADMITTING and code]
    is_inpatient = pv1 is not None and pv1.field(2) == INPATIENT
    codes = [code for code, _ in others]
    if not codes and not is_inpatient:
        codes = admitting
    codes = list(dict.fromkeys(codes))
    gp1 = message.first("GP1")
    bill_type, frequency = type_of_bill(gp1.field(1) if gp1 else "")
    seen = SeenStay(
        is_inpatient=is_inpatient,
        bill_type=bill_type,
        bill_frequency=frequency,
        admission_type=_code(pv1, 4, reading),
        admission_source=_code(pv1, 14, reading),
        patient_status=_code(pv1, 36, reading),
        admitting_diagnosis=next(iter(admitting), "") if is_inpatient else "",
        procedures=tuple(_procedures(message, reading)),
        drg=next((drg.field(1) for drg in message.segments("DRG")), ""),
        on_admission={code: dg1.field(26) for code, dg1 in others if dg1.field(26)},
        **_uniform_billing(message, reading),
    )
    if seen == SeenStay():
        return tuple(codes), None
    stamps = {"admitted_at": pv1.field(44), "discharged_at": pv1.field(45)} if pv1 else {}
    times = {name: _time(reading.local(stamp)) for name, stamp in stamps.items()}
    return tuple(codes), seen.model_copy(update=times)


def withdrawn_diagnoses(message: Message, reading: Reading) -> tuple[str, ...]:
    """Those of DG1s that say "delete" (DG1-21)."""
    deleted = (dg1 for dg1 in message.in_order("DG1") if dg1.field(21) == DELETED)
    return tuple(filter(None, (diagnosis_in(dg1, 3, "DG1", reading) for dg1 in deleted)))


def lists_diagnoses(message: Message, trigger: Trigger) -> bool:
    """Whether its diagnoses are those of the visit: more than the admission's, and not those of some charges."""
    return trigger is not Trigger.TRANSACTIONS and any(dg1.field(6) != ADMITTING for dg1 in message.segments("DG1"))


def _code(pv1: Segment | None, number: int, reading: Reading) -> str:
    """A code of a stay; words in its place are left out, and the bill waits for the code where it needs one."""
    code = pv1.field(number) if pv1 else ""
    if len(code) > CODE_CHARACTERS_MAX:
        reading.leave_out(f"PV1-{number}", "code", f"a code has at most {CODE_CHARACTERS_MAX} characters")
        return ""
    return code


def revenue_and_department(group: Message, profile: SiteProfile) -> tuple[str, str, str]:
    """The revenue code, the department, and the procedure of a charge.

    A revenue code stands in FT1-41, or in FT1-25, FT1-7 or FT1-13 under its own code system, alone or as the alternate
    identifier.
    """
    ft1 = group.rows[0]
    coded = (_coded(ft1, number, REVENUE_SYSTEMS) for number in (25, 7, 13))
    revenue = ft1.field(41) or next(filter(None, coded), "")
    procedure = next(filter(None, (_at(place, group) for place in profile.procedure)), "")
    return revenue.zfill(REVENUE_DIGITS) if revenue else "", _at(profile.department, group), procedure


def _at(place: str, group: Message) -> str:
    name, _, number = place.partition("-")
    segment = group.first(name)
    if segment is None:
        return ""
    return value_in(segment, number) if "." in number else _but(segment, int(number))


def _coded(segment: Segment, number: int, systems: tuple[str, ...]) -> str:
    """The identifier or the alternate identifier of one of these code systems."""
    return next((segment.field(number, part) for part in (1, 4) if segment.field(number, part + 2) in systems), "")


def _but(segment: Segment, number: int) -> str:
    """The identifier, or the alternate one, that is no revenue code."""
    parts = (part for part in (1, 4) if segment.field(number, part + 2) not in REVENUE_SYSTEMS)
    return next(filter(None, (segment.field(number, part) for part in parts)), "")


def _time(stamp: str) -> str:
    """Day, hour and minute; the day alone where no hour is given. What is no time is left for the rules to refuse."""
    digits = stamp[:INSTANT_DIGITS]
    return digits if len(digits) in (0, INSTANT_DIGITS) else stamp[:DAY_DIGITS]


def _procedures(message: Message, reading: Reading) -> Iterator[DatedCode]:
    """Procedures of ICD-10-PCS; those of other code systems are charges, if anything."""
    for pr1 in message.in_order("PR1"):
        if pr1.field(3, 3) not in PROCEDURE_SYSTEMS:
            continue
        day = day_of(reading.local(pr1.field(5)))
        if day is None:
            reading.need("PR1-5", "the day of the procedure, as YYYYMMDD")
        else:
            yield DatedCode(code=pr1.field(3), on=day)


def _uniform_billing(message: Message, reading: Reading) -> dict[str, tuple[object, ...]]:
    """UB2: condition codes, values with their amounts, occurrences with their days."""
    ub2 = message.first("UB2")
    if ub2 is None:
        return {}
    values, occurrences = [], []
    for place, code in enumerate(ub2.repetitions(6), 1):
        try:
            values.append(ValuedCode(code=code, amount=Money.of(ub2.field(6, 2, repetition=place), "USD")))
        except MoneyRefused as refused:
            reading.refuse("UB2-6", "money", str(refused))
    for place, code in enumerate(ub2.repetitions(7), 1):
        day = day_of(ub2.field(7, 2, repetition=place))
        if day is None:
            reading.need("UB2-7", "the day of the occurrence, as YYYYMMDD")
        else:
            occurrences.append(DatedCode(code=code, on=day))
    return {"conditions": tuple(ub2.repetitions(3)), "values": tuple(values), "occurrences": tuple(occurrences)}
