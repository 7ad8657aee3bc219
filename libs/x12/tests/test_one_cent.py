"""Change any one amount of a balanced remittance by one cent: it is caught, at the right place, and never accepted.

The amounts are those that an equation touches: BPR02, CLP03, CLP04, CLP05 where it is told (it must be the sum of PR), SVC02, SVC03,
every CAS triplet at both levels, every PLB pair. AMT, QTY, SVC05, TS3 and MIA/MOA stand in no equation; nothing is built on them.
"""

from __future__ import annotations

from decimal import Decimal

from canonical.money import Money
from hypothesis import given, settings
from hypothesis import strategies as st
from x12.findings import Level, Verdict
from x12.inspection import SetInspection, inspect

from libs.x12.tests.generated_remittances import Remittance, file_of, files, segments_of

ELEMENTS = {
    "BPR": (2,),
    "CLP": (3, 4, 5),
    "CAS": (3, 6, 9, 12, 15, 18),
    "SVC": (2, 3),
    "PLB": (4, 6, 8, 10, 12, 14),
}
UNTOUCHED = {"AMT": 2, "QTY": 2, "TS3": 5, "MOA": 2}
ANCHOR = {Level.LINE: "SVC", Level.CLAIM: "CLP", Level.TRANSACTION: "BPR"}
Place = tuple[int, int]


def places_in(segments: list[str]) -> list[Place]:
    """Segment and element of every amount that an equation touches."""
    split = [(index, text.split("*")) for index, text in enumerate(segments)]
    return [
        (index, number)
        for index, elements in split
        for number in ELEMENTS.get(elements[0], ())
        if number < len(elements) and elements[number]
    ]


def changed(segments: list[str], place: Place, cents: int) -> list[str]:
    index, number = place
    elements = segments[index].split("*")
    elements[number] = f"{Decimal(elements[number]) + Decimal(cents).scaleb(-2):.2f}"
    return [*segments[:index], "*".join(elements), *segments[index + 1 :]]


def level_of(segments: list[str], place: Place) -> Level:
    """Where a fault in this amount lies: an adjustment belongs to the line or the claim that stands before it."""
    tag = segments[place[0]][:3]
    if tag == "CAS":
        tag = next(text[:3] for text in reversed(segments[: place[0]]) if text[:3] in ("SVC", "CLP"))
    return {"SVC": Level.LINE, "CLP": Level.CLAIM}.get(tag, Level.TRANSACTION)


def sets_of(segments: list[str]) -> tuple[SetInspection, ...]:
    return inspect(file_of(segments)).interchanges[0].transaction_sets


@settings(deadline=None)
@given(files())
def test_a_balanced_remittance_of_any_shape_raises_no_alarm(remittances: tuple[Remittance, ...]) -> None:
    for found in sets_of(segments_of(remittances)):
        assert found.verdict is Verdict.ACCEPTED
        assert (found.residuals, found.residual) == ((), Money(0))


@settings(deadline=None, max_examples=60)
@given(files(), st.sampled_from([1, -1]))
def test_one_cent_in_any_amount_is_caught_where_it_is(remittances: tuple[Remittance, ...], cents: int) -> None:
    segments = segments_of(remittances)
    for place in places_in(segments):
        sets = sets_of(changed(segments, place, cents))
        number = sum(text.startswith("ST*") for text in segments[: place[0]]) - 1
        for index, found in enumerate(sets):
            assert found.verdict is (Verdict.QUARANTINED if index == number else Verdict.ACCEPTED), (place, index)
        assert_located(segments, place, sets[number])


def assert_located(segments: list[str], place: Place, found: SetInspection) -> None:
    level = level_of(segments, place)
    start = found.first_segment - 1
    before = [index for index, text in enumerate(segments) if text[:3] == ANCHOR[level]]
    anchor = max(index for index in before if start <= index <= max(place[0], start + 1))
    assert {finding.level for finding in found.residuals} == {level}, place
    assert {finding.position for finding in found.residuals} == {anchor - start + 1}, place
    assert {abs(finding.residual) for finding in found.residuals if finding.residual} == {Money(1)}, place
    assert found.residual
    assert abs(found.residual) == Money(1)


@settings(deadline=None, max_examples=30)
@given(files())
def test_amounts_that_no_equation_touches_raise_no_alarm(remittances: tuple[Remittance, ...]) -> None:
    segments = segments_of(remittances)
    touched = [(index, UNTOUCHED[text[:3]]) for index, text in enumerate(segments) if text[:3] in UNTOUCHED]
    for place in touched[:12]:
        assert all(found.verdict is Verdict.ACCEPTED for found in sets_of(changed(segments, place, 1))), place


@settings(deadline=None, max_examples=60)
@given(files(), st.data())
def test_two_changes_that_cancel_in_the_payment_are_both_caught(
    remittances: tuple[Remittance, ...], data: st.DataObject
) -> None:
    segments = segments_of(remittances)
    payments = [place for place in places_in(segments) if segments[place[0]].startswith("CLP*") and place[1] == 4]
    if len(payments) < 2:
        return
    first, second = data.draw(st.lists(st.sampled_from(payments), min_size=2, max_size=2, unique=True))
    sets = sets_of(changed(changed(segments, first, 1), second, -1))
    found = {
        each.first_segment + finding.position - 2
        for each in sets
        for finding in each.residuals
        if finding.level is Level.CLAIM
    }
    assert found == {first[0], second[0]}
