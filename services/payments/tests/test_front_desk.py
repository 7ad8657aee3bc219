"""Self-pay follows the revisions of its charges, and a front desk's money pays the patient's account."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
from canonical.codes import PayerClass, RevisionReason
from canonical.events.intake import ChargesRevised, EncounterCharged, PatientPaymentReported
from canonical.ids import derive
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.messaging import Delivery
from payments.application.balances import entity_balances
from payments.application.patient_rows import ACCOUNTS, ACTIVITY, PAYMENTS

from .examples import DAY, ENCOUNTER, PATIENT
from .world import World, delivery

PAYMENT = derive("test-front-desk-payment", 1)


def charged(total: int, *, payer: str = "") -> EncounterCharged:
    return EncounterCharged(
        encounter_id=ENCOUNTER,
        posting=1,
        entity="NORTH",
        patient_id=PATIENT,
        payer=payer,
        payer_class=PayerClass.COMMERCIAL if payer else PayerClass.SELF_PAY,
        rendering_provider="P1",
        service_from=DAY,
        service_to=DAY,
        charges=(),
        total=Money(total),
        diagnosis_count=1,
        has_member_id=False,
        details=Sealed(key_id=PATIENT, kind="encounter.v1", fact=ENCOUNTER, ciphertext=b"sealed"),
        message_ids=(),
    )


def revised(before: int, now: int, revision: int, *, payer: str = "") -> ChargesRevised:
    return ChargesRevised(
        **dict(charged(now, payer=payer)),
        revision=revision,
        previous_charges=(),
        previous_total=Money(before),
        reason=RevisionReason.CORRECTION,
        revised_on=DAY,
    )


def story(payer: str = "") -> list[Delivery]:
    events = (charged(8000, payer=payer), revised(8000, 5000, 1, payer=payer), revised(5000, 0, 2, payer=payer))
    return [delivery(event, ENCOUNTER, sequence) for sequence, event in enumerate(events, 1)]


def paid(amount: int = 3000, payment_id: UUID = PAYMENT, encounter_id: UUID | None = ENCOUNTER) -> Delivery:
    event = PatientPaymentReported(
        payment_id=payment_id,
        entity="NORTH",
        patient_id=PATIENT,
        encounter_id=encounter_id,
        amount=Money(amount),
        method="CASH",
        received_on=DAY,
        message_id=derive("test-message", payment_id),
    )
    return delivery(event, payment_id)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_a_patient_owes_follows_the_charges_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    world = World()
    messages = [story()[place] for place in order]
    world.deliver(*messages, *messages)
    assert world.rows(ACCOUNTS)[0]["responsibility_minor"] == 0
    assert sorted(str(row["amount_minor"]) for row in world.rows(ACTIVITY)) == ["-3000", "-5000", "8000"]


def test_revisions_of_what_a_payer_owes_are_not_the_patients() -> None:
    world = World()
    world.deliver(*story("ACME"))
    assert world.rows(ACCOUNTS) == []


def test_money_of_the_front_desk_pays_what_is_owed_and_is_in_no_payout() -> None:
    world = World()
    world.deliver(story()[0], paid(3000), paid(3000))
    account = world.rows(ACCOUNTS)[0]
    assert (account["applied_minor"], account["unapplied_minor"]) == (3000, 0)
    assert [(row["channel"], row["state"], row["payout_id"]) for row in world.rows(PAYMENTS)] == [
        ("front-desk", "succeeded", None)
    ]
    _, sums = entity_balances(world.store, "NORTH")
    assert sums["NORTH"]["patient_balance"] == Money(5000)
    assert "payments_not_paid_out" not in sums["NORTH"]


def test_a_copay_before_any_charge_waits_unapplied_and_pays_the_first_that_comes() -> None:
    world = World()
    world.deliver(paid(3000))
    assert world.rows(ACCOUNTS)[0]["unapplied_minor"] == 3000
    world.deliver(story()[0])
    assert world.rows(ACCOUNTS)[0]["applied_minor"] == 3000


@pytest.mark.parametrize("comes_first", [True, False])
def test_money_that_names_no_visit_is_the_patients_and_waits_for_what_the_patient_will_owe(comes_first: bool) -> None:
    world = World()
    messages = (paid(9000, encounter_id=None), story()[0])
    world.deliver(*(messages if comes_first else reversed(messages)))
    row = world.rows(ACCOUNTS)[0]
    assert (row["responsibility_minor"], row["applied_minor"], row["unapplied_minor"]) == (8000, 8000, 1000)
    assert world.open_cases() == []


def test_a_voided_charge_that_was_paid_leaves_the_cash_unapplied() -> None:
    world = World()
    world.deliver(story()[0], paid(3000), *story()[1:])
    row = world.rows(ACCOUNTS)[0]
    assert (row["responsibility_minor"], row["applied_minor"], row["unapplied_minor"]) == (0, 0, 3000)


def test_a_payment_that_comes_again_with_another_amount_is_a_persons() -> None:
    world = World()
    again = delivery(PatientPaymentReported.model_validate_json(paid(3001).data), derive("test-other-key", 1))
    world.deliver(paid(3000), again)
    assert world.open_cases() == ["PaymentChanged"]
    assert world.rows(PAYMENTS)[0]["amount_minor"] == 3000
