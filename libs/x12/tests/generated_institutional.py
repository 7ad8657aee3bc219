"""Institutional claims of all shapes, valid by construction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from x12.institutional_claim import (
    ClinicalCodes,
    Diagnosis,
    InstitutionalClaim,
    InstitutionalLine,
    Occurrence,
    OccurrenceSpan,
    Procedure,
    Stay,
    ValueCode,
)

from libs.x12.tests.generated_claims import (
    CLINIC,
    HOSPITAL,
    PLAN,
    ROBIN,
    amounts,
    attachments,
    days,
    drugs,
    facilities,
    identifiers,
    maybe_identifier,
    maybe_person,
    maybe_words,
    modifier_lists,
    other_payers,
    patients,
    quantities,
    ranges,
    subscribers,
)

diagnoses = st.builds(Diagnosis, st.sampled_from(["I10", "E119", "R0789"]), st.sampled_from(["", "N", "U", "W", "Y"]))
procedures = st.builds(Procedure, st.sampled_from(["0DTJ4ZZ", "02HV33Z"]), days)
codes = st.sampled_from(["A1", "01", "80"])
spans = st.tuples(codes, ranges()).map(lambda told: OccurrenceSpan(told[0], told[1][0], told[1][1] or told[1][0]))
hours = st.sampled_from(["", "0000", "0815", "2359"])


Drawn = TypeVar("Drawn")


def several(strategy: st.SearchStrategy[Drawn], most: int = 24) -> st.SearchStrategy[tuple[Drawn, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


clinical_codes = st.one_of(
    st.just(ClinicalCodes()),
    st.builds(
        ClinicalCodes,
        st.sampled_from(["", "I10"]),
        several(st.sampled_from(["R0789", "I10"]), 3),
        several(diagnoses, 12),
        st.sampled_from(["", "470", "0470"]),
        several(diagnoses),
        st.one_of(st.none(), procedures),
        several(procedures),
        several(spans),
        several(st.builds(Occurrence, codes, days)),
        several(st.builds(ValueCode, codes, amounts)),
        several(codes),
        several(st.just("TREAT1"), 3),
    ),
)


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    first = draw(days)
    admitted = draw(st.one_of(st.none(), st.just(first)))
    return Stay(
        first,
        first + timedelta(days=draw(st.integers(0, 60))),
        draw(st.sampled_from("123459")),
        draw(st.sampled_from(["01", "30"])),
        draw(st.sampled_from(["", "1", "7"])),
        admitted,
        draw(hours) if admitted else "",
        draw(hours),
    )


@st.composite
def institutional_lines(draw: st.DrawFn) -> InstitutionalLine:
    coded = draw(st.booleans())
    first, last = draw(ranges())
    dated = draw(st.booleans())
    return InstitutionalLine(
        draw(st.sampled_from(["0120", "0305", "0450"])),
        draw(amounts),
        draw(identifiers),
        draw(quantities),
        draw(st.sampled_from(["UN", "DA"])),
        "85025" if coded else "",
        draw(modifier_lists) if coded else (),
        draw(maybe_words) if coded else "",
        draw(st.one_of(st.none(), amounts)),
        first if dated else None,
        last if dated else None,
        draw(drugs),
        draw(maybe_person),
        draw(maybe_person),
    )


@st.composite
def institutional_claims(draw: st.DrawFn) -> InstitutionalClaim:
    lines = tuple(draw(st.lists(institutional_lines(), min_size=1, max_size=3)))
    frequency = draw(st.sampled_from("123478"))
    return InstitutionalClaim(
        draw(identifiers),
        draw(st.sampled_from(["11", "13"])),
        draw(stays()),
        draw(diagnoses),
        lines,
        draw(st.sampled_from([CLINIC, HOSPITAL])),
        replace(draw(st.one_of(st.just(ROBIN), subscribers)), responsibility="S"),
        PLAN,
        draw(st.one_of(st.none(), patients)),
        draw(maybe_person),
        draw(clinical_codes),
        frequency,
        draw(identifiers) if frequency in "78" else "",
        draw(maybe_person),
        draw(maybe_person),
        draw(maybe_person),
        draw(facilities),
        draw(maybe_person),
        draw(maybe_identifier),
        draw(maybe_identifier),
        draw(st.sampled_from(["", "AK"])),
        draw(maybe_identifier),
        draw(maybe_words),
        draw(st.sampled_from(["", "1", "11"])),
        draw(st.one_of(st.none(), amounts)),
        draw(attachments),
        draw(other_payers([line.charge for line in lines])),
        draw(st.sampled_from("ABC")),
        draw(st.sampled_from("YNW")),
        draw(st.sampled_from("YI")),
    )
