"""The story of a few encounters on a real suite: an outside world that tries again until it is answered."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import LiteralString, Self

import httpx
import psycopg
from canonical.money import Money
from chassis.security.client_credentials import ClientCredentials
from sandbox.world.bank import Bank
from sandbox.world.clearinghouse import Clearinghouse
from sandbox.world.ehr import Delivery, DeliveryKind, deliveries, send_mllp
from sandbox.world.file_drop import Exchange
from sandbox.world.gateway import CardGateway
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.oracle import Expected, expected_outcomes
from sandbox.world.payer import PAYER_SEED, Payers
from sandbox.world.remittances import Remittance
from sandbox.world.scenario import Scenario, SimulatedEncounter
from throughline.connection import read_connection

from tests.integration.legacy_erp import LegacyErp
from tests.integration.state import Facts, facts_of, rest_of
from tests.integration.suite import Bench, OpenStack, write_canaries

CONNECTIONS = 4
STEP_SECONDS = 0.05
TRY_AGAIN_SECONDS = 0.2
PHASE_SECONDS_MAX = 120.0
SETTLING_SECONDS_MAX = 60.0
POLL_SECONDS = 0.2
PAYER_THAT_SENDS_TWICE = "ACME"
PAYER_THAT_IS_A_CENT_OUT = "MEDICARE"
PAID_WITHOUT_A_NAME = Money(4200)


class NeverCame(AssertionError):
    """What the story waits for has not happened in time."""


@dataclass
class Story:
    """One scenario on one bench, told phase by phase; a context manager that runs the world beside it."""

    bench: OpenStack
    scenario: Scenario
    today: date
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)
    remittances: list[Remittance] = field(default_factory=list)
    card_payments: list[tuple[str, str, Money]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.payers = Payers(PAYER_SEED, misbehaviour=self.misbehaviour, next_coverages=self.scenario.coverages_after)
        self.clearinghouse = Clearinghouse(self.bench.exchange, self.payers, lambda: datetime.now(UTC))
        self.bank = Bank()
        self.cards = CardGateway(
            self.scenario.seed, retry_pause_seconds=TRY_AGAIN_SECONDS, port=self.bench.ports["card-gateway"]
        )
        self.erp = LegacyErp(self.bench.folder / "file-erp")
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self.clearinghouse.run, args=(self._stop, STEP_SECONDS), name="clearinghouse", daemon=True
        )

    def __enter__(self) -> Self:
        self.cards.start(f"http://{self.bench.address('payments', 'http')}/webhooks/stripe")
        self.erp.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self.erp.stop()
        self.cards.stop()

    @property
    def outcomes(self) -> list[Expected]:
        """What the payers will decide, by the story alone."""
        return expected_outcomes(self.scenario, PAYER_SEED)

    def tell(self) -> None:
        """From the first encounter to the last payout."""
        self.charge()
        self.be_paid()
        self.pay_by_card()
        self.pay_out()

    def charge(self) -> None:
        """The EHR sends every encounter until each is accepted, and the payers take every claim."""
        self.send_all(
            ClientCredentials(self.bench.suite.tokens.token_url, "ehr", self.bench.suite.tokens.secret("ehr"))
        )
        until(lambda: len(self.payers.verdicts) >= len(self.outcomes), "the payers have every claim")

    def send_all(self, tokens: ClientCredentials, encounters: Iterable[SimulatedEncounter] = ()) -> None:
        """Every encounter once, or these, on a few connections."""
        self.deliver(tokens, deliveries(encounters or self.scenario.encounters))

    def deliver(self, tokens: ClientCredentials, told: Iterable[Delivery]) -> None:
        """What the EHR tells, until each delivery is accepted."""
        connection = read_connection(self.bench.folder)
        verify: ssl.SSLContext | bool = True
        if connection.gateway:
            verify = ssl.create_default_context(cafile=str(connection.gateway.ca))
        with (
            ThreadPoolExecutor(CONNECTIONS) as threads,
            httpx.Client(verify=verify, timeout=10, trust_env=False) as http,
        ):
            door = Door(http, connection.fhir, tokens)
            list(threads.map(lambda each: self._deliver(each, door), told))

    def be_paid(self) -> None:
        """The payers decide and pay, one of them twice, one of them a cent out; the bank reports every deposit."""
        self.misbehaviour.request(Fault.DUPLICATE_OTHER_LAYOUT, target=PAYER_THAT_SENDS_TWICE)
        self.misbehaviour.request(Fault.CORRUPT_ONE_CENT, target=PAYER_THAT_IS_A_CENT_OUT)
        self.remittances = self.clearinghouse.settle(self.today)
        self.bank.deposit_remittances(self.remittances)
        self.bank.drop_statement(Exchange(self.bench.exchange), self.today, datetime.now(UTC))
        until(lambda: self.owed() == self.owed_at_last(), "patients owe what the payers left to them")

    def owed_at_last(self) -> Money:
        """What patients owe: who pays for himself all of it, the others by the remittances that are in order."""
        corrupted = {each.trace_number for each in self.remittances if each.content != each.faithful_content}
        shares = Money.total(
            paid.decision.patient_responsibility
            for remittance in self.remittances
            if remittance.trace_number not in corrupted
            for paid in remittance.claims
        )
        return shares + Money.total(encounter.total for encounter in self.scenario.self_pay)

    def owed(self) -> Money:
        query: LiteralString = "SELECT coalesce(sum(responsibility_minor), 0)::bigint FROM patient_accounts"
        return Money(self.bench.count("payments", query))

    def pay_by_card(self) -> None:
        """Some patients pay what they owe, one webhook comes twice; somebody pays and nothing says who."""
        query: LiteralString = (
            "SELECT account_id, entity, responsibility_minor FROM patient_accounts WHERE responsibility_minor > 0 "
            "ORDER BY entity, responsibility_minor, account_id LIMIT 3"
        )
        until(lambda: self._choose_payers(query), "patients who owe are known")
        self.misbehaviour_of_cards(Fault.DUPLICATE, "payment_intent.succeeded")
        for account, entity, amount in self.card_payments:
            self.cards.pay(amount, account, entity)
        self.misbehaviour_of_cards(Fault.WITHOUT_METADATA, "payment")
        self.cards.pay(PAID_WITHOUT_A_NAME, "", "NORTH")

    def _choose_payers(self, query: LiteralString) -> bool:
        with self.bench.admin("payments") as connection:
            rows = connection.execute(query).fetchall()
        self.card_payments = [(str(account), str(entity), Money(int(str(owed)))) for account, entity, owed in rows]
        return True

    def misbehaviour_of_cards(self, fault: Fault, target: str) -> None:
        self.cards.misbehaviour.request(fault, target=target)

    def pay_out(self) -> None:
        """The card gateway pays out one entity's money, and the bank reports it."""
        payout = self.cards.pay_out("NORTH")
        self.bank.deposit_payout("NORTH", payout.id, Money(payout.amount), self.today)
        self.bank.drop_statement(Exchange(self.bench.exchange), self.today, datetime.now(UTC))
        until(lambda: not self.cards.webhooks.waiting_count, "every webhook is answered")

    def _deliver(self, delivery: Delivery, door: Door) -> None:
        if delivery.kind is DeliveryKind.BUNDLE:
            until(lambda: door.takes(delivery), f"{delivery.visit_number} is accepted", every=TRY_AGAIN_SECONDS)
            return
        for message in delivery.messages:
            until(
                partial(_acknowledged, self.bench.address("intake", "mllp"), message),
                f"{delivery.visit_number} is acknowledged",
                every=TRY_AGAIN_SECONDS,
            )


def ehr_of(bench: OpenStack) -> ClientCredentials:
    """Whence the EHR has its tokens."""
    return ClientCredentials(bench.suite.tokens.token_url, "ehr", bench.suite.tokens.secret("ehr"))


@dataclass(frozen=True)
class Door:
    """Where bundles go."""

    http: httpx.Client
    url: str
    tokens: ClientCredentials

    def takes(self, delivery: Delivery) -> bool:
        headers = {"Authorization": f"Bearer {self.tokens.token()}", "Content-Type": "application/fhir+json"}
        try:
            return self.http.post(self.url, content=delivery.messages[0], headers=headers).is_success
        except httpx.TransportError:
            return False


def _acknowledged(mllp: str, message: bytes) -> bool:
    host, _, port = mllp.rpartition(":")
    try:
        (reply,) = asyncio.run(send_mllp(host, int(port), [message]))
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    return b"MSA|AA" in reply


def until(
    happened: Callable[[], bool], what: str, *, seconds_max: float = PHASE_SECONDS_MAX, every: float = POLL_SECONDS
) -> None:
    """Waits for it.

    Raises:
        NeverCame: the time is up.
    """
    deadline = time.monotonic() + seconds_max
    while not _happened(happened):
        if time.monotonic() > deadline:
            raise NeverCame(f"not within {seconds_max:.0f} s: {what}")
        time.sleep(every)


def _happened(happened: Callable[[], bool]) -> bool:
    """A database that is just restarting has no answer yet."""
    try:
        return happened()
    except psycopg.OperationalError:
        return False


def settled(bench: OpenStack, *, quiet_seconds: float = 4.0, seconds_max: float = PHASE_SECONDS_MAX) -> Facts:
    """The facts once nothing has moved for a while: longer than any sweep pauses."""
    deadline = time.monotonic() + seconds_max
    quiet_since, before = time.monotonic(), rest_of(bench)
    while time.monotonic() - quiet_since < quiet_seconds:
        time.sleep(POLL_SECONDS)
        now = rest_of(bench)
        if now != before or not now.is_quiet:
            quiet_since = time.monotonic()
        if time.monotonic() > deadline:
            raise NeverCame(f"not within {seconds_max:.0f} s: the suite is at rest: {now}")
        before = now
    return facts_of(bench)


def settled_as(bench: OpenStack, wanted: Facts, *, seconds_max: float = SETTLING_SECONDS_MAX) -> Facts:
    """The facts as soon as they are the wanted ones and nothing is under way; whatever they are when the time is up."""
    deadline = time.monotonic() + seconds_max
    while True:
        found = facts_of(bench)
        if (found == wanted and rest_of(bench).is_quiet) or time.monotonic() > deadline:
            return found
        time.sleep(2 * POLL_SECONDS)


def differences(wanted: Facts, found: Facts) -> Mapping[str, str]:
    """Where two states differ, section by section."""
    told = {}
    for section in sorted(wanted.keys() | found.keys()):
        before, after = wanted.get(section, []), found.get(section, [])
        if before != after:
            missing = [row for row in before if row not in after]
            extra = [row for row in after if row not in before]
            told[section] = f"missing {missing[:5]}, extra {extra[:5]}, rows {len(before)} and {len(after)}"
    return told


@contextmanager
def own_story(
    folder: Path, told_on: Callable[[date], Scenario], settings: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[tuple[Bench, Story]]:
    """A bench of its own with all services ready, and the world of this day's scenario running beside it.

    `settings` is more environment, by service.
    """
    bench = Bench(folder)
    bench.start_servers()
    try:
        bench.prepare()
        bench.start_services(settings)
        today = datetime.now(UTC).date()
        with Story(bench, told_on(today), today) as story:
            write_canaries(bench.folder, story.scenario)
            yield bench, story
    finally:
        bench.stop()


def small_story(bench: OpenStack) -> Story:
    """Ten encounters as of today."""
    today = datetime.now(UTC).date()
    return Story(bench, Scenario.small(today), today)
