"""Reads 277 sets: the claim acknowledgement (277CA, 005010X214) and the status response (005010X212)."""

from __future__ import annotations

from collections.abc import Iterator

from x12.acknowledgement import (
    REPORTER_OF_ENTITY,
    AcknowledgementEvent,
    ClaimAcknowledgement,
    ClaimStatus,
    LevelAcknowledgement,
    LineStatus,
    Outcome,
    Reporter,
)
from x12.envelope import TransactionSet
from x12.levels import Levels
from x12.segments import DEFAULT_LIMITS, Limits, Run, Segment, component_separator, element_of, readable
from x12.values import cents_of, date_of

PATIENT_LEVELS = frozenset(["PT", "22", "23"])
UPPER_LEVELS = frozenset(["20", "21", "19"])
_CATEGORY_LENGTH = 2
_STATUS_COMPOSITES = (1, 10, 11)
_CLAIM_ACKNOWLEDGEMENT = "005010X214"
_INQUIRY_ANSWER = "005010X212"


class ClaimStatusReader:
    """Takes the runs of one 277 in order; `finish` closes it. Faults go to the set's findings."""

    def __init__(self, transaction_set: TransactionSet, limits: Limits = DEFAULT_LIMITS) -> None:
        self._set = transaction_set
        self._elements_max = limits.elements
        self._component = transaction_set.group.interchange.delimiters.component
        self._levels = Levels(limits)
        self._level: list[Segment] = []
        self._claims = 0
        self._provider = ""
        self._reporter = Reporter.UNKNOWN
        self._submission = ""

    def read(self, run: Run) -> Iterator[AcknowledgementEvent]:
        """Levels and claims that end in this run."""
        for level in self._levels.ended(run):
            yield from self._close_level(level)

    def finish(self) -> Iterator[AcknowledgementEvent]:
        """The last level."""
        for level in self._levels.rest():
            yield from self._close_level(level)

    def _close_level(self, level: list[Segment]) -> Iterator[AcknowledgementEvent]:
        if level[0].tag != "HL":
            return
        self._level = level
        split = [segment.elements(self._elements_max) for segment in self._level]
        code = element_of(split[0], 3)
        if code in UPPER_LEVELS:
            yield self._upper_level(code, split)
        elif code in PATIENT_LEVELS:
            yield from self._claims_of(split)
        else:
            position = self._level[0].position
            self._set.findings.quarantine("unknown_level", "HL", position, "HL03 is not a level of a 277")

    def _upper_level(self, code: str, split: list[list[str]]) -> LevelAcknowledgement:
        name = next((each for each in split if each[0] == "NM1"), [])
        identifier, entity = element_of(name, 9), element_of(name, 1)
        position = self._level[0].position
        level = LevelAcknowledgement(code, position, readable(element_of(name, 3)), identifier, "", entity)
        for segment, elements in zip(self._level, split, strict=True):
            match elements[0]:
                case "TRN":
                    level.reference = element_of(elements, 2)
                case "STC":
                    level.statuses.append(self._status(elements, segment.position))
                case "QTY":
                    level.quantities.append((element_of(elements, 1), element_of(elements, 2)))
                case "AMT":
                    level.amounts.append((element_of(elements, 1), cents_of(element_of(elements, 2))))
        self._enter(level)
        return level

    def _enter(self, level: LevelAcknowledgement) -> None:
        """What the claims below a level have from it. A source ends the receiver and provider before it, a receiver the provider."""
        match level.level:
            case "20":
                self._reporter = REPORTER_OF_ENTITY.get(level.entity, Reporter.UNKNOWN)
                self._submission = self._provider = ""
            case "21":
                self._submission, self._provider = level.reference, ""
            case _:
                self._provider = level.identifier

    def _claims_of(self, split: list[list[str]]) -> Iterator[ClaimAcknowledgement]:
        name = next((each for each in split if each[0] == "NM1"), [])
        starts = [index for index, each in enumerate(split) if each[0] == "TRN"]
        for number, start in enumerate(starts):
            stop = starts[number + 1] if number + 1 < len(starts) else len(split)
            first = self._level[0 if number == 0 else start]
            last = self._level[stop - 1]
            claim = ClaimAcknowledgement(
                self._claims,
                self._level[start].position,
                first.offset,
                last.offset + last.length - first.offset,
                "",
                self._provider,
                self._reporter,
                self._submission,
                name=name,
            )
            self._name(claim, element_of(split[start], 2))
            self._claims += 1
            for index in range(start + 1, stop):
                self._read_into(claim, split[index], self._level[index].position)
            self._check(claim)
            yield claim

    def _name(self, claim: ClaimAcknowledgement, trace: str) -> None:
        """TRN02 is our number of the claim in an acknowledgement, and our trace of the question in an answer."""
        if self._set.version == _INQUIRY_ANSWER:
            claim.inquiry_reference = trace
        else:
            claim.patient_control_number = trace

    def _read_into(self, claim: ClaimAcknowledgement, elements: list[str], position: int) -> None:
        line = claim.lines[-1] if claim.lines else None
        match elements[0]:
            case "STC":
                (line.statuses if line else claim.statuses).append(self._status(elements, position))
            case "SVC":
                composite = element_of(elements, 1)
                separator = component_separator(composite, _CATEGORY_LENGTH, self._component)
                charge, paid = cents_of(element_of(elements, 2)), cents_of(element_of(elements, 3))
                claim.lines.append(LineStatus(composite.split(separator), charge, paid))
            case "REF":
                self._reference(claim, line, element_of(elements, 1), element_of(elements, 2))
            case "DTP" if element_of(elements, 1) == "472":
                (line or claim).service_dates = element_of(elements, 3)

    def _reference(self, claim: ClaimAcknowledgement, line: LineStatus | None, qualifier: str, value: str) -> None:
        if line is not None and qualifier == "FJ":
            line.line_control_number = value
        elif qualifier == "EJ" and self._set.version == _INQUIRY_ANSWER:
            claim.patient_control_number = value
        elif qualifier == "1K":
            claim.payer_control_number = value
        elif qualifier == "D9":
            claim.clearinghouse_number = value
        else:
            claim.references.append((qualifier, value))

    def _status(self, elements: list[str], position: int) -> ClaimStatus:
        composites = [element_of(elements, number) for number in _STATUS_COMPOSITES]
        codes = tuple(self._code(composite) for composite in composites if composite) or (("", "", ""),)
        amounts = element_of(elements, 4), element_of(elements, 5)
        charge, paid = (cents_of(amount) if amount else None for amount in amounts)
        if not codes[0][0] or (charge is None and amounts[0]) or (paid is None and amounts[1]):
            message = "STC01 is empty, or STC04 or STC05 is not an amount"
            self._set.findings.quarantine("status", "STC", position, message)
        decided, paid_on = date_of(element_of(elements, 6)), date_of(element_of(elements, 8))
        date, action = date_of(element_of(elements, 2)), element_of(elements, 3)
        return ClaimStatus(codes, date, action, charge, paid, decided, paid_on, element_of(elements, 9))

    def _code(self, composite: str) -> tuple[str, str, str]:
        parts = composite.split(component_separator(composite, _CATEGORY_LENGTH, self._component))
        return element_of(parts, 0), element_of(parts, 1), element_of(parts, 2)

    def _check(self, claim: ClaimAcknowledgement) -> None:
        log = self._set.findings
        named = claim.patient_control_number or claim.inquiry_reference
        if not named or not (claim.statuses or claim.lines):
            log.quarantine("claim_status", "TRN", claim.position, "TRN02 is empty or the claim has no status")
        if claim.statuses and claim.outcome is Outcome.UNDECIDED and self._set.version == _CLAIM_ACKNOWLEDGEMENT:
            message = "the statuses neither accept nor reject the claim"
            log.note("undecided", "TRN", claim.position, message)
