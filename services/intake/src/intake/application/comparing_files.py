"""What a kept file of a payer would announce if it came now, against what was announced when it came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from canonical.envelope import PublicEvent
from canonical.money import Money
from canonical.remittance import ClaimPayment, RemittanceSummary
from chassis.domain import ContextSource, Event
from chassis.eventstore import EventStore

from intake.application.judging_files import Verdicts
from intake.application.ports import PayerFile, Survey
from intake.application.publishing import publish
from intake.application.receiving_files import answers_in
from intake.domain.identities import answer_id_of
from intake.domain.payer_answer import PayerAnswer
from intake.domain.remittance_receipt import RemittanceReceipt

CLAIMS_COMPARED_MAX = 20_000
LINES_MAX = 50
ANSWER_TAKEN = "taken-already: claims went on by what it announced then; a person corrects them"


@dataclass(frozen=True, slots=True)
class Changed:
    """A remittance that was announced, and would be announced otherwise now. `lines` name event, place and values."""

    taken: RemittanceSummary
    read: RemittanceSummary
    lines: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What tells this difference from another of the same remittance."""
        return sha256("\n".join(self.lines).encode()).hexdigest()

    @property
    def amount(self) -> Money:
        return self.read.payment - self.taken.payment


@dataclass(slots=True)
class Comparison:
    """What of a file was never taken to its end, what would differ, and what would be refused now."""

    heads: list[RemittanceSummary] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def compare(
    store: EventStore, source: ContextSource, message_id: UUID, file: PayerFile, survey: Survey, verdicts: Verdicts
) -> Comparison:
    """Reads what is stored of the message; records nothing."""
    found = Comparison()
    for head in verdicts.heads:
        story = store.story(head.receipt_id)
        if len(story) <= head.chunk_count:
            found.heads.append(head)
            found.announced += _announced(head, max(0, len(story) - 1))
        if story:
            lines = tuple(_differences(head, story, file, verdicts.ordinals[head.receipt_id]))
            if lines:
                first = story[0]
                assert isinstance(first, RemittanceReceipt.Read)
                found.changed.append(Changed(first.summary, head, lines))
    _compare_answers(store, source, message_id, survey, found)
    return found


def _announced(head: RemittanceSummary, parts_taken: int) -> Iterator[str]:
    if not parts_taken:
        paid = f"{head.payment.decimal_text} by {head.payer_id}, {head.claim_count} claims"
        yield f"remittance-received {head.receipt_id}: {paid}"
    yield f"remittance-chunk-received {head.receipt_id}: parts {parts_taken + 1} to {head.chunk_count}"


def _differences(head: RemittanceSummary, story: Sequence[Event], file: PayerFile, ordinal: int) -> Iterator[str]:
    """One line for each place that is read otherwise, at most so many; no line names a patient."""
    read = story[0]
    assert isinstance(read, RemittanceReceipt.Read)
    lines = [f"remittance-received {head.receipt_id}: {each}" for each in _fields(head, read.summary)]
    if head.claim_count <= CLAIMS_COMPARED_MAX:
        lines += _claims(story[1:], file, ordinal)
    yield from lines[:LINES_MAX]
    if len(lines) > LINES_MAX:
        yield f"and {len(lines) - LINES_MAX} more"


def _claims(chunks: Sequence[Event], file: PayerFile, ordinal: int) -> Iterator[str]:
    for number, (event, claims) in enumerate(zip(chunks, file.parts(ordinal), strict=False)):
        assert isinstance(event, RemittanceReceipt.ChunkRead)
        place = f"remittance-chunk-received {event.originator_id}, part {number + 1}"
        if len(event.claims) != len(claims):
            yield f"{place}: {len(claims)} claims, not {len(event.claims)}"
        for before, now in zip(event.claims, claims, strict=False):
            yield from (f"{place}, claim {now.position + 1}: {each}" for each in _fields(now, before))


def _fields(now: RemittanceSummary | ClaimPayment, before: RemittanceSummary | ClaimPayment) -> Iterator[str]:
    """Amounts and counts are told; of everything else, only that it differs: numbers may lead to a patient."""
    for name in type(now).model_fields:
        new, old = getattr(now, name), getattr(before, name)
        if new == old:
            continue
        if isinstance(new, Money) and isinstance(old, Money):
            yield f"{name} {new.decimal_text}, not {old.decimal_text}"
        elif isinstance(new, int) and isinstance(old, int):
            yield f"{name} {new}, not {old}"
        else:
            yield f"{name} differs"


def _compare_answers(
    store: EventStore, source: ContextSource, message_id: UUID, survey: Survey, found: Comparison
) -> None:
    """Acknowledgements and statuses: what is there is compared as it was announced."""
    for ordinal, take in answers_in(survey):
        identity = answer_id_of(message_id, ordinal)
        answer = PayerAnswer(identity, source)
        take(answer, message_id)
        now, before = _public(answer.pending), _public(store.story(identity))
        kinds = ", ".join(sorted({each.TYPE for each in now}))
        if now and not before:
            found.answers.append(ordinal)
            found.announced.append(f"{kinds} {identity}: {len(now)}")
        elif now != before:
            differing = sum(one != other for one, other in zip(now, before, strict=False)) or 1
            found.refused.append(f"{kinds} {identity}: {max(differing, abs(len(now) - len(before)))}: {ANSWER_TAKEN}")


def _public(events: Sequence[Event]) -> list[PublicEvent]:
    return [public for event in events for public in publish(event)]
