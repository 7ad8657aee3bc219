"""Where stays and dental visits of the story happen, and what a hospital says of a stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sandbox.world.catalog import Procedure, Ward
from sandbox.world.dice import Dice

STAY_EVERY, STAY_ORDINAL = 48, 6
DENTAL_EVERY, DENTAL_ORDINAL = 80, 8
NIGHTS_MAX = 3
HOSPITAL = Ward(
    "SOUTH",
    "S-MED",
    "S-MED",
    "S-WARD",
    ("PRV04", "PRV06"),
    (
        Procedure("", "Room and board, semi-private", 185_000, revenue_code="0120"),
        Procedure("", "Pharmacy", 41_237, revenue_code="0250"),
        Procedure("80053", "Comprehensive metabolic panel", 9_615, revenue_code="0301"),
        Procedure("70450", "CT head without contrast", 112_050, revenue_code="0351"),
    ),
)
DENTIST = Ward(
    "NORTH",
    "N-DENT",
    "DENTAL",
    "N-EAST",
    ("PRV01",),
    (
        Procedure("D0120", "Periodic oral evaluation", 5_600),
        Procedure("D2392", "Resin composite, two surfaces, posterior", 21_450, tooth="14", surfaces="MO"),
        Procedure("D1110", "Prophylaxis, adult", 9_825),
    ),
)


@dataclass(frozen=True, slots=True)
class Admission:
    """Why somebody is admitted: the diagnosis at the door, the principal one, what was done, and the DRG."""

    admitting: tuple[str, str]
    principal: tuple[str, str]
    procedure: str
    drg: str


ADMISSIONS = (
    Admission(("R10.9", "Abdominal pain"), ("K35.80", "Acute appendicitis"), "0DTJ4ZZ", "343"),
    Admission(("R07.9", "Chest pain"), ("I21.4", "Non-ST elevation myocardial infarction"), "02703DZ", "322"),
    Admission(("R50.9", "Fever"), ("J18.9", "Pneumonia"), "", "195"),
)
HOSPITAL_DIAGNOSES = dict(code for each in ADMISSIONS for code in (each.admitting, each.principal))


@dataclass(frozen=True, slots=True)
class SimulatedStay:
    """A stay in a ward; times are the hospital's own, codes those of the NUBC, `procedure_code` of ICD-10-PCS or empty."""

    admitted_at: datetime
    discharged_at: datetime
    admission: Admission
    admission_type: str = "1"
    admission_source: str = "1"
    patient_status: str = "01"
    bill_type: str = "11"

    @property
    def nights(self) -> int:
        return (self.discharged_at.date() - self.admitted_at.date()).days

    @property
    def procedure_day(self) -> date:
        return self.admitted_at.date() + timedelta(days=1)


def is_stay(ordinal: int) -> bool:
    return ordinal % STAY_EVERY == STAY_ORDINAL


def is_dental(ordinal: int) -> bool:
    return ordinal % DENTAL_EVERY == DENTAL_ORDINAL


def stay_from(dice: Dice, first_day: date) -> SimulatedStay:
    """A stay of one to three nights."""
    left = first_day + timedelta(days=dice.between(1, NIGHTS_MAX, "nights"))
    return SimulatedStay(
        admitted_at=_at(first_day, 8, dice.below(60, "admitted")),
        discharged_at=_at(left, 11, dice.below(60, "discharged")),
        admission=dice.choice(ADMISSIONS, "admission"),
    )


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute))
