"""Diagnoses of an encounter, to which each charge points by number, and what the source says of the stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from canonical.classes import CanonicalModel, Phi
from canonical.encounter import StayFacts
from canonical.party import Guarantor

ADMITTING = "admitting"
DAY_DIGITS = 8


class SeenStay(StayFacts):
    """A stay or visit of a facility in the source's codes. `bill_type` is empty where the source leaves it to master data,
    `bill_frequency` where it does not say which part of the stay is to be billed.

    `on_admission` tells by diagnosis whether it was present on admission (N, U, W, Y).
    """

    is_inpatient: bool = False
    bill_type: Phi[str] = ""
    bill_frequency: Phi[str] = ""
    on_admission: dict[Phi[str], Phi[str]] = {}

    @property
    def is_open(self) -> bool:
        """Whether the patient is still in."""
        return self.is_inpatient and not self.discharged_at


class ClinicalDetails(CanonicalModel):
    """The content of kind `clinical.v1`."""

    diagnosis_codes: tuple[Phi[str], ...] = ()
    account_number: Phi[str] = ""
    stay: SeenStay | None = None
    starts_on: Phi[date] | None = None
    ends_on: Phi[date] | None = None
    guarantor: Guarantor | None = None

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day of the visit, as far as they are known."""
        stay = self.stay
        starts_on, ends_on = (_day_of(stay.admitted_at), _day_of(stay.discharged_at)) if stay else (None, None)
        return starts_on or self.starts_on, ends_on or self.ends_on

    def with_diagnosis(self, code: str, use: str) -> ClinicalDetails:
        """With a diagnosis that came on its own; one that is known already changes nothing."""
        if use == ADMITTING:
            stay = (self.stay or SeenStay()).model_copy(update={"admitting_diagnosis": code})
            return self.model_copy(update={"stay": stay})
        return self.model_copy(
            update={"diagnosis_codes": merged_diagnoses(self.diagnosis_codes, (code,), pointed_at=True)}
        )


def _day_of(instant: str) -> date | None:
    """The day of `YYYYMMDDHHMM`."""
    return date(int(instant[:4]), int(instant[4:6]), int(instant[6:8])) if len(instant) >= DAY_DIGITS else None


def merged_diagnoses(known: Sequence[str], seen: Sequence[str], *, pointed_at: bool) -> tuple[str, ...]:
    """The list after a message; once charges point into it, it only grows, so that their pointers stay right."""
    if not pointed_at and seen:
        return tuple(dict.fromkeys(seen))
    return tuple(dict.fromkeys([*known, *seen]))


def merged_stay(known: SeenStay | None, seen: SeenStay | None) -> SeenStay | None:
    """What is known after a message: the newer word where it says something, and a time before the bare day of it."""
    if known is None or seen is None:
        return seen or known
    changes = {
        name: value
        for name in SeenStay.model_fields
        if (value := getattr(seen, name)) and not _says_more(getattr(known, name), value)
    }
    return known.model_copy(update=changes)


def _says_more(known: object, seen: object) -> bool:
    return isinstance(known, str) and isinstance(seen, str) and len(known) > len(seen) and known.startswith(seen)


def pointers_to(codes: Sequence[str], pointed: Sequence[str]) -> tuple[int, ...]:
    """Where the charge's diagnoses stand in the list, from 1; the first of all where the charge names none."""
    return tuple(codes.index(code) + 1 for code in dict.fromkeys(pointed)) or (1,)
