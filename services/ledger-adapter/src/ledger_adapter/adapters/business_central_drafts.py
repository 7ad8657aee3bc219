"""What Business Central makes of a document of ours: the body of one journal with its lines and their dimensions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger_adapter.adapters.books import Chart
from ledger_adapter.adapters.business_central_words import journal_code, value_at, values_in
from ledger_adapter.adapters.erp_amounts import decimal_of
from ledger_adapter.application.ports import ErpJournal, ErpLine, RefusalKind, Refused

CODE_LENGTH_MAX = 20
_COMPARED = ("accountNumber", "postingDate", "documentNumber", "amount")


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as one journal."""

    number: str
    body: Mapping[str, object]
    lines: tuple[Mapping[str, Any], ...]

    def is_held_by(self, lines: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these are our lines; the setup of an account may have given them further dimensions."""
        return len(lines) == len(self.lines) and all(
            all(ours[name] == theirs[name] for name in _COMPARED)
            and values_in(ours).items() <= values_in(theirs).items()
            for ours, theirs in zip(self.lines, lines, strict=True)
        )


class Drafting:
    """Makes drafts. Lines on `customer_accounts` go to the party as a customer; all parties are values of a dimension too."""

    def __init__(self, party_dimension: str, customer_accounts: Collection[str]) -> None:
        self._party_dimension = party_dimension
        self._customer_accounts = customer_accounts

    def draft(self, chart: Chart, document: ErpJournal) -> Draft | Refused:
        lines = []
        for line in document.lines:
            made = self._line(chart, document, line)
            if isinstance(made, Refused):
                return made
            lines.append(made)
        name = {"code": journal_code(document.number), "displayName": document.number}
        return Draft(document.number, {**name, "journalLines": lines}, tuple(lines))

    def _line(self, chart: Chart, document: ErpJournal, line: ErpLine) -> Mapping[str, Any] | Refused:
        """The account's type stands before its number, for fields are looked at in their order."""
        party = chart.party_of(line.party)
        told = {code: value_at(each, getattr(line, each.value)) for each, code in chart.dimensions.items()}
        values = {code: value for code, value in {self._party_dimension: party, **told}.items() if value}
        for code, value in values.items():
            if value != value.upper() or len(value) > CODE_LENGTH_MAX:
                reason = f"{code} {value} is no code: at most {CODE_LENGTH_MAX} characters, in capitals"
                return Refused(RefusalKind.INVALID, reason)
        account = chart.accounts[line.account]
        is_customer = account in self._customer_accounts
        return {
            **({"accountType": "Customer"} if is_customer else {}),
            "accountNumber": party if is_customer else account,
            "postingDate": document.effective_date.isoformat(),
            "documentNumber": document.number,
            "externalDocumentNumber": document.number,
            "amount": decimal_of(line.amount),
            "dimensionSetLines": [{"code": code, "valueCode": value} for code, value in values.items()],
        }
