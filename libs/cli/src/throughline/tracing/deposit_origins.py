"""The facts behind bank deposits: matched with the remittances that they pay, or booked as nobody's until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from canonical.money import Money

from throughline.checker.expected import Sums, by_deposit, by_unidentified_deposit
from throughline.tracing import identities
from throughline.tracing.books import Books
from throughline.tracing.origins import Origin, booked_amounts
from throughline.tracing.records import Part, Remittance
from throughline.tracing.stored_facts import OriginMissing, StoredFacts, money_in, span_in
from throughline.wire import amount_text

MATCHED = "payments.remittance.deposit-matched"
RECORDED = "payments.deposit.recorded"
UNIDENTIFIED = "payments.deposit.unidentified"


class DepositOrigins:
    """The origins of the parts of deposits."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._facts = StoredFacts(books)

    @property
    def finders(self) -> Mapping[str, Callable[[Part, str], Origin]]:
        """By the kind of the journal entry."""
        return {"deposit": self._of_match, "unidentified-deposit": self._of_unidentified}

    def _of_match(self, part: Part, entity: str) -> Origin:
        """One of the deposits of a remittance; all of them together are what it pays."""
        remittance = self._books.remittance(part.item_id)
        matched = [state for topic, state in self._books.events("payments", part.item_id) if topic == MATCHED]
        for state in matched:
            deposit_id = str(state["deposit_id"])
            if remittance and identities.deposit_posting(deposit_id, part.item_id) == part.posting_id:
                total = Money.total(money_in(each["amount"]) for each in matched)
                what = "deposit" if len(matched) == 1 else f"{len(matched)} deposits"
                return self._origin(
                    "DepositMatched",
                    deposit_id,
                    _words_of(remittance),
                    by_deposit(state),
                    f"{what} {amount_text(total)} = remittance {amount_text(remittance.payment)}",
                    holds=total == remittance.payment and self._has(deposit_id, money_in(state["amount"])),
                )
        raise OriginMissing(f"payments knows no such deposit of remittance {part.item_id}")

    def _has(self, deposit_id: str, amount: Money) -> bool:
        """Whether the deposit is of this amount, or of more where it pays several remittances."""
        recorded = money_in(self._facts.state("payments", deposit_id, RECORDED)["amount"])
        pays_several = any(state.get("further") for _, state in self._books.events("payments", deposit_id))
        return recorded == amount or (pays_several and recorded > amount)

    def _of_unidentified(self, part: Part, entity: str) -> Origin:
        booked = self._facts.state("payments", part.item_id, UNIDENTIFIED)
        amount = money_in(booked["amount"])
        recorded = money_in(self._facts.state("payments", part.item_id, RECORDED)["amount"])
        return self._origin(
            "DepositUnidentified",
            part.item_id,
            "nothing explained it within the time allowed",
            by_unidentified_deposit(booked),
            f"{amount_text(amount)} = deposit {amount_text(recorded)}",
            holds=amount == recorded,
        )

    def _origin(self, event: str, deposit_id: str, why: str, booked: Sums, equation: str, *, holds: bool) -> Origin:
        recorded = self._facts.state("payments", deposit_id, RECORDED)
        amount = amount_text(money_in(recorded["amount"]))
        return Origin(
            event=event,
            service="payments",
            story=(f"deposit {deposit_id} of {amount}, bank reference {recorded['reference']}", why),
            amounts=booked_amounts(booked),
            equation=equation,
            equation_holds=holds,
            places=self._facts.places("payments", [str(recorded["message_id"])], *span_in(recorded)),
        )


def _words_of(remittance: Remittance) -> str:
    return f"remittance {remittance.remittance_id} of {remittance.payer}, {amount_text(remittance.payment)}"
