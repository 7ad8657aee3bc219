"""Questions that are answered while somebody waits: 271 to a 270 about coverage, 277 to a 276 about claims."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from canonical.money import Money

from sandbox.world.claim_set_reader import element_at
from sandbox.world.desk import ClaimFile
from sandbox.world.payer import Answer, AnswerKind, Payers
from sandbox.world.x12_claims import ISA_BYTES, Unreadable
from sandbox.world.x12_writing import Route, TransactionSet, amount_text, day_text, interchange, segment

FIRST_CONTROL_NUMBER = 900_000_001
COVERAGE, STATUS = "270", "276"
VERSION_271, VERSION_277 = "005010X279A1", "005010X212"
PLAN = "GOLD 1500"
LEVELS = ("20", "21", "19", "22", "23")
"""HL03 from the top: payer, receiver, provider of the claims, subscriber, dependent."""
_Row = Sequence[str]


@dataclass(slots=True)
class _Question:
    """One TRN of a question with what stands around it: everybody is an NM1 row."""

    trace: _Row
    payer: _Row
    receiver: _Row
    provider: _Row
    subscriber: _Row
    dependent: _Row
    patient_control_number: str = ""
    days: str = ""


@dataclass(slots=True)
class _Asked:
    """A whole question: who asks whom, BHT03, and its parts in order."""

    kind: str
    sender: str
    receiver: str
    reference: str = ""
    questions: list[_Question] = field(default_factory=list)


class AnswerDesk:
    """Answers for all payers: members that it was told of, or whose claims a payer holds, are covered; others are not found.

    Of a claim it says where the payers' own files have it. Its interchange numbers are apart from those of the payers.
    """

    def __init__(self, payers: Payers, now: Callable[[], datetime], members: Iterable[str] = ()) -> None:
        self._payers = payers
        self._now = now
        self._members = frozenset(members)
        self._next_number = FIRST_CONTROL_NUMBER
        self._lock = threading.Lock()
        self.asked: list[bytes] = []

    def answer(self, question: bytes) -> bytes:
        """The 271 or 277.

        Raises:
            Unreadable: neither a 270 nor a 276.
        """
        asked = _read(question)
        with self._lock:
            self.asked.append(question)
            number = self._next_number
            self._next_number += 1
        route = Route(asked.receiver, asked.sender, number, self._now())
        if asked.kind == COVERAGE:
            body = TransactionSet("271", VERSION_271, list(self._coverage(asked, route)))
            return interchange(route, "HB", VERSION_271, [body])
        body = TransactionSet("277", VERSION_277, list(self._status(asked, route)))
        return interchange(route, "HN", VERSION_277, [body])

    def answer_file(self, question: bytes) -> Answer:
        """The same as a file on its way back."""
        content = self.answer(question)
        return Answer(AnswerKind.STATUS, f"answer-{content[90:99].decode()}.277", content)

    def _coverage(self, asked: _Asked, route: Route) -> Iterator[str]:
        moment = route.moment
        yield segment("BHT", "0022", "11", asked.reference, day_text(moment), f"{moment:%H%M}")
        first, level = asked.questions[0], 2
        yield segment("HL", "1", "", "20", "1")
        yield segment(*first.payer)
        yield segment("HL", "2", "1", "21", "1")
        yield segment(*first.provider)
        for each in asked.questions:
            level += 1
            yield segment("HL", str(level), "2", "22", "1" if each.dependent else "0")
            trace = segment("TRN", "2", *each.trace[2:])
            if each.dependent:
                yield segment(*each.subscriber)
                yield segment("HL", str(level + 1), str(level), "23", "0")
                level += 1
            yield trace
            yield segment(*(each.dependent or each.subscriber))
            yield from self._benefits(element_at(each.subscriber, 9))

    def _benefits(self, member_id: str) -> Iterator[str]:
        if not self._knows(member_id):
            yield segment("AAA", "N", "", "75", "C")
            return
        yield segment("EB", "1", "IND", "30", "CI", PLAN)
        yield segment("EB", "C", "IND", "30", "", "", "23", "1500")
        yield segment("EB", "C", "IND", "30", "", "", "29", "620.5")
        yield segment("EB", "A", "IND", "30", "", "", "", "", ".2")
        yield segment("EB", "B", "IND", "98", "", "", "27", "25")

    def _knows(self, member_id: str) -> bool:
        known = (file.claim.member_id for _, _, file in self._payers.claim_files())
        return member_id in self._members or member_id in known

    def _status(self, asked: _Asked, route: Route) -> Iterator[str]:
        moment = route.moment
        yield segment("BHT", "0010", "08", asked.reference, day_text(moment), f"{moment:%H%M}", "DG")
        first, level = asked.questions[0], 3
        yield segment("HL", "1", "", "20", "1")
        yield segment(*first.payer)
        yield segment("HL", "2", "1", "21", "1")
        yield segment(*first.receiver)
        yield segment("HL", "3", "2", "19", "1")
        yield segment(*first.provider)
        files = {file.claim.patient_control_number: file for _, _, file in self._payers.claim_files()}
        for each in asked.questions:
            level += 1
            yield segment("HL", str(level), "3", "22", "1" if each.dependent else "0")
            yield segment(*each.subscriber)
            if each.dependent:
                yield segment("HL", str(level + 1), str(level), "23")
                yield segment(*each.dependent)
                level += 1
            yield segment("TRN", "2", *each.trace[2:])
            yield from _standing(each, files.get(each.patient_control_number), day_text(moment))


def answers_to(content: bytes, payers: Payers, desk: AnswerDesk, moment: datetime) -> list[Answer]:
    """What comes back for a file: the desk's answer to questions, the payers' answers to claims."""
    try:
        return [desk.answer_file(content)]
    except Unreadable:
        return payers.receive(content, moment)


def _standing(question: _Question, file: ClaimFile | None, today: str) -> Iterator[str]:
    """STC by what the payer holds: not found, pending, denied or paid."""
    if file is None:
        yield segment("STC", "A4:35", today, "", "0", "0")
    else:
        paid = file.paid if file.standing else Money.zero()
        status = "P1:20" if not file.standing else "F2:1" if file.is_denied else "F1:65"
        yield segment("STC", status, today, "", amount_text(file.claim.charge), amount_text(paid))
        yield segment("REF", "1K", file.payer_control_number)
    yield segment("REF", "EJ", question.patient_control_number)
    if question.days:
        yield segment("DTP", "472", "RD8" if "-" in question.days else "D8", question.days)


def _read(content: bytes) -> _Asked:
    """Reads level by level: a level with a trace asks, and the names of the levels above say about whom.

    Raises:
        Unreadable: neither a 270 nor a 276, or one that asks nothing.
    """
    text = content.decode("latin-1")
    if len(text) < ISA_BYTES or not text.startswith("ISA"):
        raise Unreadable(f"{len(text)} characters without a full ISA segment at the start")
    element, terminator = text[3], text[ISA_BYTES - 1]
    isa = text[: ISA_BYTES - 1].split(element)
    rows = [row.strip("\r\n").split(element) for row in text[ISA_BYTES:].split(terminator) if row.strip()]
    kind = next((element_at(row, 1) for row in rows if row[0] == "ST"), "")
    if kind not in (COVERAGE, STATUS):
        raise Unreadable(f"a {kind or 'file without a set'} is not a question")
    reference = next((element_at(row, 3) for row in rows if row[0] == "BHT"), "")
    names: dict[str, _Row] = {}
    questions: list[_Question] = []
    for level in _levels(rows):
        own = next((row for row in level if row[0] == "NM1"), [])
        code = element_at(level[0], 3)
        names = {above: names[above] for above in LEVELS[: LEVELS.index(code)] if above in names} | {code: own}
        questions += _questions(level, names, kind)
    if not questions:
        raise Unreadable("a question without a trace")
    return _Asked(kind, isa[6].strip(), isa[8].strip(), reference, questions)


def _levels(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    starts = [index for index, row in enumerate(rows) if row[0] == "HL"]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        yield rows[start:end]


def _questions(level: Sequence[list[str]], names: Mapping[str, _Row], kind: str) -> Iterator[_Question]:
    """The traces of one level, each with the claim's number and days below it."""
    question: _Question | None = None
    for row in level:
        if row[0] == "TRN":
            if question:
                yield question
            question = _question(row, names, kind)
        elif question and row[:2] == ["REF", "EJ"]:
            question.patient_control_number = element_at(row, 2)
        elif question and row[:2] == ["DTP", "472"]:
            question.days = element_at(row, 3)
    if question:
        yield question


def _question(trace: _Row, names: Mapping[str, _Row], kind: str) -> _Question:
    provider = names.get("19" if kind == STATUS else "21", [])
    receiver = names.get("21", [])
    return _Question(trace, names.get("20", []), receiver, provider, names.get("22", []), names.get("23", []))
