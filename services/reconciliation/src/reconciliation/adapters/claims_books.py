"""The books of claims, asked by gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from billing.claims.v1 import claims_pb2 as pb
from billing.claims.v1 import claims_pb2_grpc
from billing.operations.v1 import operations_pb2 as operations
from billing.operations.v1 import operations_pb2_grpc
from canonical.money import Money

from reconciliation.adapters.wire import date_or_none, is_settled, money, open_cases, uuid_or_none
from reconciliation.application.ports import ClaimBalance, ClaimsReading, RemittancePart, ReportedBalance
from reconciliation.domain.books import OpenCase, PayerBalance, PlatformBalance, Progress

PAGE_MAX = 500
PAGES_MAX = 2000
DIFFERS = "differs"


class GrpcClaimsBooks:
    """Claims' own view of what payers owe."""

    def __init__(
        self, stub: claims_pb2_grpc.ClaimsServiceStub, operations_stub: operations_pb2_grpc.OperationsServiceStub
    ) -> None:
        self._stub = stub
        self._operations = operations_stub

    def read(self, entities: Sequence[str]) -> ClaimsReading:
        positions: set[int] = set()
        payers: list[PayerBalance] = []
        platforms: list[PlatformBalance] = []
        for entity in entities:
            answer = self._stub.GetSubledgerBalances(pb.GetSubledgerBalancesRequest(entity=entity))
            positions |= {answer.log_position, answer.log_position_after}
            payers += [
                PayerBalance(entity, row.payer, money(row.open), money(row.amounts.denied), money(row.unknown_paid))
                for row in answer.balances
            ]
            platforms += [
                PlatformBalance(entity, row.platform, money(row.ours), money(row.theirs)) for row in answer.platforms
            ]
        last = max(positions, default=0)
        status = self._operations.GetStatus(operations.GetStatusRequest())
        settled = len(positions) <= 1 and is_settled(status, last)
        return ClaimsReading(Progress(last, settled, lags=status.backlog > 0), tuple(payers), tuple(platforms))

    def claims(self, entity: str, payer: str) -> Sequence[ClaimBalance]:
        """Claims to the payer, and what those to the payers before it left to it."""
        balances = self._stub.GetSubledgerBalances(pb.GetSubledgerBalancesRequest(entity=entity)).balances
        own = [_claim(claim) for claim in self._claims_to(entity, payer)]
        for other in balances if any(row.payer == payer and row.left_by_others.minor for row in balances) else ():
            own += [_left(claim) for claim in self._claims_to(entity, other.payer) if claim.next_payer == payer]
        return tuple(own)

    def _claims_to(self, entity: str, payer: str) -> Sequence[pb.Claim]:
        found: dict[str, pb.Claim] = {}
        token = ""
        for _ in range(PAGES_MAX):
            page = self._stub.ListClaims(
                pb.ListClaimsRequest(entity=entity, payer=payer, page_size=PAGE_MAX, page_token=token)
            )
            found |= {claim.claim_id: claim for claim in page.claims}
            token = page.next_page_token
            if not token:
                break
        return tuple(found.values())

    def unapplied(self, entity: str) -> Sequence[RemittancePart]:
        answer = self._stub.ListUnmatchedPayments(pb.ListUnmatchedPaymentsRequest(entity=entity, limit=PAGE_MAX))
        return [
            RemittancePart(UUID(row.remittance_id), money(row.unapplied), date_or_none(row.effective_date))
            for row in answer.payments
        ]

    def differing(self, entity: str, platform: str) -> Sequence[ReportedBalance]:
        asked = pb.ListPlatformBalancesRequest(entity=entity, platform=platform, state=DIFFERS, limit=PAGE_MAX)
        return [
            ReportedBalance(
                claim_id=UUID(row.claim_id),
                ours=money(row.ours),
                theirs=money(row.theirs),
                as_of=date_or_none(row.as_of),
                message_id=uuid_or_none(row.message_id),
            )
            for row in self._stub.ListPlatformBalances(asked).balances
        ]

    def cases(self) -> Sequence[OpenCase]:
        return open_cases("claims", self._operations)


def _claim(claim: pb.Claim) -> ClaimBalance:
    return ClaimBalance(
        claim_id=UUID(claim.claim_id),
        encounter_id=UUID(claim.encounter_id),
        open=money(claim.open),
        denied=money(claim.amounts.denied),
        service_from=date_or_none(claim.service_from),
    )


def _left(claim: pb.Claim) -> ClaimBalance:
    """What an earlier payer's claim left to the next one."""
    left = money(claim.left_to_next_payer)
    return replace(_claim(claim), open=left, denied=Money.zero())
