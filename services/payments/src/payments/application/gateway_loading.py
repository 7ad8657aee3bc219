"""What a batch of webhooks concerns, loaded with a query for each kind of thing and not for each webhook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from chassis.eventstore import EventStore, Work
from chassis.exceptions import case_id_of
from chassis.inbound import Arrival, messages_by_deliveries

from payments.application.patient_money import OVERDRAWN
from payments.domain.gateway_facts import (
    DisputeReported,
    GatewayFact,
    OneFact,
    PaymentArrived,
    PaymentCancelled,
    PaymentDeclined,
    PaymentPending,
    PayoutAnnounced,
    PayoutCameBack,
    RefundReported,
    ReturnReported,
    Several,
)
from payments.domain.payment import Payment, payment_id_of
from payments.domain.payout import payout_id_of

Told = tuple[GatewayFact, str]
"""A fact, and the gateway that tells it."""


def load_what_is_concerned(work: Work, told: Sequence[Told]) -> None:
    """Payments with their cases, payouts and accounts of these facts, in two queries at most."""
    facts = [(one, gateway) for fact, gateway in told for one in (fact.facts if isinstance(fact, Several) else (fact,))]
    payments = list(dict.fromkeys(identity for fact, gateway in facts for identity in _payments(fact, gateway)))
    work.prefetch(case_id_of(identity, OVERDRAWN) for identity in payments)
    work.prefetch([*payments, *(identity for fact, gateway in facts for identity in _others(fact, gateway))])
    known = (work.get(Payment, identity) for identity in payments)
    work.prefetch(payment.account_id for payment in known if payment is not None and payment.account_id is not None)


def _payments(fact: OneFact, gateway: str) -> Iterator[UUID]:
    if isinstance(fact, PaymentArrived | PaymentPending | PaymentDeclined | PaymentCancelled):
        yield payment_id_of(fact.gateway_id, gateway)
    elif isinstance(fact, RefundReported | DisputeReported | ReturnReported):
        yield payment_id_of(fact.payment_gateway_id, gateway)


def _others(fact: OneFact, gateway: str) -> Iterator[UUID]:
    if isinstance(fact, PaymentArrived) and fact.account_id is not None:
        yield fact.account_id
    elif isinstance(fact, PayoutAnnounced | PayoutCameBack):
        yield payout_id_of(fact.gateway_id, gateway)


class KnownDeliveries:
    """Which bytes came under each event id: in the store, and earlier in the same batch."""

    def __init__(self, store: EventStore, arrivals: Iterable[Arrival]) -> None:
        self._known = messages_by_deliveries(store, arrivals)

    def is_repeated(self, arrival: Arrival, identity: UUID) -> bool:
        """Whether these very bytes came before; whatever is kept was decided in the same commit."""
        return identity in self._known.get((arrival.source_system, arrival.delivery_key), ())

    def is_other_content(self, arrival: Arrival, identity: UUID) -> bool:
        """Whether other bytes came before under this id; these are known from here on."""
        known = self._known.setdefault((arrival.source_system, arrival.delivery_key), set())
        is_other = bool(known - {identity})
        known.add(identity)
        return is_other
