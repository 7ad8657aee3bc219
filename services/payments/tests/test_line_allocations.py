"""Cash that is set aside for a line of a claim, or a charge of a visit, pays no more than that line's share."""

from __future__ import annotations

from itertools import permutations
from typing import cast
from uuid import UUID

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import patient_accounts_pb2 as pb
from canonical.encounter import ChargeLine
from canonical.events.claims import LineShare
from canonical.ids import derive
from canonical.money import Money
from chassis.messaging import Delivery
from chassis.telemetry.correlation import caused_by, incoming
from payments.adapters.grpc_accounts import PatientAccounts
from payments.domain.account_refusals import AllocationChanged, NoSuchLine
from payments.domain.patient_account import account_id_of

from .examples import CLAIM, DAY, ENCOUNTER, PATIENT
from .test_account_calls import DOCUMENTS
from .test_front_desk import PAYMENT, charged, paid, revised
from .world import World, adjudication, delivery

NO_CONTEXT = cast(grpc.ServicerContext, None)
ACCOUNT = account_id_of("NORTH", PATIENT)
FIRST, SECOND = (derive("test-charge", number) for number in (1, 2))


def decided(position: int = 0, first: int = 2000, second: int = 500, **changes: object) -> Delivery:
    lines = (LineShare(line=1, amount=Money(first)), LineShare(line=2, amount=Money(second)))
    return adjudication(first + second, position, patient_lines=lines, **changes)


class Lines(World):
    """A patient with cash, and the person who sets it aside."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = PatientAccounts(self.core, lambda: DAY, Money(0), DOCUMENTS)

    def set_aside(self, minor: int, line: str, target: UUID = CLAIM, name: str = "knee") -> None:
        request = pb.AllocateRequest(
            account_id=str(ACCOUNT),
            allocation=name,
            payment_id=str(PAYMENT),
            target=str(target),
            amount=common_pb2.Money(minor=minor, currency="USD"),
            line=line,
        )
        with caused_by(incoming("user:ann", None, None)):
            self.calls.Allocate(request, NO_CONTEXT)

    def told(self) -> pb.AccountBalance:
        (found,) = self.calls.GetBalance(pb.GetBalanceRequest(account_id=str(ACCOUNT)), NO_CONTEXT).accounts
        return found

    def paid_and_waiting(self) -> tuple[int, int]:
        (place,), (cash,) = self.told().places, self.told().cash
        return place.paid.minor, cash.unapplied.minor


def test_a_balance_tells_what_of_a_claim_is_of_which_line() -> None:
    world = Lines()
    world.deliver(decided(), decided(1, -2000, -500, kind="reversal"), decided(2, 1000, 300))
    (place,) = world.told().places
    assert [(line.line, line.responsibility.minor) for line in place.lines] == [("1", 1000), ("2", 300)]


@pytest.mark.parametrize(
    ("minor", "line", "expected"),
    [
        (3000, "", (2500, 500)),
        (3000, "1", (2000, 1000)),
        (3000, "2", (500, 2500)),
        (300, "2", (2500, 500)),
        (1000, "2", (2500, 500)),
    ],
)
def test_set_aside_for_a_line_it_pays_that_lines_share_and_waits_with_the_rest(
    minor: int, line: str, expected: tuple[int, int]
) -> None:
    world = Lines()
    world.deliver(decided(), paid(3000))
    world.set_aside(minor, line)
    assert world.paid_and_waiting() == expected


def test_two_amounts_that_are_set_aside_for_one_line_pay_its_share_once() -> None:
    world = Lines()
    world.deliver(decided(), paid(1200))
    world.set_aside(600, "2", name="knee")
    world.set_aside(600, "2", name="hip")
    assert world.paid_and_waiting() == (500, 700)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_before_anything_is_owed_or_after_makes_no_difference(order: tuple[int, ...]) -> None:
    world = Lines()
    world.deliver(paid(3000))
    steps = [
        lambda: world.deliver(decided()),
        lambda: world.set_aside(3000, "2"),
        lambda: world.deliver(paid(100, derive("test-front-desk-payment", 2))),
    ]
    for place in order:
        steps[place]()
    (place_told,) = world.told().places
    assert place_told.paid.minor == 600


def test_a_visit_without_a_claim_is_told_charge_by_charge_and_follows_its_revisions() -> None:
    def lines(*amounts: int) -> tuple[ChargeLine, ...]:
        ids = (FIRST, SECOND)
        return tuple(
            ChargeLine(charge_id=identity, procedure_code="99213", amount=Money(amount), service_date=DAY)
            for identity, amount in zip(ids, amounts, strict=False)
        )

    world = Lines()
    first = charged(8000).model_copy(update={"charges": lines(5000, 3000)})
    second = revised(8000, 6000, 1).model_copy(
        update={"charges": lines(4000, 2000), "previous_charges": lines(5000, 3000)}
    )
    world.deliver(delivery(first, ENCOUNTER, 1), delivery(second, ENCOUNTER, 2), paid(6000))
    world.set_aside(6000, str(SECOND), ENCOUNTER)
    assert world.paid_and_waiting() == (2000, 4000)


def test_a_line_that_is_not_owed_there_is_refused_and_an_allocation_keeps_its_line() -> None:
    world = Lines()
    world.deliver(decided(), paid(3000))
    with pytest.raises(NoSuchLine):
        world.set_aside(100, "3")
    world.set_aside(100, "2")
    with pytest.raises(AllocationChanged):
        world.set_aside(100, "1")
    (allocation,) = world.told().cash[0].allocations
    assert (allocation.line, allocation.amount.minor) == ("2", 100)
