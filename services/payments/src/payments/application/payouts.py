"""Payouts of the gateway: what it tells of them, and what our books hold behind each line of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import EventStore, Row, Work
from chassis.exceptions import raise_case

from payments.application.patient_rows import GATEWAY_MOVES, PAYMENTS, REFUNDS, gateway_move_id
from payments.application.row_values import int_of, uuid_of
from payments.domain.disputes import DisputeStep, dispute_id_of
from payments.domain.gateway_facts import PayoutAnnounced, PayoutCameBack
from payments.domain.payout import BalanceTransaction, LineKind, Payout, payout_id_of, returned_share_id_of
from payments.domain.payout_lines import Held
from payments.domain.refunds import RefundStep
from payments.domain.returns import return_id_of

CAME_BACK = "PayoutCameBack"
_REFUND_STEPS = {LineKind.REFUND: RefundStep.PAID, LineKind.REFUND_FAILED: RefundStep.FAILED}
_DISPUTE_STEPS = {
    LineKind.DISPUTE_WITHDRAWN: DisputeStep.WITHDRAWN,
    LineKind.DISPUTE_GIVEN_BACK: DisputeStep.WON,
}


def take_payout(work: Work, fact: PayoutAnnounced | PayoutCameBack, message_id: UUID, gateway: str) -> None:
    """Keeps the gateway's word of a payout; one that came back was one, whoever told of it first.

    Raises:
        PayoutDiffers: known with another amount.
    """
    payout = work.get_or_new(Payout, payout_id_of(fact.gateway_id, gateway))
    payout.announce(fact.gateway_id, fact.net, fact.arrives_on, message_id, gateway)
    if isinstance(fact, PayoutCameBack) and payout.came_back_on is None:
        payout.come_back(fact.reason, fact.on, message_id)
        raise_case(
            work,
            payout.id,
            code=CAME_BACK,
            summary=f"payout {fact.gateway_id} of {fact.net} came back ({fact.reason}); it is in the gateway's balance "
            "again, and comes with a later payout once the bank account there is right",
            subject="payout",
            subject_id=payout.id,
            amount=fact.net,
        )


def came_back_in(lines: Sequence[BalanceTransaction], gateway: str) -> list[UUID]:
    """The payouts that came back and whose money is in these lines of a later one."""
    came_back = [line for line in lines if line.kind is LineKind.PAYOUT_CAME_BACK]
    return [payout_id_of(line.source_gateway_id, gateway) for line in came_back]


class GatewayHoldings:
    """What our books hold at one gateway, by the lines of its balance that settle it."""

    def __init__(self, store: EventStore, gateway: str) -> None:
        self._store = store
        self._gateway = gateway

    def behind(self, work: Work, lines: Sequence[BalanceTransaction]) -> dict[str, list[Held]]:
        """By the id of each line what it settles, as far as our books have it by now."""
        payments = self._payments(lines)
        moves = self._moves_of(work, lines)
        rows = self._rows_by_id(moves)
        found: dict[str, list[Held]] = {}
        for line in lines:
            if line.kind is LineKind.PAYMENT and line.payment_gateway_id in payments:
                row = payments[line.payment_gateway_id]
                found[line.gateway_id] = [_held(row, payment_id=uuid_of(row["payment_id"]))]
            wanted = moves.get(line.gateway_id, [])
            if wanted and all(move_id in rows for move_id in wanted):
                found[line.gateway_id] = [_held(rows[move_id], move_id=move_id) for move_id in wanted]
        return found

    def _payments(self, lines: Sequence[BalanceTransaction]) -> Mapping[str, Row]:
        wanted = sorted({line.payment_gateway_id for line in lines if line.kind is LineKind.PAYMENT})
        where = {"gateway_id": wanted, "gateway": self._gateway, "state": "succeeded"}
        rows = self._store.rows(PAYMENTS, where, limit=max(1, len(wanted)))
        return {str(row["gateway_id"]): row for row in rows}

    def _moves_of(self, work: Work, lines: Sequence[BalanceTransaction]) -> dict[str, list[UUID]]:
        """By the id of each line that is no payment, the moves that our books must have of it."""
        refunds = self._refunds(lines)
        moves: dict[str, list[UUID]] = {}
        for line in lines:
            source = line.source_gateway_id
            if line.kind in _REFUND_STEPS and source in refunds:
                moves[line.gateway_id] = [gateway_move_id(refunds[source], _REFUND_STEPS[line.kind].value)]
            elif line.kind in _DISPUTE_STEPS:
                dispute_id = dispute_id_of(self._gateway, source)
                moves[line.gateway_id] = [gateway_move_id(dispute_id, _DISPUTE_STEPS[line.kind].value)]
            elif line.kind is LineKind.RETURN:
                moves[line.gateway_id] = [gateway_move_id(return_id_of(self._gateway, source), "returned")]
            elif line.kind is LineKind.PAYOUT_CAME_BACK:
                moves[line.gateway_id] = self._returned(work, payout_id_of(source, self._gateway))
        return moves

    def _refunds(self, lines: Sequence[BalanceTransaction]) -> dict[str, UUID]:
        wanted = sorted({line.source_gateway_id for line in lines if line.kind in _REFUND_STEPS})
        rows = self._store.rows(REFUNDS, {"gateway_id": wanted}, limit=max(1, len(wanted)))
        return {str(row["gateway_id"]): uuid_of(row["refund_id"]) for row in rows}

    def _returned(self, work: Work, payout_id: UUID) -> list[UUID]:
        payout = work.get(Payout, payout_id)
        entities = [share.entity for share in payout.shares if share.net] if payout and payout.is_returned else []
        return [gateway_move_id(returned_share_id_of(payout_id, entity), "returned") for entity in entities]

    def _rows_by_id(self, moves: Mapping[str, Sequence[UUID]]) -> dict[UUID, Row]:
        wanted = sorted({move_id for each in moves.values() for move_id in each}, key=str)
        rows = self._store.rows(GATEWAY_MOVES, {"move_id": wanted}, limit=max(1, len(wanted)))
        return {uuid_of(row["move_id"]): row for row in rows}


def _held(row: Row, *, payment_id: UUID | None = None, move_id: UUID | None = None) -> Held:
    return Held(str(row["entity"]), Money(int_of(row["amount_minor"])), payment_id, move_id)
