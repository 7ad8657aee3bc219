"""Everything an 835 may say beside its money is read, and a segment of the guide is never unknown."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from x12.findings import Finding, Severity, Verdict
from x12.reading import read
from x12.remittance import ClaimPayment, RemittanceHeader, RemittanceTrailer
from x12.samples import SampleRemittance, interchange

SET = """ST*835*0001
BPR*I*271.00*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20260401
TRN*1*TRACE77*1512345678*SUPPLEMENT
CUR*PR*USD*1.0
REF*EV*RECEIVER
DTM*405*20260331
N1*PR*SAMPLE HEALTH PLAN*XV*87726
N3*1 MAIN ST
N4*SAMPLETOWN*AK*99111
REF*2U*999
PER*BL*HELP DESK*TE*5555550100
PER*IC**UR*HELP.EXAMPLE
N1*PE*SAMPLE CLINIC*XX*1912301953
N3*2 MAIN ST
REF*TJ*777667755
RDM*EM*DESK*DESK@HELP.EXAMPLE
LX*7
TS3*1912301953*11*20261231*1*400
TS2*1*2
CLP*PCN1*1*400.00*265*45.0*12*ICN1*11*1**301
CAS*CO*45*10**B7*5.00*2
NM1*QC*1*SAMPLE*ROBIN*Q**JR*MI*W1
NM1*82*1*HEALER*KIM****XX*1912301953
NM1*TT*2*NEXT PLAN*****PI*NX1
NM1*PR*2*FIRST PLAN*****PI*FX1
NM1*GB*1*OTHER*SAM****MI*W9
MIA*0***400*MA01***************MA02
MOA*.5**MA03*N1
PER*CX*CLAIMS*TE*5555550101
SVC*HC:99213:25:59*300.00*220.00*0510*1*HC:99214*2
CAS*PR*1*20.00**2*.25*1.5*3*24.75
CAS*CO*45*35.
REF*6R*L1
REF*LU*11
AMT*B6*265
QTY*ZK*1.5
LQ*HE*N130
LQ*RX*70
SVC*NU:0250*100*60.00
CAS*OA*23*40
LX*8
CLP*PCN2*1*1*1
PLB*1912301953*20261231*WO:REF1*-5.00
PLB*1912301953*20261231*L6*-1.00*72:REF2*1
SE*45*0001"""
MAP = "835.5010.X221.A1.xml"


def file_of(body: str = SET) -> bytes:
    text = interchange(SampleRemittance(())).decode()
    return (text[: text.index("ST*")] + body.replace("\n", "~") + "~" + text[text.index("GE*") :]).encode()


def parts(raw: bytes) -> tuple[RemittanceHeader, list[ClaimPayment], RemittanceTrailer]:
    events = list(read(raw))
    (header,) = [event for event in events if isinstance(event, RemittanceHeader)]
    (trailer,) = [event for event in events if isinstance(event, RemittanceTrailer)]
    return header, [event for event in events if isinstance(event, ClaimPayment)], trailer


def findings(body: str) -> list[Finding]:
    return parts(file_of(body))[2].transaction_set.findings.kept


def test_the_whole_of_it_is_accepted_without_a_finding() -> None:
    trailer = parts(file_of())[2]
    assert trailer.transaction_set.verdict is Verdict.ACCEPTED
    assert trailer.transaction_set.findings.kept == []
    assert trailer.residual_minor == 0


def test_the_head_keeps_currency_dates_addresses_contacts_and_delivery() -> None:
    header, _, _ = parts(file_of())
    assert header.currency_details == ["CUR", "PR", "USD", "1.0"]
    assert header.dates == [("405", date(2026, 3, 31))]
    assert [each[0] for each in header.payer.address] == ["N3", "N4"]
    assert [each[1] for each in header.payer.contacts] == ["BL", "IC"]
    assert header.payee.delivery == ["RDM", "EM", "DESK", "DESK@HELP.EXAMPLE"]
    assert header.payment_position == 2


def test_a_claim_keeps_its_provider_s_summary_and_its_inpatient_and_outpatient_information() -> None:
    _, (first, second), _ = parts(file_of())
    assert first.provider_summary == ["TS3", "1912301953", "11", "20261231", "1", "400"]
    assert first.provider_supplement == ["TS2", "1", "2"]
    assert first.inpatient[4] == "400"
    assert first.outpatient[1] == ".5"
    assert first.remark_codes == ["MA01", "MA02", "MA03", "N1"]
    assert first.contacts == (["PER", "CX", "CLAIMS", "TE", "5555550101"],)
    assert (second.header_number, second.provider_summary, second.provider_id) == ("8", [], "")


def test_a_claim_keeps_its_carriers_apart_from_the_names_of_patients() -> None:
    _, (claim, _), _ = parts(file_of())
    assert set(claim.parties) == {"82", "TT", "PR"}
    assert set(claim.phi.names) == {"QC", "GB"}
    assert claim.phi.other_subscriber
    assert claim.phi.other_subscriber.identifier == "W9"


def test_a_line_keeps_references_amounts_quantities_and_both_lists_of_remarks() -> None:
    _, (claim, _), _ = parts(file_of())
    line = claim.lines[0]
    assert (line.line_control_number, line.references) == ("L1", [("LU", "11")])
    assert (line.amounts, line.quantities) == ([("B6", 26500)], [("ZK", "1.5")])
    assert (line.remark_codes, line.rejection_codes) == (["N130"], ("70",))


def test_a_provider_adjustment_knows_the_bytes_of_its_segment() -> None:
    raw = file_of()
    adjustments = parts(raw)[2].provider_adjustments
    spans = [raw[each.offset : each.offset + each.length] for each in adjustments]
    assert [span[:30] for span in spans] == [
        b"PLB*1912301953*20261231*WO:REF",
        *[b"PLB*1912301953*20261231*L6*-1."] * 2,
    ]
    assert all(span.endswith(b"~") and span.count(b"~") == 1 for span in spans)


@pytest.mark.parametrize(
    ("before", "after", "code", "position"),
    [
        ("NM1*GB", "NM1*ZZ", "unknown_name", 26),
        ("NM1*GB", "NM1*QC", "repeated_name", 26),
        ("KIM****XX*1912301953", "KIM****XX*1912301954", "npi_check_digit", 23),
        ("CLINIC*XX*1912301953", "CLINIC*XX*191230195", "npi_check_digit", 13),
        ("CLP*PCN2*1*1*1", "CLP*PCN2*25*1*1", "status_moves_no_money", 42),
        ("DTM*405*20260331", "AMT*1*1", "misplaced_segment", 6),
    ],
)
def test_what_is_odd_is_a_finding_at_its_place(before: str, after: str, code: str, position: int) -> None:
    (found,) = findings(SET.replace(before, after, 1))
    assert (found.code, found.position) == (code, position)
    assert (found.severity is Severity.NOTE) == (code != "misplaced_segment")


@pytest.mark.parametrize(
    ("payment", "words"), [("266.00", "WO"), ("265.00", ""), ("261.00", "WO"), ("270.00", "L6"), ("272.00", "72")]
)
def test_a_residual_that_one_provider_adjustment_explains_points_at_it(payment: str, words: str) -> None:
    found = findings(SET.replace("BPR*I*271.00", f"BPR*I*{payment}"))
    pointed = [each.position for each in found if each.code == "plb_explains"]
    assert pointed == ({"WO": [43], "L6": [44], "72": [44], "": []}[words])


def guide_segments() -> set[str]:
    tree = ElementTree.fromstring(files("pyx12").joinpath("map", MAP).read_text(encoding="utf-8"))
    return {segment.attrib["xid"] for segment in tree.iter("segment")} - {"ISA", "TA1", "GS", "GE", "IEA"}


def test_every_segment_of_the_guide_has_its_place() -> None:
    there = {line.split("*")[0] for line in SET.split("\n")}
    assert guide_segments() <= there
    assert len(guide_segments()) > 20
