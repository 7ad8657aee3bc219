"""Rules and rule sets: read from data, run over a claim, and never skipped."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claims.domain.claim_content import HoldReason
from claims.domain.rules.conditions import Condition, Lookup, condition_in, holds
from claims.domain.rules.facts import CLAIM_KINDS, LINE_KINDS, Subject, facts_of_claim, facts_of_line
from claims.domain.rules.values import RuleFault, RuleRefused, told

RULES_MAX = 500
RULE_FAILED = "RuleFailed"
_NAMED = re.compile(r"\{([a-z_.]+)\}")


class RuleRow(BaseModel):
    """One rule as a file writes it. It holds for claims whose first service date lies in its dates, both included.

    `each` says whether it asks the claim once or every line. `action` is `hold`, or `off` for a rule that a deployment
    has put out of force. `owner` is the queue that works what it holds; `needs` says what to do, with facts in braces.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str = Field(pattern="^[a-z0-9-]{1,60}$")
    version: int = Field(ge=1)
    effective_from: date = date(2000, 1, 1)
    effective_until: date | None = None
    each: Literal["claim", "line"] = "claim"
    when: dict[str, object]
    action: Literal["hold", "off"] = "hold"
    reason: str = Field(pattern="^[A-Z][A-Za-z]{1,60}$")
    owner: str = Field(pattern="^[a-z0-9-]{1,60}$")
    needs: str = Field(min_length=1, max_length=300)


class RuleFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: str = Field(pattern="^[A-Za-z0-9._+-]{1,40}$")
    rules: tuple[RuleRow, ...] = Field(max_length=RULES_MAX)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule whose condition has been read."""

    row: RuleRow
    condition: Condition

    def is_in_force(self, day: date) -> bool:
        until = self.row.effective_until
        return self.row.action == "hold" and self.row.effective_from <= day and (until is None or day <= until)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that held the claim; `reason` is RuleFailed where the rule itself could not be answered."""

    rule: str
    rule_version: int
    owner: str
    reason: HoldReason


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in order. `digest` is SHA-256 of their content, so that a run says exactly what it ran."""

    version: str
    rules: tuple[Rule, ...]
    digest: str

    def run(self, subject: Subject) -> tuple[Finding, ...]:
        """Everything that holds the claim, in the order of rules and lines; nothing means it may go out."""
        day = subject.content.service_from
        return tuple(finding for rule in self.rules if rule.is_in_force(day) for finding in _findings(rule, subject))

    def as_file(self) -> dict[str, object]:
        """The rules as one file would write them."""
        return {"version": self.version, "rules": [rule.row.model_dump(mode="json") for rule in self.rules]}

    def in_force(self, day: date) -> int:
        return sum(rule.is_in_force(day) for rule in self.rules)


def _findings(rule: Rule, subject: Subject) -> Iterator[Finding]:
    if rule.row.each == "claim":
        yield from _asked(rule, partial(facts_of_claim, subject))
        return
    for number, line in enumerate(subject.content.lines, 1):
        yield from _asked(rule, partial(facts_of_line, subject, line, number))


def _asked(rule: Rule, lookup: Lookup) -> Iterator[Finding]:
    row = rule.row
    try:
        if holds(rule.condition, lookup):
            yield Finding(row.id, row.version, row.owner, HoldReason(code=row.reason, needs=_filled(row.needs, lookup)))
    except (RuleFault, ArithmeticError, LookupError, TypeError, ValueError) as fault:
        why = str(fault) if isinstance(fault, RuleFault) else type(fault).__name__
        needs = f"rule {row.id} version {row.version} to be mended: {why}"
        yield Finding(row.id, row.version, row.owner, HoldReason(code=RULE_FAILED, needs=needs))


def _filled(needs: str, lookup: Lookup) -> str:
    return _NAMED.sub(lambda match: told(lookup(match[1])), needs)


def rule_set_in(*files: Mapping[str, object]) -> RuleSet:
    """The rules of the files; a later file's rule takes the place of the one with its id, or comes after all others.

    Raises:
        RuleRefused: names the rule and what is wrong with it.
    """
    rows: dict[str, RuleRow] = {}
    versions = []
    for written in files:
        try:
            file = RuleFile.model_validate(written)
        except ValidationError as error:
            raise RuleRefused(_places(error)) from None
        ids = [row.id for row in file.rules]
        if len(set(ids)) < len(ids):
            raise RuleRefused("an id stands twice in one file")
        versions.append(file.version)
        rows.update({row.id: row for row in file.rules})
    rules = tuple(map(_read, rows.values()))
    content = json.dumps([row.model_dump(mode="json") for row in rows.values()], sort_keys=True)
    return RuleSet("+".join(versions), rules, hashlib.sha256(content.encode()).hexdigest())


def _read(row: RuleRow) -> Rule:
    kinds = LINE_KINDS if row.each == "line" else CLAIM_KINDS
    try:
        unknown = [name for name in _NAMED.findall(row.needs) if name not in kinds]
        if unknown:
            raise RuleRefused(f"needs: there is no fact {unknown[0]!r} here")
        if row.effective_until is not None and row.effective_until < row.effective_from:
            raise RuleRefused("it ends before it begins")
        return Rule(row, condition_in(row.when, kinds))
    except RuleRefused as refused:
        raise RuleRefused(f"rule {row.id}: {refused}") from None


def _places(error: ValidationError) -> str:
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:5])
