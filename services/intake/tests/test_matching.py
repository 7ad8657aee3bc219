"""Who may be one person: linked by identifiers, asked about by likeness, and never merged silently."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from canonical.party import Address, PatientDetails
from chassis.eventstore import transact
from chassis.merged_patients import PATIENT_MERGES
from chassis.testing import context
from intake.application.matching import SHARED_BY_MAX
from intake.application.merging import mark_distinct, merge
from intake.application.patient_rows import MATCHES, matches_of
from intake.application.queries import TABLES
from intake.domain.facts import PatientIdentifier
from intake.domain.likeness import likeness_of
from intake.domain.match_keys import MatchKeys, identifier_keys, match_keys_of, sound_of
from intake.domain.patient import Patient
from intake.domain.patient_match import MatchKind

from .people import JANE, OTHER_SOURCE, SOURCE, merged, message, person, seen, somebody
from .world import IntakeUnderTest

NATIONAL = PatientIdentifier("USA", "SS", "219-09-9999")
HOSPITAL = PatientIdentifier("HOSP", "MR", "4711")


def keys(details: PatientDetails, *identifiers: PatientIdentifier, source: str = SOURCE) -> MatchKeys:
    return match_keys_of(details, identifier_keys(identifiers, source, list), source, list)


def changed(details: PatientDetails, **changes: object) -> PatientDetails:
    return details.model_copy(update=changes)


MOVED = Address(line="9 Oak Ave", city="Peoria", state="IL", postal_code="61601")


@pytest.mark.parametrize(
    ("told", "other", "score"),
    [
        ("the same in everything", JANE, 90),
        ("moved to another town", changed(JANE, address=MOVED), 70),
        (
            "another street of the same town",
            changed(JANE, address=MOVED.model_copy(update={"postal_code": "62701"})),
            78,
        ),
        ("a family name that sounds alike", changed(JANE, family_name="Dow"), 82),
        ("an accent and small letters", changed(JANE, family_name="döe", given_name="JANE M"), 90),
        ("month and day the wrong way round", changed(JANE, birth_date=date(1980, 5, 7)), 75),
        ("married", changed(JANE, family_name="Smith"), 60),
        ("a twin sister", changed(JANE, given_name="Rose"), 50),
        ("father and son", changed(JANE, birth_date=date(1951, 11, 2)), 30),
        ("nobody known", somebody("X"), 0),
    ],
)
def test_points_say_how_likely_two_patients_are_one(told: str, other: PatientDetails, score: int) -> None:
    likeness = likeness_of(keys(JANE), keys(other))
    assert (likeness.score, sum(field.points for field in likeness.fields) <= score) == (score, True), told


def test_a_shared_identifier_of_one_source_weighs_in() -> None:
    married = changed(JANE, family_name="Smith")
    assert likeness_of(keys(JANE, NATIONAL), keys(married, NATIONAL)).score == 85


@pytest.mark.parametrize(
    ("name", "sound"), [("ROBERT", "R163"), ("RUPERT", "R163"), ("ASHCRAFT", "A261"), ("TYMCZAK", "T522"), ("", "")]
)
def test_names_that_sound_alike_have_one_sound(name: str, sound: str) -> None:
    assert sound_of(name) == sound


@pytest.mark.parametrize(
    "useless",
    [
        PatientIdentifier("USA", "SS", "999-99-9999"),
        PatientIdentifier("USA", "SS", ""),
        PatientIdentifier("HOSP", "AN", "4711"),
        PatientIdentifier("HOSP", "MR", "unknown"),
    ],
)
def test_an_identifier_that_tells_nobody_apart_is_no_key(useless: PatientIdentifier) -> None:
    assert keys(JANE, useless).identifiers == ()


def test_an_identifier_without_authority_is_its_sources_own_but_a_national_one_is_the_same_everywhere() -> None:
    own = PatientIdentifier("", "MR", "4711")
    assert keys(JANE, own).identifiers != keys(JANE, own, source=OTHER_SOURCE).identifiers
    here, there = keys(JANE, NATIONAL), keys(JANE, PatientIdentifier("", "ss", "219099999"), source=OTHER_SOURCE)
    assert here.identifiers == there.identifiers


def test_the_same_identifier_from_another_source_links_the_two() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)))
    service.receive(message("2", seen("Z", JANE, HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    histories = service.store.load([person("A"), person("Z", OTHER_SOURCE)])
    linked = [
        event.linked_id
        for history in histories.values()
        for event in history.events
        if isinstance(event, Patient.IdentifierLinked)
    ]
    assert set(linked) == {person("A"), person("Z", OTHER_SOURCE)}
    assert (service.cases(), service.store.rows(MATCHES, {}), service.store.rows(PATIENT_MERGES, {})) == ([], [], [])


@pytest.mark.parametrize(
    ("told", "changes", "asks"),
    [
        ("married", {"family_name": "Underwood"}, False),
        ("moved as well", {"family_name": "Underwood", "address": MOVED}, False),
        ("sex corrected", {"sex": "M"}, False),
        ("typed a day wrong", {"birth_date": JANE.birth_date.replace(day=28)}, False),
        ("a twin", {"given_name": "Wilhelmina"}, True),
        ("another birthday", {"birth_date": date(1931, 11, 23)}, True),
        ("a child under the number of its mother", {"given_name": "Girl", "birth_date": date(2026, 2, 20)}, True),
        ("another name and sex", {"family_name": "Underwood", "sex": "M"}, True),
    ],
)
def test_what_may_differ_beside_a_shared_identifier(told: str, changes: dict[str, Any], asks: bool) -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)))
    other = seen("Z", changed(JANE, **changes), HOSPITAL, source=OTHER_SOURCE)
    service.receive(message("2", other, source=OTHER_SOURCE))
    assert [case["code"] for case in service.cases()] == (["IdentifierContradiction"] if asks else []), told


def test_the_same_identifier_of_another_person_is_a_persons_to_judge() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)))
    service.receive(message("2", seen("Z", somebody("Z"), HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    assert [case["code"] for case in service.cases()] == ["IdentifierContradiction"]
    (row,) = service.store.rows(MATCHES, {})
    assert row["kind"] == MatchKind.CONTRADICTION.value


def test_likely_patients_are_asked_about_once_with_their_score_and_are_not_merged() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE)), message("2", seen("B", changed(JANE, address=MOVED))))
    service.receive(message("3", seen("B", changed(JANE, address=MOVED, sex="U"))))
    (case,) = service.cases()
    assert case["code"] == "ProbableMatch"
    assert str(case["summary"]).endswith(
        ": 70 of 100 points, family-name same (+20), given-name same (+15), birth-date same (+30), sex same (+5), "
        "address different (+0)"
    )
    assert {str(person("A")), str(person("B"))} == set(str(case["summary"]).split(": ")[0].split(" and "))
    assert service.store.rows(PATIENT_MERGES, {}) == []


def test_a_batch_and_message_after_message_find_the_same() -> None:
    people = [seen(str(number), changed(JANE, birth_date=date(1980, 5, number))) for number in range(1, 6)]
    together, apart = IntakeUnderTest(), IntakeUnderTest()
    together.receive(*(message(str(place), fact) for place, fact in enumerate(people)))
    for place, fact in enumerate(people):
        apart.receive(message(str(place), fact))
    found = [service.store.rows(MATCHES, {}, order=["match_id"]) for service in (together, apart)]
    assert found[0] == found[1]
    assert found[0]


def test_patients_told_apart_are_not_asked_about_again() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE)), message("2", seen("B", JANE)))
    transact(service.store, context(), lambda work: mark_distinct(work, person("A"), person("B"), reason="twins"))
    service.receive(message("3", seen("B", changed(JANE, address=MOVED))))
    assert [case["state"] for case in service.cases()] == ["corrected"]
    assert [row["state"] for row in matches_of(service.store, person("A"))] == ["distinct"]


def test_patients_told_apart_are_not_linked_by_an_identifier_either() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)))
    service.receive(message("2", seen("Z", somebody("Z"), HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    pair = (person("A"), person("Z", OTHER_SOURCE))
    transact(service.store, context(), lambda work: mark_distinct(work, *pair, reason="the number was given twice"))
    service.receive(message("3", seen("Z", JANE, HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    history = service.store.load([pair[1]])[pair[1]]
    assert not [event for event in history.events if isinstance(event, Patient.IdentifierLinked)]


def test_merging_a_probable_match_ends_its_case() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE)), message("2", seen("B", JANE)))
    transact(service.store, context(), lambda work: merge(work, person("B"), person("A"), reason="same passport"))
    assert [case["state"] for case in service.cases()] == ["corrected"]
    assert [row["state"] for row in matches_of(service.store, person("B"))] == ["merged"]


def test_patients_whom_the_source_has_merged_are_not_asked_about() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("B", JANE), merged("B", "A")))
    service.receive(message("2", seen("A", JANE)))
    assert service.cases() == []


def test_what_too_many_share_tells_nobody_apart() -> None:
    service = IntakeUnderTest()
    crowd = [seen(str(number), JANE) for number in range(SHARED_BY_MAX + 1)]
    service.receive(message("crowd", *crowd))
    before = len(service.cases())
    service.receive(message("one-more", seen("late", JANE)))
    assert len(service.cases()) == before


def test_an_identifier_that_was_told_once_stays_and_the_same_told_again_changes_nothing() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)), message("2", seen("A", JANE, NATIONAL)))
    service.receive(message("3", seen("A", JANE, HOSPITAL)), message("4", seen("A", JANE)))
    history = service.store.load([person("A")])[person("A")]
    assert [type(event).__name__ for event in history.events] == ["Registered", "DetailsChanged"]
    changed = history.events[-1]
    assert isinstance(changed, Patient.DetailsChanged)
    assert changed.match_keys is not None
    assert len(changed.match_keys.identifiers) == 2


def test_a_refused_message_is_compared_with_nobody() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE)))
    (outcome,) = service.receive(message("2", seen("B", JANE), merged("B", "B")))
    assert (outcome.rule, service.cases()) == ("SelfMerge", [])


def test_nothing_that_is_kept_shows_an_identifier_or_a_name() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL, NATIONAL)), message("2", seen("B", JANE, NATIONAL)))
    kept = " ".join(entry.event.model_dump_json() for entry in service.store.log(0, 1000))
    rows = " ".join(str(service.store.rows(table, {})) for table in TABLES)
    for word in ("Doe", "DOE", "Jane", "JANE", "4711", "219-09-9999", "219099999", "1980-05-17", "62701", "Main"):
        assert word not in kept + rows + str(service.cases())


def test_the_tables_of_people_are_the_same_when_they_are_made_again() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)), message("2", seen("B", JANE), merged("B", "A")))
    before = [service.store.read_model_hash(table) for table in TABLES]  # type: ignore[attr-defined]
    service.store.rebuild_read_models()  # type: ignore[attr-defined]
    assert [service.store.read_model_hash(table) for table in TABLES] == before  # type: ignore[attr-defined]
