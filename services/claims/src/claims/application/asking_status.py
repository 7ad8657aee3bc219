"""The sweep that asks payers where claims stand which they have been silent about. Asking twice does no harm; silence does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from canonical.ids import derive
from canonical.master_data import Payer
from chassis.domain import Refusal
from chassis.eventstore import Work, transact
from chassis.eventstore.work import CrashPoint, no_crash

from claims.application.claim_cases import recurring_cause
from claims.application.contexts import caused_by
from claims.application.inquiries import Questions
from claims.application.ports import (
    BillableClaim,
    ClaimTransport,
    RealTimeExchange,
    ReceivedAnswer,
    TransportUnavailable,
    TransportUncertain,
    Unwritable,
)
from claims.application.read_models import CLAIMS
from claims.application.submission import digest_of
from claims.application.use_cases import claims_of, raise_claim_case
from claims.domain.claim import Claim
from claims.domain.claim_state import AWAITING_ANSWER
from claims.domain.inquiry_order import InquiryOrder, Parties, UnknownParty
from claims.domain.status_inquiry import REFUSED, StatusInquiry, status_inquiry_id_of

ASKED_PER_RUN_MAX = 200
LOOK_SECONDS = 60
NOT_ASKED_CASE = "StatusNotAsked"


@dataclass(frozen=True, slots=True)
class _Ways:
    """How a payer's questions leave: in real time one by one, else together as a file."""

    exchanges: Mapping[str, RealTimeExchange]
    transports: Mapping[str, ClaimTransport]

    def at_once(self, name: str, payer: Payer) -> int:
        return 1 if name in self.exchanges else payer.claims_per_interchange


@dataclass(frozen=True, slots=True)
class _Asking:
    """The bytes of the questions, the claims in the order of their traces, and why others are not asked about."""

    content: bytes
    asked: tuple[UUID, ...]
    faults: Mapping[UUID, str]

    def refused(self, why: str) -> _Asking:
        return _Asking(self.content, (), dict.fromkeys(self.asked, why) | dict(self.faults))


class UnknownWay(Refusal):
    """Master data reaches a payer by a way that the settings do not have."""


class StatusAsking:
    """`run` asks about each claim that was sent or accepted and heard nothing of for its payer's `status_inquiry_days`.

    What an external platform works is its own to ask about.

    A claim is asked about once in so many days. What was tried and may have failed is tried again with the next run. Days
    pass slowly: once nothing is due, nobody looks again for a minute, however often the sweep is woken.
    """

    def __init__(
        self, questions: Questions, transports: Mapping[str, ClaimTransport], *, crash_point: CrashPoint = no_crash
    ) -> None:
        self._questions = questions
        self._store = questions.store
        self._ways = _Ways(questions.inquiring.exchanges, transports)
        self._crash_point = crash_point
        self._quiet_until = datetime.min.replace(tzinfo=UTC)

    def run(self) -> int:
        """How many claims were asked about.

        Raises:
            TransportUnavailable: a receiver could not be reached, or may not have got the question; the others were asked.
            UnknownParty: master data lost an entity that claims are out for; about the others was asked.
        """
        now = self._questions.clock()
        if now < self._quiet_until:
            return 0
        asked, failed = 0, list[TransportUnavailable | UnknownParty]()
        for payer, entity, claim_ids in self._due():
            try:
                parties = self._questions.parties(entity, payer.code)
                size = self._ways.at_once(parties.payer.transport, payer)
                for start in range(0, len(claim_ids), size):
                    asked += self._ask(parties, entity, payer.code, claim_ids[start : start + size])
            except (TransportUncertain, OSError) as lost:
                failed.append(TransportUnavailable(f"{payer.code}: {lost}"))
            except (TransportUnavailable, UnknownParty) as failure:
                failed.append(failure)
        if failed:
            raise failed[0]
        if not asked:
            self._quiet_until = now + timedelta(seconds=LOOK_SECONDS)
        return asked

    def _due(self) -> Iterator[tuple[Payer, str, list[UUID]]]:
        """Claims to ask about by payer and entity, the longest silent first, a run's worth of each payer."""
        now = self._questions.clock()
        for payer in self._questions.master_data.payers:
            if not payer.status_inquiry_days or not payer.holds_on(now.date()):
                continue
            since = now - timedelta(days=payer.status_inquiry_days)
            where = {"state": [state.value for state in AWAITING_ANSWER], "payer": payer.code, "worked_by": ""}
            rows = self._store.rows(CLAIMS, where, order=("silent_since",), limit=ASKED_PER_RUN_MAX)
            by_entity: dict[str, list[UUID]] = {}
            for row in rows:
                claim_id, silent_since = row["claim_id"], row["silent_since"]
                assert isinstance(claim_id, UUID)
                if isinstance(silent_since, datetime) and silent_since <= since:
                    by_entity.setdefault(str(row["entity"]), []).append(claim_id)
            yield from ((payer, entity, claim_ids) for entity, claim_ids in by_entity.items())

    def _ask(self, parties: Parties, entity: str, payer: str, claim_ids: Sequence[UUID]) -> int:
        """One interchange of questions; how many claims were asked about."""
        context = caused_by(self._questions.clock(), derive("status-inquiry", *claim_ids))
        claims = claims_of(Work(self._store, context), claim_ids)
        order = self._questions.order(context, parties)
        number = order.control_number
        asking = self._write(order, claims)
        if asking.content:
            try:
                self._send(order, asking.content)
            except Refusal as refusal:
                asking = asking.refused(f"{type(refusal).__name__}: {refusal}")
        self._crash_point("after-asking")
        way = parties.payer.transport if asking.asked else REFUSED

        def record(work: Work) -> None:
            inquiry = work.get_or_new(StatusInquiry, status_inquiry_id_of(number))
            inquiry.ask(number, entity, payer, way, tuple(asking.asked), digest_of(asking.content))
            work.prefetch(claim_ids)
            for place, claim_id in enumerate((*asking.asked, *asking.faults), 1):
                fault = asking.faults.get(claim_id)
                claim = work.require(Claim, claim_id)
                claim.ask_status(order.trace(place), number, REFUSED if fault else way)
                if fault:
                    summary = f"{claim.content.payer} is not asked where the claim stands: {fault}"
                    asked = len(claim.inquiries)
                    cause = recurring_cause(work, NOT_ASKED_CASE, "status-not-asked", claim_id, asked)
                    raise_claim_case(work, claim, cause, NOT_ASKED_CASE, summary)

        transact(self._store, context, record)
        return len(claim_ids)

    def _write(self, order: InquiryOrder, claims: Sequence[Claim]) -> _Asking:
        """The questions about those claims that can be asked about."""
        details = self._questions.vault.open_details([claim.content.details for claim in claims])
        faults: dict[UUID, str] = {}
        billable: dict[UUID, BillableClaim] = {}
        for claim, phi in zip(claims, details, strict=True):
            if phi is None:
                faults[claim.id] = "its details open no more"
            else:
                billable[claim.id] = BillableClaim(claim.content, phi)
        inquiry_format = self._questions.inquiring.inquiry_format
        while billable:
            try:
                content = inquiry_format.status_questions(order, list(billable.values()))
                return _Asking(content, tuple(billable), faults)
            except Unwritable as faulty:
                blamed = {
                    claim_id: "; ".join(faulty.by_claim[each.content.patient_control_number])
                    for claim_id, each in billable.items()
                    if each.content.patient_control_number in faulty.by_claim
                }
                assert blamed, "a faulty claim is one of those written"
                faults |= blamed
                billable = {claim_id: each for claim_id, each in billable.items() if claim_id not in blamed}
        return _Asking(b"", (), faults)

    def _send(self, order: InquiryOrder, question: bytes) -> None:
        """Raises what the way raises, and UnknownWay."""
        name = order.parties.payer.transport
        if name in self._ways.exchanges:
            answer = self._ways.exchanges[name].ask(question)
            self._questions.inquiring.keep(name, ReceivedAnswer(order.answer_name, answer))
        elif name in self._ways.transports:
            self._ways.transports[name].send(order.file_name, question)
        else:
            raise UnknownWay(f"{order.parties.payer.name} is reached by {name!r}, which the settings do not name")
