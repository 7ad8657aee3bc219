"""One journal entry for an accountant: each line with the rules behind it, how many facts made it, and the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canonical.codes import AccountRole
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.eventstore import EventStore, Row

from ledger_adapter.application.answers import lines_of
from ledger_adapter.application.queries import LINES, POSTINGS
from ledger_adapter.application.summaries import DIMENSIONS, SUMMED_BY, LinePlace, line_place, minor
from ledger_adapter.domain.rule_words import words_of

EXAMPLES_MAX = 3


@dataclass(frozen=True, slots=True)
class Cause:
    """What one set of rules contributes to a line: `words` in the order of `rules`; the `examples` are its earliest facts, each
    line with its posting's row."""

    rules: tuple[str, ...]
    words: tuple[str, ...]
    count: int
    amount: Money
    examples: Sequence[tuple[Row, Row]]


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line of an entry with everything that it is made of; the amounts of the causes add up to it."""

    line: JournalLine
    causes: tuple[Cause, ...]


def explained(store: EventStore, entry: Row) -> tuple[ExplainedLine, ...]:
    """The lines of an entry in its order."""
    where = lines_of(store, entry)
    by_place: dict[LinePlace, list[Row]] = {}
    for row in store.sums(LINES, ["amount_minor"], [*SUMMED_BY, "rules"], where):
        place = line_place(str(row["account"]), str(row["party"]), [str(row[name] or "") for name in DIMENSIONS])
        by_place.setdefault(place, []).append(row)
    lines = entry["lines"]
    assert isinstance(lines, list), "the lines of an entry are a list"
    found = []
    for line in map(JournalLine.model_validate, lines):
        dimensions = [getattr(line, name) for name in DIMENSIONS]
        rows = by_place.get(line_place(line.account.value, line.party, dimensions), [])
        found.append(ExplainedLine(line, _causes(store, where, rows)))
    return tuple(found)


def _causes(store: EventStore, where: dict[str, object], rows: Sequence[Row]) -> tuple[Cause, ...]:
    """One for each set of rules, the greatest amount first."""
    by_rules: dict[str, list[Row]] = {}
    for row in rows:
        by_rules.setdefault(str(row["rules"]), []).append(row)
    causes = [_cause(store, where, rules, of_rules) for rules, of_rules in by_rules.items()]
    return tuple(sorted(causes, key=lambda cause: (-abs(cause.amount.minor), cause.rules)))


def _cause(store: EventStore, where: dict[str, object], rules: str, rows: Sequence[Row]) -> Cause:
    codes = tuple(rules.split(","))
    account = AccountRole(str(rows[0]["account"]))
    return Cause(
        rules=codes,
        words=tuple(words_of(code, account) for code in codes),
        count=sum(minor(row, "count") for row in rows),
        amount=Money(sum(minor(row, "amount_minor") for row in rows)),
        examples=_examples(store, where, rules, rows[0]),
    )


def _examples(store: EventStore, where: dict[str, object], rules: str, row: Row) -> Sequence[tuple[Row, Row]]:
    place = {name: row[name] for name in ("account", "party")}
    lines = store.rows(LINES, {**where, **place, "rules": rules}, order=("effective_date",), limit=EXAMPLES_MAX)
    postings = {
        posting["posting_id"]: posting
        for posting in store.rows(POSTINGS, {"posting_id": frozenset(line["posting_id"] for line in lines)})
    }
    return [(line, postings[line["posting_id"]]) for line in lines]
