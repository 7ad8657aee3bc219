"""The envelope of a public event: CloudEvents 1.0 attributes as message headers, and the rules of subjects and partitions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from canonical.classes import CanonicalModel, DataClass, Public, walk_classes

PARTITIONS = 32
STREAMS = {
    "intake": "BILLING_INTAKE",
    "claims": "BILLING_CLAIMS",
    "payments": "BILLING_PAYMENTS",
    "ledger": "BILLING_LEDGER",
    "reconciliation": "BILLING_RECONCILIATION",
}


class UnknownEvent(LookupError):
    """A type or version that this reader does not know."""


class PublicEvent(CanonicalModel):
    """The data of one public event. A subclass names its service, its type and its version; versions only add fields.

    A public event holds no PHI and no PII but inside `Sealed`; a field that breaks this fails at import.
    """

    SERVICE: ClassVar[str] = ""
    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if not cls.TYPE:
            return
        for path, found in walk_classes(cls):
            if found in (DataClass.PHI, DataClass.PII):
                raise TypeError(f"{cls.__name__}.{path}: PHI and PII travel only sealed")
        known = _REGISTRY.setdefault((cls.SERVICE, cls.TYPE, cls.VERSION), cls)
        if known is not cls and known.__qualname__ != cls.__qualname__:
            raise TypeError(f"two public events are called {cls.SERVICE}/{cls.TYPE}/v{cls.VERSION}")


_REGISTRY: dict[tuple[str, str, int], type[PublicEvent]] = {}


def registered_events() -> Mapping[tuple[str, str, int], type[PublicEvent]]:
    """Every public event by service, type and version."""
    return _REGISTRY


def partition_of(key: UUID) -> int:
    """The partition of a key, 0 to 31: the first bytes of its SHA-256, so that it is the same in every language."""
    return int.from_bytes(hashlib.sha256(key.bytes).digest()[:4], "big") % PARTITIONS


def subject_of(event: PublicEvent, key: UUID) -> str:
    """`billing.<service>.<event>.v<major>.<partition>.<key>`."""
    return f"billing.{event.SERVICE}.{event.TYPE}.v{event.VERSION}.{partition_of(key)}.{key.hex}"


_shared_id = lru_cache(1024)(UUID)
"""One cause has many effects that travel together; reading its id costs more than finding it."""


class Envelope(CanonicalModel):
    """Who, what, when and why of one public event.

    `sequence` is the version of the aggregate's stored event that announced it, `ordinal` its place among the public
    events of that stored event; `position` is the notification position in the publisher's store. `partition_key` is
    the aggregate the event is about.
    """

    id: UUID
    service: Public[str]
    type: Public[str]
    version: int = 1
    key: UUID
    sequence: int
    ordinal: int = 0
    position: int = 0
    time: AwareDatetime
    correlation_id: UUID
    causation_id: UUID
    actor: Public[str]
    source_system: Public[str] = ""
    source_reference: Public[str] = ""
    traceparent: Public[str] = ""
    tier: Public[str] = Field(default="clear", pattern="^(clear|sealed)$")

    @property
    def subject(self) -> str:
        return f"billing.{self.service}.{self.type}.v{self.version}.{partition_of(self.key)}.{self.key.hex}"

    def to_headers(self) -> dict[str, str]:
        """The headers of the message; `Nats-Msg-Id` is the event's id."""
        identity = str(self.id)
        headers = {
            "Nats-Msg-Id": identity,
            "ce-specversion": "1.0",
            "ce-id": identity,
            "ce-source": f"throughline/{self.service}",
            "ce-type": f"billing.{self.service}.{self.type}.v{self.version}",
            "ce-subject": self.key.hex,
            "ce-time": self.time.astimezone(UTC).isoformat(),
            "ce-datacontenttype": "application/json",
            "ce-sequence": str(self.sequence),
            "ce-ordinal": str(self.ordinal),
            "ce-position": str(self.position),
            "ce-correlationid": str(self.correlation_id),
            "ce-causationid": str(self.causation_id),
            "ce-actor": self.actor,
            "ce-phitier": self.tier,
        }
        if self.source_system:
            headers["ce-sourcesystem"] = self.source_system
            headers["ce-sourcereference"] = self.source_reference
        if self.traceparent:
            headers["traceparent"] = self.traceparent
        return headers

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Envelope:
        """The envelope of a received message.

        Raises:
            ValueError: a header is missing or does not parse (KeyError included as ValueError).
        """
        try:
            _, service, kind, major = headers["ce-type"].split(".")
            return cls.trusted(
                id=UUID(headers["ce-id"]),
                service=service,
                type=kind,
                version=int(major.removeprefix("v")),
                key=UUID(headers["ce-subject"]),
                sequence=int(headers["ce-sequence"]),
                ordinal=int(headers["ce-ordinal"]),
                position=int(headers["ce-position"]),
                time=datetime.fromisoformat(headers["ce-time"]),
                correlation_id=_shared_id(headers["ce-correlationid"]),
                causation_id=_shared_id(headers["ce-causationid"]),
                actor=headers["ce-actor"],
                source_system=headers.get("ce-sourcesystem", ""),
                source_reference=headers.get("ce-sourcereference", ""),
                traceparent=headers.get("traceparent", ""),
                tier=headers["ce-phitier"],
            )
        except KeyError as missing:
            raise ValueError(f"header {missing} is missing") from None
