"""The encounter: charges are taken once, posted once, and held with reasons."""

from __future__ import annotations

from typing import Any

import pytest
from canonical.codes import PayerClass
from canonical.money import Money
from chassis.testing import Happened, given, happened
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import BillingTerms, HoldReason
from intake.domain.patient import Patient
from intake.domain.refusals import ChargeChanged, EncounterMoved, NothingHeld

from .world import MESSAGE, captured, facts, line, sealed

REASON = HoldReason(field="payer", rule="unknown-payer", note="no payer 'X' on 2026-02-06")
TERMS = BillingTerms(
    entity="NORTH",
    payer="ACME",
    payer_class=PayerClass.COMMERCIAL,
    location="N-MAIN",
    place_of_service="11",
    rendering_provider="PRV01",
    departments={"FAMMED": "N-FM"},
)


def opened(fingerprint: str = "one") -> Happened:
    return happened(
        Encounter.Opened, facts=facts(), clinical=sealed("clinical.v1"), diagnosis_count=1, fingerprint=fingerprint
    )


def took(number: int = 1, **changes: Any) -> Happened:
    return happened(Encounter.ChargeCaptured, charge=captured(number, **changes))


FINISHED = happened(Encounter.Finished)
HELD = happened(Encounter.Held, reasons=(REASON,), amount=Money.of("124.00"))


def test_an_encounter_opens_once() -> None:
    given(Encounter).when(lambda e: e.see(facts(), sealed("clinical.v1"), 1, "one")).then(opened())
    given(Encounter, [opened()]).when(lambda e: e.see(facts(), sealed(text=b"again"), 1, "one")).then()


def test_changed_details_are_taken() -> None:
    outcome = given(Encounter, [opened()]).when(lambda e: e.see(facts(location="N-EAST"), sealed(), 2, "two"))
    assert [type(event) for event in outcome.events] == [Encounter.DetailsChanged]


@pytest.mark.parametrize("change", [{"entity": "SOUTH"}, {"patient_id": MESSAGE}])
def test_an_encounter_does_not_move_to_another_patient_or_entity(change: dict[str, Any]) -> None:
    given(Encounter, [opened()]).when(lambda e: e.see(facts(**change), sealed(), 1, "two")).then_refused(
        EncounterMoved, "another patient or entity"
    )


def test_the_same_charge_twice_is_one() -> None:
    given(Encounter, [opened()]).when(lambda e: e.capture(captured())).then(took())
    given(Encounter, [opened(), took()]).when(lambda e: e.capture(captured())).then()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": Money.of("124.01")}, "amount"),
        ({"procedure_code": "99214"}, "procedure_code"),
        ({"modifiers": ("25",)}, "modifiers"),
        ({"diagnosis_pointers": (2,)}, "diagnosis_pointers"),
    ],
)
def test_a_charge_with_other_content_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    changed = line(**changes)
    given(Encounter, [opened(), took()]).when(
        lambda e: e.capture(captured().model_copy(update={"line": changed}))
    ).then_refused(ChargeChanged, field)


def test_a_held_encounter_is_held_once_for_the_same_reasons() -> None:
    given(Encounter, [opened(), took(), FINISHED]).when(lambda e: e.hold([REASON])).then(HELD)
    given(Encounter, [opened(), took(), FINISHED, HELD]).when(lambda e: e.hold([REASON])).then()


def test_only_a_held_encounter_is_released() -> None:
    released = happened(Encounter.Released, reason="payer added")
    given(Encounter, [opened(), HELD]).when(lambda e: e.release("payer added")).then(released)
    given(Encounter, [opened()]).when(lambda e: e.release("payer added")).then_refused(NothingHeld)


def test_a_posting_announces_each_charge_once_in_our_codes() -> None:
    outcome = given(Encounter, [opened(), took(1), took(2), FINISHED]).when(
        lambda e: e.charge(TERMS, e.waiting, sealed("encounter.v1"), has_member_id=True)
    )
    (charged,) = outcome.events
    assert isinstance(charged, Encounter.Charged)
    assert (charged.posting, charged.total, len(charged.charges)) == (1, Money.of("248.00"), 2)
    assert {each.department for each in charged.charges} == {"N-FM"}


def test_a_later_charge_makes_a_second_posting_of_itself_alone() -> None:
    started = given(Encounter, [opened(), took(1), FINISHED])
    started.aggregate.charge(TERMS, started.aggregate.waiting, sealed("encounter.v1"), has_member_id=True)
    started.aggregate.capture(captured(2))
    started.aggregate.charge(TERMS, started.aggregate.waiting, sealed("encounter.v1"), has_member_id=True)
    charged = [event for event in started.aggregate.pending if isinstance(event, Encounter.Charged)]
    assert [(event.posting, len(event.charges)) for event in charged] == [(1, 1), (2, 1)]


def test_more_charges_than_a_claim_has_lines_make_several_postings() -> None:
    history = [opened(), *(took(number) for number in range(51)), FINISHED]
    outcome = given(Encounter, history).when(
        lambda e: e.charge(TERMS, e.waiting, sealed("encounter.v1"), has_member_id=True)
    )
    assert [len(event.charges) for event in outcome.events if isinstance(event, Encounter.Charged)] == [50, 1]


def test_a_patient_registers_once_and_changes_when_the_fingerprint_does() -> None:
    registered = happened(Patient.Registered, details=sealed(), fingerprint="one")
    given(Patient).when(lambda p: p.see(sealed(), "one")).then(registered)
    given(Patient, [registered]).when(lambda p: p.see(sealed(text=b"again"), "one")).then()
    changed = happened(Patient.DetailsChanged, details=sealed(), fingerprint="two")
    given(Patient, [registered]).when(lambda p: p.see(sealed(), "two")).then(changed)
