"""One HL7 v2 message as a delivery: which profile reads it, what it says, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from intake.adapters.hl7v2.context import Reading
from intake.adapters.hl7v2.coverages import coverages
from intake.adapters.hl7v2.header import BATCH_HEADERS, Header, faults_of, header_of, header_of_batch, is_name
from intake.adapters.hl7v2.patient_spans import Span, patient_spans
from intake.adapters.hl7v2.patients import merges, patient_link, patient_seen, unmerges
from intake.adapters.hl7v2.segments import Message, parse
from intake.adapters.hl7v2.site_profiles import SiteProfile, SiteProfiles, Validation, default_profiles
from intake.adapters.hl7v2.stamps import instant_of
from intake.adapters.hl7v2.strictness import broken_standard
from intake.adapters.hl7v2.transactions import transactions
from intake.adapters.hl7v2.triggers import Trigger
from intake.adapters.hl7v2.visits import encounter_seen, visit_number, visits_changed
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import NOWHERE, AdjustmentSeen, Fact, Link, PatientPaymentSeen
from intake.domain.refusals import Finding, InvalidMessage

FORMAT = "hl7v2"
UNKNOWN_SOURCE = "unknown"
UNTRUSTED_SOURCE = "not-its-own"
"""What a client said in the name of a source that is none of its own: no reading makes more of it, however often it is read."""
EVERY_SOURCE = "*"
NO_SPANS: tuple[Span, ...] = ()
PROFILE_FACT = "site-profile"
NO_PROFILE = SiteProfile(name="none", senders=("none|none",))
OF_KNOWN_VISITS = (
    Trigger.VISIT_CANCELLED,
    Trigger.END_CANCELLED,
    Trigger.ACCOUNTS_PURGED,
    Trigger.ACCOUNTS_ENDED,
)
DETAILED_TRANSACTIONS = ("DFT", "P11")
"""In a P11 each transaction has its own diagnoses and insurances behind it."""
NEEDS_VISIT = (Trigger.TRANSACTIONS, Trigger.VISIT_ENDED, Trigger.ACCOUNT)


@dataclass(frozen=True, slots=True)
class Hl7Reading:
    """What a message needs for its answer, and the delivery made of it. `rejected`: not even its header is usable."""

    delivery: InboundDelivery
    header: Header
    rejected: bool = False


def read_message(
    raw: bytes, *, actor: str, profiles: SiteProfiles | None = None, sources: Sequence[str] = (EVERY_SOURCE,)
) -> Hl7Reading:
    """One message as a delivery; what is wrong with it stands in its findings.

    The sender may speak for these `sources` (MSH-3), `*` for any; what says that it is of another is kept as of no known one.
    """
    known = profiles or default_profiles()
    if raw.startswith(BATCH_HEADERS):
        return _batch_refused(raw, actor)
    try:
        message = parse(raw, known.character_set_for)
    except InvalidMessage as invalid:
        delivery = InboundDelivery(UNKNOWN_SOURCE, "none", FORMAT, raw, actor, findings=invalid.findings)
        return Hl7Reading(delivery, Header(), rejected=True)
    header = header_of(message)
    profile = known.profile_for(*header.sender)
    header = replace(header, profile=profile.name if profile else "")
    may_send = EVERY_SOURCE in sources or header.sender[0] in sources
    reading = Reading(
        _source_of(header, may_send=may_send),
        header.sender[1] if is_name(header.sender[1]) else "",
        header.control_id if is_name(header.control_id) else "none",
        profile or NO_PROFILE,
        instant_of(message.rows[0].field(7), profile.zone if profile else None),
        diagnoses_follow_transactions=header.kind == DETAILED_TRANSACTIONS,
        findings=faults_of(message, header, profile),
    )
    if not may_send:
        reading.refuse("MSH-3", "sender", "an application for which this client may speak")
    rejected = bool(reading.findings)
    facts: tuple[Fact, ...] = ()
    patient, spans = NOWHERE, NO_SPANS
    try:
        patient, spans = patient_link(message.first("PID"), reading), patient_spans(raw, message, reading)
        facts = () if rejected else _facts(message, header, reading)
    except InvalidMessage as invalid:
        reading.findings += invalid.findings
    delivery = _delivery(raw, actor, reading, facts)
    return Hl7Reading(replace(delivery, patient=patient, patient_spans=spans), header, rejected)


def _source_of(header: Header, *, may_send: bool) -> str:
    if not may_send:
        return UNTRUSTED_SOURCE
    return header.sender[0] if is_name(header.sender[0]) else UNKNOWN_SOURCE


def _batch_refused(raw: bytes, actor: str) -> Hl7Reading:
    """A batch where one message belongs: it comes as a file, or each message of it in a frame of its own."""
    finding = Finding(raw[:3].decode(), "batch", "one message in a frame; batches come as files")
    delivery = InboundDelivery(UNKNOWN_SOURCE, "none", FORMAT, raw, actor, findings=(finding,))
    return Hl7Reading(delivery, header_of_batch(raw), rejected=True)


def _facts(message: Message, header: Header, reading: Reading) -> tuple[Fact, ...]:
    """In the order in which they are to be taken."""
    trigger = header.trigger
    assert trigger is not None, "a message without a known trigger is rejected"
    if reading.profile.validation is Validation.STRICT:
        reading.findings += broken_standard(message)
    return tuple(_told(message, trigger, reading))


def _told(message: Message, trigger: Trigger, reading: Reading) -> Iterator[Fact]:
    if message.first("PID") is None:
        reading.need("PID", "the patient")
    elif trigger is Trigger.PERSONS_MERGED:
        yield from merges(message, reading)
    elif trigger is Trigger.PERSONS_UNMERGED:
        yield from unmerges(message, reading)
    elif trigger in OF_KNOWN_VISITS:
        yield from visits_changed(message, trigger, reading)
    elif len(message.segments("PID")) > 1:
        reading.refuse("PID", "one-patient", "one patient in a message of this kind")
    else:
        yield from _visit(message, trigger, reading)


def _visit(message: Message, trigger: Trigger, reading: Reading) -> Iterator[Fact]:
    pid = message.segments("PID")[0]
    patient = patient_link(pid, reading)
    yield from patient_seen(pid, reading)
    visit = "" if trigger is Trigger.PERSON else visit_number(message, reading)
    if not visit:
        yield from coverages(message, patient, NOWHERE, reading)
        yield from _without_visit(message, trigger, patient, reading)
        return
    link = reading.visit(visit)
    yield encounter_seen(message, visit, patient, trigger, reading)
    yield from coverages(message, patient, link, reading)
    if trigger is Trigger.TRANSACTIONS:
        yield from transactions(message, patient, link, reading)


def _without_visit(message: Message, trigger: Trigger, patient: Link, reading: Reading) -> Iterator[Fact]:
    """Payments and adjustments may name no visit: they are the patient's then. All else of a visit needs its number."""
    told = tuple(transactions(message, patient, NOWHERE, reading)) if trigger is Trigger.TRANSACTIONS else ()
    is_of_patient = bool(told) and all(isinstance(fact, PatientPaymentSeen | AdjustmentSeen) for fact in told)
    if trigger in NEEDS_VISIT and not is_of_patient:
        reading.need(reading.profile.visit_number[0], "the visit number")
    yield from told


def _delivery(raw: bytes, actor: str, reading: Reading, facts: tuple[Fact, ...]) -> InboundDelivery:
    findings = tuple(reading.findings)
    read_by = () if reading.profile is NO_PROFILE else ((PROFILE_FACT, reading.profile.name),)
    return InboundDelivery(
        reading.source,
        "|".join((reading.source, reading.facility, reading.control_id)),
        FORMAT,
        raw,
        actor,
        facts=() if findings else facts,
        findings=findings,
        entity=reading.facility,
        traits=read_by,
        notes=tuple(reading.notes),
        key_should_be_unique=True,
    )
