"""What is known of a patient's account: shares owed, cash, what was set aside and given up; and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.money import Money
from chassis.domain import Aggregate, Event

from payments.domain.cash_spread import NOTHING, Cash, Owed, Part, Reserved, open_of_each, spread, within_lines
from payments.domain.payer_words import LineOwed, PayerWord, ShareOrigin
from payments.domain.price_concession import Expectation
from payments.domain.write_off_rules import GivenUp, WriteOffChange, WriteOffKind


class TakenBack(StrEnum):
    """Why cash leaves an account again."""

    REFUND = "refund"
    RETURN = "return"
    DISPUTE = "dispute"
    TRANSFER = "transfer"


class AccountFacts(Aggregate):
    """Owed less applied cash is the balance; cash beyond it stays unapplied, visibly, until something is owed."""

    snapshot_every = 0

    def start(self) -> None:
        self.entity = ""
        self.patient_id: UUID | None = None
        self.owed: dict[UUID, Owed] = {}
        self.words: dict[UUID, PayerWord] = {}
        self.written_off: dict[UUID, Owed] = {}
        self.given_up: dict[UUID, GivenUp] = {}
        self.cash: dict[UUID, Cash] = {}
        self.used: dict[UUID, Money] = {}
        self.taken_back: dict[UUID, Money] = {}
        self.reserved: dict[UUID, Reserved] = {}
        self.lines: dict[tuple[UUID, str], Money] = {}
        self.applications = 0
        self.expected: dict[UUID, Expectation] = {}
        self.allowances: dict[UUID, Money] = {}
        self.allowance_moves = 0

    class ResponsibilityAssigned(Event):
        """`source_id` is the adjudication, the self-pay posting or the transfer that left the amount to the patient.

        `word` is what the payer said of the whole claim, where one did; `lines` what of the amount is of which line, where that
        is known.
        """

        TOPIC = "payments.patient-account.responsibility-assigned"
        entity: Public[str]
        patient_id: UUID
        source_id: UUID
        claim_id: UUID | None = None
        encounter_id: UUID
        amount: Money
        effective_date: Financial[date]
        origin: ShareOrigin = ShareOrigin.CHARGES
        word: PayerWord | None = None
        lines: tuple[LineOwed, ...] = ()

        def apply(self, account: AccountFacts) -> None:
            account.entity = self.entity
            account.patient_id = self.patient_id
            place = self.claim_id or self.encounter_id
            account.owed[self.source_id] = Owed(place, self.encounter_id, self.amount, self.effective_date)
            for each in self.lines:
                known = account.lines.get((place, each.line), NOTHING)
                account.lines[place, each.line] = known + each.amount
            if self.word is not None:
                account.words[self.source_id] = self.word

    class PayerHeard(Event):
        """A payer's decision that leaves nothing to the patient now, and changes what the patient is told of the visit."""

        TOPIC = "payments.patient-account.payer-heard"
        entity: Public[str]
        patient_id: UUID
        source_id: UUID
        claim_id: UUID
        encounter_id: UUID
        effective_date: Financial[date]
        word: PayerWord

        def apply(self, account: AccountFacts) -> None:
            account.entity = self.entity
            account.patient_id = self.patient_id
            account.words[self.source_id] = self.word

    class PaymentReceived(Event):
        TOPIC = "payments.patient-account.payment-received"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        applied: Money
        unapplied: Money
        effective_date: Financial[date]

        def apply(self, account: AccountFacts) -> None:
            account.entity = self.entity
            account.patient_id = self.patient_id
            account.cash[self.payment_id] = Cash(self.applied + self.unapplied, self.effective_date)
            account.used[self.payment_id] = self.applied

    class UnappliedApplied(Event):
        """Cash of an earlier payment pays what is owed now; below zero it stands free again. `application` counts them."""

        TOPIC = "payments.patient-account.unapplied-applied"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        application: int
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: AccountFacts) -> None:
            account.applications = self.application
            account.used[self.payment_id] += self.amount

    class CashTakenBack(Event):
        """Cash of one payment leaves the account, or comes back to it below zero. `cause_id` is the refund, return, …"""

        TOPIC = "payments.patient-account.cash-taken-back"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        cause_id: UUID
        reason: TakenBack
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: AccountFacts) -> None:
            held = account.cash[self.payment_id]
            account.cash[self.payment_id] = Cash(held.amount - self.amount, held.on)
            account.taken_back[self.cause_id] = self.amount

    class WrittenOff(Event):
        """What is owed at one claim or encounter is given up; below zero it is owed again.

        `of_write_off` is the one that it changes, where it is no write-off by itself.
        """

        TOPIC = "payments.patient-account.written-off"
        entity: Public[str]
        patient_id: UUID
        write_off_id: UUID
        kind: WriteOffKind
        place: UUID
        encounter_id: UUID
        amount: Money
        effective_date: Financial[date]
        of_write_off: UUID | None = None
        change: WriteOffChange = WriteOffChange.GRANTED

        def apply(self, account: AccountFacts) -> None:
            account.written_off[self.write_off_id] = Owed(
                self.place, self.encounter_id, -self.amount, self.effective_date
            )
            if self.of_write_off is None:
                account.given_up[self.write_off_id] = GivenUp(
                    self.kind, self.place, self.encounter_id, self.amount, self.effective_date
                )
            else:
                _change(account.given_up[self.of_write_off], self.change, self.amount)

    class Allocated(Event):
        """A person set cash of a payment aside for one claim or encounter, or a line of it; zero takes that back."""

        TOPIC = "payments.patient-account.allocated"
        entity: Public[str]
        patient_id: UUID
        allocation_id: UUID
        payment_id: UUID
        target: UUID
        amount: Money
        effective_date: Financial[date]
        line: Public[str] = ""

        def apply(self, account: AccountFacts) -> None:
            account.reserved[self.allocation_id] = Reserved(
                self.payment_id, self.target, self.amount, self.effective_date, self.line
            )

    class ConcessionExpected(Event):
        """So many percent of the shares at a place are not expected to be paid, by its portfolio as master data has it."""

        TOPIC = "payments.patient-account.concession-expected"
        entity: Public[str]
        patient_id: UUID
        place: UUID
        portfolio: Public[str]
        percent: int
        from_days: int
        effective_date: Financial[date]

        def apply(self, account: AccountFacts) -> None:
            account.expected[self.place] = Expectation(self.portfolio, self.percent, self.from_days)

    class AllowanceMoved(Event):
        """More of what is owed at a place is not expected to be paid, or less below zero. `move` counts them."""

        TOPIC = "payments.patient-account.allowance-moved"
        entity: Public[str]
        patient_id: UUID
        place: UUID
        encounter_id: UUID
        portfolio: Public[str]
        move: int
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: AccountFacts) -> None:
            account.allowances[self.place] = account.allowances.get(self.place, NOTHING) + self.amount
            account.allowance_moves = self.move

    @property
    def entries(self) -> list[Owed]:
        """All that raises or lowers what is owed."""
        return [*self.owed.values(), *self.written_off.values()]

    @property
    def balance(self) -> Money:
        """What the patient owes; below zero only where more was taken off than was ever owed."""
        return Money.total(entry.amount for entry in self.entries) - Money.total(self.used.values())

    @property
    def applied(self) -> Money:
        return Money.total(self.used.values())

    @property
    def unapplied(self) -> dict[UUID, Money]:
        """What of each payment pays nothing, where there is any."""
        left = {payment_id: held.amount - self.used[payment_id] for payment_id, held in self.cash.items()}
        return {payment_id: amount for payment_id, amount in left.items() if amount}

    @property
    def unapplied_total(self) -> Money:
        return Money.total(self.unapplied.values())

    @property
    def parts(self) -> list[Part]:
        """Which cash pays what."""
        return spread(self.entries, self.cash, self.set_aside)

    @property
    def set_aside(self) -> dict[UUID, Reserved]:
        """What people set aside, with how much of it the lines take."""
        return within_lines(self.reserved, self.lines)

    def open_at(self, place: UUID) -> Money:
        """What is still owed at one claim or encounter."""
        return open_of_each(self.entries, self.parts).get(place, NOTHING)


def _change(given_up: GivenUp, change: WriteOffChange, amount: Money) -> None:
    """Takes what one event gives up more, or less below zero."""
    given_up.changes += 1
    standing = given_up.standing
    if change is WriteOffChange.LAPSED:
        given_up.standing = replace(standing, lapsed=standing.lapsed - amount)
    elif change is WriteOffChange.RECOVERED:
        given_up.standing = replace(standing, recovered=standing.recovered - amount)
    else:
        given_up.granted += amount
