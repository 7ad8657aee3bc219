"""The edits, as tables: what is wrong with a claim, and what is then needed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from canonical.master_data import MasterData
from canonical.money import Money
from canonical.npi import has_valid_check_digit
from claims.application.reactions import content_of
from claims.domain.claim_content import ClaimContent, HoldReason
from claims.domain.rules.edits import ClaimEdits

from .world import DAY, EDITS, MASTER_DATA, charged, reasons_in


def content(**changes: Any) -> ClaimContent:
    return content_of(charged(**changes))


def reasons_to_hold(claim: ClaimContent, master_data: MasterData = MASTER_DATA) -> tuple[HoldReason, ...]:
    return reasons_in(ClaimEdits(EDITS.rules, master_data).run(claim, DAY))


def codes(claim: ClaimContent, master_data: MasterData = MASTER_DATA) -> list[str]:
    return [reason.code for reason in reasons_to_hold(claim, master_data)]


LINES = charged().charges


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"has_member_id": False}, ["MissingMemberId"]),
        ({"diagnosis_count": 1}, ["DiagnosisPointer"]),
        ({"diagnosis_count": 0}, ["MissingDiagnosis", "DiagnosisPointer", "DiagnosisPointer"]),
        ({"diagnosis_count": 13}, ["TooManyDiagnoses"]),
        ({"charges": (), "total": Money(0)}, ["LineCount"]),
        ({"charges": LINES * 25, "total": Money.of("6250.00")}, []),
        ({"charges": LINES * 26, "total": Money.of("6500.00")}, ["LineCount"]),
        ({"total": Money.of("250.01")}, ["TotalCharge"]),
        ({"service_to": date(2026, 3, 1)}, ["ServiceDates"]),
        ({"service_from": date(2026, 3, 3), "service_to": date(2026, 3, 3)}, ["ServiceDates", "ServiceDates"]),
        ({"entity": "NOWHERE"}, ["UnknownEntity"]),
        ({"payer": "NOSUCHPAYER"}, ["UnknownPayer"]),
        ({"rendering_provider": "PRV99"}, ["UnknownProvider"]),
    ],
)
def test_each_edit_names_what_is_wrong(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(content(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": Money(0)}, ["LineAmount", "TotalCharge"]),
        ({"amount": Money.of("-150.00")}, ["LineAmount", "TotalCharge"]),
        ({"units": Decimal(0)}, ["LineUnits"]),
        ({"diagnosis_pointers": ()}, ["DiagnosisPointer"]),
        ({"diagnosis_pointers": (1, 1)}, ["DiagnosisPointer"]),
        ({"diagnosis_pointers": (0,)}, ["DiagnosisPointer"]),
        ({"diagnosis_pointers": (1, 2, 3, 4, 5)}, ["DiagnosisPointer"]),
    ],
)
def test_a_faulty_line_is_named_by_its_number(changes: dict[str, Any], expected: list[str]) -> None:
    claim = content(charges=(LINES[0].model_copy(update=changes), LINES[1]))

    reasons = reasons_to_hold(claim)

    assert [reason.code for reason in reasons] == expected
    assert "line 1" in reasons[0].needs


def test_master_data_is_asked_as_of_the_service_date() -> None:
    payers = tuple(
        payer.model_copy(update={"valid_until": date(2026, 3, 1)}) if payer.code == "ACME" else payer
        for payer in MASTER_DATA.payers
    )

    expired = MASTER_DATA.model_copy(update={"payers": payers})

    assert codes(content(), expired) == ["UnknownPayer"]
    lines = tuple(line.model_copy(update={"service_date": date(2026, 3, 1)}) for line in LINES)
    assert codes(content(service_from=date(2026, 3, 1), charges=lines), expired) == []


def test_an_impossible_npi_in_master_data_holds_the_claim() -> None:
    entities = tuple(entity.model_copy(update={"npi": "1900100004"}) for entity in MASTER_DATA.entities)
    providers = tuple(provider.model_copy(update={"npi": "1900102745"}) for provider in MASTER_DATA.providers)

    broken = MASTER_DATA.model_copy(update={"entities": entities, "providers": providers})

    assert codes(content(), broken) == ["EntityNpi", "ProviderNpi"]


def test_every_reason_says_what_is_needed_without_naming_the_patient() -> None:
    claim = content(has_member_id=False, diagnosis_count=0, payer="NOSUCHPAYER", total=Money(1))

    told = " ".join(str(reason) for reason in reasons_to_hold(claim))

    assert "member id" in told
    assert f"no payer 'NOSUCHPAYER' on {DAY}" in told
    assert "Sample" not in told


@pytest.mark.parametrize(
    ("npi", "valid"),
    [
        ("1234567893", True),
        ("1912301953", True),
        ("1234567890", False),
        ("123456789", False),
        ("12345678931", False),
        ("١٢٣٤٥٦٧٨٩٣", False),
        ("", False),
    ],
)
def test_the_check_digit_of_an_npi_is_luhn_over_its_prefix(npi: str, valid: bool) -> None:
    assert has_valid_check_digit(npi) is valid
