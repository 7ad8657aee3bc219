"""The gRPC face of sending: claims again, and questions about coverage."""

from __future__ import annotations

from uuid import UUID

import grpc
from billing.claims.v1 import claim_sending_pb2 as pb
from billing.claims.v1 import claim_sending_pb2_grpc, claims_pb2
from billing.common.v1 import common_pb2
from canonical.codes import ClaimFrequency
from canonical.money import Money
from chassis.eventstore import transact
from chassis.rpc import BadArgument, GrpcService
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from claims.adapters.arguments import reason_in
from claims.adapters.messages import claim_message, money_message
from claims.application import queries
from claims.application.resubmitting import resubmit_claim
from claims.application.verifying_coverage import VERIFIED_MAX, CoverageChecks, NotVerified, Verified

NAME = "billing.claims.v1.ClaimSendingService"
WRITE = "claims.write"
CALLS = ("ReplaceClaim", "VoidClaim", "VerifyCoverage", "VerifyCoverages")


def claim_sending_service(core: ServiceCore, checks: CoverageChecks) -> GrpcService:
    """The service as the runtime serves it; every call reaches a payer, so that every one needs the right to write."""
    servicer = ClaimSending(core, checks)
    return GrpcService(
        NAME,
        lambda server: claim_sending_pb2_grpc.add_ClaimSendingServiceServicer_to_server(servicer, server),
        dict.fromkeys(CALLS, WRITE),
    )


class ClaimSending(claim_sending_pb2_grpc.ClaimSendingServiceServicer):
    """Hands commands and questions on; nothing here decides."""

    def __init__(self, core: ServiceCore, checks: CoverageChecks) -> None:
        self._core = core
        self._checks = checks

    def ReplaceClaim(self, request: pb.ReplaceClaimRequest, context: grpc.ServicerContext) -> pb.ReplaceClaimResponse:
        return pb.ReplaceClaimResponse(claim=self._resubmitted(request, ClaimFrequency.REPLACEMENT))

    def VoidClaim(self, request: pb.VoidClaimRequest, context: grpc.ServicerContext) -> pb.VoidClaimResponse:
        return pb.VoidClaimResponse(claim=self._resubmitted(request, ClaimFrequency.VOID))

    def VerifyCoverage(
        self, request: pb.VerifyCoverageRequest, context: grpc.ServicerContext
    ) -> pb.VerifyCoverageResponse:
        claim_id = uuid_in(request.claim_id, "claim_id")
        verified = self._checks.verify(call_context(self._core.clock()), claim_id, refresh=request.refresh)
        return pb.VerifyCoverageResponse(coverage=_coverage(verified))

    def VerifyCoverages(
        self, request: pb.VerifyCoveragesRequest, context: grpc.ServicerContext
    ) -> pb.VerifyCoveragesResponse:
        claim_ids = [uuid_in(text, "claim_ids") for text in request.claim_ids]
        if not 1 <= len(claim_ids) <= VERIFIED_MAX or len(set(claim_ids)) < len(claim_ids):
            raise BadArgument(f"claim_ids: 1 to {VERIFIED_MAX}, each once")
        found = self._checks.verify_many(call_context(self._core.clock()), claim_ids)
        return pb.VerifyCoveragesResponse(results=map(_result, found))

    def _resubmitted(
        self, request: pb.ReplaceClaimRequest | pb.VoidClaimRequest, frequency: ClaimFrequency
    ) -> claims_pb2.Claim:
        claim_id: UUID = uuid_in(request.claim_id, "claim_id")
        reason = reason_in(request.reason)
        transact(
            self._core.store,
            call_context(self._core.clock()),
            lambda work: resubmit_claim(work, claim_id, frequency, reason),
        )
        row = queries.claim_row(self._core.store, claim_id)
        assert row is not None, "a claim that is sent again has its row"
        return claim_message(row)


def _result(found: Verified | NotVerified) -> pb.CoverageResult:
    if isinstance(found, NotVerified):
        return pb.CoverageResult(claim_id=str(found.claim_id), code=found.code, why=found.why)
    return pb.CoverageResult(claim_id=str(found.claim_id), coverage=_coverage(found))


def _coverage(verified: Verified) -> pb.Coverage:
    subject, answer, proof = verified.subject, verified.answer, verified.proof
    percent = answer.coinsurance_percent
    return pb.Coverage(
        patient_id=str(subject.patient_id),
        payer=subject.payer,
        service_date=subject.service_date.isoformat(),
        active=answer.active.value,
        plan=answer.plan,
        deductible=_money(answer.deductible),
        deductible_left=_money(answer.deductible_left),
        copay=_money(answer.copay),
        coinsurance_percent="" if percent is None else str(percent),
        rejections=answer.rejections,
        asked_at=proof.asked_at.isoformat(),
        trace=proof.trace,
        clearinghouse=proof.clearinghouse,
        question_digest=proof.question_digest,
        answer_digest=proof.answer_digest,
        is_fresh=verified.is_fresh,
    )


def _money(amount: Money | None) -> common_pb2.Money | None:
    return None if amount is None else money_message(amount.minor)
