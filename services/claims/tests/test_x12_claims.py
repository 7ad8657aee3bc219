"""The 837P: the same order and claims give the same bytes, and faults lead back to their claim."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from canonical.encounter import AccidentCause, EncounterPhi
from chassis.testing import FixedClock
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.ports import BillableClaim, Unwritable
from claims.application.reactions import content_of
from claims.domain.interchange_order import InterchangeOrder, order_of, parties_of
from x12.inspection import inspect
from x12.validation import validate

from .world import MASTER_DATA, charged, control_number, person

FORMAT = X12ClaimFormat()


def billable(number: int, phi: EncounterPhi | None = None) -> BillableClaim:
    return BillableClaim(content_of(charged(number)), phi or person(number))


def order(*claims: BillableClaim) -> InterchangeOrder:
    contents = [claim.content for claim in claims]
    parties = [parties_of(content, MASTER_DATA) for content in contents]
    return order_of(contents, parties, "000000042", FixedClock().now, production=False)


CLAIMS = (billable(1), billable(2))


def test_the_validator_finds_nothing_wrong() -> None:
    assert validate(FORMAT.write_validated(order(*CLAIMS), CLAIMS)) == []


def test_the_same_arguments_give_the_same_bytes() -> None:
    kept = InterchangeOrder.model_validate_json(order(*CLAIMS).model_dump_json())

    assert FORMAT.write(kept, CLAIMS) == FORMAT.write_validated(order(*CLAIMS), CLAIMS)


def test_the_envelope_carries_our_number_twice_and_says_test() -> None:
    segments = FORMAT.write(order(*CLAIMS), CLAIMS).decode().split("~")

    assert segments[0].split("*")[13] == "000000042"
    assert segments[0].split("*")[15] == "T"
    assert segments[1].split("*")[6] == "42"


def test_seconds_do_not_matter_for_the_envelope_tells_minutes() -> None:
    contents = [claim.content for claim in CLAIMS]
    parties = [parties_of(content, MASTER_DATA) for content in contents]
    now = FixedClock().now
    first, second = (
        order_of(contents, parties, "000000042", now + timedelta(seconds=seconds), production=False)
        for seconds in (1, 59)
    )

    assert first == second


def test_control_numbers_line_numbers_and_diagnoses_are_written_as_billed() -> None:
    written = FORMAT.write(order(*CLAIMS), CLAIMS).decode()

    assert f"CLM*{control_number(1)}*250***11:B:1*" in written
    assert "HI*ABK:R0789*ABF:I10~" in written
    assert "SV1*HC:99213:25*150*UN*1***1:2~" in written
    assert "REF*6R*2~" in written


def test_our_own_inspection_accepts_the_file() -> None:
    inspected = inspect(FORMAT.write(order(*CLAIMS), CLAIMS))

    (transaction_set,) = [each for interchange in inspected.interchanges for each in interchange.transaction_sets]
    assert transaction_set.verdict == "accepted"


def test_a_value_that_cannot_be_written_blames_its_claim_alone_and_is_not_shown() -> None:
    coverage = person(2).coverage
    assert coverage is not None
    faulty = person(2).model_copy(update={"coverage": coverage.model_copy(update={"member_id": "SECRET~1"})})
    claims = (billable(1), billable(2, faulty))

    with pytest.raises(Unwritable) as refused:
        FORMAT.write_validated(order(*claims), claims)

    assert list(refused.value.by_claim) == [control_number(2)]
    (fault,) = refused.value.by_claim[control_number(2)]
    assert fault.startswith("subscriber.member_id: ")
    assert "SECRET" not in fault


def test_an_encounter_without_coverage_cannot_be_written() -> None:
    claims = (billable(1, person(1).model_copy(update={"coverage": None})),)

    with pytest.raises(Unwritable) as refused:
        FORMAT.write(order(*claims), claims)

    assert refused.value.by_claim == {control_number(1): ("subscriber: the encounter has no coverage for this payer",)}


def test_a_fault_of_the_sender_holds_every_claim() -> None:
    nameless = order(*CLAIMS).model_copy(update={"billing": order(*CLAIMS).billing.model_copy(update={"tax_id": "12"})})

    with pytest.raises(Unwritable) as refused:
        FORMAT.write(nameless, CLAIMS)

    assert set(refused.value.by_claim) == {control_number(1), control_number(2)}


@pytest.mark.parametrize(
    ("cause", "state", "related"), [("automobile", "OH", "AA:::OH"), ("employment", "OH", "EM"), ("other", "", "OA")]
)
def test_onset_and_accident_stand_where_the_guide_puts_them(cause: str, state: str, related: str) -> None:
    days = {"onset_date": date(2026, 2, 1), "accident_date": date(2026, 1, 31)}
    told = days | {"accident_cause": AccidentCause(cause), "accident_state": state}
    claim = billable(1, person(1).model_copy(update=told))
    segments = FORMAT.write_validated(order(claim), (claim,)).decode().split("~")
    (clm,) = (segment.split("*") for segment in segments if segment.startswith("CLM*"))
    assert clm[11] == related
    assert {"DTP*431*D8*20260201", "DTP*439*D8*20260131"} <= set(segments)
