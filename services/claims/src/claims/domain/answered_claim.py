"""The answered side of a claim: what receivers and payers say of it on its way, and how often they were asked."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from canonical.classes import Financial, Public
from chassis.domain import Event, Refusal

from claims.domain.adjudicated_claim import AdjudicatedClaim
from claims.domain.answers import CLEARINGHOUSE, ReportedStatus, SubmissionAnswer
from claims.domain.claim_content import ClaimContent
from claims.domain.claim_state import AWAITING_ANSWER, DECIDED, ClaimState


class UnknownSubmission(Refusal):
    """A 277CA names a submission that this claim was not part of."""


class AnsweredClaim(AdjudicatedClaim):
    """`submissions` are the interchanges that carried it, in order, each with the claim as it was sent.

    `inquiries` are the traces of our questions about it.

    `payer_control_number` is what a 277CA told, `number_accepted` that of the latest submission alone; a decision keeps its own, for a payer may split a claim.
    """

    def start(self) -> None:
        super().start()
        self.submissions: Mapping[UUID, ClaimContent] = {}
        self.payer_control_number = ""
        self.number_accepted = ""
        self.rejection_codes: tuple[str, ...] = ()
        self.answers: tuple[SubmissionAnswer, ...] = ()
        self.reported: ReportedStatus | None = None
        self.inquiries: tuple[str, ...] = ()

    class Accepted(Event):
        TOPIC = "claims.claim.accepted"
        payer_control_number: Financial[str]

        def apply(self, claim: AnsweredClaim) -> None:
            claim.state = claim.undecided = ClaimState.ACCEPTED
            claim.payer_control_number = self.payer_control_number or claim.payer_control_number
            claim.number_accepted = self.payer_control_number
            claim.is_answered = True

    class PayerNumberLearned(Event):
        """The payer took it, which changed nothing else, because the claim had got further already."""

        TOPIC = "claims.claim.payer-number-learned"
        payer_control_number: Financial[str]

        def apply(self, claim: AnsweredClaim) -> None:
            claim.payer_control_number = self.payer_control_number or claim.payer_control_number
            claim.number_accepted = self.payer_control_number
            claim.is_answered = True
            if claim.undecided is ClaimState.SUBMITTED:
                claim.undecided = ClaimState.ACCEPTED

    class Rejected(Event):
        """Refused before adjudication, by 999 or 277CA."""

        TOPIC = "claims.claim.rejected"
        codes: tuple[Public[str], ...]

        def apply(self, claim: AnsweredClaim) -> None:
            claim.state = claim.undecided = ClaimState.REJECTED
            claim.rejection_codes = self.codes
            claim.is_answered = True

    class ResubmissionRejected(Event):
        """What was sent in the place of the claim was refused, and the payer's decisions on the claim stand."""

        TOPIC = "claims.claim.resubmission-rejected"
        codes: tuple[Public[str], ...]

        def apply(self, claim: AnsweredClaim) -> None:
            claim.undecided = ClaimState.REJECTED
            claim.rejection_codes = self.codes
            claim.is_answered = True

    class AnswerNoted(Event):
        """A 277CA that moves nothing: a clearinghouse took the claim, or it answers an earlier submission."""

        TOPIC = "claims.claim.answer-noted"
        answer: SubmissionAnswer

        def apply(self, claim: AnsweredClaim) -> None:
            claim.answers += (self.answer,)

    class StatusReported(Event):
        """Where the payer says the claim stands, in answer to a question of ours (277)."""

        TOPIC = "claims.claim.status-reported"
        status: ReportedStatus

        def apply(self, claim: AnsweredClaim) -> None:
            claim.reported = self.status

    class StatusAsked(Event):
        """A 276 asked its payer where it stands. `trace` comes back with the answer, and `control_number` was its interchange's.

        `way` is the transport that took the question, or `refused` where it was not taken and a person was told.
        """

        TOPIC = "claims.claim.status-asked"
        trace: Public[str]
        control_number: Public[str]
        way: Public[str]

        def apply(self, claim: AnsweredClaim) -> None:
            claim.inquiries += (self.trace,)

    def hear(self, answer: SubmissionAnswer, payer_control_number: str) -> bool:
        """Whether a 277CA rejects the submission that counts, the latest.

        A clearinghouse's acceptance is not the payer's, and what comes late of an earlier submission is only kept.

        Raises:
            NeverSubmitted: it never left.
            UnknownSubmission: the claim was not part of the submission that is named.
        """
        self._refuse_never_submitted()
        named = answer.submission_id
        if named is not None and named not in self.submissions:
            raise UnknownSubmission(f"claim {self.id} was not part of interchange {named}")
        is_late = named is not None and named != self.interchange_id
        if is_late or (answer.accepted and answer.reporter == CLEARINGHOUSE):
            if answer not in self.answers:
                self.trigger_event(self.AnswerNoted, answer=answer)
            return False
        if answer.accepted:
            self.accept(payer_control_number)
        else:
            self.reject(answer.codes)
        return not answer.accepted

    def report(self, status: ReportedStatus) -> None:
        """Keeps what the payer answers to a question of ours; the same as before changes nothing.

        Raises:
            NeverSubmitted: it never left.
        """
        self._refuse_never_submitted()
        if status != self.reported:
            self.trigger_event(self.StatusReported, status=status)

    def ask_status(self, trace: str, control_number: str, way: str) -> None:
        """Keeps that its payer was asked; one that was answered meanwhile was asked in vain, which does no harm."""
        if trace not in self.inquiries:
            self.trigger_event(self.StatusAsked, trace=trace, control_number=control_number, way=way)

    def accept(self, payer_control_number: str) -> None:
        """The payer took it for adjudication; late or repeated, this tells at most the payer's own number.

        Raises:
            NeverSubmitted: it never left.
        """
        self._refuse_never_submitted()
        if self.state is ClaimState.SUBMITTED:
            self.trigger_event(self.Accepted, payer_control_number=payer_control_number)
        elif not self.is_answered or payer_control_number not in ("", self.payer_control_number):
            self.trigger_event(self.PayerNumberLearned, payer_control_number=payer_control_number)

    def reject(self, codes: tuple[str, ...]) -> bool:
        """The claim was refused before adjudication; whether that is news. One that a payer decided on keeps the decision.

        Raises:
            NeverSubmitted: it never left.
        """
        self._refuse_never_submitted()
        if self.state in AWAITING_ANSWER:
            self.trigger_event(self.Rejected, codes=codes)
            return True
        if self.state in DECIDED and not self.is_answered:
            self.trigger_event(self.ResubmissionRejected, codes=codes)
            return True
        return False
