"""The sweep that sends intended interchanges: probe, send, confirm, and never two files for one intent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Refusal
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import raise_case

from claims.application.contexts import caused_by
from claims.application.ports import (
    ClaimFormat,
    ClaimTransport,
    PatientDetailsVault,
    TransportUnavailable,
    TransportUncertain,
    Unwritable,
)
from claims.application.read_models import INTERCHANGES
from claims.application.remaking import remake
from claims.application.submission import digest_of
from claims.application.use_cases import SUMMARY_LENGTH_MAX
from claims.domain.access import PlatformDisclosure, platform_disclosure_id_of
from claims.domain.interchange import Interchange, InterchangeState

OPEN_READ_MAX = 2_000
TRIED_PER_RUN_MAX = 50
UNSENT_CASE = "InterchangeNotSent"


class UnknownTransport(Refusal):
    """Master data sends a payer's claims by a way that the settings do not have."""


class InterchangeSending:
    """`run` brings every open interchange to its end: sent, or uncertain, or a case where the bytes cannot be trusted.

    Each goes by the transport that its payer names. A run tries a bounded number of them and the next run goes on behind
    those, so that interchanges which cannot leave never keep the others waiting.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        claim_format: ClaimFormat,
        vault: PatientDetailsVault,
        transports: Mapping[str, ClaimTransport],
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._format = claim_format
        self._vault = vault
        self._transports = transports
        self._tried_up_to = ""
        self._crash_point = crash_point

    def run(self) -> int:
        """How many interchanges are known to be sent now.

        Raises:
            TransportUnavailable: a receiver cannot be reached; what goes to the others has been tried.
        """
        sent, away = 0, dict[tuple[object, object], TransportUnavailable]()
        for row in self._next_open():
            interchange_id, road = row["interchange_id"], (row["entity"], row["payer"])
            assert isinstance(interchange_id, UUID)
            if road in away:
                continue
            try:
                sent += self._bring_to_its_end(interchange_id)
            except TransportUnavailable as unreached:
                away[road] = unreached
        if away:
            raise next(iter(away.values()))
        return sent

    def _next_open(self) -> list[Row]:
        """Open interchanges by control number, from behind the last that was tried and around."""
        states = [InterchangeState.INTENDED.value, InterchangeState.UNCERTAIN.value]
        rows = self._store.rows(INTERCHANGES, {"state": states}, order=("control_number",), limit=OPEN_READ_MAX)
        tried = sum(str(row["control_number"]) <= self._tried_up_to for row in rows)
        chosen = (rows[tried:] + rows[:tried])[:TRIED_PER_RUN_MAX]
        self._tried_up_to = str(chosen[-1]["control_number"]) if chosen else ""
        return chosen

    def _bring_to_its_end(self, interchange_id: UUID) -> int:
        try:
            proof = self._probe_and_send(interchange_id)
        except TransportUncertain as doubt:
            why = str(doubt)
            self._transact(interchange_id, lambda interchange, work: interchange.doubt(why))
            return 0
        except (Refusal, Unwritable) as refusal:
            code, summary = type(refusal).__name__, str(refusal)
            self._transact(interchange_id, lambda interchange, work: _raise_case(work, interchange, code, summary))
            return 0
        if proof:
            self._transact(interchange_id, lambda interchange, work: interchange.confirm_sent(proof))
        return 1 if proof else 0

    def _probe_and_send(self, interchange_id: UUID) -> str:
        """How the interchange is known to be sent; empty where somebody else brought it to its end meanwhile.

        Raises:
            OtherBytesSent, DetailsGone, Unwritable, UnknownTransport, RefusedByClearinghouse: it is not sent as things
                are, a person must look.
            TransportUncertain, TransportUnavailable: see the transport.
        """
        work = Work(self._store, caused_by(self._clock(), interchange_id))
        interchange = work.require(Interchange, interchange_id)
        if not interchange.is_open:
            return ""
        name, transport = interchange.order.file_name, self._transport_of(interchange)
        found = transport.probe(name)
        if found is not None:
            interchange.refuse_other_bytes(found)
            return "found"
        content = remake(work, interchange, self._format, self._vault)
        interchange.refuse_other_bytes(digest_of(content))
        if interchange.order.platform:
            self._transact(interchange_id, _disclose)
        self._crash_point("before-send")
        transport.send(name, content)
        self._crash_point("after-send")
        return "sent"

    def _transport_of(self, interchange: Interchange) -> ClaimTransport:
        name = interchange.order.transport
        if name not in self._transports:
            whose = interchange.order.entity if interchange.order.platform else interchange.order.payer
            raise UnknownTransport(f"claims of {whose} go by {name!r}, which the settings do not name")
        return self._transports[name]

    def _transact(self, interchange_id: UUID, change: Callable[[Interchange, Work], object]) -> None:
        context = caused_by(self._clock(), derive("sending", interchange_id))
        transact(
            self._store,
            context,
            lambda work: change(work.require(Interchange, interchange_id), work),
            crash_point=self._crash_point,
        )


def _disclose(interchange: Interchange, work: Work) -> None:
    disclosure = work.get_or_new(PlatformDisclosure, platform_disclosure_id_of(interchange.id))
    disclosure.give(interchange.order.platform, interchange.id, interchange.claim_ids, interchange.digest)


def _raise_case(work: Work, interchange: Interchange, code: str, summary: str) -> None:
    raise_case(
        work,
        derive("interchange-not-sent", interchange.id, code),
        code=UNSENT_CASE,
        summary=f"{code}: {summary}"[:SUMMARY_LENGTH_MAX],
        subject=f"interchange {interchange.order.control_number}",
        subject_id=interchange.id,
        entity=interchange.order.entity,
        amount=interchange.total,
    )
