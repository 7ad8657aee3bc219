"""The 837P writer: exact envelopes and loops, nothing written that X12 cannot hold, and all of it reads back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from canonical.money import Money
from hypothesis import given, settings
from hypothesis import strategies as st
from x12.claim_parties import Address, BillingProvider, Patient, Payer, Provider, Subscriber
from x12.errors import UnwritableValue
from x12.findings import Verdict
from x12.inspection import inspect
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.professional_claim_writer import write_professional_claims
from x12.reading import read
from x12.segments import Delimiters
from x12.splitter import split
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.submitted_claim import SubmittedClaim
from x12.validation import ERRORS_MAX, validate_professional_claims

HOME = Address("2 SIDE ST", "SAMPLETOWN", "AK", "99111")
CLINIC = BillingProvider(
    "SAMPLE CLINIC", "1912301953", "777667755", Address("1 MAIN ST", "SAMPLETOWN", "AK", "991111234"), "207Q00000X"
)
HOSPITAL = BillingProvider(
    "SAMPLE HOSPITAL", "1234567893", "777667756", Address("3 HIGH ST", "SAMPLETOWN", "AK", "991111235")
)
PLAN = Payer("SAMPLE HEALTH PLAN", "87726")
ROBIN = Subscriber("SAMPLE", "ROBIN", "W000001", date(1980, 1, 2), "F", HOME, group_number="G1")
KIM = Patient("SAMPLE", "KIM", date(2015, 3, 4), "M", HOME, "19")
LINE = ProfessionalLine("99213", Money.of("100.50"), date(2026, 3, 1), "L1", ("25",))
CLAIM = ProfessionalClaim("PCN1", "11", ("R0789", "I10"), (LINE,), CLINIC, ROBIN, PLAN)
ENVELOPE = SubmissionEnvelope("THROUGHLINE", "CLEARHOUSE", 7, 8, datetime(2026, 3, 2, 12, 30, tzinfo=UTC), "BATCH7")
SUBMITTER = Submitter("THROUGHLINE", "TL01", "BILLING DESK", "8005551212")
RECEIVER = Receiver("CLEARING HOUSE", "CH01")


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


words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789&'()+,-./;=?", min_size=1, max_size=20)
identifiers = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=20)
days = st.dates(date(1920, 1, 1), date(2030, 12, 31))
addresses = st.builds(Address, words, st.just("SAMPLETOWN"), st.just("AK"), st.sampled_from(["99111", "991111234"]))
subscribers = st.builds(Subscriber, words, words, identifiers, days, st.sampled_from("FMU"), addresses)
patients = st.builds(
    Patient, words, words, days, st.sampled_from("FMU"), addresses, st.sampled_from(["01", "19", "G8"])
)
lines = st.builds(
    ProfessionalLine,
    st.sampled_from(["99213", "87070", "J1100"]),
    st.integers(0, 99_999_999).map(Money),
    days,
    identifiers,
    st.lists(st.sampled_from(["25", "59", "RT"]), max_size=4).map(tuple),
    st.decimals(Decimal("0.001"), 9999, places=3),
    st.lists(st.integers(1, 2), min_size=1, max_size=4).map(tuple),
)
claims = st.builds(
    ProfessionalClaim,
    identifiers,
    st.sampled_from(["11", "22"]),
    st.just(("R0789", "I10")),
    st.lists(lines, min_size=1, max_size=3).map(tuple),
    st.sampled_from([CLINIC, HOSPITAL]),
    st.one_of(st.just(ROBIN), subscribers),
    st.just(PLAN),
    st.one_of(st.none(), patients),
    st.sampled_from([None, Provider("HEALER", "KIM", "1912301953", "207Q00000X")]),
)


@settings(deadline=None)
@given(st.lists(claims, min_size=1, max_size=4, unique_by=lambda claim: claim.patient_control_number))
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
        assert (found.charge, found.facility_code, found.frequency_code) == (claim.charge, claim.place_of_service, "1")
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
            (each.procedure_code, each.modifiers, each.charge, each.units, each.service_date, each.line_control_number)
            for each in claim.lines
        ]
    assert validate_professional_claims(raw) == []


def test_the_validator_finds_what_the_guide_forbids() -> None:
    raw = written(CLAIM, replace(CLAIM, patient_control_number="PCN2"))
    assert validate_professional_claims(raw) == []
    missing = validate_professional_claims(raw.replace(b"HI*ABK:R0789*ABF:I10~", b""))[0]
    assert (missing.position, missing.message) == (20, "Health Care Diagnosis Code (HI) is mandatory and missing")
    (gender,) = validate_professional_claims(raw.replace(b"19800102*F", b"19800102*Q"))
    assert (gender.segment, gender.scope, gender.code, gender.position) == ("DMG", "ele", "7", 17)
    assert gender.message == "Subscriber Gender Code (DMG03) is not a code of the guide"
    (count,) = validate_professional_claims(raw.replace(b"~SE*", b"~SE*9"))
    assert (count.scope, count.segment) == ("st", "SE")


def test_the_validators_messages_hold_no_values() -> None:
    raw = written(CLAIM).replace(b"ROBIN****MI*W000001", b"R" * 70 + b"****ZZ*W000001").replace(b"HI*", b"ROBIN*")
    errors = validate_professional_claims(raw)
    assert len(errors) >= 3
    assert not any(value in repr(errors) for value in ("RRRR", "W000001", "ROBIN", "ZZ"))


@settings(deadline=None)
@given(st.integers(0, 700), st.integers(0, 30), st.binary(max_size=10))
def test_the_validator_answers_whatever_the_bytes(start: int, length: int, change: bytes) -> None:
    raw = written(CLAIM)
    validate_professional_claims(raw[:start] + change + raw[start + length :])
    assert len(validate_professional_claims(change * 50)) == 1


def test_the_validator_stops_after_its_limit() -> None:
    raw = written(CLAIM).replace(b"~LX*1", b"~ZZZ*1" * (ERRORS_MAX + 5) + b"~LX*1")
    assert len(validate_professional_claims(raw)) == ERRORS_MAX
