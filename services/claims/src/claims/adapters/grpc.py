"""The gRPC face of claims: questions answered from the read models, and the release that a person asks for."""

from __future__ import annotations

import grpc
from billing.claims.v1 import claims_pb2 as pb
from billing.claims.v1 import claims_pb2_grpc
from chassis.eventstore import transact
from chassis.merged_patients import group_of
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from claims.adapters.arguments import day_in, given, offset_in, reason_in, size_of
from claims.adapters.grpc_matching import MatchingCalls
from claims.adapters.messages import (
    adjudication_message,
    amounts_message,
    claim_message,
    interchange_message,
    line_messages,
    money_message,
    platform_balance_message,
    platform_balances_message,
    unknown_payment_message,
)
from claims.application import queries
from claims.application.following import DecisionFollowing
from claims.application.platform_read_models import STATES, platform_balance_rows
from claims.application.use_cases import release_claim
from claims.domain.claim_state import ClaimState
from claims.domain.interchange import InterchangeState
from claims.domain.rules.edits import ClaimEdits

NAME = "billing.claims.v1.ClaimsService"
READ, WRITE = "claims.read", "claims.write"
READING = (
    "GetClaim",
    "ListClaims",
    "CountByState",
    "FindClaim",
    "ListAdjudications",
    "ListInterchanges",
    "GetSubledgerBalances",
    "CheckEligibility",
    "ListUnmatchedPayments",
    "ListPlatformBalances",
)
WRITING = ("ReleaseClaim", "MatchClaimPayment", "UnmatchClaimPayment")


def claims_service(core: ServiceCore, edits: ClaimEdits, following: DecisionFollowing) -> GrpcService:
    """The service as the runtime serves it."""
    servicer = Claims(core, edits, following)
    return GrpcService(
        NAME,
        lambda server: claims_pb2_grpc.add_ClaimsServiceServicer_to_server(servicer, server),
        dict.fromkeys(READING, READ) | dict.fromkeys(WRITING, WRITE),
    )


class Claims(MatchingCalls):
    """Reads the read models; nothing here decides."""

    def GetClaim(self, request: pb.GetClaimRequest, context: grpc.ServicerContext) -> pb.GetClaimResponse:
        claim_id = uuid_in(request.claim_id, "claim_id")
        row = queries.claim_row(self._store, claim_id)
        claim = queries.claim_itself(self._store, claim_id, self._core.clock())
        if row is None or claim is None:
            raise NotThere(f"no claim {claim_id}")
        decisions = queries.decisions_on(self._store, claim_id)
        return pb.GetClaimResponse(
            claim=claim_message(row),
            adjudications=[adjudication_message(each, claim.decisions) for each in decisions],
            other_payers=map(claim_message, queries.claims_to_other_payers(self._store, row)),
            lines=line_messages(claim),
            matched_payments=map(unknown_payment_message, queries.payments_matched_to(self._store, claim_id)),
        )

    def ListClaims(self, request: pb.ListClaimsRequest, context: grpc.ServicerContext) -> pb.ListClaimsResponse:
        size = size_of("page_size", request.page_size)
        skip = offset_in(request.page_token)
        _refuse_unknown_state(request.state, ClaimState)
        where = given(state=request.state, payer=request.payer, entity=request.entity)
        rows = queries.claim_rows(self._store, where, skip=skip, size=size)
        next_token = str(skip + size) if len(rows) > size else ""
        return pb.ListClaimsResponse(claims=map(claim_message, rows[:size]), next_page_token=next_token)

    def CountByState(self, request: pb.CountByStateRequest, context: grpc.ServicerContext) -> pb.CountByStateResponse:
        rows = queries.counts_by_state(self._store, given(entity=request.entity))
        counts = [
            pb.StateCount(
                state=str(row["state"]),
                claims=queries.whole(row["count"]),
                charge=money_message(queries.whole(row["charge_minor"])),
            )
            for row in rows
        ]
        return pb.CountByStateResponse(counts=counts)

    def FindClaim(self, request: pb.FindClaimRequest, context: grpc.ServicerContext) -> pb.FindClaimResponse:
        where: dict[str, object] = given(patient_control_number=request.patient_control_number)
        for field in ("encounter_id", "patient_id"):
            if text := getattr(request, field):
                where[field] = uuid_in(text, field)
        if len(where) != 1:
            raise BadArgument("give exactly one of patient_control_number, encounter_id, patient_id")
        if request.patient_id:
            where["patient_id"] = group_of(self._store, uuid_in(request.patient_id, "patient_id"))
        return pb.FindClaimResponse(claims=map(claim_message, queries.find_claims(self._store, where)))

    def ListAdjudications(
        self, request: pb.ListAdjudicationsRequest, context: grpc.ServicerContext
    ) -> pb.ListAdjudicationsResponse:
        remittance_id = uuid_in(request.remittance_id, "remittance_id")
        if request.position_from < 0:
            raise BadArgument("position_from: not below zero")
        size = size_of("limit", request.limit)
        decisions = queries.decisions_of(self._store, remittance_id, request.position_from, size)
        unknown = queries.unknown_payments_of(self._store, remittance_id)
        return pb.ListAdjudicationsResponse(
            adjudications=map(adjudication_message, decisions), unknown_payments=map(unknown_payment_message, unknown)
        )

    def ListInterchanges(
        self, request: pb.ListInterchangesRequest, context: grpc.ServicerContext
    ) -> pb.ListInterchangesResponse:
        _refuse_unknown_state(request.state, InterchangeState)
        rows = queries.interchange_rows(self._store, given(state=request.state), size_of("limit", request.limit))
        return pb.ListInterchangesResponse(interchanges=map(interchange_message, rows))

    def GetSubledgerBalances(
        self, request: pb.GetSubledgerBalancesRequest, context: grpc.ServicerContext
    ) -> pb.GetSubledgerBalancesResponse:
        if not request.entity:
            raise BadArgument("entity: needed")
        found = queries.subledger_balances(self._store, request.entity)
        balances = [
            pb.PayerBalance(
                payer=balance.payer,
                claims=balance.claims,
                amounts=amounts_message(balance.shares),
                open=money_message(balance.open.minor),
                unknown_paid=money_message(balance.unknown_paid.minor),
                left_by_others=money_message(balance.left_by_others.minor),
            )
            for balance in found.by_payer
        ]
        return pb.GetSubledgerBalancesResponse(
            balances=balances,
            log_position=found.position,
            log_position_after=found.position_after,
            platforms=map(platform_balances_message, found.by_platform),
        )

    def ListPlatformBalances(
        self, request: pb.ListPlatformBalancesRequest, context: grpc.ServicerContext
    ) -> pb.ListPlatformBalancesResponse:
        if request.state not in ("", *STATES):
            raise BadArgument(f"state: one of {', '.join(STATES)}")
        where = given(entity=request.entity, platform=request.platform, state=request.state)
        rows = platform_balance_rows(self._store, where, size_of("limit", request.limit))
        return pb.ListPlatformBalancesResponse(balances=map(platform_balance_message, rows))

    def CheckEligibility(
        self, request: pb.CheckEligibilityRequest, context: grpc.ServicerContext
    ) -> pb.CheckEligibilityResponse:
        day = day_in("service_date", request.service_date)
        found = queries.check_eligibility(self._edits.master_data, request.payer, request.entity, day)
        return pb.CheckEligibilityResponse(
            payer_known=found.payer_known, billable=found.is_billable, reasons=found.reasons
        )

    def ReleaseClaim(self, request: pb.ReleaseClaimRequest, context: grpc.ServicerContext) -> pb.ReleaseClaimResponse:
        claim_id = uuid_in(request.claim_id, "claim_id")
        reason = reason_in(request.reason)
        transact(
            self._store,
            call_context(self._core.clock()),
            lambda work: release_claim(work, claim_id, self._edits, reason),
        )
        row = queries.claim_row(self._store, claim_id)
        assert row is not None, "a released claim has its row"
        return pb.ReleaseClaimResponse(claim=claim_message(row))


def _refuse_unknown_state(text: str, states: type[ClaimState] | type[InterchangeState]) -> None:
    if text and text not in set(states):
        raise BadArgument(f"state: one of {', '.join(states)}")
