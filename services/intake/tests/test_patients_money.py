"""Money that a source tells of without a visit: it is the patient's, in the books of the entity that says so."""

from __future__ import annotations

import pytest
from canonical.events.intake import PatientPaymentReported
from canonical.money import Money
from intake.application.deliveries import Outcome
from intake.domain.identities import patient_id_of

from .test_hl7_stories import IN1, Sender, ft1

NO_VISIT = "PV1|1|O"
PAYER = patient_id_of("ehr-north", "P1")


def paid(sender: Sender, amount: str = "20.00", patient: str = "P1") -> Outcome:
    return sender.send("DFT^P03", ft1("PAY1", amount, "PY", "CASH"), patient=patient, visit_row=NO_VISIT)


def payments(sender: Sender) -> list[PatientPaymentReported]:
    return [event for event in sender.told(PatientPaymentReported) if isinstance(event, PatientPaymentReported)]


def cases(sender: Sender) -> list[tuple[object, ...]]:
    rows = sender.service.cases()
    return [(row["code"], row["subject"], row["subject_id"]) for row in rows if row["state"] == "open"]


def test_a_payment_that_names_no_visit_is_told_once_as_the_patients() -> None:
    sender = Sender()
    assert paid(sender).accepted
    assert paid(sender).accepted
    (told,) = payments(sender)
    assert (told.encounter_id, told.patient_id, told.entity, told.amount) == (None, PAYER, "NORTH", Money.of("20.00"))
    assert cases(sender) == []


@pytest.mark.parametrize(("amount", "patient"), [("21.00", "P1"), ("20.00", "P2")])
def test_it_is_a_conflict_where_it_comes_again_with_another_amount_or_for_another_patient(
    amount: str, patient: str
) -> None:
    sender = Sender()
    paid(sender)
    assert not paid(sender, amount, patient).accepted
    assert [code for code, *_ in cases(sender)] == ["ReportedOtherwise"]
    assert len(payments(sender)) == 1


def test_it_comes_again_under_the_number_of_the_person_that_its_patient_was_merged_into() -> None:
    sender = Sender()
    paid(sender)
    sender.send("ADT^A28", patient="P2")
    assert sender.send("ADT^A40", "MRG|P1^^^ehr-north^MR", patient="P2").accepted
    assert paid(sender, patient="P2").accepted
    assert [each.patient_id for each in payments(sender)] == [PAYER]


def test_an_adjustment_that_names_no_visit_is_kept_with_a_case_of_its_patient() -> None:
    sender = Sender()
    row = ft1("ADJ1", "-5.00", "AJ", "SMALL")
    assert sender.send("DFT^P03", row, visit_row=NO_VISIT).accepted
    assert sender.send("DFT^P03", row, visit_row=NO_VISIT).accepted
    assert cases(sender) == [("ReportedAdjustment", "patient", PAYER)]


def test_a_charge_still_needs_its_visit_and_takes_the_payment_beside_it_along() -> None:
    sender = Sender()
    outcome = sender.send("DFT^P03", ft1("A", "100.00"), ft1("PAY1", "20.00", "PY", "CASH"), IN1, visit_row=NO_VISIT)
    assert [finding.split(": ")[1] for finding in outcome.findings] == ["required"]
    assert payments(sender) == []


def test_a_payment_in_the_books_of_nobody_we_know_is_refused() -> None:
    sender = Sender()
    sender.service.master_data = sender.service.master_data.model_copy(update={"entities": ()})
    assert paid(sender).rule == "unknown-entity"
    assert payments(sender) == []
