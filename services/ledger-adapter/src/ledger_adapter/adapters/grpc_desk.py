"""The accountant's desk of the ledger adapter over gRPC: dry runs, explanations, periods, comparisons, month ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import grpc
from billing.ledger.v1 import ledger_desk_pb2 as pb
from billing.ledger.v1 import ledger_desk_pb2_grpc, ledger_pb2
from canonical.codes import AccountRole
from canonical.ids import derive
from canonical.journal import JournalLine
from chassis.messaging.reactions import Reaction
from chassis.rpc import BadArgument, GrpcService
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from ledger_adapter.adapters.grpc import journal_named
from ledger_adapter.adapters.messages import journal_message, line_messages, money_message, part_message, text
from ledger_adapter.application.comparing import Compared, compared
from ledger_adapter.application.drafting import context_for
from ledger_adapter.application.dry_run import DryRun, JournalPreview, Preview, rows_of
from ledger_adapter.application.explaining import Cause, explained
from ledger_adapter.application.late_journals import late_journals
from ledger_adapter.application.periods import PERIODS, told_last
from ledger_adapter.application.ports import ErpDirectory, ErpLine
from ledger_adapter.application.presenting import present_credit_balances
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.summaries import DIMENSIONS
from ledger_adapter.domain.journal_entry import JournalState
from ledger_adapter.domain.rule_words import words_of
from ledger_adapter.domain.subledger import SubledgerPosting

NAME = "billing.ledger.v1.LedgerDeskService"
READ, WRITE = "ledger.read", "ledger.write"
CALLS = ("DryRun", "ExplainJournal", "ListPeriods", "ListLateJournals", "CompareBalances")
PERIODS_MAX = 10_000
DRY = derive("dry-run")


def ledger_desk(core: ServiceCore, erps: ErpDirectory, reactions: Iterable[Reaction[Any]]) -> GrpcService:
    """The service as the runtime serves it; all but one of it only reads."""
    servicer = LedgerDesk(core, erps, reactions)
    return GrpcService(
        NAME,
        lambda server: ledger_desk_pb2_grpc.add_LedgerDeskServiceServicer_to_server(servicer, server),
        dict.fromkeys(CALLS, READ) | {"PresentCreditBalances": WRITE},
    )


class LedgerDesk(ledger_desk_pb2_grpc.LedgerDeskServiceServicer):
    """Asks the application and writes messages."""

    def __init__(self, core: ServiceCore, erps: ErpDirectory, reactions: Iterable[Reaction[Any]]) -> None:
        self._core = core
        self._store = core.store
        self._erps = erps
        self._dry = DryRun(core.store, erps, tuple(reactions))

    def DryRun(self, request: pb.DryRunRequest, context: grpc.ServicerContext) -> pb.DryRunResponse:
        never_saved = context_for(DRY, self._core.clock())
        if bool(request.journal) == bool(request.fact):
            raise BadArgument("fact, journal: one of them")
        if request.journal:
            entry = journal_named(self._store, request.journal)
            identity = entry["journal_id"]
            return pb.DryRunResponse(journals=[self._journal(self._dry.of_journal(never_saved, identity))])  # type: ignore[arg-type]
        preview = self._dry.of_fact(never_saved, request.service, request.type, request.fact.encode())
        return self._preview(preview)

    def ExplainJournal(
        self, request: pb.ExplainJournalRequest, context: grpc.ServicerContext
    ) -> pb.ExplainJournalResponse:
        entry = journal_named(self._store, request.journal)
        entity = text(entry["entity"])
        lines = [
            pb.ExplainedLine(
                line=_line(each.line),
                account_code=self._erps.account_code(entity, each.line.account),
                causes=map(_cause_message, each.causes),
            )
            for each in explained(self._store, entry)
        ]
        return pb.ExplainJournalResponse(journal=journal_message(entry), lines=lines)

    def ListPeriods(self, request: pb.ListPeriodsRequest, context: grpc.ServicerContext) -> pb.ListPeriodsResponse:
        where = {"entity": request.entity} if request.entity else {}
        rows = told_last(self._store.rows(PERIODS, where, order=("entity", "start_date"), limit=PERIODS_MAX))
        held = self._store.rows(JOURNALS, where | {"state": JournalState.HELD_FOR_PERIOD.value}, limit=PERIODS_MAX)
        waiting = [(text(row["entity"]), row["effective_date"]) for row in held]
        return pb.ListPeriodsResponse(
            periods=[
                pb.Period(
                    entity=text(row["entity"]),
                    name=text(row["name"]),
                    start=text(row["start_date"]),
                    end=text(row["end_date"]),
                    state=text(row["state"]),
                    erp=text(row["erp"]),
                    told_at=text(row["told_at"]),
                    late_entries=self._erps.late_policy(text(row["entity"])).value,
                    held=sum(
                        entity == row["entity"] and row["start_date"] <= day <= row["end_date"]  # type: ignore[operator]
                        for entity, day in waiting
                    ),
                )
                for row in rows
            ]
        )

    def ListLateJournals(
        self, request: pb.ListLateJournalsRequest, context: grpc.ServicerContext
    ) -> pb.ListLateJournalsResponse:
        days = (_day(request.booked_from, "booked_from"), _day(request.booked_until, "booked_until"))
        found = late_journals(self._store, _entity(request.entity), *days)
        return pb.ListLateJournalsResponse(
            journals=[
                pb.LateJournal(journal=journal_message(row), booked_on=text(row["posting_date"]))
                for row in found.journals
            ],
            totals=line_messages(found.totals),
            has_more=found.has_more,
        )

    def CompareBalances(
        self, request: pb.CompareBalancesRequest, context: grpc.ServicerContext
    ) -> pb.CompareBalancesResponse:
        erp = self._erps.of(_entity(request.entity))
        rows = compared(self._store, request.entity, erp)
        return pb.CompareBalancesResponse(
            erp=erp.name,
            balances=[self._compared(request.entity, row) for row in rows if not row.dimension],
            by_dimension=[self._compared(request.entity, row) for row in rows if row.dimension],
        )

    def PresentCreditBalances(
        self, request: pb.PresentCreditBalancesRequest, context: grpc.ServicerContext
    ) -> pb.PresentCreditBalancesResponse:
        caller = call_context(self._core.clock())
        stands = present_credit_balances(self._store, self._erps, caller, _entity(request.entity), request.period)
        return pb.PresentCreditBalancesResponse(
            period_end=stands.period_end.isoformat(),
            credit_count=stands.credit_count,
            amount=money_message(stands.amount),
            journals=[journal_message(journal_named(self._store, str(each))) for each in stands.journal_ids],
            is_new=stands.is_new,
        )

    def _compared(self, entity: str, row: Compared) -> pb.ComparedBalance:
        return pb.ComparedBalance(
            account=row.account.value,
            account_code=self._erps.account_code(entity, row.account),
            party=row.party,
            dimension=row.dimension,
            value=row.value,
            ours=money_message(row.ours),
            theirs=money_message(row.theirs),
        )

    def _preview(self, preview: Preview) -> pb.DryRunResponse:
        return pb.DryRunResponse(
            stands=preview.stands,
            refusal=preview.refusal,
            waits_for=preview.waits_for,
            lines=[line for posting in preview.postings for line in _drafted(posting)],
            journals=map(self._journal, preview.journals),
            joins=line_messages(preview.joins),
        )

    def _journal(self, preview: JournalPreview) -> pb.DraftedJournal:
        head = preview.head
        return pb.DraftedJournal(
            external_number=head.external_number,
            entity=head.entity,
            kind=head.kind,
            effective_date=head.effective_date.isoformat(),
            booked_on=text(preview.booked_on),
            held=preview.held,
            lines=line_messages(preview.lines),
            document=[self._erp_line(head.entity, line) for line in preview.document.lines] if preview.document else (),
            rules_version=head.rules_version,
        )

    def _erp_line(self, entity: str, line: ErpLine) -> pb.ErpLine:
        return pb.ErpLine(
            line=_line(JournalLine(**dict(line))), account_code=self._erps.account_code(entity, line.account)
        )


def _line(line: JournalLine) -> ledger_pb2.Line:
    return line_messages([line])[0]


def _drafted(posting: SubledgerPosting.Drafted) -> Iterable[pb.DraftedLine]:
    for line, row in zip(posting.lines, rows_of(posting), strict=True):
        dimensions = {name: text(row[name]) for name in DIMENSIONS}
        message = ledger_pb2.Line(
            account=line.account.value, party=line.party, amount=money_message(line.amount), **dimensions
        )
        yield pb.DraftedLine(line=message, rule=line.rule, words=words_of(line.rule, AccountRole(line.account)))


def _cause_message(cause: Cause) -> pb.LineCause:
    return pb.LineCause(
        rules=cause.rules,
        words=cause.words,
        count=cause.count,
        amount=money_message(cause.amount),
        examples=[part_message(line, posting) for line, posting in cause.examples],
    )


def _entity(entity: str) -> str:
    if not entity:
        raise BadArgument("entity: needed")
    return entity


def _day(value: str, field: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise BadArgument(f"{field}: an ISO 8601 day") from None
