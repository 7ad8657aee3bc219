"""What comes through the doors of payments: kept whole, understood or refused, each delivery once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import raise_case
from chassis.inbound import (
    Arrival,
    Fact,
    InboundMessage,
    MessageState,
    SpanPlan,
    keep,
    message_id_of,
)
from chassis.keys import Sealer, entity_key_id

from payments.application.gateway_loading import KnownDeliveries, load_what_is_concerned
from payments.application.gateway_taking import take_gateway_fact
from payments.application.recording_deposits import ReportedDeposit, record_deposits
from payments.domain.card_numbers import masked, refuse_card_numbers
from payments.domain.gateway_facts import GatewayFact, PaymentArrived
from payments.domain.patient_account import PatientAccount
from payments.domain.payment import STRIPE

BANK = "bank"
ACH_RETURNED, ACH_CHANGED = "AchReturned", "AchNoticeOfChange"


class OtherContent(Refusal):
    """An event id of the gateway, or a file name of the bank, came again with other content."""


class Answer(StrEnum):
    TAKEN = "taken"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class GatewayMessage:
    """One event of a gateway: the raw bytes, its id, and what it tells, or why that cannot be read.

    `is_fetched` says that we asked for it: its bytes are not those of a webhook that may still come.
    """

    raw: bytes
    event_id: str
    fact: GatewayFact
    gateway: str = STRIPE
    is_fetched: bool = False
    refusal: Refusal | None = None

    @property
    def source(self) -> str:
        """Where it came from, as the inbound message names it."""
        return fetched_from(self.gateway) if self.is_fetched else self.gateway


@dataclass(frozen=True, slots=True)
class ReturnedEntry:
    """An electronic entry of ours that came back, or should be written otherwise; `code` is the bank's, R or C."""

    return_id: UUID
    code: str
    meaning: str
    original_trace: str
    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class BankFile:
    """One bank file with what was read of it, or the refusal it earned."""

    name: str
    raw: bytes
    deposits: Sequence[ReportedDeposit] = ()
    refusal: Refusal | None = None
    kind: str = "bai2"
    returns: Sequence[ReturnedEntry] = ()


@dataclass(frozen=True, slots=True)
class _Webhook:
    """A gateway's message as it is kept: without card numbers, with its id among all that ever arrived."""

    message: GatewayMessage
    arrival: Arrival
    identity: UUID


def fetched_from(gateway: str) -> str:
    """The source of events that we asked a gateway for."""
    return f"{gateway}-events"


def without_card_numbers(raw: bytes) -> bytes:
    """The bytes as they may be kept: digits of cards' and bank accounts' numbers are masked, all else is as it came."""
    text = raw.decode("utf-8", "surrogateescape")
    return masked(text).encode("utf-8", "surrogateescape")


class Doors:
    """Receives webhooks and bank files; when a call returned, what it was given is durable."""

    def __init__(
        self,
        store: EventStore,
        sealer: Sealer,
        clock: Callable[[], datetime],
        default_entity: str,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._default_entity = default_entity
        self._crash_point = crash_point

    def receive_webhooks(self, messages: Sequence[GatewayMessage]) -> list[Answer]:
        """Many webhooks in one transaction, each with its own answer; one that is refused does not disturb the others.

        What came before is known by its row alone: nothing else of it is asked for.
        """
        webhooks = [self._webhook(message) for message in messages]

        def decide(work: Work) -> list[Answer]:
            known = KnownDeliveries(self._store, [each.arrival for each in webhooks])
            fresh = [each for each in webhooks if not known.is_repeated(each.arrival, each.identity)]
            work.prefetch(each.identity for each in fresh)
            load_what_is_concerned(work, [(each.message.fact, each.message.gateway) for each in fresh])
            plans = {each.identity: self._spans(work, each.message) for each in fresh}
            self._fetch_keys(plan for planned in plans.values() for plan in planned)
            return [self._take_webhook(work, each, known, plans.get(each.identity, [])) for each in webhooks]

        first = self._context(webhooks[0].identity, webhooks[0].arrival)
        return transact(self._store, first, decide, crash_point=self._crash_point)

    def _webhook(self, message: GatewayMessage) -> _Webhook:
        message = replace(message, raw=without_card_numbers(message.raw))
        arrival = Arrival(message.source, message.event_id, "gateway-event", self._default_entity)
        return _Webhook(message, arrival, message_id_of(self._sealer, arrival, message.raw))

    def _fetch_keys(self, plans: Iterable[SpanPlan]) -> None:
        """All at once, for the sealer remembers them: each message by itself would ask for the keys of its own."""
        self._sealer.keys.keys_for({entity_key_id(self._default_entity), *(plan.key_id for plan in plans)})

    def _take_webhook(self, work: Work, webhook: _Webhook, known: KnownDeliveries, plans: Sequence[SpanPlan]) -> Answer:
        message, arrival = webhook.message, webhook.arrival
        if known.is_repeated(arrival, webhook.identity):
            return Answer.REPEATED
        work.within(self._context(webhook.identity, arrival))
        kept = keep(work, self._sealer, arrival, message.raw, plans)
        if kept.is_decided:
            return Answer.REPEATED
        mark = work.mark()
        try:
            if known.is_other_content(arrival, kept.id):
                raise OtherContent(f"event {arrival.delivery_key} came before with other content")
            if message.refusal is not None:
                raise message.refusal
            refuse_card_numbers(event=message.event_id, fact=repr(message.fact))
            take_gateway_fact(work, message.fact, kept.id, self._default_entity, message.gateway)
        except Refusal as refusal:
            work.roll_back(mark)
            self._refuse(work, kept.id, refusal, f"gateway event {message.event_id}")
            return Answer.REFUSED
        kept.accept([Fact(name="event", value=type(message.fact).__name__)])
        return Answer.TAKEN

    def _spans(self, work: Work, message: GatewayMessage) -> list[SpanPlan]:
        """The whole webhook under the patient's key where its payment names an account of ours."""
        if not isinstance(message.fact, PaymentArrived) or message.fact.account_id is None:
            return []
        account = work.get(PatientAccount, message.fact.account_id)
        if account is None or account.patient_id is None:
            return []
        return [SpanPlan(0, len(message.raw), account.patient_id)]

    def receive_bank_file(self, file: BankFile) -> Answer:
        """One bank file: its credits, or its refusal, with the bytes kept either way."""
        entity = file.deposits[0].entity if file.deposits else self._default_entity
        arrival = Arrival(BANK, file.name, file.kind, entity)
        identity = message_id_of(self._sealer, arrival, file.raw)

        def decide(work: Work) -> Answer:
            kept = keep(work, self._sealer, arrival, file.raw, [])
            if kept.is_decided:
                return Answer.REPEATED if kept.state is MessageState.ACCEPTED else Answer.REFUSED
            mark = work.mark()
            try:
                if file.refusal is not None:
                    raise file.refusal
                new = record_deposits(work, file.deposits, kept.id)
            except Refusal as refusal:
                work.roll_back(mark)
                self._refuse(work, kept.id, refusal, "bank file")
                return Answer.REFUSED
            for entry in file.returns:
                _tell_returned(work, entry, kept.id)
            counted = {"deposits": len(file.deposits), "new": new, "returns": len(file.returns)}
            kept.accept([Fact(name=name, value=str(count)) for name, count in counted.items()])
            return Answer.TAKEN

        return transact(self._store, self._context(identity, arrival), decide, crash_point=self._crash_point)

    def _refuse(self, work: Work, identity: UUID, refusal: Refusal, subject: str) -> None:
        work.require(InboundMessage, identity).quarantine([f"{refusal.code}: {refusal}"[:500]])
        raise_case(
            work,
            identity,
            code=refusal.code,
            summary=f"{subject}: {refusal}"[:500],
            subject="message",
            subject_id=identity,
        )

    def _context(self, identity: UUID, arrival: Arrival) -> Context:
        meta = Meta(
            correlation_id=derive("correlation", identity),
            causation_id=identity,
            actor=f"source:{arrival.source_system}",
            source_system=arrival.source_system,
            source_reference=arrival.delivery_key,
        )
        return Context(self._clock(), meta)


def _tell_returned(work: Work, entry: ReturnedEntry, message_id: UUID) -> None:
    """A person looks at what came back: nothing that we book is originated by ourselves."""
    raise_case(
        work,
        entry.return_id,
        code=ACH_RETURNED if entry.code.startswith("R") else ACH_CHANGED,
        summary=f"{entry.code} ({entry.meaning}) on {entry.on}: entry {entry.original_trace} of {entry.amount}",
        subject="message",
        subject_id=message_id,
        amount=entry.amount,
    )
