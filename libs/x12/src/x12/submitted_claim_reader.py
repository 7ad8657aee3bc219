"""Reads one 837 transaction set, for inspection and for tracing what we sent."""

from __future__ import annotations

from collections.abc import Iterator

from canonical.money import Money

from x12.envelope import TransactionSet
from x12.findings import Finding, Level, Severity
from x12.sections import Section, Sections
from x12.segments import DEFAULT_LIMITS, Limits, Run, component_separator, element_of
from x12.submitted_claim import SubmissionEvent, SubmissionTrailer, SubmittedClaim, SubmittedLine, SubmitterLoops
from x12.values import cents_of, date_of, is_npi

_SERVICES = {"SV1": (1, 2, 4, 7), "SV2": (2, 3, 5, 0), "SV3": (1, 2, 6, 11)}  # procedure, charge, units, pointers
_FACILITY_LENGTH = 2
_QUALIFIER_LENGTHS = (2, 3)
_DIAGNOSES = frozenset(["ABK", "ABF", "BK", "BF"])


class SubmittedClaimReader:
    """Takes the runs of one set in order; `finish` closes it. Faults go to the set's findings."""

    def __init__(self, transaction_set: TransactionSet, limits: Limits = DEFAULT_LIMITS) -> None:
        delimiters = transaction_set.group.interchange.delimiters
        self._set = transaction_set
        self._separator = delimiters.element
        self._component = delimiters.component
        starts = frozenset(["HL" + delimiters.element, "HL", "CLM"])
        self._sections = Sections(starts, transaction_set.offset, limits)
        self._trailer = SubmissionTrailer(transaction_set)
        self._loops = SubmitterLoops()
        self._offset = transaction_set.offset
        self._position = 2

    def read(self, run: Run) -> Iterator[SubmissionEvent]:
        """Claims that end in this run; the segments after the last of them wait for the next."""
        for section in self._sections.ended(run):
            yield from self._close_section(section)

    def finish(self) -> Iterator[SubmissionEvent]:
        """The last claim if one is open, and the sums."""
        yield from self._close_section(self._sections.rest())
        yield self._trailer

    def _close_section(self, section: Section) -> Iterator[SubmissionEvent]:
        if not section.texts:
            return
        self._offset, self._position = section.offset, section.position
        split = [text.split(self._separator) for text in section.texts]
        self._check_npis(split)
        match split[0][0]:
            case "CLM":
                yield self._claim(split, section.end)
            case "HL":
                self._enter_level(split)

    def _enter_level(self, section: list[list[str]]) -> None:
        """Start the loops of one HL. A subscriber ends the patient before it, a provider ends both."""
        names = {element_of(each, 1): each for each in section if each[0] == "NM1"}
        loops = self._loops
        match element_of(section[0], 3):
            case "20":
                self._loops = SubmitterLoops(self._offset, billing=names)
            case "22":
                self._loops = SubmitterLoops(self._offset, loops.billing, subscriber=names)
            case "23":
                self._loops = SubmitterLoops(loops.offset, loops.billing, loops.subscriber, patient=names)
            case _:
                self._set.findings.quarantine("unknown_level", "HL", self._position, "HL03 is not a level of an 837")

    def _check_npis(self, section: list[list[str]]) -> None:
        for number, elements in enumerate(section):
            if elements[0] == "NM1" and element_of(elements, 8) == "XX" and not is_npi(element_of(elements, 9)):
                message = "NM109 is called an NPI and has a wrong check digit"
                self._set.findings.note("npi_check_digit", "NM1", self._position + number, message)

    def _claim(self, section: list[list[str]], end: int) -> SubmittedClaim:
        head = section[0]
        charge = cents_of(element_of(head, 2))
        if charge is None or not element_of(head, 1):
            message = "CLM01 is empty or CLM02 is not an amount"
            self._set.findings.quarantine("claim_head", "CLM", self._position, message)
        place = element_of(head, 5).split(component_separator(element_of(head, 5), _FACILITY_LENGTH, self._component))
        claim = SubmittedClaim(
            self._trailer.claims,
            self._position,
            self._offset,
            end - self._offset,
            element_of(head, 1),
            charge or 0,
            place[0],
            element_of(place, 2),
            "",
            [],
            [],
            self._loops,
        )
        among_other_payers = False
        for number, elements in enumerate(section[1:], 1):
            among_other_payers = elements[0] == "SBR" or (among_other_payers and elements[0] != "LX")
            if not among_other_payers:
                self._read_into(claim, elements, self._position + number)
        self._close_claim(claim)
        return claim

    def _read_into(self, claim: SubmittedClaim, elements: list[str], position: int) -> None:
        line = claim.lines[-1] if claim.lines else None
        match elements[0]:
            case "HI":
                claim.diagnoses += filter(None, map(self._diagnosis, elements[1:]))
            case "REF" if element_of(elements, 1) == "F8" and line is None:
                claim.payer_control_number = element_of(elements, 2)
            case "LX":
                claim.lines.append(SubmittedLine(position, element_of(elements, 1), [], 0, ""))
            case tag if tag in _SERVICES and line is not None:
                self._read_service(line, elements, position)
            case "DTP" if line is not None and element_of(elements, 1) == "472":
                line.service_date_text = element_of(elements, 3)
                line.service_date = date_of(line.service_date_text[:8])
            case "REF" if element_of(elements, 1) == "6R" and line is not None:
                line.line_control_number = element_of(elements, 2)

    def _diagnosis(self, composite: str) -> str:
        """The code of a diagnosis; nothing for the other families of HI."""
        qualifier, *codes = self._split(composite)
        return codes[0] if codes and qualifier in _DIAGNOSES else ""

    def _split(self, composite: str) -> list[str]:
        for length in _QUALIFIER_LENGTHS:
            separator = component_separator(composite, length, self._component)
            if separator != self._component:
                self._note_separator()
                return composite.split(separator)
        return composite.split(self._component)

    def _note_separator(self) -> None:
        if "component_separator" not in self._set.findings.counts:
            message = "composites use another separator than ISA16 says"
            self._set.findings.note("component_separator", "", self._position, message)

    def _read_service(self, line: SubmittedLine, elements: list[str], position: int) -> None:
        procedure, charged, units, pointers = _SERVICES[elements[0]]
        charge = cents_of(element_of(elements, charged))
        if charge is None:
            self._set.findings.quarantine("not_an_amount", elements[0], position, "the line's charge is not an amount")
        line.position = position
        line.procedure = self._split(element_of(elements, procedure))
        line.charge_minor = charge or 0
        line.units_text = element_of(elements, units)
        line.revenue_code = element_of(elements, 1) if elements[0] == "SV2" else ""
        line.diagnosis_pointers = element_of(elements, pointers).split(self._component) if pointers else []

    def _close_claim(self, claim: SubmittedClaim) -> None:
        trailer = self._trailer
        trailer.claims += 1
        trailer.lines += len(claim.lines)
        trailer.charge_minor += claim.charge_minor
        charged = sum(line.charge_minor for line in claim.lines)
        if charged != claim.charge_minor:
            self._set.findings.add(
                Finding(
                    "claim_charges",
                    Severity.QUARANTINE,
                    "CLM",
                    claim.position,
                    "the lines' charges do not add up to CLM02",
                    expected=Money(charged).decimal_text,
                    found=claim.charge.decimal_text,
                    level=Level.CLAIM,
                    residual=Money(charged - claim.charge_minor),
                )
            )
