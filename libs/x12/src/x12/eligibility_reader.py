"""Reads 271 sets (005010X279A1): what a payer says of the coverage of each person that it was asked about."""

from __future__ import annotations

from collections.abc import Iterator

from x12.eligibility import Benefit, EligibilityAnswer, Rejection
from x12.envelope import TransactionSet
from x12.levels import Levels
from x12.segments import DEFAULT_LIMITS, Limits, Run, Segment, element_of, readable
from x12.values import cents_of, quantity_of

MESSAGES_MAX = 100
_SUBSCRIBER, _DEPENDENT = "22", "23"
_NAMES = {_SUBSCRIBER: "IL", _DEPENDENT: "03"}
_OUR_TRACE = "2"
_GROUP_NUMBERS = frozenset(["6P", "1L"])


class EligibilityReader:
    """Takes the runs of one 271 in order; `finish` closes it. Faults go to the set's findings."""

    def __init__(self, transaction_set: TransactionSet, limits: Limits = DEFAULT_LIMITS) -> None:
        self._set = transaction_set
        self._elements_max = limits.elements
        self._repetition = transaction_set.group.interchange.delimiters.repetition
        self._levels = Levels(limits)
        self._reference = ""
        self._payer = ("", "")
        self._member = ""
        self._rejected_above: dict[str, list[Rejection]] = {"20": [], "21": []}
        self._unanswered: EligibilityAnswer | None = None

    def read(self, run: Run) -> Iterator[EligibilityAnswer]:
        """Answers that end in this run."""
        for level in self._levels.ended(run):
            yield from self._close_level(level)

    def finish(self) -> Iterator[EligibilityAnswer]:
        """The last level, and the rejection of a payer or provider that nothing followed."""
        for level in self._levels.rest():
            yield from self._close_level(level)
        yield from self._nobody()

    def _close_level(self, level: list[Segment]) -> Iterator[EligibilityAnswer]:
        split = [segment.elements(self._elements_max) for segment in level]
        code = element_of(split[0], 3)
        if split[0][0] != "HL":
            self._reference = next((element_of(each, 3) for each in split if each[0] == "BHT"), "")
        elif code in self._rejected_above:
            yield from self._enter(code, level, split)
        elif code in _NAMES:
            answer = self._answer(code, level, split)
            if code == _SUBSCRIBER:
                self._member = answer.member_id
            rejected = any(elements[0] == "AAA" for elements in split)
            if code == _DEPENDENT or answer.trace or answer.benefits or rejected:
                self._unanswered = None
                yield answer
        else:
            message = "HL03 is not a level of a 271"
            self._set.findings.quarantine("unknown_level", "HL", level[0].position, message)

    def _enter(self, code: str, level: list[Segment], split: list[list[str]]) -> Iterator[EligibilityAnswer]:
        """A payer, which ends the provider before it, or a provider."""
        yield from self._nobody()
        if code == "20":
            name = next((each for each in split if each[0] == "NM1"), [])
            self._payer = readable(element_of(name, 3)), element_of(name, 9)
            self._rejected_above["21"] = []
        rejections = [
            _rejection(code, elements, segment.position)
            for segment, elements in zip(level, split, strict=True)
            if elements[0] == "AAA"
        ]
        self._rejected_above[code] = rejections
        if rejections:
            self._unanswered = self._new(level, "", is_dependent=False)

    def _nobody(self) -> Iterator[EligibilityAnswer]:
        """What was said of a payer or provider and reached no person."""
        answer, self._unanswered = self._unanswered, None
        if answer is not None:
            yield answer

    def _new(self, level: list[Segment], trace: str, *, is_dependent: bool) -> EligibilityAnswer:
        first, last = level[0], level[-1]
        answer = EligibilityAnswer(
            self._set,
            first.position,
            first.offset,
            last.offset + last.length - first.offset,
            self._reference,
            trace,
            *self._payer,
            member_id="",
            is_dependent=is_dependent,
        )
        for rejections in self._rejected_above.values():
            answer.rejections += rejections
        return answer

    def _answer(self, code: str, level: list[Segment], split: list[list[str]]) -> EligibilityAnswer:
        traces = (element_of(each, 2) for each in split if each[0] == "TRN" and element_of(each, 1) == _OUR_TRACE)
        answer = self._new(level, next(traces, ""), is_dependent=code == _DEPENDENT)
        for segment, elements in zip(level, split, strict=True):
            self._read_into(answer, code, elements, segment.position)
        if code == _DEPENDENT:
            answer.member_id = self._member
        if not answer.trace and (answer.benefits or code == _DEPENDENT):
            message = "the answer does not repeat the trace of the question"
            self._set.findings.quarantine("eligibility_trace", "TRN", level[0].position, message)
        return answer

    def _read_into(self, answer: EligibilityAnswer, code: str, elements: list[str], position: int) -> None:
        benefit = answer.benefits[-1] if answer.benefits else None
        qualifier, value = element_of(elements, 1), element_of(elements, 2)
        match elements[0]:
            case "NM1" if qualifier == _NAMES[code] and not answer.name:
                answer.name, answer.member_id = elements, element_of(elements, 9)
            case "REF" if qualifier in _GROUP_NUMBERS and benefit is None:
                answer.group_number = answer.group_number or value
            case "AAA":
                answer.rejections.append(_rejection(code, elements, position))
            case "DTP":
                (answer if benefit is None else benefit).dates.append((qualifier, element_of(elements, 3)))
            case "EB":
                answer.benefits.append(self._benefit(elements, position))
            case "MSG" if benefit is not None and len(benefit.messages) < MESSAGES_MAX:
                benefit.messages.append(readable(qualifier))

    def _benefit(self, elements: list[str], position: int) -> Benefit:
        amount, share, quantity = (element_of(elements, number) for number in (7, 8, 10))
        cents, part, count = cents_of(amount), quantity_of(share), quantity_of(quantity)
        if (amount and cents is None) or (share and part is None) or (quantity and count is None):
            message = "EB07 is not an amount, or EB08 or EB10 not a number"
            self._set.findings.quarantine("eligibility_benefit", "EB", position, message)
        types = element_of(elements, 3)
        return Benefit(
            information=element_of(elements, 1),
            coverage_level=element_of(elements, 2),
            service_types=tuple(types.split(self._repetition) if self._repetition else [types]) if types else (),
            insurance_type=element_of(elements, 4),
            plan=readable(element_of(elements, 5)),
            period=element_of(elements, 6),
            amount_minor=cents,
            share=part,
            quantity_qualifier=element_of(elements, 9),
            quantity=count,
            authorization_required=element_of(elements, 11),
            in_network=element_of(elements, 12),
            position=position,
        )


def _rejection(level: str, elements: list[str], position: int) -> Rejection:
    return Rejection(level, element_of(elements, 3), element_of(elements, 4), position)
