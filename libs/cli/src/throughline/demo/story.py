"""The story itself: what happens, in which order, and how long each chapter takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from canonical.money import Money
from chassis.security.client_credentials import ClientCredentials
from sandbox.folders import write_private
from sandbox.world.gateway import CardGateway
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.scenario import Scenario

from throughline.connection import Access, Connection, read_connection
from throughline.demo.denial_work import DenialWork
from throughline.demo.facts import Facts, gather_facts, journals_under_way, owing_accounts, reconcile
from throughline.demo.mapping_work import MappedCode, MappingWork
from throughline.demo.outside import OWN_WORD, EhrDoors, Outside, Sent, erp_road
from throughline.demo.patient_money import Owing, PatientMoney
from throughline.demo.payer_money import PayerMoney, WorkedByTwo, letter_of
from throughline.demo.platform import PLATFORM, settings_of_platform, tell_of_platform
from throughline.demo.revised_facts import gather_revised
from throughline.demo.settling import Settling
from throughline.demo.traffic_facts import gather_traffic
from throughline.stack.composition import Overrides, Stack

OUTAGE_SECONDS = 4.0
QUIET_SECONDS = 2.5
CHAPTER_SECONDS_MAX = 150.0
CARD_PAYMENTS_MAX = 40
NAMELESS_PAYMENT = Money(4200)
ENTITY_OF_THE_NAMELESS = "NORTH"
PAYER_OF_THE_LETTER = "ACME"
SETTINGS = {
    "ledger": {"CHARGES_QUIET_SECONDS": "1.0"},
    "claims": {"GATHERING_SECONDS": "1.0"},
    "payments": {"LOOSE_AFTER_SECONDS": "5"},
    "reconciliation": {"RECONCILE_EVERY_SECONDS": "0"},
}

Say = Callable[[str], None]


@dataclass
class Told:
    """What the story leaves behind for the report."""

    scenario: Scenario
    sent: Sent = field(default_factory=Sent)
    later: Sent = field(default_factory=Sent)
    seconds: dict[str, float] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    card_total: Money = field(default_factory=Money.zero)
    remittances_sent: int = 0
    struck: list[str] = field(default_factory=list)
    worked_outside: tuple[int, int, int] = (0, 0, 0)
    mapping: MappedCode | None = None
    by_two: list[WorkedByTwo] = field(default_factory=list)
    electronic: list[Money] = field(default_factory=list)


class Story:
    """Tells the story on a fresh suite in a folder; the suite is running until `close`."""

    def __init__(self, folder: Path, *, seed: int, encounters: int, say: Say) -> None:
        self.today = datetime.now(UTC).date()
        self.told = Told(Scenario.demo(self.today, seed=seed, encounters=encounters))
        self.stack = Stack(folder)
        self._say = say
        self._outside = _outside(self.told.scenario, seed, self.stack, self.today)
        self._patient_money = PatientMoney(self._outside.card_gateway)
        self.stack.overrides = Overrides(
            erp_url=self._outside.erp.url,
            gateway_api=self._outside.card_gateway.url,
            settings=SETTINGS | {"claims": SETTINGS["claims"] | settings_of_platform(self.stack)},
        )

    def tell(self) -> Told:
        """Every chapter, to the end."""
        with self._chapter("start the suite"):
            self._outside.open(f"http://{self.stack.address('payments', 'http')}/webhooks/stripe")
            tell_of_platform(self.stack)
            self.stack.start()
            _write_canaries(self.stack.folder, self.told.scenario)
        connection = read_connection(self.stack.folder)
        access = self._access = Access(connection)
        settling = Settling(access, self.stack.suite.nats.monitoring_url)
        try:
            self._tell(access, settling)
        finally:
            access.close()
        return self.told

    def _tell(self, access: Access, settling: Settling) -> None:
        self._tell_of_charges(access, settling)
        self._tell_of_payers(access, settling)
        self._tell_of_patients(access, settling)
        with self._chapter("reconcile, and read everything back"):
            self._read_back(access)
            self._settle(settling, "reconciliation")
        self.told.struck = [
            f"{strike.fault} {strike.target}".strip()
            for strikes in (self._outside.misbehaviour.struck, self._outside.card_gateway.misbehaviour.struck)
            for strike in strikes
        ]

    def _tell_of_charges(self, access: Access, settling: Settling) -> None:
        with self._chapter("charges come in, claims go out; the ERP is down for some seconds"):
            self._send_encounters(access)
            self._settle(settling, "charges")
        with self._chapter(
            "a payer code that nobody knows holds charges; it is mapped, another person approves, they flow"
        ):
            self.told.mapping = MappingWork(access, self._approver()).map(OWN_WORD, _payers())
            self._settle(settling, "released charges")

    def _tell_of_payers(self, access: Access, settling: Settling) -> None:
        with self._chapter("payers decide and pay: one sends twice, one is a cent out"):
            self.told.remittances_sent = len(self._outside.settle())
            self._settle(settling, "remittances")
        with self._chapter(
            "the bank reports the deposits; the EHR corrects a charge, takes a visit back, and sends a charge late"
        ):
            self._outside.deposit()
            self.told.later = self._outside.change_charges(self._doors(access))
            self._settle(settling, "deposits and revisions")
        with self._chapter(
            "a denial is appealed; payers overturn, correct, take back, and decide again; the next payers pay"
        ):
            denied = self._outside.traffic.choose().denied
            if denied:
                DenialWork(access).appeal(denied)
            self.told.remittances_sent += len(self._outside.change_minds())
            self._outside.deposit()
            self._settle(settling, "second thoughts")
        with self._chapter("what a payer still wants is taken from its next payments"):
            self.told.remittances_sent += len(self._outside.run_down())
            self._outside.deposit_electronically()
            self._settle(settling, "forwarded balances")
        with self._chapter("a check comes with a letter on paper, and a payer says that it paid too much"):
            self._work_payers_money(access)
            self._settle(settling, "what people worked")

    def _tell_of_patients(self, access: Access, settling: Settling) -> None:
        with self._chapter("patients pay by card: one webhook comes twice, one payment names nobody"):
            owing = owing_accounts(access)
            self.told.card_total = self._outside.pay_by_card(_who_pays(owing))
            self._outside.pay_without_a_name(ENTITY_OF_THE_NAMELESS, NAMELESS_PAYMENT)
            self._settle(settling, "card payments")
        with self._chapter(
            "one payment is refunded in part, one disputed and lost, one returned by a bank, one matched"
        ):
            debited, matched = _who_has_not_paid(owing)
            self._patient_money.take_back(self._outside.paid, debited)
            self._patient_money.match(access, matched[0], matched[1])
            self._settle(settling, "what came back")
        with self._chapter("the card gateway pays out"):
            self._outside.pay_out([entity.code for entity in sandbox_master_data().entities])
            self._settle(settling, "payouts")

    def _work_payers_money(self, access: Access) -> None:
        known = sandbox_master_data()
        payer = known.payer(PAYER_OF_THE_LETTER, self.today)
        entity = known.entity(ENTITY_OF_THE_NAMELESS, self.today)
        letter = letter_of(payer, entity)
        desk = PayerMoney(access, self._approver())
        desk.key(letter, payer, entity, self.today)
        self._outside.pay_by_check(letter)
        desk.overpayment()
        self.told.by_two = desk.worked
        self.told.electronic = self._outside.electronic

    def _read_back(self, access: Access) -> None:
        facts = self.told.facts = gather_facts(access, [entity.code for entity in sandbox_master_data().entities])
        facts.mapping = self.told.mapping
        facts.traffic = gather_traffic(access, self._outside.traffic.followed)
        facts.came_back = self._patient_money.read_back(access)
        facts.revised = gather_revised(access, self._outside.later_charges)
        facts.compare_with(self._outside.expected())
        facts.read_by_payers = self._outside.claims_read()
        platform = self._outside.platform
        self.told.worked_outside = (platform.batches, platform.transactions, platform.reports)
        reconcile(access, facts)

    def _send_encounters(self, access: Access) -> None:
        self._outside.erp.go_down()
        began = time.monotonic()
        self.told.sent = self._outside.send_encounters(self._doors(access))
        time.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - began)))
        self._outside.erp.come_up()

    def _doors(self, access: Access) -> EhrDoors:
        connection = access.connection
        assert connection.gateway is not None, "the story goes through the gateway"
        tokens = ClientCredentials(connection.token_url, "ehr", self.stack.suite.tokens.secret("ehr"))
        return EhrDoors(connection.fhir, connection.gateway.ca, tokens, connection.mllp)

    def _approver(self) -> Connection:
        """The connection of another person than the one who works the story's cases."""
        secret = self.stack.suite.tokens.secret("approver")
        return self._access.connection.model_copy(update={"client_id": "approver", "client_secret": secret})

    def _settle(self, settling: Settling, what: str) -> None:
        settling.wait(what, quiet_seconds=QUIET_SECONDS, seconds_max=CHAPTER_SECONDS_MAX, also=self._nothing_waits)

    def _nothing_waits(self) -> bool:
        """No file lies in a folder that somebody polls, and no journal entry is on its way to the ERP."""
        platform = (f"{PLATFORM}/batches", f"{PLATFORM}/reports")
        folders = ("intake-inbound", "claims-outbound", "bank-inbound", *platform)
        files = (path for name in folders for path in (self.stack.exchange / name).glob("[!.]*"))
        return not any(path.is_file() for path in files) and not journals_under_way(self._access)

    @contextmanager
    def _chapter(self, title: str) -> Iterator[None]:
        self._say(title)
        began = time.monotonic()
        yield
        self.told.seconds[title] = round(time.monotonic() - began, 1)

    def close(self) -> None:
        """Stops the outside world and the suite."""
        self._outside.close()
        self.stack.stop()


def _payers() -> list[str]:
    return [payer.code for payer in sandbox_master_data().payers]


def _who_pays(owing: list[tuple[str, str, Money]]) -> list[tuple[str, str, Money]]:
    """Two of three patients who owe something pay it, at most forty; the others still owe it when the story ends."""
    return [account for ordinal, account in enumerate(owing) if ordinal % 3 != 2][:CARD_PAYMENTS_MAX]


def _who_has_not_paid(owing: list[Owing]) -> tuple[Owing, Owing]:
    """Who pays from a bank account that takes it back, and who has paid without a name."""
    others = [account for account in owing if account not in _who_pays(owing)] + owing
    return others[0], next(account for account in others[1:] if account[1] == ENTITY_OF_THE_NAMELESS)


def _outside(scenario: Scenario, seed: int, stack: Stack, today: date) -> Outside:
    return Outside(
        scenario=scenario,
        seed=seed,
        exchange=stack.exchange,
        today=today,
        erp=erp_road(stack.suite),
        card_gateway=CardGateway(seed),
    )


def _write_canaries(folder: Path, scenario: Scenario) -> None:
    """Names and numbers of the simulated patients, for the checker to look for where none may be."""
    found: set[str] = set()
    for encounter in scenario.encounters:
        patient = encounter.patient
        found |= {patient.family_name, patient.street, patient.mrn}
        found |= {coverage.member_id for coverage in encounter.coverages}
    write_private(folder / "canaries.txt", "\n".join(sorted(word for word in found if len(word) >= 6)))
