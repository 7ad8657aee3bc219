"""Messages that are read again: what would differ is shown first, and taken as new events that undo no newer word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from canonical.events.intake import ChargesRevised, EncounterCharged
from canonical.money import Money
from canonical.party import PatientDetails
from chassis.domain import Context, Meta
from chassis.eventstore.work import UnknownAggregate
from chassis.inbound import INBOUND_MESSAGES, InboundMessage, MessageState
from intake.adapters.charge_batches.reading import deliveries_of
from intake.adapters.charge_batches.rows import read_batch
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import SiteProfiles, read_message, read_profiles
from intake.adapters.hl7v2.site_profiles import SiteProfile
from intake.application.deliveries import Outcome
from intake.application.reprocessing import Reprocessing
from intake.application.rereadings import NotReadable, Reread
from intake.domain.access import Disclosure
from intake.domain.identities import encounter_id_of, patient_id_of
from intake.domain.patient import Patient

from .test_charge_batches import batch, row
from .world import IntakeUnderTest, Wire, bundle, encounters, messages_of, raw, replace_field, resources

ENCOUNTER = encounters(Wire.HL7)[0]
ADMITTED, CHARGED = messages_of(ENCOUNTER).messages[0], messages_of(ENCOUNTER).messages[-1]
AUDITOR = "person:auditor"
SITES_CODES = {"CG": "charge", "AJ": "charge"}


def profile(**changes: object) -> SiteProfile:
    return SiteProfile.model_validate({"name": "mended", "senders": ("*|*",)} | changes)


class Desk:
    """Intake with a reader that may be mended between two readings; the clock goes on with every message."""

    def __init__(self) -> None:
        self.service = IntakeUnderTest()
        self.profiles = read_profiles(None)

    def receive(self, *messages: bytes) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for message in messages:
            self.service.clock.advance(minutes=1)
            reading = read_message(message, actor="door:mllp", profiles=self.profiles)
            outcomes += self.service.intake.messages.receive([reading.delivery])
        self.service.clock.advance(minutes=1)
        return outcomes

    @property
    def reprocessing(self) -> Reprocessing:
        return self.service.reprocessing(self.profiles)

    def reread(self, message_id: UUID, *, dry_run: bool = False, reader: str = "") -> Reread:
        call = uuid4()
        caller = Context(self.service.clock(), Meta(correlation_id=call, causation_id=call, actor=AUDITOR))
        return self.reprocessing.reprocess(caller, message_id, reader=reader, dry_run=dry_run)

    def mend(self, **changes: object) -> None:
        self.profiles = SiteProfiles((profile(**changes),))

    def totals(self) -> list[Money]:
        kinds = (EncounterCharged, ChargesRevised)
        return [event.total for event in self.service.events() if isinstance(event, kinds)]

    def state(self, message_id: UUID) -> object:
        return self.service.store.rows(INBOUND_MESSAGES, {"message_id": message_id})[0]["state"]

    def patient(self, patient_id: UUID) -> PatientDetails:
        events = self.service.store.story(patient_id)
        newest = [event for event in events if isinstance(event, Patient.Registered | Patient.DetailsChanged)][-1]
        return self.service.sealer.open(newest.details, PatientDetails)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_message_that_is_read_as_before_changes_nothing(desk: Desk) -> None:
    outcomes = desk.receive(ADMITTED, CHARGED)
    events = desk.service.events()
    for outcome in outcomes:
        found = desk.reread(outcome.message_id)
        assert (found.is_new, found.differences, found.after) == (False, (), "accepted")
    assert desk.service.events() == events
    assert not any(isinstance(event, InboundMessage.Reprocessed) for event in stories(desk, outcomes))


def test_a_dry_run_shows_what_would_differ_and_saves_no_event_and_no_key(desk: Desk) -> None:
    *_, charged = desk.receive(ADMITTED, mistaken(CHARGED))
    desk.mend(transaction_types=SITES_CODES)
    before, position = desk.totals(), desk.service.store.last_position()
    found = desk.reread(charged.message_id, dry_run=True)
    assert any("charge-captured" in each for each in found.differences)
    assert any("revised: posting 1 from" in each for each in found.differences)
    recorded = [entry.event for entry in desk.service.store.log(position, 100)]
    assert [type(event) for event in recorded] == [Disclosure.Given]
    assert desk.totals() == before


def test_what_is_read_otherwise_is_corrected_by_new_events_once(desk: Desk) -> None:
    *_, charged = desk.receive(ADMITTED, mistaken(CHARGED))
    desk.mend(transaction_types=SITES_CODES)
    shown = desk.reread(charged.message_id, dry_run=True)
    done = desk.reread(charged.message_id)
    assert done.differences == shown.differences
    before, after = desk.totals()
    assert after > before
    (again,) = [event for event in stories(desk, [charged]) if isinstance(event, InboundMessage.Reprocessed)]
    assert (again.verdict, again.meta.actor) == (MessageState.ACCEPTED, AUDITOR)
    assert not desk.reread(charged.message_id).is_new
    assert len(desk.totals()) == 2


def test_a_named_profile_reads_a_message_whoever_sent_it(desk: Desk) -> None:
    *_, charged = desk.receive(ADMITTED, mistaken(CHARGED))
    other = profile(name="told-otherwise", senders=("OTHER|*",), transaction_types=SITES_CODES)
    desk.profiles = SiteProfiles((*desk.profiles.profiles, other))
    assert not desk.reread(charged.message_id, dry_run=True).is_new
    assert desk.reread(charged.message_id, dry_run=True, reader="told-otherwise").is_new
    with pytest.raises(NotReadable, match="nobody"):
        desk.reread(charged.message_id, reader="nobody")


def test_a_newer_word_on_the_patient_stands(desk: Desk) -> None:
    newer = replace_field(ADMITTED.decode(), "PID", 5, "Newname^Nora")
    newer = replace_field(newer.decode(), "MSH", 10, "LATER-1")
    first, second = desk.receive(ADMITTED, newer)
    found = desk.reread(first.message_id)
    assert not found.is_new
    assert any("newer-word" in note for note in found.notes)
    assert not desk.reread(second.message_id).is_new
    (patient_id,) = {event.originator_id for event in log(desk) if isinstance(event, Patient.Registered)}
    assert desk.patient(patient_id).family_name == "Newname"


def test_charges_that_the_new_reading_brings_to_another_visit_leave_the_old_one(desk: Desk) -> None:
    named = replace_field(CHARGED.decode(), "PID", 18, "OTHER-VISIT")
    *_, charged = desk.receive(ADMITTED, named)
    desk.mend(visit_number=("PID-18",))
    found = desk.reread(charged.message_id)
    assert found.is_new
    totals = {}
    for event in desk.service.events():
        if isinstance(event, EncounterCharged | ChargesRevised):
            totals[event.encounter_id] = event.total
    assert sorted(total.minor > 0 for total in totals.values()) == [False, True]
    assert totals[encounter_id_of(ENCOUNTER.source, "OTHER-VISIT")] > Money.zero()
    assert not desk.reread(charged.message_id).is_new


def test_a_refused_message_that_can_be_read_now_is_taken(desk: Desk) -> None:
    training = ADMITTED.replace(b"|P|", b"|T|", 1)
    (refused,) = desk.receive(training)
    assert not refused.accepted
    desk.mend(processing_ids=("P", "T"))
    found = desk.reread(refused.message_id)
    assert (found.before, found.after) == ("refused", "accepted")
    assert desk.state(refused.message_id) == "accepted"
    assert not desk.reread(refused.message_id).is_new


def test_a_message_that_would_be_refused_now_changes_nothing_and_says_why(desk: Desk) -> None:
    (admitted,) = desk.receive(ADMITTED)
    desk.mend(processing_ids=("D",))
    position = desk.service.store.last_position()
    found = desk.reread(admitted.message_id)
    assert not found.is_new
    assert "processing-id" in found.findings[0]
    assert len(desk.service.store.log(position, 100)) == 1
    assert desk.state(admitted.message_id) == "accepted"


def test_fhir_messages_are_read_again_and_their_versions_stay(desk: Desk) -> None:
    content = bundle()
    (outcome,) = desk.service.receive(raw(content))
    assert outcome.accepted
    assert not desk.reread(outcome.message_id).is_new
    assert resources(content, "ChargeItem")


def test_an_entry_of_a_batch_is_read_again(desk: Desk) -> None:
    content = bundle() | {"type": "batch"}
    submission = read_submission(raw(content), FhirNames("urn:sandbox"), Sender("service:ehr", key="k"))
    order = sorted(range(len(submission.deliveries)), key=submission.ranks.__getitem__)
    outcomes = desk.service.intake.messages.receive([submission.deliveries[number] for number in order])
    assert all(outcome.accepted for outcome in outcomes)
    assert not any(desk.reread(outcome.message_id).is_new for outcome in outcomes)


def test_the_rows_of_a_visit_are_read_again(desk: Desk) -> None:
    deliveries = list(deliveries_of(read_batch(batch(row()), needs_control=True), "door:file-drop"))
    (outcome,) = desk.service.intake.messages.receive(deliveries)
    assert outcome.accepted
    assert not desk.reread(outcome.message_id).is_new
    assert desk.patient(patient_id_of("ehr-north", "P-1")).sex == "F"


def test_payers_files_have_one_reader_and_unknown_messages_are_unknown(desk: Desk) -> None:
    message_id = desk.service.receive_file(b"ISA*").message_id
    with pytest.raises(NotReadable, match="x12 has one reader"):
        desk.reread(message_id, reader="default")
    with pytest.raises(UnknownAggregate):
        desk.reread(uuid4())


def test_no_word_about_a_difference_names_the_patient(desk: Desk) -> None:
    training = ADMITTED.replace(b"|P|", b"|T|", 1)
    (refused,) = desk.receive(training)
    desk.mend(processing_ids=("T",))
    said = str(desk.reread(refused.message_id, dry_run=True))
    patient = ENCOUNTER.patient
    for secret in (patient.family_name, patient.given_name, patient.birth_date.strftime("%Y%m%d")):
        assert secret not in said


def test_messages_since_an_instant_come_in_order_and_in_portions(desk: Desk) -> None:
    outcomes = desk.receive(ADMITTED, CHARGED)
    ids = [outcome.message_id for outcome in outcomes]
    first, position = desk.reprocessing.since(datetime(2026, 1, 1, tzinfo=UTC), 0, 1)
    assert first == ids[:1]
    assert desk.reprocessing.since(datetime(2026, 1, 1, tzinfo=UTC), position, 10)[0] == ids[1:]
    last = desk.service.store.rows(INBOUND_MESSAGES, {"message_id": ids[1]})[0]["received_at"]
    assert isinstance(last, datetime)
    assert desk.reprocessing.since(last, 0, 10)[0] == ids[1:]
    assert desk.reprocessing.since(last + timedelta(seconds=1), 0, 10)[0] == []


def mistaken(message: bytes) -> bytes:
    """The first charge under a code that means an adjustment, unless the profile says that the site means a charge."""
    return replace_field(message.decode(), "FT1", 6, "AJ")


def stories(desk: Desk, outcomes: list[Outcome]) -> list[object]:
    return [event for outcome in outcomes for event in desk.service.store.story(outcome.message_id)]


def log(desk: Desk) -> list[object]:
    return [entry.event for entry in desk.service.store.log(0, 1000)]


def test_what_was_said_in_the_name_of_another_source_is_refused_however_it_is_read() -> None:
    desk = Desk()
    reading = read_message(CHARGED, actor="door:mllp", sources=("another",))
    (outcome,) = desk.service.intake.messages.receive([reading.delivery])
    again = desk.reread(outcome.message_id)
    assert (outcome.rule, again.before, again.after) == ("sender", "refused", "refused")
    assert desk.service.events() == []
