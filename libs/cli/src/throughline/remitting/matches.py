"""Payments that no claim holds, and what became of a claim that was given one, in words."""

from __future__ import annotations

from billing.claims.v1 import claims_pb2

from throughline.screen import Column, say, show_table
from throughline.wire import amount_text, money_of

_PAYMENTS = (
    Column("remittance"),
    Column("position", right=True),
    Column("date"),
    Column("entity"),
    Column("payer"),
    Column("control number"),
    Column("paid", right=True),
    Column("why"),
)


def tell_unmatched(found: claims_pb2.ListUnmatchedPaymentsResponse) -> None:
    """One line each."""
    if not found.payments:
        say("Every payment has its claim.")
        return
    show_table(_PAYMENTS, map(_payment, found.payments))
    say("`throughline remit match TRACE|ID POSITION CLAIM --reason ...` gives one to a claim.")


def _payment(each: claims_pb2.UnknownPayment) -> list[str]:
    place = [each.remittance_id, str(each.position), each.effective_date]
    return [*place, each.entity, each.payer, each.patient_control_number, amount_text(money_of(each.paid)), each.why]


def tell_matched(told: claims_pb2.MatchClaimPaymentResponse) -> None:
    """What the claim is now."""
    say(f"The payment is on {_claim(told.claim)}.", style="green")


def tell_unmatched_claim(told: claims_pb2.UnmatchClaimPaymentResponse) -> None:
    """What the claim is now."""
    say(f"The payment waits as unapplied cash again; it was on {_claim(told.claim)}.")


def _claim(claim: claims_pb2.Claim) -> str:
    still_open = amount_text(money_of(claim.open))
    return f"claim {claim.claim_id} ({claim.patient_control_number}), which is {claim.state} with {still_open} open"
