"""Reads one 835 transaction set: header, claim payments as they come, trailer; each claim is balanced on the way."""

from __future__ import annotations

from collections.abc import Iterator

from x12.balancing import Balance
from x12.claim_payment_parser import GROUPS, GROUPS_OF_4010, ClaimPaymentParser
from x12.envelope import TransactionSet
from x12.errors import LimitExceeded
from x12.findings import FindingLog
from x12.remittance import (
    ProviderAdjustment,
    RemittanceEvent,
    RemittanceHeader,
    RemittanceTotals,
    RemittanceTrailer,
)
from x12.remittance_header import read_header
from x12.sections import Section, Sections
from x12.segments import DEFAULT_LIMITS, Limits, Run, component_separator, element_of
from x12.values import cents_of, date_of

PROVIDER_ADJUSTMENTS_MAX = 100_000
_PLB_PAIRS_END = 15
_REASON_LENGTH = 2
_REASON_CHARACTERS_MAX = 80
_SECTION_TAGS = ("LX", "CLP", "TS3", "TS2", "PLB")


class RemittanceReader:
    """Takes the runs of one set in order; `finish` closes it. Faults go to the set's findings."""

    def __init__(self, transaction_set: TransactionSet, limits: Limits = DEFAULT_LIMITS) -> None:
        delimiters = transaction_set.group.interchange.delimiters
        self._set = transaction_set
        self._separator = delimiters.element
        self._component = delimiters.component
        starts = frozenset(["LX" + delimiters.element, "LX", "CLP", "TS3", "TS2", "PLB"])
        self._sections = Sections(starts, transaction_set.offset, limits)
        groups = GROUPS_OF_4010 if transaction_set.version.startswith("004010") else GROUPS
        self._claims = ClaimPaymentParser(delimiters, transaction_set.findings, groups)
        self._balance = Balance()
        self._header: RemittanceHeader | None = None
        self._header_number = ""
        self._provider_id = ""
        self._provider_summary: list[str] = []
        self._provider_supplement: list[str] = []
        self._totals = RemittanceTotals()
        self._provider_adjustments: list[ProviderAdjustment] = []

    @property
    def _log(self) -> FindingLog:
        return self._set.findings

    def read(self, run: Run) -> Iterator[RemittanceEvent]:
        """Header and claims that end in this run; the segments after the last of them wait for the next."""
        for section in self._sections.ended(run):
            event = self._close_section(section)
            if event is not None:
                yield event

    def finish(self) -> Iterator[RemittanceEvent]:
        """The last claim if one is open, and the trailer."""
        event = self._close_section(self._sections.rest())
        if event is not None:
            yield event
        header = self._header or RemittanceHeader(self._set)
        self._log.extend(self._balance.close(header, self._totals, self._provider_adjustments))
        residuals = [self._log.judged(finding) for finding in self._balance.residuals]
        adjustments, largest = self._provider_adjustments, self._balance.largest_minor
        yield RemittanceTrailer(header, self._totals, adjustments, residuals, largest)

    def _close_section(self, section: Section) -> RemittanceEvent | None:
        texts, position = section.texts, section.position
        if self._header is None:
            self._header = read_header(self._set, texts, self._separator)
            return self._header
        first = texts[0].split(self._separator)
        match first[0]:
            case "CLP":
                return self._close_claim(section)
            case "PLB":
                self._read_provider_adjustments(first, section)
            case "LX":
                self._header_number, self._provider_id = element_of(first, 1), ""
                self._provider_summary, self._provider_supplement = [], []
            case "TS3":
                self._provider_id, self._provider_summary = element_of(first, 1), first
            case "TS2":
                self._provider_supplement = first
            case _:
                self._log.quarantine("unknown_segment", "", position, "the segment has no place in an 835")
        if len(texts) > 1:
            tag = first[0] if first[0] in _SECTION_TAGS else ""
            self._log.quarantine("misplaced_segment", tag, position + 1, "a segment stands outside any claim")
        return None

    def _close_claim(self, section: Section) -> RemittanceEvent:
        claim = self._claims.parse(section.texts, section.position)
        totals = self._totals
        claim.index = totals.claims
        claim.offset = section.offset
        claim.length = section.end - section.offset
        claim.header_number, claim.provider_id = self._header_number, self._provider_id
        claim.provider_summary, claim.provider_supplement = self._provider_summary, self._provider_supplement
        totals.claims += 1
        totals.lines += len(claim.lines)
        totals.charge_minor += claim.charge_minor
        totals.paid_minor += claim.paid_minor
        totals.patient_responsibility_minor += claim.patient_responsibility_minor
        totals.reversals += claim.is_reversal
        findings = self._balance.add(claim)
        if findings:
            self._log.extend(findings)
        if self._provider_adjustments:
            self._log.quarantine("misplaced_segment", "CLP", section.position, "a claim stands after PLB")
        return claim

    def _read_provider_adjustments(self, elements: list[str], section: Section) -> None:
        log, position, offset, length = self._log, section.position, section.offset, section.end - section.offset
        fiscal_date = date_of(element_of(elements, 2))
        if not element_of(elements, 1) or fiscal_date is None:
            log.quarantine("plb_head", "PLB", position, "PLB01 or PLB02 is missing or not a date")
        if len(elements) < 4 or len(elements) > _PLB_PAIRS_END:
            log.quarantine("plb_pairs", "PLB", position, "PLB holds one to six pairs of reason and amount")
        for number in range(3, len(elements), 2):
            reason, amount = elements[number], element_of(elements, number + 1)
            if not reason and not amount:
                continue
            cents = cents_of(amount)
            if cents is None or not reason or len(reason) > _REASON_CHARACTERS_MAX:
                message = f"PLB{number:02d} and PLB{number + 1:02d} are not a reason and an amount"
                log.quarantine("plb_pair", "PLB", position, message)
                continue
            code, _, reference = reason.partition(component_separator(reason, _REASON_LENGTH, self._component))
            self._add_provider_adjustment(
                ProviderAdjustment(
                    element_of(elements, 1), fiscal_date, code, reference, cents, position, offset, length
                )
            )

    def _add_provider_adjustment(self, adjustment: ProviderAdjustment) -> None:
        if len(self._provider_adjustments) >= PROVIDER_ADJUSTMENTS_MAX:
            raise LimitExceeded(
                "provider_adjustments", f"more than {PROVIDER_ADJUSTMENTS_MAX} PLB pairs", adjustment.offset
            )
        self._provider_adjustments.append(adjustment)
        self._totals.provider_adjustment_minor += adjustment.amount_minor
