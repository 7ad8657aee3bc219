"""The three levels of balance: a balanced remittance is accepted, one cent anywhere is found and located."""

from __future__ import annotations

import pytest
from canonical.money import Money
from hypothesis import given
from hypothesis import strategies as st
from x12.findings import Level, Verdict
from x12.reading import read
from x12.remittance import RemittanceTrailer
from x12.samples import (
    SampleAdjustment,
    SampleClaim,
    SampleLine,
    SampleRemittance,
    amount,
    interchange,
    random_claims,
)
from x12.values import cents_of

adjustments = st.lists(
    st.builds(
        SampleAdjustment,
        st.sampled_from(["CO", "OA", "PI", "PR"]),
        st.sampled_from(["1", "2", "45"]),
        st.integers(-50_000, 50_000),
    ),
    max_size=9,
).map(tuple)
lines = st.lists(st.builds(SampleLine, st.integers(-100_000, 100_000), adjustments), min_size=1, max_size=3).map(tuple)
remittances = st.builds(
    SampleRemittance,
    st.lists(st.builds(SampleClaim, st.just("PCN1"), lines, adjustments), min_size=1, max_size=3).map(tuple),
    st.lists(st.tuples(st.sampled_from(["WO:X", "L6", "FB"]), st.integers(-90_000, 90_000)), max_size=3).map(tuple),
)


def trailer_of(raw: bytes) -> RemittanceTrailer:
    (trailer,) = [event for event in read(raw) if isinstance(event, RemittanceTrailer)]
    return trailer


def money_places(segments: list[str]) -> list[tuple[int, int]]:
    """Segment and element of every amount that must balance."""
    numbers = {"BPR": [2], "CLP": [3, 4, 5], "SVC": [2, 3], "PLB": [4], "CAS": [3, 6, 9, 12, 15, 18]}
    return [
        (index, number)
        for index, text in enumerate(segments)
        for number in numbers.get(text[:3], [])
        if number < len(text.split("*")) and text.split("*")[number]
    ]


def one_cent_more(segments: list[str], place: tuple[int, int]) -> list[str]:
    index, number = place
    elements = segments[index].split("*")
    elements[number] = amount((cents_of(elements[number]) or 0) + 1)
    return [*segments[:index], "*".join(elements), *segments[index + 1 :]]


@given(remittances)
def test_a_balanced_remittance_is_accepted(remittance: SampleRemittance) -> None:
    trailer = trailer_of(interchange(remittance))
    assert trailer.transaction_set.verdict is Verdict.ACCEPTED
    assert trailer.residuals == []


LEVEL_OF = {"BPR": Level.TRANSACTION, "PLB": Level.TRANSACTION, "CLP": Level.CLAIM, "SVC": Level.LINE}


@given(remittances, st.data())
def test_one_cent_anywhere_is_quarantined_and_located(remittance: SampleRemittance, data: st.DataObject) -> None:
    segments = interchange(remittance).decode().split("~")
    place = data.draw(st.sampled_from(money_places(segments)))
    trailer = trailer_of("~".join(one_cent_more(segments, place)).encode())
    assert trailer.transaction_set.verdict is Verdict.QUARANTINED
    before = [text[:3] for text in segments[: place[0]]]
    tag = segments[place[0]][:3]
    in_line = tag == "CAS" and before[::-1].index("SVC" if "SVC" in before else "CLP") < before[::-1].index("CLP")
    level = Level.LINE if in_line else LEVEL_OF.get(tag, Level.CLAIM)
    assert {finding.level for finding in trailer.residuals} == {level}
    assert {abs(finding.residual) for finding in trailer.residuals if finding.residual} == {Money(1)}
    anchor = {Level.LINE: "SVC", Level.CLAIM: "CLP", Level.TRANSACTION: "BPR"}[level]
    nearest = max(index for index, text in enumerate(segments[: place[0] + 1]) if text[:3] == anchor)
    assert {finding.position for finding in trailer.residuals} == {nearest - 1}


CLAIM = SampleClaim(
    "A", (SampleLine(10_000, (SampleAdjustment("CO", "45", 3_000), SampleAdjustment("PR", "3", 2_000))),)
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("SVC*HC:99213:25*100.00*50.00", "SVC*HC:99213:25*100.00*40.00", [("line_unbalanced", "SVC", 15, "10.00")]),
        ("*PR*3*20.00", "*PR*3*19.00", [("line_unbalanced", "SVC", 15, "1.00")]),
        ("*20.00*12*", "*21.00*12*", [("patient_responsibility", "CLP", 11, "-1.00")]),
        ("BPR*I*50.00", "BPR*I*49.00", [("transaction_unbalanced", "BPR", 2, "1.00")]),
    ],
)
def test_a_residual_says_where_and_how_much(before: str, after: str, expected: list[tuple[str, str, int, str]]) -> None:
    text = interchange(SampleRemittance((CLAIM,))).decode()
    assert before in text
    trailer = trailer_of(text.replace(before, after).encode())
    found = [
        (each.code, each.segment, each.position, each.residual.decimal_text)
        for each in trailer.residuals
        if each.residual
    ]
    assert found == expected


def test_a_finding_says_what_was_expected_and_found() -> None:
    text = interchange(SampleRemittance((CLAIM,))).decode().replace("BPR*I*50.00", "BPR*I*75.00")
    (finding,) = trailer_of(text.encode()).residuals
    assert (finding.expected, finding.found, finding.residual) == ("50.00", "75.00", Money.of("-25.00"))


def test_an_adjustment_counts_at_claim_level_and_at_line_level() -> None:
    claim = SampleClaim(
        "A", (SampleLine(10_000, (SampleAdjustment("CO", "45", 3_000),)),), (SampleAdjustment("CO", "253", 140),)
    )
    trailer = trailer_of(interchange(SampleRemittance((claim,))))
    assert trailer.totals.paid_minor == 6_860
    assert trailer.transaction_set.verdict is Verdict.ACCEPTED


def test_negative_provider_adjustments_raise_the_payment() -> None:
    remittance = SampleRemittance((CLAIM,), (("L6", -125), ("WO:R", 1_000)))
    assert remittance.payment == 4_125
    assert trailer_of(interchange(remittance)).transaction_set.verdict is Verdict.ACCEPTED


def test_two_errors_that_cancel_in_the_total_are_both_found() -> None:
    text = interchange(SampleRemittance(tuple(random_claims(2, seed=3, lines_max=1)))).decode()
    first, second = (index for index, part in enumerate(text.split("~")) if part.startswith("CLP*"))
    parts = text.split("~")
    for index, change in ((first, 1), (second, -1)):
        elements = parts[index].split("*")
        elements[4] = amount((cents_of(elements[4]) or 0) + change)
        parts[index] = "*".join(elements)
    trailer = trailer_of("~".join(parts).encode())
    assert [finding.position for finding in trailer.residuals if finding.code == "claim_unbalanced"] == [
        first - 1,
        second - 1,
    ]
