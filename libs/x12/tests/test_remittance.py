"""The 835 reader: every amount, code and span of a remittance."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from canonical.money import Money
from hypothesis import given
from hypothesis import strategies as st
from x12.findings import Verdict
from x12.reading import read
from x12.remittance import ClaimPayment, RemittanceHeader, RemittanceTrailer
from x12.samples import SampleRemittance, interchange, random_claims
from x12.segments import Limits

BODY = """
ST*835*0001
BPR*I*270.00*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20260401
TRN*1*TRACE77*1512345678*SUPPLEMENT
CUR*PR*USD
REF*EV*RECEIVER
DTM*405*20260331
N1*PR*SAMPLE HEALTH PLAN*XV*87726
REF*2U*999
N1*PE*SAMPLE CLINIC*XX*1912301953
REF*TJ*777667755
LX*7
TS3*1912301953*11*20261231*1*400
CLP*PCN1*1*400.00*265*45.0*12*ICN1*11*1**301
CAS*CO*45*10**B7*5.00*2
NM1*QC*1*SAMPLE*ROBIN*Q**JR*MI*W1
NM1*IL*1*SAMPLE*ALEX****MI*W2
NM1*74*1*SAMPEL*ROBIN
NM1*82*1*HEALER*KIM****XX*1912301953
NM1*TT*2*NEXT PLAN*****PI*NX1
MIA*0***400*MA01***************MA02
MOA***MA03*N1
REF*EA*MRN1
DTM*232*20260301
DTM*233*20260302
AMT*AU*400.00
QTY*CA*3
SVC*HC:99213:25:59*300.00*220.00*0510*1*HC:99214*2
DTM*472*20260301
CAS*PR*1*20.00**2*.25*1.5*3*24.75
CAS*CO*45*35.
REF*6R*L1
AMT*B6*265
LQ*HE*N130
SVC*NU:0250*100*60.00
DTM*150*20260301
DTM*151*20260302
CAS*OA*23*40
PLB*1912301953*20261231*WO:REF1*-5.00*L6*-1.00*72:REF2*1
SE*37*0001
"""


def wrapped(body: str = BODY) -> bytes:
    text = interchange(SampleRemittance(())).decode()
    lines = body.strip().split("\n")
    lines[-1] = f"SE*{len(lines)}*0001"
    inner = "~".join(lines) + "~"
    return (text[: text.index("ST*")] + inner + text[text.index("GE*") :]).encode()


def parts(raw: bytes, limits: Limits | None = None) -> tuple[RemittanceHeader, list[ClaimPayment], RemittanceTrailer]:
    events = list(read(raw, limits or Limits()))
    (header,) = [event for event in events if isinstance(event, RemittanceHeader)]
    (trailer,) = [event for event in events if isinstance(event, RemittanceTrailer)]
    return header, [event for event in events if isinstance(event, ClaimPayment)], trailer


def codes(raw: bytes) -> list[str]:
    return [finding.code for finding in parts(raw)[2].transaction_set.findings.kept]


def test_the_header_names_the_payment_and_both_parties() -> None:
    header, _, _ = parts(wrapped())
    assert header.payment == Money.of("270.00")
    assert (header.payment_method, header.effective_date, header.is_debit) == ("ACH", date(2026, 4, 1), False)
    assert (header.trace_number, header.payer_identifier) == ("TRACE77", "1512345678")
    assert (header.payer.name, header.payer.identifier, header.payer.npi) == ("SAMPLE HEALTH PLAN", "87726", "")
    assert (header.payee.npi, header.payee.tax_id) == ("1912301953", "777667755")
    assert header.production_date == date(2026, 3, 31)
    assert header.references == [("EV", "RECEIVER")]


def test_a_claim_carries_its_amounts_codes_and_every_triplet() -> None:
    _, (claim,), _ = parts(wrapped())
    assert (claim.patient_control_number, claim.status, claim.payer_control_number) == ("PCN1", "1", "ICN1")
    assert (claim.charge, claim.paid, claim.patient_responsibility) == (
        Money.of("400.00"),
        Money.of("265.00"),
        Money.of("45.00"),
    )
    assert [(each.group, each.reason, each.amount, each.quantity) for each in claim.adjustments] == [
        ("CO", "45", Money.of("10.00"), None),
        ("CO", "B7", Money.of("5.00"), Decimal(2)),
    ]
    assert claim.remark_codes == ["MA01", "MA02", "MA03", "N1"]
    assert (claim.header_number, claim.provider_id, claim.drg_code) == ("7", "1912301953", "301")
    assert (claim.statement_start, claim.statement_end) == (date(2026, 3, 1), date(2026, 3, 2))
    assert set(claim.parties) == {"82", "TT"}


def test_a_line_carries_procedure_amounts_dates_and_control_number() -> None:
    _, (claim,), _ = parts(wrapped())
    first, second = claim.lines
    assert (first.qualifier, first.procedure_code, first.modifiers) == ("HC", "99213", ("25", "59"))
    assert (first.charge, first.paid, first.units) == (Money.of("300.00"), Money.of("220.00"), Decimal(1))
    assert [(each.group, each.reason, each.amount_minor, each.quantity) for each in first.adjustments] == [
        ("PR", "1", 2000, None),
        ("PR", "2", 25, Decimal("1.5")),
        ("PR", "3", 2475, None),
        ("CO", "45", 3500, None),
    ]
    assert (first.line_control_number, first.service_date, first.remark_codes) == ("L1", date(2026, 3, 1), ["N130"])
    assert (second.procedure_code, second.service_date) == ("0250", date(2026, 3, 1))


def test_what_names_the_patient_stands_apart() -> None:
    _, (claim,), _ = parts(wrapped())
    patient, insured, corrected = claim.phi.patient, claim.phi.insured, claim.phi.corrected
    assert patient
    assert insured
    assert corrected
    assert (patient.last_name, patient.first_name, patient.middle_name, patient.suffix) == (
        "SAMPLE",
        "ROBIN",
        "Q",
        "JR",
    )
    assert (patient.identifier, insured.identifier, corrected.last_name) == ("W1", "W2", "SAMPEL")
    claim.phi.names.clear()
    assert "ROBIN" not in repr(claim)


def test_names_may_be_utf8_or_latin1() -> None:
    for encoding in ("utf-8", "latin-1"):
        _, (claim,), _ = parts(wrapped().replace(b"SAMPLE*ROBIN", "MUÑOZ*ZOË".encode(encoding)))
        assert claim.phi.patient
        assert (claim.phi.patient.last_name, claim.phi.patient.first_name) == ("MUÑOZ", "ZOË")


def test_the_trailer_has_every_provider_adjustment_and_the_sums() -> None:
    _, _, trailer = parts(wrapped())
    assert [(each.reason, each.reference, each.amount) for each in trailer.provider_adjustments] == [
        ("WO", "REF1", Money.of("-5.00")),
        ("L6", "", Money.of("-1.00")),
        ("72", "REF2", Money.of("1.00")),
    ]
    totals = trailer.totals
    assert (totals.claims, totals.lines, totals.charge_minor, totals.paid_minor) == (1, 2, 40000, 26500)
    assert totals.provider_adjustment_minor == -500
    assert trailer.transaction_set.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("*400.00*265*", "*4OO.00*265*", "not_an_amount"),
        ("*400.00*265*", "*400.00**", "not_an_amount"),
        ("*400.00*265*", "*400.001*265*", "not_an_amount"),
        ("*400.00*265*", "*1E5*265*", "not_an_amount"),
        ("CLP*PCN1*1*", "CLP**1*", "missing_patient_control_number"),
        ("CLP*PCN1*1*", "CLP*PCN1*9*", "unknown_status"),
        ("CAS*OA*", "CAS*CR*", "cas_head"),
        ("CAS*OA*23*40", "CAS*OA*23*forty", "cas_triplet"),
        ("CAS*OA*23*40", "CAS*OA**40", "cas_triplet"),
        ("CAS*OA*23*40", "CAS*OA*1*1**2*2**3*3**4*4**5*5**6*6**7*7", "cas_head"),
        ("SVC*NU:0250*100*60.00", "SVC*NU:0250*100", "not_an_amount"),
        ("CAS*OA*23*40", "CAZ*OA*23*40", "unknown_segment"),
        ("BPR*I*270.00*C", "BPR*I*270.00*X", "bpr03_unknown"),
        ("*20260401\n", "*20260431\n", "bpr16_not_a_date"),
        ("BPR*I*270.00", "BPR*I*-270.00", "bpr02_negative"),
        ("BPR*I*270.00", "BPR*I*27O", "bpr02_not_an_amount"),
        ("BPR*", "BPX*", "missing_bpr"),
        ("TRN*1*TRACE77", "TRN*1*", "missing_trace"),
        ("CUR*PR*USD", "CUR*PR*CAD", "currency"),
        ("N1*PE*", "N1*ZZ*", "missing_payee"),
        ("LX*7\n", "LX*7\nNTE*ADD*1\n", "misplaced_segment"),
        ("*72:REF2*1", "*72:REF2*one", "plb_pair"),
        ("*72:REF2*1", "*72:REF2", "plb_pair"),
        ("*20261231*WO", "*20261331*WO", "plb_head"),
        ("PLB*", "PLB*1912301953*20261231*WO*1\nCLP*PCN2*1*0*0\nPLB*", "misplaced_segment"),
    ],
)
def test_a_fault_where_money_stands_keeps_the_set_from_being_accepted(before: str, after: str, code: str) -> None:
    raw = wrapped(BODY.replace(before, after, 1))
    assert code in codes(raw)
    assert parts(raw)[2].transaction_set.verdict is not Verdict.ACCEPTED


def test_findings_name_no_patient() -> None:
    raw = wrapped(BODY.replace("SVC*NU:0250*100", "SVC*NU:0250*W1").replace("CAS*OA", "ROBIN*OA"))
    findings = parts(raw)[2].transaction_set.findings.kept
    assert len(findings) > 1
    assert not any(value in repr(findings) for value in ("ROBIN", "SAMPLE", "W1", "PCN1"))


def test_an_undeclared_component_separator_is_noted_once_and_used() -> None:
    raw = wrapped(BODY.replace("HC:", "HC>").replace("NU:", "NU>").replace(":25:59", ">25>59").replace("WO:", "WO>"))
    _, (claim,), trailer = parts(raw)
    assert [line.procedure_code for line in claim.lines] == ["99213", "0250"]
    assert trailer.provider_adjustments[0].reference == "REF1"
    assert codes(raw) == ["component_separator"]
    assert trailer.transaction_set.verdict is Verdict.ACCEPTED


def test_a_payment_taken_back_balances_with_its_sign() -> None:
    raw = wrapped(BODY.replace("BPR*I*270.00*C", "BPR*I*230.00*D").replace("WO:REF1*-5.00", "WO:REF1*495.00"))
    header, _, trailer = parts(raw)
    assert header.net_minor == -23000
    assert trailer.transaction_set.verdict is Verdict.ACCEPTED


@given(st.integers(0, 1000), st.integers(0, 12), st.integers(50, 3000))
def test_claims_read_back_as_written_with_spans_whatever_the_block_size(seed: int, count: int, block: int) -> None:
    written = tuple(random_claims(count, seed))
    raw = interchange(SampleRemittance(written), line_break="\r\n" if seed % 2 else "")
    _, claims, trailer = parts(raw, Limits(block_bytes=block))
    assert [(each.patient_control_number, each.charge_minor, each.paid_minor) for each in claims] == [
        (each.number, each.charge, each.paid) for each in written
    ]
    for claim, sample in zip(claims, written, strict=True):
        span = raw[claim.offset : claim.offset + claim.length]
        assert span.startswith(f"CLP*{sample.number}*".encode())
        assert span.count(b"CLP*") == 1
        assert span.count(b"SVC*") == len(sample.lines)
        assert [(each.charge_minor, each.paid_minor) for each in claim.lines] == [
            (each.charge, each.paid) for each in sample.lines
        ]
    assert sum(claim.length for claim in claims) == (raw.index(b"SE*") - claims[0].offset if claims else 0)
    assert trailer.transaction_set.verdict is Verdict.ACCEPTED
