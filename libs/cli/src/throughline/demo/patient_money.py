"""What becomes of patients' payments after they were made: refunded, disputed, taken back by a bank, matched by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from billing.payments.v1 import payments_pb2 as payments
from billing.payments.v1 import payments_pb2_grpc
from canonical.money import Money
from sandbox.world.gateway import CardGateway
from sandbox.world.gateway_later import LaterMoney
from sandbox.world.gateway_later_objects import DISPUTE_FEE_MINOR, DisputeStatus
from sandbox.world.gateway_objects import Json, PaymentIntent

from throughline.connection import Access
from throughline.wire import amount_text, money_of

Owing = tuple[str, str, Money]
"""A patient account, its entity, and what it owes."""
PAYMENTS_MAX = 5000
REFUNDED, DISPUTED, RETURNED, MATCHED = "refunded", "disputed", "returned", "matched"


@dataclass(frozen=True, slots=True)
class LaterMove:
    """One payment, what came back of it (nothing where a person matched it), and what its patient owes in the end."""

    what: str
    entity: str
    account: str
    paid: Money
    moved: Money
    owes: Money = field(default_factory=Money.zero)

    def in_words(self) -> str:
        """For the report."""
        paid, moved, owes = map(amount_text, (self.paid, self.moved, self.owes))
        told = {
            REFUNDED: f"a card payment of {paid} was refunded in part, {moved}",
            DISPUTED: f"a card payment of {paid} was disputed and lost: the card's bank took {moved} back, and the gateway "
            f"a fee of {amount_text(Money(DISPUTE_FEE_MINOR))}, which the patient does not bear",
            RETURNED: f"a debit of a bank account of {paid} was paid, and returned by the bank afterwards",
            MATCHED: f"a payment of {paid} named nobody, and a person said whose it is",
        }
        return f"{told[self.what]}; the patient owes {owes} now"


class PatientMoney:
    """The gateway's part of it, and the person's."""

    def __init__(self, gateway: CardGateway) -> None:
        self._gateway = gateway
        self.moves: list[LaterMove] = []

    def take_back(self, paid: Sequence[tuple[PaymentIntent, str, str]], debited: Owing) -> None:
        """Half of the largest payment is refunded, the next one is disputed and lost, and a bank takes a debit back."""
        (refunded, *where), (disputed, *other) = paid[:2]
        half = Money(refunded.amount // 2)
        self._gateway.refund(refunded.id, half)
        self._note(REFUNDED, where, Money(refunded.amount), half)
        dispute = self._gateway.dispute(disputed.id)
        self._gateway.happen(lambda later: later.respond(dispute.id))
        self._gateway.happen(lambda later: later.close(dispute.id, DisputeStatus.LOST))
        self._note(DISPUTED, other, Money(disputed.amount), Money(disputed.amount))
        account, entity, amount = debited
        debit = self._debit(account, entity, amount)
        self._gateway.happen(lambda later: later.settle_debit(debit.id))
        self._gateway.happen(lambda later: later.fail_debit(debit.id))
        self._note(RETURNED, (account, entity), amount, amount)

    def match(self, access: Access, account: str, entity: str) -> None:
        """A person finds whose the payment is that names nobody."""
        stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        request = payments.ListPaymentsRequest(entity=entity, only_unmatched=True, limit=PAYMENTS_MAX)
        for payment in access.call("payments", stub.ListPayments, request).payments:
            matched = payments.MatchPaymentRequest(payment_id=payment.payment_id, account_id=account)
            access.call("payments", stub.MatchPayment, matched)
            self._note(MATCHED, (account, entity), money_of(payment.amount), Money(0))

    def read_back(self, access: Access) -> list[LaterMove]:
        """Everything with what the patients owe now."""
        stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        found = []
        for move in self.moves:
            request = payments.GetPatientBalanceRequest(account_id=move.account)
            owes = money_of(access.call("payments", stub.GetPatientBalance, request).balance)
            found.append(LaterMove(move.what, move.entity, move.account, move.paid, move.moved, owes))
        return found

    def _debit(self, account: str, entity: str, amount: Money) -> PaymentIntent:
        fields = {"amount": str(amount.minor), "confirm": "true", "payment_method": "pm_usBankAccount"}
        fields |= {"metadata[patient_account]": account, "metadata[entity]": entity}
        made: list[PaymentIntent] = []

        def order(_: LaterMoney) -> list[Json]:
            intent, events = self._gateway.book.create_intent(fields)
            made.append(intent)
            return events

        self._gateway.happen(order)
        return made[0]

    def _note(self, what: str, where: Sequence[str], paid: Money, moved: Money) -> None:
        account, entity = where
        self.moves.append(LaterMove(what, entity, account, paid, moved))
