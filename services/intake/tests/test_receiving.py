"""Batches of messages: each is kept, each stands or falls by itself, and the same twice is one."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from canonical.codes import RevisionReason
from canonical.encounter import EncounterPhi
from canonical.events.intake import ChargesRevised, EncounterCharged, PatientRegistered, PostedCharges
from canonical.money import Money
from canonical.party import PatientDetails
from chassis.inbound import INBOUND_MESSAGES, InboundMessage, read_raw
from chassis.testing import context
from intake.application.queries import ENCOUNTERS, TABLES
from intake.application.releasing import release_encounter
from intake.domain.encounter import Encounter
from intake.domain.identities import encounter_id_of
from intake.domain.refusals import NothingHeld, StillHeld
from sandbox.world.scenario import Flaw, SimulatedEncounter

from .world import (
    STORY,
    IntakeUnderTest,
    Wire,
    bundle,
    charge_message,
    encounters,
    messages_of,
    raw,
    replace_field,
    resources,
)

ENCOUNTER = encounters(Wire.FHIR)[0]


def charged(service: IntakeUnderTest) -> list[EncounterCharged]:
    return [event for event in service.events() if isinstance(event, EncounterCharged)]


def read_models(service: IntakeUnderTest) -> list[str]:
    return [service.store.read_model_hash(table) for table in TABLES]  # type: ignore[attr-defined]


def test_a_story_is_charged_to_the_cent_per_entity_and_payer() -> None:
    service = IntakeUnderTest()
    outcomes = service.receive_encounters(STORY.encounters)
    cents: Counter[tuple[str, str]] = Counter()
    for event in charged(service):
        cents[event.entity, event.payer] += event.total.minor
    expected = Counter({key: amount.minor for key, amount in STORY.charges_by_entity_and_payer().items()})
    for each in STORY.flawed:
        if each.flaw is Flaw.MISSING_MEMBER_ID and each.coverage:
            expected[each.entity, each.coverage.payer] += each.total.minor
    assert all(outcome.accepted for outcome in outcomes)
    assert cents == expected


def test_an_announced_encounter_opens_to_what_its_source_said() -> None:
    service = IntakeUnderTest()
    service.receive(messages_of(ENCOUNTER).messages[0])
    registered = next(event for event in service.events() if isinstance(event, PatientRegistered))
    (event,) = charged(service)
    phi = service.sealer.open(event.details, EncounterPhi)
    assert service.sealer.open(registered.details, PatientDetails) == phi.patient
    assert phi.patient.family_name == ENCOUNTER.patient.family_name
    assert phi.diagnosis_codes == ENCOUNTER.diagnosis_codes
    assert (event.diagnosis_count, event.has_member_id) == (len(ENCOUNTER.diagnosis_codes), True)
    assert (event.details.kind, event.details.key_id) == ("encounter.v1", event.patient_id)
    for line, charge in zip(event.charges, ENCOUNTER.charges, strict=True):
        pointed = tuple(phi.diagnosis_codes[pointer - 1] for pointer in line.diagnosis_pointers)
        assert (pointed, line.department) == (charge.diagnosis_codes, charge.department)


def test_no_stored_event_and_no_announcement_shows_the_patient() -> None:
    service = IntakeUnderTest()
    service.receive_encounters(STORY.encounters)
    stored = b"".join(service.store.registry.encode(entry.event).state for entry in service.store.log(0, 100_000))  # type: ignore[attr-defined]
    announced = "".join(event.model_dump_json() for event in service.events()).encode()
    for encounter in STORY.encounters:
        coverage = encounter.coverage
        canaries = [encounter.patient.mrn, encounter.patient.family_name, encounter.patient.street]
        canaries += [coverage.member_id] if coverage and coverage.member_id else []
        for canary in canaries:
            assert canary.encode() not in stored
            assert canary.encode() not in announced


@pytest.mark.parametrize("wire", list(Wire))
def test_every_message_is_kept_byte_for_byte_under_the_patients_key(wire: Wire) -> None:
    service = IntakeUnderTest()
    content = messages_of(encounters(wire)[0]).messages[-1]
    (outcome,) = service.receive(content)
    spans = service.store.spans(outcome.message_id)
    (patient,) = {event.patient_id for event in charged(service)}
    assert read_raw(service.store, service.sealer, outcome.message_id) == content
    assert {span.key_id for span in spans} == {patient}


def test_the_same_delivery_twice_is_one_message_and_one_answer() -> None:
    service = IntakeUnderTest()
    first = service.receive_encounters(STORY.encounters)
    position, models = service.store.last_position(), read_models(service)
    again = service.receive_encounters(STORY.encounters)
    assert [(o.message_id, o.accepted, o.findings) for o in again] == [
        (o.message_id, o.accepted, o.findings) for o in first
    ]
    assert all(outcome.repeated for outcome in again)
    assert (service.store.last_position(), read_models(service)) == (position, models)


def test_the_same_delivery_twice_in_one_batch_is_one_message() -> None:
    service = IntakeUnderTest()
    content = messages_of(ENCOUNTER).messages[0]
    outcomes = service.receive(content, content, content)
    assert [outcome.repeated for outcome in outcomes] == [False, True, True]
    assert len(charged(service)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_order_and_the_batches_the_same_is_charged(seed: int) -> None:
    def told(service: IntakeUnderTest, story: list[SimulatedEncounter], size: int) -> set[tuple[object, ...]]:
        for start in range(0, len(story), size):
            service.receive_encounters(story[start : start + size])
        return {(e.encounter_id, e.posting, e.payer, e.total, e.charges) for e in charged(service)}

    dice = random.Random(seed)
    shuffled = dice.sample(STORY.encounters, len(STORY.encounters))
    plain = told(IntakeUnderTest(), list(STORY.encounters), len(STORY.encounters))
    assert told(IntakeUnderTest(), shuffled + shuffled[:10], dice.randint(1, 30)) == plain


def test_one_refused_message_leaves_its_batch_alone() -> None:
    service = IntakeUnderTest()
    bad = replace_field(charge_message(), "FT1", 10, "0")
    good = messages_of(ENCOUNTER).messages[0]
    refused, unreadable, accepted = service.receive(bad, b"\x00 nothing", good)
    assert (refused.accepted, refused.rule) == (False, "units-above-zero")
    assert (unreadable.accepted, unreadable.rule) == (False, "header")
    assert accepted.accepted
    assert [event.encounter_id for event in charged(service)] == [
        encounter_id_of(ENCOUNTER.source, ENCOUNTER.visit_number)
    ]
    assert read_raw(service.store, service.sealer, unreadable.message_id) == b"\x00 nothing"
    assert service.cases() == []


def test_a_refused_message_is_answered_the_same_when_it_comes_again() -> None:
    service = IntakeUnderTest()
    bad = replace_field(charge_message(), "FT1", 10, "0")
    (first,) = service.receive(bad)
    (again,) = service.receive(bad)
    assert again == replace(first, repeated=True)


def test_a_charge_that_comes_again_changed_is_a_conflict_for_a_person() -> None:
    service = IntakeUnderTest()
    content = bundle(ENCOUNTER)
    service.receive(raw(content))
    resources(content, "ChargeItem")[0]["priceOverride"]["value"] += 1
    (outcome,) = service.receive(raw(content))
    (case,) = service.cases()
    assert (outcome.accepted, outcome.rule) == (False, "ChargeChanged")
    assert (case["code"], case["subject_id"]) == ("ChargeChanged", outcome.message_id)
    assert len(charged(service)) == 1


def test_an_unknown_payer_holds_the_encounter_until_it_is_released() -> None:
    service = IntakeUnderTest()
    flawed = next(each for each in STORY.flawed if each.flaw is Flaw.UNKNOWN_PAYER)
    outcomes = service.receive_encounters([flawed])
    encounter_id = encounter_id_of(flawed.source, flawed.visit_number)
    (case,) = service.cases()
    assert outcomes[-1].accepted
    assert outcomes[-1].notes[0].startswith("payer: unknown-payer: no payer 'NOSUCHPAYER'")
    assert (case["code"], case["state"], case["amount_minor"]) == ("UnmappedCode", "open", flawed.total.minor)
    assert charged(service) == []

    with pytest.raises(StillHeld, match="unknown-payer"):
        release_encounter(
            service.store, context(), service.sealer, service.master_data, encounter_id, reason="tried again"
        )
    known = service.master_data.payers[0].model_copy(update={"code": "NOSUCHPAYER"})
    service.master_data = service.master_data.model_copy(update={"payers": (*service.master_data.payers, known)})
    release_encounter(service.store, context(), service.sealer, service.master_data, encounter_id, reason="payer added")
    assert [(event.payer, event.total) for event in charged(service)] == [("NOSUCHPAYER", flawed.total)]
    service.sweep()
    assert [row["state"] for row in service.cases()] == ["corrected"]
    with pytest.raises(NothingHeld):
        release_encounter(service.store, context(), service.sealer, service.master_data, encounter_id, reason="again")


def test_later_facts_clear_a_hold_by_themselves() -> None:
    service = IntakeUnderTest()
    content = bundle(ENCOUNTER)
    right = resources(content, "Encounter")[0]["location"][0]["location"]["identifier"]
    code, right["value"] = right["value"], "NOWHERE"
    service.receive(raw(content))
    assert charged(service) == []
    right["value"] = code
    service.receive(raw(content))
    assert len(charged(service)) == 1
    service.sweep()
    assert [row["state"] for row in service.cases()] == ["corrected"]


def test_a_missing_member_id_is_not_held_here() -> None:
    service = IntakeUnderTest()
    flawed = next(each for each in STORY.flawed if each.flaw is Flaw.MISSING_MEMBER_ID)
    service.receive_encounters([flawed])
    (event,) = charged(service)
    assert not event.has_member_id


def billed(service: IntakeUnderTest) -> Money:
    """What all postings come to, by the newest word on each."""
    newest = {
        (event.encounter_id, event.posting): event for event in service.events() if isinstance(event, PostedCharges)
    }
    return Money.total(event.total for event in newest.values())


def test_a_later_batch_of_charges_of_one_visit_joins_its_posting() -> None:
    service = IntakeUnderTest()
    service.receive(charge_message().encode())
    later = replace_field(replace_field(charge_message(), "MSH", 10, "LATER").decode(), "FT1", 2, "LATER-1")
    rows = later.decode().split("\r")
    first = next(index for index, row in enumerate(rows) if row.startswith("FT1"))
    kept = [row for index, row in enumerate(rows) if not row.startswith("FT1") or index == first]
    service.receive("\r".join(kept).encode())
    (first_word,), newest = charged(service), service.events()[-1]
    assert isinstance(newest, ChargesRevised)
    assert (newest.posting, newest.reason, newest.revision) == (1, RevisionReason.LATE_CHARGE, 1)
    assert (newest.previous_charges, newest.previous_total) == (first_word.charges, first_word.total)
    assert newest.charges[:-1] == first_word.charges
    assert Money.total(line.amount for line in newest.charges) == newest.total


def test_a_registration_alone_charges_nothing() -> None:
    service = IntakeUnderTest()
    (outcome,) = service.receive(messages_of(encounters(Wire.HL7)[0]).messages[0])
    assert outcome.accepted
    assert [type(event) for event in service.events()] == [PatientRegistered]


def test_resources_may_come_one_by_one() -> None:
    service = IntakeUnderTest()
    content = bundle(ENCOUNTER)
    order = {"Organization": 0, "Practitioner": 1, "Patient": 2, "Coverage": 3, "Encounter": 4, "ChargeItem": 5}
    singles = sorted((entry["resource"] for entry in content["entry"]), key=lambda each: order[each["resourceType"]])
    bodies = [raw(single | {"meta": {"source": ENCOUNTER.source, "versionId": "1"}}) for single in singles]
    outcomes = [service.receive(body)[0] for body in bodies]
    assert [outcome.findings for outcome in outcomes] == [()] * len(outcomes)
    assert billed(service) == ENCOUNTER.total
    assert {event.payer for event in charged(service)} == {ENCOUNTER.coverage.payer if ENCOUNTER.coverage else ""}
    spans = [span for outcome in outcomes[3:] for span in service.store.spans(outcome.message_id)]
    assert {span.key_id for span in spans} == {charged(service)[0].patient_id}


def test_a_resource_that_refers_to_nothing_known_is_refused() -> None:
    service = IntakeUnderTest()
    item = resources(bundle(ENCOUNTER), "ChargeItem")[0]
    (outcome,) = service.receive(raw(item | {"meta": {"source": ENCOUNTER.source, "versionId": "1"}}))
    assert (outcome.accepted, outcome.rule) == (False, "unknown-reference")


def test_a_resource_that_came_too_early_is_taken_when_it_is_sent_again() -> None:
    service = IntakeUnderTest()
    content = bundle(ENCOUNTER)
    item = resources(content, "ChargeItem").pop()
    early = raw(item | {"meta": {"source": ENCOUNTER.source, "versionId": "1"}})
    (refused,) = service.receive(early)
    content["entry"] = [entry for entry in content["entry"] if entry["resource"] is not item]
    service.receive(raw(content))
    (taken,), (again,) = service.receive(early), service.receive(early)
    assert (refused.accepted, taken.accepted, taken.message_id) == (False, True, refused.message_id)
    assert (again.accepted, again.repeated) == (True, True)
    assert billed(service) == ENCOUNTER.total


def test_a_charge_of_tomorrow_is_refused_today() -> None:
    service = IntakeUnderTest()
    service.clock.now = service.clock.now.replace(year=2020)
    (outcome,) = service.receive(messages_of(ENCOUNTER).messages[0])
    assert outcome.rule == "date-in-future"


def test_read_models_follow_from_the_events_alone() -> None:
    service = IntakeUnderTest()
    service.receive_encounters(STORY.encounters)
    live = read_models(service)
    service.store.rebuild_read_models()  # type: ignore[attr-defined]
    assert read_models(service) == live
    rows = service.store.rows(ENCOUNTERS, {"state": "finished"})
    assert all(row["charged_minor"] == row["posted_minor"] for row in rows)
    assert sum(row["posting_count"] for row in rows) == len(charged(service))  # type: ignore[misc]


def test_who_sent_what_stands_in_every_event() -> None:
    service = IntakeUnderTest()
    (outcome,) = service.receive(messages_of(ENCOUNTER).messages[0])
    metas = {entry.event.meta for entry in service.store.log(0, 1000)}
    (meta,) = metas
    assert (meta.causation_id, meta.actor, meta.source_system) == (outcome.message_id, "service:ehr", ENCOUNTER.source)
    assert [row["message_id"] for row in service.store.rows(INBOUND_MESSAGES, {})] == [outcome.message_id]
    assert {type(entry.event) for entry in service.store.log(0, 1000)} >= {InboundMessage.Accepted, Encounter.Charged}
    assert date(2026, 3, 1) == service.clock.now.date()
