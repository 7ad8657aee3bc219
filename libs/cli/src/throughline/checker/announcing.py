"""A log and its stream side by side: every event that is announced is announced once, whole, and nothing else is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from throughline.checker.amounts import cents
from throughline.checker.expected import taken_by_reason
from throughline.checker.identity import partition_of, public_event_id
from throughline.checker.records import Fact, Message, Published, State
from throughline.checker.result import Failures
from throughline.checker.vocabulary import ANNOUNCES, HEADERS, KEPT, LISTED, NESTED, REWORDED

REMEMBERED: Mapping[str, tuple[str, ...]] = {
    "encounter-charged": ("encounter_id", "posting", "entity", "payer", "total"),
    "charges-revised": ("encounter_id", "posting", "entity", "payer", "total", "previous_total", "revision"),
    "patient-payment-reported": ("payment_id", "entity", "amount"),
    "remittance-received": (),
    "remittance-chunk-received": ("remittance_id", "receipt_id", "chunk"),
    "remittance-chunk-accepted": ("remittance_id", "chunk"),
    "claim-adjudicated": (
        "claim_id",
        "encounter_id",
        "posting",
        "remittance_id",
        "remittance_position",
        "entity",
        "payer",
        "paid",
        "patient_responsibility",
        "first",
        "kind",
        "match",
        "next_payer",
        "sequence",
        "charges_revision",
    ),
    "claim-revised": ("encounter_id", "posting", "entity", "payer", "revision", "decided"),
    "claim-payment-unknown": ("remittance_id", "remittance_position", "entity", "paid"),
    "claim-payment-noted": ("remittance_id", "remittance_position"),
    "denial-released": ("entity", "payer", "amount"),
    "denial-written-off": ("entity", "payer", "amount"),
    "deposit-matched": ("remittance_id", "deposit_id", "entity", "amount", "was_unidentified"),
    "payer-overpayment-moved": ("overpayment_id", "step", "entity", "payer", "amount"),
    "deposit-unidentified": ("deposit_id", "entity", "amount"),
    "patient-payment-succeeded": ("payment_id", "entity", "applied", "unapplied", "channel"),
    "payment-applied": ("entity", "amount"),
    "patient-refund-moved": ("refund_id", "entity", "step", "amount", "channel"),
    "patient-dispute-moved": ("dispute_id", "entity", "step", "amount", "fee"),
    "patient-payment-returned": ("return_id", "entity", "amount"),
    "patient-balance-written-off": ("write_off_id", "entity", "kind", "amount"),
    "patient-money-transferred": ("transfer_id", "entity", "moved", "amount"),
    "price-concession-moved": ("account_id", "move", "entity", "amount"),
    "payout-paid": ("entity", "gross", "fees"),
}


@dataclass(slots=True)
class Stream:
    """One stream as read: how many messages, what of them has effects elsewhere, and where it is not as it must be."""

    service: str
    trimmed: bool = False
    count: int = 0
    last_sequence: int = 0
    last_position: int = 0
    unpublished: int = 0
    published: dict[str, list[Published]] = field(default_factory=dict)
    last_by_partition: dict[int, int] = field(default_factory=dict)
    failures: Failures = field(default_factory=Failures)

    def of(self, event_type: str) -> list[Published]:
        return self.published.get(event_type, [])


class Announcements:
    """Goes through a stream beside its log. `trimmed` says that the oldest messages are no longer kept."""

    def __init__(self, service: str, messages: Iterable[Message], *, trimmed: bool = False) -> None:
        self.stream = Stream(service, trimmed)
        self._messages = iter(messages)
        self._announces = ANNOUNCES[service]
        self._trimmed = trimmed
        self._head: Message | None = None
        self._position = 0
        self._advance()

    def take(self, fact: Fact) -> None:
        """Compares what this event announces with what stands in the stream for its position."""
        self._drop_strangers(fact.position)
        announced = self._announces.get(fact.topic)
        for ordinal, event_type in enumerate(announced(fact.state) if announced else ()):
            if self._head is not None and self._position == fact.position:
                self._compare(self._head, fact, event_type, ordinal)
                self._trimmed = False
                self._advance()
            elif self._head is None:
                self.stream.unpublished += 1
            elif not self._trimmed:
                self.stream.failures.add(f"position {fact.position}: {event_type} of {fact.id} is not in the stream")
        self._drop_strangers(fact.position + 1)

    def finish(self) -> Stream:
        """Reads what is left: messages of events that the log does not hold."""
        while self._head is not None:
            self._stranger()
        return self.stream

    def _drop_strangers(self, position: int) -> None:
        while self._head is not None and self._position < position:
            self._stranger()

    def _stranger(self) -> None:
        assert self._head is not None
        place = f"sequence {self._head.sequence} ({self._head.headers.get('ce-type', 'no type')})"
        self.stream.failures.add(f"{place}: no event of the log announces it")
        self._advance()

    def _advance(self) -> None:
        self._head = next(self._messages, None)
        if self._head is None:
            return
        self.stream.count += 1
        if self._head.sequence != self.stream.last_sequence + 1 and self.stream.last_sequence:
            self.stream.failures.add(f"sequence {self.stream.last_sequence + 1} is missing")
        self.stream.last_sequence = self._head.sequence
        position = _number(self._head.headers.get("ce-position", ""))
        if position is None or position < self._position:
            self.stream.failures.add(f"sequence {self._head.sequence}: position {position} after {self._position}")
        self._position = position or 0
        self.stream.last_position = max(self.stream.last_position, self._position)

    def _compare(self, message: Message, fact: Fact, event_type: str, ordinal: int) -> None:
        place = f"sequence {message.sequence} ({event_type} of {fact.id})"
        partition = partition_of(fact.id)
        for fault in header_faults(message, self.stream.service, fact, event_type, ordinal, partition):
            self.stream.failures.add(f"{place}: {fault}")
        self.stream.last_by_partition[partition] = message.sequence
        try:
            payload: State = json.loads(message.data)
        except ValueError:
            self.stream.failures.add(f"{place}: its data is no JSON")
            return
        for name in reworded_fields(payload, parts_of(fact.state, event_type, ordinal), event_type):
            self.stream.failures.add(f"{place}: {name} differs from the stored event")
        if event_type in KEPT:
            self.stream.published.setdefault(event_type, []).append(
                Published(
                    message.id,
                    message.sequence,
                    event_type,
                    partition,
                    hashlib.sha256(message.data).digest(),
                    remembered(event_type, payload),
                )
            )


def header_faults(
    message: Message, service: str, fact: Fact, event_type: str, ordinal: int, partition: int
) -> Iterable[str]:
    """What the envelope of a message says wrongly."""
    missing = [name for name in HEADERS if not message.headers.get(name)]
    if missing:
        yield f"headers are missing: {', '.join(missing)}"
    identity = public_event_id(service, fact.id, fact.version, ordinal)
    tokens = message.subject.split(".")
    kind = ".".join(tokens[:4])
    if tokens[:3] != ["billing", service, event_type] or tokens[4:] != [str(partition), UUID(fact.id).hex]:
        yield f"its subject is {message.subject}"
    wanted = {
        "Nats-Msg-Id": identity,
        "ce-id": identity,
        "ce-type": kind,
        "ce-subject": UUID(fact.id).hex,
        "ce-sequence": str(fact.version),
        "ce-ordinal": str(ordinal),
    }
    for name, value in wanted.items():
        if message.headers.get(name, value) != value:
            yield f"{name} is {message.headers[name]}, not {value}"


def parts_of(state: State, event_type: str, ordinal: int) -> list[State]:
    """The parts of a stored event whose fields a public event repeats."""
    listed = LISTED.get(event_type)
    parts: list[State] = [state, *(state[name] for name in NESTED if isinstance(state.get(name), dict))]
    return [state[listed][ordinal], *parts] if listed else parts


def reworded_fields(payload: State, parts: Iterable[State], event_type: str) -> list[str]:
    """The fields that a public event has from its stored one, with another value."""
    own: dict[str, Any] = {}
    for part in reversed(list(parts)):
        own.update(part)
    return [
        name
        for name, value in payload.items()
        if name in own and own[name] != value and (event_type, name) not in REWORDED
    ]


def remembered(event_type: str, payload: State) -> State:
    """The few facts of a message by which its effects are found."""
    kept = {name: payload[name] for name in REMEMBERED.get(event_type, ()) if name in payload}
    if event_type == "remittance-chunk-accepted":
        kept["paid"] = {claim["position"]: claim["paid"] for claim in payload["claims"]}
    if event_type == "claim-adjudicated":
        kept["taken"] = taken_by_reason(payload["adjustments"])
    if event_type in ("remittance-received", "remittance-accepted"):
        kept["summary"] = {name: payload["summary"][name] for name in ("remittance_id", "receipt_id", "entity")}
    if event_type == "remittance-accepted":
        pairs = payload["summary"].get("provider_adjustments", ())
        kept["adjustments"] = [(pair["reason"], cents(pair["amount"])) for pair in pairs]
    return kept


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and text.isascii() else None
