"""The rows of one visit as a message of its own: facts, or what is wrong by line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from canonical.money import Money
from canonical.party import Address, CoverageDetails, PatientDetails

from intake.adapters.charge_batches.columns import ONE_A_VISIT, PAYER, SECOND, SELF_PAY, VOID
from intake.adapters.charge_batches.rows import Batch, Row, read_batch
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import (
    NOWHERE,
    ChargesComplete,
    ChargeSeen,
    ChargeVoided,
    CoverageSeen,
    EncounterSeen,
    Fact,
    Link,
    PatientIdentifier,
    PatientSeen,
)
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of
from intake.domain.next_coverage import FIRST_RANK
from intake.domain.refusals import Finding

FORMAT = "charge-batch"
UNKNOWN_SOURCE = "unknown"
_ADDRESS = ("address_line", "city", "state", "postal_code")


def deliveries_of(batch: Batch, actor: str) -> Iterator[InboundDelivery]:
    """One delivery for each visit, in the order in which the visits first come; each is made when it is asked for."""
    visits: dict[tuple[str, str], list[Row]] = {}
    for row in batch.rows:
        visit = row.values.get("visit_number", "")
        visits.setdefault((row.values.get("source", ""), visit or row.place), []).append(row)
    return (_delivery(batch.header, rows, actor) for rows in visits.values())


def read_part(raw: bytes, *, actor: str) -> InboundDelivery:
    """A visit's rows as they were kept: the header line and the rows."""
    batch = read_batch(raw, needs_control=False)
    if batch.faults or not batch.rows:
        return InboundDelivery(UNKNOWN_SOURCE, "none", FORMAT, raw, actor, findings=tuple(batch.faults))
    return _delivery(batch.header, batch.rows, actor)


def _delivery(header: bytes, rows: Sequence[Row], actor: str) -> InboundDelivery:
    """The message is the header and the rows of the visit; its key names the visit, and is kept as a hash."""
    raw = header + b"".join(row.raw.rstrip(b"\r\n") + b"\n" for row in rows)
    first = rows[0].values
    source, visit = first.get("source") or UNKNOWN_SOURCE, first.get("visit_number", "")
    findings = [fault for row in rows for fault in row.faults]
    findings = findings or [*_differences(rows), *_dates(rows), *_lacks(rows), *_payers(rows[0])]
    known = not findings
    return InboundDelivery(
        source,
        visit or "none",
        FORMAT,
        raw,
        actor,
        facts=tuple(_facts(source, visit, rows)) if known else (),
        findings=tuple(findings),
        patient=Link(id=patient_id_of(source, first["patient_number"])) if known else NOWHERE,
        entity=first["entity"] if known else "",
        traits=(("rows", str(len(rows))),),
        hides_key=True,
    )


def _differences(rows: Sequence[Row]) -> Iterator[Finding]:
    first = rows[0]
    for row in rows[1:]:
        for name in ONE_A_VISIT:
            if row.values.get(name, "") != first.values.get(name, ""):
                yield Finding(f"{row.place}.{name}", "visit-differs", f"as in line {first.line}, of the same visit")


def _dates(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        for name in ("birth_date", "service_date"):
            if _day(row.values[name]) is None:
                yield Finding(f"{row.place}.{name}", "date", "a day of the calendar")


def _lacks(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        if not row.values.get("procedure_code") and not row.values.get("revenue_code"):
            yield Finding(f"{row.place}.procedure_code", "required", "it, or a revenue code")


def _payers(row: Row) -> Iterator[Finding]:
    """The rows of a visit say the same of its payers, so the first speaks for all."""
    second = row.values.get(SECOND + "payer", "")
    if second and row.values.get("payer", "") in ("", SELF_PAY):
        yield Finding(f"{row.place}.{SECOND}payer", "second-payer", "a payer before it, who is not the patient")
    if second == SELF_PAY:
        yield Finding(
            f"{row.place}.{SECOND}payer", "second-payer", "empty where the patient pays what the first leaves"
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _facts(source: str, visit: str, rows: Sequence[Row]) -> Iterator[Fact]:
    row, first = rows[0], rows[0].values
    patient = Link(id=patient_id_of(source, first["patient_number"]))
    encounter = Link(id=encounter_id_of(source, visit))
    yield _patient(source, row)
    yield EncounterSeen(
        row.place,
        encounter_id_of(source, visit),
        patient,
        Link(code=first["entity"]),
        first.get("location", ""),
        Link(code=first.get("rendering_provider", "")),
        finished=False,
        diagnosis_codes=tuple(dict.fromkeys(code for each in rows for code in _codes(each, "diagnosis_codes"))),
        account_number=visit,
    )
    if first.get("payer"):
        yield _coverage(row, patient, encounter, FIRST_RANK)
    if first.get(SECOND + "payer"):
        yield _coverage(row, patient, encounter, FIRST_RANK + 1, SECOND)
    for each in rows:
        yield _charge(source, each, encounter)
    yield ChargesComplete(row.place, encounter)


def _patient(source: str, row: Row) -> PatientSeen:
    values = row.values
    born = _day(values["birth_date"])
    assert born is not None, "dates were looked at before"
    has_address = any(values.get(name) for name in _ADDRESS)
    details = PatientDetails(
        family_name=values["family_name"],
        given_name=values["given_name"],
        birth_date=born,
        sex=values.get("sex") or "U",
        address=Address(**{name.removeprefix("address_"): values.get(name, "") for name in _ADDRESS}),
        identifiers=(values["patient_number"],),
    )
    unsaid = (*(() if values.get("sex") else ("sex",)), *(() if has_address else ("address",)))
    identifier = PatientIdentifier("", "MR", values["patient_number"])
    patient_id = patient_id_of(source, values["patient_number"])
    return PatientSeen(row.place, patient_id, details, identifiers=(identifier,), unsaid=unsaid)


def _coverage(row: Row, patient: Link, encounter: Link, rank: int, which: str = "") -> CoverageSeen:
    """Who pays at this rank; `which` begins the names of its columns."""
    payer, member_id, group_number, plan = (row.values.get(which + name, "") for name in PAYER)
    if payer == SELF_PAY:
        return CoverageSeen(row.place, patient, encounter, Link())
    details = CoverageDetails(member_id=member_id, group_number=group_number, plan=plan)
    return CoverageSeen(row.place, patient, encounter, Link(code=payer), details, rank)


def _charge(source: str, row: Row, encounter: Link) -> Fact:
    values = row.values
    charge_id = charge_id_of(source, values["transaction_id"])
    if values.get("action") == VOID:
        return ChargeVoided(row.place, charge_id, encounter)
    served = _day(values["service_date"])
    assert served is not None, "dates were looked at before"
    return ChargeSeen(
        row.place,
        charge_id,
        encounter,
        values.get("procedure_code", ""),
        _codes(row, "modifiers"),
        Decimal(values["units"]),
        Money.of(values["amount"]),
        served,
        values.get("department", ""),
        Link(code=values.get("performer", "")),
        _codes(row, "diagnosis_codes"),
        corrects=True,
        revenue_code=values.get("revenue_code", ""),
    )


def _codes(row: Row, name: str) -> tuple[str, ...]:
    return tuple(row.values.get(name, "").split())
