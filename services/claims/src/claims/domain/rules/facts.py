"""The facts of a claim that rules may ask for, each with its kind and meaning; none of them identifies a patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TypeVar

from canonical.encounter import ChargeLine, EncounterPhi
from canonical.master_data import Entity, KnownMasterData, Payer, Provider, UnknownMasterData
from canonical.money import Money

from claims.domain.claim_content import ClaimContent
from claims.domain.rules.conditions import Kinds
from claims.domain.rules.values import Kind, Value

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Subject:
    """A claim under edit: its content and what master data knows of its parties on its first service date.

    `phi` is there when the sealed details are open, which they are just before a claim is sent.
    """

    content: ClaimContent
    today: date
    entity: Entity | None
    payer: Payer | None
    provider: Provider | None
    phi: EncounterPhi | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    kind: Kind
    meaning: str
    of: Callable[[Subject], Value | None]


@dataclass(frozen=True, slots=True)
class LineFact:
    kind: Kind
    meaning: str
    of: Callable[[ChargeLine], Value | None]


def _number(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


CLAIM_FACTS: Mapping[str, Fact] = {
    "claim_type": Fact(Kind.TEXT, "professional, institutional or dental", lambda s: s.content.claim_type.value),
    "sequence": Fact(Kind.NUMBER, "1 for the first payer's claim", lambda s: _number(s.content.sequence)),
    "has_member_id": Fact(Kind.FLAG, "the subscriber's member id is known", lambda s: s.content.has_member_id),
    "diagnosis_count": Fact(Kind.NUMBER, "how many diagnoses", lambda s: _number(s.content.diagnosis_count)),
    "line_count": Fact(Kind.NUMBER, "how many lines", lambda s: _number(len(s.content.lines))),
    "total": Fact(Kind.AMOUNT, "what the claim charges", lambda s: s.content.total),
    "lines_total": Fact(
        Kind.AMOUNT,
        "the sum of the lines",
        lambda s: Money.total((line.amount for line in s.content.lines), s.content.total.currency),
    ),
    "service_from": Fact(Kind.DAY, "the first service date", lambda s: s.content.service_from),
    "service_to": Fact(Kind.DAY, "the last service date", lambda s: s.content.service_to),
    "today": Fact(Kind.DAY, "the day of the run", lambda s: s.today),
    "days_since_service": Fact(
        Kind.NUMBER,
        "days from the last service date to today",
        lambda s: _number((s.today - s.content.service_to).days),
    ),
    "place_of_service": Fact(Kind.TEXT, "place of service code (CLM05-1)", lambda s: s.content.place_of_service),
    "entity": Fact(Kind.TEXT, "code of the legal entity", lambda s: s.content.entity),
    "entity_known": Fact(Kind.FLAG, "master data knows the entity", lambda s: s.entity is not None),
    "entity_npi": Fact(Kind.TEXT, "the entity's NPI", lambda s: s.entity.npi if s.entity else None),
    "payer": Fact(Kind.TEXT, "code of the payer", lambda s: s.content.payer),
    "payer_class": Fact(Kind.TEXT, "how finance groups the payer", lambda s: s.content.payer_class.value),
    "payer_known": Fact(Kind.FLAG, "master data knows the payer", lambda s: s.payer is not None),
    "timely_filing_days": Fact(
        Kind.NUMBER,
        "how long the payer takes claims after the service; 0 for ever",
        lambda s: _number(s.payer.timely_filing_days) if s.payer else None,
    ),
    "provider": Fact(Kind.TEXT, "code of the rendering provider", lambda s: s.content.rendering_provider),
    "provider_known": Fact(Kind.FLAG, "master data knows the provider", lambda s: s.provider is not None),
    "provider_npi": Fact(Kind.TEXT, "the provider's NPI", lambda s: s.provider.npi if s.provider else None),
    "details_open": Fact(
        Kind.FLAG, "the sealed details are open: the claim is about to leave", lambda s: s.phi is not None
    ),
    "has_authorization": Fact(
        Kind.FLAG,
        "a prior authorization number is given; known while the details are open",
        lambda s: bool(s.phi.prior_authorization) if s.phi else None,
    ),
}

LINE_FACTS: Mapping[str, LineFact] = {
    "line.procedure_code": LineFact(Kind.TEXT, "procedure code", lambda line: line.procedure_code),
    "line.amount": LineFact(Kind.AMOUNT, "what the line charges", lambda line: line.amount),
    "line.units": LineFact(Kind.NUMBER, "units", lambda line: line.units),
    "line.service_date": LineFact(Kind.DAY, "service date", lambda line: line.service_date),
    "line.modifiers": LineFact(Kind.TEXTS, "modifiers", lambda line: line.modifiers),
    "line.modifier_count": LineFact(Kind.NUMBER, "how many modifiers", lambda line: _number(len(line.modifiers))),
    "line.distinct_modifier_count": LineFact(
        Kind.NUMBER, "how many different modifiers", lambda line: _number(len(set(line.modifiers)))
    ),
    "line.pointer_count": LineFact(
        Kind.NUMBER, "how many diagnosis pointers", lambda line: _number(len(line.diagnosis_pointers))
    ),
    "line.distinct_pointer_count": LineFact(
        Kind.NUMBER, "how many different diagnosis pointers", lambda line: _number(len(set(line.diagnosis_pointers)))
    ),
    "line.lowest_pointer": LineFact(
        Kind.NUMBER, "the lowest diagnosis pointer", lambda line: _number(min(line.diagnosis_pointers, default=None))
    ),
    "line.highest_pointer": LineFact(
        Kind.NUMBER, "the highest diagnosis pointer", lambda line: _number(max(line.diagnosis_pointers, default=None))
    ),
}
LINE_NUMBER = "line.number"

CLAIM_KINDS: Kinds = {name: fact.kind for name, fact in CLAIM_FACTS.items()}
LINE_KINDS: Kinds = {
    **CLAIM_KINDS,
    **{name: fact.kind for name, fact in LINE_FACTS.items()},
    LINE_NUMBER: Kind.NUMBER,
}
"""What a rule of a line may ask: everything of the claim, and of the line in hand with its number from 1."""


def subject_of(
    content: ClaimContent, master_data: KnownMasterData, today: date, phi: EncounterPhi | None = None
) -> Subject:
    """The claim with its parties; a party that master data does not know on that day is absent."""
    day = content.service_from
    return Subject(
        content,
        today,
        _found(partial(master_data.entity, content.entity, day)),
        _found(partial(master_data.payer, content.payer, day)),
        _found(partial(master_data.provider, content.rendering_provider, day)),
        phi,
    )


def _found(find: Callable[[], _Row]) -> _Row | None:
    try:
        return find()
    except UnknownMasterData:
        return None


def facts_of_claim(subject: Subject, fact: str) -> Value | None:
    return CLAIM_FACTS[fact].of(subject)


def facts_of_line(subject: Subject, line: ChargeLine, number: int, fact: str) -> Value | None:
    """A fact of the line, or of the claim that it stands in."""
    if fact == LINE_NUMBER:
        return Decimal(number)
    own = LINE_FACTS.get(fact)
    return own.of(line) if own else CLAIM_FACTS[fact].of(subject)
