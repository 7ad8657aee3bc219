"""The ERPs that a storm of intents is sent to: how each is opened, what it can be asked to do, and what its own books say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.erps.business_central import BATCH, BusinessCentralDouble
from sandbox.erps.finance import IMPORT, FinanceDouble
from sandbox.erps.finance_books import MAIN_ACCOUNT, POSTED
from sandbox.erps.netsuite import CONCURRENCY, NetSuiteDouble
from sandbox.servers.tryton import TrytonServer
from sandbox.world.erp_proxy import ErpProxy
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import UNTIL_LIFTED, Fault, Misbehaviour
from throughline.checker.invariants.erp_agreement import ErpMove
from throughline.checker.reading.erp import TrytonReader
from throughline.stack.composition import Stack
from throughline.stack.erp_configuration import tryton_plan
from throughline.stack.erp_doubles import (
    CUSTOMER_DIMENSION,
    PARTY_DIMENSION,
    business_central_plan,
    finance_plan,
    netsuite_plan,
)

from tests.integration.legacy_erp import LegacyErp

DEADLINE_SECONDS = 1.0
SPARED_MAX = 4
RECORDS = "POST /services/rest/record/v1/journalEntry"
TRYTON_BOOKING = "account.move/book"


@dataclass(frozen=True)
class Trouble:
    """One thing that the ERP then does to a call; `spared` has it wait for a few calls, so that it falls into a batch."""

    fault: Fault
    target: str
    measure: int = 0
    is_spared: bool = False
    times: int = 1


@dataclass(frozen=True)
class Subject:
    """An ERP that runs. `settings` is its part of the books configuration, `moves` reads its own books, beside every adapter."""

    settings: Mapping[str, object]
    moves: Callable[[], Sequence[ErpMove]]
    misbehaviour: Misbehaviour
    troubles: Sequence[Trouble] = ()
    booked_twice: Callable[[], Sequence[str]] = tuple
    refused: Callable[[], int] = int


def http_troubles(target: str) -> list[Trouble]:
    """What `TroubledErp` can do to the calls that book."""
    befalling_any = (Fault.TIMEOUT_AFTER_WORK, Fault.ERROR_AFTER_WORK, Fault.RESET_AFTER_WORK, Fault.RESET)
    return [
        *(Trouble(fault, target, is_spared=spared) for fault in befalling_any for spared in (False, True)),
        Trouble(Fault.SERVER_ERROR, target, is_spared=True),
        *(Trouble(Fault.THROTTLE, target, measure=1, is_spared=spared) for spared in (False, True)),
    ]


@contextmanager
def tryton(stack: Stack, folder: Path) -> Iterator[Subject]:
    """The real one, behind a proxy that loses its answers."""
    postgres = stack.suite.postgres
    with (
        TrytonServer(folder / "tryton", postgres, plan=tryton_plan(sandbox_master_data())) as server,
        ErpProxy(server.port) as proxy,
    ):
        connection = json.loads(server.info_file.read_text()) | {"base_url": proxy.url}
        path = folder / "tryton.json"
        path.write_text(json.dumps(connection))
        troubles = [
            Trouble(Fault.TIMEOUT_AFTER_WORK, TRYTON_BOOKING),
            Trouble(Fault.SERVER_ERROR, TRYTON_BOOKING),
            Trouble(Fault.CUT, TRYTON_BOOKING, measure=20),
        ]
        settings = {"kind": "tryton", "connection_file": str(path)}
        yield Subject(settings, lambda: TrytonReader(server.info_file).books().moves, proxy.misbehaviour, troubles)


@contextmanager
def netsuite(stack: Stack, folder: Path, *, at_once: int = CONCURRENCY, latency_ms: int = 0) -> Iterator[Subject]:
    """`at_once` calls are taken at once, which the quota knows; each takes `latency_ms` before anything is done."""
    with NetSuiteDouble(netsuite_plan(sandbox_master_data()), concurrency=at_once) as double:
        path = double.write_connection(folder, deadline_seconds=DEADLINE_SECONDS)
        if latency_ms:
            double.misbehaviour.request(Fault.SLOW, times=UNTIL_LIFTED, measure=latency_ms)
        troubles = [*http_troubles(RECORDS), Trouble(Fault.READ_LAG, "Journal", measure=4, times=SPARED_MAX)]
        settings = {"kind": "netsuite", "connection_file": str(path), "quota": {"concurrency": min(8, at_once)}}
        yield Subject(
            settings,
            lambda: netsuite_moves(double),
            double.misbehaviour,
            troubles,
            refused=lambda: double.troubled.refused_as_too_many,
        )


def netsuite_moves(double: NetSuiteDouble) -> list[ErpMove]:
    rows = double.books.rows(
        "SELECT t.id, t.externalid, t.trandate, t.posting, s.externalid AS company, a.acctnumber AS account,"
        " coalesce(c.externalid, '') AS party, l.debit - l.credit AS cents FROM txn t JOIN txnline l ON l.txn = t.id"
        " JOIN subsidiary s ON s.id = t.subsidiary JOIN account a ON a.id = l.account"
        " LEFT JOIN customer c ON c.id = l.entity ORDER BY t.id, l.id"
    )
    gathered: dict[str, ErpMove] = {}
    for row in rows:
        made = ErpMove(
            str(row["id"]), row["externalid"] or "", row["company"], row["trandate"], row["posting"] == "T", {}
        )
        gathered[made.document] = with_line(
            gathered.get(made.document, made), row["account"], row["party"], int(row["cents"])
        )
    return list(gathered.values())


@contextmanager
def business_central(stack: Stack, folder: Path) -> Iterator[Subject]:
    plan = business_central_plan(sandbox_master_data())
    with BusinessCentralDouble(plan) as double:
        path = double.write_connection(folder, deadline_seconds=2 * DEADLINE_SECONDS)
        troubles = [*http_troubles(BATCH), Trouble(Fault.READ_LAG, "", measure=4, times=SPARED_MAX)]
        settings = {"kind": "business-central", "connection_file": str(path)}
        yield Subject(settings, lambda: business_central_moves(double), double.misbehaviour, troubles)


def business_central_moves(double: BusinessCentralDouble) -> list[ErpMove]:
    """Entries know their document by its number alone: one of a place that the document has already is of a second document."""
    gathered: dict[tuple[str, str, int], ErpMove] = {}
    times: Counter[tuple[str, str, str, str]] = Counter()
    for company in double.books.companies:
        for entry in double.entries(company):
            party = entry.dimensions.get(PARTY_DIMENSION, "") or entry.customer
            line = (company, entry.document, entry.account, party)
            times[line] += 1
            place = (company, entry.document, times[line])
            made = ErpMove(str(entry.number), entry.document, company, entry.posting_date.isoformat(), True, {})
            gathered[place] = with_line(gathered.get(place, made), entry.account, party, entry.cents)
    return list(gathered.values())


@contextmanager
def finance(stack: Stack, folder: Path) -> Iterator[Subject]:
    """An execution is known from the moment it was handed over, and the posting job comes round at once."""
    with FinanceDouble(finance_plan(sandbox_master_data())) as double:
        double.api.posts_at_once = True
        path = double.write_connection(folder, deadline_seconds=DEADLINE_SECONDS, unseen_seconds=0)
        troubles = [*http_troubles(IMPORT), Trouble(Fault.READ_LAG, POSTED, measure=4, times=SPARED_MAX)]
        settings = {"kind": "finance", "connection_file": str(path)}
        yield Subject(settings, lambda: finance_moves(double), double.misbehaviour, troubles)


def finance_moves(double: FinanceDouble) -> list[ErpMove]:
    gathered = []
    for held in double.books.vouchers:
        move = ErpMove(str(held.key), held.voucher, held.company, held.day.isoformat(), True, {})
        for line in held.lines:
            move = with_line(move, line.segments[MAIN_ACCOUNT], line.segments.get(CUSTOMER_DIMENSION, ""), line.cents)
        gathered.append(move)
    return gathered


@contextmanager
def files(stack: Stack, folder: Path) -> Iterator[Subject]:
    """A nightly import that comes ten times a second."""
    root = folder / "files"
    root.mkdir()
    legacy = LegacyErp(root)
    legacy.start()
    try:
        yield Subject(
            {"kind": "file", "folder": str(root)},
            lambda: legacy_moves(legacy),
            Misbehaviour(),
            booked_twice=lambda: legacy.booked_twice,
        )
    finally:
        legacy.stop()


def legacy_moves(legacy: LegacyErp) -> list[ErpMove]:
    gathered = []
    for ordinal, ((company, number), document) in enumerate(legacy.documents.items(), start=1):
        move = ErpMove(f"L{ordinal}", number, company, document.effective_date.isoformat(), True, {})
        for line in document.lines:
            move = with_line(move, line.account, line.party, line.amount.minor)
        gathered.append(move)
    return gathered


def with_line(move: ErpMove, account: str, party: str, cents: int) -> ErpMove:
    """The document with one more line; lines of one account and party are summed."""
    lines = {**move.lines, (account, party): move.lines.get((account, party), 0) + cents}
    return ErpMove(move.document, move.number, move.entity, move.day, move.is_posted, lines)


@dataclass(frozen=True)
class Candidate:
    """An ERP of the table; `title` is what it is called there."""

    title: str
    open: Callable[[Stack, Path], AbstractContextManager[Subject]]


SUBJECTS: Mapping[str, Candidate] = {
    "netsuite": Candidate("NetSuite, simulated", netsuite),
    "business-central": Candidate("Business Central, simulated", business_central),
    "finance": Candidate("Finance, simulated", finance),
    "file": Candidate("files, a simulated import", files),
    "tryton": Candidate("Tryton 8.2, real", tryton),
}
