"""Reads one body: bytes to the deliveries they are, each understood or with what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from intake.adapters.fhir.bundles import BATCH, bundle_entry, entries_of, rank_of, raw_entries, slices_of
from intake.adapters.fhir.message import instant
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.requests import Request, request_of
from intake.adapters.fhir.resources import Entry, entry_of
from intake.adapters.fhir.strict_json import Json, parse_object
from intake.adapters.fhir.translation import Translation
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import NOWHERE
from intake.domain.refusals import Finding, InvalidMessage

FORMAT = "fhir-r4"
SOURCE_UNKNOWN = "unknown"
KEY_CHARACTERS_MAX = 200
EVERY_SOURCE = "*"


class SourceNotAllowed(Exception):
    """The sender speaks for a source that is not its own."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and what the request itself says.

    `sources` are those that it may speak for, `*` for any; `key` is its idempotency key at this address. The method is empty
    for a message that came by no address.
    """

    actor: str
    sources: tuple[str, ...] = (EVERY_SOURCE,)
    key: str = ""
    method: str = ""
    address: str = ""
    if_match: str | None = None
    if_none_exist: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What a body is: `kind` is `transaction`, `batch`, or the type of its one resource; empty where it cannot be told.

    The deliveries of a batch are those of its entries, in their order; `ranks` say in which order they are to be taken.
    """

    kind: str
    deliveries: tuple[InboundDelivery, ...]
    ranks: tuple[int, ...] = (0,)


def read_submission(raw: bytes, names: FhirNames, sender: Sender) -> Submission:
    """The deliveries of one body; what is wrong with one stands in its findings.

    Raises:
        SourceNotAllowed: the sender may not speak for this source.
    """
    source, key = SOURCE_UNKNOWN, sender.key
    try:
        content = parse_object(raw)
        source = _source_of(content, sender.sources)
        is_bundle = content.get("resourceType") == "Bundle"
        if is_bundle and sender.address:
            raise _refused("resourceType", "address", "a bundle is sent to the base address")
        key = _key_of(content, sender)
        if is_bundle and content.get("type") == BATCH:
            return _batch(raw, content, names, source, replace(sender, key=key))
    except InvalidMessage as invalid:
        delivery = InboundDelivery(source, key or "none", FORMAT, raw, sender.actor, findings=invalid.findings)
        return Submission("", (replace(delivery, hides_key=bool(sender.address)),))
    reading = _Reading(raw, names, source, sender.actor)
    if is_bundle:
        return Submission("transaction", (reading.transaction(content, key),))
    return Submission(str(content.get("resourceType")), (reading.resource(content, key, sender),))


def read_kept(raw: bytes, names: FhirNames, source: str, actor: str) -> InboundDelivery:
    """A kept message of a source again: a bundle, a resource, or one entry of a batch."""
    try:
        content = parse_object(raw)
    except InvalidMessage as invalid:
        return InboundDelivery(source, "none", FORMAT, raw, actor, findings=invalid.findings)
    if "resourceType" not in content:
        return _Reading(raw, names, source, actor).entry(0, content, "", None)
    return read_submission(raw, names, Sender(actor, (source,), key="kept")).deliveries[0]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One delivery in the making."""

    raw: bytes
    names: FhirNames
    source: str
    actor: str

    def transaction(self, content: Json, key: str) -> InboundDelivery:
        try:
            raws = raw_entries(content)
            if not key:
                note = "or Bundle.id and timestamp, or header Idempotency-Key"
                raise _refused("Bundle.identifier.value", "delivery-key", note)
            entries = entries_of(raws)
        except InvalidMessage as invalid:
            return self._refused(key, invalid)
        return self._understood(entries, key, content.get("timestamp"))

    def resource(self, content: Json, key: str, sender: Sender) -> InboundDelivery:
        try:
            request = _request(content, sender)
            entry = entry_of("", content, request)
        except InvalidMessage as invalid:
            return replace(self._refused(key, invalid), hides_key=True)
        if key and request.expected_version:
            key = f"{key} if {request.expected_version}"
        delivery = self._understood([entry], key, None)
        return replace(delivery, hides_key=True, key_is_version=bool(_named_key(content)))

    def entry(self, number: int, raw_entry: object, key: str, told_at: object) -> InboundDelivery:
        """One entry of a batch, as a message of its own."""
        key = f"{key}#{number}" if key else ""
        try:
            entry = bundle_entry(number, raw_entry)
        except InvalidMessage as invalid:
            return replace(self._refused(key or str(number), invalid), hides_key=True)
        return replace(self._understood([entry], key, told_at), hides_key=True)

    def _understood(self, entries: Sequence[Entry], key: str, told_at: object) -> InboundDelivery:
        patient, entity = NOWHERE, ""
        try:
            translation = Translation(entries, self.source, self.names, instant(told_at))
            patient, entity = translation.patient, translation.entity
            facts = translation.facts()
        except InvalidMessage as invalid:
            key, findings = key or "none", invalid.findings
            return InboundDelivery(
                self.source, key, FORMAT, self.raw, self.actor, findings=findings, patient=patient, entity=entity
            )
        return InboundDelivery(
            self.source,
            key,
            FORMAT,
            self.raw,
            self.actor,
            facts,
            patient=patient,
            entity=entity,
            resources=translation.resources(),
            notes=translation.notes,
        )

    def _refused(self, key: str, invalid: InvalidMessage) -> InboundDelivery:
        return InboundDelivery(
            self.source, key or "none", FORMAT, self.raw, self.actor, findings=invalid.findings, patient=NOWHERE
        )


def _batch(raw: bytes, content: Json, names: FhirNames, source: str, sender: Sender) -> Submission:
    """Every entry stands or falls by itself, and is kept as a message of its own.

    Raises:
        InvalidMessage: the head of the bundle is unfit.
    """
    raws = raw_entries(content)
    slices = slices_of(raw)
    told_at = content.get("timestamp")
    deliveries = (
        _Reading(part, names, source, sender.actor).entry(number, each, sender.key, told_at)
        for number, (each, part) in enumerate(zip(raws, slices, strict=True))
    )
    return Submission(BATCH, tuple(deliveries), tuple(map(rank_of, raws)))


def _request(content: Json, sender: Sender) -> Request:
    """What the address asks; what came by no address is put at the id that it has."""
    kind, identity = content.get("resourceType"), content.get("id")
    method, address = sender.method, sender.address
    if not method:
        has_id = isinstance(identity, str)
        method, address = ("PUT", f"{kind}/{identity}") if has_id else ("POST", str(kind))
    return request_of("request", method, address, sender.if_match, sender.if_none_exist)


def _source_of(content: Json, allowed: tuple[str, ...]) -> str:
    """`meta.source`, or the sender's only source.

    Raises:
        SourceNotAllowed: it is none of the sender's.
    """
    meta = content.get("meta")
    source: Any = meta.get("source") if isinstance(meta, dict) else None
    if source is None and len(allowed) == 1 and allowed[0] != EVERY_SOURCE:
        return allowed[0]
    if not isinstance(source, str) or not 0 < len(source) <= 64 or not source.isprintable():
        raise _refused("meta.source", "source-system", "names the source system, at most 64 characters")
    if source not in allowed and EVERY_SOURCE not in allowed:
        raise SourceNotAllowed
    return source


def _key_of(content: Json, sender: Sender) -> str:
    """What tells this delivery from another with the same bytes; empty where a resource names no version.

    Raises:
        InvalidMessage: it is too long.
    """
    key = _named_key(content) or (f"{sender.address} {sender.key}".strip() if sender.key else "")
    if len(key) > KEY_CHARACTERS_MAX or not key.isprintable():
        note = f"at most {KEY_CHARACTERS_MAX} printable characters"
        raise _refused("Bundle.identifier.value", "delivery-key", note)
    return key


def _named_key(content: Json) -> str:
    if content.get("resourceType") == "Bundle":
        identifier, stamp = content.get("identifier"), content.get("timestamp")
        value = identifier.get("value") if isinstance(identifier, dict) else None
        if isinstance(value, str):
            return value
        named = content.get("id")
        return f"{named}@{stamp}" if isinstance(named, str) and isinstance(stamp, str) else ""
    meta = content.get("meta")
    version = (meta.get("versionId") or meta.get("lastUpdated")) if isinstance(meta, dict) else None
    return f"{content.get('resourceType')}/{content.get('id', '')}@{version}" if isinstance(version, str) else ""


def _refused(field: str, rule: str, note: str) -> InvalidMessage:
    return InvalidMessage([Finding(field, rule, note)])
