"""The calls by which a person gives payments to claims, and takes them off again."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import grpc
from billing.claims.v1 import claims_pb2 as pb
from billing.claims.v1 import claims_pb2_grpc
from chassis.eventstore import Work, transact
from chassis.rpc import BadArgument
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from claims.adapters.arguments import given, reason_in, size_of
from claims.adapters.messages import claim_message, unknown_payment_message
from claims.application import queries
from claims.application.adjudicating import settle_decisions
from claims.application.contractual_reasons import contractual_reasons_by
from claims.application.following import DecisionFollowing
from claims.application.matching import match_payment, unmatch_payment
from claims.domain.claim import Claim
from claims.domain.rules.edits import ClaimEdits


class MatchingCalls(claims_pb2_grpc.ClaimsServiceServicer):
    """Nothing here decides; what follows from a match follows as from a remittance."""

    def __init__(self, core: ServiceCore, edits: ClaimEdits, following: DecisionFollowing) -> None:
        self._core = core
        self._store = core.store
        self._edits = edits
        self._following = following

    def ListUnmatchedPayments(
        self, request: pb.ListUnmatchedPaymentsRequest, context: grpc.ServicerContext
    ) -> pb.ListUnmatchedPaymentsResponse:
        where = given(entity=request.entity, payer=request.payer)
        rows = queries.unmatched_payments(self._store, where, size_of("limit", request.limit))
        return pb.ListUnmatchedPaymentsResponse(payments=map(unknown_payment_message, rows))

    def MatchClaimPayment(
        self, request: pb.MatchClaimPaymentRequest, context: grpc.ServicerContext
    ) -> pb.MatchClaimPaymentResponse:
        remittance_id, position = _place(request)
        claim_id = uuid_in(request.claim_id, "claim_id")
        reason = reason_in(request.reason)
        reasons_of = contractual_reasons_by(self._edits.master_data)
        claim = self._moved(lambda work: match_payment(work, remittance_id, position, claim_id, reasons_of, reason))
        return pb.MatchClaimPaymentResponse(claim=claim)

    def UnmatchClaimPayment(
        self, request: pb.UnmatchClaimPaymentRequest, context: grpc.ServicerContext
    ) -> pb.UnmatchClaimPaymentResponse:
        remittance_id, position = _place(request)
        reason = reason_in(request.reason)
        claim = self._moved(lambda work: unmatch_payment(work, remittance_id, position, reason))
        return pb.UnmatchClaimPaymentResponse(claim=claim)

    def _moved(self, move: Callable[[Work], Claim]) -> pb.Claim:
        reasons_of = contractual_reasons_by(self._edits.master_data)

        def decide(work: Work) -> UUID:
            claim = move(work)
            settle_decisions(work, [claim], reasons_of, self._edits, self._following)
            return claim.id

        claim_id = transact(self._store, call_context(self._core.clock()), decide)
        row = queries.claim_row(self._store, claim_id)
        assert row is not None, "a claim that holds a payment has its row"
        return claim_message(row)


def _place(request: pb.MatchClaimPaymentRequest | pb.UnmatchClaimPaymentRequest) -> tuple[UUID, int]:
    if request.position < 0:
        raise BadArgument("position: not below zero")
    return uuid_in(request.remittance_id, "remittance_id"), request.position
