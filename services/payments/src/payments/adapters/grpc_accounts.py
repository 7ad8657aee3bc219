"""The gRPC face of patients' accounts: balances at a moment, activity, unapplied cash, and what people decide about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date
from uuid import UUID

import grpc
from billing.payments.v1 import patient_accounts_pb2 as pb
from billing.payments.v1 import patient_accounts_pb2_grpc
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Question, Work, transact
from chassis.merged_patients import group_of
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.account_messages import account_then_sent, line_sent, unapplied_sent
from payments.adapters.arguments import day_in, instant_in, money_in, place_in, size_in, text_in
from payments.adapters.grpc_messages import account_sent, activity_sent, money_sent
from payments.adapters.grpc_statements import Documents, StatementAnswers
from payments.adapters.grpc_write_offs import WriteOffAnswers
from payments.application.account_history import Moment, accounts_at, activity_of
from payments.application.patient_rows import ACCOUNTS, ACTIVITY
from payments.application.unapplied_cash import unapplied_cash
from payments.domain.card_numbers import refuse_card_numbers
from payments.domain.patient_account import PatientAccount

NAME = "billing.payments.v1.PatientAccountsService"
READ, WRITE, APPROVE = "payments.read", "payments.write", "payments.approve"
SCOPES: Mapping[str, str] = {
    "GetBalance": READ,
    "ListActivity": READ,
    "ListUnapplied": READ,
    "GetStatement": READ,
    "Allocate": WRITE,
    "RequestWriteOff": WRITE,
    "ApproveWriteOff": APPROVE,
    "ReverseWriteOff": APPROVE,
    "ListWriteOffs": READ,
}
ACCOUNTS_MAX = 200
NAME_LENGTH_MAX = 100


def patient_accounts_service(
    core: ServiceCore, today: Callable[[], date], write_off_limit: Money, documents: Documents
) -> GrpcService:
    """The service with the scope of each method. Write-offs above the limit need a second person."""
    servicer = PatientAccounts(core, today, write_off_limit, documents)
    return GrpcService(
        NAME,
        lambda server: patient_accounts_pb2_grpc.add_PatientAccountsServiceServicer_to_server(servicer, server),
        SCOPES,
    )


class PatientAccounts(WriteOffAnswers, StatementAnswers, patient_accounts_pb2_grpc.PatientAccountsServiceServicer):
    """Answers from the store, and hands commands on; nothing here decides."""

    def __init__(
        self, core: ServiceCore, today: Callable[[], date], write_off_limit: Money, documents: Documents
    ) -> None:
        self._core = core
        self._store = core.store
        self._today = today
        self._write_off_limit = write_off_limit
        self._documents = documents

    def GetBalance(self, request: pb.GetBalanceRequest, context: grpc.ServicerContext) -> pb.GetBalanceResponse:
        if bool(request.account_id) == bool(request.patient_id):
            raise BadArgument("account_id or patient_id: give exactly one of them")
        moment = Moment(
            day_in(request.as_of, "as_of") if request.as_of else None,
            instant_in(request.known_at, "known_at") if request.known_at else self._core.clock(),
        )
        group: tuple[UUID, ...] = ()
        if request.account_id:
            ids = [uuid_in(request.account_id, "account_id")]
        else:
            group = group_of(self._store, uuid_in(request.patient_id, "patient_id"))
            ids = self._accounts_of(group)
        found = accounts_at(self._store, ids, moment)
        if not found:
            raise NotThere("no account had a fact by then")
        return pb.GetBalanceResponse(
            accounts=map(account_then_sent, found),
            balance=money_sent(Money.total(account.balance for account in found)),
            as_of=request.as_of,
            known_at=moment.known_at.astimezone(UTC).isoformat(),
            person_id=str(group[0]) if group else "",
            merged_patient_ids=map(str, group[1:]),
        )

    def ListActivity(self, request: pb.ListActivityRequest, context: grpc.ServicerContext) -> pb.ListActivityResponse:
        if bool(request.account_id) == bool(request.source_id):
            raise BadArgument("account_id or source_id: give exactly one of them")
        size, after = size_in(request.page_size, "page_size"), place_in(request.page_token)
        if request.source_id:
            of_cause = {"source_id": uuid_in(request.source_id, "source_id")}
            lines = self._store.rows(ACTIVITY, of_cause, order=("account_id", "ordinal"), limit=size)
            return pb.ListActivityResponse(activity=map(activity_sent, lines))
        account_id = uuid_in(request.account_id, "account_id")
        rows, following = activity_of(self._store, account_id, after, size)
        if not rows and not after:
            raise NotThere("no account has this id")
        token = "" if following is None else str(following)
        return pb.ListActivityResponse(activity=map(line_sent, rows), next_page_token=token)

    def ListUnapplied(
        self, request: pb.ListUnappliedRequest, context: grpc.ServicerContext
    ) -> pb.ListUnappliedResponse:
        account_id = uuid_in(request.account_id, "account_id") if request.account_id else None
        limit = size_in(request.limit, "limit")
        found = unapplied_cash(self._store, request.entity, account_id, limit, only_unclaimed=request.only_unclaimed)
        today = self._today()
        return pb.ListUnappliedResponse(
            unapplied=[unapplied_sent(each, max(0, (today - each.since).days)) for each in found.found],
            total=money_sent(found.total),
            count=found.count,
        )

    def Allocate(self, request: pb.AllocateRequest, context: grpc.ServicerContext) -> pb.AllocateResponse:
        account_id = uuid_in(request.account_id, "account_id")
        payment_id, target = uuid_in(request.payment_id, "payment_id"), uuid_in(request.target, "target")
        amount = money_in(request.amount, "amount")
        name = text_in(request.allocation.strip(), "allocation", NAME_LENGTH_MAX)
        if not name:
            raise BadArgument("allocation: a name of it")
        line = text_in(request.line.strip(), "line", NAME_LENGTH_MAX)
        refuse_card_numbers(allocation=name, line=line)
        allocation_id = derive("allocation", account_id, name)

        def decide(work: Work) -> Money:
            account = work.require(PatientAccount, account_id)
            account.allocate(allocation_id, payment_id, target=target, amount=amount, on=self._today(), line=line)
            return account.unapplied.get(payment_id, Money(0))

        unapplied = transact(self._store, call_context(self._core.clock()), decide)
        (row,) = self._store.rows(ACCOUNTS, {"account_id": account_id})
        return pb.AllocateResponse(
            allocation_id=str(allocation_id), account=account_sent(row), unapplied=money_sent(unapplied)
        )

    def _accounts_of(self, patient_ids: tuple[UUID, ...]) -> list[UUID]:
        question = Question(ACCOUNTS, {"patient_id": patient_ids}, limit=ACCOUNTS_MAX)
        (rows,) = self._store.rows_of_each([question])
        return [identity for row in rows if isinstance(identity := row["account_id"], UUID)]
