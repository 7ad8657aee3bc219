"""A remittance is accepted once, and everything else about it is said aloud."""

import pytest
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import RemittanceSummary
from chassis.domain import Refusal
from chassis.testing.given import given, happened
from payments.domain.remittance import (
    DepositDiffers,
    DepositPart,
    NegativePayment,
    ReceiptVerdict,
    Remittance,
    RemittanceUnbalanced,
)

from .examples import DAY, adjusted, plb, summary


def test_the_first_copy_is_accepted() -> None:
    given(Remittance).when(lambda r: r.receive(summary())).then(happened(Remittance.Accepted, summary=summary()))


def test_the_same_copy_again_changes_nothing() -> None:
    given(Remittance, [happened(Remittance.Accepted, summary=summary())]).when(lambda r: r.receive(summary())).then()


def test_another_copy_with_the_same_content_is_a_duplicate() -> None:
    outcome = given(Remittance, [happened(Remittance.Accepted, summary=summary())]).when(
        lambda r: r.receive(summary(copy=2))
    )
    assert [event.verdict for event in outcome.events if isinstance(event, Remittance.Refused)] == [
        ReceiptVerdict.DUPLICATE
    ]


def test_the_same_trace_with_other_content_conflicts_and_names_the_first_message() -> None:
    outcome = given(Remittance, [happened(Remittance.Accepted, summary=summary())]).when(
        lambda r: r.receive(summary(copy=2, content="other"))
    )
    (refused,) = outcome.events
    assert isinstance(refused, Remittance.Refused)
    assert refused.verdict is ReceiptVerdict.CONFLICTING
    assert refused.first_message_id == summary().message_id


@pytest.mark.parametrize("head", [summary(reversal_count=1), adjusted("TRACE1", plb("WO", 100))])
def test_reversals_and_provider_adjustments_are_accepted(head: RemittanceSummary) -> None:
    given(Remittance).when(lambda r: r.receive(head)).then(happened(Remittance.Accepted, summary=head))


@pytest.mark.parametrize(
    ("head", "rule", "words"),
    [
        (summary(payment=Money(7999)), RemittanceUnbalanced, "0.01 USD"),
        (summary(total_provider_adjustments=Money(1), payment=Money(7999)), RemittanceUnbalanced, "0.01 USD"),
        (adjusted("TRACE1", plb("WO", 100), payment=Money(8000)), RemittanceUnbalanced, "1.00 USD"),
        (adjusted("TRACE1", plb("FB", 8001)), NegativePayment, "-0.01 USD"),
    ],
)
def test_a_head_that_cannot_be_is_refused(head: RemittanceSummary, rule: type[Refusal], words: str) -> None:
    given(Remittance).when(lambda r: r.receive(head)).then_refused(rule, words)


def test_a_remittance_that_pays_nothing_is_settled_by_itself_and_once() -> None:
    head = adjusted("TRACE1", plb("FB", 8000))
    settled = happened(Remittance.SettledWithoutDeposit, entity="NORTH", effective_date=DAY)
    accepted = happened(Remittance.Accepted, summary=head)
    given(Remittance).when(lambda r: r.receive(head)).then(accepted, settled)
    given(Remittance, [accepted, settled]).when(lambda r: r.receive(head)).then()
    given(Remittance, [accepted, settled]).when(
        lambda r: r.match_deposits([DepositPart(derive("d", 1), Money(100), DAY)])
    ).then_refused(DepositDiffers, "pays nothing")


def test_a_copy_that_was_unsupported_once_stays_loadable() -> None:
    head = summary()
    refused = happened(
        Remittance.Refused,
        receipt_id=head.receipt_id,
        message_id=head.message_id,
        verdict=ReceiptVerdict.UNSUPPORTED,
        entity="NORTH",
        payment=Money(8000),
        trace_number="TRACE1",
    )
    given(Remittance, [refused]).when(lambda r: r.receive(head)).then()
    given(Remittance, [refused]).when(lambda r: r.receive(summary(copy=2))).then(
        happened(Remittance.Accepted, summary=summary(copy=2))
    )


def test_a_deposit_of_another_amount_is_refused_with_the_difference() -> None:
    given(Remittance, [happened(Remittance.Accepted, summary=summary())]).when(
        lambda r: r.match_deposits([DepositPart(derive("d", 1), Money(8001), DAY)])
    ).then_refused(DepositDiffers, "0.01 USD")


def test_a_second_deposit_for_one_trace_is_refused() -> None:
    matched = happened(
        Remittance.DepositMatched, deposit_id=derive("d", 1), entity="NORTH", amount=Money(8000), effective_date=DAY
    )
    given(Remittance, [happened(Remittance.Accepted, summary=summary()), matched]).when(
        lambda r: r.match_deposits([DepositPart(derive("d", 2), Money(8000), DAY)])
    ).then_refused(DepositDiffers)
