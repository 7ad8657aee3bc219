"""The posting rules, in the accountant's words."""

from __future__ import annotations

import pytest
from canonical.codes import AdjustmentGroup, PayerClass
from canonical.journal import LedgerLine, residual
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_adapter.domain import fact_lines as lines_of
from ledger_adapter.domain import posting_rules as rules
from ledger_adapter.domain.fact_lines import FactDoesNotAddUp
from ledger_adapter.domain.posting_rules import Fact, UnmappedAdjustment, UnmappedProviderAdjustment

from .examples import (
    accepted,
    adjudicated,
    applied_later,
    charged,
    denial_released,
    denial_written_off,
    deposit,
    money,
    negated,
    patient_paid,
    payment_unknown,
    payout,
    provider_adjustment,
)

CENTS = st.integers(min_value=-500_000, max_value=500_000)


def booked(lines: tuple[LedgerLine, ...]) -> list[str]:
    """Lines as an accountant writes them: rule, debit or credit, account, party, amount."""
    return [
        f"{line.rule} {'Dr' if line.amount.minor > 0 else 'Cr'} {line.account.value}"
        f"{' ' + line.party if line.party else ''} {abs(line.amount).decimal_text}"
        for line in lines
    ]


def test_a_charge_to_a_payer_books_revenue_and_the_expected_contractual_allowance() -> None:
    lines = lines_of.lines_for_charges(charged(amounts=("100.00",)), expected_percent=30)
    assert booked(lines) == [
        "J01 Dr ar-payer ACME 100.00",
        "J01 Cr gross-revenue 100.00",
        "J03 Dr contractual-allowance 30.00",
        "J03 Cr ar-allowance 30.00",
    ]
    assert rules.estimate_in(lines) == money("30.00")


def test_a_self_pay_charge_is_owed_by_the_patient_and_has_no_estimate() -> None:
    lines = lines_of.lines_for_charges(charged(payer="", amounts=("80.00",)), expected_percent=0)
    assert booked(lines) == ["J01 Dr ar-patient PATIENTS-NORTH 80.00", "J01 Cr gross-revenue 80.00"]


def test_charges_of_several_departments_are_booked_by_department() -> None:
    event = charged(amounts=("10.00", "20.00", "5.00"), departments=("N-FM", "N-IM"))
    lines = lines_of.lines_for_charges(event, expected_percent=30)
    revenue = {line.department: line.amount for line in lines if line.account.value == "gross-revenue"}
    assert revenue == {"N-FM": money("-15.00"), "N-IM": money("-20.00")}


@pytest.mark.parametrize(
    ("total", "percent", "expected"),
    [
        ("100.00", 30, "30.00"),
        ("0.05", 50, "0.02"),
        ("0.15", 50, "0.08"),
        ("0.01", 30, "0.00"),
        ("-0.05", 50, "-0.02"),
        ("19.99", 45, "9.00"),
        ("100.00", 0, "0.00"),
    ],
)
def test_the_expected_contractual_rounds_the_half_cent_to_the_even_cent(
    total: str, percent: int, expected: str
) -> None:
    assert lines_of.expected_contractual(money(total), percent) == money(expected)


def test_the_first_adjudication_releases_the_estimate_and_books_what_the_payer_took() -> None:
    lines = lines_of.lines_for_adjudication(adjudicated(), estimate=money("35.00"), contractual_reasons=("45",))
    assert booked(lines) == [
        "J05 Dr ar-allowance 35.00",
        "J05 Cr contractual-allowance 35.00",
        "J04 Dr eft-clearing 60.00",
        "J04 Cr ar-payer ACME 60.00",
        "J05 Dr contractual-allowance 30.00",
        "J05 Cr ar-payer ACME 30.00",
        "J07 Dr ar-patient PATIENTS-NORTH 10.00",
        "J07 Cr ar-payer ACME 10.00",
    ]


def test_a_later_adjudication_releases_nothing() -> None:
    event = adjudicated(first=False, charge="100.00", paid="100.00", adjustments=())
    lines = lines_of.lines_for_adjudication(event, estimate=money("35.00"), contractual_reasons=("45",))
    assert booked(lines) == ["J04 Dr eft-clearing 100.00", "J04 Cr ar-payer ACME 100.00"]


def test_a_denial_moves_the_receivable_to_the_denied_account_and_writes_nothing_off() -> None:
    event = adjudicated(paid="0.00", adjustments=(("CO", "50", "100.00"),))
    lines = lines_of.lines_for_adjudication(event, estimate=money("30.00"), contractual_reasons=("45",))
    assert booked(lines)[2:] == ["J09 Dr ar-payer-denied ACME 100.00", "J09 Cr ar-payer ACME 100.00"]


def test_a_negative_adjustment_books_the_mirror() -> None:
    event = adjudicated(first=False, paid="110.00", adjustments=(("CO", "45", "-10.00"),))
    lines = lines_of.lines_for_adjudication(event, estimate=Money(0), contractual_reasons=("45",))
    assert booked(lines)[2:] == ["J05 Cr contractual-allowance 10.00", "J05 Dr ar-payer ACME 10.00"]


@pytest.mark.parametrize(("group", "reason"), [("CO", "94"), ("PI", "94")])
def test_what_was_paid_above_the_charge_is_contractual_and_denies_nothing(group: str, reason: str) -> None:
    event = adjudicated(first=False, paid="150.00", adjustments=((group, reason, "-50.00"),))
    assert booked(lines_of.lines_for_adjudication(event, Money(0), ("45",))) == [
        "J04 Dr eft-clearing 150.00",
        "J04 Cr ar-payer ACME 150.00",
        "J05 Cr contractual-allowance 50.00",
        "J05 Dr ar-payer ACME 50.00",
    ]


def test_the_adjustments_of_one_reason_are_one_amount() -> None:
    told = (("CO", "50", "80.00"), ("CO", "50", "80.00"), ("CO", "50", "-80.00"))
    event = adjudicated(first=False, paid="20.00", adjustments=told)
    assert booked(lines_of.lines_for_adjudication(event, Money(0), ()))[2:] == [
        "J09 Dr ar-payer-denied ACME 80.00",
        "J09 Cr ar-payer ACME 80.00",
    ]


@pytest.mark.parametrize(
    ("group", "reason", "fact"),
    [
        ("CO", "45", Fact.CONTRACTUAL_TAKEN),
        ("CO", "253", Fact.SEQUESTRATION_TAKEN),
        ("CO", "29", Fact.DENIED),
        ("CO", "50", Fact.DENIED),
        ("CO", "197", Fact.DENIED),
        ("PI", "45", Fact.DENIED),
        ("PR", "1", Fact.PATIENT_SHARE),
        ("PR", "2", Fact.PATIENT_SHARE),
        ("PR", "3", Fact.PATIENT_SHARE),
    ],
)
def test_each_adjustment_has_one_meaning(group: str, reason: str, fact: Fact) -> None:
    adjustment = ClaimAdjustment(group=AdjustmentGroup(group), reason=reason, amount=money("1.00"))
    assert rules.fact_of_adjustment(adjustment, ("45",), {}) is fact


@pytest.mark.parametrize(("group", "reason"), [("PR", "96"), ("PR", "45"), ("OA", "94"), ("OA", "18")])
def test_an_adjustment_without_a_rule_is_refused_by_its_code(group: str, reason: str) -> None:
    event = adjudicated(paid="90.00", adjustments=((group, reason, "10.00"),))
    with pytest.raises(UnmappedAdjustment, match=f"{group}-{reason}"):
        lines_of.lines_for_adjudication(event, estimate=Money(0), contractual_reasons=("45",))


def test_sequestration_is_taken_off_to_its_own_account_whatever_the_payers_list_says() -> None:
    event = adjudicated(first=False, paid="98.00", adjustments=(("CO", "253", "2.00"),))
    assert booked(lines_of.lines_for_adjudication(event, Money(0), ())) == [
        "J04 Dr eft-clearing 98.00",
        "J04 Cr ar-payer ACME 98.00",
        "J06 Dr sequestration 2.00",
        "J06 Cr ar-payer ACME 2.00",
    ]


@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_what_an_earlier_payer_did_is_a_memo_and_stays_open_where_none_did_anything(sequence: int) -> None:
    taken = (("OA", "23", "80.00"), ("CO", "45", "5.00"))
    event = adjudicated(paid="15.00", adjustments=taken, first=False, sequence=sequence)
    assert booked(lines_of.lines_for_adjudication(event, Money(0), ("45",))) == [
        "J04 Dr eft-clearing 15.00",
        "J04 Cr ar-payer ACME 15.00",
        "J05 Dr contractual-allowance 5.00",
        "J05 Cr ar-payer ACME 5.00",
    ]


def test_a_later_payers_first_decision_has_no_estimate_to_release() -> None:
    event = adjudicated(paid="20.00", adjustments=(("OA", "23", "80.00"),), first=True, sequence=2)
    assert booked(lines_of.lines_for_adjudication(event, money("35.00"), ("45",))) == [
        "J04 Dr eft-clearing 20.00",
        "J04 Cr ar-payer ACME 20.00",
    ]


def test_the_patients_share_is_owed_by_the_next_payer_where_there_is_one() -> None:
    event = adjudicated(first=False, next_payer="MEDICARE", next_payer_class=PayerClass.MEDICARE)
    lines = lines_of.lines_for_adjudication(event, Money(0), ("45",))
    assert booked(lines)[4:] == ["J07 Dr ar-payer MEDICARE 10.00", "J07 Cr ar-payer ACME 10.00"]
    assert [line.payer_class for line in lines[4:]] == ["medicare", "commercial"]


def test_a_reversal_books_the_mirror_of_its_decision_and_names_its_own_rule() -> None:
    taken = (("CO", "45", "30.00"), ("PR", "2", "10.00"), ("CO", "50", "5.00"), ("CO", "253", "1.00"))
    decision = adjudicated(first=False, paid="54.00", adjustments=taken)
    assert booked(lines_of.lines_for_adjudication(negated(decision), money("35.00"), ("45",))) == [
        "J11 Cr eft-clearing 54.00",
        "J11 Dr ar-payer ACME 54.00",
        "J11 Cr contractual-allowance 30.00",
        "J11 Dr ar-payer ACME 30.00",
        "J11 Cr ar-patient PATIENTS-NORTH 10.00",
        "J11 Dr ar-payer ACME 10.00",
        "J11 Cr ar-payer-denied ACME 5.00",
        "J11 Dr ar-payer ACME 5.00",
        "J11 Cr sequestration 1.00",
        "J11 Dr ar-payer ACME 1.00",
    ]


def test_a_matched_payment_takes_its_cash_from_where_it_stayed_unapplied() -> None:
    matched = adjudicated(first=False, match=1)
    assert booked(lines_of.lines_for_adjudication(matched, Money(0), ("45",)))[:2] == [
        "J04 Dr unapplied-payer 60.00",
        "J04 Cr ar-payer ACME 60.00",
    ]


def test_an_unmatched_payment_is_unapplied_again() -> None:
    unmatched = negated(adjudicated(match=1), kind="unmatched", match=2)
    lines = lines_of.lines_for_adjudication(unmatched, money("35.00"), ("45",))
    assert booked(lines)[:2] == ["J04 Cr unapplied-payer 60.00", "J04 Dr ar-payer ACME 60.00"]
    assert {line.account.value for line in lines}.isdisjoint({"ar-allowance", "eft-clearing"})


def test_a_correction_that_is_a_claims_first_decision_releases_the_estimate() -> None:
    lines = lines_of.lines_for_adjudication(adjudicated(kind="correction"), money("35.00"), ("45",))
    assert booked(lines)[0] == "J05 Dr ar-allowance 35.00"


def test_cash_that_a_reversal_nobody_can_prove_takes_back_is_unapplied_the_other_way() -> None:
    assert booked(lines_of.lines_for_unknown_claim(payment_unknown("-25.00"))) == [
        "J26 Cr eft-clearing 25.00",
        "J26 Dr unapplied-payer 25.00",
    ]


def test_a_denial_that_a_later_decision_covers_is_open_again() -> None:
    assert booked(lines_of.lines_for_denial_released(denial_released())) == [
        "J09 Dr ar-payer ACME 100.00",
        "J09 Cr ar-payer-denied ACME 100.00",
    ]


def test_a_release_that_is_taken_back_is_denied_again() -> None:
    assert booked(lines_of.lines_for_denial_released(denial_released("-100.00"))) == [
        "J09 Cr ar-payer ACME 100.00",
        "J09 Dr ar-payer-denied ACME 100.00",
    ]


def test_a_denial_given_up_leaves_the_denied_receivable() -> None:
    assert booked(lines_of.lines_for_denial_written_off(denial_written_off())) == [
        "J10 Dr denial-write-off 100.00",
        "J10 Cr ar-payer-denied ACME 100.00",
    ]


@pytest.mark.parametrize(
    ("code", "amount", "lines"),
    [
        ("WO", "50.00", ["J12 Dr due-to-payer 50.00", "J12 Cr eft-clearing 50.00"]),
        ("WO", "-50.00", ["J13 Cr due-to-payer 50.00", "J13 Dr eft-clearing 50.00"]),
        ("FB", "20.00", ["J12 Dr due-to-payer 20.00", "J12 Cr eft-clearing 20.00"]),
        ("FB", "-20.00", ["J13 Cr due-to-payer 20.00", "J13 Dr eft-clearing 20.00"]),
        ("72", "-50.00", ["J13 Cr due-to-payer 50.00", "J13 Dr eft-clearing 50.00"]),
        ("AP", "-500.00", ["J13 Cr due-to-payer 500.00", "J13 Dr eft-clearing 500.00"]),
        ("L6", "-1.23", ["J13 Cr interest-income 1.23", "J13 Dr eft-clearing 1.23"]),
        ("L6", "1.23", ["J12 Dr interest-income 1.23", "J12 Cr eft-clearing 1.23"]),
        ("IR", "7.00", ["J12 Dr levies-withheld 7.00", "J12 Cr eft-clearing 7.00"]),
        ("LE", "7.00", ["J12 Dr levies-withheld 7.00", "J12 Cr eft-clearing 7.00"]),
        ("E3", "9.00", ["J12 Dr payer-withholds 9.00", "J12 Cr eft-clearing 9.00"]),
        ("CS", "3.00", ["J12 Dr provider-adjustments 3.00", "J12 Cr eft-clearing 3.00"]),
        ("J1", "3.00", ["J12 Dr provider-adjustments 3.00", "J12 Cr eft-clearing 3.00"]),
        ("50", "-3.00", ["J13 Cr provider-adjustments 3.00", "J13 Dr eft-clearing 3.00"]),
        ("FB", "0.00", []),
    ],
)
def test_a_provider_adjustment_is_booked_by_its_code_and_sign(code: str, amount: str, lines: list[str]) -> None:
    adjustment = provider_adjustment(code, amount)
    assert booked(lines_of.lines_for_provider_adjustment(adjustment, accepted().summary)) == lines


def test_every_code_of_the_standards_list_has_an_account() -> None:
    codes = "50 51 72 90 AH AM AP B2 B3 BD BN C5 CR CS CT CV CW DM E3 FB FC GO HM IP IR IS J1 L3 L6 LE LS OA OB PI PL"
    assert set(rules.PROVIDER_ADJUSTMENT_ROLES) == set(f"{codes} RA RE SL TL WO WU".split())


def test_a_provider_adjustment_without_a_rule_is_refused_by_its_code() -> None:
    with pytest.raises(UnmappedProviderAdjustment, match=r"PLB ZZ of 3\.00 USD"):
        lines_of.lines_for_provider_adjustment(provider_adjustment("ZZ", "3.00"), accepted().summary)


def test_a_withheld_overpayment_that_is_returned_and_recouped_leaves_nothing_due() -> None:
    pairs = [("WO", "50.00"), ("72", "-50.00"), ("FB", "-20.00"), ("FB", "20.00")]
    lines = [
        line
        for code, amount in pairs
        for line in lines_of.lines_for_provider_adjustment(provider_adjustment(code, amount), accepted().summary)
    ]
    assert Money.total(line.amount for line in lines if line.account.value == "due-to-payer") == Money(0)


def test_an_adjudication_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(FactDoesNotAddUp):
        lines_of.lines_for_adjudication(adjudicated(paid="60.01"), estimate=Money(0), contractual_reasons=("45",))


def test_charges_that_are_not_the_total_are_refused() -> None:
    with pytest.raises(FactDoesNotAddUp):
        lines_of.lines_for_charges(charged(amounts=("10.00",), total="10.01"), expected_percent=30)


def test_payer_cash_for_an_unknown_claim_stays_unapplied() -> None:
    assert booked(lines_of.lines_for_unknown_claim(payment_unknown("25.00"))) == [
        "J26 Dr eft-clearing 25.00",
        "J26 Cr unapplied-payer 25.00",
    ]


def test_a_matched_deposit_clears_the_eft_clearing() -> None:
    assert booked(lines_of.lines_for_deposit(deposit("60.00"))) == ["J14 Dr cash 60.00", "J14 Cr eft-clearing 60.00"]


def test_a_patient_payment_pays_the_balance_and_the_rest_is_unapplied() -> None:
    assert booked(lines_of.lines_for_patient_payment(patient_paid("10.00", "2.50"))) == [
        "J15 Dr gateway-clearing 10.00",
        "J15 Cr ar-patient PATIENTS-NORTH 10.00",
        "J15 Dr gateway-clearing 2.50",
        "J15 Cr unapplied-patient 2.50",
    ]


def test_unapplied_cash_applied_later_pays_the_balance() -> None:
    assert booked(lines_of.lines_for_application(applied_later("5.00"))) == [
        "J16 Dr unapplied-patient 5.00",
        "J16 Cr ar-patient PATIENTS-NORTH 5.00",
    ]


def test_a_payout_brings_the_net_and_leaves_the_fees_with_the_gateway() -> None:
    assert booked(lines_of.lines_for_payout(payout())) == [
        "J17 Dr cash 9.41",
        "J17 Cr gateway-clearing 9.41",
        "J17 Dr processing-fees 0.59",
        "J17 Cr gateway-clearing 0.59",
    ]


def test_a_payout_whose_fees_do_not_fit_is_refused() -> None:
    with pytest.raises(FactDoesNotAddUp):
        lines_of.lines_for_payout(payout(net="9.42"))


def test_the_version_of_the_rules_names_their_content() -> None:
    assert rules.RULES_VERSION == "2026.6-519195b0f7de", "the rules changed: raise their edition, then name it here"


@settings(deadline=None)
@given(
    paid=CENTS,
    adjustments=st.lists(
        st.tuples(st.sampled_from([("CO", "45"), ("CO", "50"), ("PI", "15"), ("PR", "1"), ("PR", "3")]), CENTS)
    ),
    estimate=CENTS,
    first=st.booleans(),
)
def test_every_adjudication_balances_and_moves_the_open_receivable_by_the_whole_charge(
    paid: int, adjustments: list[tuple[tuple[str, str], int]], estimate: int, first: bool
) -> None:
    charge = paid + sum(amount for _, amount in adjustments)
    event = adjudicated(
        charge=Money(charge).decimal_text,
        paid=Money(paid).decimal_text,
        adjustments=[(group, reason, Money(amount).decimal_text) for (group, reason), amount in adjustments],
        first=first,
    )
    lines = lines_of.lines_for_adjudication(event, Money(estimate), ("45",))
    assert residual(lines) == Money(0)
    open_receivable = Money.total(line.amount for line in lines if line.account.value == "ar-payer")
    assert open_receivable == -Money(charge)


@settings(deadline=None)
@given(
    paid=CENTS,
    adjustments=st.lists(
        st.tuples(
            st.sampled_from([("CO", "45"), ("CO", "253"), ("CO", "50"), ("PI", "15"), ("PR", "1"), ("OA", "23")]), CENTS
        )
    ),
    sequence=st.sampled_from([2, 3]),
    next_payer=st.sampled_from(["", "MEDICARE"]),
    match=st.sampled_from([0, 1]),
)
def test_a_decision_and_its_reversal_leave_every_account_as_it_was(
    paid: int, adjustments: list[tuple[tuple[str, str], int]], sequence: int, next_payer: str, match: int
) -> None:
    decision = adjudicated(
        charge=Money(paid + sum(amount for _, amount in adjustments)).decimal_text,
        paid=Money(paid).decimal_text,
        adjustments=[(group, reason, Money(amount).decimal_text) for (group, reason), amount in adjustments],
        sequence=sequence,
        next_payer=next_payer,
        match=match,
    )
    there = lines_of.lines_for_adjudication(decision, Money(0), ("45",))
    back = lines_of.lines_for_adjudication(negated(decision, match=match), Money(0), ("45",))
    sums: dict[tuple[str, str], Money] = {}
    for line in (*there, *back):
        place = (line.account.value, line.party)
        sums[place] = sums.get(place, Money(0)) + line.amount
    assert not any(sums.values())
    assert {line.rule for line in back} <= {"J11"}


@settings(deadline=None)
@given(amounts=st.lists(st.integers(min_value=0, max_value=1_000_000), min_size=1), percent=st.integers(0, 100))
def test_every_charge_balances(amounts: list[int], percent: int) -> None:
    event = charged(amounts=[Money(amount).decimal_text for amount in amounts], departments=("A", "B", "C"))
    lines = lines_of.lines_for_charges(event, percent)
    assert residual(lines) == Money(0)
    assert abs(rules.estimate_in(lines).minor * 100 - event.total.minor * percent) <= 50
