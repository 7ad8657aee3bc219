"""What a payer has paid twice is proposed with what shows it, and is an overpayment once a person says so."""

from __future__ import annotations

from typing import cast

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import payer_overpayments_pb2 as pb
from canonical.ids import derive
from canonical.money import Money
from chassis.exceptions import CASES
from chassis.messaging import Delivery
from chassis.telemetry.correlation import caused_by, incoming
from payments.adapters.grpc_overpayments import PayerOverpaymentCalls
from payments.application.overpayments import PAYER_OVERPAYMENTS
from payments.domain.payer_overpayment import OwnOverpayment

from .examples import CLAIM, DAY
from .world import World, adjudication

NO_CONTEXT = cast(grpc.ServicerContext, None)
SECOND = derive("remittance", "1999", "TRACE2")


def twice(overpaid: int = 8000, position: int = 1, **changes: object) -> Delivery:
    facts = {"first": False, "remittance_id": SECOND, "overpaid": Money(overpaid), "paid": Money(8000)}
    return adjudication(0, position, **(facts | changes))


class Desk(World):
    """A claim that was decided once, and the people who work payers' credits."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = PayerOverpaymentCalls(self.core, lambda: DAY, lambda: {"NORTH"})
        self.deliver(adjudication(2500))

    def credits(self, *, identified_too: bool = False) -> list[tuple[str, int, int]]:
        request = pb.ListPayerCreditsRequest(identified_too=identified_too)
        told = self.calls.ListPayerCredits(request, NO_CONTEXT).credits
        return [(each.claim_id, each.overpaid.minor, each.identified.minor) for each in told]

    def identify(self, by: str = "user:ann") -> str:
        request = pb.IdentifyOverpaymentRequest(
            entity="NORTH",
            payer="ACME",
            cause=str(CLAIM),
            reason="duplicate-payment",
            evidence="paid by TRACE1 and TRACE2",
            amount=common_pb2.Money(minor=8000, currency="USD"),
        )
        with caused_by(incoming(by, None, None)):
            return self.calls.IdentifyOverpayment(request, NO_CONTEXT).overpayment_id

    def returned(self, overpayment_id: str, by: str) -> int:
        request = pb.MoveOverpaymentRequest(
            overpayment_id=overpayment_id,
            step="returned",
            amount=common_pb2.Money(minor=8000, currency="USD"),
            evidence="check 4711",
        )
        with caused_by(incoming(by, None, None)):
            return self.calls.MoveOverpayment(request, NO_CONTEXT).open.minor


def test_one_decision_proposes_nothing() -> None:
    desk = Desk()
    assert (desk.credits(), desk.open_cases()) == ([], [])


def test_what_a_payer_paid_twice_is_a_case_with_the_claim_and_the_decision_that_show_it() -> None:
    desk = Desk()
    desk.deliver(twice(), twice())
    assert desk.credits() == [(str(CLAIM), 8000, 0)]
    (case,) = desk.rows(CASES)
    assert (case["code"], case["subject_id"], case["amount_minor"]) == ("PayerCreditBalance", CLAIM, 8000)
    assert f"by remittance {SECOND}, position 1" in str(case["summary"])
    assert not desk.rows(PAYER_OVERPAYMENTS)


def test_the_case_ends_by_itself_when_the_payer_takes_it_back_and_opens_again_for_another() -> None:
    desk = Desk()
    desk.deliver(twice(), twice(0, 2, kind="reversal"))
    assert (desk.credits(), desk.open_cases()) == ([], [])
    desk.deliver(twice(5000, 3))
    assert (desk.credits(), desk.open_cases()) == ([(str(CLAIM), 5000, 0)], ["PayerCreditBalance"])


def test_an_older_word_than_the_last_changes_nothing() -> None:
    desk = Desk()
    desk.deliver(twice(0, 2, kind="reversal"), twice())
    assert (desk.credits(), desk.open_cases()) == ([], [])


def test_the_sixty_days_run_from_the_day_on_which_a_person_identified_it() -> None:
    desk = Desk()
    desk.deliver(twice())
    desk.identify()
    assert desk.open_cases() == ["PayerOverpaymentOwedBack"]
    assert (desk.credits(), desk.credits(identified_too=True)) == ([], [(str(CLAIM), 8000, 8000)])
    (told,) = desk.calls.ListPayerOverpayments(pb.ListPayerOverpaymentsRequest(), NO_CONTEXT).overpayments
    assert (told.identified_by, told.identified_on, told.due_on) == ("user:ann", "2026-03-02", "2026-05-01")


def test_another_person_says_that_it_was_returned() -> None:
    desk = Desk()
    desk.deliver(twice())
    overpayment_id = desk.identify()
    with pytest.raises(OwnOverpayment):
        desk.returned(overpayment_id, "user:ann")
    assert desk.returned(overpayment_id, "user:bea") == 0
    assert desk.open_cases() == []
