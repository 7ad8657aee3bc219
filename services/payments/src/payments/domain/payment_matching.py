"""Whose a payment is: rules in order, each with its score and its reason; what they leave open is a person's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

CERTAIN_FROM: Final = 80
"""From this score on a rule may match by itself; below it a person is only shown the account."""


class Clue(StrEnum):
    """What ties a payment to an account."""

    ACCOUNT_NAMED = "account-named"
    VISIT_NAMED = "visit-named"
    PATIENT_NAMED = "patient-named"
    OWES_THE_AMOUNT = "owes-the-amount"
    ONE_SHARE_OF_THE_AMOUNT = "one-share-of-the-amount"


@dataclass(frozen=True, slots=True)
class MatchRule:
    """`reason` completes the sentence `this account, because ...`."""

    clue: Clue
    score: int
    reason: str


RULES: Final = (
    MatchRule(Clue.ACCOUNT_NAMED, 100, "the payer's form named it"),
    MatchRule(Clue.VISIT_NAMED, 90, "the payer's form named a visit that this account owes"),
    MatchRule(Clue.PATIENT_NAMED, 80, "the payer's form named its patient"),
    MatchRule(Clue.OWES_THE_AMOUNT, 50, "it owes exactly this amount"),
    MatchRule(Clue.ONE_SHARE_OF_THE_AMOUNT, 40, "one of its shares is exactly this amount"),
)


@dataclass(frozen=True, slots=True)
class Trail:
    """One clue that leads from a payment to one account of an entity."""

    clue: Clue
    account_id: UUID
    entity: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that a payment may belong to, with all that speaks for it."""

    account_id: UUID
    entity: str
    score: int
    reasons: tuple[str, ...]


def candidates(trails: Iterable[Trail]) -> list[Candidate]:
    """The accounts that the clues lead to, the likeliest first; its best rule is a candidate's score."""
    found: dict[UUID, dict[Clue, Trail]] = {}
    for trail in trails:
        found.setdefault(trail.account_id, {})[trail.clue] = trail
    ranked = []
    for account_id, clues in found.items():
        rules = [rule for rule in RULES if rule.clue in clues]
        entity = clues[rules[0].clue].entity
        ranked.append(Candidate(account_id, entity, rules[0].score, tuple(rule.reason for rule in rules)))
    return sorted(ranked, key=lambda each: (-each.score, each.account_id.bytes))


def certain(ranked: Sequence[Candidate], entity: str) -> Candidate | None:
    """The account that a payment of this entity belongs to without a doubt: the only one that a certain rule leads to."""
    sure = [each for each in ranked if each.score >= CERTAIN_FROM]
    return sure[0] if len(sure) == 1 and sure[0].entity == entity else None
