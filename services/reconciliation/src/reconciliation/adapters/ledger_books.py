"""The books of the ledger adapter, and through it of the ERPs, asked by gRPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billing.ledger.v1 import ledger_pb2 as pb
from billing.ledger.v1 import ledger_pb2_grpc
from billing.operations.v1 import operations_pb2 as operations
from billing.operations.v1 import operations_pb2_grpc

from reconciliation.adapters.wire import (
    date_or_none,
    is_settled,
    lines,
    money,
    open_cases,
    uuid_or_none,
)
from reconciliation.application.ports import LedgerReading, Receivable
from reconciliation.domain.books import (
    ClearingEntry,
    ErpBalance,
    ErpDocument,
    LedgerBalance,
    OpenCase,
    OpenGroup,
    PendingJournal,
    Progress,
)

JOURNALS_MAX = 1000
PAGE_MAX = 5000
PAGES_MAX = 1000
NOT_CONFIRMED = ("intended", "probed", "posted", "uncertain", "rejected", "held-for-period", "differs")


class GrpcLedgerBooks:
    """The subledger, what is on its way, and what the ERPs hold."""

    def __init__(
        self, stub: ledger_pb2_grpc.LedgerServiceStub, operations_stub: operations_pb2_grpc.OperationsServiceStub
    ) -> None:
        self._stub = stub
        self._operations = operations_stub

    def entities(self) -> Sequence[str]:
        return sorted({row.entity for row in self._stub.TrialBalance(pb.TrialBalanceRequest()).balances})

    def read(self, entities: Sequence[str]) -> LedgerReading:
        trial = self._stub.TrialBalance(pb.TrialBalanceRequest())
        groups = tuple(group for entity in entities for group in self._open_groups(entity))
        pending, is_complete = self._pending(entities)
        erp = {entity: self._erp_balances(entity) for entity in entities}
        status = self._operations.GetStatus(operations.GetStatusRequest())
        stood = is_complete and trial.log_position == trial.log_position_after
        return LedgerReading(
            progress=Progress(
                trial.log_position, stood and is_settled(status, trial.log_position), lags=status.backlog > 0
            ),
            subledger=tuple(
                LedgerBalance(row.entity, row.account, row.party, money(row.subledger), money(row.intended))
                for row in trial.balances
                if row.entity in entities
            ),
            open_groups=groups,
            pending=pending,
            erp=erp,
        )

    def _open_groups(self, entity: str) -> list[OpenGroup]:
        answer = self._stub.ListOpenGroups(pb.ListOpenGroupsRequest(entity=entity))
        return [
            OpenGroup(entity, UUID(group.group_id), group.kind, group.reason, lines(group.lines))
            for group in answer.groups
        ]

    def _pending(self, entities: Sequence[str]) -> tuple[tuple[PendingJournal, ...], bool]:
        """What is not confirmed, and whether that is all of it; a full list may be cut."""
        found: list[PendingJournal] = []
        is_complete = True
        for entity in entities:
            request = pb.ListJournalsRequest(entity=entity, states=NOT_CONFIRMED, limit=JOURNALS_MAX)
            journals = self._stub.ListJournals(request).journals
            is_complete &= len(journals) < JOURNALS_MAX
            found += [_pending(journal) for journal in journals]
        return tuple(found), is_complete

    def _erp_balances(self, entity: str) -> tuple[ErpBalance, ...]:
        answer = self._stub.ReadErpBalances(pb.ReadErpBalancesRequest(entity=entity))
        return tuple(ErpBalance(line.account, line.party, money(line.amount)) for line in answer.balances)

    def receivables(self, entity: str, account: str, party: str) -> Sequence[Receivable]:
        found: list[Receivable] = []
        token = ""
        for _ in range(PAGES_MAX):
            page = self._stub.ListReceivables(
                pb.ListReceivablesRequest(
                    entity=entity, account=account, party=party, page_size=PAGE_MAX, page_token=token
                )
            )
            found += [_receivable(row) for row in page.receivables]
            token = page.next_page_token
            if not token:
                break
        return found

    def clearing_items(self, entity: str, account: str) -> Sequence[ClearingEntry]:
        answer = self._stub.GetAccountDetail(pb.GetAccountDetailRequest(entity=entity, account=account))
        return [
            ClearingEntry(
                entity, account, UUID(item.item_id), item.kind, money(item.amount), date_or_none(item.effective_date)
            )
            for item in answer.items
        ]

    def erp_documents(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument]:
        if not numbers:
            return {}
        request = pb.ReadErpDocumentsRequest(entity=entity, external_numbers=numbers)
        return {
            document.external_number: ErpDocument(document.external_number, lines(document.lines))
            for document in self._stub.ReadErpDocuments(request).documents
            if document.document_id
        }

    def cases(self) -> Sequence[OpenCase]:
        return open_cases("ledger", self._operations)


def _pending(journal: pb.Journal) -> PendingJournal:
    return PendingJournal(
        journal_id=UUID(journal.journal_id),
        external_number=journal.external_number,
        entity=journal.entity,
        state=journal.state,
        reason=journal.reason,
        lines=lines(journal.lines),
    )


def _receivable(row: pb.Receivable) -> Receivable:
    return Receivable(
        encounter_id=uuid_or_none(row.encounter_id),
        patient_id=uuid_or_none(row.patient_id),
        amount=money(row.amount),
        on=date_or_none(row.effective_date),
    )
