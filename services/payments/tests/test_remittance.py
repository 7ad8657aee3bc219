"""A remittance is accepted once, and everything else about it is said aloud."""

import pytest
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import RemittanceSummary
from chassis.testing.given import given, happened
from payments.domain.remittance import DepositDiffers, ReceiptVerdict, Remittance

from .examples import DAY, provider_adjustment, summary


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


@pytest.mark.parametrize("head", [summary(reversal_count=1), summary(provider_adjustments=(provider_adjustment(),))])
def test_reversals_and_provider_adjustments_are_not_accepted_yet(head: RemittanceSummary) -> None:
    (refused,) = given(Remittance).when(lambda r: r.receive(head)).events
    assert isinstance(refused, Remittance.Refused)
    assert refused.verdict is ReceiptVerdict.UNSUPPORTED


def test_a_deposit_of_another_amount_is_refused_with_the_difference() -> None:
    given(Remittance, [happened(Remittance.Accepted, summary=summary())]).when(
        lambda r: r.match_deposit(derive("d", 1), Money(8001), DAY)
    ).then_refused(DepositDiffers, "0.01 USD")


def test_a_second_deposit_for_one_trace_is_refused() -> None:
    matched = happened(
        Remittance.DepositMatched, deposit_id=derive("d", 1), entity="NORTH", amount=Money(8000), effective_date=DAY
    )
    given(Remittance, [happened(Remittance.Accepted, summary=summary()), matched]).when(
        lambda r: r.match_deposit(derive("d", 2), Money(8000), DAY)
    ).then_refused(DepositDiffers)
