"""The edits of a rule set as a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from claims.domain.rules.conditions import in_words
from claims.domain.rules.facts import CLAIM_FACTS, LINE_FACTS
from claims.domain.rules.predicates import PREDICATES
from claims.domain.rules.rule import Rule, RuleSet

INTRODUCTION = """\
# Edits

Rules that a claim must pass before it may go out, in the order in which they run: at the draft, at a release by a person, and
just before the claim is sent, when its sealed details are open. Every rule that finds something holds the claim, and so does a
rule that cannot be answered (`RuleFailed`); none is skipped. Each run is kept with the version and digest of its rules.

This page is written by `python -m claims.adapters.rule_page docs/edits.md` from `domain/rules/shipped.json`. A deployment changes
rules by a file of the same form in `THROUGHLINE_EDIT_RULES_PATH`: a rule with the id of a shipped one takes its place, another id
comes after all others, and `"action": "off"` puts a rule out of force. Rules hold by the first service date of a claim."""


def page_of(rules: RuleSet) -> str:
    """Markdown: the rules, and everything that a rule may ask."""
    parts = [INTRODUCTION, f"Version {rules.version}.", *map(_rule, rules.rules), *_vocabulary()]
    return "\n\n".join(parts) + "\n"


def _rule(rule: Rule) -> str:
    row = rule.row
    since = f"from {row.effective_from}" + (f" until {row.effective_until}" if row.effective_until else "")
    asks = "each line" if row.each == "line" else "the claim"
    heading = f"## {row.id}\n\n{row.reason}, version {row.version}, {row.action}, {since}, worked by {row.owner}."
    return f"{heading}\n\nHolds where {in_words(rule.condition)}. Asked of {asks}.\n\nNeeds: {row.needs}."


def _vocabulary() -> Iterator[str]:
    facts = [(name, fact.kind.value, fact.meaning) for name, fact in CLAIM_FACTS.items()]
    of_lines = [(name, fact.kind.value, fact.meaning) for name, fact in LINE_FACTS.items()]
    asked = [(name, "", _sentence(predicate.__doc__)) for name, predicate in PREDICATES.items()]
    yield "# What a rule may ask"
    yield "Of a claim:\n\n" + _table(facts)
    yield "Of a line, beside what stands above, with `line.number` from 1:\n\n" + _table(of_lines)
    yield "By a predicate (`ask`):\n\n" + _table(asked)


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    return "\n".join(["| name | kind | meaning |", "|---|---|---|", *(f"| `{a}` | {b} | {c} |" for a, b, c in rows)])


def _sentence(docstring: str | None) -> str:
    return (docstring or "").strip().rstrip(".")
