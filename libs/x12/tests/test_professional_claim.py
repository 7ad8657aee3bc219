"""The 837P writer: exact envelopes and loops, nothing written that X12 cannot hold, and all of it reads back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from canonical.money import Money
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from x12.claim_parties import Patient, Provider, ServiceFacility
from x12.errors import UnwritableValue
from x12.findings import Verdict
from x12.inspection import inspect
from x12.professional_claim import (
    AmbulanceTransport,
    ClaimDates,
    Drug,
    ProfessionalClaim,
    ProfessionalLine,
    RelatedCauses,
)
from x12.professional_claim_writer import write_professional_claims
from x12.reading import read
from x12.segments import Delimiters
from x12.splitter import split
from x12.submission_envelope import SubmissionEnvelope
from x12.submitted_claim import SubmittedClaim
from x12.validation import ERRORS_MAX, validate

from libs.x12.tests.generated_claims import (
    CLINIC,
    ENVELOPE,
    HOME,
    HOSPITAL,
    PLAN,
    RECEIVER,
    ROBIN,
    SUBMITTER,
    professional_claims,
)

KIM = Patient("SAMPLE", "KIM", date(2015, 3, 4), "M", HOME, "19")
LINE = ProfessionalLine("99213", Money.of("100.50"), date(2026, 3, 1), "L1", ("25",))
CLAIM = ProfessionalClaim("PCN1", "11", ("R0789", "I10"), (LINE,), CLINIC, ROBIN, PLAN)


def written(*claims: ProfessionalClaim, envelope: SubmissionEnvelope = ENVELOPE) -> bytes:
    return write_professional_claims(envelope, SUBMITTER, RECEIVER, claims)


def segments(raw: bytes) -> list[str]:
    return raw.decode().split("~")[:-1]


def claims_of(raw: bytes) -> list[SubmittedClaim]:
    return [event for event in read(raw) if isinstance(event, SubmittedClaim)]


def test_the_envelope_is_exact() -> None:
    raw = written(CLAIM)
    lines = segments(raw)
    assert raw[:106].decode() == (
        "ISA*00*          *00*          *ZZ*THROUGHLINE    *ZZ*CLEARHOUSE     *260302*1230*^*00501*000000007*0*P*:~"
    )
    assert lines[1:4] == [
        "GS*HC*THROUGHLINE*CLEARHOUSE*20260302*1230*8*X*005010X222A1",
        "ST*837*0001*005010X222A1",
        "BHT*0019*00*BATCH7*20260302*1230*CH",
    ]
    assert lines[-3:] == [f"SE*{len(lines) - 4}*0001", "GE*1*8", "IEA*1*000000007"]


def test_a_claim_of_a_subscriber_is_written_loop_by_loop() -> None:
    assert segments(written(CLAIM))[7:-3] == [
        "HL*1**20*1",
        "PRV*BI*PXC*207Q00000X",
        "NM1*85*2*SAMPLE CLINIC*****XX*1912301953",
        "N3*1 MAIN ST",
        "N4*SAMPLETOWN*AK*991111234",
        "REF*EI*777667755",
        "HL*2*1*22*0",
        "SBR*P*18*G1******CI",
        "NM1*IL*1*SAMPLE*ROBIN****MI*W000001",
        "N3*2 SIDE ST",
        "N4*SAMPLETOWN*AK*99111",
        "DMG*D8*19800102*F",
        "NM1*PR*2*SAMPLE HEALTH PLAN*****PI*87726",
        "CLM*PCN1*100.5***11:B:1*Y*A*Y*Y",
        "HI*ABK:R0789*ABF:I10",
        "LX*1",
        "SV1*HC:99213:25*100.5*UN*1***1",
        "DTP*472*D8*20260301",
        "REF*6R*L1",
    ]


def test_equal_providers_and_subscribers_share_their_levels() -> None:
    own, childs, elsewhere = (
        CLAIM,
        replace(CLAIM, patient_control_number="PCN2", patient=KIM),
        replace(CLAIM, billing_provider=HOSPITAL),
    )
    again = replace(CLAIM, patient_control_number="PCN4")
    levels = [text for text in segments(written(own, childs, elsewhere, again)) if text.startswith(("HL*", "CLM*"))]
    assert [text.split("*")[:5] for text in levels] == [
        ["HL", "1", "", "20", "1"],
        ["HL", "2", "1", "22", "0"],
        ["CLM", "PCN1", "100.5", "", ""],
        ["CLM", "PCN4", "100.5", "", ""],
        ["HL", "3", "1", "22", "1"],
        ["HL", "4", "3", "23", "0"],
        ["CLM", "PCN2", "100.5", "", ""],
        ["HL", "5", "", "20", "1"],
        ["HL", "6", "5", "22", "0"],
        ["CLM", "PCN1", "100.5", "", ""],
    ]


def test_a_replacement_names_the_claim_it_replaces() -> None:
    assert "REF*F8*ICN9" in segments(written(replace(CLAIM, frequency_code="7", payer_control_number="ICN9")))
    with pytest.raises(UnwritableValue, match=r"claims\[0\].payer_control_number: must not be empty"):
        written(replace(CLAIM, frequency_code="8"))


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        (replace(CLAIM, patient_control_number=""), "claims[0].patient_control_number"),
        (replace(CLAIM, patient_control_number="P" * 21), "claims[0].patient_control_number"),
        (replace(CLAIM, subscriber=replace(ROBIN, last_name="MUÑOZ")), "claims[0].subscriber.last_name"),
        (replace(CLAIM, subscriber=replace(ROBIN, last_name="SAM*PLE")), "claims[0].subscriber.last_name"),
        (replace(CLAIM, subscriber=replace(ROBIN, last_name="SAM~PLE")), "claims[0].subscriber.last_name"),
        (replace(CLAIM, subscriber=replace(ROBIN, last_name="SAM:PLE")), "claims[0].subscriber.last_name"),
        (replace(CLAIM, subscriber=replace(ROBIN, last_name="SAM\nPLE")), "claims[0].subscriber.last_name"),
        (replace(CLAIM, subscriber=replace(ROBIN, first_name=" ROBIN")), "claims[0].subscriber.first_name"),
        (replace(CLAIM, subscriber=replace(ROBIN, member_id="")), "claims[0].subscriber.member_id"),
        (replace(CLAIM, subscriber=replace(ROBIN, gender="X")), "claims[0].subscriber.gender"),
        (replace(CLAIM, patient=replace(KIM, relationship="")), "claims[0].patient.relationship"),
        (replace(CLAIM, billing_provider=replace(CLINIC, npi="1912301954")), "claims[0].billing_provider.npi"),
        (replace(CLAIM, billing_provider=replace(CLINIC, npi="191230195")), "claims[0].billing_provider.npi"),
        (replace(CLAIM, billing_provider=replace(CLINIC, tax_id="77-7667755")), "claims[0].billing_provider.tax_id"),
        (
            replace(CLAIM, billing_provider=replace(CLINIC, address=HOME)),
            "claims[0].billing_provider.address.postal_code",
        ),
        (replace(CLAIM, diagnosis_codes=()), "claims[0].diagnosis_codes"),
        (replace(CLAIM, diagnosis_codes=("R07.89",)), "claims[0].diagnosis_codes[0]"),
        (replace(CLAIM, lines=()), "claims[0].lines"),
        (replace(CLAIM, lines=(LINE,) * 51), "claims[0].lines"),
        (replace(CLAIM, lines=(replace(LINE, diagnosis_pointers=(3,)),)), "claims[0].lines[0].diagnosis_pointers"),
        (replace(CLAIM, lines=(replace(LINE, units=Decimal(0)),)), "claims[0].lines[0].units"),
        (replace(CLAIM, lines=(replace(LINE, units=Decimal("NaN")),)), "claims[0].lines[0].units"),
        (replace(CLAIM, lines=(replace(LINE, units=Decimal("1.0001")),)), "claims[0].lines[0].units"),
        (replace(CLAIM, lines=(replace(LINE, procedure_code="9921"),)), "claims[0].lines[0].procedure_code"),
        (replace(CLAIM, lines=(replace(LINE, modifiers=("25",) * 5),)), "claims[0].lines[0].modifiers"),
        (replace(CLAIM, lines=(replace(LINE, charge=Money(-1)), LINE)), "claims[0].lines[0].charge"),
        (replace(CLAIM, frequency_code="6"), "claims[0].frequency_code"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_field(claim: ProfessionalClaim, field: str) -> None:
    with pytest.raises(UnwritableValue) as refusal:
        written(claim)
    assert refusal.value.field == field
    assert not any(value in str(refusal.value) for value in ("MUÑOZ", "SAM", "ROBIN"))


def test_the_second_claims_field_is_named_as_the_second() -> None:
    with pytest.raises(UnwritableValue, match=r"^claims\[1\]\.place_of_service"):
        written(CLAIM, replace(CLAIM, patient_control_number="PCN2", place_of_service="1"))


@pytest.mark.parametrize("number", [0, 1_000_000_000])
def test_control_numbers_must_fit(number: int) -> None:
    with pytest.raises(UnwritableValue):
        written(CLAIM, envelope=replace(ENVELOPE, interchange_control_number=number))
    with pytest.raises(UnwritableValue):
        written(CLAIM, envelope=replace(ENVELOPE, group_control_number=number))


def test_no_claims_are_no_file() -> None:
    with pytest.raises(UnwritableValue):
        written()


def test_other_delimiters_are_written_and_read() -> None:
    odd = Delimiters("|", ">", "!", "\n")
    raw = written(
        replace(CLAIM, subscriber=replace(ROBIN, last_name="SAM*PLE:~")), envelope=replace(ENVELOPE, delimiters=odd)
    )
    assert next(split(raw)).delimiters == odd
    (claim,) = claims_of(raw)
    assert claim.subscriber
    assert claim.subscriber.last_name == "SAM*PLE:~"


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(professional_claims(), min_size=1, max_size=3, unique_by=lambda claim: claim.patient_control_number))
def test_what_is_written_reads_back_and_is_valid(batch: list[ProfessionalClaim]) -> None:
    raw = written(*batch)
    by_number = {claim.patient_control_number: claim for claim in claims_of(raw)}
    assert inspect(raw).verdict is Verdict.ACCEPTED
    assert len(by_number) == len(batch)
    for claim in batch:
        found = by_number[claim.patient_control_number]
        assert raw[found.offset : found.offset + found.length].startswith(
            b"CLM*" + claim.patient_control_number.encode()
        )
        assert (found.charge, found.facility_code, found.frequency_code) == (
            claim.charge,
            claim.place_of_service,
            claim.frequency_code,
        )
        assert found.payer_control_number == claim.payer_control_number
        assert found.diagnoses == list(claim.diagnosis_codes)
        assert (found.billing_npi, found.payer_identifier) == (claim.billing_provider.npi, "87726")
        assert found.subscriber
        assert found.subscriber.identifier == claim.subscriber.member_id
        assert (found.patient.last_name if found.patient else None) == (
            claim.patient.last_name if claim.patient else None
        )
        assert [
            (
                each.procedure_code,
                each.modifiers,
                each.charge,
                Decimal(each.units_text),
                each.service_date,
                each.line_control_number,
            )
            for each in found.lines
        ] == [
            (
                each.procedure_code,
                each.modifiers,
                each.charge,
                each.minutes or each.units,
                each.service_date,
                each.line_control_number,
            )
            for each in claim.lines
        ]
    assert validate(raw) == []


def test_the_validator_finds_what_the_guide_forbids() -> None:
    raw = written(CLAIM, replace(CLAIM, patient_control_number="PCN2"))
    assert validate(raw) == []
    missing = validate(raw.replace(b"HI*ABK:R0789*ABF:I10~", b""))[0]
    assert (missing.position, missing.message) == (20, "Health Care Diagnosis Code (HI) is mandatory and missing")
    (gender,) = validate(raw.replace(b"19800102*F", b"19800102*Q"))
    assert (gender.segment, gender.scope, gender.code, gender.position) == ("DMG", "ele", "7", 17)
    assert gender.message == "Subscriber Gender Code (DMG03) is not a code of the guide"
    (count,) = validate(raw.replace(b"~SE*", b"~SE*9"))
    assert (count.scope, count.segment) == ("st", "SE")


def test_the_validators_messages_hold_no_values() -> None:
    raw = written(CLAIM).replace(b"ROBIN****MI*W000001", b"R" * 70 + b"****ZZ*W000001").replace(b"HI*", b"ROBIN*")
    errors = validate(raw)
    assert len(errors) >= 3
    assert not any(value in repr(errors) for value in ("RRRR", "W000001", "ROBIN", "ZZ"))


@settings(deadline=None)
@given(st.integers(0, 700), st.integers(0, 30), st.binary(max_size=10))
def test_the_validator_answers_whatever_the_bytes(start: int, length: int, change: bytes) -> None:
    raw = written(CLAIM)
    validate(raw[:start] + change + raw[start + length :])
    assert len(validate(change * 50)) == 1


def test_the_validator_stops_after_its_limit() -> None:
    raw = written(CLAIM).replace(b"~LX*1", b"~ZZZ*1" * (ERRORS_MAX + 5) + b"~LX*1")
    assert len(validate(raw)) == ERRORS_MAX


DOCTOR = Provider("HEALER", "KIM", "1912301953", "207Q00000X")


def body(claim: ProfessionalClaim, start: str = "CLM*") -> list[str]:
    lines = segments(written(claim))[:-3]
    return lines[next(index for index, line in enumerate(lines) if line.startswith(start)) :]


def test_dates_causes_references_and_notes_stand_before_the_diagnoses() -> None:
    claim = replace(
        CLAIM,
        dates=ClaimDates(onset=date(2026, 2, 1), accident=date(2026, 2, 2), admission=date(2026, 2, 3)),
        related_causes=RelatedCauses(automobile=True, state="AK"),
        prior_authorization="AUTH1",
        referral_number="REFER1",
        note="SEEN AT HOME",
        patient_paid=Money.of("5.00"),
        frequency_code="7",
        payer_control_number="ICN9",
    )
    assert body(claim)[:10] == [
        "CLM*PCN1*100.5***11:B:7*Y*A*Y*Y**AA:::AK",
        "DTP*431*D8*20260201",
        "DTP*439*D8*20260202",
        "DTP*435*D8*20260203",
        "AMT*F5*5",
        "REF*9F*REFER1",
        "REF*G1*AUTH1",
        "REF*F8*ICN9",
        "NTE*ADD*SEEN AT HOME",
        "HI*ABK:R0789*ABF:I10",
    ]


def test_providers_and_places_of_the_claim_stand_in_the_guides_order() -> None:
    claim = replace(
        CLAIM,
        referring_provider=DOCTOR,
        rendering_provider=Provider("SAMPLE GROUP", "", "1234567893", is_organisation=True),
        service_facility=ServiceFacility("SAMPLE HALL", HOSPITAL.address, "1234567893"),
        supervising_provider=DOCTOR,
    )
    assert body(claim, "NM1*DN")[:6] == [
        "NM1*DN*1*HEALER*KIM****XX*1912301953",
        "NM1*82*2*SAMPLE GROUP*****XX*1234567893",
        "NM1*77*2*SAMPLE HALL*****XX*1234567893",
        "N3*3 HIGH ST",
        "N4*SAMPLETOWN*AK*991111235",
        "NM1*DQ*1*HEALER*KIM****XX*1912301953",
    ]


def test_the_insurers_number_of_an_accident_stands_with_the_person_who_is_the_patient() -> None:
    own = segments(written(replace(CLAIM, subscriber=replace(ROBIN, casualty_number="ACC1"))))
    assert own[own.index("REF*Y4*ACC1") - 1] == "DMG*D8*19800102*F"
    childs = segments(written(replace(CLAIM, patient=replace(KIM, casualty_number="ACC1"))))
    assert childs[childs.index("REF*Y4*ACC1") - 1] == "DMG*D8*20150304*M"


def test_an_ambulance_claim_says_from_where_to_where_and_why() -> None:
    transport = AmbulanceTransport("A", Decimal("12.5"), HOME, HOME, ("01", "05"), weight=150, drop_off_name="HOSPITAL")
    lines = body(replace(CLAIM, ambulance=transport))
    assert lines[1:3] == ["CR1*LB*150**A*DH*12.5", "CRC*07*Y*01*05"]
    assert [line for line in lines if line.startswith("NM1")] == ["NM1*PW*2", "NM1*45*2*HOSPITAL"]


def test_anesthesia_is_billed_by_the_minute_and_a_drug_by_its_code() -> None:
    line = replace(
        LINE,
        minutes=47,
        drug=Drug("00002751001", Decimal("2.5"), "ML", "RX1"),
        rendering_provider=DOCTOR,
        note="SECOND LINE",
        service_end_date=date(2026, 3, 2),
    )
    assert body(replace(CLAIM, lines=(line,)), "LX") == [
        "LX*1",
        "SV1*HC:99213:25*100.5*MJ*47***1",
        "DTP*472*RD8*20260301-20260302",
        "REF*6R*L1",
        "NTE*ADD*SECOND LINE",
        "LIN**N4*00002751001",
        "CTP****2.5*ML",
        "REF*XZ*RX1",
        "NM1*82*1*HEALER*KIM****XX*1912301953",
        "PRV*PE*PXC*207Q00000X",
    ]


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        (replace(CLAIM, related_causes=RelatedCauses()), "claims[0].related_causes"),
        (replace(CLAIM, related_causes=RelatedCauses(other_accident=True)), "claims[0].related_causes"),
        (
            replace(CLAIM, related_causes=RelatedCauses(True), dates=ClaimDates(accident=date(2026, 1, 1))),
            "claims[0].related_causes.state",
        ),
        (replace(CLAIM, lines=(replace(LINE, minutes=5, units=Decimal(2)),)), "claims[0].lines[0].minutes"),
        (
            replace(CLAIM, lines=(replace(LINE, service_end_date=date(2026, 2, 1)),)),
            "claims[0].lines[0].service_end_date",
        ),
        (replace(CLAIM, note="N", note_code="XXX"), "claims[0].note_code"),
        (replace(CLAIM, referring_provider=replace(DOCTOR, npi="1")), "claims[0].referring_provider.npi"),
        (
            replace(CLAIM, referring_provider=replace(DOCTOR, is_organisation=True)),
            "claims[0].referring_provider.is_organisation",
        ),
        (
            replace(CLAIM, service_facility=ServiceFacility("HALL", HOME)),
            "claims[0].service_facility.address.postal_code",
        ),
        (replace(CLAIM, subscriber=replace(ROBIN, responsibility="X")), "claims[0].subscriber.responsibility"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_field(claim: ProfessionalClaim, field: str) -> None:
    with pytest.raises(UnwritableValue) as refusal:
        written(claim)
    assert refusal.value.field == field
