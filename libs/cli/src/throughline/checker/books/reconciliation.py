"""Reconciliation recomputed: journal entries as it witnessed them, clearing items, breaks."""

from __future__ import annotations

from collections.abc import Mapping

from throughline.checker.amounts import cents
from throughline.checker.books.every_store import Book, Handler
from throughline.checker.books.ledger import summed
from throughline.checker.expected import Place
from throughline.checker.records import Fact
from throughline.checker.rows import Rebuilt

JOURNAL_COLUMNS = (
    "journal_id",
    "entity",
    "external_number",
    "kind",
    "group_id",
    "state",
    "effective_date",
    "erp_document",
)
CLEARING_COLUMNS = ("cause", "balance_minor", "accepted_minor", "is_open", "effective_date")
BREAK_COLUMNS = (
    "state",
    "control",
    "compared",
    "entity",
    "account",
    "party",
    "occurrence",
    "residual_minor",
    "written_off_minor",
)


class ReconciliationBook(Book):
    """`confirmed` holds the lines of each journal entry that it saw confirmed, by the entry's id."""

    def __init__(self) -> None:
        self.confirmed: dict[str, dict[Place, int]] = {}
        self.journals = Rebuilt("witnessed_journals", ("witness_id",), JOURNAL_COLUMNS)
        self.balances = Rebuilt("confirmed_balances", ("entity", "account", "party"), ("confirmed_minor",))
        self.clearing = Rebuilt("clearing_items", ("entity", "account", "item_id"), CLEARING_COLUMNS)
        self.breaks = Rebuilt("breaks", ("break_id",), BREAK_COLUMNS)
        super().__init__()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "reconciliation.witnessed-journal.intended": self._intended,
            "reconciliation.witnessed-journal.confirmed": self._confirmed,
            "reconciliation.witnessed-journal.rejected": self._rejected,
            "reconciliation.clearing-item.moved": self._moved,
            "reconciliation.break.opened": self._opened,
            "reconciliation.break.moved": self._apart,
            "reconciliation.break.explained": lambda fact: self.breaks.put((fact.id,), state="explained"),
            "reconciliation.break.resolved": lambda fact: self._closed(fact, "resolved"),
            "reconciliation.break.written-off": self._written_off,
            "reconciliation.break.write-off-lapsed": lambda fact: self.breaks.put((fact.id,), written_off_minor=0),
        }

    def tables(self) -> tuple[Rebuilt, ...]:
        return (*super().tables(), self.journals, self.balances, self.clearing, self.breaks)

    def _intended(self, fact: Fact) -> None:
        self._witnessed(fact, state="intended", group_id=fact.state.get("group_id"))

    def _confirmed(self, fact: Fact) -> None:
        head = fact.state["head"]
        lines = summed(fact.state["lines"])
        self.confirmed[head["journal_id"]] = lines
        for (account, party), amount in lines.items():
            self.balances.add((head["entity"], account, party), confirmed_minor=amount)
        self._witnessed(fact, state="confirmed", erp_document=fact.state["erp_document"])

    def _witnessed(self, fact: Fact, **columns: object) -> None:
        head = fact.state["head"]
        names = ("journal_id", "entity", "external_number", "kind", "effective_date")
        self.journals.put((fact.id,), **{name: head[name] for name in names}, **columns)

    def _rejected(self, fact: Fact) -> None:
        self.journals.put((fact.id,), state="rejected")

    def _moved(self, fact: Fact) -> None:
        state = fact.state
        key = (state["entity"], state["account"], state["item_id"])
        balance = cents(state["balance"])
        self.clearing.put(
            key,
            cause=state["cause"],
            balance_minor=balance,
            is_open=balance != 0,
            effective_date=state["effective_date"],
        )
        if state["cause"] == "remittance-accepted":
            self.clearing.add(key, accepted_minor=cents(state["amount"]))

    def _opened(self, fact: Fact) -> None:
        state, place = fact.state, fact.state["place"]
        names = ("control", "compared", "entity", "account", "party")
        self.breaks.put(
            (fact.id,),
            state="opened",
            occurrence=state["occurrence"],
            residual_minor=cents(state["residual"]),
            **{name: place[name] for name in names},
        )

    def _apart(self, fact: Fact) -> None:
        self.breaks.put((fact.id,), state="opened", residual_minor=cents(fact.state["residual"]))

    def _closed(self, fact: Fact, state: str) -> None:
        self.breaks.put((fact.id,), state=state, residual_minor=0)

    def _written_off(self, fact: Fact) -> None:
        self._closed(fact, "written-off")
        self.breaks.add((fact.id,), written_off_minor=cents(fact.state["residual"]))
