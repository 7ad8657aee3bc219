"""What happens to patients' money after it was paid books what the accountant says, to the account and the cent."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest
from canonical.events.payments import (
    PatientBalanceWrittenOff,
    PatientDisputeMoved,
    PatientMoneyTransferred,
    PatientPaymentReturned,
    PatientRefundMoved,
    PriceConcessionMoved,
)
from canonical.ids import derive
from ledger_adapter.domain import patient_lines as lines

from .examples import PATIENT, applied_later, money, patient_paid
from .world import World

DAY = date(2026, 3, 22)
PAYMENT = derive("test-payment", 1)


def refund(step: str, amount: str = "4.00", channel: str = "gateway") -> PatientRefundMoved:
    return PatientRefundMoved(
        refund_id=derive("test-refund", 1),
        payment_id=PAYMENT,
        step=step,
        entity="NORTH",
        patient_id=PATIENT,
        amount=money(amount),
        channel=channel,
        effective_date=DAY,
    )


def dispute(step: str, amount: str = "10.00") -> PatientDisputeMoved:
    return PatientDisputeMoved(
        dispute_id=derive("test-dispute", 1),
        payment_id=PAYMENT,
        step=step,
        entity="NORTH",
        patient_id=PATIENT,
        amount=money(amount),
        fee=money("15.00"),
        effective_date=DAY,
    )


def returned() -> PatientPaymentReturned:
    return PatientPaymentReturned(
        return_id=derive("test-return", 1),
        payment_id=PAYMENT,
        entity="NORTH",
        patient_id=PATIENT,
        amount=money("10.00"),
        effective_date=DAY,
    )


def written_off(kind: str, amount: str = "3.00") -> PatientBalanceWrittenOff:
    return PatientBalanceWrittenOff(
        write_off_id=derive("test-write-off", kind, amount),
        account_id=derive("test-account", 1),
        entity="NORTH",
        patient_id=PATIENT,
        encounter_id=derive("test-encounter", 1),
        kind=kind,
        amount=money(amount),
        effective_date=DAY,
    )


def not_expected(amount: str, move: int = 1) -> PriceConcessionMoved:
    return PriceConcessionMoved(
        account_id=derive("test-account", 1),
        move=move,
        entity="NORTH",
        patient_id=PATIENT,
        encounter_id=derive("test-encounter", 1),
        portfolio="NORTH-SELF-PAY",
        amount=money(amount),
        effective_date=DAY,
    )


STORIES = {
    "a share that is not expected to be paid": (
        (not_expected("3.00"),),
        {"NORTH price-concession": 300, "NORTH concession-allowance": -300},
    ),
    "a share that was paid after all": ((not_expected("3.00"), not_expected("-3.00", 2)), {}),
    "a price concession as it was expected": (
        (not_expected("3.00"), written_off("price-concession"), not_expected("-3.00", 2)),
        {"NORTH price-concession": 300, "NORTH ar-patient PATIENTS-NORTH": -300},
    ),
    "charity, a concession and a bad debt of one balance": (
        (
            not_expected("3.00"),
            written_off("charity", "5.00"),
            written_off("price-concession", "3.00"),
            not_expected("-3.00", 2),
            written_off("bad-debt", "2.00"),
        ),
        {
            "NORTH charity-care": 500,
            "NORTH price-concession": 300,
            "NORTH bad-debt": 200,
            "NORTH ar-patient PATIENTS-NORTH": -1000,
        },
    ),
    "a refund that was paid": (
        (patient_paid("6.00", "4.00"), refund("approved"), refund("paid")),
        {"NORTH gateway-clearing": 600, "NORTH ar-patient PATIENTS-NORTH": -600},
    ),
    "a refund that came back": (
        (patient_paid("6.00", "4.00"), refund("approved"), refund("paid"), refund("failed")),
        {"NORTH gateway-clearing": 1000, "NORTH ar-patient PATIENTS-NORTH": -600, "NORTH refunds-payable": -400},
    ),
    "a refund called off": (
        (patient_paid("6.00", "4.00"), refund("approved"), refund("cancelled")),
        {"NORTH gateway-clearing": 1000, "NORTH ar-patient PATIENTS-NORTH": -600, "NORTH unapplied-patient": -400},
    ),
    "a refund of cash that paid a balance": (
        (patient_paid("10.00", "0.00"), applied_later("-4.00"), refund("approved"), refund("paid")),
        {"NORTH gateway-clearing": 600, "NORTH ar-patient PATIENTS-NORTH": -600},
    ),
    "a dispute won": (
        (patient_paid("10.00"), dispute("withdrawn"), dispute("won")),
        {"NORTH gateway-clearing": -500, "NORTH ar-patient PATIENTS-NORTH": -1000, "NORTH dispute-fees": 1500},
    ),
    "a dispute lost": (
        (patient_paid("10.00"), dispute("withdrawn"), applied_later("-10.00"), dispute("lost")),
        {"NORTH gateway-clearing": -1500, "NORTH dispute-fees": 1500},
    ),
    "an ACH debit returned": ((patient_paid("10.00"), applied_later("-10.00"), returned()), {}),
    "what is given up": (
        (
            written_off("charity"),
            written_off("bad-debt"),
            written_off("small-balance"),
            written_off("charity", "-1.00"),
        ),
        {
            "NORTH charity-care": 200,
            "NORTH bad-debt": 300,
            "NORTH small-balance": 300,
            "NORTH ar-patient PATIENTS-NORTH": -800,
        },
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_with_its_balances_in_whatever_order_it_comes(name: str) -> None:
    facts, balances = STORIES[name]
    for order in permutations(facts):
        world = World()
        world.deliver(*order, *order)
        assert (world.balances(), world.cases()) == (balances, [])


def test_the_journal_of_a_refund_names_its_rule_and_its_patient() -> None:
    booked = lines.lines_for_refund(refund("approved"))
    assert [(line.rule, line.account.value, str(line.amount)) for line in booked] == [
        ("J18", "unapplied-patient", "4.00 USD"),
        ("J18", "refunds-payable", "-4.00 USD"),
    ]


def test_a_refund_at_the_front_desk_is_paid_from_its_drawer() -> None:
    booked = lines.lines_for_refund(refund("paid", channel="front-desk"))
    assert [line.account.value for line in booked] == ["refunds-payable", "front-desk-clearing"]


@pytest.mark.parametrize("fact", [refund("forgotten"), dispute("forgotten"), written_off("forgotten")])
def test_a_step_that_no_rule_covers_waits_for_a_person(
    fact: PatientRefundMoved | PatientDisputeMoved | PatientBalanceWrittenOff,
) -> None:
    world = World()
    world.deliver(fact)
    assert (world.balances(), world.cases()) == ({}, ["UnknownStep"])


@pytest.mark.parametrize(
    ("moved", "account", "debited"), [("cash", "unapplied-patient", "giver"), ("share", "ar-patient", "taker")]
)
def test_a_transfer_stands_on_one_account_between_two_patients(moved: str, account: str, debited: str) -> None:
    patients = {"giver": PATIENT, "taker": derive("test-patient", "taker")}
    event = PatientMoneyTransferred(
        transfer_id=derive("test-transfer", 1),
        moved=moved,
        entity="NORTH",
        from_patient_id=patients["giver"],
        to_patient_id=patients["taker"],
        amount=money("5.00"),
        effective_date=DAY,
    )
    by_patient = {line.patient_id: line.amount for line in lines.lines_for_transfer(event)}
    assert {line.account.value for line in lines.lines_for_transfer(event)} == {account}
    (credited,) = patients.keys() - {debited}
    assert by_patient == {patients[debited]: money("5.00"), patients[credited]: money("-5.00")}
    with pytest.raises(lines.UnknownStep):
        lines.lines_for_transfer(event.model_copy(update={"moved": "debt"}))
