"""A seeded story of encounters: who came, what was done, who pays, and what it must add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Self

from canonical.money import Money

from sandbox.world.catalog import (
    CITIES,
    DIAGNOSES,
    FAMILY_NAMES,
    FEMALE_NAMES,
    MALE_NAMES,
    STREETS,
    WARDS,
    Procedure,
    Ward,
)
from sandbox.world.dice import Dice

SMALL_ENCOUNTERS = 10
DEMO_ENCOUNTERS = 320
SERVICE_DAYS_BACK_MAX = 60
FHIR_PERCENT = 60
SELF_PAY_PERCENT = 8
RETURNING_PERCENT = 20
NEXT_PAYER_PERCENT = 20
PAYER_OF_LAST_RESORT = "MEDICAID"
UNKNOWN_PAYER_CODE = "NOSUCHPAYER"
PAYER_CODES = ("ACME", "BLUEOAK", "MEDICARE", "MEDICAID")
SOURCES = {"NORTH": "ehr-north", "SOUTH": "ehr-south"}


class Wire(StrEnum):
    """How the EHR sends an encounter."""

    FHIR = "fhir"
    HL7 = "hl7"


class Flaw(StrEnum):
    """What is wrong with an encounter: the story plants these, and nothing else is amiss."""

    NONE = "none"
    MISSING_MEMBER_ID = "missing-member-id"
    UNKNOWN_PAYER = "unknown-payer"


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A made-up person; `mrn` is unique within the source system."""

    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    street: str
    city: str
    postal_code: str
    state: str = "OH"


@dataclass(frozen=True, slots=True)
class SimulatedCoverage:
    """The patient is always the subscriber."""

    payer: str
    member_id: str
    group_number: str


@dataclass(frozen=True, slots=True)
class SimulatedCharge:
    """One charge: `amount` is the extended total, `unit_amount * units`. `transaction_id` is unique in the source."""

    transaction_id: str
    procedure_code: str
    description: str
    modifiers: tuple[str, ...]
    units: int
    unit_amount: Money
    amount: Money
    service_date: date
    diagnosis_codes: tuple[str, ...]
    department: str
    source_department: str


@dataclass(frozen=True, slots=True)
class SimulatedEncounter:
    """One encounter; `coverage` is None for a self-pay patient, `diagnosis_codes` are in order of importance.

    `next_coverages` pay after `coverage`, in their order.
    """

    ordinal: int
    visit_number: str
    source: str
    entity: str
    patient: SimulatedPatient
    coverage: SimulatedCoverage | None
    charges: tuple[SimulatedCharge, ...]
    diagnosis_codes: tuple[str, ...]
    provider: str
    location: str
    wire: Wire
    flaw: Flaw
    next_coverages: tuple[SimulatedCoverage, ...] = ()

    @property
    def total(self) -> Money:
        return Money.total(charge.amount for charge in self.charges)

    @property
    def service_from(self) -> date:
        return min(charge.service_date for charge in self.charges)

    @property
    def service_to(self) -> date:
        return max(charge.service_date for charge in self.charges)

    @property
    def coverages(self) -> tuple[SimulatedCoverage, ...]:
        """All coverages in the order in which they pay."""
        return (self.coverage, *self.next_coverages) if self.coverage else ()

    @property
    def billable(self) -> bool:
        """A claim must go out for it."""
        return self.coverage is not None and self.flaw is Flaw.NONE


@dataclass(frozen=True, slots=True)
class Scenario:
    """The story of one seed: the same arguments give the same encounters, byte for byte.

    Service dates lie 1 to 60 days before `today`.
    """

    seed: int
    encounters: tuple[SimulatedEncounter, ...]
    today: date

    @classmethod
    def tell(cls, seed: int, encounters: int, today: date, *, next_payer_percent: int = 0) -> Self:
        """A story of that many encounters; so many percent of the insured patients have a second insurance.

        Ordinals 4, 68, 132 ... have no member id; ordinals 20, 84, 148 ... name a payer that nobody knows.
        """
        told = (_encounter(seed, ordinal, today, next_payer_percent) for ordinal in range(encounters))
        return cls(seed, tuple(told), today)

    @classmethod
    def small(cls, today: date, seed: int = 7) -> Self:
        """Ten encounters, for the tests that kill and restart."""
        return cls.tell(seed, SMALL_ENCOUNTERS, today)

    @classmethod
    def demo(cls, today: date, seed: int = 2026, encounters: int = DEMO_ENCOUNTERS) -> Self:
        """The story of `make demo`."""
        return cls.tell(seed, encounters, today, next_payer_percent=NEXT_PAYER_PERCENT)

    @property
    def billable(self) -> tuple[SimulatedEncounter, ...]:
        return tuple(encounter for encounter in self.encounters if encounter.billable)

    @property
    def self_pay(self) -> tuple[SimulatedEncounter, ...]:
        return tuple(encounter for encounter in self.encounters if encounter.coverage is None)

    @property
    def flawed(self) -> tuple[SimulatedEncounter, ...]:
        return tuple(encounter for encounter in self.encounters if encounter.flaw is not Flaw.NONE)

    @property
    def total(self) -> Money:
        return Money.total(encounter.total for encounter in self.encounters)

    @property
    def coverages_after(self) -> dict[tuple[str, str], tuple[str, str]]:
        """With whom a member is insured next, as payer and member id, by payer and member id."""
        after = {}
        for encounter in self.billable:
            for first, second in pairwise(encounter.coverages):
                after[first.payer, first.member_id] = (second.payer, second.member_id)
        return after

    def charges_by_entity_and_payer(self) -> dict[tuple[str, str], Money]:
        """Charges of the encounters without a flaw per entity and payer code; self-pay stands under an empty payer."""
        return charges_by_entity_and_payer(each for each in self.encounters if each.flaw is Flaw.NONE)


def charges_by_entity_and_payer(encounters: Iterable[SimulatedEncounter]) -> dict[tuple[str, str], Money]:
    """Total charges per entity and payer code, the payer empty for self-pay."""
    cents: Counter[tuple[str, str]] = Counter()
    for encounter in encounters:
        cents[encounter.entity, encounter.coverage.payer if encounter.coverage else ""] += encounter.total.minor
    return {key: Money(minor) for key, minor in sorted(cents.items())}


def _flaw(ordinal: int) -> Flaw:
    if ordinal % 64 == 4:
        return Flaw.MISSING_MEMBER_ID
    if ordinal % 64 == 20:
        return Flaw.UNKNOWN_PAYER
    return Flaw.NONE


def _encounter(seed: int, ordinal: int, today: date, next_payer_percent: int) -> SimulatedEncounter:
    dice = Dice(seed, "encounter", ordinal)
    flaw = _flaw(ordinal)
    ward = dice.choice(WARDS, "ward")
    patient = _patient(seed, ward.entity, _patient_number(dice, ordinal))
    first_day = today - timedelta(days=dice.between(2, SERVICE_DAYS_BACK_MAX, "days back"))
    picked = dice.below(len(DIAGNOSES), "diagnosis")
    codes = tuple(DIAGNOSES[(picked + step) % len(DIAGNOSES)][0] for step in range(dice.between(1, 3, "diagnoses")))
    source = SOURCES[ward.entity]
    visit_number = f"V{seed % 10_000:04d}{ordinal:06d}"
    coverage = _coverage(seed, patient, flaw, dice)
    return SimulatedEncounter(
        ordinal=ordinal,
        visit_number=visit_number,
        source=source,
        entity=ward.entity,
        patient=patient,
        coverage=coverage,
        next_coverages=_next_coverages(seed, patient, coverage, next_payer_percent) if flaw is Flaw.NONE else (),
        charges=_charges(dice, ward, visit_number, first_day, codes),
        diagnosis_codes=codes,
        provider=dice.choice(ward.providers, "provider"),
        location=ward.location,
        wire=Wire.FHIR if dice.chance(FHIR_PERCENT, "wire") else Wire.HL7,
        flaw=flaw,
    )


def _patient_number(dice: Dice, ordinal: int) -> int:
    if ordinal and dice.chance(RETURNING_PERCENT, "returning"):
        return dice.below(ordinal, "which patient")
    return ordinal


def _patient(seed: int, entity: str, number: int) -> SimulatedPatient:
    dice = Dice(seed, "patient", entity, number)
    sex = dice.choice("FM", "sex")
    city, postal_code = dice.choice(CITIES, "city")
    return SimulatedPatient(
        mrn=f"MRN{entity[0]}{seed % 10_000:04d}{number:06d}",
        family_name=dice.choice(FAMILY_NAMES, "family"),
        given_name=dice.choice(FEMALE_NAMES if sex == "F" else MALE_NAMES, "given"),
        birth_date=date(1940, 1, 1) + timedelta(days=dice.below(24_000, "born")),
        sex=sex,
        street=f"{dice.between(1, 999, 'house')} {dice.choice(STREETS, 'street')}",
        city=city,
        postal_code=postal_code,
    )


def _coverage(seed: int, patient: SimulatedPatient, flaw: Flaw, dice: Dice) -> SimulatedCoverage | None:
    person = Dice(seed, "coverage", patient.mrn)
    if flaw is Flaw.NONE and dice.chance(SELF_PAY_PERCENT, "self-pay"):
        return None
    payer = UNKNOWN_PAYER_CODE if flaw is Flaw.UNKNOWN_PAYER else person.choice(PAYER_CODES, "payer")
    member_id = "" if flaw is Flaw.MISSING_MEMBER_ID else f"M{person.between(10_000_000, 99_999_999, 'member')}"
    return SimulatedCoverage(payer, member_id, f"G{person.between(100, 140, 'group')}")


def _next_coverages(
    seed: int, patient: SimulatedPatient, first: SimulatedCoverage | None, percent: int
) -> tuple[SimulatedCoverage, ...]:
    """A second insurance of the same person, with another payer; Medicaid pays last, so nobody comes after it."""
    person = Dice(seed, "next coverage", patient.mrn)
    if first is None or first.payer == PAYER_OF_LAST_RESORT or not person.chance(percent, "has one"):
        return ()
    payer = person.choice([code for code in PAYER_CODES if code != first.payer], "payer")
    member_id = f"M{person.between(10_000_000, 99_999_999, 'member')}"
    return (SimulatedCoverage(payer, member_id, f"G{person.between(100, 140, 'group')}"),)


def _charges(
    dice: Dice, ward: Ward, visit_number: str, first_day: date, diagnosis_codes: tuple[str, ...]
) -> tuple[SimulatedCharge, ...]:
    start = dice.below(len(ward.procedures), "first procedure")
    charges = []
    for line in range(1, dice.between(1, 4, "lines") + 1):
        procedure = ward.procedures[(start + line) % len(ward.procedures)]
        pointed = diagnosis_codes[: dice.between(1, len(diagnosis_codes), "pointers", line)]
        day = first_day + timedelta(days=1 if dice.chance(10, "next day", line) else 0)
        charges.append(_charge(dice, ward, procedure, f"{visit_number}-{line}", day, pointed))
    return tuple(charges)


def _charge(
    dice: Dice, ward: Ward, procedure: Procedure, transaction_id: str, day: date, diagnosis_codes: tuple[str, ...]
) -> SimulatedCharge:
    units = dice.between(1, procedure.units_max, "units", transaction_id)
    return SimulatedCharge(
        transaction_id=transaction_id,
        procedure_code=procedure.code,
        description=procedure.description,
        modifiers=(procedure.modifier,) if procedure.modifier else (),
        units=units,
        unit_amount=Money(procedure.price_minor),
        amount=Money(procedure.price_minor * units),
        service_date=day,
        diagnosis_codes=diagnosis_codes,
        department=ward.department,
        source_department=ward.source_department,
    )
