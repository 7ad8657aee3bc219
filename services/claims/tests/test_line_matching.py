"""Which submitted line a decided line pays, and how sure that is."""

from __future__ import annotations

import pytest
from canonical.encounter import ChargeLine
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ServicePayment
from claims.domain.line_matching import match_lines
from hypothesis import given
from hypothesis import strategies as st

from .world import DAY


def line(code: str, amount: str, *modifiers: str) -> ChargeLine:
    return ChargeLine(
        charge_id=derive("test-line", code, amount, modifiers),
        procedure_code=code,
        modifiers=modifiers,
        amount=Money.of(amount),
        service_date=DAY,
    )


def service(code: str, charge: str, *modifiers: str, number: str = "") -> ServicePayment:
    amount = Money.of(charge)
    return ServicePayment(
        procedure_code=code, modifiers=modifiers, charge=amount, paid=amount, line_control_number=number
    )


SUBMITTED = (line("99213", "150.00", "25"), line("93000", "100.00"), line("93000", "60.00"))


@pytest.mark.parametrize(
    ("case", "services", "found"),
    [
        (
            "our number decides, even where the payer recoded",
            [service("93000", "60.00", number="3"), service("99212", "150.00", number="1")],
            [(3, "control-number"), (1, "control-number")],
        ),
        (
            "without numbers, code and modifiers and charge",
            [service("93000", "60.00"), service("99213", "150.00", "25"), service("93000", "100.00")],
            [(3, "code-modifiers-charge"), (1, "code-modifiers-charge"), (2, "code-modifiers-charge")],
        ),
        ("a modifier was lost", [service("99213", "150.00")], [(1, "code-charge")]),
        ("another charge", [service("93000", "40.00")], [(2, "code")]),
        ("a reversal's charge is negative", [service("93000", "-60.00")], [(3, "code-modifiers-charge")]),
        ("nothing like it was submitted", [service("J1100", "5.00")], [(0, "none")]),
        ("a number that we never gave", [service("93000", "100.00", number="9")], [(2, "code-modifiers-charge")]),
        (
            "a surer sign of a later service goes first",
            [service("93000", "40.00"), service("93000", "100.00")],
            [(3, "code"), (2, "code-modifiers-charge")],
        ),
        (
            "no line is given twice",
            [service("99213", "75.00", "25", number="1"), service("99213", "75.00", "25", number="1")],
            [(1, "control-number"), (0, "none")],
        ),
    ],
)
def test_each_decided_line_finds_its_submitted_line(
    case: str, services: list[ServicePayment], found: list[tuple[int, str]]
) -> None:
    lines = match_lines(SUBMITTED, services)

    assert [(each.line, each.confidence.value) for each in lines] == found, case


codes = st.sampled_from(["99213", "93000", "J1100"])
amounts = st.sampled_from(["150.00", "100.00", "60.00"])
numbers = st.sampled_from(["", "1", "2", "3", "4", "x"])


@given(st.lists(st.builds(service, codes, amounts, number=numbers), max_size=8))
def test_lines_are_matched_one_to_one_in_the_payers_order(services: list[ServicePayment]) -> None:
    lines = match_lines(SUBMITTED, services)

    given_out = [each.line for each in lines if each.line]
    assert len(lines) == len(services)
    assert len(given_out) == len(set(given_out))
    assert all((each.line == 0) == (each.confidence.value == "none") for each in lines)
    assert [each.charge for each in lines] == [each.charge for each in services]
