"""Masking: a segment that is shown tells of codes and amounts, never of a patient."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12.masking import MASK, masked, shape_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CLP*PCN1*1*400.00*265*45.0*12*ICN1*11*1", "CLP*(masked)*1*400.00*265*45.0*12*(masked)*11*1"),
        ("NM1*QC*1*DOE*JO****MI*W1", "NM1*QC*1*(masked)*(masked)****MI*(masked)"),
        ("NM1*TT*2*NEXT PLAN*****PI*NX1", "NM1*TT*2*NEXT PLAN*****PI*NX1"),
        ("NM1*82*1*HEALER*KIM****XX*1912301953", "NM1*82*1*(masked)*(masked)****XX*(masked)"),
        ("N1*PE*CLINIC*XX*1912301953", "N1*PE*CLINIC*XX*1912301953"),
        ("N1*IL*JO DOE", "N1*IL*(masked)"),
        ("REF*1W*W1", "REF*1W*(masked)"),
        ("DMG*D8*19700101*F", "DMG*(masked)*(masked)*(masked)"),
        ("DTM*472*20260301", "DTM*472*(masked)"),
        ("DTM*405*20260301", "DTM*405*20260301"),
        ("TRN*1*T1*1512345678", "TRN*1*T1*1512345678"),
        ("PLB*1912301953*20261231*WO:PCN1 0301*-5.00*L6*1", "PLB*1912301953*20261231*WO:(masked)*-5.00*L6*1"),
        ("PLB*1912301953*20261231*DOE JO*1", "PLB*1912301953*20261231*(masked)*1"),
        ("XYZ*DOE**JO", "(masked)*(masked)**(masked)"),
        ("DOE", "(masked)"),
        ("", "(masked)"),
        ("CAS*CO*45*JO DOE", "CAS*CO*45*(shaped AA AAA)"),
        ("CAS*CO*JO DOE*45", "CAS*CO*(masked)*45"),
        ("BPR*I*1.00*C*ACH*CCP*01*1*DA*ACCOUNT*1**01*2*DA*ACCOUNT*20260401", None),
    ],
)
def test_codes_and_amounts_are_shown_and_the_rest_is_not(text: str, shown: str | None) -> None:
    found = masked(text, "*", "835")
    assert "ACCOUNT" not in found
    assert shown is None or found == shown


def test_the_trace_of_a_claim_status_is_a_patient_s_number() -> None:
    assert masked("TRN*2*PCN1", "*", "277") == "TRN*2*(masked)"


def test_a_shape_tells_letters_from_digits_and_no_more() -> None:
    assert shape_of("1O0.5x") == "9A9.9A"
    assert len(shape_of("9" * 500)) == 21


@given(
    st.sampled_from(
        ["NM1*IL", "NM1*QC*1", "N3", "DMG", "REF*SY", "HI", "ZZZ", "N4", "PER*IC", "CTX", "DTM*472", "CLP"]
    ),
    st.text("AB19 -", min_size=4).map(str.strip).filter(lambda value: len(value) > 3),
)
def test_no_free_text_of_a_segment_that_names_people_is_shown(head: str, value: str) -> None:
    assert masked(f"{head}*{value}", "*", "837") == ("*".join([MASK] * 2) if head == "ZZZ" else f"{head}*{MASK}")
