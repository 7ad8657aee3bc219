"""Diagnoses of an encounter, to which each charge points by number, and what the source says of the stay."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from canonical.classes import CanonicalModel, Phi
from canonical.encounter import AccidentCause, StayFacts
from canonical.party import Guarantor
from pydantic import AwareDatetime

from intake.domain.charge_words import is_older

ADMITTING = "admitting"
DAY_DIGITS = 8
ONLY_FIRST = (1,)


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


class Circumstances(CanonicalModel):
    """When what is treated began, and of what accident it is; `accident_state` has two letters."""

    onset_date: Phi[date] | None = None
    accident_date: Phi[date] | None = None
    accident_cause: Phi[AccidentCause] = AccidentCause.OTHER
    accident_state: Phi[str] = ""


class ClinicalDetails(CanonicalModel):
    """The content of kind `clinical.v1`.

    Charges point at `diagnosis_codes` by place, so that those `withdrawn` stay among them and are not billed. `principal`
    is the first of those billed where that is not the first that stands; `listed_at` is when the source said its newest list.
    Those `told_alone` are in no list of the visit, so that none takes them away.
    """

    diagnosis_codes: tuple[Phi[str], ...] = ()
    withdrawn: tuple[Phi[str], ...] = ()
    told_alone: tuple[Phi[str], ...] = ()
    principal: Phi[str] = ""
    listed_at: Phi[AwareDatetime] | None = None
    account_number: Phi[str] = ""
    stay: SeenStay | None = None
    starts_on: Phi[date] | None = None
    ends_on: Phi[date] | None = None
    guarantor: Guarantor | None = None
    circumstances: Circumstances = Circumstances()

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day of the visit, as far as they are known."""
        stay = self.stay
        starts_on, ends_on = (_day_of(stay.admitted_at), _day_of(stay.discharged_at)) if stay else (None, None)
        return starts_on or self.starts_on, ends_on or self.ends_on

    @property
    def billed_diagnoses(self) -> tuple[str, ...]:
        """Those that stand, the principal one first."""
        standing = (code for code in self.diagnosis_codes if code not in self.withdrawn)
        return tuple(sorted(standing, key=lambda code: code != self.principal))

    def codes_at(self, pointers: Sequence[int]) -> tuple[str, ...]:
        """The diagnoses that a charge points at, whether they stand or not."""
        return tuple(self.diagnosis_codes[place - 1] for place in pointers if place <= len(self.diagnosis_codes))

    def billed_pointers(self, pointers: Sequence[int]) -> tuple[int, ...]:
        """Where what a charge points at stands among what is billed; empty where nothing that it names stands.

        A charge that points at the first alone may have named none: it follows to the principal one.
        """
        billed = self.billed_diagnoses
        found = tuple(billed.index(code) + 1 for code in self.codes_at(pointers) if code in billed)
        return found or (ONLY_FIRST if tuple(pointers) == ONLY_FIRST else ())

    def with_diagnosis(self, code: str, use: str) -> ClinicalDetails:
        """With a diagnosis that came on its own, also where it was taken back before."""
        if use == ADMITTING:
            stay = (self.stay or SeenStay()).model_copy(update={"admitting_diagnosis": code})
            return self.model_copy(update={"stay": stay})
        known = self.model_copy(update={"told_alone": tuple(dict.fromkeys([*self.told_alone, code]))})
        return known.pointed_at((code,))

    def without_diagnosis(self, code: str) -> ClinicalDetails:
        """Without a diagnosis that its source takes back, whoever pointed at it."""
        details = self
        if self.stay is not None and self.stay.admitting_diagnosis == code:
            details = self.model_copy(update={"stay": self.stay.model_copy(update={"admitting_diagnosis": ""})})
        alone = tuple(each for each in self.told_alone if each != code)
        details = details.model_copy(update={"told_alone": alone})
        return details._changed(self.diagnosis_codes, {*self.withdrawn, code})

    def pointed_at(self, codes: Sequence[str]) -> ClinicalDetails:
        """With these diagnoses beside those that are known."""
        return self._changed(tuple(dict.fromkeys([*self.diagnosis_codes, *codes])), {*self.withdrawn} - {*codes})

    def with_list(
        self, seen: Sequence[str], named: Collection[str] | None, *, is_whole: bool, said_at: datetime | None
    ) -> ClinicalDetails:
        """After a message that lists diagnoses of the visit. `named` are those that charges name themselves, None without charges.

        Once charges point into it, what has left the list keeps its place, so that their pointers stay right. What a
        message of charges lists, or an older list, takes nothing away.
        """
        if not seen or (is_whole and is_older(said_at, self.listed_at)):
            return self
        if named is None:
            listed = self._changed(tuple(dict.fromkeys([*seen, *self.told_alone])), set(), "")
        else:
            gone = {*self.diagnosis_codes} - {*seen, *named, *self.told_alone} if is_whole else set()
            codes = tuple(dict.fromkeys([*self.diagnosis_codes, *seen]))
            principal = seen[0] if is_whole else self.principal
            listed = self._changed(codes, ({*self.withdrawn} | gone) - {*seen}, principal)
        if listed == self or not is_whole:
            return listed
        return listed.model_copy(update={"listed_at": said_at})

    def _changed(self, codes: tuple[str, ...], withdrawn: set[str], principal: str | None = None) -> ClinicalDetails:
        gone = tuple(code for code in codes if code in withdrawn)
        first = next((code for code in codes if code not in withdrawn), "")
        principal = self.principal if principal is None else principal
        update = {
            "diagnosis_codes": codes,
            "withdrawn": gone,
            "principal": "" if principal in withdrawn or principal == first else principal,
        }
        return self.model_copy(update=update)


def _day_of(instant: str) -> date | None:
    """The day of `YYYYMMDDHHMM`."""
    return date(int(instant[:4]), int(instant[4:6]), int(instant[6:8])) if len(instant) >= DAY_DIGITS else None


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
    return tuple(codes.index(code) + 1 for code in dict.fromkeys(pointed)) or ONLY_FIRST
