"""Payments that people and systems post in real time: each key once, many of them in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Conflict, Context, Refusal
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.inbound import Arrival, Fact, InboundMessage, SpanPlan, keep, message_id_of
from chassis.keys import Sealer

from payments.domain.card_numbers import refuse_card_numbers
from payments.domain.patient_account import PatientAccount, account_id_of
from payments.domain.payment import Channel, Payment, PaymentState

SOURCE = "posted-payments"
FORMAT = "payment-request"


class KeyUsedBefore(Conflict):
    """The same idempotency key came before with another payment."""


class TakenAt(StrEnum):
    """Where money outside the gateway was taken; all of it is banked by hand."""

    FRONT_DESK = "front-desk"
    CHECK = "check"
    LOCKBOX = "lockbox"


@dataclass(frozen=True, slots=True)
class PaymentToPost:
    """One payment as its caller sent it. Without an account, `patient_id` and `entity` say whose it is.

    `context` is the caller's own: who posted it.
    """

    key: str
    account_id: UUID | None
    patient_id: UUID | None
    entity: str
    amount: Money
    taken_at: TakenAt
    on: date
    reference: str
    context: Context

    @property
    def payment_id(self) -> UUID:
        return derive("posted-payment", self.key)

    @property
    def body(self) -> bytes:
        """What is kept of the request: the same for the same payment."""
        said = {
            "account_id": str(self.account_id or ""),
            "patient_id": str(self.patient_id or ""),
            "entity": self.entity,
            "amount": str(self.amount),
            "channel": self.taken_at.value,
            "received_on": self.on.isoformat(),
            "reference": self.reference,
        }
        return json.dumps(said, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a payment: as it stands on its account now."""

    payment_id: UUID
    account_id: UUID
    applied: Money
    unapplied: Money
    balance: Money
    repeated: bool


class PaymentPosting:
    """Posts payments; when a call returned, what was not refused is durable."""

    def __init__(self, store: EventStore, sealer: Sealer, crash_point: CrashPoint = no_crash) -> None:
        self._store = store
        self._crash_point = crash_point
        self._sealer = sealer

    def post(self, payments: Sequence[PaymentToPost]) -> list[Posted | Refusal]:
        """Many payments in one transaction, each with its own answer; a refused one leaves nothing and disturbs none."""

        told = [(each, self._message_id(each)) for each in payments]

        def decide(work: Work) -> list[Posted | Refusal]:
            work.prefetch(one for each, message in told for one in (each.payment_id, _account_of(each), message))
            self._sealer.keys.keys_for(_patients_of_new(work, payments))  # at once: the sealer remembers them
            return [self._one(work, each, message) for each, message in told]

        return transact(self._store, payments[0].context, decide, crash_point=self._crash_point)

    def _one(self, work: Work, wanted: PaymentToPost, message_id: UUID) -> Posted | Refusal:
        work.within(wanted.context)
        mark = work.mark()
        try:
            return self._post(work, wanted, message_id)
        except Refusal as refusal:
            work.roll_back(mark)
            return refusal

    def _post(self, work: Work, wanted: PaymentToPost, message_id: UUID) -> Posted:
        refuse_card_numbers(idempotency_key=wanted.key, reference=wanted.reference)
        payment = work.get_or_new(Payment, wanted.payment_id)
        account = _account(work, wanted)
        repeated = payment.state is PaymentState.SUCCEEDED
        if not repeated:
            self._take(work, wanted, message_id, payment, account)
        elif work.get(InboundMessage, message_id) is None:
            raise KeyUsedBefore("idempotency_key: it came before with another payment")
        held, used = account.cash[payment.id].amount, account.used[payment.id]
        return Posted(payment.id, account.id, used, held - used, account.balance, repeated)

    def _take(
        self, work: Work, wanted: PaymentToPost, message_id: UUID, payment: Payment, account: PatientAccount
    ) -> None:
        entity, patient_id = account.entity or wanted.entity, account.patient_id or wanted.patient_id
        assert patient_id is not None, "the account exists, or the request names the patient"
        applied, unapplied = account.receive(
            entity=entity, patient_id=patient_id, payment_id=payment.id, amount=wanted.amount, on=wanted.on
        )
        payment.trigger_event(
            Payment.Succeeded,
            entity=entity,
            gateway_id="",
            amount=wanted.amount,
            effective_date=wanted.on,
            account_id=account.id,
            patient_id=patient_id,
            applied=applied,
            unapplied=unapplied,
            message_id=message_id,
            channel=Channel.FRONT_DESK,
            method=wanted.taken_at.value,
        )
        kept = keep(work, self._sealer, _arrival(wanted), wanted.body, [SpanPlan(0, len(wanted.body), patient_id)])
        kept.accept([Fact(name="payment", value=str(payment.id))])

    def _message_id(self, wanted: PaymentToPost) -> UUID:
        """Key and body together: another body under the same key is another message."""
        return message_id_of(self._sealer, _arrival(wanted), wanted.body)


def _arrival(wanted: PaymentToPost) -> Arrival:
    return Arrival(SOURCE, wanted.key, FORMAT, wanted.entity)


def _account_of(wanted: PaymentToPost) -> UUID:
    if wanted.account_id is not None:
        return wanted.account_id
    assert wanted.patient_id is not None, "whose it is was said"
    return account_id_of(wanted.entity, wanted.patient_id)


def _patients_of_new(work: Work, payments: Sequence[PaymentToPost]) -> Iterator[UUID]:
    for wanted in payments:
        account = work.get(PatientAccount, _account_of(wanted))
        patient_id = (account.patient_id if account else None) or wanted.patient_id
        if patient_id is not None and work.get(Payment, wanted.payment_id) is None:
            yield patient_id


def _account(work: Work, wanted: PaymentToPost) -> PatientAccount:
    """
    Raises:
        UnknownAggregate: no account has this id.
    """
    if wanted.account_id is not None:
        return work.require(PatientAccount, wanted.account_id)
    return work.get_or_new(PatientAccount, _account_of(wanted))
