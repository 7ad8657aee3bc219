"""What adjustments mean, in the accountant's words."""

from __future__ import annotations

import pytest
from canonical.codes import AdjustmentGroup
from canonical.money import Money
from claims.domain.adjudication import is_denial, shares_of
from hypothesis import given
from hypothesis import strategies as st

from .world import adjustment

CO, PR, PI, OA = (
    AdjustmentGroup.CONTRACTUAL,
    AdjustmentGroup.PATIENT,
    AdjustmentGroup.PAYER_INITIATED,
    AdjustmentGroup.OTHER,
)
LISTED = frozenset({"45"})
NOTHING = "0.00"


@pytest.mark.parametrize(
    ("case", "adjustments", "contractual", "denied", "patient", "other"),
    [
        ("paid in full", [], NOTHING, NOTHING, NOTHING, NOTHING),
        ("fee schedule and copay", [(CO, "45", "70.00"), (PR, "3", "30.00")], "70.00", NOTHING, "30.00", NOTHING),
        ("no authorization", [(CO, "197", "250.00")], NOTHING, "250.00", NOTHING, NOTHING),
        ("partly denied", [(CO, "45", "70.00"), (CO, "50", "180.00")], "70.00", "180.00", NOTHING, NOTHING),
        ("payer initiated is never contractual", [(PI, "45", "250.00")], NOTHING, "250.00", NOTHING, NOTHING),
        (
            "a listed reason in another group",
            [(OA, "45", "5.00"), (PR, "45", "7.00")],
            NOTHING,
            NOTHING,
            "7.00",
            "5.00",
        ),
        ("impact of a prior payer", [(OA, "23", "250.00")], NOTHING, NOTHING, NOTHING, "250.00"),
        ("paid above the charge", [(CO, "94", "-50.00")], "-50.00", NOTHING, NOTHING, NOTHING),
        (
            "a denial told twice and taken back once",
            [(CO, "50", "80.00"), (CO, "50", "80.00"), (CO, "50", "-80.00")],
            NOTHING,
            "80.00",
            NOTHING,
            NOTHING,
        ),
        (
            "paid above the charge of one line, another denied",
            [(CO, "94", "-50.00"), (CO, "197", "250.00")],
            "-50.00",
            "250.00",
            NOTHING,
            NOTHING,
        ),
        ("taken back", [(CO, "45", "-70.00"), (PR, "3", "-30.00")], "-70.00", NOTHING, "-30.00", NOTHING),
    ],
)
def test_each_adjustment_goes_to_its_share(
    case: str,
    adjustments: list[tuple[AdjustmentGroup, str, str]],
    contractual: str,
    denied: str,
    patient: str,
    other: str,
) -> None:
    shares = shares_of([adjustment(*each) for each in adjustments], LISTED)

    found = (shares.contractual, shares.denied, shares.patient, shares.other)
    assert found == tuple(map(Money.of, (contractual, denied, patient, other))), case


@pytest.mark.parametrize(
    ("case", "paid", "adjustments", "denial"),
    [
        ("no authorization", NOTHING, [(CO, "197", "250.00")], True),
        ("not necessary, the rest contractual", NOTHING, [(CO, "45", "70.00"), (CO, "50", "180.00")], True),
        ("one line denied, the other paid", "20.00", [(CO, "50", "80.00")], False),
        ("all deductible", NOTHING, [(PR, "1", "250.00")], False),
        ("all contractual", NOTHING, [(CO, "45", "250.00")], False),
        ("a denial taken back", NOTHING, [(CO, "50", "-80.00")], False),
    ],
)
def test_a_denial_pays_nothing_and_takes_off_what_is_neither_contractual_nor_the_patients(
    case: str, paid: str, adjustments: list[tuple[AdjustmentGroup, str, str]], denial: bool
) -> None:
    shares = shares_of([adjustment(*each) for each in adjustments], LISTED)

    assert is_denial(Money.of(paid), shares) is denial, case


@given(
    st.lists(
        st.tuples(
            st.sampled_from([CO, PR, PI, OA]),
            st.sampled_from(["45", "50", "1", "23"]),
            st.integers(-10_000, 10_000).map(lambda minor: Money(minor).decimal_text),
        ),
        max_size=12,
    )
)
def test_the_shares_add_up_to_the_adjustments(found: list[tuple[AdjustmentGroup, str, str]]) -> None:
    adjustments = [adjustment(*each) for each in found]

    shares = shares_of(adjustments, LISTED)

    whole = shares.contractual + shares.denied + shares.patient + shares.other
    assert whole == Money.total(each.amount for each in adjustments)
