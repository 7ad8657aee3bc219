"""A remittance from paper is keyed by one person, checked by another, and then is a remittance as every other."""

from __future__ import annotations

from datetime import date

import pytest
from canonical.codes import AdjustmentGroup
from canonical.events.intake import RemittanceChunkReceived, RemittanceReceived
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, ClaimPayment, ProviderAdjustment, ServicePayment
from chassis.domain import Context
from chassis.testing.contexts import context
from intake.application.keying import KEYED_REMITTANCES, Keying
from intake.application.publishing import publish
from intake.domain.keyed_remittance import (
    CheckDiffers,
    CheckerIsMaker,
    KeyedContent,
    KeyedDecided,
    KeyedFaulty,
    KeyedOtherwise,
    WhyTurnedDown,
)

from .world import IntakeUnderTest

DAY = date(2026, 3, 2)


def claim(paid: int = 8000, position: int = 0) -> ClaimPayment:
    return ClaimPayment(
        position=position,
        patient_control_number=f"T{position:016d}",
        status="1",
        charge=Money(10000),
        paid=Money(paid),
        patient_responsibility=Money(0),
        payer_control_number="ICN1",
        services=(
            ServicePayment(
                procedure_code="99213",
                charge=Money(10000),
                paid=Money(paid),
                adjustments=(ClaimAdjustment(group=AdjustmentGroup.CONTRACTUAL, reason="45", amount=Money(2000)),),
            ),
        ),
    )


def content(**changes: object) -> KeyedContent:
    facts: dict[str, object] = {
        "payer": "ACME",
        "entity": "NORTH",
        "trace_number": "CHECK 4711",
        "payment_method": "CHK",
        "effective_date": DAY,
        "payment": Money(8000),
        "claims": (claim(),),
    }
    return KeyedContent.model_validate(facts | changes)


def by(name: str) -> Context:
    told = context()
    return Context(told.now, told.meta.model_copy(update={"actor": f"user:{name}"}))


class Desk:
    """Intake with its desk for paper."""

    def __init__(self) -> None:
        self.service = IntakeUnderTest()
        assert self.service.intake.keying is not None
        self.keying: Keying = self.service.intake.keying

    def received(self) -> list[RemittanceReceived | RemittanceChunkReceived]:
        told = [public for logged in self.service.store.log(0, 1000) for public in publish(logged.event)]
        return [public for public in told if isinstance(public, RemittanceReceived | RemittanceChunkReceived)]

    def states(self) -> list[str]:
        return [str(row["state"]) for row in self.service.store.rows(KEYED_REMITTANCES, {}, order=("keyed_at",))]


def test_what_one_keyed_and_another_checked_is_received_as_a_remittance_once() -> None:
    desk = Desk()
    keyed_id = desk.keying.key(by("ada"), content())
    assert desk.keying.key(by("ada"), content()) == keyed_id
    assert desk.received() == []
    desk.keying.check(by("ben"), keyed_id, Money(8000), 1)
    assert desk.keying.receive_checked() == 1
    assert desk.keying.receive_checked() == 0
    head, chunk = desk.received()
    assert isinstance(head, RemittanceReceived)
    assert isinstance(chunk, RemittanceChunkReceived)
    summary = head.summary
    assert (summary.trace_number, summary.payer_id, summary.entity, summary.payment) == (
        "CHECK 4711",
        "ACME",
        "NORTH",
        Money(8000),
    )
    (paid,) = chunk.claims
    assert (paid.patient_control_number, paid.services[0].paid) == (claim().patient_control_number, Money(8000))
    assert desk.states() == ["received"]


def test_nothing_goes_on_before_it_is_checked() -> None:
    desk = Desk()
    desk.keying.key(by("ada"), content())
    assert desk.keying.receive_checked() == 0
    assert desk.received() == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"payment": Money(8001)}, "transaction_unbalanced"),
        ({"claims": (claim(8001),), "payment": Money(8001)}, "unbalanced"),
        ({"payer": "NOBODY"}, "NOBODY"),
        ({"entity": "NOWHERE"}, "NOWHERE"),
        ({"claims": ()}, "one to 200 claims"),
        ({"trace_number": "A*B"}, "trace_number"),
        ({"payment_method": "CASH"}, "payment_method"),
    ],
)
def test_what_an_835_could_not_say_cannot_be_keyed(changes: dict[str, object], finding: str) -> None:
    desk = Desk()
    with pytest.raises(KeyedFaulty, match=finding):
        desk.keying.key(by("ada"), content(**changes))
    assert desk.states() == []


def test_provider_adjustments_count_as_in_an_835() -> None:
    taken = ProviderAdjustment(
        provider="1234567893", fiscal_date=date(2026, 12, 31), reason="WO", reference="ICN0", amount=Money(3000)
    )
    desk = Desk()
    keyed_id = desk.keying.key(by("ada"), content(payment=Money(5000), provider_adjustments=(taken,)))
    desk.keying.check(by("ben"), keyed_id, Money(5000), 1)
    desk.keying.receive_checked()
    head = desk.received()[0]
    assert isinstance(head, RemittanceReceived)
    assert [(each.reason, each.amount) for each in head.summary.provider_adjustments] == [("WO", Money(3000))]


def test_who_keyed_it_cannot_check_it_and_who_checks_it_reads_the_paper() -> None:
    desk = Desk()
    keyed_id = desk.keying.key(by("ada"), content())
    with pytest.raises(CheckerIsMaker):
        desk.keying.check(by("ada"), keyed_id, Money(8000), 1)
    for payment, claims in ((8001, 1), (8000, 2)):
        with pytest.raises(CheckDiffers):
            desk.keying.check(by("ben"), keyed_id, Money(payment), claims)
    assert desk.states() == ["keyed"]


def test_what_was_turned_down_can_be_keyed_anew_and_nothing_else_can_be_changed() -> None:
    desk = Desk()
    first = desk.keying.key(by("ada"), content(trace_number="CHECK 1"))
    with pytest.raises(KeyedOtherwise):
        desk.keying.key(by("ada"), content(trace_number="CHECK 1", effective_date=date(2026, 3, 3)))
    with pytest.raises(WhyTurnedDown):
        desk.keying.turn_down(by("ben"), first, "no")
    desk.keying.turn_down(by("ben"), first, "the day is wrong")
    with pytest.raises(KeyedDecided):
        desk.keying.check(by("ben"), first, Money(8000), 1)
    second = desk.keying.key(by("ada"), content(trace_number="CHECK 1", effective_date=date(2026, 3, 3)))
    assert second != first
    assert sorted(desk.states()) == ["keyed", "turned-down"]
