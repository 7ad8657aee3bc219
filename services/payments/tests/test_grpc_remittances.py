"""What payments answers about remittances and provider balances: heads, copies, deposits, adjustments and their items."""

from __future__ import annotations

from typing import cast

import grpc
import pytest
from billing.payments.v1 import payments_pb2 as pb
from canonical.ids import derive
from canonical.money import Money
from chassis.rpc import BadArgument, NotThere
from chassis.telemetry.correlation import caused_by, incoming
from payments.adapters.grpc import Payments
from payments.application.doors import BankFile
from payments.application.recording_deposits import ReportedDeposit
from payments.domain.deposit import DepositKind
from payments.domain.provider_balance import provider_balance_id

from .examples import DAY, PROVIDER, adjusted, claim_payment, plb, summary
from .world import World, adjudication, remittance

NO_CONTEXT = cast(grpc.ServicerContext, None)
PUT_OFF = adjusted("TRACE1", plb("WO", -500, "ICN0001"), effective_date=DAY.replace(day=2))
TAKEN = adjusted("TRACE2", plb("WO", 300, "ICN0001"), plb("L6", -35), plb("FB", 70), effective_date=DAY.replace(day=9))


def payments_of(world: World) -> Payments:
    return Payments(world.core, lambda: DAY)


@pytest.fixture
def world() -> World:
    """Two remittances: one puts a recoupment off, the next takes a part of it, and something that nobody announced."""
    made = World()
    reversal = claim_payment(paid=8000).model_copy(update={"status": "22", "payer_control_number": "icn-0001"})
    made.deliver(*remittance(PUT_OFF, reversal), *remittance(TAKEN), *remittance(TAKEN.model_copy(update=_copy())))
    entry = ReportedDeposit(
        derive("d", 2), "NORTH", DepositKind.REMITTANCE, TAKEN.payment, DAY, TAKEN.trace_number, 0, 10
    )
    made.doors.receive_bank_file(BankFile("bai2.txt", b"bai2", [entry]))
    made.sweep()
    return made


def _copy() -> dict[str, object]:
    return {"receipt_id": derive("copy", 2), "message_id": derive("copy message", 2)}


def test_a_remittance_is_told_whole(world: World) -> None:
    request = pb.GetRemittanceRequest(remittance_id=str(TAKEN.remittance_id))
    told = payments_of(world).GetRemittance(request, NO_CONTEXT)
    head = told.remittance
    assert (head.settlement, head.payment.minor, head.total_paid.minor) == ("deposited", 7665, 8000)
    assert head.total_provider_adjustments.minor == 335
    assert told.deposit.deposit_id == str(derive("d", 2))
    assert sorted(copy.verdict for copy in told.receipts) == ["accepted", "duplicate"]
    assert [(each.adjustment, each.reason, each.amount.minor) for each in told.provider_adjustments] == [
        (0, "WO", 300),
        (1, "L6", -35),
        (2, "FB", 70),
    ]


def test_each_adjustment_is_told_with_its_item_and_the_reversal_that_it_names(world: World) -> None:
    request = pb.GetRemittanceRequest(remittance_id=str(TAKEN.remittance_id))
    told = payments_of(world).GetRemittance(request, NO_CONTEXT)
    taken, interest, unexplained = told.provider_adjustments
    assert [item.item_id for item in told.provider_items] == [*taken.item_ids, *unexplained.item_ids]
    put_off, nobodys = told.provider_items
    assert (put_off.remittance_id, put_off.state, put_off.open.minor) == (
        str(PUT_OFF.remittance_id),
        "owed-to-payer",
        -200,
    )
    assert [(part.remittance_id, part.amount.minor) for part in put_off.settled_by] == [(str(TAKEN.remittance_id), 300)]
    assert (nobodys.state, nobodys.open.minor) == ("unexplained", 70)
    assert [(each.remittance_id, each.position) for each in taken.reversed_claims] == [(str(PUT_OFF.remittance_id), 0)]
    assert (list(interest.item_ids), list(interest.reversed_claims)) == ([], [])


def test_a_reference_that_holds_the_claims_number_beside_others_names_it_too() -> None:
    world = World()
    reversal = claim_payment(paid=8000).model_copy(update={"status": "22", "payer_control_number": "ICN0001"})
    other = claim_payment(1, paid=0).model_copy(update={"status": "22", "payer_control_number": "1"})
    head = adjusted("TRACE1", plb("WO", -500, "PCN7 20260301 ICN0001"), claim_count=2)
    world.deliver(*remittance(head, reversal, other))
    told = payments_of(world).GetRemittance(pb.GetRemittanceRequest(remittance_id=str(head.remittance_id)), NO_CONTEXT)
    assert [each.position for each in told.provider_adjustments[0].reversed_claims] == [0]


def test_a_balance_is_told_with_its_items_and_every_move(world: World) -> None:
    balance = str(provider_balance_id("ACME", PROVIDER))
    told = payments_of(world).GetProviderBalance(pb.GetProviderBalanceRequest(balance_id=balance), NO_CONTEXT)
    sums = (told.balance.open, told.balance.owed_to_payer, told.balance.unexplained, told.balance.other)
    assert [amount.minor for amount in sums] == [-130, -200, 70, -35]
    assert (told.balance.open_item_count, told.balance.adjustment_count) == (2, 4)
    assert [item.state for item in told.items] == ["owed-to-payer", "unexplained"]
    assert [each.amount.minor for each in told.adjustments] == [300, -35, 70, -500]


def test_balances_are_found_by_what_is_open_even_where_the_sum_is_zero() -> None:
    world = World()
    world.deliver(
        *remittance(adjusted("TRACE1", plb("FB", -70), effective_date=DAY.replace(day=9))),
        *remittance(adjusted("TRACE2", plb("WO", 70), effective_date=DAY.replace(day=10))),
        *remittance(adjusted("TRACE3", plb("L6", -35, provider="1999999984"))),
    )
    ask = payments_of(world).ListProviderBalances
    everything = ask(pb.ListProviderBalancesRequest(payer="ACME"), NO_CONTEXT).balances
    still_open = ask(pb.ListProviderBalancesRequest(only_open=True), NO_CONTEXT).balances
    assert [each.provider for each in everything] == [PROVIDER, "1999999984"]
    assert [(each.provider, each.open.minor, each.open_item_count) for each in still_open] == [(PROVIDER, 0, 2)]
    assert not ask(pb.ListProviderBalancesRequest(provider="0"), NO_CONTEXT).balances


def test_remittances_are_listed_by_payer_and_by_what_waits_for_a_deposit(world: World) -> None:
    world.deliver(*remittance(summary("TRACE9", paid=0, content="nothing", payer_id="OTHER")))
    ask = payments_of(world).ListRemittances
    everything = ask(pb.ListRemittancesRequest(), NO_CONTEXT).remittances
    waiting = ask(pb.ListRemittancesRequest(only_without_deposit=True), NO_CONTEXT).remittances
    of_other = ask(pb.ListRemittancesRequest(payer="OTHER"), NO_CONTEXT).remittances
    assert sorted(each.trace_number for each in everything) == ["TRACE1", "TRACE2", "TRACE9"]
    assert [each.trace_number for each in waiting] == ["TRACE1"]
    assert [each.settlement for each in of_other] == ["nothing-to-pay"]


def test_a_credit_balance_is_found_and_stays_below_zero() -> None:
    world = World()
    world.deliver(adjudication(-2500, kind="reversal"))
    ask = payments_of(world).ListAccounts
    (account,) = ask(pb.ListAccountsRequest(only_in_credit=True), NO_CONTEXT).accounts
    assert account.balance.minor == Money(-2500).minor
    assert not ask(pb.ListAccountsRequest(only_owing=True), NO_CONTEXT).accounts


def test_what_is_not_there_is_said(world: World) -> None:
    answers = payments_of(world)
    nothing = str(derive("nothing"))
    with pytest.raises(NotThere):
        answers.GetRemittance(pb.GetRemittanceRequest(remittance_id=nothing), NO_CONTEXT)
    with pytest.raises(NotThere):
        answers.GetProviderBalance(pb.GetProviderBalanceRequest(balance_id=nothing), NO_CONTEXT)
    with pytest.raises(BadArgument):
        answers.ListProviderBalances(pb.ListProviderBalancesRequest(limit=1001), NO_CONTEXT)


def test_a_person_ties_one_deposit_to_two_remittances_and_each_tells_of_it(world: World) -> None:
    heads = [summary("CHECK1", content="1", paid=5000), summary("CHECK2", content="2", paid=3000)]
    for head in heads:
        world.deliver(*remittance(head))
    check = ReportedDeposit(derive("d", 3), "NORTH", DepositKind.OTHER, Money(8000), DAY, "LOCKBOX", 0, 10)
    world.doors.receive_bank_file(BankFile("lockbox.txt", b"lockbox", [check]))
    ids = [str(head.remittance_id) for head in heads]
    calls = payments_of(world)
    with caused_by(incoming("user:ada", None, None)):
        calls.TieDeposits(pb.TieDepositsRequest(deposit_ids=[str(derive("d", 3))], remittance_ids=ids), NO_CONTEXT)
    for identity in ids:
        told = calls.GetRemittance(pb.GetRemittanceRequest(remittance_id=identity), NO_CONTEXT)
        assert (told.deposit.deposit_id, told.remittance.settlement) == (str(derive("d", 3)), "deposited")


def test_deposits_and_remittances_to_tie_must_be_named(world: World) -> None:
    with pytest.raises(BadArgument, match="1 to 100 of each"):
        payments_of(world).TieDeposits(pb.TieDepositsRequest(deposit_ids=[str(derive("d", 2))]), NO_CONTEXT)
