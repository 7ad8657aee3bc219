"""What each kind of word says of the diagnoses of a visit."""

from __future__ import annotations

from collections.abc import Collection

from intake.domain.clinical import ONLY_FIRST, ClinicalDetails
from intake.domain.encounter_content import CapturedCharge
from intake.domain.facts import ChargeSeen, DiagnosisSeen, EncounterSeen


def diagnosed(known: ClinicalDetails, charges: Collection[CapturedCharge], fact: EncounterSeen) -> ClinicalDetails:
    """After a word on the visit; what a charge names itself stays as long as nobody takes it back by name."""
    pointers = (charge.line.diagnosis_pointers for charge in charges)
    named = {code for each in pointers if each != ONLY_FIRST for code in known.codes_at(each)}
    details = known.with_list(
        fact.diagnosis_codes, named if charges else None, is_whole=fact.lists_diagnoses, said_at=fact.said_at
    )
    for code in fact.withdrawn_codes:
        details = details.without_diagnosis(code)
    return details


def diagnosed_alone(known: ClinicalDetails, fact: DiagnosisSeen) -> ClinicalDetails:
    """After a diagnosis on its own; the same one again changes nothing."""
    if fact.is_old and (fact.withdrawn or fact.code in known.diagnosis_codes):
        return known
    if fact.withdrawn:
        return known.without_diagnosis(fact.code)
    return known.with_diagnosis(fact.code, fact.use)


def diagnosed_by_charge(known: ClinicalDetails, before: CapturedCharge | None, fact: ChargeSeen) -> ClinicalDetails:
    """After a charge that names diagnoses; one that names what it named before brings none back."""
    if before is not None and known.codes_at(before.line.diagnosis_pointers) == fact.diagnosis_codes:
        return known
    return known.pointed_at(fact.diagnosis_codes)
