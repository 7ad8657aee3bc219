"""The ledger recomputed: every posting with its lines, every journal entry with its state, manifests, balances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from throughline.checker.amounts import cents
from throughline.checker.books.every_store import Book, Handler
from throughline.checker.expected import Place
from throughline.checker.records import Fact, State
from throughline.checker.rows import Rebuilt
from throughline.checker.vocabulary import CLEARING_ACCOUNTS

STATE_AFTER: Mapping[str, str] = {
    "probed": "probed",
    "posted": "posted",
    "became-uncertain": "uncertain",
    "rejected": "rejected",
    "held-for-period": "held-for-period",
    "differed": "differs",
    "confirmed": "confirmed",
}
POSTING_COLUMNS = (
    "group_kind",
    "group_id",
    "item_id",
    "remittance_position",
    "adjustment",
    "entity",
    "effective_date",
    "cash_minor",
    "rules_version",
    "source_event_id",
    "batch",
    "journal_id",
)
JOURNAL_COLUMNS = (
    "external_number",
    "entity",
    "kind",
    "group_id",
    "effective_date",
    "state",
    "version",
    "erp",
    "erp_document",
    "debit_minor",
    "line_count",
    "posting_count",
    "posting_digest",
)
MANIFEST_COLUMNS = (
    "entity",
    "payer",
    "effective_date",
    "state",
    "claim_count",
    "adjustment_count",
    "total_paid_minor",
    "payment_minor",
    "postings",
    "missing_postings",
    "missing_paid_minor",
    "journal_id",
)
MADE_OF_MANY = frozenset({"charges", "remittance", "credit-balances"})
"""Kinds of entries that are made of several postings."""
BALANCE_COLUMNS = ("subledger_minor", "intended_minor", "confirmed_minor")


@dataclass(slots=True)
class Posting:
    """One financial fact as booked; debits positive, cents."""

    kind: str
    group_id: str
    item_id: str
    entity: str
    effective_date: str
    source: str
    cash: int
    sums: dict[Place, int]
    adjustment: int = -1


@dataclass(slots=True)
class Journal:
    """One journal entry. `posting_date` is given where it is not the effective date. `confirmed` holds the lines of its confirmation, None until there is one."""

    number: str
    entity: str
    kind: str
    group_id: str
    effective_date: str
    lines: dict[Place, int]
    posting_count: int
    posting_digest: str
    state: str = "intended"
    document: str = ""
    confirmed: dict[Place, int] | None = None
    posting_date: str = ""

    @property
    def booked_on(self) -> str:
        """The day that it has at the ERP."""
        return self.posting_date or self.effective_date


LINE_DIMENSIONS = ("payer_class", "department", "cost_center", "location")
"""What subledger lines are told apart by beside account and party."""


@dataclass(slots=True)
class Manifest:
    """What a remittance must count, claims and provider-level adjustments, and add up to, and what became of it."""

    entity: str
    posting_count: int
    payment: int
    state: str = "collecting"
    journal_id: str | None = None
    posted: int = 0


@dataclass(slots=True)
class Rows:
    """The ledger's read models as the events make them."""

    lines: Rebuilt = field(
        default_factory=lambda: Rebuilt(
            "subledger_lines", ("posting_id", "account", "party", *LINE_DIMENSIONS), ("entity", "amount_minor")
        )
    )
    postings: Rebuilt = field(default_factory=lambda: Rebuilt("subledger_postings", ("posting_id",), POSTING_COLUMNS))
    journals: Rebuilt = field(default_factory=lambda: Rebuilt("journals", ("journal_id",), JOURNAL_COLUMNS))
    manifests: Rebuilt = field(
        default_factory=lambda: Rebuilt("remittance_manifests", ("remittance_id",), MANIFEST_COLUMNS)
    )
    balances: Rebuilt = field(
        default_factory=lambda: Rebuilt("account_balances", ("entity", "account", "party"), BALANCE_COLUMNS)
    )
    clearing: Rebuilt = field(
        default_factory=lambda: Rebuilt(
            "clearing_items", ("entity", "account", "item_id"), ("amount_minor", "postings", "kind")
        )
    )


class LedgerBook(Book):
    """`batched` says in which journal entry, and of how many batches, each charge posting is."""

    def __init__(self) -> None:
        self.postings: dict[str, Posting] = {}
        self.journals: dict[str, Journal] = {}
        self.manifests: dict[str, Manifest] = {}
        self.batched: dict[str, list[str]] = {}
        self.miscounted: list[str] = []
        self.rows = Rows()
        super().__init__()

    def handlers(self) -> Mapping[str, Handler]:
        moves = {f"ledger.journal-entry.{word}": self._moved for word in STATE_AFTER}
        return {
            "ledger.subledger-posting.drafted": self._drafted,
            "ledger.charge-batches.closed": self._closed,
            "ledger.remittance-manifest.expected": self._expected,
            "ledger.remittance-manifest.met": self._met,
            "ledger.remittance-manifest.differed": lambda fact: self._judged(fact, "differs"),
            "ledger.remittance-manifest.reopened": lambda fact: self._judged(fact, "collecting"),
            "ledger.journal-entry.intended": self._intended,
            **moves,
            "ledger.journal-entry.resumed": self._moved,
        }

    def tables(self) -> tuple[Rebuilt, ...]:
        rows = self.rows
        own = (rows.lines, rows.journals, rows.postings, rows.manifests, rows.balances, rows.clearing)
        return (*super().tables(), *own)

    def _drafted(self, fact: Fact) -> None:
        state = fact.state
        if fact.id in self.postings:
            self.miscounted.append(f"posting {fact.id}: drafted twice")
        sums = summed(state["lines"])
        cash = cents(state["cash"])
        names = ("group_id", "item_id", "entity", "effective_date")
        told = {name: state[name] for name in names}
        self.postings[fact.id] = Posting(
            kind=state["group_kind"],
            source=state["source_event_id"],
            cash=cash,
            sums=sums,
            adjustment=state.get("adjustment", -1),
            **told,
        )
        is_charge = state["group_kind"] == "charges"
        self.rows.postings.put(
            (fact.id,),
            group_kind=state["group_kind"],
            remittance_position=state["remittance_position"],
            adjustment=state.get("adjustment", -1),
            cash_minor=cash,
            rules_version=state["rules_version"],
            source_event_id=state["source_event_id"],
            batch=0 if is_charge else None,
            **told,
        )
        if state["group_kind"] == "remittance":
            manifest = (state["group_id"],)
            self.rows.manifests.add(manifest, postings=1, missing_postings=-1, missing_paid_minor=-cash)
        for line in state["lines"]:
            whole = line | {"payer_class": line.get("payer_class") or state.get("payer_class", "")}
            place = (fact.id, line["account"], line["party"], *(whole.get(name, "") for name in LINE_DIMENSIONS))
            self.rows.lines.put(place, entity=state["entity"])
            self.rows.lines.add(place, amount_minor=_amount(line))
        for (account, party), amount in sums.items():
            self.rows.balances.add((state["entity"], account, party), subledger_minor=amount)
            if account in CLEARING_ACCOUNTS:
                cleared_by = state.get("deposit_id") if account == "unidentified-receipts" else None
                item = (state["entity"], account, cleared_by or state["item_id"])
                self.rows.clearing.add(item, amount_minor=amount, postings=1)
                self.rows.clearing.put(item, kind=state["group_kind"])

    def _closed(self, fact: Fact) -> None:
        journal = fact.state["journal_id"]
        for posting in fact.state["posting_ids"]:
            self.batched.setdefault(posting, []).append(journal)
            self.rows.postings.put((posting,), batch=fact.state["ordinal"], journal_id=journal)

    def _expected(self, fact: Fact) -> None:
        state = fact.state
        payment = cents(state["payment"])
        adjustments = state.get("adjustment_count", 0)
        count = state["claim_count"] + adjustments
        remittance = state["remittance_id"]
        self.manifests[remittance] = Manifest(state["entity"], count, payment)
        told = {name: state[name] for name in ("entity", "payer", "effective_date", "claim_count")}
        self.rows.manifests.put(
            (remittance,),
            state="collecting",
            adjustment_count=adjustments,
            total_paid_minor=cents(state["total_paid"]),
            payment_minor=payment,
            **told,
        )
        self.rows.manifests.add((remittance,), missing_postings=count, missing_paid_minor=payment)

    def _met(self, fact: Fact) -> None:
        remittance, journal = fact.state["remittance_id"], fact.state["journal_id"]
        self.manifests[remittance].state, self.manifests[remittance].journal_id = "met", journal
        self.rows.manifests.put((remittance,), state="met", journal_id=journal)

    def _judged(self, fact: Fact, verdict: str) -> None:
        self.manifests[fact.state["remittance_id"]].state = verdict
        self.rows.manifests.put((fact.state["remittance_id"],), state=verdict)

    def _intended(self, fact: Fact) -> None:
        state, head = fact.state, fact.state["head"]
        if fact.id in self.journals:
            self.miscounted.append(f"journal {fact.id}: intended twice")
        lines = summed(state["lines"])
        self.journals[fact.id] = Journal(
            head["external_number"],
            head["entity"],
            head["kind"],
            state["group_id"],
            head["effective_date"],
            lines,
            state["posting_count"],
            state["posting_digest"],
        )
        self.rows.journals.put(
            (fact.id,),
            state="intended",
            version=fact.version,
            group_id=state["group_id"],
            debit_minor=sum(amount for amount in map(_amount, state["lines"]) if amount > 0),
            line_count=len(state["lines"]),
            posting_count=state["posting_count"],
            posting_digest=state["posting_digest"],
            **{name: head[name] for name in ("external_number", "entity", "kind", "effective_date")},
        )
        self._balances(head["entity"], lines, "intended_minor")
        if state["group_kind"] not in MADE_OF_MANY:
            self.rows.postings.put((state["group_id"],), journal_id=fact.id)

    def _moved(self, fact: Fact) -> None:
        word = fact.topic.rsplit(".", 1)[1]
        journal = self.journals[fact.id]
        journal.state = fact.state["state"] if word == "resumed" else STATE_AFTER[word]
        self.rows.journals.put((fact.id,), state=journal.state, version=fact.version)
        if word == "probed":
            journal.posting_date = fact.state.get("posting_date") or ""
        elif word == "posted":
            journal.document = fact.state["erp_document"]
            self.rows.journals.put((fact.id,), erp=fact.state["erp"], erp_document=journal.document)
        elif word == "confirmed":
            if journal.confirmed is not None:
                self.miscounted.append(f"journal {journal.number}: confirmed twice")
            journal.confirmed = summed(fact.state["lines"])
            self._balances(journal.entity, journal.confirmed, "confirmed_minor")

    def _balances(self, entity: str, lines: Mapping[Place, int], column: str) -> None:
        for (account, party), amount in lines.items():
            self.rows.balances.add((entity, account, party), **{column: amount})


def summed(lines: Iterable[State]) -> dict[Place, int]:
    """Lines by account and party."""
    sums: dict[Place, int] = {}
    for line in lines:
        place = (line["account"], line["party"])
        sums[place] = sums.get(place, 0) + _amount(line)
    return sums


def _amount(line: State) -> int:
    return cents(line["amount"])
