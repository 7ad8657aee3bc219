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
        self._section_bytes_max = limits.section_bytes
        self._separator = delimiters.element
        self._component = delimiters.component
        self._starts = frozenset(["LX" + delimiters.element, "LX", "CLP", "TS3", "TS2", "PLB"])
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
        self._section: list[str] = []
        self._section_offset = transaction_set.offset
        self._section_position = 2
        self._end = transaction_set.offset

    @property
    def _log(self) -> FindingLog:
        return self._set.findings

    def read(self, run: Run) -> Iterator[RemittanceEvent]:
        """Header and claims that end in this run; the segments after the last of them wait for the next."""
        texts, offsets, starts = run.texts, run.offsets, self._starts
        begin = 0
        for index in [i for i, text in enumerate(texts) if text[:3] in starts]:
            self._section += texts[begin:index]
            event = self._close_section(offsets[index])
            if event is not None:
                yield event
            self._section = []
            self._section_offset = offsets[index]
            self._section_position = run.position + index
            begin = index
        self._section += texts[begin:]
        self._end = offsets[-1]
        if self._end - self._section_offset > self._section_bytes_max:
            message = f"more than {self._section_bytes_max} bytes in a claim or in the head of the set"
            raise LimitExceeded("section_bytes", message, self._end)

    def finish(self) -> Iterator[RemittanceEvent]:
        """The last claim if one is open, and the trailer."""
        event = self._close_section(self._end)
        if event is not None:
            yield event
        header = self._header or RemittanceHeader(self._set)
        self._log.extend(self._balance.close(header, self._totals, self._provider_adjustments))
        residuals = [self._log.judged(finding) for finding in self._balance.residuals]
        adjustments, largest = self._provider_adjustments, self._balance.largest_minor
        yield RemittanceTrailer(header, self._totals, adjustments, residuals, largest)

    def _close_section(self, end: int) -> RemittanceEvent | None:
        section, position = self._section, self._section_position
        if self._header is None:
            self._header = read_header(self._set, section, self._separator)
            return self._header
        first = section[0].split(self._separator)
        match first[0]:
            case "CLP":
                return self._close_claim(section, position, end)
            case "PLB":
                self._read_provider_adjustments(first, position, end)
            case "LX":
                self._header_number, self._provider_id = element_of(first, 1), ""
                self._provider_summary, self._provider_supplement = [], []
            case "TS3":
                self._provider_id, self._provider_summary = element_of(first, 1), first
            case "TS2":
                self._provider_supplement = first
            case _:
                self._log.quarantine("unknown_segment", "", position, "the segment has no place in an 835")
        if len(section) > 1:
            tag = first[0] if first[0] in _SECTION_TAGS else ""
            self._log.quarantine("misplaced_segment", tag, position + 1, "a segment stands outside any claim")
        return None

    def _close_claim(self, section: list[str], position: int, end: int) -> RemittanceEvent:
        claim = self._claims.parse(section, position)
        totals = self._totals
        claim.index = totals.claims
        claim.offset = self._section_offset
        claim.length = end - self._section_offset
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
            self._log.quarantine("misplaced_segment", "CLP", position, "a claim stands after PLB")
        return claim

    def _read_provider_adjustments(self, elements: list[str], position: int, end: int) -> None:
        log, offset = self._log, self._section_offset
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
                    element_of(elements, 1), fiscal_date, code, reference, cents, position, offset, end - offset
                )
            )

    def _add_provider_adjustment(self, adjustment: ProviderAdjustment) -> None:
        if len(self._provider_adjustments) >= PROVIDER_ADJUSTMENTS_MAX:
            raise LimitExceeded("provider_adjustments", f"more than {PROVIDER_ADJUSTMENTS_MAX} PLB pairs", self._end)
        self._provider_adjustments.append(adjustment)
        self._totals.provider_adjustment_minor += adjustment.amount_minor
