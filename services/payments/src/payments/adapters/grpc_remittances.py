"""Questions about remittances and what stays open between payers and providers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import grpc
from billing.payments.v1 import payments_pb2 as pb
from chassis.eventstore import EventStore, Question, Row, Table, Where, transact
from chassis.rpc import BadArgument, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.grpc_messages import (
    adjustment_sent,
    deposit_sent,
    item_sent,
    provider_balance_sent,
    receipt_sent,
    remittance_sent,
)
from payments.application.provider_rows import PROVIDER_BALANCES, PROVIDER_MOVES
from payments.application.provider_statements import MOVES_MAX, pairings, reversals_named
from payments.application.queries import DEPOSITS, RECEIPTS, REMITTANCES
from payments.application.tying import tie
from payments.domain.provider_items import Item, Pairing, move_id
from payments.domain.remittance import Settlement

LIST_DEFAULT = 100
TIED_MAX = 100
LIST_MAX = 5000
BALANCES_MAX = 1000


class RemittanceAnswers:
    """Answers from the store alone."""

    _core: ServiceCore
    _store: EventStore

    def ListRemittances(
        self, request: pb.ListRemittancesRequest, context: grpc.ServicerContext
    ) -> pb.ListRemittancesResponse:
        where = chosen(entity=request.entity, trace_number=request.trace_number, payer=request.payer)
        if request.only_without_deposit:
            where |= {"settlement": Settlement.WAITING.value}
        rows = listed(self._store, REMITTANCES, where, "-accepted_at", "remittance_id", request.limit)
        return pb.ListRemittancesResponse(remittances=[remittance_sent(row) for row in rows])

    def GetRemittance(
        self, request: pb.GetRemittanceRequest, context: grpc.ServicerContext
    ) -> pb.GetRemittanceResponse:
        wanted = uuid_in(request.remittance_id, "remittance_id")
        same = {"remittance_id": wanted}
        rows, receipts, moves, deposits = self._store.rows_of_each(
            [
                Question(REMITTANCES, same),
                Question(RECEIPTS, same, order=("receipt_id",)),
                Question(PROVIDER_MOVES, same, order=("adjustment",), limit=MOVES_MAX),
                Question(DEPOSITS, {"matched_to": wanted}),
            ]
        )
        if not receipts:
            raise NotThere("no copy of this remittance came")
        if rows and rows[0]["deposit_id"] and not deposits:
            deposits = self._store.rows(DEPOSITS, {"deposit_id": rows[0]["deposit_id"]})
        items = self._items_of(moves)
        return pb.GetRemittanceResponse(
            remittance=remittance_sent(rows[0]) if rows else None,
            receipts=[receipt_sent(row) for row in receipts],
            deposit=deposit_sent(deposits[0]) if deposits else None,
            provider_adjustments=self._adjustments(moves, items),
            provider_items=[item_sent(item) for item in _each_once(items)],
        )

    def TieDeposits(self, request: pb.TieDepositsRequest, context: grpc.ServicerContext) -> pb.TieDepositsResponse:
        deposits = [uuid_in(text, "deposit_ids") for text in request.deposit_ids]
        remittances = [uuid_in(text, "remittance_ids") for text in request.remittance_ids]
        if not 0 < min(len(deposits), len(remittances)) <= max(len(deposits), len(remittances)) <= TIED_MAX:
            raise BadArgument(f"deposit_ids, remittance_ids: 1 to {TIED_MAX} of each")
        transact(self._store, call_context(self._core.clock()), lambda work: tie(work, deposits, remittances))
        return pb.TieDepositsResponse()

    def ListProviderBalances(
        self, request: pb.ListProviderBalancesRequest, context: grpc.ServicerContext
    ) -> pb.ListProviderBalancesResponse:
        where = chosen(entity=request.entity, payer=request.payer, provider=request.provider)
        limit = limit_in(request.limit, BALANCES_MAX)
        read_max = BALANCES_MAX if request.only_open else limit
        rows = self._store.rows(PROVIDER_BALANCES, where, order=("payer", "provider"), limit=read_max)
        found = self._pairings(rows)
        if request.only_open:
            rows = [row for row in rows if found[_uuid(row["balance_id"])].open_items][:limit]
        return pb.ListProviderBalancesResponse(
            balances=[provider_balance_sent(row, found[_uuid(row["balance_id"])]) for row in rows]
        )

    def GetProviderBalance(
        self, request: pb.GetProviderBalanceRequest, context: grpc.ServicerContext
    ) -> pb.GetProviderBalanceResponse:
        wanted = uuid_in(request.balance_id, "balance_id")
        rows = self._store.rows(PROVIDER_BALANCES, {"balance_id": wanted})
        if not rows:
            raise NotThere("no provider-level adjustment has moved this balance")
        pairing = self._pairings(rows)[wanted]
        order = ("-effective_date", "remittance_id", "adjustment")
        moves = self._store.rows(PROVIDER_MOVES, {"balance_id": wanted}, order=order, limit=MOVES_MAX)
        return pb.GetProviderBalanceResponse(
            balance=provider_balance_sent(rows[0], pairing),
            items=[item_sent(item) for item in pairing.items],
            adjustments=self._adjustments(moves, [pairing.items_of(_move_id(move)) for move in moves]),
        )

    def _pairings(self, rows: Sequence[Row]) -> dict[UUID, Pairing]:
        return pairings(self._store, self._core.clock(), [_uuid(row["balance_id"]) for row in rows])

    def _items_of(self, moves: Sequence[Row]) -> list[list[Item]]:
        found = self._pairings(moves)
        return [found[_uuid(move["balance_id"])].items_of(_move_id(move)) for move in moves]

    def _adjustments(self, moves: Sequence[Row], items: Sequence[Sequence[Item]]) -> list[pb.ProviderAdjustment]:
        named = reversals_named(self._store, moves)
        return [
            adjustment_sent(move, touched, named.get((move["remittance_id"], move["adjustment"]), ()))
            for move, touched in zip(moves, items, strict=True)
        ]


def listed(store: EventStore, table: Table, where: Where, newest: str, key: str, limit: int) -> Sequence[Row]:
    """Rows in an order that is the same each time, as many as were asked for."""
    return store.rows(table, where, order=(newest, key), limit=limit_in(limit))


def chosen(**columns: str) -> dict[str, object]:
    """The filters that were given."""
    return {name: value for name, value in columns.items() if value}


def limit_in(asked: int, most: int = LIST_MAX) -> int:
    """How many to list, 100 where nothing was said.

    Raises:
        BadArgument: below zero or above the most.
    """
    if not 0 <= asked <= most:
        raise BadArgument(f"limit: 0 to {most}")
    return asked or LIST_DEFAULT


def _each_once(items: Sequence[Sequence[Item]]) -> list[Item]:
    return list({item.id: item for touched in items for item in touched}.values())


def _move_id(row: Row) -> UUID:
    return move_id(_uuid(row["remittance_id"]), int(str(row["adjustment"])))


def _uuid(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value
