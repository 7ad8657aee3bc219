"""The ledger adapter, configured, wired and started."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from canonical.master_data import KnownMasterData
from chassis.domain import UnsafeSetting
from chassis.eventstore import EventStore
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.postgres import PostgresEventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.master_data_file import MasterDataFile
from chassis.messaging import BatchConsumer
from chassis.runtime import ServiceCore, ServiceShape, Sweep
from chassis.runtime.opening import open_event_store
from chassis.runtime.service import EXIT_SETTINGS, run
from chassis.runtime.settings import Settings, WrongSettings

from ledger_adapter.adapters.books import BuildErp, ConfiguredErps, load_books
from ledger_adapter.adapters.business_central import BusinessCentralErp
from ledger_adapter.adapters.file_erp import FileErp
from ledger_adapter.adapters.finance import FinanceErp
from ledger_adapter.adapters.grpc import ledger_service
from ledger_adapter.adapters.grpc_desk import ledger_desk
from ledger_adapter.adapters.grpc_feeds import feed_services
from ledger_adapter.adapters.grpc_parties import party_service
from ledger_adapter.adapters.netsuite import NetSuiteErp
from ledger_adapter.adapters.replay_files import facts_in, outcome
from ledger_adapter.adapters.site_rule_file import load_site_rules
from ledger_adapter.adapters.tryton import TrytonErp
from ledger_adapter.application.case_guides import GUIDES
from ledger_adapter.application.drafting import (
    SUM_DIFFERS,
    BatchingRules,
    ChargeBatching,
    RemittanceDrafting,
    judge_remittance_again,
)
from ledger_adapter.application.journal_rows import project_journals
from ledger_adapter.application.mappings import MAPPINGS, MappingRecording, project_mappings
from ledger_adapter.application.parties import PARTIES, PartySync, project_parties
from ledger_adapter.application.periods import PERIODS, HeldRelease, PeriodReading, project_periods
from ledger_adapter.application.ports import ErpDirectory
from ledger_adapter.application.posting import JournalPosting
from ledger_adapter.application.publishing import publish
from ledger_adapter.application.queries import PROJECTIONS, TABLES
from ledger_adapter.application.reactions import reactions_by_upstream
from ledger_adapter.application.replaying import replay
from ledger_adapter.application.retrying import RetryingUnmapped
from ledger_adapter.domain.books_mapping import BooksMapping, NamedBooks
from ledger_adapter.domain.charge_batches import ChargeBatches
from ledger_adapter.domain.journal_entry import JournalEntry
from ledger_adapter.domain.manifest import RemittanceManifest
from ledger_adapter.domain.party_account import PartyAccount
from ledger_adapter.domain.period_calendar import PeriodCalendar
from ledger_adapter.domain.site_rules import NO_SITE_RULES, SiteRules
from ledger_adapter.domain.subledger import SubledgerPosting

NAME = "ledger"
Seconds = float
SWEEP_SECONDS = 0.5
RETRY_SECONDS = 5.0
PERIODS_SECONDS = 30.0
DEFAULT_BATCHING = BatchingRules()
ADAPTERS: Mapping[str, BuildErp] = {
    "tryton": TrytonErp.configured,
    "netsuite": NetSuiteErp.configured,
    "business-central": BusinessCentralErp.configured,
    "finance": FinanceErp.configured,
    "file": FileErp.configured,
}

SHAPE = ServiceShape(
    name=NAME,
    aggregates=(
        SubledgerPosting,
        RemittanceManifest,
        ChargeBatches,
        JournalEntry,
        PeriodCalendar,
        BooksMapping,
        PartyAccount,
    ),
    tables=(*TABLES, PERIODS, MAPPINGS, PARTIES),
    projections=(*PROJECTIONS, project_journals, project_periods, project_mappings, project_parties),
    publishing=publish,
    guides=GUIDES,
)


class LedgerSettings(Settings):
    """What the ledger adapter is told beside what every service is.

    `books_path` is the file that says which ERP keeps the books of which entity, with which accounts. `site_rules_path`
    is one that adds posting rules for adjustment codes, like `site-rules.sample.json`. A day's charges
    are closed into a journal entry when nothing new came for `charges_quiet_seconds`, at the latest after
    `charges_oldest_seconds`, and never more than `charges_per_entry_max` of them.
    """

    books_path: Path | None = None
    site_rules_path: Path | None = None
    charges_quiet_seconds: Seconds = 2.0
    charges_oldest_seconds: Seconds = 60.0
    charges_per_entry_max: int = 1000

    @property
    def batching(self) -> BatchingRules:
        return BatchingRules(
            quiet=timedelta(seconds=self.charges_quiet_seconds),
            oldest=timedelta(seconds=self.charges_oldest_seconds),
            postings_max=self.charges_per_entry_max,
        )


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    master_data: KnownMasterData,
    erps: ErpDirectory,
    *,
    batching: BatchingRules = DEFAULT_BATCHING,
    site_rules: SiteRules = NO_SITE_RULES,
    named_books: Sequence[NamedBooks] = (),
    crash_point: CrashPoint = no_crash,
) -> ServiceCore:
    """The service without its transports."""
    consumers = {
        upstream: BatchConsumer(f"{NAME}-{upstream}", store, reactions, clock, crash_point=crash_point)
        for upstream, reactions in reactions_by_upstream(master_data, site_rules).items()
    }
    retrying = RetryingUnmapped(store, clock, consumers.values(), site_rules.version)
    sweeps = (
        Sweep("retry-unmapped", RETRY_SECONDS, retrying.run),
        Sweep("record-mappings", PERIODS_SECONDS, MappingRecording(store, clock, named_books).run),
        Sweep("link-parties", PERIODS_SECONDS, PartySync(store, clock, erps, master_data).run),
        Sweep("draft-remittances", SWEEP_SECONDS, RemittanceDrafting(store, clock).run),
        Sweep("close-charge-batches", SWEEP_SECONDS, ChargeBatching(store, clock, batching).run),
        *_posting(store, clock, erps, crash_point),
    )
    return ServiceCore(
        shape=SHAPE,
        store=store,
        clock=clock,
        consumers=consumers,
        sweeps=sweeps,
        mending={SUM_DIFFERS: judge_remittance_again},
    )


def _posting(
    store: EventStore, clock: Callable[[], datetime], erps: ErpDirectory, crash_point: CrashPoint
) -> Iterator[Sweep]:
    """One sweep an ERP, so that a slow one keeps no other waiting, and one for entities that have none; and the periods."""
    for name in (*erps.names(), ""):
        posting = JournalPosting(store, clock, erps, name, crash_point=crash_point)
        yield Sweep(f"post-journals-{name or 'nowhere'}", SWEEP_SECONDS, posting.run)
    for name in erps.names():
        reading = PeriodReading(store, clock, erps, name)
        yield Sweep(f"read-periods-{name}", PERIODS_SECONDS, reading.run)
    yield Sweep("release-held-journals", RETRY_SECONDS, HeldRelease(store, clock, erps).run)


def main() -> int:
    """Runs the service by its environment; the exit code. With `replay FOLDER` it replays the facts there instead."""
    try:
        if sys.argv[1:2] == ["replay"] and len(sys.argv) == 3:
            return replay_facts(Path(sys.argv[2]), os.environ)
        return serve(LedgerSettings.from_environment(os.environ))
    except (WrongSettings, UnsafeSetting) as refused:
        sys.stderr.write(f"ledger-adapter: {refused}\n")
        return EXIT_SETTINGS


def serve(settings: LedgerSettings) -> int:
    """Runs the service until it is told to stop.

    Raises:
        UnsafeSetting: a setting that the ledger adapter cannot do without is not given.
    """
    if settings.master_data_path is None:
        raise UnsafeSetting("THROUGHLINE_MASTER_DATA_PATH", "not given", "the master data file")
    if settings.books_path is None:
        raise UnsafeSetting("THROUGHLINE_BOOKS_PATH", "not given", "the file that says which ERP keeps whose books")
    site_rules = _site_rules(settings.site_rules_path)
    erps = _configured_erps(settings.books_path)
    master_data = MasterDataFile(settings.master_data_path)
    core = assemble(
        open_event_store(settings, SHAPE),
        partial(datetime.now, UTC),
        master_data,
        erps,
        batching=settings.batching,
        site_rules=site_rules,
        named_books=erps.named_books(),
        crash_point=settings.crash_points(NAME),
    )
    reactions = [each for some in reactions_by_upstream(master_data, site_rules).values() for each in some]
    parties = party_service(core, PartySync(core.store, core.clock, erps, master_data))
    return run(
        replace(core, master_data_version=lambda: master_data.version),
        settings,
        grpc=[ledger_service(core, erps), ledger_desk(core, erps, reactions), *feed_services(core), parties],
    )


def _log_of(dsn: str) -> EventStore:
    return PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables)


def replay_facts(folder: Path, environment: Mapping[str, str], open_log: Callable[[str], EventStore] = _log_of) -> int:
    """Writes to standard output, as JSON, what the facts of this folder book beside what the log holds; posts nothing.

    It reads `THROUGHLINE_DATABASE_URL`, `THROUGHLINE_MASTER_DATA_PATH`, `THROUGHLINE_SITE_RULES_PATH` and
    `THROUGHLINE_REPLAY_ENTITY`. The exit code is 0 whether they are the same or not.

    Raises:
        UnsafeSetting: the log or master data is not named.
    """
    dsn, master_data = environment.get("THROUGHLINE_DATABASE_URL"), environment.get("THROUGHLINE_MASTER_DATA_PATH")
    if not dsn or not master_data:
        raise UnsafeSetting("THROUGHLINE_DATABASE_URL, THROUGHLINE_MASTER_DATA_PATH", "not given", "both")
    rules = environment.get("THROUGHLINE_SITE_RULES_PATH")
    with redirect_stdout(sys.stderr):
        told = replay(
            open_log(dsn),
            MemoryEventStore(SHAPE.registry()),
            facts_in(folder),
            reactions_by_upstream(MasterDataFile(Path(master_data)), _site_rules(Path(rules) if rules else None)),
            environment.get("THROUGHLINE_REPLAY_ENTITY", ""),
        )
    sys.stdout.write(json.dumps(outcome(told)) + "\n")
    return 0


def _configured_erps(books_path: Path) -> ConfiguredErps:
    try:
        return ConfiguredErps(load_books(books_path), ADAPTERS)
    except (OSError, KeyError, ValueError) as wrong:
        needed = "a books configuration whose ERPs can be reached; see books.sample.json"
        raise UnsafeSetting("THROUGHLINE_BOOKS_PATH", f"{type(wrong).__name__}: {wrong}"[:400], needed) from wrong


def _site_rules(path: Path | None) -> SiteRules:
    if path is None:
        return NO_SITE_RULES
    try:
        return load_site_rules(path)
    except (OSError, ValueError) as wrong:
        needed = "posting rules that the site may add; see site-rules.sample.json"
        raise UnsafeSetting("THROUGHLINE_SITE_RULES_PATH", f"{type(wrong).__name__}: {wrong}"[:400], needed) from wrong


if __name__ == "__main__":
    raise SystemExit(main())
