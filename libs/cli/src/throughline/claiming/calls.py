"""Claims and the work on them by gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from billing.claims.v1 import claim_sending_pb2 as sending
from billing.claims.v1 import claim_sending_pb2_grpc, claim_work_pb2_grpc, claims_pb2, claims_pb2_grpc
from billing.claims.v1 import claim_work_pb2 as work
from billing.intake.v1 import intake_pb2, intake_pb2_grpc

from throughline.connection import DEADLINE_SECONDS, Access, access_to
from throughline.operations.calls import Operations
from throughline.operations.history import HistoryEvent
from throughline.outcome import NotFound, Unusable
from throughline.wire import as_uuid

ClaimArgument = Annotated[str, typer.Argument(metavar="ID", help="A claim's id, or its patient control number.")]
PREFIX_LENGTH_MIN = 4
DENIALS_MAX = 500
PAGES_MAX = 40
EVERY_STATE = "all"


class Claiming:
    """What claims tells and takes."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.stub = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))
        self.work_stub = claim_work_pb2_grpc.ClaimWorkServiceStub(access.channel("claims"))
        self.sending_stub = claim_sending_pb2_grpc.ClaimSendingServiceStub(access.channel("claims"))

    def claim_id(self, wanted: str) -> str:
        """The claim's id; a claim is also found by its patient control number.

        Raises:
            NotFound: there is none.
        """
        identity = as_uuid(wanted)
        if identity is not None:
            return str(identity)
        request = claims_pb2.FindClaimRequest(patient_control_number=wanted)
        found = self._access.call("claims", self.stub.FindClaim, request).claims
        if not found:
            raise NotFound(f"no claim has the id or the patient control number {wanted}")
        return found[0].claim_id

    def claim(self, claim_id: str) -> claims_pb2.GetClaimResponse:
        return self._access.call("claims", self.stub.GetClaim, claims_pb2.GetClaimRequest(claim_id=claim_id))

    def work_on(self, claim_id: str) -> work.GetClaimWorkResponse:
        return self._access.call("claims", self.work_stub.GetClaimWork, work.GetClaimWorkRequest(claim_id=claim_id))

    def dry_run(self, claim_id: str, rules: str) -> work.EditRun:
        """What the edits would say; `rules` is a rule file that would change those in force, or empty."""
        request = work.DryRunEditsRequest(claim_id=claim_id, rules=rules)
        return self._access.call("claims", self.work_stub.DryRunEdits, request).run

    def packet(self, claim_id: str) -> work.GetFilingPacketResponse:
        request = work.GetFilingPacketRequest(claim_id=claim_id)
        return self._access.call("claims", self.work_stub.GetFilingPacket, request)

    def replace(self, claim_id: str, reason: str) -> claims_pb2.Claim:
        request = sending.ReplaceClaimRequest(claim_id=claim_id, reason=reason)
        return self._access.call("claims", self.sending_stub.ReplaceClaim, request).claim

    def void(self, claim_id: str, reason: str) -> claims_pb2.Claim:
        request = sending.VoidClaimRequest(claim_id=claim_id, reason=reason)
        return self._access.call("claims", self.sending_stub.VoidClaim, request).claim

    def coverage(self, claim_id: str, *, refresh: bool) -> sending.Coverage:
        request = sending.VerifyCoverageRequest(claim_id=claim_id, refresh=refresh)
        return self._access.call("claims", self.sending_stub.VerifyCoverage, request).coverage

    def events(self, claim_id: str) -> tuple[HistoryEvent, ...]:
        return Operations(self._access).history("claims", claim_id).events

    def raw_answer(self, message_id: str) -> bytes:
        """The message that brought an answer, as intake keeps it; at most a MiB."""
        stub = intake_pb2_grpc.IntakeServiceStub(self._access.channel("intake"))
        request = intake_pb2.ReadRawSpanRequest(message_id=message_id)
        return self._access.call("intake", stub.ReadRawSpan, request).content

    def denials(self, request: work.ListDenialsRequest) -> work.ListDenialsResponse:
        return self._access.call("claims", self.work_stub.ListDenials, request)

    def denial_id(self, wanted: str) -> str:
        """The denial with this id, or the only one whose id begins like this.

        Raises:
            NotFound: there is none.
            Unusable: neither an id nor a long enough beginning of one, or more than one begins so.
        """
        identity = as_uuid(wanted)
        if identity is not None:
            return str(identity)
        if len(wanted) < PREFIX_LENGTH_MIN:
            raise Unusable(f"{wanted!r} is neither the id of a denial nor its first {PREFIX_LENGTH_MIN} characters")
        found = [each.denial_id for each in self._every_denial() if each.denial_id.startswith(wanted.lower())]
        if len(found) > 1:
            raise Unusable(f"{len(found)} denials begin with {wanted}: {', '.join(found)}")
        if not found:
            raise NotFound(f"no denial {wanted}")
        return found[0]

    def _every_denial(self) -> Iterator[work.Denial]:
        request = work.ListDenialsRequest(state=EVERY_STATE, page_size=DENIALS_MAX)
        for _ in range(PAGES_MAX):
            page = self.denials(request)
            yield from page.denials
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    def denial(self, denial_id: str) -> work.GetDenialResponse:
        return self._access.call("claims", self.work_stub.GetDenial, work.GetDenialRequest(denial_id=denial_id))

    def assign(self, request: work.AssignDenialRequest) -> work.Denial:
        return self._access.call("claims", self.work_stub.AssignDenial, request).denial

    def act(self, request: work.RecordDenialActionRequest) -> work.Denial:
        return self._access.call("claims", self.work_stub.RecordDenialAction, request).denial

    def request_write_off(self, request: work.RequestWriteOffRequest) -> work.Denial:
        return self._access.call("claims", self.work_stub.RequestWriteOff, request).denial

    def approve_write_off(self, request: work.ApproveWriteOffRequest) -> work.Denial:
        return self._access.call("claims", self.work_stub.ApproveWriteOff, request).denial


@contextmanager
def claiming_at(state: Path | None, *, deadline_seconds: float = DEADLINE_SECONDS) -> Iterator[Claiming]:
    """The claims of the suite of a state folder; each call may take so long."""
    with access_to(state, deadline_seconds=deadline_seconds) as access:
        yield Claiming(access)
