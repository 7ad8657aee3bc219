"""What HL7 v2 senders tell over time: credits, corrections, cancelled visits, payments, merged persons, repetitions."""

from __future__ import annotations

import pytest
from canonical.envelope import PublicEvent
from canonical.events.intake import (
    ChargesRevised,
    EncounterCharged,
    PatientPaymentReported,
    PatientsMerged,
    PatientsUnmerged,
)
from canonical.money import Money
from chassis.inbound import INBOUND_MESSAGES, InboundMessage
from intake.adapters.hl7v2 import SiteProfiles, read_message, read_profiles
from intake.adapters.hl7v2.site_profiles import OtherContent
from intake.application.deliveries import InboundDelivery, Outcome
from intake.domain.identities import patient_id_of

from .world import IntakeUnderTest

SHIPPED = read_profiles(None)
CORRECTS = SiteProfiles(
    (SHIPPED.profiles[0].model_copy(update={"same_charge_other_content": OtherContent.CORRECTION}),)
)
HEAD = "MSH|^~\\&|{application}|NORTH|THROUGHLINE|BILLING|202602{stamp}||{kind}|{number}|P|2.5.1"
PID = "PID|1||{patient}^^^{application}^MR||Roe^Rita||19610203|F"
PV1 = "PV1|1|O|N-MAIN||||PRV01||||||||||||{visit}"
IN1 = "IN1|1|PLAN|ACME|||||||||||||Roe^Rita|SEL|||||||||||||||||||M1"


class Sender:
    """An EHR that numbers its messages, and intake behind it."""

    def __init__(self, profiles: SiteProfiles = SHIPPED) -> None:
        self.service = IntakeUnderTest()
        self._application = "ehr-north"
        self._profiles = profiles
        self._number = 0

    def send(
        self,
        kind: str,
        *rows: str,
        stamp: str = "",
        patient: str = "P1",
        number: str = "",
        visit_row: str = PV1,
    ) -> Outcome:
        delivery = self.write(kind, *rows, stamp=stamp, patient=patient, number=number, visit_row=visit_row)
        return self.service.receive(delivery)[0]

    def write(
        self, kind: str, *rows: str, stamp: str = "", patient: str = "P1", number: str = "", visit_row: str = PV1
    ) -> InboundDelivery:
        self._number += 1
        head = HEAD.format(
            application=self._application,
            stamp=stamp or f"12{self._number:04d}",
            kind=kind,
            number=number or self._number,
        )
        named = [
            row.format(visit="V1", patient=patient, application=self._application) for row in (PID, visit_row, *rows)
        ]
        return read_message("\r".join([head, *named, ""]).encode(), actor="door", profiles=self._profiles).delivery

    def told(self, kind: type[PublicEvent]) -> list[PublicEvent]:
        return [event for event in self.service.events() if isinstance(event, kind)]


def ft1(number: str, amount: str, kind: str = "CG", code: str = "99213^Visit^C4") -> str:
    return f"FT1|1|{number}||20260206||{kind}|{code}|||1|{amount}||FAMMED||||||E11.9^Diabetes^I10|PRV01"


def total_billed(sender: Sender) -> Money:
    """What the postings come to by now."""
    latest: dict[object, Money] = {}
    for event in sender.service.events():
        if isinstance(event, EncounterCharged | ChargesRevised):
            latest[event.encounter_id, event.posting] = event.total
    return Money.total(latest.values())


def test_a_credit_in_the_same_batch_takes_its_charge_back_before_anything_is_billed() -> None:
    sender = Sender()
    outcome = sender.send("DFT^P03", ft1("A", "100.00"), ft1("B", "55.00"), ft1("B", "55.00", "CD"), IN1)
    assert outcome.accepted
    assert (total_billed(sender), sender.told(ChargesRevised)) == (Money.of("100.00"), [])


def test_a_credit_after_billing_revises_what_was_billed() -> None:
    sender = Sender()
    sender.send("DFT^P03", ft1("A", "100.00"), ft1("B", "55.00"), IN1)
    assert total_billed(sender) == Money.of("155.00")
    assert sender.send("DFT^P03", ft1("B", "-55.00", "CD"), IN1).accepted
    assert total_billed(sender) == Money.of("100.00")


def test_a_charge_of_negative_units_and_amount_is_a_credit_where_the_profile_says_so() -> None:
    sender = Sender(SiteProfiles((SHIPPED.profiles[0].model_copy(update={"negative_charge_is_credit": True}),)))
    sender.send("DFT^P03", ft1("A", "100.00"), ft1("B", "55.00"), IN1)
    assert sender.send("DFT^P03", ft1("B", "-55.00").replace("|||1|-", "|||-1|-"), IN1).accepted
    assert total_billed(sender) == Money.of("100.00")


@pytest.mark.parametrize(("profiles", "accepted"), [(SHIPPED, False), (CORRECTS, True)], ids=["conflict", "correction"])
def test_other_content_under_an_id_is_a_correction_where_the_profile_says_so(
    profiles: SiteProfiles, accepted: bool
) -> None:
    sender = Sender(profiles)
    sender.send("DFT^P03", ft1("A", "100.00"), IN1)
    assert sender.send("DFT^P03", ft1("A", "90.00"), IN1).accepted is accepted
    assert total_billed(sender) == Money.of("90.00" if accepted else "100.00")


def test_an_older_correction_does_not_replace_a_newer_one() -> None:
    sender = Sender(CORRECTS)
    sender.send("DFT^P03", ft1("A", "100.00"), IN1, stamp="100800")
    sender.send("DFT^P03", ft1("A", "90.00"), IN1, stamp="121200")
    sender.send("DFT^P03", ft1("A", "95.00"), IN1, stamp="111000")
    assert total_billed(sender) == Money.of("90.00")


def test_a_cancelled_visit_is_taken_back_whole() -> None:
    sender = Sender()
    sender.send("ADT^A01", IN1)
    sender.send("DFT^P11", ft1("A", "100.00"), IN1)
    assert sender.send("ADT^A11").accepted
    assert total_billed(sender) == Money.of("0.00")


def test_a_copayment_at_the_desk_is_told_as_the_patients_payment() -> None:
    sender = Sender()
    sender.send("DFT^P03", ft1("A", "100.00"), IN1)
    assert sender.send("DFT^P03", ft1("PAY1", "20.00", "CO", "CASH"), IN1).accepted
    (payment,) = sender.told(PatientPaymentReported)
    assert isinstance(payment, PatientPaymentReported)
    assert (payment.amount, payment.patient_id) == (Money.of("20.00"), patient_id_of("ehr-north", "P1"))


def test_a_payment_of_nothing_and_a_code_that_is_none_are_left_out_and_told() -> None:
    sender = Sender()
    sender.send("DFT^P03", ft1("A", "100.00"), IN1)
    outcome = sender.send("DFT^P03", ft1("P1", "0.00", "PY", "CASH"), ft1("P2", "5.00", "PY", "4111111111111111"))
    assert outcome.accepted
    assert [note.split(": ")[0] for note in outcome.notes] == ["FT1[1]-11", "FT1[2]-7"]
    (payment,) = sender.told(PatientPaymentReported)
    assert isinstance(payment, PatientPaymentReported)
    assert (payment.amount, payment.method) == (Money.of("5.00"), "PY")


def test_persons_are_merged_in_every_group_and_parted_again() -> None:
    sender = Sender()
    for number in ("P1", "P2", "P3"):
        sender.send("ADT^A28", patient=number)
    merge = "MRG|P2^^^ehr-north^MR~P3^^^ehr-north^MR"
    assert sender.send("ADT^A40", merge).accepted
    assert len(sender.told(PatientsMerged)) == 2
    other = "PID|1||P3^^^ehr-north^MR"
    assert sender.send("ADT^A37", other).accepted
    assert len(sender.told(PatientsUnmerged)) == 1


def test_a_person_merged_with_himself_is_refused() -> None:
    sender = Sender()
    assert not sender.send("ADT^A40", "MRG|P1^^^ehr-north^MR").accepted


def test_a_repeated_message_is_acknowledged_and_not_repeated() -> None:
    sender = Sender()
    first = sender.send("DFT^P03", ft1("A", "100.00"), IN1, number="7", stamp="121212")
    position = sender.service.store.last_position()
    again = sender.send("DFT^P03", ft1("A", "100.00"), IN1, number="7", stamp="121212")
    assert (again.accepted, again.repeated, again.message_id) == (True, True, first.message_id)
    assert sender.service.store.last_position() == position


def test_a_control_id_that_is_used_again_is_another_message_and_is_told() -> None:
    sender = Sender()
    sender.send("DFT^P03", ft1("A", "100.00"), IN1, number="7")
    other = sender.send("DFT^P03", ft1("B", "50.00"), IN1, number="7")
    assert other.accepted
    assert other.notes[0].startswith("delivery-key: used-again")
    assert total_billed(sender) == Money.of("150.00")
    accepted = [
        entry.event for entry in sender.service.store.log(0, 1_000) if isinstance(entry.event, InboundMessage.Accepted)
    ]
    told = [{fact.name: fact.value for fact in event.facts if fact.name != "encounter"} for event in accepted]
    assert told == [{"site-profile": "default"}, {"site-profile": "default", "delivery-key": "used again"}]
    assert len(sender.service.store.rows(INBOUND_MESSAGES, {})) == 2


def test_a_control_id_that_is_used_for_everything_hides_no_other_that_is_used_again() -> None:
    sender = Sender()
    sender.send("ADT^A08", number="8")
    for _ in range(9):
        sender.send("ADT^A08", number="7")
    batch = [sender.write("ADT^A08", number=number) for number in ("7", "8", "9")]
    notes = [outcome.notes for outcome in sender.service.receive(*batch)]
    assert [any("used-again" in note for note in each) for each in notes] == [True, True, False]


def test_the_account_of_a_bar_is_opened_ended_and_purged() -> None:
    sender = Sender()
    assert not sender.send("BAR^P06").accepted
    assert sender.send("BAR^P01", "DG1|1||E11.9^Diabetes^I10", IN1).accepted
    assert sender.send("BAR^P05", "DG1|1||E11.9^Diabetes^I10", IN1).accepted
    assert sender.send("BAR^P06").accepted
    assert sender.send("BAR^P02").accepted


def test_a_charge_outside_of_the_visit_is_held_with_the_reason() -> None:
    sender = Sender()
    dated = PV1 + "|" * 25 + "20260206|20260206"
    outcome = sender.send("DFT^P03", ft1("A", "100.00").replace("20260206", "20260209"), IN1, visit_row=dated)
    assert outcome.accepted
    assert [note.split(": ")[1] for note in outcome.notes] == ["service-outside-visit"]
    assert total_billed(sender) == Money.of("0.00")
