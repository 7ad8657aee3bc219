"""The books of claims, asked by gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billing.claims.v1 import claims_pb2 as pb
from billing.claims.v1 import claims_pb2_grpc
from billing.operations.v1 import operations_pb2 as operations
from billing.operations.v1 import operations_pb2_grpc
from canonical.money import Money

from reconciliation.adapters.wire import date_or_none, is_settled, money, open_cases
from reconciliation.application.ports import ClaimBalance, ClaimsReading
from reconciliation.domain.books import OpenCase, PayerBalance, Progress

PAGE_MAX = 500
PAGES_MAX = 2000


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
        for entity in entities:
            answer = self._stub.GetSubledgerBalances(pb.GetSubledgerBalancesRequest(entity=entity))
            positions |= {answer.log_position, answer.log_position_after}
            payers += [
                PayerBalance(entity, row.payer, money(row.open), money(row.amounts.denied)) for row in answer.balances
            ]
        last = max(positions, default=0)
        settled = len(positions) <= 1 and is_settled(self._operations.GetStatus(operations.GetStatusRequest()), last)
        return ClaimsReading(Progress(last, settled), tuple(payers))

    def claims(self, entity: str, payer: str) -> Sequence[ClaimBalance]:
        found: dict[str, ClaimBalance] = {}
        token = ""
        for _ in range(PAGES_MAX):
            page = self._stub.ListClaims(
                pb.ListClaimsRequest(entity=entity, payer=payer, page_size=PAGE_MAX, page_token=token)
            )
            found |= {claim.claim_id: _claim(claim) for claim in page.claims}
            token = page.next_page_token
            if not token:
                break
        return tuple(found.values())

    def cases(self) -> Sequence[OpenCase]:
        return open_cases("claims", self._operations)


def _claim(claim: pb.Claim) -> ClaimBalance:
    amounts = claim.amounts
    gone = (amounts.paid, amounts.contractual, amounts.denied, amounts.patient, amounts.other, amounts.written_off)
    return ClaimBalance(
        claim_id=UUID(claim.claim_id),
        encounter_id=UUID(claim.encounter_id),
        open=money(amounts.charge) - Money.total(money(amount) for amount in gone),
        denied=money(amounts.denied),
        service_from=date_or_none(claim.service_from),
    )
