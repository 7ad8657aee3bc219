"""Site profiles: where each value sits and what each code means is data, checked when the service starts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from canonical.encounter import DentalSite
from canonical.money import Money
from intake.adapters.hl7v2 import UnusableProfiles, read_message, read_profiles
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import (
    AdjustmentSeen,
    ChargeSeen,
    ChargeVoided,
    CoverageSeen,
    EncounterSeen,
    PatientPaymentSeen,
    PatientSeen,
)
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of

from .world import IntakeUnderTest, charge_message, only, replace_field

SITE_FILE = Path(__file__).with_name("site_profiles.toml")
SITE = read_profiles(SITE_FILE)
HEAD = "MSH|^~\\&|{application}|EAST|THROUGHLINE|BILLING|20260212||DFT^P03|{number}|P|2.5.1"
PID = "PID|1||MRN9^^^EAST^MR||Roe^Rita||19610203|F||||||||||V-PID"
PV1 = "PV1|1|O|N-MAIN||||PRV01||||||||||||V-PV1"
FT1 = "FT1|1|T1||20260210||{kind}|99213^Visit^C4|||2|{amount}|{unit}|FAMMED||||||E119|PRV01"


def batch(*transactions: str, application: str = "ehr-elsewhere") -> InboundDelivery:
    rows = [HEAD.format(application=application, number="1"), PID, PV1, *transactions, ""]
    return read_message("\r".join(rows).encode(), actor="door", profiles=SITE).delivery


def ft1(kind: str, amount: str = "", unit: str = "", *, more: str = "") -> str:
    return FT1.format(kind=kind, amount=amount, unit=unit) + more


def test_each_sender_is_read_by_the_first_profile_that_is_for_it() -> None:
    names = [
        SITE.profile_for(*sender)
        for sender in (("IMMAPP", "GHHSFacility"), ("IMMAPP", "OTHER"), ("REDOX", "RDX"), ("ehr-elsewhere", "EAST"))
    ]
    assert [each and each.name for each in names] == ["sample-site", "default", "sample-site", "other-fields"]


def test_the_profile_that_read_a_message_is_told_with_it() -> None:
    assert batch(ft1("C", "10.00")).traits == (("site-profile", "other-fields"),)


def test_visit_procedure_and_amount_come_from_where_the_profile_says() -> None:
    facts = batch(ft1("C", unit="62.05", more="|||||99999^Other^C4")).facts
    charge = only(facts, ChargeSeen)
    assert only(facts, EncounterSeen).encounter_id == encounter_id_of("ehr-elsewhere", "EAST|V-PID")
    assert (charge.procedure_code, charge.units, charge.amount) == ("99213", Decimal(2), Money.of("124.10"))
    assert charge.charge_id == charge_id_of("ehr-elsewhere", "EAST|T1")
    assert only(facts, PatientSeen).patient_id == patient_id_of("ehr-elsewhere", "EAST|MRN9")
    assert charge.corrects


def test_the_shipped_profile_takes_no_unit_amount_for_an_extended_one() -> None:
    charge = only(batch(ft1("CG", unit="62.05"), application="another").facts, ChargeSeen)
    assert (charge.amount, charge.corrects) == (None, False)


def test_a_unit_amount_that_gives_no_whole_cents_is_refused() -> None:
    delivery = batch(ft1("C", unit="0.33").replace("|2||0.33|", "|1.5||0.33|"))
    assert [(each.field, each.rule) for each in delivery.findings] == [("FT1[1]-12", "money")]


@pytest.mark.parametrize(
    ("kind", "amount", "more", "application"),
    [
        ("R", "25.00", "|||||||||||T0", "ehr-elsewhere"),
        ("C", "-25.00", "|||||||||||T0", "ehr-elsewhere"),
        ("CD", "25.00", "", "another"),
        ("CD", "-25.00", "", "another"),
    ],
)
def test_a_credit_names_the_charge_that_it_credits(kind: str, amount: str, more: str, application: str) -> None:
    voided = only(batch(ft1(kind, amount, more=more), application=application).facts, ChargeVoided)
    number = "EAST|T0" if more else "T1"
    assert (voided.charge_id, voided.amount) == (charge_id_of(application, number), Money.of("25.00"))
    assert voided.said_at is not None


def test_a_credit_has_a_number_of_its_own_where_another_place_names_its_charge() -> None:
    first, second = (ft1("R", "10.00", more="|||||||||||T0").replace("|T1|", f"|{number}|") for number in ("T1", "T2"))
    told = [only(batch(each).facts, ChargeVoided) for each in (first, second, first.replace("20260210", "20260211"))]
    assert told[0].credit_id == told[2].credit_id
    assert told[0].credit_id != told[1].credit_id


def test_a_credit_without_a_number_of_its_own_is_known_by_its_message_and_place() -> None:
    facts = batch(ft1("CD", "10.00"), ft1("CD", "10.00"), application="another").facts
    first, second = (fact for fact in facts if isinstance(fact, ChargeVoided))
    (again,) = (
        fact for fact in batch(ft1("CD", "9.00"), application="another").facts if isinstance(fact, ChargeVoided)
    )
    assert first.credit_id == again.credit_id
    assert first.credit_id != second.credit_id


def test_a_credit_without_the_charge_that_it_credits_is_refused() -> None:
    assert [each.field for each in batch(ft1("R", "25.00")).findings] == ["FT1[1]-31"]


def test_payments_and_adjustments_of_the_source_are_told_as_such() -> None:
    payment = only(batch(ft1("P", "-20.00")).facts, PatientPaymentSeen)
    copayment = only(batch(ft1("CO", "20.00"), application="another").facts, PatientPaymentSeen)
    adjustment = only(batch(ft1("AJ", "-3.10"), application="another").facts, AdjustmentSeen)
    assert (payment.amount, payment.day, payment.method) == (Money.of("20.00"), date(2026, 2, 10), "99213")
    assert copayment.amount == Money.of("20.00")
    assert (adjustment.amount, adjustment.code) == (Money.of("-3.10"), "99213")


def test_a_code_that_the_profile_does_not_know_is_refused_with_those_that_it_does() -> None:
    (finding,) = batch(ft1("CG", "10.00")).findings
    assert str(finding) == "FT1[1]-6: transaction-type: one of C, R, P, W"


def test_a_relationship_of_the_site_is_read_by_its_profile() -> None:
    in1 = "IN1|1|PLAN|ACME|||||||||||||Roe^Rita|1||||||||||||||||||||M1"
    covered = [
        only(batch(ft1(kind, "1.00"), in1, application=name).facts, CoverageSeen)
        for kind, name in (("C", "ehr-elsewhere"), ("CG", "x"))
    ]
    assert [each.details and each.details.relationship for each in covered] == ["self", "G8"]


def test_a_plan_that_means_self_pay_is_no_payer() -> None:
    facts = batch(ft1("C", "1.00"), "IN1|1|SELF PAY|5|Self Pay").facts
    assert only(facts, CoverageSeen).payer.is_empty


def test_a_charge_without_an_id_is_refused_unless_the_profile_takes_its_place_for_one() -> None:
    bare = ft1("CG", "1.00").replace("FT1|1|T1|", "FT1|1||")
    assert [each.field for each in batch(bare, application="another").findings] == ["FT1[1]-2"]
    charge = only(read_message(b"\r".join(_sample(bare)), actor="d", profiles=SITE).delivery.facts, ChargeSeen)
    assert charge.charge_id == charge_id_of("IMMAPP", "1/1")


def _sample(*rows: str) -> list[bytes]:
    head = HEAD.format(application="IMMAPP", number="1").replace("EAST", "GHHSFacility")
    return [row.encode() for row in (head, PID, PV1, *rows)]


def test_a_strict_profile_refuses_what_the_standard_does_not_have() -> None:
    good = replace_field(charge_message(), "MSH", 3, "ehr-strict").decode()
    bad = "\r".join(row for row in good.split("\r") if not row.startswith("EVN")).encode()
    assert read_message(good.encode(), actor="door", profiles=SITE).delivery.findings == ()
    assert read_message(bad, actor="door").delivery.findings == ()
    (finding,) = read_message(bad, actor="door", profiles=SITE).delivery.findings
    assert (finding.rule, finding.note) == ("strict", "ValidationError at DFT_P03")


def test_codes_of_other_systems_are_left_out_and_the_sender_is_told() -> None:
    delivery = batch(ft1("C", "1.00").replace("|E119|", "|E119^Diabetes^I10~29857009^Chest pain^SCT|"))
    assert only(delivery.facts, ChargeSeen).diagnosis_codes == ("E11.9",)
    assert delivery.notes == (
        "FT1[1]-19: diagnosis-system: codes of ICD-10-CM are billed; this one is kept in the message alone",
    )


def test_the_procedure_of_a_charge_may_stand_in_the_pr1_that_follows_it() -> None:
    bare = ft1("C", "1.00").replace("99213^Visit^C4", "")
    charge = only(batch(bare, "PR1|1||93000^ECG^C4|||||||||||||59").facts, ChargeSeen)
    assert (charge.procedure_code, charge.modifiers) == ("93000", ("59",))


def test_a_drug_is_told_with_its_quantity() -> None:
    drugs = [
        only(
            batch(ft1("C", "1.00", more="|||||||||0409-1966-12^Drug^NDC" + "|" * 14 + "2.5^ML")).facts, ChargeSeen
        ).drug,
        only(batch(ft1("C", "1.00"), "RXE||0409196612^Drug^NDC").facts, ChargeSeen).drug,
        only(batch(ft1("C", "1.00"), "RXE||00409196612^Drug^NDC||||||||5|GR").facts, ChargeSeen).drug,
    ]
    assert [each and (each.ndc, each.quantity, each.unit) for each in drugs] == [
        ("00409196612", Decimal("2.5"), "ML"),
        None,
        ("00409196612", Decimal(5), "GR"),
    ]


def test_what_is_left_empty_of_a_patient_stays_as_it_is_known() -> None:
    service = IntakeUnderTest()
    known = replace_field(charge_message(), "MSH", 10, "A").decode()
    service.receive(known.encode())
    before = len(service.store.log(0, 1_000))
    service.receive(replace_field(replace_field(known, "PID", 11, "").decode(), "MSH", 10, "B"))
    kinds = [type(entry.event).__name__ for entry in service.store.log(before, 1_000)]
    assert "DetailsChanged" not in kinds
    service.receive(replace_field(replace_field(known, "PID", 11, '""').decode(), "MSH", 10, "C"))
    assert "DetailsChanged" in [type(entry.event).__name__ for entry in service.store.log(before, 1_000)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[profile]]\nname = 'a'\nsenders = ['x']", "profile 1, senders 1: Value error, a sender reads"),
        ("[[profile]]\nname = 'a'\nsenders = ['x|y']\nprocedur = 1", "profile 1, procedur: Extra inputs"),
        ("[[profile]]\nname = 'a'\nsenders = ['x|y']\nprocedure = ['CPT']", "a place reads SEG-field"),
        ("[[profile]]\nname = 'a'\nsenders = ['x|y']\n[profile.transaction_types]\nX = 'gift'", "transaction_types, X"),
        ("[[profile]]\nname = 'default'\nsenders = ['x|y']", "two profiles are named default"),
        ("profile = 3", "profile: "),
        ("no toml", "no TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_its_setting(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text(text)
    with pytest.raises(UnusableProfiles, match=r"^profiles\.toml: ") as refused:
        read_profiles(path)
    assert told in str(refused.value)


def test_a_file_may_refuse_senders_that_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text("unknown_senders = 'refused'\n" + SITE_FILE.read_text())
    reading = read_message(charge_message().encode(), actor="door", profiles=read_profiles(path))
    assert reading.rejected
    assert [each.rule for each in reading.delivery.findings] == ["unknown-sender"]
    with pytest.raises(UnusableProfiles, match="cannot be read"):
        read_profiles(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("row", "site"),
    [
        ("ZDN|1|08|MOD", DentalSite(tooth="8", surfaces=("M", "O", "D"))),
        ("ZDN|1|a|m~o", DentalSite(tooth="A", surfaces=("M", "O"))),
        ("ZDN|1|||10~20", DentalSite(areas=("10", "20"))),
        ("ZDN|1", None),
        ("NTE|1", None),
    ],
)
def test_the_tooth_of_a_dental_charge_stands_where_the_profile_says(row: str, site: DentalSite | None) -> None:
    facts = batch(ft1("CG", "60.00").replace("99213^Visit^C4", "D0140^Exam^CDT"), row, application="dentist").facts
    assert only(facts, ChargeSeen).dental == site


@pytest.mark.parametrize("row", ["ZDN|1|40", "ZDN|1|8~9", "ZDN|1|8|XYZ", "ZDN|1||| 1"])
def test_a_tooth_that_is_none_is_refused(row: str) -> None:
    delivery = batch(ft1("CG", "60.00"), row, application="dentist")
    assert [(each.field, each.rule) for each in delivery.findings] == [("FT1[1]", "dental-site")]
