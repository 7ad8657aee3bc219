"""Who answers for what the payers leave: read where the source says it, sealed, and told by an opaque id."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from canonical.encounter import EncounterPhi
from canonical.events.intake import EncounterCharged
from canonical.party import Address, Guarantor
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import read_message
from intake.domain.facts import EncounterSeen
from intake.domain.identities import guarantor_id_of, patient_id_of

from .world import IntakeUnderTest, Wire, bundle, charge_message, encounters, only, raw, resources

ENCOUNTER = encounters(Wire.HL7)[0]
GT1 = "GT1|1|G77^^^X|Quill^Anna||9 Elm St^^Town^OH^43001|^PRN^PH^^^614^5550000||19700102|F||PAR|123121234"


def with_rows(*rows: str) -> bytes:
    before, mark, after = charge_message().partition("\rFT1")
    return ("\r".join([before, *rows]) + mark + after).encode()


def read(*rows: str) -> Guarantor | None:
    return only(read_message(with_rows(*rows), actor="door").delivery.facts, EncounterSeen).guarantor


def test_a_guarantor_is_read_without_the_social_security_number() -> None:
    assert read(GT1) == Guarantor(
        guarantor_id=guarantor_id_of(ENCOUNTER.source, "G77"),
        relationship="G8",
        family_name="Quill",
        given_name="Anna",
        birth_date=date(1970, 1, 2),
        address=Address(line="9 Elm St", city="Town", state="OH", postal_code="43001"),
        phone="6145550000",
    )


def test_a_patient_who_guarantees_has_the_id_of_the_patient() -> None:
    found = read(GT1.replace("|PAR|", "|SEL|"))
    seen = read_message(with_rows(GT1), actor="door").delivery
    assert found is not None
    assert found.guarantor_id == seen.patient.id


@pytest.mark.parametrize(
    ("rows", "family_name"),
    [
        ((GT1, "GT1|2|G78|Second^One||||||||||||1"), "Second"),
        ((GT1, "GT1|2|G78|Second^One|||||||||||20200101|1"), "Quill"),
        (("GT1|2|G78|Second^One", GT1), "Quill"),
    ],
    ids=["priority", "ended", "set-id"],
)
def test_of_several_guarantors_the_first_by_priority_that_still_holds_counts(
    rows: tuple[str, ...], family_name: str
) -> None:
    found = read(*rows)
    assert found is not None
    assert found.family_name == family_name


def test_a_guarantor_without_a_name_is_left_out_and_told() -> None:
    delivery = read_message(with_rows("GT1|1|G77"), actor="door").delivery
    assert only(delivery.facts, EncounterSeen).guarantor is None
    assert delivery.notes == ("GT1-3: guarantor: a name, or an organization in GT1-21",)


def test_an_organization_may_guarantee_and_without_a_number_it_is_one_of_its_visit() -> None:
    rows = "GT1|1||||||||||" + "|" * 10 + "State School"
    one, other = read(rows), read(rows)
    assert one is not None
    assert one == other
    assert (one.organization, one.family_name, one.relationship) == ("State School", "", "")


def test_the_charges_tell_the_guarantor_by_id_and_the_name_is_sealed() -> None:
    service = IntakeUnderTest()
    assert [each.accepted for each in service.receive(with_rows(GT1))] == [True]
    (charged,) = [each for each in service.events() if isinstance(each, EncounterCharged)]
    assert charged.guarantor_id == guarantor_id_of(ENCOUNTER.source, "G77")
    opened = service.sealer.open(charged.details, EncounterPhi).guarantor
    assert opened is not None
    assert (opened.guarantor_id, opened.family_name) == (charged.guarantor_id, "Quill")
    assert b"Quill" not in b"".join(repr(entry.event).encode() for entry in service.store.log(0, 1000))


def test_a_later_message_without_a_guarantor_leaves_the_one_that_is_known() -> None:
    service = IntakeUnderTest()
    registration = with_rows(GT1).replace(b"DFT^P03^DFT_P03", b"ADT^A04^ADT_A01").replace(b"-P03", b"-A04")
    service.receive(registration, charge_message().encode())
    (charged,) = [each for each in service.events() if isinstance(each, EncounterCharged)]
    assert charged.guarantor_id == guarantor_id_of(ENCOUNTER.source, "G77")


def account(described: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A bundle with an account that somebody guarantees."""
    content = bundle(encounters(Wire.FHIR)[0])
    patient = resources(content, "Encounter")[0]["subject"]
    guaranteed = {
        "resourceType": "Account",
        "id": "A1",
        "status": "active",
        "subject": [patient],
        "contained": [described],
        "guarantor": [{"party": {"reference": "#g"}} | changes],
    }
    content["entry"].append({"resource": guaranteed, "request": {"method": "PUT", "url": "Account/A1"}})
    return content


MOTHER = {
    "resourceType": "RelatedPerson",
    "id": "g",
    "patient": {"reference": "#p"},
    "identifier": [{"value": "G77"}],
    "relationship": [{"coding": [{"code": "MTH"}]}],
    "name": [{"family": "Quill", "given": ["Anna"]}],
    "telecom": [{"system": "email", "value": "a@example"}, {"system": "phone", "value": "6145550000"}],
}


def guarantor_in(content: dict[str, Any]) -> Guarantor | None:
    delivery = read_submission(raw(content), FhirNames(), Sender("service:ehr")).deliveries[0]
    assert delivery.findings == ()
    return only(delivery.facts, EncounterSeen).guarantor


def test_an_account_may_contain_its_guarantor() -> None:
    source = encounters(Wire.FHIR)[0].source
    assert guarantor_in(account(MOTHER)) == Guarantor(
        guarantor_id=guarantor_id_of(source, "G77"),
        relationship="G8",
        family_name="Quill",
        given_name="Anna",
        phone="6145550000",
    )


def test_a_guarantor_on_hold_or_not_described_says_nothing() -> None:
    assert guarantor_in(account(MOTHER, onHold=True)) is None
    assert guarantor_in(account(MOTHER, party={"reference": "RelatedPerson/elsewhere"})) is None


def test_the_patient_who_guarantees_an_account_is_told_by_the_patients_id() -> None:
    content = account(MOTHER)
    content["entry"][-1]["resource"]["guarantor"] = [{"party": resources(content, "Encounter")[0]["subject"]}]
    found = guarantor_in(content)
    assert found is not None
    encounter = encounters(Wire.FHIR)[0]
    assert (found.guarantor_id, found.relationship) == (patient_id_of(encounter.source, encounter.patient.mrn), "self")
    assert found.family_name == encounter.patient.family_name
