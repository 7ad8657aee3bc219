"""The rules every incoming charge and encounter must keep; a message that breaks one is refused by field and rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from canonical.encounter import DIAGNOSES_PER_CLAIM_MAX, DIAGNOSES_PER_STAY_MAX
from canonical.money import USD, Money

from intake.domain.clinical import Circumstances
from intake.domain.facts import (
    AdjustmentSeen,
    ChargeSeen,
    ChargeVoided,
    EncounterSeen,
    Fact,
    PatientPaymentSeen,
    PatientSeen,
    PatientsMerged,
    PatientsUnmerged,
)
from intake.domain.refusals import Finding
from intake.domain.stay_rules import broken_stay_rules, is_diagnosis

CHARGES_PER_MESSAGE_MAX = 500
CREDITS_PER_MESSAGE_MAX = 500
MERGES_PER_MESSAGE_MAX = 100
CREDITS_WITHOUT_CHARGE_MAX = 100
CREDITS_PER_CHARGE_MAX = 100
CHARGES_PER_ENCOUNTER_MAX = 1000
MODIFIERS_MAX = 4
UNITS_MAX = 100_000
CHARGE_AGE_MAX = timedelta(days=10 * 366)
_PROCEDURE = re.compile(r"[A-Z0-9]{5}")
_MODIFIER = re.compile(r"[A-Z0-9]{2}")
_REVENUE = re.compile(r"[0-9]{4}")
_SOURCE_CODE = re.compile(r"[A-Za-z0-9 ._/&-]{0,40}")
_SOURCE_CODE_DIGITS_MAX = 8
"""More digits in one code may be the number of a card or of a person."""


def broken_rules(facts: Sequence[Fact], today: date) -> list[Finding]:
    """Every rule that the facts of one message break."""
    findings = list(_too_many(facts))
    charges = [fact for fact in facts if isinstance(fact, ChargeSeen)]
    if len({charge.charge_id for charge in charges}) < len(charges):
        findings.append(Finding("charges", "charge-id-repeated", "each charge of a message has an id of its own"))
    for fact in facts:
        if isinstance(fact, ChargeSeen):
            findings.extend(_charge(fact, today))
        elif isinstance(fact, ChargeVoided) and fact.amount is not None:
            findings.extend(_amount_moved(fact.place, fact.amount))
        elif isinstance(fact, PatientPaymentSeen | AdjustmentSeen):
            findings.extend(money_rules(fact))
            findings.extend(_day(f"{fact.place}.day", fact.day, today))
        elif isinstance(fact, EncounterSeen):
            findings.extend(_diagnoses(fact.place, fact.diagnosis_codes, DIAGNOSES_PER_STAY_MAX))
            findings.extend(broken_stay_rules(fact.place, fact.stay))
            findings.extend(_circumstances(fact.place, fact.circumstances, today))
        elif isinstance(fact, PatientSeen) and fact.details.birth_date > today:
            findings.append(Finding(f"{fact.place}.birth-date", "date-in-future", "a birth lies in the past"))
    return findings


def money_rules(fact: PatientPaymentSeen | AdjustmentSeen) -> Iterator[Finding]:
    """What is wrong with money that a source tells of, whatever day it names."""
    if isinstance(fact, PatientPaymentSeen):
        yield from _amount_moved(fact.place, fact.amount)
        yield from _source_code(f"{fact.place}.method", fact.method)
    else:
        yield from _amount(fact.place, abs(fact.amount))
        yield from _source_code(f"{fact.place}.code", fact.code)


def _too_many(facts: Sequence[Fact]) -> Iterator[Finding]:
    """What a message has more of than any honest one: each is work and rows that outlive it."""
    limits: tuple[tuple[str, type[Fact] | tuple[type[Fact], ...], int], ...] = (
        ("charges", ChargeSeen, CHARGES_PER_MESSAGE_MAX),
        ("credits", ChargeVoided, CREDITS_PER_MESSAGE_MAX),
        ("merges", (PatientsMerged, PatientsUnmerged), MERGES_PER_MESSAGE_MAX),
    )
    for name, kind, most in limits:
        if sum(isinstance(fact, kind) for fact in facts) > most:
            yield Finding(name, f"too-many-{name}", f"at most {most} in a message")


def _charge(charge: ChargeSeen, today: date) -> Iterator[Finding]:
    place = charge.place
    if not charge.units.is_finite() or not 0 < charge.units <= UNITS_MAX:
        yield Finding(f"{place}.units", "units-above-zero", f"units are above 0 and at most {UNITS_MAX}")
    if charge.amount is not None:
        yield from _amount(place, charge.amount)
    yield from _day(f"{place}.service-date", charge.service_date, today)
    if charge.revenue_code and not _REVENUE.fullmatch(charge.revenue_code):
        yield Finding(f"{place}.revenue-code", "revenue-code", "a revenue code has four digits")
    if not _PROCEDURE.fullmatch(charge.procedure_code) and (charge.procedure_code or not charge.revenue_code):
        yield Finding(f"{place}.procedure", "procedure-code", "a CPT or HCPCS code has five characters")
    if len(charge.modifiers) > MODIFIERS_MAX or not all(map(_MODIFIER.fullmatch, charge.modifiers)):
        yield Finding(f"{place}.modifiers", "modifiers", f"at most {MODIFIERS_MAX}, of two characters each")
    yield from _diagnoses(place, charge.diagnosis_codes, DIAGNOSES_PER_CLAIM_MAX)


def is_source_code(text: str) -> bool:
    """Whether a source's word for a method or a reason can be a code, and so may be kept and told in clear."""
    digits = sum(character.isdigit() for character in text)
    return _SOURCE_CODE.fullmatch(text) is not None and digits <= _SOURCE_CODE_DIGITS_MAX


def _circumstances(place: str, told: Circumstances | None, today: date) -> Iterator[Finding]:
    for name in ("onset_date", "accident_date") if told else ():
        day = getattr(told, name)
        if day is not None and day > today:
            yield Finding(f"{place}.{name.replace('_', '-')}", "date-in-future", "it lies in the past")


def _source_code(field: str, text: str) -> Iterator[Finding]:
    if not is_source_code(text):
        yield Finding(field, "source-code", "a short code, of at most eight digits")


def _day(field: str, day: date, today: date) -> Iterator[Finding]:
    if day > today:
        yield Finding(field, "date-in-future", "it lies in the past")
    elif today - day > CHARGE_AGE_MAX:
        yield Finding(field, "date-too-old", "at most ten years old")


def _amount_moved(place: str, amount: Money) -> Iterator[Finding]:
    yield from _amount(place, amount)
    if not amount:
        yield Finding(f"{place}.amount", "amount-above-zero", "a credit or payment of nothing says nothing")


def _amount(place: str, amount: Money) -> Iterator[Finding]:
    if amount.currency != USD:
        yield Finding(f"{place}.amount", "currency", "amounts are in USD")
    elif amount.minor < 0:
        yield Finding(
            f"{place}.amount", "amount-not-negative", "an amount is zero or more; a credit says so by its kind"
        )


def _diagnoses(place: str, codes: Sequence[str], most: int) -> Iterator[Finding]:
    if len(codes) > most:
        yield Finding(f"{place}.diagnoses", "too-many-diagnoses", f"at most {most}")
    if not all(map(is_diagnosis, codes)):
        yield Finding(f"{place}.diagnoses", "diagnosis-code", "an ICD-10-CM code, with its dot")
