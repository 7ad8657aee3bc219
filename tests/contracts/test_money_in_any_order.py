"""Charges, adjudications, remittances, deposits and everything the gateway tells: the order of arrival changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from uuid import UUID

from canonical.codes import AdjustmentGroup, PayerClass
from canonical.events.claims import ClaimAdjudicated
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox.world.bank import Bank

from services.payments.tests.examples import claim_payment, summary
from services.payments.tests.world import remittance
from tests.contracts.desk import PATIENTS, at_the_desk
from tests.contracts.gateway_table import STORIES
from tests.contracts.gateway_till import ENTITY, Till, patient_of
from tests.contracts.money_road import DAY, NOW, MoneyRoad, OwnGateway, Told, charged, delivery

CHARGE = 100_00


def by_the_payer(patient_id: UUID, number: int, share: int) -> list[Told]:
    """A claim of 100.00 of which the payer left that share to the patient: its remittance, and what claims made of it."""
    trace, paid = f"TRACE{number}", CHARGE - share
    claim_id = derive("any-order-claim", patient_id, number)
    event = ClaimAdjudicated(
        claim_id=claim_id,
        encounter_id=derive("any-order-visit", patient_id, number),
        posting=1,
        patient_id=patient_id,
        entity=ENTITY,
        payer="ACME",
        payer_class=PayerClass.COMMERCIAL,
        remittance_id=derive("remittance", "1999", trace),
        remittance_position=0,
        effective_date=NOW.date(),
        first=True,
        denied=False,
        charge=Money(CHARGE),
        paid=Money(paid),
        patient_responsibility=Money(share),
        adjustments=(ClaimAdjustment(group=AdjustmentGroup("PR"), reason="2", amount=Money(share)),),
        service_from=DAY,
    )
    head = summary(trace, content=f"of {trace}", paid=paid)
    return [*remittance(head, claim_payment(paid=paid)), delivery(event, claim_id)]


def at_the_bank(tills: Iterable[Till], traces: Iterable[tuple[str, int]]) -> list[Told]:
    """Each deposit in a file of its own."""
    bank, files = Bank(), []
    for till in tills:
        for payout in till.paid_out:
            bank.deposit_payout(ENTITY, payout.id, Money(payout.amount), NOW.date())
            files += bank.statement(NOW.date(), NOW)
    for trace, cents in traces:
        bank.deposit_unrelated(ENTITY, Money(cents), NOW.date(), f"HCCLAIMPMT ACME TRN*1*{trace}*1999\\")
        files += bank.statement(NOW.date(), NOW)
    return list(files)


def all_of_it(names: list[str], shares: list[int], *, has_desk: bool) -> tuple[OwnGateway, list[Told]]:
    """Each story with a patient of its own, payers' decisions for the first of them, and what people decide for others."""
    gateway = OwnGateway()
    tills = [gateway.till(f"{number} {name}") for number, name in enumerate(names)]
    told: list[Told] = []
    for name, till in zip(names, tills, strict=True):
        STORIES[name].happens(till)
        told += [charged(patient_of(till.name)), *till.webhooks]
    traces = [(f"TRACE{number}", CHARGE - share) for number, share in enumerate(shares)]
    for number, share in enumerate(shares):
        told += by_the_payer(tills[0].patient_id, number, share)
    if has_desk:
        told += people_at_the_desk(gateway)
    return gateway, told + at_the_bank(tills, traces)


def people_at_the_desk(gateway: OwnGateway) -> list[Told]:
    """Refunds, transfers, write-offs, a plan and a late match, with the charges and the payments that they are about."""
    tills = {name: gateway.till(name) for name in PATIENTS}
    acts = at_the_desk(tills)
    webhooks = [body for till in tills.values() for body in till.webhooks]
    return [*acts, *webhooks, *(charged(patient_of(name)) for name in PATIENTS)]


def ends_of(gateway: OwnGateway, told: Iterable[Told], pausing: Callable[[], bool]) -> dict[str, object]:
    road = MoneyRoad(gateway)
    for each in told:
        road.tell(each)
        if pausing():
            road.settle()
    road.settle()
    while news := gateway.news():
        road.tell(*news)
        road.settle()
    return road.ends()


@given(
    names=st.lists(st.sampled_from(sorted(STORIES)), min_size=1, max_size=3),
    shares=st.lists(st.integers(1, 99_00), max_size=3),
    luck=st.integers(0, 2**32),
    pausing=st.sampled_from([0.0, 0.2, 1.0]),
    has_desk=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_money_ends_at_the_same_place_in_whatever_order_it_is_told(
    names: list[str], shares: list[int], luck: int, pausing: float, has_desk: bool
) -> None:
    gateway, told = all_of_it(names, shares, has_desk=has_desk)
    dice = random.Random(luck)
    plain = ends_of(gateway, told, lambda: True)
    gateway, told = all_of_it(names, shares, has_desk=has_desk)
    again = [*told, *dice.choices(told, k=len(told) // 2)]
    dice.shuffle(again)
    assert ends_of(gateway, again, lambda: dice.random() < pausing) == plain


def test_all_that_people_want_to_do_is_done() -> None:
    gateway = OwnGateway()
    ends = ends_of(gateway, people_at_the_desk(gateway), lambda: True)
    assert [text for text in sorted(map(str, gateway.later.refunds.values())) if "amount=4000" in text]
    for what, state, count in (
        ("transfers", "made", 2),
        ("write-offs", "approved", 2),
        ("plans", "running", 1),
        ("refunds", "paid", 1),
        ("orders", "known", 1),
    ):
        rows = ends[what]
        assert isinstance(rows, list)
        assert sum(f"('state', '{state}')" in row for row in rows) == count, (what, rows)
    assert "UnmatchedPayment" not in str(ends["cases"])
