"""Dental claims, and what of a stay a facility and a physician write."""

from __future__ import annotations

from decimal import Decimal

import pytest
from canonical.codes import ClaimType
from canonical.encounter import ChargeLine, DentalSite, InstitutionalStay
from canonical.remittance import ServicePayment
from chassis.testing import FixedClock
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.ports import BillableClaim, Unwritable
from claims.application.reactions import content_of
from claims.domain.adjudication import LineConfidence
from claims.domain.interchange_order import order_of, parties_of
from claims.domain.line_matching import match_lines
from x12.validation import validate
from x12.violations import ValidationError

from .test_other_claims import STAY as STAY_OF_THREE_NIGHTS
from .world import MASTER_DATA, charged, person

STAY = STAY_OF_THREE_NIGHTS.model_copy(update={"present_on_admission": ("Y", "N"), "drg": "291"})


def segments_of(claim: BillableClaim, claims: X12ClaimFormat | None = None) -> list[str]:
    parties = parties_of(claim.content, MASTER_DATA)
    order = order_of([claim.content], [parties], "000000042", FixedClock().now, production=False)
    raw = (claims or X12ClaimFormat()).write_validated(order, [claim])
    assert validate(raw) == []
    return raw.decode().replace("\n", "").split("~")


def claim_of(
    kind: ClaimType, *lines: ChargeLine, place: str = "11", stay: InstitutionalStay | None = None
) -> BillableClaim:
    content = content_of(charged()).model_copy(update={"claim_type": kind, "lines": lines, "place_of_service": place})
    return BillableClaim(content, person().model_copy(update={"stay": stay}))


def lines(**changes: object) -> tuple[ChargeLine, ...]:
    return tuple(line.model_copy(update=changes) for line in charged().charges)


def test_a_dental_line_names_its_tooth_and_surfaces() -> None:
    filled = {"procedure_code": "D2392", "modifiers": (), "dental": DentalSite(tooth="14", surfaces=("M", "O"))}
    segments = segments_of(claim_of(ClaimType.DENTAL, *lines(**filled)))
    assert [each for each in segments if each.startswith("TOO")] == ["TOO*JP*14*M:O", "TOO*JP*14*M:O"]
    assert [each.split("*")[1] for each in segments if each.startswith("SV3")] == ["AD:D2392", "AD:D2392"]
    assert any(each.startswith("GS*HC*") and each.endswith("005010X224A2") for each in segments)


def test_a_dental_line_may_name_a_part_of_the_mouth() -> None:
    cleaned = {"procedure_code": "D4341", "modifiers": (), "dental": DentalSite(areas=("10",))}
    segments = segments_of(claim_of(ClaimType.DENTAL, *lines(**cleaned)))
    assert [each.split("*")[4] for each in segments if each.startswith("SV3")] == ["10", "10"]
    assert not [each for each in segments if each.startswith("TOO")]


def test_half_a_dental_procedure_is_not_billed() -> None:
    half = {"procedure_code": "D2392", "modifiers": (), "units": Decimal("1.5")}
    with pytest.raises(Unwritable) as refused:
        segments_of(claim_of(ClaimType.DENTAL, *lines(**half)))
    ((told,),) = refused.value.by_claim.values()
    assert "whole number" in told


def test_a_facility_says_what_was_present_on_admission_the_drg_and_days_of_a_room() -> None:
    room = {"procedure_code": "", "modifiers": (), "revenue_code": "0120"}
    segments = segments_of(claim_of(ClaimType.INSTITUTIONAL, *lines(**room), stay=STAY))
    assert "HI*ABK:R0789:::::::Y" in segments
    assert "HI*ABF:I10:::::::N" in segments
    assert "HI*DR:291" in segments
    assert {each.split("*")[4] for each in segments if each.startswith("SV2")} == {"DA"}


def test_a_physician_of_an_inpatient_names_the_day_of_admission() -> None:
    inside = segments_of(claim_of(ClaimType.PROFESSIONAL, *charged().charges, place="21", stay=STAY))
    outside = segments_of(claim_of(ClaimType.PROFESSIONAL, *charged().charges, place="11", stay=STAY))
    assert "DTP*435*D8*20260302" in inside
    assert not [each for each in outside if each.startswith("DTP*435")]


def test_what_another_validator_finds_is_told_of_the_claim() -> None:
    def strict(raw: bytes) -> list[ValidationError]:
        return [ValidationError(1, "CLM", "ele", "7", "not today")]

    with pytest.raises(Unwritable) as refused:
        segments_of(claim_of(ClaimType.PROFESSIONAL, *charged().charges), X12ClaimFormat(strict))
    ((told,),) = refused.value.by_claim.values()
    assert told == "CLM ele 7: not today"


def test_a_room_is_found_again_by_its_revenue_code() -> None:
    room, scan = lines(procedure_code="", modifiers=(), revenue_code="0120")[0], charged().charges[1]
    paid = ServicePayment(
        procedure_code="0120",
        charge=room.amount,
        paid=room.amount,
        adjustments=(),
    )
    (decided,) = match_lines([scan, room], [paid])
    assert (decided.line, decided.confidence) == (2, LineConfidence.CODE_MODIFIERS_CHARGE)
