"""Deposits, patient payments and payouts are taken once, matched or visibly unmatched."""

import json
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import transact
from chassis.testing.contexts import context
from payments.application import deposits, sweeps
from payments.application.balances import entity_balances
from payments.application.doors import Answer, BankFile, GatewayMessage
from payments.application.patient_rows import ACCOUNTS, PAYMENTS, PAYOUTS
from payments.application.queries import DEPOSITS, REMITTANCES
from payments.application.recording_deposits import ReportedDeposit
from payments.application.use_cases import match_payment
from payments.domain.deposit import DepositKind
from payments.domain.gateway_facts import PaymentArrived, PaymentDeclined, PayoutAnnounced
from payments.domain.patient_account import account_id_of
from payments.domain.payment import payment_id_of
from payments.domain.payment_refusals import PaymentNotSucceeded, PaymentOfOtherEntity
from payments.domain.payout import BalanceTransaction

from .examples import DAY, PATIENT, summary
from .world import World, adjudication, remittance

ACCOUNT = account_id_of("NORTH", PATIENT)


def webhook(number: int = 1, minor: int = 2500, account: UUID | None = ACCOUNT, event: str = "") -> GatewayMessage:
    fact = PaymentArrived(f"pi_{number}", Money(minor), DAY, "NORTH", account)
    event_id = event or f"evt_{number}"
    return GatewayMessage(json.dumps({"id": event_id, "minor": minor}).encode(), event_id, fact)


def deposit(
    reference: str = "TRACE1", minor: int = 8000, kind: DepositKind = DepositKind.REMITTANCE
) -> ReportedDeposit:
    return ReportedDeposit(derive("test-deposit", reference), "NORTH", kind, Money(minor), DAY, reference, 0, 10)


def bank_file(*deposits: ReportedDeposit, name: str = "bai2.txt") -> BankFile:
    return BankFile(name, repr(deposits).encode(), deposits)


def test_a_payment_pays_the_account_it_names() -> None:
    world = World()
    world.deliver(adjudication(2500))
    assert world.doors.receive_webhooks([webhook()]) == [Answer.TAKEN]
    (row,) = world.rows(ACCOUNTS)
    assert (row["applied_minor"], row["unapplied_minor"]) == (2500, 0)


def test_the_same_webhook_a_thousand_times_pays_once() -> None:
    world = World()
    world.deliver(adjudication(2500))
    answers = [world.doors.receive_webhooks([webhook()] * 10) for _ in range(100)]
    assert sum(answer is Answer.TAKEN for batch in answers for answer in batch) == 1
    assert world.rows(ACCOUNTS)[0]["applied_minor"] == 2500


def test_two_events_about_one_payment_pay_once() -> None:
    world = World()
    world.deliver(adjudication(2500))
    world.doors.receive_webhooks([webhook(event="evt_a"), webhook(event="evt_b")])
    assert world.rows(ACCOUNTS)[0]["applied_minor"] == 2500
    assert len(world.rows(PAYMENTS)) == 1


def test_an_event_id_with_other_content_is_refused_and_shown() -> None:
    world = World()
    world.deliver(adjudication(2500))
    assert world.doors.receive_webhooks([webhook()]) == [Answer.TAKEN]
    assert world.doors.receive_webhooks([webhook(minor=2600)]) == [Answer.REFUSED]
    assert world.open_cases() == ["OtherContent"]
    assert world.rows(ACCOUNTS)[0]["applied_minor"] == 2500


def test_a_payment_that_names_no_account_waits_for_a_person_as_unapplied_cash() -> None:
    world = World()
    world.deliver(adjudication(2000))
    world.doors.receive_webhooks([webhook(account=None)])
    assert world.open_cases() == ["UnmatchedPayment"]
    _, before = entity_balances(world.store, "NORTH")
    assert before["NORTH"]["patient_unapplied"] == Money(2500)
    applied = transact(world.store, context(), lambda work: match_payment(work, payment_id_of("pi_1"), ACCOUNT, DAY))
    _, after = entity_balances(world.store, "NORTH")
    assert applied == Money(2000)
    assert (after["NORTH"]["patient_unapplied"], after["NORTH"]["patient_balance"]) == (Money(500), Money(0))
    assert world.open_cases() == []


def test_a_declined_payment_cannot_be_matched_and_loses_no_cent_when_it_succeeds_later() -> None:
    world = World()
    world.deliver(adjudication(2000))
    declined = PaymentDeclined("pi_1", Money(2500), "NORTH", "card_declined")
    world.doors.receive_webhooks([GatewayMessage(b"declined", "evt_0", declined)])
    with pytest.raises(PaymentNotSucceeded):
        transact(world.store, context(), lambda work: match_payment(work, payment_id_of("pi_1"), ACCOUNT, DAY))
    world.doors.receive_webhooks([webhook()])
    (row,) = world.rows(ACCOUNTS)
    assert (row["applied_minor"], row["unapplied_minor"]) == (2000, 500)


def test_cash_of_one_entity_does_not_pay_the_account_of_another() -> None:
    world = World()
    world.deliver(adjudication(2000))
    fact = PaymentArrived("pi_1", Money(2500), DAY, "SOUTH", None)
    world.doors.receive_webhooks([GatewayMessage(b"south", "evt_1", fact)])
    with pytest.raises(PaymentOfOtherEntity):
        transact(world.store, context(), lambda work: match_payment(work, payment_id_of("pi_1"), ACCOUNT, DAY))
    assert world.rows(ACCOUNTS)[0]["applied_minor"] == 0


def test_a_deposit_finds_its_remittance_whichever_came_first() -> None:
    for deposit_first in (True, False):
        world = World()
        if deposit_first:
            world.doors.receive_bank_file(bank_file(deposit()))
            world.sweep()
        world.deliver(*remittance(summary()))
        if not deposit_first:
            world.doors.receive_bank_file(bank_file(deposit()))
        world.sweep()
        assert world.rows(REMITTANCES)[0]["deposit_id"] == deposit().deposit_id
        assert world.open_cases() == []


def test_the_same_deposits_in_another_file_are_not_new() -> None:
    world = World()
    assert world.doors.receive_bank_file(bank_file(deposit())) is Answer.TAKEN
    assert world.doors.receive_bank_file(bank_file(deposit())) is Answer.REPEATED
    assert world.doors.receive_bank_file(bank_file(deposit(), name="again.txt")) is Answer.TAKEN
    assert len(world.rows(DEPOSITS)) == 1


def test_a_deposit_reported_again_with_another_amount_refuses_its_file() -> None:
    world = World()
    world.doors.receive_bank_file(bank_file(deposit()))
    other = [deposit("TRACE9", 100), deposit(minor=8001)]
    assert world.doors.receive_bank_file(bank_file(*other, name="b.txt")) is Answer.REFUSED
    assert len(world.rows(DEPOSITS)) == 1
    assert world.open_cases() == ["DepositChanged"]


def test_a_deposit_one_cent_off_is_shown_and_not_matched() -> None:
    world = World()
    world.deliver(*remittance(summary()))
    world.doors.receive_bank_file(bank_file(deposit(minor=8001)))
    world.sweep()
    assert world.open_cases() == ["DepositDiffers"]
    assert world.rows(REMITTANCES)[0]["deposit_id"] is None


def test_a_deposit_that_nothing_explains_becomes_a_case_and_the_case_ends_when_it_is_explained() -> None:
    world = World()
    world.doors.receive_bank_file(bank_file(deposit()))
    world.sweep()
    assert world.open_cases() == []
    world.clock.advance(hours=2)
    world.sweep()
    assert world.open_cases() == ["DepositWithoutRemittance"]
    world.deliver(*remittance(summary()))
    world.sweep()
    assert world.open_cases() == []


def test_two_payers_with_one_trace_number_each_get_their_own_deposit() -> None:
    for first_paid in (8000, 9000):
        world = World()
        other = derive("remittance", "2999", "TRACE1")
        world.deliver(*remittance(summary(paid=first_paid)))
        world.deliver(*remittance(summary(paid=17000 - first_paid, copy=2, remittance_id=other, payer_id="OTHER")))
        world.doors.receive_bank_file(bank_file(deposit(minor=8000)))
        world.sweep()
        paid = {row["payment_minor"]: row["deposit_id"] for row in world.rows(REMITTANCES)}
        assert paid == {8000: deposit().deposit_id, 9000: None}
        assert world.open_cases() == []


def test_deposits_that_nothing_ever_explains_do_not_keep_later_ones_from_their_remittance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deposits, "PORTION_MAX", 2)
    world = World()
    lockbox = [deposit(f"LOCKBOX{number}", kind=DepositKind.OTHER) for number in range(11)]
    world.doors.receive_bank_file(bank_file(*lockbox, deposit("PAPER1"), deposit("PAPER2")))
    world.sweep()
    world.clock.advance(hours=2)
    world.deliver(*remittance(summary()))
    world.doors.receive_bank_file(bank_file(deposit(), name="later.txt"))
    world.sweep()
    assert world.rows(REMITTANCES)[0]["deposit_id"] == deposit().deposit_id
    assert world.open_cases() == ["DepositWithoutRemittance"] * 13


def test_a_payout_is_composed_of_its_payments_and_tied_to_its_deposit() -> None:
    world = World()
    world.deliver(adjudication(2500))
    world.gateway.payouts["po_1"] = [BalanceTransaction("txn_1", Money(2500), Money(103), Money(2397), "pi_1")]
    announced = GatewayMessage(b"payout", "evt_po", PayoutAnnounced("po_1", Money(2397), DAY))
    world.doors.receive_webhooks([announced])
    world.sweep()
    assert world.rows(PAYOUTS)[0]["state"] == "announced"
    world.doors.receive_webhooks([webhook()])
    world.doors.receive_bank_file(bank_file(deposit("po_1", 2397, DepositKind.PAYOUT)))
    world.sweep()
    (row,) = world.rows(PAYOUTS)
    assert (row["state"], row["deposit_id"]) == ("composed", derive("test-deposit", "po_1"))
    _, sums = entity_balances(world.store, "NORTH")
    assert sums["NORTH"].get("payments_not_paid_out", Money(0)) == Money(0)


def test_every_read_model_is_the_same_when_it_is_rebuilt() -> None:
    world = World()
    world.deliver(adjudication(2500), *remittance(summary()))
    world.doors.receive_webhooks([webhook(), webhook(2, 300, None)])
    world.doors.receive_bank_file(bank_file(deposit()))
    world.sweep()
    tables = (REMITTANCES, DEPOSITS, PAYMENTS, PAYOUTS, ACCOUNTS)
    before = world.state(*tables)
    world.memory.rebuild_read_models()
    assert world.state(*tables) == before


def test_a_payout_that_the_gateway_does_not_tell_of_is_a_case_and_the_next_one_goes_on() -> None:
    world = World()
    world.deliver(adjudication(2500))
    world.doors.receive_webhooks([webhook()])
    world.gateway.unreadable.add("po_0")
    world.gateway.payouts["po_1"] = [BalanceTransaction("txn_1", Money(2500), Money(103), Money(2397), "pi_1")]
    for number in (0, 1):
        fact = PayoutAnnounced(f"po_{number}", Money(2397), DAY)
        world.doors.receive_webhooks([GatewayMessage(f"payout {number}".encode(), f"evt_po_{number}", fact)])
    world.sweep()
    assert sorted(str(row["state"]) for row in world.rows(PAYOUTS)) == ["announced", "composed"]
    assert world.open_cases() == ["PayoutUnreadable"]


def test_payouts_that_the_gateway_does_not_tell_of_do_not_keep_later_ones_from_being_composed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeps, "PORTION_MAX", 2)
    world = World()
    world.deliver(adjudication(2500))
    world.doors.receive_webhooks([webhook()])
    for number in range(6):
        world.gateway.unreadable.add(f"po_{number}")
        fact = PayoutAnnounced(f"po_{number}", Money(2397), DAY)
        world.doors.receive_webhooks([GatewayMessage(f"payout {number}".encode(), f"evt_po_{number}", fact)])
    composer = next(sweep for sweep in world.core.sweeps if sweep.name == "compose-payouts")
    for _ in range(3):
        composer.run()
    assert world.open_cases() == ["PayoutUnreadable"] * 6
    line = BalanceTransaction("txn_1", Money(2500), Money(103), Money(2397), "pi_1")
    world.gateway.payouts["po_7"] = [line]
    world.doors.receive_webhooks([GatewayMessage(b"later", "evt_po_7", PayoutAnnounced("po_7", Money(2397), DAY))])
    assert composer.run() == 1
    world.gateway.unreadable.remove("po_3")
    world.gateway.payouts["po_3"] = [line]
    assert sum(composer.run() for _ in range(4)) == 1


def test_a_deposit_that_names_a_remittance_which_pays_nothing_stays_loose() -> None:
    world = World()
    world.deliver(*remittance(summary(paid=0)))
    world.doors.receive_bank_file(bank_file(deposit(minor=8000)))
    world.clock.advance(hours=2)
    world.sweep()
    assert world.rows(REMITTANCES)[0]["settlement"] == "nothing-to-pay"
    assert world.open_cases() == ["DepositWithoutRemittance"]


def test_money_of_another_currency_is_kept_and_shown_and_not_booked() -> None:
    world = World()
    world.deliver(adjudication(2500))
    foreign = PaymentArrived("pi_9", Money(2500, "EUR"), DAY, "NORTH", ACCOUNT)
    assert world.doors.receive_webhooks([GatewayMessage(b"foreign", "evt_9", foreign)]) == [Answer.REFUSED]
    assert world.open_cases() == ["OtherCurrency"]
    assert world.rows(PAYMENTS) == []
