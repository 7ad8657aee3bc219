"""Our structure tables find what a guide forbids, at its place, without repeating a value."""

from __future__ import annotations

from datetime import date

import pytest
from canonical.money import Money
from hypothesis import given, settings
from hypothesis import strategies as st
from x12.dental_claim import DentalClaim, DentalLine, Tooth
from x12.dental_claim_writer import write_dental_claims
from x12.eligibility import EligibilityInquiry, InquiredPayer, InquiredPerson, InquiringProvider
from x12.eligibility_writer import write_eligibility_inquiries
from x12.guide_validation import guide_violations
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.professional_claim_writer import write_professional_claims
from x12.status_inquiry import InformationReceiver, StatusInquiry
from x12.status_inquiry_writer import write_status_inquiries
from x12.structure import structure_violations
from x12.structure_rules import loop_of
from x12.structure_tables import STRUCTURES
from x12.validation import validate

from libs.x12.tests.generated_claims import CLINIC, ENVELOPE, PLAN, RECEIVER, ROBIN, SUBMITTER

DAY = date(2026, 3, 1)
LINE = DentalLine("D2392", Money.of("180.00"), DAY, "L1", teeth=(Tooth("3"),))
DENTAL = write_dental_claims(ENVELOPE, SUBMITTER, RECEIVER, [DentalClaim("PCN1", "11", (LINE,), CLINIC, ROBIN, PLAN)])
PERSON = InquiredPerson("SAMPLE", "ROBIN", date(1980, 1, 2), "F", "W000001")
CHILD = InquiredPerson("SAMPLE", "KIM", date(2015, 3, 4))
PAYER, ASKER = InquiredPayer("SAMPLE PLAN", "87726"), InquiringProvider("SAMPLE CLINIC", "1912301953")
ELIGIBILITY = write_eligibility_inquiries(
    ENVELOPE,
    [
        EligibilityInquiry("T1", PAYER, ASKER, PERSON, DAY, service_types=("30", "98")),
        EligibilityInquiry("T2", PAYER, ASKER, PERSON, DAY, CHILD),
    ],
    "1777667755",
)
STATUS = write_status_inquiries(
    ENVELOPE,
    InformationReceiver("THROUGHLINE", "TL01"),
    [
        StatusInquiry("T1", PAYER, ASKER, PERSON, "PCN1", Money.of("180.00"), DAY, DAY),
        StatusInquiry("T2", PAYER, ASKER, PERSON, "PCN2", Money.of("180.00"), DAY, DAY, CHILD),
    ],
)


@pytest.mark.parametrize("raw", [DENTAL, ELIGIBILITY, STATUS])
def test_what_we_write_has_nothing_wrong(raw: bytes) -> None:
    assert validate(raw) == []


@pytest.mark.parametrize(
    ("raw", "before", "after", "expected"),
    [
        (DENTAL, b"~SV3*", b"~SVX*", ("SVX", "seg", "3")),
        (DENTAL, b"LX*1~", b"", ("SV3", "seg", "2")),
        (DENTAL, b"~TOO*JP*3", b"~TOO*ZZ*3", ("TOO", "ele", "7")),
        (DENTAL, b"~TOO*JP*3", b"~TOO*JP*3**9", ("TOO", "ele", "I10")),
        (DENTAL, b"~REF*6R*L1", b"~REF*6R", ("REF", "ele", "1")),
        (DENTAL, b"~REF*6R*L1", b"~REF*6R*L1~REF*6R*L2", ("REF", "seg", "5")),
        (DENTAL, b"~REF*6R*L1", b"~REF*6R*" + b"9" * 31, ("REF", "ele", "5")),
        (DENTAL, b"DTP*472*D8*20260301", b"DTP*472*D8*2026", ("DTP", "ele", "4")),
        (DENTAL, b"D8*19800102", b"D8*19801302", ("DMG", "ele", "8")),
        (DENTAL, b"CLM*PCN1*180*", b"CLM*PCN1*18O*", ("CLM", "ele", "6")),
        (DENTAL, b"N3*1 MAIN ST", b"N3*1 MAIN:ST", ("N3", "ele", "6")),
        (DENTAL, b"HL*2*1*22*0", b"HL*3*1*22*0", ("HL", "ele", "HL1")),
        (DENTAL, b"HL*2*1*22*0", b"HL*2*2*22*0", ("HL", "ele", "HL2")),
        (DENTAL, b"~SE*", b"~SE*9", ("SE", "st", "se01_count")),
        (DENTAL, b"ST*837*", b"ST*835*", ("ST", "ele", "7")),
        (ELIGIBILITY, b"~EQ*30^98", b"~EQ*30^988", ("EQ", "ele", "5")),
        (ELIGIBILITY, b"TRN*1*T2", b"TRN*2*T2", ("TRN", "ele", "7")),
        (ELIGIBILITY, b"~EQ*30~SE*", b"~SE*", ("SE", "seg", "3")),
        (STATUS, b"NM1*41*", b"NM1*40*", ("NM1", "seg", "3")),
        (STATUS, b"AMT*T3*180", b"AMT*T3*", ("AMT", "seg", "8")),
    ],
)
def test_what_the_guide_forbids_is_found_at_its_place(
    raw: bytes, before: bytes, after: bytes, expected: tuple[str, str, str]
) -> None:
    assert before in raw
    errors = validate(raw.replace(before, after, 1))
    assert expected in [(error.segment, error.scope, error.code) for error in errors]


def test_the_position_counts_from_the_sets_header() -> None:
    (error,) = validate(DENTAL.replace(b"~TOO*JP*3", b"~TOO*ZZ*3"))
    segments = DENTAL.decode().split("~")
    assert segments[1 + error.position].startswith("TOO")


def test_no_message_holds_a_value() -> None:
    broken = DENTAL.replace(b"ROBIN****MI*W000001", b"ROBIN****ZZ*" + b"W" * 90).replace(b"~SBR", b"~SAMPLE*1~SBR")
    errors = validate(broken)
    assert errors
    assert not any(value in repr(errors) for value in ("WWW", "ROBIN", "SAMPLE", "ZZ"))


def test_a_guide_that_nobody_knows_is_not_validated_but_named_so() -> None:
    (error,) = validate(DENTAL.replace(b"005010X224A2", b"005010X999A9"))
    assert (error.scope, error.code) == ("gs", "version")


def test_the_tables_agree_with_pyx12_where_both_know_the_guide() -> None:
    """What is the same in an 837P is written by the same code: pyx12 vouches for it."""
    line = ProfessionalLine("99213", Money.of("180.00"), DAY, "L1")
    raw = write_professional_claims(
        ENVELOPE, SUBMITTER, RECEIVER, [ProfessionalClaim("PCN1", "11", ("R0789",), (line,), CLINIC, ROBIN, PLAN)]
    )
    assert list(guide_violations(raw)) == []
    shared = raw[raw.index(b"BHT") : raw.index(b"CLM")]
    assert shared == DENTAL[DENTAL.index(b"BHT") : DENTAL.index(b"CLM")]


def test_a_table_that_is_not_written_as_it_must_be_is_refused() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        loop_of("837", "loop 2300 R", {})


@settings(deadline=None)
@given(st.sampled_from([DENTAL, ELIGIBILITY, STATUS]), st.integers(0, 900), st.integers(0, 30), st.binary(max_size=10))
def test_the_validator_answers_whatever_the_bytes(raw: bytes, start: int, length: int, change: bytes) -> None:
    broken = raw[:start] + change + raw[start + length :]
    for structure in STRUCTURES.values():
        list(structure_violations(broken, structure))
    validate(broken)
