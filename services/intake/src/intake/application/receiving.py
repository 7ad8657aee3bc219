"""Receives messages about patients: one transaction for a batch, each message standing or falling by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from chassis.domain import Conflict, Context, Event, Meta, Refusal, Transient, Unavailable
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import raise_case
from chassis.inbound import Arrival, InboundMessage, MessageState, SpanPlan, keep, message_id_of
from chassis.inbound import Fact as MessageFact
from chassis.keys import Sealer, entity_key_id
from chassis.keys.rehearsal import RehearsalKeys
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import FAILURES

from intake.application.batch import Batch
from intake.application.charge_places import ChargePlaces
from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.envelopes import Envelopes
from intake.application.local_days import today_of
from intake.application.matching import match_people
from intake.application.needed_ids import ids_needed
from intake.application.ports import MasterDataSource
from intake.application.reused_keys import messages_under
from intake.application.taking_facts import FactTaking
from intake.application.taking_resources import ResourceTaking, versions_known
from intake.domain.charge_rules import broken_rules
from intake.domain.facts import ChargeSeen, ChargeVoided
from intake.domain.identities import UNKNOWN_ENTITY, reference_id_of
from intake.domain.refusals import Defect, InvalidMessage
from intake.domain.source_reference import ResourceVersion, SourceReference

TRIED_AGAIN = (": unknown-reference: ", ": scope: ")
"""Refused by these rules, a message may be taken when it is sent again: what lacked may be there by then."""

KEY_USED_AGAIN = "delivery-key: used-again: other content came under it before; both are taken, each by itself"
DEFECT = "our software failed on it; it is kept, and a person is told"
KEY_DIGITS = 40
ENCOUNTER_FACT = "encounter"
Clock = Callable[[], datetime]
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Delivered:
    """A delivery with the id of its message and the key that its raw bytes are sealed under."""

    delivery: InboundDelivery
    arrival: Arrival
    message_id: UUID
    key_id: UUID
    key_used_again: bool = False
    encounters: tuple[UUID, ...] = ()
    said_under: str = ""

    @property
    def source_key(self) -> str:
        """The key by which the source told it, whatever the message had to be kept under."""
        return self.said_under or self.arrival.delivery_key

    @property
    def plans(self) -> list[SpanPlan]:
        """Which bytes go under whose key; what belongs to no patient of several goes under the entity's."""
        spans = self.delivery.patient_spans
        if spans:
            return [SpanPlan(*span) for span in spans]
        return [SpanPlan(0, len(self.delivery.raw), self.key_id)]

    @property
    def facts(self) -> list[MessageFact]:
        """What is told of the message without opening it."""
        told = [MessageFact(name=name, value=value) for name, value in self.delivery.traits]
        told += [MessageFact(name=ENCOUNTER_FACT, value=str(identity)) for identity in self.encounters]
        return [*told, *([MessageFact(name="delivery-key", value="used again")] if self.key_used_again else [])]

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.delivery.notes, *([KEY_USED_AGAIN] if self.key_used_again else []))


class Receiving:
    """Takes batches of deliveries. Calls block, and return when the batch is durable."""

    def __init__(
        self,
        store: EventStore,
        clock: Clock,
        sealer: Sealer,
        master_data: MasterDataSource,
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._master_data = master_data
        self._crash_point = crash_point

    def receive(self, deliveries: Sequence[InboundDelivery]) -> list[Outcome]:
        """Keeps every message, and takes those that keep the rules; one outcome each, in order.

        A message on which our own code fails is kept for a person. Where it fails beside taking one of them, nobody
        knows which: they are taken one by one.

        Raises:
            Transient, Unavailable: nothing was kept; send the batch again.
        """
        if not deliveries:
            return []
        self._crash_point("after-receive")
        arrivals = self._arrivals(deliveries)
        sealer = self._sealer.with_keys({plan.key_id for arrival in arrivals for plan in arrival.plans})
        context = self._context(arrivals[0])
        try:
            outcomes = transact(
                self._store, context, lambda work: self._decide(work, arrivals, sealer), crash_point=self._crash_point
            )
        except (Transient, Unavailable):
            raise
        except Exception as bug:  # noqa: BLE001 - one message that meets a bug of ours must not stop its file or import
            if len(deliveries) > 1:
                _log.warning("batch met a bug", error=bug, frames=frames_of(bug), messages=len(deliveries))
                return [outcome for each in deliveries for outcome in self.receive([each])]
            _tell_of_bug(bug, arrivals[0])
            outcomes = transact(self._store, context, lambda work: [self._keep_alone(work, arrivals[0])])
        self._crash_point("before-ack")
        return outcomes

    def rehearse(self, deliveries: Sequence[InboundDelivery]) -> tuple[list[Outcome], list[Event]]:
        """What `receive` would come to, and the events that it would record; nothing is saved, and no key is made."""
        if not deliveries:
            return [], []
        trying = Receiving(self._store, self._clock, Sealer(RehearsalKeys(self._sealer.keys)), self._master_data)
        arrivals = trying._arrivals(deliveries)
        work = Work(self._store, trying._context(arrivals[0]))
        return trying._decide(work, arrivals, trying._sealer), work.pending_events()

    def _arrivals(self, deliveries: Sequence[InboundDelivery]) -> list[_Delivered]:
        known = self._referred(deliveries)
        arrivals = []
        for delivery in deliveries:
            entity = delivery.entity or UNKNOWN_ENTITY
            key = self._key_of(delivery, known)
            arrival = Arrival(delivery.source, key, delivery.format, entity, key)
            message_id = message_id_of(self._sealer, arrival, delivery.raw)
            referred = known.get(_reference(delivery))
            patient_id = delivery.patient.id or (referred.target_id if referred else None)
            key_id = patient_id or entity_key_id(entity)
            arrivals.append(_Delivered(delivery, arrival, message_id, key_id))
        return self._marked(arrivals)

    def _marked(self, arrivals: list[_Delivered]) -> list[_Delivered]:
        """Marks those whose key, which should be unique, came with other content before."""
        asked = [each for each in arrivals if each.delivery.key_should_be_unique]
        known = messages_under(self._store, {(each.arrival.source_system, each.arrival.delivery_key) for each in asked})
        for each in asked:
            under = known[each.arrival.source_system, each.arrival.delivery_key]
            if under - {each.message_id}:
                each.key_used_again = True
            under.add(each.message_id)
        return arrivals

    def _referred(self, deliveries: Sequence[InboundDelivery]) -> dict[UUID | None, SourceReference]:
        """What is known of the patients that messages refer to, and of resources that come without a key."""
        wanted = [found for each in deliveries if (found := _reference(each))]
        wanted += [found for each in deliveries if (found := _keyless(each))]
        if not wanted:
            return {}
        work = Work(self._store, self._context_of(wanted[0], deliveries[0], ""))
        work.prefetch(wanted)
        return {identity: known for identity in wanted if (known := work.get(SourceReference, identity))}

    def _key_of(self, delivery: InboundDelivery, known: Mapping[UUID | None, SourceReference]) -> str:
        key = delivery.delivery_key
        if not key and (identity := _keyless(delivery)):
            revision = known[identity].revision if identity in known else 0
            resource = delivery.resources[0]
            key = f"{resource.reference} after {revision} if {resource.expected_version}"
        if not delivery.hides_key:
            return key or "none"
        return self._sealer.content_address(f"{delivery.source} {key}".encode()).hex()[:KEY_DIGITS]

    def _decide(self, work: Work, arrivals: Sequence[_Delivered], sealer: Sealer) -> list[Outcome]:
        work.prefetch(each for arrival in arrivals for each in (arrival.message_id, *ids_needed(arrival.delivery)))
        places = ChargePlaces(work)
        places.prefetch(
            fact.charge_id
            for arrival in arrivals
            for fact in arrival.delivery.facts
            if isinstance(fact, ChargeSeen | ChargeVoided)
        )
        batch = Batch(work, Envelopes(sealer), places, self._master_data())
        outcomes = [self._receive_one(batch, arrival) for arrival in arrivals]
        match_people(work)
        return outcomes

    def _receive_one(self, batch: Batch, arrival: _Delivered) -> Outcome:
        work = batch.work
        work.within(self._context(arrival))
        message = work.get_or_new(InboundMessage, arrival.message_id)
        if message.exists and not _may_be_tried_again(message):
            gone_back = self._gone_back(work, arrival, message)
            return self._receive_one(batch, gone_back) if gone_back else _repeated(work, arrival, message)
        raw = arrival.delivery.raw
        keep(work, batch.envelopes.sealer, arrival.arrival, raw, arrival.plans)
        mark = work.mark()
        try:
            notes, versions = self._take(batch, arrival)
        except Refusal as refusal:
            work.roll_back(mark)
            return _refuse(work, arrival, refusal)
        except (Transient, Unavailable):
            raise
        except Exception as bug:  # noqa: BLE001 - one message that meets a bug of ours must not take its batch along
            _tell_of_bug(bug, arrival)
            work.roll_back(mark)
            return _refuse(work, arrival, Defect(DEFECT))
        return _accept(work, arrival, notes, versions)

    def _gone_back(self, work: Work, arrival: _Delivered, message: InboundMessage) -> _Delivered | None:
        """It as a message of its own, where its source has since told other things without raising the version."""
        if not arrival.delivery.key_is_version or message.state is not MessageState.ACCEPTED:
            return None
        revision = self._resources(work, arrival).revision_told_under_same_key(arrival.delivery.resources)
        if not revision:
            return None
        key = self._sealer.content_address(f"{arrival.source_key} after {revision}".encode()).hex()[:KEY_DIGITS]
        kept_under = replace(arrival.arrival, delivery_key=key, source_reference=key)
        message_id = message_id_of(self._sealer, kept_under, arrival.delivery.raw)
        return replace(arrival, arrival=kept_under, message_id=message_id, said_under=arrival.source_key)

    def _resources(self, work: Work, arrival: _Delivered) -> ResourceTaking:
        source, key = arrival.delivery.source, arrival.source_key
        return ResourceTaking(work, self._sealer, source, key, arrival.message_id)

    def _keep_alone(self, work: Work, arrival: _Delivered) -> Outcome:
        """Keeps the message without taking anything of it."""
        work.within(self._context(arrival))
        message = work.get_or_new(InboundMessage, arrival.message_id)
        if message.exists:
            return _repeated(work, arrival, message)
        keep(work, self._sealer, arrival.arrival, arrival.delivery.raw, arrival.plans)
        return _refuse(work, arrival, Defect(DEFECT))

    def _take(self, batch: Batch, arrival: _Delivered) -> tuple[list[str], tuple[ResourceVersion, ...]]:
        work, places = batch.work, batch.places
        delivery = arrival.delivery
        findings = [
            *delivery.findings,
            *broken_rules(delivery.facts, today_of(work, delivery, batch.master_data, self._clock())),
        ]
        if findings:
            raise InvalidMessage(findings)
        resources = self._resources(work, arrival)
        facts = resources.take(delivery.resources, delivery.facts)
        taking = FactTaking(work, batch.envelopes, batch.master_data, delivery.source, arrival.message_id, places)
        notes = taking.take(facts)
        arrival.encounters = taking.encounters
        return notes, tuple(resources.versions)

    def _context(self, arrival: _Delivered) -> Context:
        return self._context_of(arrival.message_id, arrival.delivery, arrival.arrival.delivery_key)

    def _context_of(self, cause: UUID, delivery: InboundDelivery, key: str) -> Context:
        meta = Meta(
            correlation_id=delivery.correlation_id or cause,
            causation_id=cause,
            actor=delivery.actor,
            source_system=delivery.source,
            source_reference=key,
            traceparent=delivery.traceparent,
        )
        return Context(self._clock(), meta)


def _tell_of_bug(bug: Exception, arrival: _Delivered) -> None:
    FAILURES.labels("receiving", "bug").inc()
    _log.error("message met a bug", error=bug, frames=frames_of(bug), message_id=str(arrival.message_id))


def _may_be_tried_again(message: InboundMessage) -> bool:
    """Whether it was refused for what it refers to, which had not come in, or for what its sender might not do."""
    told = message.findings if message.state is MessageState.REFUSED else ()
    return any(rule in each for each in told for rule in TRIED_AGAIN)


def _accept(work: Work, arrival: _Delivered, notes: Sequence[str], versions: tuple[ResourceVersion, ...]) -> Outcome:
    message = work.require(InboundMessage, arrival.message_id)
    if message.is_decided:
        message.reprocess(MessageState.ACCEPTED, "sent again, after what it lacked", facts=arrival.facts)
    else:
        message.accept(arrival.facts)
    return Outcome(message.id, accepted=True, notes=(*arrival.notes, *notes), resources=versions)


def _refuse(work: Work, arrival: _Delivered, refusal: Refusal) -> Outcome:
    """The message is kept and refused; a conflict with what is kept already, or a bug of ours, needs a person."""
    message = work.require(InboundMessage, arrival.message_id)
    if message.is_decided:
        return _repeated(work, arrival, message)
    findings = findings_of(refusal)
    message.refuse(findings, arrival.facts)
    if isinstance(refusal, Conflict | Defect):
        raise_case(
            work,
            message.id,
            code=refusal.code,
            summary=str(refusal)[:500],
            subject="inbound-message",
            subject_id=message.id,
            entity=arrival.delivery.entity,
        )
    return Outcome(message.id, accepted=False, findings=findings)


def findings_of(refusal: Refusal) -> tuple[str, ...]:
    """What a message is told of its refusal."""
    if isinstance(refusal, InvalidMessage):
        return tuple(map(str, refusal.findings))
    return (f"message: {refusal.code}: {refusal}",)


def _repeated(work: Work, arrival: _Delivered, message: InboundMessage) -> Outcome:
    """The answer of the first time."""
    accepted = message.state is MessageState.ACCEPTED
    delivery = arrival.delivery
    resources = versions_known(work, delivery.source, delivery.resources) if accepted else ()
    return Outcome(message.id, accepted, message.findings, repeated=True, resources=resources)


def _reference(delivery: InboundDelivery) -> UUID | None:
    """The id of the source's own reference to the patient, where the message has only that."""
    reference = delivery.patient.reference
    return reference_id_of(delivery.source, reference) if reference else None


def _keyless(delivery: InboundDelivery) -> UUID | None:
    """The id of the one resource that came without a key of its own."""
    if delivery.delivery_key or len(delivery.resources) != 1:
        return None
    return reference_id_of(delivery.source, delivery.resources[0].reference)
