"""How an encounter's charges are billed: which are professional, which institutional, which dental, and on what terms."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from canonical.codes import ClaimType
from canonical.encounter import EncounterPhi, InstitutionalStay
from canonical.master_data import MasterData, UnknownMasterData

from intake.domain.billing_rules import billing_terms
from intake.domain.charge_checks import checked_charges
from intake.domain.clinical import ClinicalDetails
from intake.domain.encounter_content import BillingTerms, CapturedCharge, EncounterFacts, HoldReason
from intake.domain.next_coverage import NextCoverage
from intake.domain.stays import days_of, institutional_stay

_DENTAL_PROCEDURE = re.compile("D[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Bill:
    """Charges of one kind, and the terms on which they are billed; `stay` is there where the source told of one."""

    terms: BillingTerms
    charges: tuple[CapturedCharge, ...]
    stay: InstitutionalStay | None = field(default=None, repr=False)


def bills_of(
    facts: EncounterFacts,
    payer: str | None,
    charges: Sequence[CapturedCharge],
    clinical: ClinicalDetails,
    master_data: MasterData,
    next_coverages: Sequence[NextCoverage] = (),
) -> tuple[tuple[Bill, ...], tuple[HoldReason, ...]]:
    """One bill for each kind of claim, in the order in which their first charges came, or every reason to hold them all."""
    charges, found = checked_charges(facts, charges, clinical, master_data)
    is_inpatient = clinical.stay is not None and clinical.stay.is_inpatient
    kinds: dict[ClaimType, list[CapturedCharge]] = {}
    for charge in charges:
        kinds.setdefault(claim_type_of(charge, facts, master_data, is_inpatient=is_inpatient), []).append(charge)
    bills: list[Bill] = []
    reasons = dict.fromkeys(found)
    for kind, own in kinds.items():
        terms = billing_terms(
            facts, payer, own, len(clinical.billed_diagnoses), master_data, next_coverages, claim_type=kind
        )
        stay, lacking = _stay(facts, own, clinical, master_data)
        why = terms if isinstance(terms, tuple) else ()
        if payer and kind is ClaimType.INSTITUTIONAL:
            why += lacking
        reasons |= dict.fromkeys(why)
        if isinstance(terms, BillingTerms):
            bills.append(Bill(_covering(terms, stay), tuple(own), stay if clinical.stay else None))
    return ((), tuple(reasons)) if reasons else (tuple(bills), ())


def claim_type_of(
    charge: CapturedCharge, facts: EncounterFacts, master_data: MasterData, *, is_inpatient: bool
) -> ClaimType:
    """What the charge's department bills; else dental where it is a CDT code; else what the entity bills; else by class.

    A department or entity that nobody knows bills nothing: the terms hold the encounter for it.
    """
    department, day = charge.line.department, charge.line.service_date
    try:
        if department:
            ours = master_data.translate(facts.source, "department", department, day)
            if bills := master_data.department(ours, day).bills:
                return bills
        if _DENTAL_PROCEDURE.fullmatch(charge.line.procedure_code):
            return ClaimType.DENTAL
        entity = master_data.translate(facts.source, "entity", facts.entity, day)
        if bills := master_data.entity(entity, day).bills:
            return bills
    except UnknownMasterData:
        pass
    return ClaimType.INSTITUTIONAL if is_inpatient else ClaimType.PROFESSIONAL


def seen_by_payer(phi: EncounterPhi, claim_type: ClaimType, elsewhere: Collection[str]) -> tuple[object, ...]:
    """What a claim of this kind says of the visit that matters to it.

    A facility's is the whole stay. Any other shows when the stay and the illness began, of what accident it is, and diagnoses that only charges `elsewhere` point
    at are no reason to send it again.
    """
    stay = phi.stay
    if claim_type is ClaimType.INSTITUTIONAL:
        return phi.diagnosis_codes, stay
    own = tuple(code for code in phi.diagnosis_codes if code not in elsewhere)
    accident = (phi.accident_date, phi.accident_cause, phi.accident_state)
    return own, stay.admitted_at if stay else "", phi.onset_date, accident


def diagnoses_elsewhere(
    clinical: ClinicalDetails, own: Collection[UUID], charges: Iterable[CapturedCharge]
) -> frozenset[str]:
    """The diagnoses at which some of the charges point, and none of a posting's `own`."""
    pointed_at: dict[bool, set[str]] = {True: set(), False: set()}
    for charge in charges:
        pointed_at[charge.line.charge_id in own] |= {*clinical.codes_at(charge.line.diagnosis_pointers)}
    return frozenset(pointed_at[False] - pointed_at[True])


def _stay(
    facts: EncounterFacts, charges: Sequence[CapturedCharge], clinical: ClinicalDetails, master_data: MasterData
) -> tuple[InstitutionalStay, tuple[HoldReason, ...]]:
    day = min(charge.line.service_date for charge in charges)
    try:
        location = master_data.translate(facts.source, "location", facts.location, day) if facts.location else ""
        bill_type = master_data.location(location, day).bill_type if location else ""
    except UnknownMasterData:
        bill_type = ""
    return institutional_stay(clinical.stay, facts.source, day, bill_type, clinical.billed_diagnoses, master_data)


def _covering(terms: BillingTerms, stay: InstitutionalStay) -> BillingTerms:
    """An institutional bill covers the whole stay, whatever days its charges have."""
    if terms.claim_type is not ClaimType.INSTITUTIONAL:
        return terms
    return terms.model_copy(update={"covered_days": days_of(stay)})
