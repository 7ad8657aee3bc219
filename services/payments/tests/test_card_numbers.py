"""Numbers of cards and bank accounts are found in texts however they are written, refused, and never kept."""

from __future__ import annotations

import json
from uuid import NAMESPACE_URL, uuid5

import pytest
from canonical.money import Money
from chassis.eventstore import EventRegistry
from chassis.inbound import INBOUND_MESSAGES, read_raw
from chassis.testing.given import given
from hypothesis import given as given_examples
from hypothesis import strategies as st
from payments.adapters.stripe_gateway import event_of
from payments.application.doors import Answer, GatewayMessage
from payments.application.row_values import uuid_of
from payments.domain.card_numbers import CardNumberSeen, holds_card_number, masked, refuse_card_numbers
from payments.domain.gateway_facts import PaymentArrived
from payments.domain.gateway_order import GatewayOrder, OrderKind
from payments.main import SHAPE

from .world import World

CARD = "4242424242424242"
AROUND = "aAcCnNpP:{}\"'_é\n"
"""Letters of the words that name such numbers, and none that would make one longer."""


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        f"paid with {CARD}, thanks",
        f"1 {CARD}",
        f"on 2026-03-02 {CARD} 12",
        "378282246310005",
        "5555555555554444",
        "6011111111111117",
        "3056930009020004",
        "4222222222222",
        '{"number": "4000056655665556"}',
        "CVV: 123",
        "cvc=1234",
        '"cvc": "737"',
        "account number 000123456789",
        "routing_number: 110000000",
        '"account_number":"000123456789"',
    ],
)
def test_such_numbers_are_found_and_masked_to_the_digit(text: str) -> None:
    assert holds_card_number(text)
    hidden = masked(text)
    assert len(hidden) == len(text)
    assert not holds_card_number(hidden)
    with pytest.raises(CardNumberSeen) as refused:
        refuse_card_numbers(note=text)
    assert str(refused.value).startswith("note:")
    assert not any(letter.isdigit() for letter in str(refused.value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242424242424241",
        "pi_4242424242424242",
        "ch_3OxYz4242424242424242x",
        "1772452800",
        "4242",
        "0000000000000000",
        "25.00 of 2026-03-02",
        "account 12 of 34",
        "110000000",
        "9000000000000000000000000000",
    ],
)
def test_ids_amounts_and_dates_are_let_through(text: str) -> None:
    assert masked(text) == text
    refuse_card_numbers(note=text)


@given_examples(
    before=st.text(AROUND, max_size=12),
    secret=st.sampled_from(
        ["4242 4242 4242 4242", CARD, "Cvv2 = 123", "CVC:'7 3 7", "acct no 0012", "IBAN is 00 12 34"]
    ),
    after=st.text(AROUND, max_size=12),
)
def test_the_quick_look_misses_no_number_wherever_it_stands(before: str, secret: str, after: str) -> None:
    assert holds_card_number(f"{before} {secret} {after}")


def test_no_identity_of_ours_is_taken_for_a_card() -> None:
    assert not [n for n in range(20_000) if holds_card_number(f"account {uuid5(NAMESPACE_URL, str(n))}")]


def test_what_a_webhook_carries_of_a_card_is_masked_before_it_is_kept() -> None:
    world = World()
    told = {"patient_account": "none", "note": f"card {CARD} cvv 123"}
    content = {"id": "pi_1", "amount": 2500, "currency": "usd", "status": "succeeded", "metadata": told}
    event = {"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1_772_452_800}
    raw = json.dumps({**event, "data": {"object": content}}).encode()
    event_id, fact = event_of(raw)
    assert world.doors.receive_webhooks([GatewayMessage(raw, event_id, fact)] * 2) == [Answer.TAKEN, Answer.REPEATED]
    (row,) = world.rows(INBOUND_MESSAGES)
    kept = read_raw(world.store, world.sealer, uuid_of(row["message_id"]))
    assert kept == raw.replace(CARD.encode(), b"*" * 16).replace(b"cvv 123", b"cvv ***")


def test_a_fact_that_is_a_card_number_is_refused_and_shown_without_it() -> None:
    world = World()
    fact = PaymentArrived(CARD, Money(2500), world.clock().date(), "NORTH", None)
    assert world.doors.receive_webhooks([GatewayMessage(b"{}", "evt_1", fact)]) == [Answer.REFUSED]
    assert world.open_cases() == ["CardNumberSeen"]
    assert CARD not in repr([logged.event for logged in world.memory.log(0, 100)])


def test_an_order_by_a_card_number_instead_of_a_token_is_refused() -> None:
    def place(order: GatewayOrder) -> None:
        amount = Money(2500)
        order.place(
            OrderKind.PAYMENT, gateway="stripe", entity="NORTH", amount=amount, by="x", method_kind="card", method=CARD
        )

    given(GatewayOrder).when(place).then_refused(CardNumberSeen)


FORBIDDEN = ("pan", "card_number", "cvv", "cvc", "account_number", "routing_number", "iban", "expiry")


def test_no_stored_event_has_a_field_for_such_a_number() -> None:
    registry = EventRegistry(SHAPE.aggregates)
    fields = {f"{topic}.{name}" for topic, kind in registry.classes.items() for name in kind.model_fields}
    assert len(fields) > 200
    assert not [name for name in fields if name.rpartition(".")[2] in FORBIDDEN]
