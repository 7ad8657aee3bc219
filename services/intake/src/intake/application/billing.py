"""Bills a complete encounter, or holds it with reasons and a case for a person."""

from __future__ import annotations

from canonical.encounter import EncounterPhi
from canonical.ids import derive
from canonical.master_data import MasterData
from canonical.money import Money
from canonical.party import CoverageDetails, PatientDetails
from chassis.eventstore import Work
from chassis.exceptions.case import CaseState, ExceptionCase, raise_case

from intake.application.envelopes import Envelopes
from intake.domain.bills import Bill, bills_of
from intake.domain.clinical import ClinicalDetails
from intake.domain.encounter import ENCOUNTER_KIND, Encounter, EncounterState, HoldReason
from intake.domain.next_coverage import NextCoverage, in_order
from intake.domain.patient import Patient


def bill(
    work: Work,
    encounter: Encounter,
    envelopes: Envelopes,
    master_data: MasterData,
    *,
    release_reason: str = "later facts cleared it",
) -> list[str]:
    """Announces the charges that wait, if the encounter is complete; gives the reasons where it is held."""
    if not encounter.is_complete or not encounter.waiting:
        return []
    assert encounter.facts is not None
    patient = work.require(Patient, encounter.facts.patient_id)
    payer = patient.payer if encounter.payer is None else encounter.payer
    following = in_order(patient.next_coverages if encounter.payer is None else encounter.next_coverages)
    assert encounter.clinical is not None
    clinical = envelopes.open(encounter.clinical, ClinicalDetails)
    bills, reasons = bills_of(encounter.facts, payer, encounter.waiting, clinical, master_data, following)
    if reasons:
        _hold(work, encounter, reasons)
        return [str(reason) for reason in reasons]
    if encounter.state is EncounterState.HELD:
        _end_case(work, encounter, release_reason)
        encounter.release(release_reason)
    for each in bills:
        _announce(encounter, patient, each, following, clinical, envelopes)
    return []


def _announce(
    encounter: Encounter,
    patient: Patient,
    bill: Bill,
    following: tuple[NextCoverage, ...],
    clinical: ClinicalDetails,
    envelopes: Envelopes,
) -> None:
    phi = _phi(encounter, patient, bill, following if bill.terms.next_payers else (), clinical, envelopes)
    plans = [coverage.plan for coverage in phi.other_coverages]
    following_payers = tuple(
        payer.model_copy(update={"plan": plan}) for payer, plan in zip(bill.terms.next_payers, plans, strict=True)
    )
    encounter.charge(
        bill.terms.model_copy(update={"next_payers": following_payers}),
        bill.charges,
        envelopes.seal(phi, patient.id, ENCOUNTER_KIND, encounter.id),
        has_member_id=bool(phi.coverage and phi.coverage.member_id),
        plan=phi.coverage.plan if phi.coverage else "",
    )


def _phi(
    encounter: Encounter,
    patient: Patient,
    bill: Bill,
    following: tuple[NextCoverage, ...],
    clinical: ClinicalDetails,
    envelopes: Envelopes,
) -> EncounterPhi:
    assert patient.details is not None
    coverage = patient.coverage if encounter.payer is None else encounter.coverage
    return EncounterPhi(
        patient=envelopes.open(patient.details, PatientDetails),
        coverage=envelopes.open(coverage, CoverageDetails) if coverage else None,
        other_coverages=tuple(envelopes.open(each.coverage, CoverageDetails) for each in following),
        diagnosis_codes=clinical.diagnosis_codes,
        account_number=clinical.account_number,
        stay=bill.stay,
    )


def _hold(work: Work, encounter: Encounter, reasons: tuple[HoldReason, ...]) -> None:
    assert encounter.facts is not None
    if encounter.state is EncounterState.HELD and encounter.reasons != reasons:
        _end_case(work, encounter, "held for other reasons now")
    if not encounter.hold(reasons):
        return
    raise_case(
        work,
        encounter.hold_cause,
        code=case_code(reasons),
        summary="; ".join(map(str, reasons))[:500],
        subject="encounter",
        subject_id=encounter.id,
        entity=encounter.facts.entity,
        amount=Money.total(charge.line.amount for charge in encounter.waiting),
    )


def _end_case(work: Work, encounter: Encounter, why: str) -> None:
    case_id = derive("exception-case", encounter.hold_cause, case_code(encounter.reasons))
    case = work.get(ExceptionCase, case_id)
    if case is not None and case.is_open:
        case.end(CaseState.CORRECTED, why)


def case_code(reasons: tuple[HoldReason, ...]) -> str:
    """The code of a hold's case, named for its first reason: `unknown-payer` gives `UnknownPayer`."""
    return "".join(word.capitalize() for word in reasons[0].rule.split("-"))
