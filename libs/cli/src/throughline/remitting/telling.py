"""Remittances and provider balances in words and tables, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable

from billing.payments.v1 import payments_pb2 as pb
from canonical.money import Money

from throughline.screen import Column, say, short, show_table
from throughline.wire import amount_text, money_of

_COPIES = (Column("copy"), Column("verdict"), Column("payment", right=True), Column("message"))
_ADJUSTMENTS = (
    Column("date"),
    Column("remittance"),
    Column("nr", right=True),
    Column("code"),
    Column("reference"),
    Column("amount", right=True),
    Column("items"),
    Column("reversed claims", flexible=True),
)
_ITEMS = (
    Column("item"),
    Column("since"),
    Column("code"),
    Column("reference"),
    Column("amount", right=True),
    Column("open", right=True),
    Column("state"),
    Column("settled by", flexible=True),
)
_REMITTANCES = (
    Column("remittance"),
    Column("trace"),
    Column("date"),
    Column("entity"),
    Column("payer"),
    Column("claims", right=True),
    Column("payment", right=True),
    Column("settlement"),
)
_BALANCES = (
    Column("balance"),
    Column("entity"),
    Column("payer"),
    Column("provider"),
    Column("items", right=True),
    Column("owed to payer", right=True),
    Column("unexplained", right=True),
    Column("other", right=True),
)


def tell_remittance(told: pb.GetRemittanceResponse) -> None:
    """Head, copies, adjustments and items of one remittance."""
    if told.HasField("remittance"):
        _tell_head(told)
    else:
        say("No copy of this remittance was accepted.", style="yellow")
    rows = ([short(c.receipt_id), c.verdict, amount_text(money_of(c.payment)), c.message_id] for c in told.receipts)
    show_table(_COPIES, rows, title="Copies that came")
    if told.provider_adjustments:
        _show_adjustments(told.provider_adjustments)
    if told.provider_items:
        _show_items(told.provider_items)


def _tell_head(told: pb.GetRemittanceResponse) -> None:
    head = told.remittance
    say(f"Trace {head.trace_number} of {head.payer}, {head.effective_date}, for {head.entity}", style="bold")
    say(f"Remittance {head.remittance_id}, message {head.message_id}")
    reversed_count = f", {head.reversal_count} of them reversals" if head.reversal_count else ""
    say(
        f"Paid {amount_text(money_of(head.total_paid))} for {head.claim_count} claims of "
        f"{amount_text(money_of(head.total_charge))}{reversed_count}; less provider-level adjustments of "
        f"{amount_text(money_of(head.total_provider_adjustments))} it pays {amount_text(money_of(head.payment))}."
    )
    if head.chunks_accepted < head.chunk_count:
        say(f"{head.chunks_accepted} of its {head.chunk_count} parts have been passed on.", style="yellow")
    say(_settlement(told))


def _settlement(told: pb.GetRemittanceResponse) -> str:
    if told.remittance.settlement == "nothing-to-pay":
        return "It pays nothing, so that no deposit will come: settled."
    if told.HasField("deposit"):
        return f"Its money came on {told.deposit.effective_date}, deposit {told.deposit.deposit_id}: settled."
    return "Its deposit has not come yet."


def tell_remittances(found: pb.ListRemittancesResponse) -> None:
    """One line each."""
    if not found.remittances:
        say("No remittance is so.")
        return
    show_table(_REMITTANCES, map(_remittance, found.remittances))
    say("`throughline remit show TRACE|ID` tells more of one.")


def _remittance(each: pb.Remittance) -> list[str]:
    facts = [each.remittance_id, each.trace_number, each.effective_date, each.entity, each.payer]
    return [*facts, str(each.claim_count), amount_text(money_of(each.payment)), each.settlement]


def tell_balances(found: pb.ListProviderBalancesResponse) -> None:
    """One line each."""
    if not found.balances:
        say("No provider-level adjustment has left anything open.")
        return
    show_table(_BALANCES, map(_balance, found.balances))
    say("`throughline remit balances ID` tells more of one.")


def _balance(each: pb.ProviderBalance) -> list[str]:
    amounts = (-money_of(each.owed_to_payer), money_of(each.unexplained), money_of(each.other))
    facts = [each.balance_id, each.entity, each.payer, each.provider, str(each.open_item_count)]
    return [*facts, *map(amount_text, amounts)]


def tell_balance(told: pb.GetProviderBalanceResponse) -> None:
    """One balance in words, its items and everything that moved it."""
    balance = told.balance
    say(f"{balance.payer} and provider {balance.provider}, {balance.entity}", style="bold")
    for sentence in _open_in_words(balance):
        say(sentence)
    _show_items(told.items)
    _show_adjustments(told.adjustments)


def _open_in_words(balance: pb.ProviderBalance) -> Iterable[str]:
    owed, unexplained = money_of(balance.owed_to_payer), money_of(balance.unexplained)
    if owed:
        yield f"{amount_text(-owed)} is owed to the payer, which will take it from a later payment."
    if unexplained > Money(0):
        yield f"{amount_text(unexplained)} was taken by the payer, and nothing open explains it."
    if not owed and not unexplained:
        yield "Nothing is open."


def _show_adjustments(adjustments: Iterable[pb.ProviderAdjustment]) -> None:
    show_table(
        _ADJUSTMENTS, map(_adjustment, adjustments), title="Provider-level adjustments; above zero lowers a payment"
    )


def _adjustment(each: pb.ProviderAdjustment) -> list[str]:
    named = [f"{claim.patient_control_number} ({amount_text(money_of(claim.paid))})" for claim in each.reversed_claims]
    facts = [each.effective_date, short(each.remittance_id), str(each.adjustment), each.reason, each.reference]
    return [*facts, amount_text(money_of(each.amount)), ", ".join(map(short, each.item_ids)), ", ".join(named)]


def _show_items(items: Iterable[pb.ProviderItem]) -> None:
    show_table(_ITEMS, map(_item, items), title="Open items; below zero is owed to the payer")


def _item(each: pb.ProviderItem) -> list[str]:
    parts = [f"{amount_text(money_of(part.amount))} on {part.effective_date}" for part in each.settled_by]
    amounts = [amount_text(money_of(each.amount)), amount_text(money_of(each.open))]
    facts = [short(each.item_id), each.effective_date, each.reason, each.reference]
    return [*facts, *amounts, each.state, ", ".join(parts)]
