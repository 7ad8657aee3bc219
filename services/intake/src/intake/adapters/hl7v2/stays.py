"""What HL7 segments say of a stay: PV1 class, times and codes, DG1 by type, PR1 of ICD-10-PCS, UB2, GP1, DRG."""

from __future__ import annotations

from collections.abc import Iterator

from canonical.encounter import DatedCode, ValuedCode
from canonical.money import Money, MoneyRefused

from intake.adapters.hl7v2.segments import Message, Segment, day_of
from intake.domain.clinical import SeenStay
from intake.domain.refusals import Finding

INPATIENT = "I"
ADMITTING = "A"
REVENUE_SYSTEMS = ("NUBC", "HL70456", "0456")
REVENUE_DIGITS = 4
PROCEDURE_SYSTEMS = ("I10P", "ICD10PCS", "I10PCS")
INSTANT_DIGITS, DAY_DIGITS = 12, 8


def diagnoses_and_stay(message: Message, findings: list[Finding]) -> tuple[tuple[str, ...], SeenStay | None]:
    """The diagnoses to bill, the principal one first, and the stay where the message tells of one.

    DG1s of type A are the admission's: they are billed only where a visit that is no stay has none of another type.
    """
    pv1 = message.first("PV1")
    told = sorted(message.segments("DG1"), key=lambda dg1: dg1.field(1).zfill(8))
    admitting = [dg1.field(3) for dg1 in told if dg1.field(6) == ADMITTING and dg1.field(3)]
    others = [dg1 for dg1 in told if dg1.field(6) != ADMITTING and dg1.field(3)]
    is_inpatient = pv1 is not None and pv1.field(2) == INPATIENT
    codes = [dg1.field(3) for dg1 in others]
    if not codes and not is_inpatient:
        codes = admitting
    seen = SeenStay(
        is_inpatient=is_inpatient,
        bill_type=_bill_type(message),
        admission_type=pv1.field(4) if pv1 else "",
        admission_source=pv1.field(14) if pv1 else "",
        patient_status=pv1.field(36) if pv1 else "",
        admitting_diagnosis=next(iter(admitting), "") if is_inpatient else "",
        procedures=tuple(_procedures(message, findings)),
        drg=next((drg.field(1) for drg in message.segments("DRG")), ""),
        on_admission={dg1.field(3): dg1.field(26) for dg1 in others if dg1.field(26)},
        **_uniform_billing(message, findings),
    )
    if seen == SeenStay():
        return tuple(codes), None
    times = {"admitted_at": _time(pv1.field(44)), "discharged_at": _time(pv1.field(45))} if pv1 else {}
    return tuple(codes), seen.model_copy(update=times)


def revenue_and_department(ft1: Segment) -> tuple[str, str, str]:
    """The revenue code, the department, and the procedure of a charge.

    A revenue code stands in FT1-25, FT1-7 or FT1-13 under its own code system, alone or as the alternate identifier.
    """
    revenue = next(filter(None, (_coded(ft1, number, REVENUE_SYSTEMS) for number in (25, 7, 13))), "")
    procedure = next(filter(None, (_but(ft1, number) for number in (25, 7))), "")
    return revenue.zfill(REVENUE_DIGITS) if revenue else "", _but(ft1, 13), procedure


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


def _bill_type(message: Message) -> str:
    """GP1-1, three or four digits of which the last is the frequency."""
    gp1 = message.first("GP1")
    text = gp1.field(1) if gp1 else ""
    return text[1:3] if len(text) == REVENUE_DIGITS else text[:2]


def _procedures(message: Message, findings: list[Finding]) -> Iterator[DatedCode]:
    """Procedures of ICD-10-PCS; those of other code systems are charges, if anything."""
    for pr1 in sorted(message.segments("PR1"), key=lambda each: each.field(1).zfill(8)):
        if pr1.field(3, 3) not in PROCEDURE_SYSTEMS:
            continue
        day = day_of(pr1.field(5))
        if day is None:
            findings.append(Finding("PR1-5", "required", "the day of the procedure, as YYYYMMDD"))
        else:
            yield DatedCode(code=pr1.field(3), on=day)


def _uniform_billing(message: Message, findings: list[Finding]) -> dict[str, tuple[object, ...]]:
    """UB2: condition codes, values with their amounts, occurrences with their days."""
    ub2 = message.first("UB2")
    if ub2 is None:
        return {}
    values, occurrences = [], []
    for place, code in enumerate(ub2.repetitions(6), 1):
        try:
            values.append(ValuedCode(code=code, amount=Money.of(ub2.field(6, 2, repetition=place), "USD")))
        except MoneyRefused as refused:
            findings.append(Finding("UB2-6", "money", str(refused)))
    for place, code in enumerate(ub2.repetitions(7), 1):
        day = day_of(ub2.field(7, 2, repetition=place))
        if day is None:
            findings.append(Finding("UB2-7", "required", "the day of the occurrence, as YYYYMMDD"))
        else:
            occurrences.append(DatedCode(code=code, on=day))
    return {"conditions": tuple(ub2.repetitions(3)), "values": tuple(values), "occurrences": tuple(occurrences)}
