"""Coordination of benefits in what is written: one CAS per group, every line in balance, or a refusal that names the place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from canonical.money import Money
from x12.claim_parties import Payer
from x12.errors import UnwritableValue
from x12.other_payers import AdjudicatedLine, OtherPayer, OtherSubscriber, PriorAdjustment
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.professional_claim_writer import write_professional_claims
from x12.reading import read
from x12.submitted_claim import SubmittedClaim
from x12.validation import validate

from libs.x12.tests.generated_claims import CLINIC, ENVELOPE, PLAN, RECEIVER, ROBIN, SUBMITTER

PAID_ON = date(2026, 4, 1)
FIRST = ProfessionalLine("99213", Money.of("100.00"), date(2026, 3, 1), "L1")
SECOND = ProfessionalLine("87070", Money.of("50.00"), date(2026, 3, 1), "L2")
PRIMARY = Payer("FIRST PLAN", "11111", "MB")


def adjusted(group: str, reason: str, amount: str, quantity: Decimal | None = None) -> PriorAdjustment:
    return PriorAdjustment(group, reason, Money.of(amount), quantity)


DECISIONS = (
    AdjudicatedLine(
        1,
        Money.of("60.00"),
        PAID_ON,
        (adjusted("CO", "45", "20.00"), adjusted("PR", "2", "15.00"), adjusted("PR", "1", "5.00")),
    ),
    AdjudicatedLine(2, Money.of("40.00"), PAID_ON, (adjusted("CO", "45", "10.00"),)),
)
BY_LINE = OtherPayer(
    PRIMARY,
    OtherSubscriber("SAMPLE", "ROBIN", "M1"),
    "P",
    paid=Money.of("100.00"),
    lines=DECISIONS,
    claim_control_number="ICN1",
)
SECONDARY = ProfessionalClaim(
    "PCN1", "11", ("R0789",), (FIRST, SECOND), CLINIC, replace(ROBIN, responsibility="S"), PLAN, other_payers=(BY_LINE,)
)


def written(claim: ProfessionalClaim) -> bytes:
    raw = write_professional_claims(ENVELOPE, SUBMITTER, RECEIVER, [claim])
    assert validate(raw) == []
    return raw


def body(claim: ProfessionalClaim) -> list[str]:
    lines = written(claim).decode().split("~")[:-4]
    return lines[lines.index("HI*ABK:R0789") + 1 :]


def with_primary(primary: OtherPayer) -> ProfessionalClaim:
    return replace(SECONDARY, other_payers=(primary,))


def test_a_secondary_claim_tells_what_the_primary_payer_decided_line_by_line() -> None:
    assert body(SECONDARY) == [
        "SBR*P*18*******MB",
        "AMT*D*100",
        "OI***Y***Y",
        "NM1*IL*1*SAMPLE*ROBIN****MI*M1",
        "NM1*PR*2*FIRST PLAN*****PI*11111",
        "REF*F8*ICN1",
        "LX*1",
        "SV1*HC:99213*100*UN*1***1",
        "DTP*472*D8*20260301",
        "REF*6R*L1",
        "SVD*11111*60*HC:99213**1",
        "CAS*CO*45*20",
        "CAS*PR*2*15**1*5",
        "DTP*573*D8*20260401",
        "LX*2",
        "SV1*HC:87070*50*UN*1***1",
        "DTP*472*D8*20260301",
        "REF*6R*L2",
        "SVD*11111*40*HC:87070**1",
        "CAS*CO*45*10",
        "DTP*573*D8*20260401",
    ]


def test_a_decision_on_the_claim_as_a_whole_has_its_date_with_the_payer() -> None:
    whole = replace(
        BY_LINE,
        lines=(),
        adjudicated_on=PAID_ON,
        adjustments=(adjusted("PR", "1", "50.00"),),
        remaining_liability=Money.of("50.00"),
        remark_codes=("MA01", "N130"),
    )
    assert body(with_primary(whole))[:10] == [
        "SBR*P*18*******MB",
        "CAS*PR*1*50",
        "AMT*D*100",
        "AMT*EAF*50",
        "OI***Y***Y",
        "MOA***MA01*N130",
        "NM1*IL*1*SAMPLE*ROBIN****MI*M1",
        "NM1*PR*2*FIRST PLAN*****PI*11111",
        "DTP*573*D8*20260401",
        "REF*F8*ICN1",
    ]


def test_the_other_payers_number_is_not_taken_for_this_payers() -> None:
    (claim,) = [event for event in read(written(SECONDARY)) if isinstance(event, SubmittedClaim)]
    assert claim.payer_control_number == ""
    again = replace(SECONDARY, frequency_code="7", payer_control_number="OURS")
    (claim,) = [event for event in read(written(again)) if isinstance(event, SubmittedClaim)]
    assert claim.payer_control_number == "OURS"


def test_a_payer_that_has_not_decided_is_named_and_tells_no_money() -> None:
    undecided = OtherPayer(PRIMARY, BY_LINE.subscriber, "P")
    assert body(with_primary(undecided))[:4] == [
        "SBR*P*18*******MB",
        "OI***Y***Y",
        "NM1*IL*1*SAMPLE*ROBIN****MI*M1",
        "NM1*PR*2*FIRST PLAN*****PI*11111",
    ]


def test_the_same_reason_twice_is_one_reason() -> None:
    line = replace(
        DECISIONS[0],
        adjustments=(
            adjusted("PR", "2", "15.00", Decimal(1)),
            adjusted("CO", "45", "20.00"),
            adjusted("PR", "2", "5.00", Decimal(2)),
        ),
    )
    assert "CAS*PR*2*20*3" in body(with_primary(replace(BY_LINE, lines=(line, DECISIONS[1]))))


def test_a_negative_adjustment_is_written_with_its_sign() -> None:
    line = replace(DECISIONS[0], adjustments=(adjusted("CO", "45", "40.50"), adjusted("OA", "94", "-0.50")))
    assert "CAS*OA*94*-.5" in body(with_primary(replace(BY_LINE, lines=(line, DECISIONS[1]))))


def test_a_line_that_was_unbundled_has_all_its_parts() -> None:
    parts = (
        replace(DECISIONS[0], paid=Money.of("20.00"), adjustments=(), procedure_code="99212", modifiers=("25",)),
        replace(DECISIONS[0], paid=Money.of("40.00"), units=Decimal(2)),
        replace(DECISIONS[1], bundled_into=1),
    )
    lines = body(with_primary(replace(BY_LINE, lines=parts)))
    assert [line for line in lines if line.startswith("SVD")] == [
        "SVD*11111*20*HC:99212:25**1",
        "SVD*11111*40*HC:99213**2",
        "SVD*11111*40*HC:87070**1*1",
    ]


def test_what_the_patient_still_owes_stands_at_the_claim_or_at_its_lines() -> None:
    owing = replace(DECISIONS[0], remaining_liability=Money.of("20.00"))
    lines = body(with_primary(replace(BY_LINE, lines=(owing, DECISIONS[1]))))
    assert lines[lines.index("AMT*EAF*20") - 1] == "DTP*573*D8*20260401"
    whole = body(with_primary(replace(BY_LINE, remaining_liability=Money.of("20.00"))))
    assert whole[1:3] == ["AMT*D*100", "AMT*EAF*20"]


def test_a_tertiary_claim_balances_against_each_payer_before_it() -> None:
    second = OtherPayer(
        Payer("SECOND PLAN", "22222"),
        OtherSubscriber("SAMPLE", "ALEX", "M2"),
        "S",
        "01",
        paid=Money.of("10.00"),
        lines=(
            AdjudicatedLine(
                1, Money.of("10.00"), PAID_ON, (adjusted("OA", "23", "80.00"), adjusted("PR", "2", "10.00"))
            ),
            AdjudicatedLine(2, Money.of("0.00"), PAID_ON, (adjusted("OA", "23", "50.00"),)),
        ),
    )
    claim = replace(
        SECONDARY, subscriber=replace(ROBIN, responsibility="T"), other_payers=(BY_LINE, second), payer=PLAN
    )
    assert [line for line in body(claim) if line.startswith("SVD")] == [
        "SVD*11111*60*HC:99213**1",
        "SVD*22222*10*HC:99213**1",
        "SVD*11111*40*HC:87070**1",
        "SVD*22222*0*HC:87070**1",
    ]


def short_by_a_cent() -> OtherPayer:
    return replace(BY_LINE, lines=(DECISIONS[0], replace(DECISIONS[1], paid=Money.of("39.99"))))


@pytest.mark.parametrize(
    ("primary", "field", "rule"),
    [
        (
            short_by_a_cent(),
            "claims[0].lines[1]",
            "other_payers[0]: its charge 50.00 is not 39.99 paid + 10.00 adjusted; residual 0.01",
        ),
        (
            replace(BY_LINE, paid=Money.of("99.99")),
            "claims[0].other_payers[0].paid",
            "what the lines were paid 100.00 is not 99.99 paid + 0.00 adjusted; residual 0.01",
        ),
        (
            replace(BY_LINE, lines=DECISIONS[:1]),
            "claims[0].lines[1]",
            "other_payers[0] tells other lines and not this one",
        ),
        (
            replace(BY_LINE, lines=(*DECISIONS, replace(DECISIONS[0], line=3))),
            "claims[0].other_payers[0].lines",
            "one is of a line that the claim does not have",
        ),
        (
            replace(BY_LINE, lines=(), adjudicated_on=PAID_ON),
            "claims[0].other_payers[0]",
            "the claim's charge 150.00 is not 100.00 paid + 0.00 adjusted; residual 50.00",
        ),
        (
            replace(BY_LINE, lines=(), adjustments=(adjusted("PR", "1", "50.00"),)),
            "claims[0].other_payers[0].adjudicated_on",
            "must be given where there are no lines",
        ),
        (
            replace(BY_LINE, paid=None),
            "claims[0].other_payers[0].paid",
            "must be given where there are lines, adjustments or a day",
        ),
        (
            replace(BY_LINE, adjudicated_on=PAID_ON),
            "claims[0].other_payers[0].adjudicated_on",
            "stands at each line where there are lines",
        ),
        (
            replace(
                BY_LINE,
                remaining_liability=Money.of("20.00"),
                lines=(replace(DECISIONS[0], remaining_liability=Money.of("20.00")), DECISIONS[1]),
            ),
            "claims[0].other_payers[0].remaining_liability",
            "stands at the claim or at its lines, not at both",
        ),
        (
            replace(BY_LINE, responsibility="S"),
            "claims[0].other_payers",
            "two payers have the same place in line (SBR01)",
        ),
    ],
)
def test_a_decision_that_does_not_add_up_is_refused_at_its_place(primary: OtherPayer, field: str, rule: str) -> None:
    with pytest.raises(UnwritableValue) as refusal:
        written(with_primary(primary))
    assert (refusal.value.field, refusal.value.rule) == (field, rule)


def test_a_group_has_at_most_six_reasons() -> None:
    reasons = tuple(adjusted("CO", str(number), "1.00") for number in range(1, 8))
    line = replace(DECISIONS[0], paid=Money.of("93.00"), adjustments=reasons)
    primary = replace(BY_LINE, paid=Money.of("133.00"), lines=(line, DECISIONS[1]))
    with pytest.raises(UnwritableValue, match="group CO has more than 6 reasons"):
        written(with_primary(primary))


def test_a_payer_has_at_most_five_remarks_on_a_claim() -> None:
    with pytest.raises(UnwritableValue, match="remark_codes: must be at most 5"):
        written(with_primary(replace(BY_LINE, remark_codes=("MA01",) * 6)))


def test_one_payer_cannot_be_named_twice() -> None:
    again = replace(BY_LINE, responsibility="T")
    with pytest.raises(UnwritableValue, match="SVD01"):
        written(replace(SECONDARY, other_payers=(BY_LINE, again)))
