"""Payouts are exactly what they settle, whatever the gateway did before and in whatever order it tells of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random

import pytest
from canonical.money import Money
from hypothesis import given, settings
from hypothesis import strategies as st
from payments.adapters.stripe_gateway import event_of
from payments.adapters.stripe_lines import balance_transaction
from payments.application.balances import entity_balances
from payments.application.doors import GatewayMessage
from payments.application.patient_rows import PAYOUTS
from payments.application.publishing import publish
from payments.domain.payout import BalanceTransaction
from sandbox.world.gateway_book import GatewayBook, NothingToPayOut
from sandbox.world.gateway_later import LaterMoney, NotPossible
from sandbox.world.gateway_later_objects import DISPUTE_FEE_MINOR, DisputeStatus, RefundStatus
from sandbox.world.gateway_objects import Json, PaymentIntent, processing_fee
from sandbox.world.misbehaviour import Misbehaviour

from .test_patient_money import ACCOUNT
from .world import World, adjudication

FEE = processing_fee(10_000)


class Till(World):
    """Payments beside the sandbox gateway's own book, whose events wait until they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.deliver(adjudication(50_000))
        self.book = GatewayBook(3, lambda: 1_772_452_800.0, Misbehaviour())
        self.later = LaterMoney(self.book)
        self.events: list[Json] = []
        self.gateway.read_payout = self._lines

    def pay(self, cents: int = 10_000, method: str = "pm_card_visa") -> PaymentIntent:
        fields = {"amount": str(cents), "confirm": "true", "payment_method": method, "metadata[entity]": "NORTH"}
        intent, events = self.book.create_intent({**fields, "metadata[patient_account]": str(ACCOUNT)})
        self.events += events
        return intent

    def happen(self, told: tuple[object, list[Json]] | list[Json]) -> None:
        self.events += told[1] if isinstance(told, tuple) else told

    def pay_out(self) -> str:
        payout, events = self.book.pay_out("NORTH")
        self.events += events
        return payout.id

    def tell(self, events: Sequence[Json] | None = None) -> None:
        for event in self.events if events is None else events:
            raw = json.dumps(event).encode()
            self.doors.receive_webhooks([GatewayMessage(raw, *event_of(raw))])
            self.sweep()

    def held(self) -> int:
        """What our books say the gateway has, in cents."""
        return entity_balances(self.store, "NORTH")[1]["NORTH"].get("payments_not_paid_out", Money(0)).minor

    def held_there(self) -> int:
        """What it has by its own book: fees of payments come off with their payout, those of disputes at once."""
        waiting = [each for each in self.book.transactions.values() if not each.payout_id and each.kind != "stripe_fee"]
        return sum(each.net if each.kind == "adjustment" else each.amount for each in waiting)

    def cash(self) -> tuple[int, int]:
        """By what payments announces: what reached the bank, and the fees kept, in cents."""
        paid = [
            event.model_dump()
            for logged in self.memory.log(0, 10_000)
            for event in publish(logged.event)
            if event.TYPE == "payout-paid"
        ]
        return sum(each["net"].minor for each in paid), sum(each["fees"].minor for each in paid)

    def states(self) -> list[str]:
        return sorted(str(row["state"]) for row in self.rows(PAYOUTS))

    def _lines(self, payout_id: str) -> list[BalanceTransaction]:
        lines = [each for each in self.book.transactions_of(payout_id) if each.kind != "payout"]
        return [balance_transaction(line.wire() | {"source": self._source(line.source)}) for line in lines]

    def _source(self, identity: str) -> object:
        shelves = (self.book.charges, self.later.refunds, self.later.disputes, self.book.payouts)
        return next((shelf[identity].wire() for shelf in shelves if identity in shelf), identity or None)


def refunded(till: Till) -> None:
    till.happen(till.later.refund(till.pay().id, 4_000))


def refund_failed(till: Till) -> None:
    made, events = till.later.refund(till.pay().id)
    till.happen(events)
    till.happen(till.later.settle_refund(made.id, RefundStatus.FAILED))


def dispute_lost(till: Till) -> None:
    made, events = till.later.dispute(till.pay().id, 2_500)
    till.happen(events)
    till.happen(till.later.close(made.id, DisputeStatus.LOST))


def dispute_won(till: Till) -> None:
    made, events = till.later.dispute(till.pay().id)
    till.happen(events)
    till.happen(till.later.respond(made.id))
    till.happen(till.later.close(made.id, DisputeStatus.WON))


def debit_returned(till: Till) -> None:
    intent = till.pay(10_000, "pm_usBankAccount")
    till.happen(till.later.settle_debit(intent.id))
    till.happen(till.later.fail_debit(intent.id))


def debit_failed(till: Till) -> None:
    till.happen(till.later.fail_debit(till.pay(10_000, "pm_usBankAccount").id))


def own_fee(till: Till) -> None:
    till.later.charge_fee("acct_north", 700)


def payout_failed(till: Till) -> None:
    till.pay()
    till.happen(till.later.fail_payout(till.pay_out()))


STORIES: dict[str, tuple[Callable[[Till], None], int, int]] = {
    "a refund of a part": (refunded, 16_000 - 2 * FEE, 2 * FEE),
    "a refund that failed": (refund_failed, 20_000 - 2 * FEE, 2 * FEE),
    "a dispute lost": (dispute_lost, 17_500 - DISPUTE_FEE_MINOR - 2 * FEE, 2 * FEE),
    "a dispute won, without its fee": (dispute_won, 20_000 - DISPUTE_FEE_MINOR - 2 * FEE, 2 * FEE),
    "a debit that the bank took back": (debit_returned, 10_000 - 2 * FEE, 2 * FEE),
    "a debit that never came": (debit_failed, 10_000 - FEE, FEE),
    "a fee of no payment": (own_fee, 10_000 - FEE - 700, FEE + 700),
    "a payout that came back and went again": (payout_failed, 20_000 - 2 * FEE, 2 * FEE),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_payout_of_each_story_reaches_the_bank_to_the_cent(name: str) -> None:
    story, cash, fees = STORIES[name]
    for seed in range(4):
        till = Till()
        story(till)
        till.pay()
        till.pay_out()
        order = till.events * 2
        if seed:
            Random(seed).shuffle(order)
        till.tell(order)
        assert (till.cash(), till.held()) == ((cash, fees), 0)
        assert "announced" not in till.states()
        assert [case for case in till.open_cases() if case != "RefundFailed"] == []


def test_a_payout_waits_for_what_it_settles_and_is_a_case_when_that_never_comes() -> None:
    till = Till()
    dispute_lost(till)
    till.pay_out()
    kept = [event for event in till.events if not str(event["type"]).startswith("charge.dispute")]
    till.tell(kept)
    assert (till.states(), till.open_cases()) == (["announced"], [])
    till.clock.advance(hours=2)
    till.sweep()
    assert (till.states(), till.open_cases()) == (["announced"], ["PayoutDiffers"])
    till.tell()
    assert (till.states(), till.open_cases(), till.held()) == (["composed"], [], 0)


def test_a_payment_of_another_amount_than_the_gateway_paid_out_is_a_case() -> None:
    till = Till()
    till.pay()
    till.pay_out()
    for charge in till.book.transactions.values():
        charge.amount += 1 if charge.kind == "charge" else 0
    till.tell()
    assert (till.states(), till.open_cases()) == (["announced"], ["PayoutDiffers"])


ACTS = (refunded, refund_failed, dispute_lost, dispute_won, debit_returned, debit_failed, own_fee, payout_failed)


@settings(max_examples=40, deadline=None)
@given(acts=st.lists(st.sampled_from([*ACTS, Till.pay, Till.pay_out]), max_size=6), seed=st.integers(0, 10_000))
def test_our_books_hold_what_the_gateway_has_whatever_it_did_and_however_it_tells_it(
    acts: list[Callable[[Till], object]], seed: int
) -> None:
    till = Till()
    for act in acts:
        try:
            act(till)
        except (NothingToPayOut, NotPossible):
            continue
    order = till.events * 2
    Random(seed).shuffle(order)
    till.tell(order)
    till.sweep()
    if order:
        assert till.held() == till.held_there()
    assert "announced" not in till.states()
