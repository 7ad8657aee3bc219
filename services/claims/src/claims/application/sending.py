"""The sweep that sends intended interchanges: probe, send, confirm, and never two files for one intent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Refusal
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import raise_case

from claims.application.contexts import caused_by
from claims.application.ports import (
    ClaimFormat,
    ClaimTransport,
    PatientDetailsVault,
    TransportUncertain,
    Unwritable,
)
from claims.application.read_models import INTERCHANGES
from claims.application.remaking import remake
from claims.application.submission import digest_of
from claims.application.use_cases import SUMMARY_LENGTH_MAX
from claims.domain.interchange import Interchange, InterchangeState

OPEN_READ_MAX = 50
UNSENT_CASE = "InterchangeNotSent"


class InterchangeSending:
    """`run` brings every open interchange to its end: sent, or uncertain, or a case where the bytes cannot be trusted."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        claim_format: ClaimFormat,
        vault: PatientDetailsVault,
        transport: ClaimTransport,
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._format = claim_format
        self._vault = vault
        self._transport = transport
        self._crash_point = crash_point

    def run(self) -> int:
        """How many interchanges are known to be sent now.

        Raises:
            TransportUnavailable: the exchange cannot be reached; try again later.
        """
        states = [InterchangeState.INTENDED.value, InterchangeState.UNCERTAIN.value]
        rows = self._store.rows(INTERCHANGES, {"state": states}, order=("control_number",), limit=OPEN_READ_MAX)
        sent = 0
        for row in rows:
            interchange_id = row["interchange_id"]
            assert isinstance(interchange_id, UUID)
            sent += self._bring_to_its_end(interchange_id)
        return sent

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
            OtherBytesSent, DetailsGone, Unwritable: the file must not be sent, a person must look.
            TransportUncertain, TransportUnavailable: see the transport.
        """
        work = Work(self._store, caused_by(self._clock(), interchange_id))
        interchange = work.require(Interchange, interchange_id)
        if not interchange.is_open:
            return ""
        name = interchange.order.file_name
        found = self._transport.probe(name)
        if found is not None:
            interchange.refuse_other_bytes(found)
            return "found"
        content = remake(work, interchange, self._format, self._vault)
        interchange.refuse_other_bytes(digest_of(content))
        self._crash_point("before-send")
        self._transport.send(name, content)
        self._crash_point("after-send")
        return "sent"

    def _transact(self, interchange_id: UUID, change: Callable[[Interchange, Work], object]) -> None:
        context = caused_by(self._clock(), derive("sending", interchange_id))
        transact(
            self._store,
            context,
            lambda work: change(work.require(Interchange, interchange_id), work),
            crash_point=self._crash_point,
        )


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
