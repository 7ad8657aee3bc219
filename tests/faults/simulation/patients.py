"""Patients at the card gateway and at the clerks' desk: what is paid, taken back, asked for, given up and moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Row, Work
from intake.domain.identities import patient_id_of
from payments.application.gateway_orders import request_payment
from payments.application.patient_rows import ACCOUNTS
from payments.application.payment_plans import agree_plan
from payments.application.refunding import RefundReason, ask_for_refund, cancel_refund, decide_refund, refund_id_for
from payments.application.transfers import approve_transfer, request_transfer
from payments.application.unapplied_cash import UNAPPLIED_CASH
from payments.application.write_offs import approve_write_off, request_write_off
from payments.domain.account_transfer import Moved, TransferOf
from payments.domain.patient_account import PatientAccount, account_id_of
from payments.domain.payment import STRIPE, payment_id_of
from payments.domain.payment_plan import Instalment
from payments.domain.refunds import refund_id_of
from payments.domain.write_off_rules import WriteOffKind
from sandbox.world.expected_patient_books import Patient
from sandbox.world.gateway_book import DECLINED_PAYMENT_METHOD, account_of
from sandbox.world.gateway_later_objects import RefundStatus
from sandbox.world.gateway_objects import PaymentIntent, Payout
from sandbox.world.scenario import Scenario

from tests.contracts.gateway_table import DEALT
from tests.contracts.gateway_till import Till

from .outside import TODAY, Outside
from .person import CLERK, MANAGER, Cashier

STORIES_FOR_EACH = 9
WITHOUT_A_NAME = "names nobody"
DEFAULT_ENTITY = "NORTH"
NOTHING = Money(0)
OVERPAID = Money(25_00)
UNMATCHED_PAYMENT = Money(41_50)
AT_THE_DESK, REFUNDED_BY_US, ORDERED, PAID_AFTER_ALL = Money(80_00), Money(30_00), Money(12_00), Money(5_00)
GIVEN_UP_MAX = Money(10_00)
MOVED_MAX = Money(5_00)
KINDS = (WriteOffKind.CHARITY, WriteOffKind.BAD_DEBT, WriteOffKind.SMALL_BALANCE)


@dataclass
class PatientsStory:
    """What happens to patients' money in one story; the fields below say what no book of the gateway knows."""

    number: int
    scenario: Scenario
    outside: Outside
    payments: EventStore
    cashier: Cashier
    owners: dict[str, UUID] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    given_up: Counter[tuple[UUID, WriteOffKind]] = field(default_factory=Counter)
    moved: list[tuple[UUID, UUID, UUID, Money]] = field(default_factory=list)
    entities: dict[str, str] = field(default_factory=dict)
    lived: set[str] = field(default_factory=set)
    _unmatched: str = ""
    _desk: str = ""

    def __post_init__(self) -> None:
        sources = {(each.entity, each.patient.mrn): each.source for each in self.scenario.encounters}
        self.accounts: dict[Patient, UUID] = {
            (entity, mrn): account_id_of(entity, patient_id_of(source, mrn))
            for (entity, mrn), source in sources.items()
        }
        self._patient_ids = {patient: patient_id_of(source, patient[1]) for patient, source in sources.items()}
        self.entities |= {account_of(entity): entity for entity in ("NORTH", "SOUTH")}

    def pay(self) -> None:
        """Who owes pays too much, half or all; the others live through a story each; one names nobody, one is declined."""
        for place, row in enumerate(self._owing()):
            owed = Money(_balance(row))
            amount = owed + OVERPAID if place == 0 else owed if place % 2 else Money(max(owed.minor // 2, 1))
            self._card(amount, str(row["account_id"]), str(row["entity"]))
        self._unmatched = self._card(UNMATCHED_PAYMENT, "", "NORTH").id
        self._card(UNMATCHED_PAYMENT, "", "SOUTH", DECLINED_PAYMENT_METHOD)
        (entity, _), account_id = next(iter(self.accounts.items()))
        self._desk = self._card(AT_THE_DESK, str(account_id), entity).id
        for place, patient in enumerate(self.accounts):
            self._live_through(place, patient)
        for entity in ("NORTH", "SOUTH"):
            self._pay_out(entity)

    def _live_through(self, place: int, patient: Patient) -> None:
        names = [name for name in sorted(DEALT) if patient[0] == DEFAULT_ENTITY or WITHOUT_A_NAME not in name]
        name = names[(self.number * STORIES_FOR_EACH + place) % len(names)]
        book, later = self.outside.gateway, self.outside.later
        till = Till(f"sim{place}", self._patient_ids[patient], book, later, entity=patient[0])
        self.entities[f"acct_{till.name}"] = patient[0]
        DEALT[name].happens(till)
        self.lived.add(name)
        self.outside.tell_raw(till.webhooks)
        for payout in till.paid_out:
            self._deposit(patient[0], payout)

    def ask(self) -> None:
        """The clerks find whose a payment is, ask for a refund and for a payment, and cancel a refund that failed."""
        self.outside.deposit_statement(TODAY + timedelta(days=12))
        found = [row for row in self._owing() if row["entity"] == "NORTH"]
        if found:
            account_id = _uuid(found[0]["account_id"])
            self.owners[self._unmatched] = account_id
            self.cashier.match(payment_id_of(self._unmatched), account_id)
        self._refund_from_the_desk()
        self._order_a_payment()
        if self.number % 2 == 0:
            for refund in [each for each in self.outside.later.refunds.values() if each.status is RefundStatus.FAILED]:
                self.cancelled.add(refund.id)
                cancel = partial(cancel_refund, refund_id=refund_id_of(STRIPE, refund.id), on=TODAY)
                self.cashier.ask(MANAGER, cancel)

    def _refund_from_the_desk(self) -> None:
        payment_id, key = payment_id_of(self._desk), f"story {self.number}"
        self.cashier.ask(
            CLERK,
            lambda work: ask_for_refund(work, payment_id, key, REFUNDED_BY_US, RefundReason.GOODWILL, CLERK),
        )
        self.cashier.ask(
            MANAGER,
            lambda work: decide_refund(
                work, refund_id_for(key), REFUNDED_BY_US, by=MANAGER, limit=NOTHING, on=TODAY, approves=True
            ),
        )

    def _order_a_payment(self) -> None:
        for row in self.payments.rows(ACCOUNTS, {}, order=("account_id",), limit=1):
            account_id = _uuid(row["account_id"])
            order = partial(
                request_payment,
                request_id=derive("story-order", self.number),
                account_id=account_id,
                amount=ORDERED,
                method_kind="card",
                method="pm_card_visa",
                by=CLERK,
            )
            self.cashier.ask(CLERK, order)

    def pay_out_in_vain(self) -> None:
        """The gateway pays out, and the bank does not take it."""
        for entity in ("NORTH", "SOUTH"):
            for payout in self._paid_out(entity):
                self.outside.tell(self.outside.later.fail_payout(payout.id)[1])

    def pay_out_again(self) -> None:
        """What came back goes out with what is new."""
        for entity in ("NORTH", "SOUTH"):
            self._pay_out(entity)

    def give_up(self) -> None:
        """Of up to three who owe, a part is given up, for other reasons in each story; one asks to pay in parts."""
        for place, row in enumerate(self._owing()[: len(KINDS)]):
            kind = KINDS[(self.number + place) % len(KINDS)]
            account_id = _uuid(row["account_id"])
            where, amount = self._open(account_id)
            self.given_up[account_id, kind] += amount.minor
            write_off_id = derive("story-write-off", account_id)
            ask = partial(request_write_off, account_id=account_id, place=where, kind=kind, amount=amount, reason="R1")
            self.cashier.ask(CLERK, partial(ask, write_off_id=write_off_id))
            allow = partial(approve_write_off, write_off_id=write_off_id, amount=amount, limit=NOTHING, on=TODAY)
            self.cashier.ask(MANAGER, allow)
        for row in self._owing()[3:4]:
            self._agree_on_a_plan(_uuid(row["account_id"]), Money(_balance(row)))

    def _agree_on_a_plan(self, account_id: UUID, owed: Money) -> None:
        instalments = [Instalment(due_on=TODAY + timedelta(days=300), amount=owed)]
        plan_id = derive("story-plan", account_id)
        plan = partial(agree_plan, plan_id=plan_id, account_id=account_id, instalments=instalments, on=TODAY)
        self.cashier.ask(CLERK, plan)

    def pay_after_all(self) -> None:
        """Who owed a bad debt pays a little after all; cash of one patient is moved to another."""
        for account_id, kind in self.given_up:
            if kind is WriteOffKind.BAD_DEBT:
                entity = next(patient[0] for patient, known in self.accounts.items() if known == account_id)
                self._card(PAID_AFTER_ALL, str(account_id), entity)
        rows = self.payments.rows(UNAPPLIED_CASH, {}, order=("account_id", "payment_id"), limit=100)
        for row in [each for each in rows if _int(each["amount_minor"]) > 0][:1]:
            self._move(row)

    def _move(self, row: Row) -> None:
        where = {"entity": row["entity"]}
        others = self.payments.rows(ACCOUNTS, where, order=("-account_id",), limit=1)
        giver, taker, payment_id = (
            _uuid(each) for each in (row["account_id"], others[0]["account_id"], row["payment_id"])
        )
        if taker == giver:
            return
        amount = min(MOVED_MAX, Money(_int(row["amount_minor"])))
        self.moved.append((payment_id, giver, taker, amount))
        wanted = TransferOf(Moved.CASH, payment_id, giver, taker, amount)
        transfer_id = derive("story-transfer", self.number)
        self.cashier.ask(CLERK, partial(request_transfer, transfer_id=transfer_id, wanted=wanted, reason="R2"))
        approve = partial(approve_transfer, transfer_id=transfer_id, amount=amount, limit=NOTHING, on=TODAY)
        self.cashier.ask(MANAGER, approve)

    def intents(self) -> Iterable[PaymentIntent]:
        return self.outside.gateway.intents.values()

    def owner_of(self, intent: PaymentIntent) -> UUID | None:
        """The account that a payment names, or a person found."""
        named = intent.metadata.get("patient_account", "")
        return UUID(named) if named else self.owners.get(intent.id)

    def _open(self, account_id: UUID) -> tuple[UUID, Money]:
        """A place at which the account owes something, and how much of it is given up."""
        cause = uuid4()
        context = Context(self.outside.now(), Meta(correlation_id=cause, causation_id=cause, actor=CLERK))
        account = Work(self.payments, context).require(PatientAccount, account_id)
        places = sorted({entry.place for entry in account.owed.values()}, key=str)
        place = next(place for place in places if account.open_at(place) > NOTHING)
        return place, min(account.open_at(place), GIVEN_UP_MAX)

    def _owing(self) -> Sequence[Row]:
        rows = self.payments.rows(ACCOUNTS, {}, order=("account_id",))
        return [row for row in rows if _balance(row) > 0]

    def _card(self, amount: Money, account: str, entity: str, method: str = "pm_card_visa") -> PaymentIntent:
        fields = {"amount": str(amount.minor), "confirm": "true", "payment_method": method}
        fields |= {"metadata[patient_account]": account, "metadata[entity]": entity}
        intent, events = self.outside.gateway.create_intent(fields)
        self.outside.tell(events)
        self.outside.tell(events[:1])
        return intent

    def _pay_out(self, entity: str) -> None:
        for payout in self._paid_out(entity):
            self._deposit(entity, payout)

    def _paid_out(self, entity: str) -> Iterator[Payout]:
        if self.outside.gateway.balance_of(entity) > 0:
            payout, events = self.outside.gateway.pay_out(entity)
            self.outside.tell(events)
            yield payout

    def _deposit(self, entity: str, payout: Payout) -> None:
        self.outside.bank.deposit_payout(entity, payout.id, Money(payout.amount), TODAY)


def _balance(row: Row) -> int:
    return _int(row["responsibility_minor"]) - _int(row["written_off_minor"]) - _int(row["applied_minor"])


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _uuid(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value
