"""What our ledger and the ERP say of every account, in cents by entity, account and party."""

from __future__ import annotations

from collections import Counter

from billing.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from throughline.connection import Access

Balances = Counter[tuple[str, str, str]]
ENTITIES = ("NORTH", "SOUTH")


def at_our_ledger(access: Access) -> Balances:
    """Our own trial balance, of which the ERP must have confirmed all."""
    stub = ledger_pb2_grpc.LedgerServiceStub(access.channel("ledger"))
    found: Balances = Counter()
    for row in access.call("ledger", stub.TrialBalance, ledger_pb2.TrialBalanceRequest()).balances:
        assert row.subledger.minor == row.intended.minor == row.confirmed.minor, row.account
        found[row.entity, row.account, row.party] += row.confirmed.minor
    return found


def at_the_erp(access: Access) -> Balances:
    """What Tryton says, read back."""
    stub = ledger_pb2_grpc.LedgerServiceStub(access.channel("ledger"))
    found: Balances = Counter()
    for entity in ENTITIES:
        answer = access.call("ledger", stub.ReadErpBalances, ledger_pb2.ReadErpBalancesRequest(entity=entity))
        for row in answer.balances:
            found[entity, row.account, row.party] += row.amount.minor
    return found


def standing(balances: Balances) -> dict[tuple[str, str, str], int]:
    """Without the accounts that are empty."""
    return {place: amount for place, amount in balances.items() if amount}
