"""One message that came in: received, then accepted, quarantined or refused, and perhaps read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.ids import derive
from canonical.money import Money

from chassis.domain import Aggregate, Event, Refusal
from chassis.eventstore.projecting import of
from chassis.eventstore.tables import Change, Table, add, put

FINDINGS_MAX = 100


class MessageState(StrEnum):
    """`received` is the only state that is not a verdict."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class AlreadyDecided(Refusal):
    """The message has another verdict; reading it again is its own command, and takes back no acceptance."""


class Fact(CanonicalModel):
    """Something worth knowing of a message without opening it: a control number, a count. Never PHI."""

    name: Public[str]
    value: Public[str]


class InboundMessage(Aggregate):
    """The bytes lie beside it as sealed spans; `span_digest` covers them, so that the chain of events does too."""

    def start(self) -> None:
        self.state = MessageState.RECEIVED
        self.format = ""
        self.entity = ""
        self.size_bytes = 0
        self.span_count = 0
        self.span_digest = ""
        self.findings: tuple[str, ...] = ()
        self.is_raw_expired = False

    class Received(Event):
        """`content_address` is the keyed hash of the bytes; `delivery_key` is the sender's own name for the delivery."""

        TOPIC = "chassis.inbound-message.received"
        source_system: Public[str]
        delivery_key: Public[str]
        source_reference: Public[str]
        format: Public[str]
        entity: Public[str]
        size_bytes: int
        content_address: Public[str]
        span_count: int
        span_digest: Public[str]

        def apply(self, message: InboundMessage) -> None:
            message.format = self.format
            message.entity = self.entity
            message.size_bytes = self.size_bytes
            message.span_count = self.span_count
            message.span_digest = self.span_digest

    class Accepted(Event):
        TOPIC = "chassis.inbound-message.accepted"
        facts: tuple[Fact, ...] = ()

        def apply(self, message: InboundMessage) -> None:
            message.state = MessageState.ACCEPTED

    class Quarantined(Event):
        """Readable, but nothing of it may go on. `findings` name place and rule, at most 100 of `finding_count`."""

        TOPIC = "chassis.inbound-message.quarantined"
        findings: tuple[Public[str], ...]
        finding_count: int
        facts: tuple[Fact, ...] = ()
        residual: Money | None = None

        def apply(self, message: InboundMessage) -> None:
            message.state = MessageState.QUARANTINED
            message.findings = self.findings

    class Refused(Event):
        """Not readable, or not for us. `findings` name place and rule, at most 100 of `finding_count`."""

        TOPIC = "chassis.inbound-message.refused"
        findings: tuple[Public[str], ...]
        finding_count: int
        facts: tuple[Fact, ...] = ()

        def apply(self, message: InboundMessage) -> None:
            message.state = MessageState.REFUSED
            message.findings = self.findings

    class Reprocessed(Event):
        """Its bytes were read again, by a mended reader or with mended master data, with this verdict."""

        TOPIC = "chassis.inbound-message.reprocessed"
        verdict: MessageState
        reason: Public[str]
        findings: tuple[Public[str], ...]
        finding_count: int
        facts: tuple[Fact, ...] = ()
        residual: Money | None = None

        def apply(self, message: InboundMessage) -> None:
            message.state = self.verdict
            message.findings = self.findings

    class RawExpired(Event):
        """Its raw bytes were kept as long as the policy says, and are deleted; hash and facts stay."""

        TOPIC = "chassis.inbound-message.raw-expired"
        keep_days: int

        def apply(self, message: InboundMessage) -> None:
            message.is_raw_expired = True

    @property
    def is_decided(self) -> bool:
        return self.state is not MessageState.RECEIVED

    def accept(self, facts: Sequence[Fact] = ()) -> None:
        if self._is_news(MessageState.ACCEPTED):
            self.trigger_event(self.Accepted, facts=tuple(facts))

    def quarantine(self, findings: Sequence[str], facts: Sequence[Fact] = (), residual: Money | None = None) -> None:
        if self._is_news(MessageState.QUARANTINED):
            self.trigger_event(self.Quarantined, **_cut(findings), facts=tuple(facts), residual=residual)

    def refuse(self, findings: Sequence[str], facts: Sequence[Fact] = ()) -> None:
        if self._is_news(MessageState.REFUSED):
            self.trigger_event(self.Refused, **_cut(findings), facts=tuple(facts))

    def reprocess(
        self,
        verdict: MessageState,
        reason: str,
        findings: Sequence[str] = (),
        facts: Sequence[Fact] = (),
        residual: Money | None = None,
    ) -> None:
        """The verdict of another reading. What was accepted stays so: its readings correct it.

        Raises:
            AlreadyDecided: it has no verdict yet, or was accepted and would not be now.
        """
        if not self.is_decided or (self.state is MessageState.ACCEPTED and verdict is not MessageState.ACCEPTED):
            raise AlreadyDecided(f"message {self.id} is {self.state}, and does not become {verdict}")
        assert verdict is not MessageState.RECEIVED, "received is no verdict"
        self.trigger_event(
            self.Reprocessed, verdict=verdict, reason=reason, **_cut(findings), facts=tuple(facts), residual=residual
        )

    def expire_raw(self, keep_days: int) -> bool:
        """Lets go of the raw bytes; whether that is news.

        Raises:
            AlreadyDecided: nobody has decided what the message is, so that its bytes are all there is.
        """
        if not self.is_decided:
            raise AlreadyDecided(f"message {self.id} is {self.state}: its bytes are still needed")
        if self.is_raw_expired:
            return False
        self.trigger_event(self.RawExpired, keep_days=keep_days)
        return True

    def _is_news(self, verdict: MessageState) -> bool:
        assert self.exists, "a message is received before it is decided"
        if self.is_decided and self.state is not verdict:
            raise AlreadyDecided(f"message {self.id} is {self.state}, not {verdict}")
        return not self.is_decided


def message_id(source_system: str, delivery_key: str, content_address: bytes) -> UUID:
    """Source, delivery and bytes: what comes as A, B, A under its own delivery keys is three messages."""
    return derive("inbound-message", source_system, delivery_key, content_address.hex())


def _cut(findings: Sequence[str]) -> dict[str, object]:
    return {"findings": tuple(findings[:FINDINGS_MAX]), "finding_count": len(findings)}


INBOUND_MESSAGES = Table(
    "inbound_messages",
    {
        "message_id": "uuid",
        "source_system": "text",
        "delivery_key": "text",
        "source_reference": "text",
        "format": "text",
        "entity": "text",
        "state": "text",
        "size_bytes": "bigint",
        "span_count": "integer",
        "content_address": "text",
        "finding_count": "integer",
        "first_finding": "text",
        "residual_minor": "bigint",
        "readings": "integer",
        "is_raw_kept": "boolean",
        "received_at": "timestamptz",
        "decided_at": "timestamptz",
    },
    key=("message_id",),
    indexes=(("source_system", "delivery_key"), ("state",), ("received_at",), ("format", "is_raw_kept", "received_at")),
)


@of(InboundMessage)
def project_inbound_messages(event: Event) -> Iterable[Change]:
    """One row a message: what came, in which state it is, how many findings it has."""
    if isinstance(event, InboundMessage.Received):
        yield put(
            INBOUND_MESSAGES,
            message_id=event.originator_id,
            source_system=event.source_system,
            delivery_key=event.delivery_key,
            source_reference=event.source_reference,
            format=event.format,
            entity=event.entity,
            state=MessageState.RECEIVED.value,
            size_bytes=event.size_bytes,
            span_count=event.span_count,
            content_address=event.content_address,
            finding_count=0,
            is_raw_kept=True,
            received_at=event.timestamp,
        )
    elif isinstance(event, InboundMessage.RawExpired):
        yield put(INBOUND_MESSAGES, message_id=event.originator_id, is_raw_kept=False)
    elif isinstance(event, InboundMessage.Accepted):
        yield from _decided(event, MessageState.ACCEPTED, (), 0, None)
    elif isinstance(event, InboundMessage.Quarantined):
        yield from _decided(event, MessageState.QUARANTINED, event.findings, event.finding_count, event.residual)
    elif isinstance(event, InboundMessage.Refused):
        yield from _decided(event, MessageState.REFUSED, event.findings, event.finding_count, None)
    elif isinstance(event, InboundMessage.Reprocessed):
        yield from _decided(event, event.verdict, event.findings, event.finding_count, event.residual)


def _decided(
    event: Event, state: MessageState, findings: Sequence[str], finding_count: int, residual: Money | None
) -> Iterable[Change]:
    yield put(
        INBOUND_MESSAGES,
        message_id=event.originator_id,
        state=state.value,
        finding_count=finding_count,
        first_finding=findings[0] if findings else None,
        residual_minor=residual.minor if residual else None,
        decided_at=event.timestamp,
    )
    yield add(INBOUND_MESSAGES, {"message_id": event.originator_id}, readings=1)
