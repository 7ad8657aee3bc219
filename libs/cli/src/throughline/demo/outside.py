"""The outside world of the demo: an EHR that sends, payers that answer, a bank, a card gateway, a road to the ERP that breaks."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
from canonical.codes import AccountRole, ClaimType
from canonical.money import Money
from chassis.security.client_credentials import ClientCredentials
from sandbox.suite import Suite
from sandbox.world.bank import Bank
from sandbox.world.clearinghouse import Clearinghouse
from sandbox.world.ehr import Delivery, DeliveryKind, deliveries, send_mllp
from sandbox.world.erp_proxy import ErpProxy
from sandbox.world.expected_books import expected_books, payer_side
from sandbox.world.file_drop import BANK_INBOUND, Exchange, drop
from sandbox.world.gateway import CardGateway
from sandbox.world.gateway_objects import PaymentIntent
from sandbox.world.identities import registered_twice
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.own_words import OwnWord, in_own_words
from sandbox.world.payer import Payers
from sandbox.world.rcm_platform import FolderDoor, PlatformDesk
from sandbox.world.received_claims import Frequency
from sandbox.world.remittances import Remittance
from sandbox.world.scenario import Scenario
from sandbox.world.taken_back import taken_back

from throughline.demo.later_charges import LaterCharges
from throughline.demo.payer_money import Letter
from throughline.demo.platform import ENTITY_OF_THE_PLATFORM, PLATFORM
from throughline.demo.traffic import RULES, Traffic

CONNECTIONS = 4
STEP_SECONDS = 0.1
HTTP_SECONDS_MAX = 30
PAYER_THAT_SENDS_TWICE = "ACME"
PAYER_THAT_IS_A_CENT_OUT = "MEDICARE"
OWN_WORD = OwnWord(source="ehr-south", payer="BLUEOAK", word="OAK-2026")


@dataclass
class Sent:
    """What the EHR sent and how it was answered."""

    bundles: int = 0
    messages: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class EhrDoors:
    """Where the EHR sends to: FHIR over HTTPS with a client's tokens, HL7 over MLLP."""

    fhir_url: str
    ca: Path
    tokens: ClientCredentials
    mllp: str


@dataclass
class Outside:
    """Everything that is not ours. Deterministic by seed; it misbehaves where the story says so."""

    scenario: Scenario
    seed: int
    exchange: Path
    today: date
    erp: ErpProxy
    card_gateway: CardGateway
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)
    remittances: list[Remittance] = field(default_factory=list)
    paid: list[tuple[PaymentIntent, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.payers = Payers(
            self.seed,
            misbehaviour=self.misbehaviour,
            rules=RULES,
            next_coverages=self.scenario.coverages_after,
            clearinghouse_reports=True,
        )
        self.clearinghouse = Clearinghouse(self.exchange, self.payers, _now)
        desk = PlatformDesk(PLATFORM, self.payers)
        self.platform = FolderDoor(self.exchange / PLATFORM, desk, _now, [ENTITY_OF_THE_PLATFORM])
        self.clearinghouse.platform = self.platform
        self.traffic = Traffic(self.clearinghouse, self.scenario, self.seed, spared=[PAYER_THAT_IS_A_CENT_OUT])
        self.later_charges = LaterCharges(self.payers, self.scenario, self.traffic)
        self.bank = Bank()
        self._to_deposit: list[Remittance] = []
        self.electronic: list[Money] = []
        self.interest: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self.clearinghouse.run, args=(self._stop, STEP_SECONDS), name="clearinghouse", daemon=True
        )

    def open(self, webhook_url: str) -> None:
        """Starts what runs beside the suite."""
        self.card_gateway.start(webhook_url)
        self._thread.start()

    def close(self) -> None:
        """Stops all of it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.card_gateway.stop()
        self.erp.stop()

    def send_encounters(self, doors: EhrDoors) -> Sent:
        """The EHR sends every encounter once and two patients twice; one source calls a payer by a word that we do not know.

        It takes a visit back that never was, and parts two persons whom it took for one.
        """
        encounters = self.scenario.encounters
        told = [*deliveries(encounters), *registered_twice(encounters), *taken_back(encounters)]
        return send(list(in_own_words(told, OWN_WORD)), doors)

    def change_charges(self, doors: EhrDoors) -> Sent:
        """The EHR corrects a charge that was paid, takes a paid visit back, and sends a charge late."""
        return send(self.later_charges.say(), doors)

    def settle(self) -> list[Remittance]:
        """The payers decide and pay: one sends its remittance twice, one is a cent out on its way."""
        self.misbehaviour.request(Fault.DUPLICATE_OTHER_LAYOUT, target=PAYER_THAT_SENDS_TWICE)
        self.misbehaviour.request(Fault.CORRUPT_ONE_CENT, target=PAYER_THAT_IS_A_CENT_OUT)
        self.traffic.pend()
        return self._sent(self.clearinghouse.settle(self.today))

    def change_minds(self) -> list[Remittance]:
        """A day later: a denial is overturned, a payment corrected, another taken back, and next payers pay."""
        return self._sent(self.traffic.change_minds(self.today + timedelta(days=1)))

    def run_down(self) -> list[Remittance]:
        """Two days and three days later: what a payer carried forward is netted."""
        return self._sent(self.traffic.run_down(self.today + timedelta(days=2)))

    def _sent(self, made: list[Remittance]) -> list[Remittance]:
        self.remittances += made
        self._to_deposit += made
        return made

    def deposit(self) -> int:
        """The bank credits every remittance since the last time and reports it; the number of files."""
        self.bank.deposit_remittances(self._to_deposit)
        self._to_deposit = []
        return self.bank.drop_statement(Exchange(self.exchange), self.today, datetime.now(UTC))

    def deposit_electronically(self) -> None:
        """The bank hands over the entries of the transfers themselves, each with its addendum, instead of a statement."""
        paying = [each for each in self._to_deposit if each.amount]
        self._to_deposit = []
        if paying:
            file = self.bank.electronic_entries(paying, self.today, datetime.now(UTC))
            drop(Exchange(self.exchange).folder(BANK_INBOUND), file.name, file.content)
            self.electronic += [each.amount for each in paying]

    def pay_by_check(self, letter: Letter) -> None:
        """A payer's check is at the bank; its letter, on paper, says that it pays interest."""
        self.bank.deposit_unrelated(letter.entity, letter.amount, self.today, letter.addendum)
        self.bank.drop_statement(Exchange(self.exchange), self.today, datetime.now(UTC))
        self.interest[letter.entity] = self.interest.get(letter.entity, 0) - letter.amount.minor

    def claims_read(self) -> list[tuple[str, int, Money]]:
        """What the payers were sent, as they read it: claims and their charges by kind of claim."""
        claims = [verdict.claim for verdict in self.payers.verdicts]
        return [
            (kind.value, len(own), Money.total(claim.charge for claim in own))
            for kind in ClaimType
            if (own := [claim for claim in claims if claim.claim_type is kind])
        ]

    def expected(self) -> dict[tuple[str, str, str], int]:
        """What the ledger must show of payers' money, by what was charged and what the payers decided and sent."""
        posted = [each for each in self.remittances if each.content == each.faithful_content]
        originals = [file.claim for _, _, file in self.payers.claim_files()]
        standing = [claim for claim in originals if claim.frequency != Frequency.VOID]
        expected = payer_side(expected_books(self.later_charges.as_revised, posted, standing))
        for entity, minor in self.interest.items():
            place = (entity, AccountRole.INTEREST_INCOME.value, "")
            expected[place] = expected.get(place, 0) + minor
        return expected

    def pay_by_card(self, payments: list[tuple[str, str, Money]]) -> Money:
        """Patients pay (account, entity, amount); the first payment's webhook comes twice, the last names nobody."""
        self.card_gateway.misbehaviour.request(Fault.DUPLICATE, target="payment_intent.succeeded")
        total = Money(0)
        for account, entity, amount in payments:
            self.paid.append((self.card_gateway.pay(amount, account, entity), account, entity))
            total += amount
        return total

    def pay_without_a_name(self, entity: str, amount: Money) -> None:
        """Somebody pays, and nothing says who."""
        self.card_gateway.misbehaviour.request(Fault.WITHOUT_METADATA, target="payment")
        self.card_gateway.pay(amount, "", entity)

    def pay_out(self, entities: list[str]) -> None:
        """The card gateway pays out, and the bank reports it."""
        for entity in entities:
            payout = self.card_gateway.pay_out(entity)
            self.bank.deposit_payout(entity, payout.id, Money(payout.amount), self.today)
        self.bank.drop_statement(Exchange(self.exchange), self.today, datetime.now(UTC))


def _now() -> datetime:
    return datetime.now(UTC)


def send(told: list[Delivery], doors: EhrDoors) -> Sent:
    """The EHR's messages on a few connections, each kind through its own door."""
    sent = Sent()
    bundles = [delivery for delivery in told if delivery.kind is DeliveryKind.BUNDLE]
    messages = [delivery for delivery in told if delivery.kind is DeliveryKind.MLLP]
    with (
        ThreadPoolExecutor(CONNECTIONS * 2) as threads,
        httpx.Client(verify=str(doors.ca), timeout=HTTP_SECONDS_MAX) as http,
    ):
        posts = [threads.submit(_post, http, doors, delivery) for delivery in bundles]
        shares = [messages[start::CONNECTIONS] for start in range(CONNECTIONS)]
        talks = [threads.submit(_talk, doors.mllp, share) for share in shares if share]
        for post in posts:
            sent.bundles += 1
            sent.refused += not post.result()
        for talk in talks:
            count, refused = talk.result()
            sent.messages += count
            sent.refused += refused
    return sent


def _post(http: httpx.Client, doors: EhrDoors, delivery: Delivery) -> bool:
    headers = {"Authorization": f"Bearer {doors.tokens.token()}", "Content-Type": "application/fhir+json"}
    return http.post(doors.fhir_url, content=delivery.messages[0], headers=headers).is_success


def _talk(mllp: str, share: list[Delivery]) -> tuple[int, int]:
    """Sends the messages of some encounters; how many, and how many were not accepted."""
    host, _, port = mllp.rpartition(":")
    messages = [message for delivery in share for message in delivery.messages]
    replies = asyncio.run(send_mllp(host, int(port), messages, timeout_seconds=HTTP_SECONDS_MAX))
    return len(messages), sum(b"MSA|AA" not in reply for reply in replies)


def erp_road(suite: Suite) -> ErpProxy:
    """The proxy between the ledger adapter and the ERP, so that the road can break."""
    proxy = ErpProxy(suite.tryton.port)
    proxy.start()
    return proxy
