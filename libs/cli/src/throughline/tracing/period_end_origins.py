"""What is booked at the end of a period: no fact of another service, but a person's order to show what is booked already."""

from __future__ import annotations

from throughline.tracing.books import Books
from throughline.tracing.origins import Origin, mirrored
from throughline.tracing.records import Part
from throughline.tracing.stored_facts import OriginMissing, StoredFacts, mappings_in, money_in
from throughline.wire import amount_text

DRAFTED = "ledger.subledger-posting.drafted"
OWED = "credit-balances"


class PeriodEndOrigins:
    """The origins of the parts of credit balances that are shown as owed."""

    def __init__(self, books: Books) -> None:
        self._facts = StoredFacts(books)

    def of_credit_balance(self, part: Part, entity: str) -> Origin:
        """The ledger's own posting; whose credit it is says its encounter or patient."""
        state = self._facts.state("ledger", part.posting_id, DRAFTED)
        lines = {str(line["account"]): money_in(line["amount"]) for line in mappings_in(state["lines"])}
        if OWED not in lines or len(lines) != 2:
            raise OriginMissing(f"posting {part.posting_id} is no credit balance")
        receivable = next(account for account in lines if account != OWED)
        amount = lines[receivable]
        shown = amount.minor > 0
        whose = state.get("encounter_id") or state.get("patient_id")
        told = "shown as owed at the end of the period" if shown else "taken back on the day after the period"
        return Origin(
            event="CreditBalancesPresented",
            service="ledger",
            story=(
                f"credit balance of {amount_text(abs(amount))} on {receivable} {told}",
                *([f"of {whose}"] if whose else ()),
            ),
            amounts=mirrored(receivable, OWED, amount),
            equation=f"{amount_text(abs(amount))} on {receivable} by everything booked until the period's end",
            equation_holds=amount == -lines[OWED],
            places=(),
        )
