"""The filing proof: everything that shows what was sent for a claim, when, and what its receivers answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chassis.domain import Context, Event
from chassis.eventstore import EventStore, Work, transact

from claims.application.ports import FilePart, FilingFormat, PatientDetailsVault, Unwritable
from claims.application.remaking import DetailsGone, remake
from claims.application.submission import digest_of
from claims.domain.access import FilingDisclosure, filing_disclosure_id_of
from claims.domain.claim import Claim
from claims.domain.interchange import Interchange

BYTES_MAX = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a submission: `kind` is TA1, 999, 277CA or 277. `message_id` is the message that brought it, at intake."""

    kind: str
    word: str
    notes: tuple[str, ...]
    message_id: UUID
    received_at: datetime


@dataclass(slots=True)
class Submission:
    """One interchange that carried the claim, whose bytes have the digest.

    `parts` are those of its bytes that are about the claim, or none with `missing` saying why.
    """

    interchange_id: UUID
    control_number: str
    file_name: str
    digest: str
    state: str
    claim_count: int
    intended_at: datetime
    sent_at: datetime | None = None
    proof: str = ""
    size_bytes: int = 0
    parts: Sequence[FilePart] = ()
    missing: str = ""
    answers: list[Answer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FilingPacket:
    claim_id: UUID
    patient_control_number: str
    payer: str
    payer_control_number: str
    submissions: tuple[Submission, ...]


class FilingPackets:
    """`of` shows PHI: it records who asked before it gives anything."""

    def __init__(self, store: EventStore, claim_format: FilingFormat, vault: PatientDetailsVault) -> None:
        self._store = store
        self._format = claim_format
        self._vault = vault

    def of(self, context: Context, claim_id: UUID) -> FilingPacket:
        """Every submission of the claim, the first first.

        Raises:
            UnknownAggregate: there is no such claim.
        """
        work = Work(self._store, context)
        claim = work.require(Claim, claim_id)
        submissions = _submissions_of(self._store, self._store.story(claim_id))
        self._record(context, claim_id, tuple(each.digest for each in submissions))
        room, content = BYTES_MAX, claim.content
        for submission in submissions:
            self._fill(work, submission, content.patient_control_number, room)
            room -= sum(len(part.content) for part in submission.parts)
        return FilingPacket(
            claim_id, content.patient_control_number, content.payer, claim.payer_control_number, tuple(submissions)
        )

    def _record(self, context: Context, claim_id: UUID, digests: tuple[str, ...]) -> None:
        identity = filing_disclosure_id_of(context.meta.causation_id, claim_id)

        def decide(work: Work) -> None:
            disclosure = work.get_or_new(FilingDisclosure, identity)
            if not disclosure.exists:
                disclosure.give(claim_id, digests)

        transact(self._store, context, decide)

    def _fill(self, work: Work, submission: Submission, number: str, room: int) -> None:
        """What is about the claim, of the bytes made again, where they are what was sent."""
        interchange = work.require(Interchange, submission.interchange_id)
        try:
            content = remake(work, interchange, self._format, self._vault)
        except (DetailsGone, Unwritable) as gone:
            submission.missing = str(gone)
            return
        if digest_of(content) != submission.digest:
            submission.missing = "made again, the bytes are not those that were sent"
            return
        parts = self._format.parts_about(content, number)
        if sum(len(part.content) for part in parts) > room:
            submission.missing = "what is about the claim does not fit into one answer"
        else:
            submission.size_bytes, submission.parts = len(content), parts


def _submissions_of(store: EventStore, story: list[Event]) -> list[Submission]:
    """The submissions of a claim's history, each with the claim's own answers and those of its interchange, by time."""
    submissions: dict[UUID, Submission] = {}
    current: Submission | None = None
    for event in story:
        if isinstance(event, Claim.Submitted):
            current = submissions[event.interchange_id] = _submission(store.story(event.interchange_id))
            continue
        answer = _claim_answer(event)
        if answer is None or current is None:
            continue
        named = event.answer.submission_id if isinstance(event, Claim.AnswerNoted) else None
        submissions.get(named or current.interchange_id, current).answers.append(answer)
    for submission in submissions.values():
        submission.answers.sort(key=lambda each: each.received_at)
    return list(submissions.values())


def _submission(story: list[Event]) -> Submission:
    first = story[0]
    assert isinstance(first, Interchange.Intended), "an interchange begins with its intent"
    found = Submission(
        interchange_id=first.originator_id,
        control_number=first.order.control_number,
        file_name=first.order.file_name,
        digest=first.digest,
        state="intended",
        claim_count=len(first.claim_ids),
        intended_at=first.timestamp,
    )
    for event in story[1:]:
        match event:
            case Interchange.BecameUncertain():
                found.state = "uncertain"
            case Interchange.Sent(proof=proof):
                found.state, found.proof, found.sent_at = "sent", proof, event.timestamp
            case Interchange.Acknowledged(code=code):
                found.state = "acknowledged"
                found.answers.append(_answer("TA1", code, (), event))
            case Interchange.Decided(acknowledgement=kind, code=code, notes=notes, state=state):
                found.state = state.value
                found.answers.append(_answer(kind, code, notes, event))
    return found


def _claim_answer(event: Event) -> Answer | None:
    """What an event of the claim says that somebody answered; a rejection by 999 is told by the interchange."""
    match event:
        case Claim.Accepted(payer_control_number=number) | Claim.PayerNumberLearned(payer_control_number=number):
            return _answer("277CA", "accepted", (f"payer control number {number}",) if number else (), event)
        case Claim.Rejected(codes=codes) | Claim.ResubmissionRejected(codes=codes):
            if any(code.startswith(("999:", "TA1:")) for code in codes):
                return None
            return _answer("277CA", "rejected", codes, event)
        case Claim.AnswerNoted(answer=answer):
            word = f"{'accepted' if answer.accepted else 'rejected'} by {answer.reporter or 'somebody'}"
            return _answer("277CA", word, answer.codes, event)
        case Claim.StatusReported(status=status):
            return _answer("277", ", ".join(status.category_codes), status.status_codes, event)
    return None


def _answer(kind: str, word: str, notes: tuple[str, ...], event: Event) -> Answer:
    return Answer(kind, word, notes, event.meta.correlation_id, event.timestamp)
