"""The gRPC face of the ledger adapter: questions about the books, and the resuming that a person asks for."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import grpc
from billing.ledger.v1 import ledger_pb2 as pb
from billing.ledger.v1 import ledger_pb2_grpc
from canonical.codes import AccountRole
from canonical.money import Money
from chassis.eventstore import EventStore, Row
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from ledger_adapter.adapters.messages import (
    balance_message,
    document_message,
    item_message,
    journal_message,
    line_messages,
    money_message,
    open_group_message,
    part_message,
    receivable_message,
)
from ledger_adapter.adapters.paging import size_of
from ledger_adapter.application import answers
from ledger_adapter.application.ports import ErpDirectory
from ledger_adapter.application.queries import CLEARING_ACCOUNTS
from ledger_adapter.application.summaries import minor
from ledger_adapter.application.use_cases import resume_journal
from ledger_adapter.domain.journal_entry import JournalState
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS

NAME = "billing.ledger.v1.LedgerService"
READ, WRITE = "ledger.read", "ledger.write"
READING = (
    "TrialBalance",
    "ReadErpBalances",
    "ReadErpDocuments",
    "ListJournals",
    "GetJournalEntry",
    "ListOpenGroups",
    "ListReceivables",
    "GetAccountDetail",
)
JOURNALS_MAX, PARTS_MAX, RECEIVABLES_MAX, NUMBERS_MAX = 1000, 2000, 5000, 200
RECEIVABLE_ACCOUNTS = PAYER_ACCOUNTS | PATIENT_ACCOUNTS


def ledger_service(core: ServiceCore, erps: ErpDirectory) -> GrpcService:
    """The service as the runtime serves it."""
    servicer = Ledger(core, erps)
    return GrpcService(
        NAME,
        lambda server: ledger_pb2_grpc.add_LedgerServiceServicer_to_server(servicer, server),
        dict.fromkeys(READING, READ) | {"ResumeJournal": WRITE},
    )


class Ledger(ledger_pb2_grpc.LedgerServiceServicer):
    """Reads the read models and the ERP; nothing here decides."""

    def __init__(self, core: ServiceCore, erps: ErpDirectory) -> None:
        self._core = core
        self._store = core.store
        self._erps = erps

    def TrialBalance(self, request: pb.TrialBalanceRequest, context: grpc.ServicerContext) -> pb.TrialBalanceResponse:
        found = answers.trial_balance(self._store, request.entity)
        return pb.TrialBalanceResponse(
            balances=map(balance_message, found.rows),
            log_position=found.position,
            log_position_after=found.position_after,
        )

    def ReadErpBalances(
        self, request: pb.ReadErpBalancesRequest, context: grpc.ServicerContext
    ) -> pb.ReadErpBalancesResponse:
        erp = self._erps.of(_entity(request.entity))
        return pb.ReadErpBalancesResponse(erp=erp.name, balances=line_messages(erp.balances(request.entity)))

    def ReadErpDocuments(
        self, request: pb.ReadErpDocumentsRequest, context: grpc.ServicerContext
    ) -> pb.ReadErpDocumentsResponse:
        if not 1 <= len(request.external_numbers) <= NUMBERS_MAX:
            raise BadArgument(f"external_numbers: 1 to {NUMBERS_MAX}")
        erp = self._erps.of(_entity(request.entity))
        held = erp.find(request.entity, list(request.external_numbers))
        documents = [document_message(number, document) for number, document in sorted(held.items())]
        return pb.ReadErpDocumentsResponse(erp=erp.name, documents=documents)

    def ListJournals(self, request: pb.ListJournalsRequest, context: grpc.ServicerContext) -> pb.ListJournalsResponse:
        for state in request.states:
            if state not in set(JournalState):
                raise BadArgument(f"states: each one of {', '.join(JournalState)}")
        limit = size_of(request.limit, JOURNALS_MAX, 100, "limit")
        rows = answers.journals(self._store, request.entity, list(request.states), limit)
        return pb.ListJournalsResponse(journals=map(journal_message, rows))

    def GetJournalEntry(
        self, request: pb.GetJournalEntryRequest, context: grpc.ServicerContext
    ) -> pb.GetJournalEntryResponse:
        entry = journal_named(self._store, request.journal)
        if request.account:
            _account(request.account, AccountRole)
        size = size_of(request.page_size, PARTS_MAX, 500)
        skip = _offset(request.page_token)
        found = answers.parts_of(self._store, entry, request.account, request.party, skip, size)
        return pb.GetJournalEntryResponse(
            journal=journal_message(entry),
            parts=[part_message(line, posting) for line, posting in found.lines],
            part_sums=line_messages(found.sums),
            next_page_token=str(skip + size) if found.more else "",
        )

    def ListOpenGroups(
        self, request: pb.ListOpenGroupsRequest, context: grpc.ServicerContext
    ) -> pb.ListOpenGroupsResponse:
        groups = answers.open_groups(self._store, _entity(request.entity))
        return pb.ListOpenGroupsResponse(groups=map(open_group_message, groups))

    def ListReceivables(
        self, request: pb.ListReceivablesRequest, context: grpc.ServicerContext
    ) -> pb.ListReceivablesResponse:
        account = _account(request.account, RECEIVABLE_ACCOUNTS)
        size = size_of(request.page_size, RECEIVABLES_MAX, 1000)
        skip = _offset(request.page_token)
        found = answers.receivables(self._store, _entity(request.entity), account, request.party)
        return pb.ListReceivablesResponse(
            receivables=map(receivable_message, found[skip : skip + size]),
            next_page_token=str(skip + size) if len(found) > skip + size else "",
        )

    def GetAccountDetail(
        self, request: pb.GetAccountDetailRequest, context: grpc.ServicerContext
    ) -> pb.GetAccountDetailResponse:
        account = _account(request.account, map(AccountRole, CLEARING_ACCOUNTS))
        items = answers.open_items(self._store, _entity(request.entity), account.value)
        total = Money(sum(minor(row, "amount_minor") for row in items))
        return pb.GetAccountDetailResponse(items=map(item_message, items), total=money_message(total))

    def ResumeJournal(
        self, request: pb.ResumeJournalRequest, context: grpc.ServicerContext
    ) -> pb.ResumeJournalResponse:
        journal_id = uuid_in(request.journal_id, "journal_id")
        resume_journal(self._store, call_context(self._core.clock()), journal_id, request.reason)
        return pb.ResumeJournalResponse(journal=journal_message(journal_named(self._store, str(journal_id))))


def journal_named(store: EventStore, name: str) -> Row:
    """The entry by its id or its number at the ERP.

    Raises:
        NotThere: there is none.
    """
    found = answers.journal(store, external_number=name) if name else None
    if found is None:
        identity = _uuid_or_none(name)
        found = answers.journal(store, journal_id=identity) if identity else None
    if found is None:
        raise NotThere("no journal entry has this id or external number")
    return found


def _entity(entity: str) -> str:
    if not entity:
        raise BadArgument("entity: needed")
    return entity


def _account(name: str, allowed: Iterable[AccountRole]) -> AccountRole:
    known = {role.value: role for role in allowed}
    if name not in known:
        raise BadArgument(f"account: one of {', '.join(sorted(known))}")
    return known[name]


def _offset(token: str) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit()) or len(token) > 9:
        raise BadArgument("page_token: not one that a page told")
    return int(token)


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
