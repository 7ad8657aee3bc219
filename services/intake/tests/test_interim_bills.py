"""A bill is of a whole stay: interim bills, and changes of bills that a source asks for by type of bill, are held by name."""

from __future__ import annotations

import pytest
from canonical.events.intake import EncounterCharged
from intake.domain.facility_codes import type_of_bill

from .test_stays import ADMISSION, CHARGES, DISCHARGE, pv1, stay_bundle
from .world import IntakeUnderTest, raw


def discharged(type_of_bill: str = "", *, status: str = "01") -> bytes:
    """The discharge, with a type of bill in GP1-1."""
    text = DISCHARGE.replace(pv1("01", "202602131105").encode(), pv1(status, "202602131105").encode())
    return text + f"GP1|{type_of_bill}\r".encode() if type_of_bill else text


def outcome_of(*messages: bytes) -> tuple[list[str], list[str]]:
    """The codes of the cases, and what was billed."""
    intake = IntakeUnderTest()
    intake.receive(*messages)
    billed = [event.total.decimal_text for event in intake.events() if isinstance(event, EncounterCharged)]
    return [str(row["code"]) for row in intake.cases()], billed


@pytest.mark.parametrize("last", [discharged(), discharged("11"), discharged("111"), discharged("0111")])
def test_a_whole_stay_is_billed(last: bytes) -> None:
    assert outcome_of(ADMISSION, CHARGES, last) == ([], ["4720.50"])


@pytest.mark.parametrize(
    ("last", "case"),
    [
        (discharged("112"), "InterimBill"),
        (discharged("0113"), "InterimBill"),
        (discharged("114"), "InterimBill"),
        (discharged(status="30"), "InterimBill"),
        (discharged("117"), "BillFrequency"),
        (discharged("0115"), "BillFrequency"),
    ],
)
def test_any_other_bill_is_held_and_says_why(last: bytes, case: str) -> None:
    assert outcome_of(ADMISSION, CHARGES, last) == ([case], [])


def test_an_interim_bill_told_over_fhir_is_held_too() -> None:
    told = raw(stay_bundle())
    assert b'"0111"' in told
    assert outcome_of(told.replace(b'"0111"', b'"0112"')) == (["InterimBill"], [])


def test_the_stay_is_billed_when_it_has_ended() -> None:
    intake = IntakeUnderTest()
    intake.receive(ADMISSION, CHARGES, discharged("112"))
    intake.receive(discharged("111"))
    assert [row["state"] for row in intake.cases()] == ["corrected"]
    assert [event.total.decimal_text for event in intake.events() if isinstance(event, EncounterCharged)] == ["4720.50"]


@pytest.mark.parametrize(
    ("code", "read"),
    [("", ("", "")), ("11", ("11", "")), ("111", ("11", "1")), ("0117", ("11", "7")), ("011X1", ("01", "1X1"))],
)
def test_a_type_of_bill_is_read_with_or_without_its_leading_zero(code: str, read: tuple[str, str]) -> None:
    assert type_of_bill(code) == read
