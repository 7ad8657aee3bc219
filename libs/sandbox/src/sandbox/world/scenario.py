"""A seeded story of encounters: who came, what was done, who pays, and what it must add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
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
from sandbox.world.encounters import (
    Flaw,
    SimulatedCharge,
    SimulatedCoverage,
    SimulatedEncounter,
    SimulatedPatient,
    Wire,
)
from sandbox.world.hospital import (
    DENTIST,
    HOSPITAL,
    NIGHTS_MAX,
    SimulatedStay,
    is_dental,
    is_stay,
    stay_from,
)

__all__ = [
    "Flaw",
    "Scenario",
    "SimulatedCharge",
    "SimulatedCoverage",
    "SimulatedEncounter",
    "SimulatedPatient",
    "Wire",
    "charges_by_entity_and_payer",
]
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


@dataclass(frozen=True, slots=True)
class Scenario:
    """The story of one seed: the same arguments give the same encounters, byte for byte.

    Service dates lie 1 to 60 days before `today`.
    """

    seed: int
    encounters: tuple[SimulatedEncounter, ...]
    today: date

    @classmethod
    def tell(
        cls, seed: int, encounters: int, today: date, *, next_payer_percent: int = 0, has_stays: bool = False
    ) -> Self:
        """A story of that many encounters; so many percent of the insured patients have a second insurance.

        Ordinals 4, 68, 132 ... have no member id; ordinals 20, 84, 148 ... name a payer that nobody knows. With stays,
        ordinals 6, 54, 102 ... are stays in hospital and 8, 88, 168 ... visits to the dentist.
        """
        told = (_encounter(seed, ordinal, today, next_payer_percent, has_stays) for ordinal in range(encounters))
        return cls(seed, tuple(told), today)

    @classmethod
    def small(cls, today: date, seed: int = 7) -> Self:
        """Ten encounters, for the tests that kill and restart."""
        return cls.tell(seed, SMALL_ENCOUNTERS, today)

    @classmethod
    def demo(cls, today: date, seed: int = 2026, encounters: int = DEMO_ENCOUNTERS) -> Self:
        """The story of `make demo`."""
        return cls.tell(seed, encounters, today, next_payer_percent=NEXT_PAYER_PERCENT, has_stays=True)

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


def _ward(dice: Dice, ordinal: int, has_stays: bool) -> Ward:
    if has_stays and is_stay(ordinal):
        return HOSPITAL
    if has_stays and is_dental(ordinal):
        return DENTIST
    return dice.choice(WARDS, "ward")


def _diagnoses(dice: Dice, stay: SimulatedStay | None) -> tuple[str, ...]:
    """One to three, after the principal one of a stay; dental visits have them too, for the EHR asks for one."""
    picked = dice.below(len(DIAGNOSES), "diagnosis")
    codes = tuple(DIAGNOSES[(picked + step) % len(DIAGNOSES)][0] for step in range(dice.between(1, 3, "diagnoses")))
    return (stay.admission.principal[0], *codes) if stay else codes


def _wire(dice: Dice, ward: Ward) -> Wire:
    """A tooth has a place in FHIR alone."""
    return Wire.FHIR if ward is DENTIST or dice.chance(FHIR_PERCENT, "wire") else Wire.HL7


def _encounter(seed: int, ordinal: int, today: date, next_payer_percent: int, has_stays: bool) -> SimulatedEncounter:
    dice = Dice(seed, "encounter", ordinal)
    flaw = _flaw(ordinal)
    ward = _ward(dice, ordinal, has_stays)
    patient = _patient(seed, ward.entity, _patient_number(dice, ordinal))
    nights_left = NIGHTS_MAX if ward is HOSPITAL else 0
    first_day = today - timedelta(days=dice.between(2 + nights_left, SERVICE_DAYS_BACK_MAX, "days back"))
    stay = stay_from(dice, first_day) if ward is HOSPITAL else None
    codes = _diagnoses(dice, stay)
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
        charges=(
            _stay_charges(stay, visit_number, codes) if stay else _charges(dice, ward, visit_number, first_day, codes)
        ),
        diagnosis_codes=codes,
        provider=dice.choice(ward.providers, "provider"),
        location=ward.location,
        wire=_wire(dice, ward),
        flaw=flaw,
        stay=stay,
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


def _stay_charges(
    stay: SimulatedStay, visit_number: str, diagnosis_codes: tuple[str, ...]
) -> tuple[SimulatedCharge, ...]:
    """The room for each night, and what else the ward provides, once."""
    day = stay.admitted_at.date()
    room, *others = HOSPITAL.procedures
    charges = [_charge_of(HOSPITAL, room, stay.nights, f"{visit_number}-1", day, diagnosis_codes[:1])]
    charges += [
        _charge_of(HOSPITAL, each, 1, f"{visit_number}-{line}", stay.procedure_day, diagnosis_codes[:1])
        for line, each in enumerate(others, 2)
    ]
    return tuple(charges)


def _charge(
    dice: Dice, ward: Ward, procedure: Procedure, transaction_id: str, day: date, diagnosis_codes: tuple[str, ...]
) -> SimulatedCharge:
    units = dice.between(1, procedure.units_max, "units", transaction_id)
    return _charge_of(ward, procedure, units, transaction_id, day, diagnosis_codes)


def _charge_of(
    ward: Ward, procedure: Procedure, units: int, transaction_id: str, day: date, diagnosis_codes: tuple[str, ...]
) -> SimulatedCharge:
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
        revenue_code=procedure.revenue_code,
        tooth=procedure.tooth,
        surfaces=procedure.surfaces,
    )
