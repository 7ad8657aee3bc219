"""Payers' money that people work: a letter on paper keyed and checked by two, and an overpayment owed back within sixty days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from billing.common.v1 import common_pb2
from billing.intake.v1 import keyed_remittances_pb2 as keyed
from billing.intake.v1 import keyed_remittances_pb2_grpc
from billing.payments.v1 import payer_overpayments_pb2 as overpayments
from billing.payments.v1 import payer_overpayments_pb2_grpc, payments_pb2_grpc
from billing.payments.v1 import payments_pb2 as payments
from canonical.master_data import Entity, Payer
from canonical.money import Money
from canonical.remittance import ProviderAdjustment
from google.protobuf.message import Message

from throughline.connection import Access, Connection
from throughline.outcome import Refused
from throughline.wire import amount_text

INTEREST = Money(1250)
OVERPAID = Money(2500)
CHECK_NUMBER = "CHK900471"
REMITTANCES_MAX = 5000


@dataclass(frozen=True, slots=True)
class Letter:
    """A payer's check with interest, on paper: the addendum that its bank writes, and what it pays to whom."""

    entity: str
    payer: str
    amount: Money
    addendum: str


@dataclass(frozen=True, slots=True)
class WorkedByTwo:
    """One thing that one person did, could not finish, and another finished."""

    what: str
    maker: str
    refused: str
    checker: str

    def in_words(self) -> str:
        """For the report."""
        return f"{self.what}: {self.maker} could not finish it alone ({self.refused}); {self.checker} did"


class PayerMoney:
    """The desk of the two people, through the gateway."""

    def __init__(self, access: Access, approver: Connection) -> None:
        self._access = access
        self._approver = approver
        self.worked: list[WorkedByTwo] = []

    def key(self, letter: Letter, payer: Payer, entity: Entity, today: date) -> None:
        """Keys the letter; who keyed it is refused to check it, and another person does."""
        request = keyed.KeyRemittanceRequest(content=content_of(letter, payer, entity, today))
        keyed_id = self._access.call("intake", _keying(self._access).KeyRemittance, request).keyed_id
        check = keyed.CheckRemittanceRequest(keyed_id=keyed_id, payment=_sent(letter.amount), claim_count=0)
        what = f"{letter.payer}'s check with {amount_text(letter.amount)} of interest was keyed from paper"
        self._by_two(what, lambda access: access.call("intake", _keying(access).CheckRemittance, check))

    def overpayment(self) -> None:
        """A letter says that a payer paid too much; it is owed back until another person learns that it was none (J20)."""
        stub = payments_pb2_grpc.PaymentsServiceStub(self._access.channel("payments"))
        listing = payments.ListRemittancesRequest(limit=REMITTANCES_MAX)
        remittances = self._access.call("payments", stub.ListRemittances, listing).remittances
        first = next(each for each in remittances if each.payment.minor >= OVERPAID.minor)
        request = overpayments.IdentifyOverpaymentRequest(
            entity=first.entity,
            payer=first.payer,
            cause=first.remittance_id,
            reason="duplicate-payment",
            evidence=f"the payer's letter about trace number {first.trace_number}",
            amount=_sent(OVERPAID),
        )
        found = self._access.call("payments", _overpayments(self._access).IdentifyOverpayment, request)
        move = overpayments.MoveOverpaymentRequest(
            overpayment_id=found.overpayment_id,
            step="withdrawn",
            amount=_sent(OVERPAID),
            evidence="the payer's second letter: it had paid once",
        )
        what = f"{first.payer} said that it had paid {amount_text(OVERPAID)} twice, owed back within sixty days until it was none"
        self._by_two(what, lambda access: access.call("payments", _overpayments(access).MoveOverpayment, move))

    def _by_two(self, what: str, finish: Callable[[Access], Message]) -> None:
        refused = ""
        try:
            finish(self._access)
        except Refused as refusal:
            refused = refusal.code
        other = Access(self._approver)
        try:
            finish(other)
        finally:
            other.close()
        maker, checker = self._access.connection.client_id, self._approver.client_id
        self.worked.append(WorkedByTwo(what, maker, refused, checker))


def letter_of(payer: Payer, entity: Entity) -> Letter:
    """A check with interest from a payer for an entity."""
    return Letter(entity.code, payer.code, INTEREST, f"TRN*1*{CHECK_NUMBER}*1{payer.x12_identifier}\\")


def content_of(letter: Letter, payer: Payer, entity: Entity, today: date) -> bytes:
    """As the person keys it: no claims, and interest that raises the payment."""
    interest = ProviderAdjustment(provider=entity.npi, fiscal_date=today, reason="L6", amount=-letter.amount)
    return (
        f'{{"payer": "{payer.code}", "entity": "{entity.code}", "trace_number": "{CHECK_NUMBER}", '
        f'"payment_method": "CHK", "effective_date": "{today}", "payment": "{letter.amount}", "claims": [], '
        f'"payer_identifier": "1{payer.x12_identifier}", "provider_adjustments": [{interest.model_dump_json()}]}}'
    ).encode()


def _keying(access: Access) -> keyed_remittances_pb2_grpc.KeyedRemittanceServiceStub:
    return keyed_remittances_pb2_grpc.KeyedRemittanceServiceStub(access.channel("intake"))


def _overpayments(access: Access) -> payer_overpayments_pb2_grpc.PayerOverpaymentsServiceStub:
    return payer_overpayments_pb2_grpc.PayerOverpaymentsServiceStub(access.channel("payments"))


def _sent(amount: Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor, currency=amount.currency)
