"""What a file says of one claim, and nothing of another patient."""

from __future__ import annotations

import pytest
from x12.errors import NotAnInterchange
from x12.excerpt import excerpt

ISA = "ISA*00*          *00*          *ZZ*US             *ZZ*THEM           *260302*0900*^*00501*000000001*0*T*:~\n"
END = "GE*1*1~\nIEA*1*000000001~\n"


def file_of(kind: str, *sets: str) -> bytes:
    group = f"GS*{kind}*US*THEM*20260302*0900*1*X*005010X222A1~\n"
    return (ISA + group + "".join(each.replace("~", "~\n") for each in sets) + END).encode()


CLAIMS = file_of(
    "HC",
    "ST*837*0001~BHT*0019*00*1*20260302*0900*CH~NM1*41*2*US~HL*1**20*1~NM1*85*2*NORTH~"
    "HL*2*1*22*0~NM1*IL*1*ADAMS~CLM*PCN1*10~LX*1~SV1*HC:99213*10~CLM*PCN2*20~LX*1~"
    "HL*3*1*22*1~NM1*IL*1*BAKER~HL*4*3*23*0~NM1*QC*1*BAKER*TIM~CLM*PCN3*30~LX*1~"
    "HL*5*3*23*0~NM1*QC*1*BAKER*TINA~CLM*PCN4*40~SE*20*0001~",
    "ST*837*0002~HL*1**20*1~HL*2*1*22*0~NM1*IL*1*CLARK~CLM*PCN5*50~SE*5*0002~",
)
ANSWERS = file_of(
    "HN",
    "ST*277*0001~BHT*0085*08*1*20260302*0900*TH~HL*1**20*1~NM1*PR*2*ACME~HL*2*1*21*1~NM1*41*2*US~HL*3*2*19*1~"
    "NM1*85*2*NORTH~HL*4*3*PT~NM1*QC*1*ADAMS~TRN*2*PCN1~STC*A2:20~HL*5*3*PT~NM1*QC*1*BAKER~TRN*2*PCN3~STC*A2:20~"
    "SE*16*0001~",
)
ACKNOWLEDGEMENT = file_of(
    "FA",
    "ST*999*0001~AK1*HC*1~AK2*837*0001~IK3*NM1*9**8~CTX*CLM01:PCN1~IK4*3**1*ADAMS~IK3*NM1*14**8~CTX*CLM01:PCN3~"
    "IK4*3**1*BAKER~IK5*R*5~AK9*R*1*1*0~SE*11*0001~",
)


def text_of(content: bytes, number: str) -> str:
    return b"".join(part.content for part in excerpt(content, number)).decode().replace("\n", "")


def test_of_an_837_the_claim_and_the_levels_above_it_are_given() -> None:
    text = text_of(CLAIMS, "PCN3")

    assert text.startswith("ISA*")
    assert text.endswith("SE*20*0001~GE*1*1~IEA*1*000000001~")
    body = text[text.index("ST*837") : text.index("SE*20")]
    assert body == (
        "ST*837*0001~BHT*0019*00*1*20260302*0900*CH~NM1*41*2*US~HL*1**20*1~NM1*85*2*NORTH~"
        "HL*3*1*22*1~NM1*IL*1*BAKER~HL*4*3*23*0~NM1*QC*1*BAKER*TIM~CLM*PCN3*30~LX*1~"
    )


def test_of_two_claims_of_one_subscriber_one_is_given() -> None:
    text = text_of(CLAIMS, "PCN2")
    assert "ADAMS~CLM*PCN2*20~LX*1~SE*20" in text


def test_of_several_sets_the_one_with_the_claim_is_given() -> None:
    text = text_of(CLAIMS, "PCN5")
    assert "ST*837*0002~HL*1**20*1~HL*2*1*22*0~NM1*IL*1*CLARK~CLM*PCN5*50~SE*5*0002~GE" in text
    assert "0001~" not in text.replace("000000001~", "")


def test_of_a_277ca_the_patient_and_the_levels_above_are_given() -> None:
    text = text_of(ANSWERS, "PCN3")
    assert "NM1*85*2*NORTH~HL*5*3*PT~NM1*QC*1*BAKER~TRN*2*PCN3~STC*A2:20~SE*16" in text
    assert "ADAMS" not in text


def test_of_a_999_the_errors_that_name_the_claim_are_given() -> None:
    text = text_of(ACKNOWLEDGEMENT, "PCN1")
    assert "AK2*837*0001~IK3*NM1*9**8~CTX*CLM01:PCN1~IK4*3**1*ADAMS~IK5*R*5~AK9*R*1*1*0~SE*11" in text
    assert "BAKER" not in text
    assert "IK3" not in text_of(ACKNOWLEDGEMENT, "PCN2")


@pytest.mark.parametrize(("content", "number"), [(CLAIMS, "PCN4"), (ANSWERS, "PCN1"), (ACKNOWLEDGEMENT, "PCN3")])
def test_every_part_stands_in_the_file_where_it_says(content: bytes, number: str) -> None:
    parts = excerpt(content, number)

    assert len(parts) > 1
    assert all(content[part.start : part.start + len(part.content)] == part.content for part in parts)
    assert [part.start for part in parts] == sorted(part.start for part in parts)


def test_a_ta1_alone_is_given_whole_and_a_file_about_others_not_at_all() -> None:
    alone = (ISA + "TA1*000000001*260302*0900*A*000~\nIEA*0*000000001~\n").encode()

    assert b"".join(part.content for part in excerpt(alone, "PCN1")) == alone
    assert excerpt(CLAIMS, "PCN9") == ()
    with pytest.raises(NotAnInterchange):
        excerpt(b'{"claim": "PCN1"}', "PCN1")
