"""The one consume path: decode, drop what is answered, load at once, decide in memory, save once.

The transport acknowledges after `handle` returned, never before. A refusal becomes a case in the same transaction and
does not fail its batch; a message that is too early is parked, its successors under the same key behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from canonical.envelope import Envelope, PublicEvent
from canonical.ids import derive
from pydantic import ValidationError

from chassis.domain import Context, Meta, NotYet, Refusal
from chassis.eventstore.port import EventStore, InboxEntry, ParkedMessage, VersionConflict
from chassis.eventstore.work import ATTEMPTS_MAX, CrashPoint, Work, no_crash
from chassis.exceptions.case import CaseState, ExceptionCase, raise_case
from chassis.failure_policy import FailureClass, classify
from chassis.messaging.backlog import Backlog, Behind
from chassis.messaging.delivery import Delivery
from chassis.messaging.parking import Place, in_order, place_of, wait_on
from chassis.messaging.reactions import Reaction
from chassis.messaging.unreadable import places, poison_envelope

RELEASE_MAX = 500
BLOCKED_MAX = 20_000

Mending = Callable[[Work, UUID, str], None]
"""What trying a case without a message again does: given its subject and the person's reason."""
NO_MENDING: Mapping[str, Mending] = MappingProxyType({})


@dataclass(slots=True)
class Handled:
    """What became of a batch; `touched` are the aggregates that moved."""

    done: int = 0
    repeated: int = 0
    ignored: int = 0
    refused: int = 0
    parked: int = 0
    touched: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Message:
    envelope: Envelope
    event: PublicEvent | None
    reaction: Reaction[Any] | None
    delivery: Delivery
    content_hash: bytes
    fault: str = ""


class BatchConsumer:
    """Consumes one upstream stream for one service. It blocks; call it from a worker thread."""

    def __init__(
        self,
        name: str,
        store: EventStore,
        reactions: Iterable[Reaction[Any]],
        clock: Callable[[], datetime],
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self.name = name
        self._store = store
        self._reactions = {reaction.type_key: reaction for reaction in reactions}
        self._clock = clock
        self._crash_point = crash_point
        self.backlog = Backlog()
        self.behind: Behind = self.backlog

    @property
    def reactions(self) -> tuple[Reaction[Any], ...]:
        return tuple(self._reactions.values())

    def handle(self, deliveries: Sequence[Delivery], *, isolate: bool = False) -> Handled:
        """Handles one batch, all of it or nothing; after it returned every message of it may be acknowledged.

        With `isolate` each message stands alone, and one that meets a bug of ours is parked with a case.

        Raises:
            Transient, Unavailable: nothing was saved, try the same batch again later.
            Exception: a bug; nothing was saved.
        """
        messages = [message for delivery in deliveries if (message := self._decode(delivery))]
        ignored = len(deliveries) - len(messages)
        if not messages:
            return Handled(ignored=ignored)
        for _ in range(ATTEMPTS_MAX):
            work = Work(self._store, self._context(messages[0].envelope))
            handled = Handled(ignored=ignored)
            try:
                self._decide(work, messages, handled, isolate)
                handled.touched = {event.originator_id for event in work.pending_events()}
                self._crash_point("before-commit")
                work.commit()
                self._crash_point("after-commit")
            except VersionConflict:
                continue
            return handled
        raise VersionConflict(f"{self.name}: still in conflict after {ATTEMPTS_MAX} attempts")

    def release(self, touched: Iterable[UUID] | None = None) -> Handled:
        """Tries parked messages again: those that wait for one of `touched`, or, with None, the oldest that wait."""
        waiting = in_order(
            self._store.parked(consumer=self.name, waiting_for=touched, only_waiting=True, limit=RELEASE_MAX)
        )
        if not waiting:
            return Handled()
        for _ in range(ATTEMPTS_MAX):
            work = Work(self._store, self._context(Envelope.from_headers(waiting[0].headers)))
            handled = Handled()
            try:
                self._decide_parked(work, waiting, handled)
                handled.touched = {event.originator_id for event in work.pending_events()}
                work.commit()
            except VersionConflict:
                ids = [message.message_id for message in waiting]
                waiting = in_order(self._store.parked(consumer=self.name, message_ids=ids, only_waiting=True))
                if not waiting:
                    break
                continue
            return handled
        return Handled()

    def _decode(self, delivery: Delivery) -> _Message | None:
        """The message, or None where this service has no reaction to its type."""
        digest = hashlib.sha256(delivery.data).digest()
        try:
            envelope = Envelope.from_headers(delivery.headers)
        except ValueError as error:
            return _Message(poison_envelope(delivery, digest, self._clock()), None, None, delivery, digest, str(error))
        reaction = self._reactions.get((envelope.service, envelope.type))
        if reaction is None:
            return None
        if envelope.version > reaction.event.VERSION:
            why = f"ReaderTooOld: version {envelope.version} of {envelope.type}, this build reads {reaction.event.VERSION}"
            return _Message(envelope, None, reaction, delivery, digest, why)
        try:
            event = reaction.event.model_validate_json(delivery.data)
        except ValidationError as error:
            return _Message(envelope, None, reaction, delivery, digest, f"InvalidEvent: {places(error)}")
        return _Message(envelope, event, reaction, delivery, digest)

    def _decide(self, work: Work, messages: Sequence[_Message], handled: Handled, isolate: bool) -> None:
        fresh = self._fresh(work, messages, handled)
        work.prefetch(
            identity
            for message in fresh
            if message.event is not None and message.reaction is not None
            for identity in message.reaction.needs(message.event)
        )
        blocked = self._blocked({message.envelope.key for message in fresh})
        for message in fresh:
            work.within(self._context(message.envelope))
            work.answer(InboxEntry(message.envelope.id, message.content_hash))
            place = (message.envelope.sequence, message.envelope.ordinal)
            ahead = blocked.get(message.envelope.key)
            if ahead is not None and ahead[0] < place:
                handled.parked += 1
                work.park(self._parked(message, ahead[1], None, "behind an earlier message of its key"))
                continue
            waits = self._act(work, message, handled, isolate)
            if waits is not None:
                blocked[message.envelope.key] = (place, waits)

    def _blocked(self, keys: set[UUID]) -> dict[UUID, tuple[Place, UUID]]:
        """Per key the place of its first waiting message, and what that waits for; only what comes after it waits behind.

        A predecessor that arrives late must pass: it may be the very thing that is waited for.
        """
        found: dict[UUID, tuple[Place, UUID]] = {}
        for parked in self._store.parked(consumer=self.name, keys=keys, only_waiting=True, limit=BLOCKED_MAX):
            if parked.waiting_for is not None:
                place = place_of(parked)
                if parked.key not in found or place < found[parked.key][0]:
                    found[parked.key] = (place, parked.waiting_for)
        return found

    def _fresh(self, work: Work, messages: Sequence[_Message], handled: Handled) -> list[_Message]:
        """The messages not answered yet; other content under an answered id becomes a case."""
        seen = dict(self._store.answered({message.envelope.id for message in messages}))
        fresh = []
        for message in messages:
            known = seen.get(message.envelope.id)
            if known is None:
                seen[message.envelope.id] = message.content_hash
                fresh.append(message)
                continue
            handled.repeated += 1
            if known != message.content_hash:
                work.within(self._context(message.envelope))
                cause = derive("other-content", message.envelope.id, message.content_hash.hex())
                summary = f"event {message.envelope.id} came again with other content"
                raise_case(work, cause, code="SameIdOtherContent", summary=summary, subject=message.envelope.type)
        return fresh

    def _act(self, work: Work, message: _Message, handled: Handled, isolate: bool) -> UUID | None:
        """Handles one message; the id it waits for, if it has to wait."""
        if message.fault:
            handled.refused += 1
            code = message.fault.split(":", 1)[0] if ":" in message.fault else "InvalidEnvelope"
            self._refuse(work, message, code, message.fault)
            return None
        assert message.reaction is not None
        mark = work.mark()
        try:
            message.reaction.act(work, message.event, message.envelope)
            handled.done += 1
        except Refusal as refusal:
            work.roll_back(mark)
            handled.refused += 1
            self._refuse(work, message, refusal.code, str(refusal))
        except NotYet as early:
            work.roll_back(mark)
            handled.parked += 1
            work.park(self._parked(message, early.waiting_for, None, str(early)))
            return early.waiting_for
        except Exception as bug:
            if not isolate or classify(bug) is not FailureClass.UNCLASSIFIED:
                raise
            work.roll_back(mark)
            handled.refused += 1
            self._refuse(work, message, "Bug", f"our own fault: {type(bug).__name__}")
        return None

    def _refuse(self, work: Work, message: _Message, code: str, summary: str) -> None:
        case_id = raise_case(
            work,
            message.envelope.id,
            code=code,
            summary=summary[:500],
            subject=message.envelope.type,
            subject_id=message.envelope.key,
            message_id=message.envelope.id,
        )
        work.park(self._parked(message, None, case_id, code))

    def _parked(self, message: _Message, waiting_for: UUID | None, case_id: UUID | None, why: str) -> ParkedMessage:
        return ParkedMessage(
            message_id=message.envelope.id,
            consumer=self.name,
            key=message.envelope.key,
            waiting_for=waiting_for,
            case_id=case_id,
            subject=message.delivery.subject,
            headers=dict(message.delivery.headers),
            data=message.delivery.data,
            parked_at=self._clock(),
            reason=why[:500],
        )

    def _decide_parked(self, work: Work, waiting: Sequence[ParkedMessage], handled: Handled) -> None:
        blocked: dict[UUID, NotYet] = {}
        for parked in waiting:
            message = self._decode(Delivery(parked.subject, parked.headers, parked.data))
            if message is None:
                continue
            if parked.key in blocked:
                wait_on(work, parked, blocked[parked.key])
                continue
            work.within(self._context(message.envelope))
            mark = work.mark()
            try:
                if message.reaction is None or message.event is None:
                    raise Refusal(message.fault)
                message.reaction.act(work, message.event, message.envelope)
                handled.done += 1
                work.unpark(parked.message_id)
            except NotYet as early:
                work.roll_back(mark)
                blocked[parked.key] = early
                wait_on(work, parked, early)
            except Refusal as refusal:
                work.roll_back(mark)
                handled.refused += 1
                work.unpark(parked.message_id)
                self._refuse(work, message, refusal.code, str(refusal))

    def retry(self, work: Work, parked: ParkedMessage) -> None:
        """Handles one refused message again inside `work`, and lets it go.

        Raises:
            Refusal: the rule still says no.
            NotYet: it still has to wait.
        """
        message = self._decode(Delivery(parked.subject, parked.headers, parked.data))
        if message is None or message.reaction is None or message.event is None:
            raise Refusal("this build cannot read the message")
        message.reaction.act(work, message.event, message.envelope)
        work.unpark(parked.message_id)

    def _context(self, envelope: Envelope) -> Context:
        meta = Meta(
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
            actor=f"service:{self.name.split('-', 1)[0]}",
            source_system=envelope.source_system,
            source_reference=envelope.source_reference,
            traceparent=envelope.traceparent,
        )
        return Context(self._clock(), meta)


def retry_case(
    work: Work,
    case_id: UUID,
    consumers: Iterable[BatchConsumer],
    reason: str,
    mending: Mapping[str, Mending] = NO_MENDING,
) -> None:
    """Handles the message of a case again, or does what its service does about such a case; ends it when it went well.

    Raises:
        Refusal: the case has no message and no way to mend it, is closed, or the rule still says no.
    """
    case = work.require(ExceptionCase, case_id)
    case.end(CaseState.RETRIED, reason)
    mend = mending.get(case.code)
    if case.message_id is None and mend is not None and case.subject_id is not None:
        mend(work, case.subject_id, reason)
        return
    if case.message_id is None:
        raise Refusal("this case has no message to handle again; correct its cause and dismiss it")
    by_name = {consumer.name: consumer for consumer in consumers}
    found = work.store.parked(message_ids=[case.message_id])
    if not found or found[0].consumer not in by_name:
        raise Refusal("the message of this case is no longer parked here")
    by_name[found[0].consumer].retry(work, found[0])
