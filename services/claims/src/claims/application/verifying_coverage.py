"""Whether a patient is covered: asked of the payer in real time, answered from what it said before while that is fresh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chassis.domain import Context, Refusal, Unavailable
from chassis.eventstore import Work, transact

from claims.application.inquiries import Questions
from claims.application.ports import RealTimeExchange, Unwritable
from claims.application.submission import digest_of
from claims.domain.claim import Claim
from claims.domain.coverage import (
    CoverageAnswer,
    CoverageProof,
    CoverageSubject,
    CoverageVerification,
    coverage_verification_id_of,
)
from claims.domain.inquiry_order import Parties

COVERAGE_HOURS = 24
VERIFIED_MAX = 25
MANY_SECONDS = 15


class NoRealTimeWay(Refusal):
    """The payer is reached by files alone, so that nobody answers while we wait."""


class UnwritableQuestion(Refusal):
    """The claim's details do not make a question; the message names fields, never values."""


class OutOfTime(Unavailable):
    """Asking about many took so long that the caller would not wait for the rest."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The latest answer about a claim's patient; `is_fresh` where it was asked just now."""

    claim_id: UUID
    subject: CoverageSubject
    answer: CoverageAnswer
    proof: CoverageProof
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class NotVerified:
    """Why there is no answer about one of many claims: the name of the rule or failure, and its words."""

    claim_id: UUID
    code: str
    why: str


class CoverageChecks:
    """Asks by the payer's own way, where that answers in real time. An answer is kept for `max_age`."""

    def __init__(self, questions: Questions, *, max_age: timedelta = timedelta(hours=COVERAGE_HOURS)) -> None:
        self._questions = questions
        self._store = questions.store
        self._clock = questions.clock
        self._exchanges = questions.inquiring.exchanges
        self._max_age = max_age

    def verify(self, context: Context, claim_id: UUID, *, refresh: bool) -> Verified:
        """The answer that is kept, unless it is too old or `refresh` asks anew.

        Raises:
            UnknownAggregate: there is no such claim.
            UnknownParty, NoRealTimeWay, DetailsGone, UnwritableQuestion: it cannot be asked about.
            RefusedByClearinghouse, NotAnAnswer, TransportUnavailable: it was asked and not answered; nothing is kept.
        """
        work = Work(self._store, context)
        claim = work.require(Claim, claim_id)
        subject = subject_of(claim)
        known = work.get_or_new(CoverageVerification, coverage_verification_id_of(subject)).latest
        if known and not refresh and known[1].asked_at > self._clock() - self._max_age:
            return Verified(claim_id, subject, *known, is_fresh=False)
        answer, proof = self._asked(context, claim)

        def keep(work: Work) -> None:
            work.get_or_new(CoverageVerification, coverage_verification_id_of(subject)).keep(subject, answer, proof)

        transact(self._store, context, keep)
        return Verified(claim_id, subject, answer, proof, is_fresh=True)

    def verify_many(self, context: Context, claim_ids: Sequence[UUID]) -> list[Verified | NotVerified]:
        """Each for itself and in order, but once a clearinghouse was away or the time is up, nothing more is asked."""
        assert len(claim_ids) <= VERIFIED_MAX, "the caller bounds the claims"
        found: list[Verified | NotVerified] = []
        away: Unavailable | None = None
        until = self._clock() + timedelta(seconds=MANY_SECONDS)
        for claim_id in claim_ids:
            try:
                if away is not None:
                    raise away
                if self._clock() >= until:
                    raise OutOfTime(f"no more is asked after {MANY_SECONDS} seconds; ask again for the rest")
                found.append(self.verify(context, claim_id, refresh=False))
            except (Refusal, Unavailable) as failure:
                away = failure if isinstance(failure, Unavailable) else away
                found.append(NotVerified(claim_id, type(failure).__name__, str(failure)))
        return found

    def _asked(self, context: Context, claim: Claim) -> tuple[CoverageAnswer, CoverageProof]:
        parties = self._questions.parties(claim.content.entity, claim.content.payer)
        exchange = self._exchange(claim.content.payer, parties)
        billable, asked_at = self._questions.opened(claim), self._clock()
        order, inquiry_format = self._questions.order(context, parties), self._questions.inquiring.inquiry_format
        try:
            question = inquiry_format.coverage_question(order, billable)
        except Unwritable as faulty:
            why = "; ".join(fault for faults in faulty.by_claim.values() for fault in faults)
            raise UnwritableQuestion(why) from None
        answer = exchange.ask(question)
        proof = CoverageProof(
            asked_at=asked_at,
            trace=order.trace(1),
            clearinghouse=parties.payer.transport,
            question_digest=digest_of(question),
            answer_digest=digest_of(answer),
        )
        return inquiry_format.coverage_answer(order, answer), proof

    def _exchange(self, payer: str, parties: Parties) -> RealTimeExchange:
        exchange = self._exchanges.get(parties.payer.transport)
        if exchange is None:
            raise NoRealTimeWay(
                f"payer {payer} is reached by {parties.payer.transport!r}, which answers nothing in real time"
            )
        return exchange


def subject_of(claim: Claim) -> CoverageSubject:
    content = claim.content
    return CoverageSubject(patient_id=content.patient_id, payer=content.payer, service_date=content.service_from)
