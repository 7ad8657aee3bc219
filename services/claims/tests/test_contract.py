"""What a contract allows against what a payer allowed, as tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from canonical.codes import AdjustmentGroup
from canonical.master_data import FeeScheduleRow
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, ServicePayment
from claims.application.adjudicating import decision_of
from claims.application.reactions import content_of
from claims.domain.adjudication import PayerDecision
from claims.domain.contract import Comparison, FeeSchedules, compare
from claims.domain.line_matching import match_lines

from .world import adjustment, charged, chunk, paid

CONTENT = content_of(charged())
VISIT, TRACING = CONTENT.lines
CO, PR = AdjustmentGroup.CONTRACTUAL, AdjustmentGroup.PATIENT


def fee(code: str, allowed: str, **changes: Any) -> FeeScheduleRow:
    return FeeScheduleRow(code=code, payer="ACME", allowed=Money.of(allowed), **changes)


BOTH = (fee("99213", "110.00"), fee("93000", "35.00"))


def service(line: int, amount: str, *adjustments: ClaimAdjustment) -> ServicePayment:
    submitted = CONTENT.lines[line - 1]
    return ServicePayment(
        procedure_code=submitted.procedure_code,
        modifiers=submitted.modifiers,
        charge=submitted.amount,
        paid=Money.of(amount),
        line_control_number=str(line),
        adjustments=adjustments,
    )


def decided(*services: ServicePayment, position: int = 0, claim: tuple[ClaimAdjustment, ...] = ()) -> PayerDecision:
    payment = paid(position=position, services=services, adjustments=claim)
    return decision_of(chunk(payment), payment, match_lines(CONTENT.lines, services))


def compared(*decisions: PayerDecision, rows: tuple[FeeScheduleRow, ...] = BOTH) -> Comparison | None:
    return compare(CONTENT, decisions, FeeSchedules(rows), ["45"])


def shortfall(*decisions: PayerDecision, rows: tuple[FeeScheduleRow, ...] = BOTH) -> str:
    found = compared(*decisions, rows=rows)
    return "nothing to compare" if found is None else found.shortfall.decimal_text


KEPT = (
    service(1, "90.00", adjustment(CO, "45", "40.00"), adjustment(PR, "3", "20.00")),
    service(2, "70.00", adjustment(CO, "45", "30.00")),
)


def test_a_payer_that_allows_what_its_contract_says_is_not_short() -> None:
    assert compared(decided(*KEPT)) == Comparison(Money.of("180.00"), Money.of("180.00"), Money.zero())


def test_units_multiply_what_one_is_allowed() -> None:
    assert FeeSchedules(BOTH).allowed("ACME", TRACING) == Money.of("70.00")
    assert FeeSchedules(BOTH).allowed("ACME", TRACING.model_copy(update={"units": Decimal("1.5")})) == Money.of("52.50")


def test_what_was_allowed_too_little_is_the_shortfall() -> None:
    short = service(1, "60.00", adjustment(CO, "45", "70.00"), adjustment(PR, "3", "20.00"))

    assert shortfall(decided(short, KEPT[1])) == "30.00"


def test_sequestration_is_allowed_and_not_paid() -> None:
    sequestered = service(2, "68.60", adjustment(CO, "45", "30.00"), adjustment(CO, "253", "1.40"))

    assert shortfall(decided(KEPT[0], sequestered)) == "0.00"


def test_what_was_denied_is_worked_as_a_denial_and_not_as_an_underpayment() -> None:
    refused = service(2, "0.00", adjustment(CO, "197", "100.00"))

    short = service(1, "60.00", adjustment(CO, "45", "70.00"), adjustment(PR, "3", "20.00"))

    assert shortfall(decided(KEPT[0], refused)) == "0.00"
    assert shortfall(decided(short, refused)) == "30.00"


def test_parts_of_a_split_claim_are_compared_line_by_line() -> None:
    assert shortfall(decided(KEPT[0])) == "0.00"
    assert shortfall(decided(KEPT[0]), decided(KEPT[1], position=1)) == "0.00"
    assert (
        shortfall(decided(KEPT[0]), decided(service(2, "50.00", adjustment(CO, "45", "50.00")), position=1)) == "20.00"
    )


def test_adjustments_of_the_claim_as_a_whole_lower_what_was_allowed() -> None:
    assert shortfall(decided(*KEPT, claim=(adjustment(CO, "45", "15.00"),))) == "15.00"
    assert shortfall(decided(*KEPT, claim=(adjustment(PR, "1", "15.00"),))) == "0.00"


def test_a_decision_without_lines_is_compared_where_the_contract_speaks_of_every_line() -> None:
    whole = decided(claim=(adjustment(CO, "45", "70.00"), adjustment(PR, "3", "30.00")))

    assert shortfall(whole) == "0.00"
    assert shortfall(whole, rows=BOTH[:1]) == "nothing to compare"


def test_a_contract_that_says_nothing_of_a_line_leaves_it_out() -> None:
    assert compared(decided(*KEPT), rows=BOTH[1:]) == Comparison(Money.of("70.00"), Money.of("70.00"), Money.zero())
    assert compared(decided(*KEPT), rows=()) is None


@pytest.mark.parametrize(
    ("rows", "allowed"),
    [
        ((fee("99213", "110.00"), fee("99213", "130.00", modifiers=("25",))), "130.00"),
        ((fee("99213", "110.00"), fee("99213", "90.00", modifiers=("59",))), "110.00"),
        (
            (fee("99213", "110.00", valid_until=date(2026, 3, 1)), fee("99213", "115.00", valid_from=date(2026, 3, 2))),
            "115.00",
        ),
        ((fee("99213", "110.00"), fee("99213", "120.00", plan="GOLD")), "120.00"),
        ((fee("99213", "120.00", plan="SILVER"),), None),
    ],
)
def test_the_row_that_says_most_of_a_line_counts(rows: tuple[FeeScheduleRow, ...], allowed: str | None) -> None:
    found = FeeSchedules(rows).allowed("ACME", VISIT, "GOLD")

    assert found == (None if allowed is None else Money.of(allowed))
