"""The feeds of the ledger adapter over gRPC, for other systems: journals, receivables, mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import grpc
from billing.ledger.v1 import ledger_feeds_pb2 as pb
from billing.ledger.v1 import ledger_feeds_pb2_grpc
from chassis.eventstore import Row
from chassis.rpc import BadArgument, GrpcService
from chassis.runtime import ServiceCore

from ledger_adapter.adapters.messages import balance_message, journal_message, text
from ledger_adapter.adapters.paging import size_of
from ledger_adapter.application.feeds import journal_changes, receivable_balances
from ledger_adapter.application.mappings import Edition, editions
from ledger_adapter.domain.books_mapping import MappedCode

FEEDS = "billing.ledger.v1.LedgerFeedService"
MAPPING = "billing.ledger.v1.MappingService"
READ = "ledger.read"
CHANGES_MAX, BALANCES_MAX = 1000, 5000


def feed_services(core: ServiceCore) -> list[GrpcService]:
    """The services as the runtime serves them; all of it only reads."""
    feeds, mappings = LedgerFeeds(core), Mappings(core)
    return [
        GrpcService(
            FEEDS,
            lambda server: ledger_feeds_pb2_grpc.add_LedgerFeedServiceServicer_to_server(feeds, server),
            dict.fromkeys(("ListJournalChanges", "ListReceivableBalances"), READ),
        ),
        GrpcService(
            MAPPING,
            lambda server: ledger_feeds_pb2_grpc.add_MappingServiceServicer_to_server(mappings, server),
            {"ListMappings": READ},
        ),
    ]


class LedgerFeeds(ledger_feeds_pb2_grpc.LedgerFeedServiceServicer):
    """Reads the log and the read models, page by page."""

    def __init__(self, core: ServiceCore) -> None:
        self._store = core.store

    def ListJournalChanges(
        self, request: pb.ListJournalChangesRequest, context: grpc.ServicerContext
    ) -> pb.ListJournalChangesResponse:
        if request.after_position < 0:
            raise BadArgument("after_position: 0, or a position that a page told")
        size = size_of(request.page_size, CHANGES_MAX, 200)
        since = instant_of(request.changed_since, "changed_since")
        found = journal_changes(self._store, request.after_position, size, entity=request.entity, since=since)
        return pb.ListJournalChangesResponse(
            changes=[pb.JournalChange(position=at, journal=journal_message(row)) for at, row in found.changes],
            next_position=found.next_position,
            has_more=found.more,
        )

    def ListReceivableBalances(
        self, request: pb.ListReceivableBalancesRequest, context: grpc.ServicerContext
    ) -> pb.ListReceivableBalancesResponse:
        size = size_of(request.page_size, BALANCES_MAX, 1000)
        position = self._store.last_position()
        rows = receivable_balances(self._store, request.entity, size + 1, _place_in(request.page_token))
        return pb.ListReceivableBalancesResponse(
            balances=map(balance_message, rows[:size]),
            next_page_token=_token_of(rows[size - 1]) if len(rows) > size else "",
            log_position=position,
        )


class Mappings(ledger_feeds_pb2_grpc.MappingServiceServicer):
    """Reads which mapping was in force when."""

    def __init__(self, core: ServiceCore) -> None:
        self._store = core.store
        self._clock: Callable[[], datetime] = core.clock

    def ListMappings(self, request: pb.ListMappingsRequest, context: grpc.ServicerContext) -> pb.ListMappingsResponse:
        at = instant_of(request.at, "at") or self._clock()
        found = [each for each in editions(self._store, request.entity) if request.all_editions or each.holds(at)]
        return pb.ListMappingsResponse(mappings=map(_edition_message, found))


def instant_of(value: str, field: str) -> datetime | None:
    """
    Raises:
        BadArgument: it is no instant, or has no offset.
    """
    if not value:
        return None
    try:
        told: datetime | None = datetime.fromisoformat(value)
    except ValueError:
        told = None
    if told is None or told.tzinfo is None:
        raise BadArgument(f"{field}: an ISO 8601 instant with an offset")
    return told


def _edition_message(edition: Edition) -> pb.BooksMapping:
    books = edition.books
    return pb.BooksMapping(
        entity=books.entity,
        edition=edition.ordinal,
        erp=books.erp,
        company=books.company,
        valid_from=text(edition.valid_from),
        valid_until=text(edition.valid_until),
        accounts=_codes(books.accounts),
        parties=_codes(books.parties),
        dimensions=_codes(books.dimensions),
    )


def _codes(codes: Iterable[MappedCode]) -> list[pb.MappedCode]:
    return [pb.MappedCode(ours=each.ours, theirs=each.theirs) for each in codes]


def _token_of(row: Row) -> str:
    return f"{row['entity']}/{row['account']}/{row['party']}"


def _place_in(token: str) -> Row | None:
    if not token:
        return None
    if token.count("/") < 2:
        raise BadArgument("page_token: not one that a page told")
    return dict(zip(("entity", "account", "party"), token.split("/", 2), strict=True))
