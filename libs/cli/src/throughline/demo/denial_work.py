"""What a biller does about the denial that the story follows: takes it, appeals it, and sees what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from billing.claims.v1 import claim_work_pb2 as work
from billing.claims.v1 import claim_work_pb2_grpc, claims_pb2_grpc
from billing.claims.v1 import claims_pb2 as claims
from canonical.money import Money

from throughline.connection import Access
from throughline.outcome import NotFound
from throughline.wire import money_of

BILLER = "biller-1"
APPEAL = "Appealed with the notes of the visit and the order of the physician."


@dataclass(frozen=True, slots=True)
class WorkedDenial:
    """One denial as the work queue has it; `amount == at_risk + recovered + written_off`."""

    reasons: tuple[str, ...]
    category: str
    queue: str
    owner: str
    state: str
    outcome: str
    denied_on: str
    appeal_by: str
    amount: Money
    at_risk: Money
    recovered: Money
    written_off: Money
    history: tuple[str, ...] = ()


class DenialWork:
    """The work queue, through the gateway."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._work = claim_work_pb2_grpc.ClaimWorkServiceStub(access.channel("claims"))
        self._claims = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))

    def appeal(self, number: str) -> None:
        """Takes the denial of this claim out of the queue and appeals it."""
        denial_id = self._denial_of(number)
        request = work.AssignDenialRequest(denial_id=denial_id, owner=BILLER)
        self._access.call("claims", self._work.AssignDenial, request)
        action = work.RecordDenialActionRequest(denial_id=denial_id, action="appealed", note=APPEAL)
        self._access.call("claims", self._work.RecordDenialAction, action)

    def told(self, number: str) -> WorkedDenial:
        """The denial of this claim now, with everything that happened to it."""
        request = work.GetDenialRequest(denial_id=self._denial_of(number))
        found = self._access.call("claims", self._work.GetDenial, request)
        denial = found.denial
        return WorkedDenial(
            reasons=tuple(denial.reasons),
            category=denial.category,
            queue=denial.queue,
            owner=denial.owner,
            state=denial.state,
            outcome=denial.outcome,
            denied_on=denial.denied_on,
            appeal_by=denial.appeal_by,
            amount=money_of(denial.amount),
            at_risk=money_of(denial.at_risk),
            recovered=money_of(denial.recovered),
            written_off=money_of(denial.written_off),
            history=tuple(event.what for event in found.history),
        )

    def _denial_of(self, number: str) -> str:
        """The id of the claim's first denial.

        Raises:
            NotFound: claims does not hold it as denied.
        """
        wanted = claims.FindClaimRequest(patient_control_number=number)
        for claim in self._access.call("claims", self._claims.FindClaim, wanted).claims:
            request = work.GetClaimWorkRequest(claim_id=claim.claim_id)
            for denial in self._access.call("claims", self._work.GetClaimWork, request).denials:
                return str(denial.denial_id)
        raise NotFound(f"no denial of claim {number}")
