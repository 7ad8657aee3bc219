"""Reads the head of an 835: BPR, TRN, currency, dates, payer and payee."""

from __future__ import annotations

from x12.envelope import TransactionSet
from x12.findings import FindingLog
from x12.remittance import Party, RemittanceHeader
from x12.segments import element_of, readable
from x12.values import cents_of, date_of, is_npi

_FIRST_POSITION = 2
_OF_A_PARTY = frozenset(["N3", "N4", "PER", "RDM"])


def read_header(transaction_set: TransactionSet, texts: list[str], separator: str) -> RemittanceHeader:
    """The header of the segments between ST and the first claim; what is missing or unusable becomes a finding."""
    header = RemittanceHeader(transaction_set)
    reader = _HeaderReader(header)
    for position, text in enumerate(texts, _FIRST_POSITION):
        reader.read(text.split(separator), position)
    log = transaction_set.findings
    if "BPR" not in reader.seen:
        log.refuse("missing_bpr", "BPR", 1, "there is no BPR segment, so no payment")
    if not header.trace_number or not header.payer_identifier:
        log.refuse("missing_trace", "TRN", reader.trace_position, "TRN02 and TRN03 must name the payment")
    for code, name in (("PR", "payer"), ("PE", "payee")):
        if code not in reader.parties:
            log.quarantine(f"missing_{name}", "N1", 1, f"there is no N1*{code} segment, so no {name}")
    return header


class _HeaderReader:
    def __init__(self, header: RemittanceHeader) -> None:
        self._header = header
        self._party: Party | None = None
        self.parties: set[str] = set()
        self.seen: set[str] = set()
        self.trace_position = 1

    @property
    def _log(self) -> FindingLog:
        return self._header.transaction_set.findings

    def read(self, elements: list[str], position: int) -> None:
        tag = elements[0]
        match tag:
            case "BPR" | "TRN" if tag in self.seen:
                self._log.quarantine("repeated_segment", tag, position, f"{tag} stands twice")
            case "BPR":
                self._read_payment(elements, position)
            case "TRN":
                self.trace_position = position
                self._header.trace_number = element_of(elements, 2)
                self._header.payer_identifier = element_of(elements, 3)
                self._header.originating_company_supplement = element_of(elements, 4)
            case "CUR":
                self._read_currency(elements, position)
            case "DTM":
                self._read_date(elements)
            case "REF":
                references = self._party.references if self._party else self._header.references
                references.append((element_of(elements, 1), element_of(elements, 2)))
            case "N1":
                self._read_party(elements, position)
            case _ if tag in _OF_A_PARTY and self._party:
                self._read_detail(self._party, elements)
            case _:
                self._log.quarantine(
                    "misplaced_segment", "", position, "the segment has no place in the head of an 835"
                )
        self.seen.add(tag)

    def _read_date(self, elements: list[str]) -> None:
        qualifier, value = element_of(elements, 1), date_of(element_of(elements, 2))
        self._header.dates.append((qualifier, value))
        if qualifier == "405":
            self._header.production_date = value

    def _read_detail(self, party: Party, elements: list[str]) -> None:
        match elements[0]:
            case "PER":
                party.contacts.append(elements)
            case "RDM":
                party.delivery = elements
            case _:
                party.address.append(elements)

    def _read_payment(self, elements: list[str], position: int) -> None:
        header, log = self._header, self._log
        cents = cents_of(element_of(elements, 2))
        if cents is None:
            log.refuse("bpr02_not_an_amount", "BPR", position, "BPR02 is not an amount")
        elif cents < 0:
            log.quarantine("bpr02_negative", "BPR", position, "BPR02 is below zero; BPR03 says who owes")
        header.payment_minor = cents or 0
        header.payment_position = position
        if element_of(elements, 3) not in ("C", "D"):
            log.quarantine("bpr03_unknown", "BPR", position, "BPR03 says neither credit nor debit")
        header.handling_code = element_of(elements, 1)
        header.is_debit = element_of(elements, 3) == "D"
        header.payment_method = element_of(elements, 4)
        header.payment_format = element_of(elements, 5)
        header.originating_company = element_of(elements, 10)
        header.effective_date = date_of(element_of(elements, 16))
        if header.effective_date is None:
            log.quarantine(
                "bpr16_not_a_date", "BPR", position, "BPR16 is missing or not a date, so the payment has no day"
            )

    def _read_currency(self, elements: list[str], position: int) -> None:
        self._header.currency_details = elements
        self._header.currency = element_of(elements, 2)
        if self._header.currency != "USD":
            self._log.refuse("currency", "CUR", position, "the amounts are not in US dollars")

    def _read_party(self, elements: list[str], position: int) -> None:
        code = element_of(elements, 1)
        party = Party(readable(element_of(elements, 2)), element_of(elements, 3), element_of(elements, 4))
        self._party = party
        if party.identifier_qualifier == "XX" and not is_npi(party.identifier):
            self._log.note("npi_check_digit", "N1", position, "N104 is called an NPI and has a wrong check digit")
        if code in self.parties:
            self._log.quarantine("repeated_segment", "N1", position, f"N1*{code} stands twice")
        elif code == "PR":
            self._header.payer = party
        elif code == "PE":
            self._header.payee = party
        else:
            self._log.quarantine("unknown_party", "N1", position, "N101 names neither payer nor payee")
        self.parties.add(code)
