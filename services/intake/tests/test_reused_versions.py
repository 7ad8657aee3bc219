"""An EHR that never raises `meta.versionId`: what it changes is taken or told to a person, and never dropped."""

from __future__ import annotations

from .world import IntakeUnderTest, Wire, bundle, encounters, raw, resources

ENCOUNTER = next(each for each in encounters(Wire.FHIR) if each.source == "ehr-north")
BUNDLE = bundle(ENCOUNTER)
META = {"source": ENCOUNTER.source, "versionId": "1"}
PATIENT = resources(BUNDLE, "Patient")[0] | {"meta": META}
A, B = raw(PATIENT | {"gender": "male"}), raw(PATIENT | {"gender": "female"})


def versions_after(service: IntakeUnderTest, *messages: bytes) -> list[tuple[bool, int]]:
    """Whether each was answered as a repetition, and at which version the resource was then."""
    outcomes = [service.receive(each)[0] for each in messages]
    assert all(each.accepted for each in outcomes)
    return [(each.repeated, each.resources[0].version) for each in outcomes]


def test_content_that_goes_there_and_back_under_one_version_is_three_versions() -> None:
    assert versions_after(IntakeUnderTest(), A, B, A) == [(False, 1), (False, 2), (False, 3)]


def test_it_may_go_there_and_back_any_number_of_times() -> None:
    assert [version for _, version in versions_after(IntakeUnderTest(), A, B, A, B, A, B)] == [1, 2, 3, 4, 5, 6]


def test_in_one_batch_it_goes_there_and_back_too() -> None:
    service = IntakeUnderTest()
    assert [each.resources[0].version for each in service.receive(A, B, A)] == [1, 2, 3]


def test_what_is_known_as_it_is_stays_a_repetition() -> None:
    service = IntakeUnderTest()
    versions_after(service, A, B, A)
    assert versions_after(service, A, A) == [(True, 3), (True, 3)]


def test_an_older_version_that_comes_late_is_a_repetition_where_versions_are_raised() -> None:
    newer = raw(PATIENT | {"gender": "female", "meta": META | {"versionId": "2"}})
    assert versions_after(IntakeUnderTest(), A, newer, A) == [(False, 1), (False, 2), (True, 2)]


def charges() -> tuple[bytes, bytes]:
    """A charge as it is, and with other units, both under version 1."""
    (charge, *_) = resources(BUNDLE, "ChargeItem")
    return raw(charge | {"meta": META}), raw(charge | {"meta": META, "quantity": {"value": 7}})


def told(service: IntakeUnderTest, *messages: bytes) -> list[tuple[str, bool]]:
    outcomes = [service.receive(each)[0] for each in messages]
    return [(each.rule or "taken", each.repeated) for each in outcomes]


def test_a_charge_that_changes_under_one_version_is_a_conflict_for_a_person_once() -> None:
    service, (same, other) = IntakeUnderTest(), charges()
    entries = [each for each in BUNDLE["entry"] if each["resource"]["resourceType"] != "ChargeItem"]
    assert service.receive(raw(BUNDLE | {"entry": entries}))[0].accepted
    conflict = "ChargeChanged"
    assert told(service, same, other, other, same) == [
        ("taken", False),
        (conflict, False),
        (conflict, True),
        ("taken", True),
    ]
    assert [case["code"] for case in service.cases()] == [conflict]


def test_a_charge_that_is_changed_and_changed_back_under_one_version_is_a_conflict_for_a_person() -> None:
    service, (same, other) = IntakeUnderTest(), charges()
    assert service.receive(raw(BUNDLE))[0].accepted
    conflict = "ChargeChanged"
    assert told(service, same, other, same, same) == [
        ("taken", False),
        ("taken", False),
        (conflict, False),
        (conflict, True),
    ]
    assert [case["code"] for case in service.cases()] == [conflict]
