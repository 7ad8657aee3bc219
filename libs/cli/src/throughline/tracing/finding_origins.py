"""Finds the fact behind each part, by asking the service that owns it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from canonical.money import Money

from throughline.checker.expected import CLEARING_BY_CHANNEL
from throughline.tracing import identities
from throughline.tracing.books import Books, State
from throughline.tracing.deposit_origins import DepositOrigins
from throughline.tracing.origins import Origin, amounts_of_charges, mirrored, percent_of
from throughline.tracing.patient_origins import (
    PAYMENT_SUCCEEDED,
    TRANSFER_MADE,
    PatientOrigins,
    messages_of_transfer,
)
from throughline.tracing.payer_origins import PayerOrigins
from throughline.tracing.period_end_origins import PeriodEndOrigins
from throughline.tracing.records import ChargePosting, Encounter, Part
from throughline.tracing.stored_facts import OriginMissing, StoredFacts, mappings_in, money_in
from throughline.wire import amount_text


class Origins:
    """The origins of the parts of one trace; a fact is asked for once, however many lines it is in."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._facts = StoredFacts(books)
        self._known: dict[str, Origin] = {}
        self._finders: Mapping[str, Callable[[Part, str], Origin]] = {
            "charges": self._of_charges,
            **PayerOrigins(books).finders,
            **PatientOrigins(books).finders,
            **DepositOrigins(books).finders,
            "credit-balances": PeriodEndOrigins(books).of_credit_balance,
            "patient-payment": self._of_payment,
            "application": self._of_application,
            "payout": self._of_payout,
        }

    def of(self, part: Part, kind: str, entity: str) -> Origin:
        """The fact behind a part of a journal entry of this kind.

        Raises:
            OriginMissing: its service does not know it.
        """
        if part.posting_id not in self._known:
            finder = self._finders.get(kind)
            if finder is None:
                raise OriginMissing(f"a journal entry of the unknown kind {kind}")
            self._known[part.posting_id] = finder(part, entity)
        return self._known[part.posting_id]

    def _of_charges(self, part: Part, entity: str) -> Origin:
        encounter = self._books.encounter(part.encounter_id or part.item_id)
        posting = None if encounter is None else _posting_with(encounter, part.posting_id)
        if encounter is None or posting is None:
            raise OriginMissing(f"encounter {part.encounter_id} has no such posting at intake")
        estimate = self._facts.estimate_in(part.posting_id)
        percent = percent_of(estimate, posting.total)
        own = [charge for charge in encounter.charges if charge.charge_id in posting.charge_ids]
        told = [
            f"encounter {encounter.encounter_id}, posting {posting.number}: {len(own)} charges, "
            f"{amount_text(posting.total)} to {posting.payer or 'the patient'}"
        ]
        if estimate:
            told.append(f"{amount_text(estimate)} expected to be taken off by contract, {percent}% of it")
        charged = Money.total(charge.amount for charge in own)
        return Origin(
            event="EncounterCharged",
            service="intake",
            story=tuple(told),
            amounts=amounts_of_charges(posting, estimate),
            equation=f"{len(own)} charges = {amount_text(charged)}",
            equation_holds=charged == posting.total and percent is not None,
            places=self._facts.places("intake", sorted(set(posting.message_ids) or {each.message_id for each in own})),
        )

    def _of_payment(self, part: Part, entity: str) -> Origin:
        paid = self._facts.state("payments", part.item_id, "payments.payment.succeeded")
        amount, applied, unapplied = (money_in(paid[name]) for name in ("amount", "applied", "unapplied"))
        channel = str(paid.get("channel", "gateway"))
        where = (
            f"{paid['gateway_id']} at the gateway" if channel == "gateway" else f"by {paid.get('method') or channel}"
        )
        clearing = CLEARING_BY_CHANNEL[channel]
        return Origin(
            event="PatientPaymentSucceeded",
            service="payments",
            story=(f"payment {part.item_id}, {where}: {amount_text(amount)}",),
            amounts={clearing: amount, "ar-patient": -applied, "unapplied-patient": -unapplied},
            equation=f"{amount_text(amount)} = applied {amount_text(applied)} + unapplied {amount_text(unapplied)}",
            equation_holds=amount == applied + unapplied,
            places=self._facts.places("payments", [str(paid["message_id"])]),
        )

    def _of_application(self, part: Part, entity: str) -> Origin:
        """Of a payment, or of cash that a transfer brought to its account."""
        paid, messages = self._paid(part.item_id)
        for number, amount in applications_of(self._books, part.item_id):
            if identities.application_posting(part.item_id, number) == part.posting_id:
                return Origin(
                    event="PaymentApplied",
                    service="payments",
                    story=(
                        f"application {number} of payment {part.item_id}, which was {amount_text(money_in(paid['amount']))}",
                    ),
                    amounts=mirrored("unapplied-patient", "ar-patient", amount),
                    equation=f"applied {amount_text(amount)} of {amount_text(money_in(paid['amount']))}",
                    equation_holds=amount <= money_in(paid["amount"]),
                    places=self._facts.places("payments", messages),
                )
        raise OriginMissing(f"payments knows no such application of payment {part.item_id}")

    def _paid(self, payment_id: str) -> tuple[State, Sequence[str]]:
        transfer_id = self._books.transfer_of(payment_id)
        if transfer_id:
            made = self._facts.state("payments", transfer_id, TRANSFER_MADE)
            return made, messages_of_transfer(self._books, made)
        paid = self._facts.state("payments", payment_id, PAYMENT_SUCCEEDED)
        return paid, [str(paid["message_id"])]

    def _of_payout(self, part: Part, entity: str) -> Origin:
        for payout_id in self._books.payouts():
            if identities.payout_share(payout_id, entity) == part.item_id:
                return self._of_payout_share(payout_id, entity, "payments.payout.composed")
            if identities.returned_share(payout_id, entity) == part.item_id:
                return self._of_payout_share(payout_id, entity, "payments.payout.returned")
        raise OriginMissing(f"payments knows no payout with the share {part.item_id}")

    def _of_payout_share(self, payout_id: str, entity: str, topic: str) -> Origin:
        announced = self._facts.state("payments", payout_id, "payments.payout.announced")
        told = self._facts.state("payments", payout_id, topic)
        shares = [share for share in mappings_in(told.get("shares")) if share.get("entity") == entity]
        what = "the share" if topic.endswith("composed") else "what came back of the share"
        if not shares:
            raise OriginMissing(f"payout {payout_id} has no share of {entity}")
        gross, fees, net = (money_in(shares[0][name]) for name in ("gross", "fees", "net"))
        return Origin(
            event="PayoutPaid",
            service="payments",
            story=(f"payout {payout_id}, {announced['gateway_id']} at the gateway: {what} of {entity}",),
            amounts={"cash": net, "processing-fees": fees, "gateway-clearing": -gross},
            equation=f"gross {amount_text(gross)} = net {amount_text(net)} + fees {amount_text(fees)}",
            equation_holds=gross == net + fees,
            places=self._facts.places("payments", [str(announced["message_id"])]),
        )


def applications_of(books: Books, payment_id: str) -> Sequence[tuple[int, Money]]:
    """Number and amount of each later application: the match by a person is number 0, the account's own follow."""
    found: list[tuple[int, Money]] = []
    accounts: set[str] = set()
    for topic, state in books.events("payments", payment_id):
        accounts.add(str(state.get("account_id") or ""))
        if topic == "payments.payment.matched" and money_in(state["applied"]):
            found.append((0, money_in(state["applied"])))
    for account_id in sorted(accounts - {""}) or filter(None, [books.account_of(payment_id)]):
        for _, state in books.events("payments", account_id):
            if "application" in state and state.get("payment_id") == payment_id:
                found.append((int(str(state["application"])), money_in(state["amount"])))
    return found


def _posting_with(encounter: Encounter, posting_id: str) -> ChargePosting | None:
    for posting in encounter.postings:
        if identities.charge_posting(encounter.encounter_id, posting.number) == posting_id:
            return posting
    return None
