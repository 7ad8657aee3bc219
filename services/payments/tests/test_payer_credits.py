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
from payments.application import payer_credits
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

    def identify(self, by: str = "user:ann", amount: int = 8000) -> str:
        request = pb.IdentifyOverpaymentRequest(
            entity="NORTH",
            payer="ACME",
            cause=str(CLAIM),
            reason="duplicate-payment",
            evidence="paid by TRACE1 and TRACE2",
            amount=common_pb2.Money(minor=amount, currency="USD"),
        )
        with caused_by(incoming(by, None, None)):
            return self.calls.IdentifyOverpayment(request, NO_CONTEXT).overpayment_id

    def returned(self, overpayment_id: str, by: str, step: str = "returned") -> int:
        request = pb.MoveOverpaymentRequest(
            overpayment_id=overpayment_id,
            step=step,
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


def test_what_the_payer_takes_back_itself_is_told_before_it_is_returned_too() -> None:
    desk = Desk()
    desk.deliver(twice())
    overpayment_id = desk.identify()
    desk.deliver(twice(0, 2, kind="reversal"))
    assert desk.open_cases() == ["PayerOverpaymentOwedBack", "PayerOverpaymentTakenBack"]
    (case,) = desk.rows(CASES, code="PayerOverpaymentTakenBack")
    assert (str(case["subject_id"]), case["amount_minor"]) == (overpayment_id, 8000)
    assert desk.returned(overpayment_id, "user:bea", step="withdrawn") == 0
    assert desk.open_cases() == []


def test_a_part_that_the_payer_takes_back_is_told_too() -> None:
    desk = Desk()
    desk.deliver(twice())
    desk.identify()
    desk.deliver(twice(3000, 2, kind="reversal"))
    (case,) = desk.rows(CASES, code="PayerOverpaymentTakenBack")
    assert (case["state"], case["amount_minor"]) == ("open", 5000)


def test_what_is_returned_already_is_taken_back_without_a_word() -> None:
    desk = Desk()
    desk.deliver(twice())
    desk.returned(desk.identify(), "user:bea")
    desk.deliver(twice(0, 2, kind="reversal"))
    assert desk.open_cases() == []


@pytest.mark.parametrize("again", [5000, 8000])
def test_after_it_was_taken_back_the_next_duplicate_is_another_overpayment(again: int) -> None:
    desk = Desk()
    desk.deliver(twice())
    first = desk.identify()
    desk.returned(first, "user:bea", step="withdrawn")
    desk.deliver(twice(0, 2, kind="reversal"), twice(again, 3))
    assert (desk.credits(), desk.open_cases()) == ([(str(CLAIM), again, 0)], ["PayerCreditBalance"])
    second = desk.identify(amount=again)
    assert second != first
    assert desk.identify(amount=again) == second
    assert (desk.credits(), desk.open_cases()) == ([], ["PayerOverpaymentOwedBack"])


def test_more_than_was_identified_is_proposed_again() -> None:
    desk = Desk()
    desk.deliver(twice())
    desk.identify()
    desk.deliver(twice(13000, 2))
    assert desk.credits() == [(str(CLAIM), 13000, 8000)]
    assert desk.open_cases() == ["PayerCreditBalance", "PayerOverpaymentOwedBack"]


def test_a_claim_with_more_paid_twice_is_listed_first_over_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payer_credits, "CREDITS_PER_PAGE", 2)
    desk = Desk()
    claims = {derive("credit-claim", number): 1000 + number for number in range(5)}
    desk.deliver(*(twice(minor, minor, claim_id=claim) for claim, minor in claims.items()))
    assert [minor for _, minor, _ in desk.credits()] == [1004, 1003, 1002, 1001, 1000]
