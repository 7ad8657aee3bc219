"""What a kept file of a payer would announce if it came now, against what was announced when it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
        taken = _taken(store, head.receipt_id)
        chunks = [] if taken is None else file.parts(verdicts.ordinals[head.receipt_id])
        lines, parts_taken = _differing_claims(store, head.receipt_id, chunks)
        if taken is not None:
            lines = [*(f"remittance-received {head.receipt_id}: {each}" for each in _fields(head, taken)), *lines]
        if taken is not None and lines:
            found.changed.append(Changed(taken, head, tuple(_cut(lines))))
        elif parts_taken < head.chunk_count:
            found.heads.append(head)
            found.announced += _announced(head, taken is not None, parts_taken)
    _compare_answers(store, source, message_id, survey, found)
    return found


def _taken(store: EventStore, receipt_id: UUID) -> RemittanceSummary | None:
    for event in store.story(receipt_id, limit=1):
        assert isinstance(event, RemittanceReceipt.Read)
        return event.summary
    return None


def _announced(head: RemittanceSummary, is_begun: bool, parts_taken: int) -> Iterator[str]:
    if not is_begun:
        paid = f"{head.payment.decimal_text} by {head.payer_id}, {head.claim_count} claims"
        yield f"remittance-received {head.receipt_id}: {paid}"
    yield f"remittance-chunk-received {head.receipt_id}: parts {parts_taken + 1} to {head.chunk_count}"


def _differing_claims(
    store: EventStore, receipt_id: UUID, parts: Iterable[Sequence[ClaimPayment]]
) -> tuple[list[str], int]:
    """What differs in the parts that were taken, and how many these are; one part at a time is in memory."""
    lines: list[str] = []
    compared = 0
    for number, claims in enumerate(parts, 1):
        event = next(iter(store.story(receipt_id, after=number, limit=1)), None)
        if event is None:
            break
        compared = number
        assert isinstance(event, RemittanceReceipt.ChunkRead)
        place = f"remittance-chunk-received {receipt_id}, part {number}"
        if len(event.claims) != len(claims):
            lines.append(f"{place}: {len(claims)} claims, not {len(event.claims)}")
        for before, now in zip(event.claims, claims, strict=False):
            lines += (f"{place}, claim {now.position + 1}: {each}" for each in _fields(now, before))
    return lines, compared


def _cut(lines: Sequence[str]) -> Iterator[str]:
    """At most so many lines; no line names a patient."""
    yield from lines[:LINES_MAX]
    if len(lines) > LINES_MAX:
        yield f"and {len(lines) - LINES_MAX} more"


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
