"""What can happen to one patient's money at the card gateway, as a story tells it; the events that tell of it wait here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from payments.domain.disputes import dispute_id_of
from payments.domain.patient_account import account_id_of
from payments.domain.payment import STRIPE, payment_id_of
from payments.domain.payout import payout_id_of, returned_share_id_of
from payments.domain.refunds import refund_id_of
from sandbox.world.gateway_book import DECLINED_PAYMENT_METHOD, GatewayBook
from sandbox.world.gateway_later import LaterMoney
from sandbox.world.gateway_later_objects import Dispute, DisputeStatus, Refund, RefundStatus
from sandbox.world.gateway_objects import Json, PaymentIntent, Payout

ENTITY = "NORTH"
Journals = Counter[tuple[str, str]]
"""Cents by rule and account, debits above zero."""


@dataclass
class Till:
    """The gateway as one patient and one story see it: a connected account of its own, so that its payouts are its own.

    `webhooks` are the bodies of the events in the order in which they happened, `ids` those of what the books hold of it.
    """

    name: str
    patient_id: UUID
    book: GatewayBook
    later: LaterMoney
    webhooks: list[bytes] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)
    paid_out: list[Payout] = field(default_factory=list)
    entity: str = ENTITY

    def pay(self, cents: int, *, by_bank: bool = False, named: bool = True) -> PaymentIntent:
        """A payment by card, or the order to debit a bank account."""
        return self._paid(cents, "pm_usBankAccount" if by_bank else "pm_card_visa", named)

    def be_declined(self, cents: int) -> PaymentIntent:
        """A card that is declined."""
        return self._paid(cents, DECLINED_PAYMENT_METHOD, named=True)

    def try_another_card(self, declined: PaymentIntent) -> None:
        declined.payment_method = "pm_card_visa"
        self._tell(self.book.confirm(declined))

    def settle_debit(self, debit: PaymentIntent) -> None:
        self._tell(self.later.settle_debit(debit.id))

    def fail_debit(self, debit: PaymentIntent) -> None:
        """It fails, or the payer's bank takes it back where it had succeeded."""
        self._tell(self.later.fail_debit(debit.id))

    def cancel(self, order: PaymentIntent) -> None:
        self._tell(self.later.cancel(order.id))

    def refund(self, paid: PaymentIntent, cents: int, status: RefundStatus = RefundStatus.SUCCEEDED) -> Refund:
        made, events = self.later.refund(paid.id, cents, status=status)
        self.ids.append(refund_id_of(STRIPE, made.id))
        self._tell(events)
        return made

    def settle_refund(self, refund: Refund, status: RefundStatus) -> None:
        self._tell(self.later.settle_refund(refund.id, status))

    def dispute(self, paid: PaymentIntent, cents: int = 0, *, inquiry: bool = False) -> Dispute:
        made, events = self.later.dispute(paid.id, cents, inquiry=inquiry)
        self.ids.append(dispute_id_of(STRIPE, made.id))
        self._tell(events)
        return made

    def escalate(self, inquiry: Dispute) -> None:
        self._tell(self.later.escalate(inquiry.id))

    def respond(self, dispute: Dispute) -> None:
        self._tell(self.later.respond(dispute.id))

    def close(self, dispute: Dispute, status: DisputeStatus) -> None:
        self._tell(self.later.close(dispute.id, status))

    def pay_out(self) -> Payout:
        """The story's balance goes to the bank."""
        made, events = self.book.pay_out(self.name)
        payout_id = payout_id_of(made.id)
        self.ids += [
            payout_id,
            derive("payout-share", payout_id, self.entity),
            returned_share_id_of(payout_id, self.entity),
        ]
        self.paid_out.append(made)
        self._tell(events)
        return made

    def fail_payout(self, payout: Payout) -> None:
        """The bank does not take it."""
        self._tell(self.later.fail_payout(payout.id)[1])
        self.paid_out.remove(payout)

    def charge_fee(self, cents: int) -> None:
        self.later.charge_fee(_account(self.name), cents)

    def _paid(self, cents: int, method: str, named: bool) -> PaymentIntent:
        fields = {"amount": str(cents), "confirm": "true", "payment_method": method}
        if named:
            fields |= {
                "metadata[patient_account]": str(account_id_of(self.entity, self.patient_id)),
                "metadata[entity]": self.entity,
            }
        intent, events = self.book.create_intent(fields, _account(self.name))
        self.ids.append(payment_id_of(intent.id))
        self._tell(events)
        return intent

    def _tell(self, events: Iterable[Json]) -> None:
        self.webhooks += [json.dumps(event).encode() for event in events]


def _account(name: str) -> str:
    return f"acct_{name.lower()}"


@dataclass(frozen=True)
class GatewayStory:
    """What happens, and what the patient (who was charged 100.00) and the books have of it in the end.

    `balance`, `applied` and `unapplied` are cents; `journals` are the sums of what each rule booked on each account, in
    the accountant's words, debits above zero; `cases` are the codes of what is left to people.
    """

    happens: Callable[[Till], None]
    balance: int
    applied: int
    unapplied: int
    journals: Sequence[str]
    cases: Sequence[str] = ()


def patient_of(name: str) -> UUID:
    """A patient of the story's own."""
    return derive("gateway-story", name)


def in_words(journals: Journals) -> list[str]:
    """As `J15 ar-patient -100.00, gateway-clearing 100.00`; what adds up to nothing is left out."""
    told: dict[str, list[str]] = {}
    for (rule, account), cents in sorted(journals.items()):
        if cents:
            told.setdefault(rule, []).append(f"{account} {Money(cents).decimal_text}")
    return [f"{rule} {', '.join(parts)}" for rule, parts in told.items()]


def sums_of(words: Iterable[str]) -> Journals:
    """What the words say."""
    sums: Journals = Counter()
    for line in words:
        rule, _, parts = line.partition(" ")
        for part in parts.split(", "):
            account, _, amount = part.partition(" ")
            sums[rule, account] += Money.of(amount).minor
    return sums


def in_any_order(journals: Journals) -> Journals:
    """Cash that pays a balance at once is J15, a moment later J16: which of them follows the order, and their sum does not."""
    sums: Journals = Counter()
    for (rule, account), cents in journals.items():
        sums["J15" if rule == "J16" else rule, account] += cents
    return sums
