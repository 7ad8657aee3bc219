"""The calls about asking patients to pay, and about cash that should go back to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import grpc
from billing.payments.v1 import account_work_pb2 as pb
from chassis.eventstore import EventStore, transact
from chassis.rpc import BadArgument
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.arguments import day_in, one_of, size_in
from payments.adapters.grpc_messages import money_sent
from payments.application.asking import accounts_asked, note_statement_sent
from payments.application.dunning import Policies
from payments.application.refund_proposals import LOOKED_AT_MAX, RefundProposal, propose_refunds
from payments.domain.dunning import DunningStep
from payments.domain.statement import Statement

MEANS = ("mail", "portal", "e-mail")


class AskingAnswers:
    """Hands commands on, and answers from the log and the read models."""

    _core: ServiceCore
    _store: EventStore
    _today: Callable[[], date]
    _policies: Policies

    def ListAsking(self, request: pb.ListAskingRequest, context: grpc.ServicerContext) -> pb.ListAskingResponse:
        step = DunningStep(one_of(request.step, "step", list(DunningStep))) if request.step else None
        limit, now = size_in(request.limit, "limit"), self._core.clock()
        asked = accounts_asked(self._store, self._policies, now, entity=request.entity, step=step, limit=limit)
        return pb.ListAskingResponse(accounts=map(_asked_sent, asked.found), looked_at=asked.looked_at)

    def RecordStatementSent(
        self, request: pb.RecordStatementSentRequest, context: grpc.ServicerContext
    ) -> pb.RecordStatementSentResponse:
        account_id, today = uuid_in(request.account_id, "account_id"), self._today()
        on = day_in(request.sent_on, "sent_on") if request.sent_on else today
        if on > today:
            raise BadArgument("sent_on: not after today")
        means = one_of(request.means, "means", MEANS)
        store, policies = self._store, self._policies
        step = transact(
            store,
            call_context(self._core.clock()),
            lambda work: note_statement_sent(work, store, account_id, means=means, on=on, policies=policies),
        )
        return pb.RecordStatementSentResponse(step=step.value)

    def ListRefundProposals(
        self, request: pb.ListRefundProposalsRequest, context: grpc.ServicerContext
    ) -> pb.ListRefundProposalsResponse:
        if not request.entity:
            raise BadArgument("entity: needed")
        if request.older_than_days < 0:
            raise BadArgument("older_than_days: not below zero")
        limit, days = size_in(request.limit, "limit", LOOKED_AT_MAX), request.older_than_days
        found = propose_refunds(self._store, request.entity, self._core.clock(), older_than_days=days, limit=limit)
        return pb.ListRefundProposalsResponse(proposals=map(_proposal_sent, found))


def _asked_sent(said: Statement) -> pb.AskedAccount:
    asking = said.asking
    return pb.AskedAccount(
        account_id=str(said.account_id),
        entity=said.entity,
        step=asking.step.value,
        due=asking.due.value,
        asked=money_sent(asking.asked),
        held=money_sent(asking.held),
        balance=money_sent(said.balance),
        days=asking.days,
        stops=sorted(asking.stops),
        next_in_days=-1 if asking.next_in_days is None else asking.next_in_days,
    )


def _proposal_sent(proposal: RefundProposal) -> pb.RefundProposal:
    return pb.RefundProposal(
        payment_id=str(proposal.payment_id),
        account_id=str(proposal.account_id),
        entity=proposal.entity,
        amount=money_sent(proposal.amount),
        age_days=proposal.age_days,
    )
