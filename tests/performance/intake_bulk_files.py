"""Bulk files of any size: a department's whole month in one CSV file, the patients of a system that is replaced."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

COLUMNS = (
    "source", "entity", "patient_number", "family_name", "given_name", "birth_date", "visit_number", "location",
    "rendering_provider", "payer", "member_id", "transaction_id", "service_date", "procedure_code", "units", "amount",
    "diagnosis_codes", "department",
)  # fmt: skip
ROWS_PER_VISIT = 2
AMOUNT_CENTS = 12_400


def charge_batch(row_count: int, day: date) -> bytes:
    """So many charges, two a visit, each visit of a patient of its own, with the control row that the profile asks for."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number in range(row_count):
        visit = number // ROWS_PER_VISIT
        writer.writerow(_row(number, visit, day))
    cents = row_count * AMOUNT_CENTS
    writer.writerow(("#CONTROL", row_count, f"{cents // 100}.{cents % 100:02d}"))
    return text.getvalue().encode()


def _row(number: int, visit: int, day: date) -> tuple[object, ...]:
    birth = date.fromordinal(date(1950, 1, 1).toordinal() + visit % 20_000)
    return (
        "ehr-south", "SOUTH", f"BULK{visit}", f"Family{visit}", f"Given{visit}", birth, f"BV{visit}", "S-MAIN",
        "PRV03", "ACME", f"M{visit}", f"BT{number}", day.replace(day=1), "99213", 1, f"{AMOUNT_CENTS // 100}.00",
        "E11.9", "S-MED",
    )  # fmt: skip


def patient_lines(line_count: int) -> bytes:
    """So many patients, a line each, as a system that is replaced hands them over."""
    return b"".join(f"{json.dumps(_patient(number))}\n".encode() for number in range(line_count))


def _patient(number: int) -> dict[str, object]:
    birth = date.fromordinal(date(1950, 1, 1).toordinal() + number % 20_000)
    return {
        "resourceType": "Patient",
        "id": f"bulk-{number}",
        "identifier": [{"system": "urn:sandbox:mrn:NORTH", "value": f"BULK{number}"}],
        "name": [{"family": f"Family{number}", "given": [f"Given{number}"]}],
        "birthDate": birth.isoformat(),
        "gender": ("female", "male")[number % 2],
    }
