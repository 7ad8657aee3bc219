"""Dental claims of all shapes, valid by construction."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from x12.dental_claim import DentalClaim, DentalLine, Orthodontics, Tooth, ToothStatus

from libs.x12.tests.generated_claims import (
    CLINIC,
    HOSPITAL,
    PLAN,
    ROBIN,
    amounts,
    attachments,
    causes,
    days,
    facilities,
    identifiers,
    maybe_day,
    maybe_identifier,
    maybe_person,
    maybe_words,
    other_payers,
    patients,
    rendering,
    subscribers,
)

teeth = st.builds(
    Tooth, st.sampled_from(["3", "14", "A"]), st.lists(st.sampled_from("BDFILMO"), max_size=5, unique=True).map(tuple)
)
months = st.one_of(st.none(), st.integers(0, 99))
orthodontics = st.one_of(st.none(), st.builds(Orthodontics, months, months, maybe_day))
tooth_statuses = st.lists(st.builds(ToothStatus, st.sampled_from(["1", "32"]), st.sampled_from("EM")), max_size=3)


@st.composite
def dental_lines(draw: st.DrawFn, diagnoses: int) -> DentalLine:
    prosthesis = draw(st.sampled_from(["", "I", "R"]))
    pointers = draw(st.lists(st.integers(1, diagnoses), max_size=4)) if diagnoses else []
    return DentalLine(
        draw(st.sampled_from(["D0150", "D2392"])),
        draw(amounts),
        draw(maybe_day),
        draw(identifiers),
        tuple(draw(st.lists(st.sampled_from(["52", "59"]), max_size=2))),
        draw(st.integers(1, 99)),
        draw(st.sampled_from(["", "11"])),
        tuple(draw(st.lists(st.sampled_from(["01", "UR", "10"]), max_size=5))),
        prosthesis,
        draw(days) if prosthesis == "R" else None,
        tuple(draw(st.lists(teeth, max_size=3))),
        tuple(pointers),
        draw(rendering),
    )


@st.composite
def dental_claims(draw: st.DrawFn) -> DentalClaim:
    diagnoses = tuple(draw(st.lists(st.sampled_from(["K0250", "K029"]), max_size=4)))
    lines = tuple(draw(st.lists(dental_lines(len(diagnoses)), min_size=1, max_size=3)))
    frequency, why = draw(st.sampled_from("178")), draw(causes)
    undated = any(line.service_date is None for line in lines)
    return DentalClaim(
        draw(identifiers),
        "11",
        lines,
        draw(st.sampled_from([CLINIC, replace(HOSPITAL, first_name="KIM")])),
        replace(draw(st.one_of(st.just(ROBIN), subscribers)), responsibility="S"),
        PLAN,
        draw(st.one_of(st.none(), patients)),
        diagnoses,
        draw(rendering),
        frequency,
        draw(identifiers) if frequency != "1" else "",
        draw(st.booleans()),
        draw(maybe_identifier),
        draw(days) if undated else draw(maybe_day),
        draw(orthodontics),
        tuple(draw(tooth_statuses)),
        draw(days) if why else draw(maybe_day),
        why,
        draw(maybe_person),
        draw(maybe_person),
        draw(maybe_person),
        draw(facilities),
        draw(maybe_identifier),
        draw(maybe_identifier),
        draw(maybe_words),
        draw(st.one_of(st.none(), amounts)),
        draw(attachments),
        draw(st.sampled_from(["", "1", "11"])),
        draw(other_payers([line.charge for line in lines])),
        draw(st.sampled_from("ABC")),
        draw(st.sampled_from("YNW")),
        draw(st.sampled_from("YI")),
    )
