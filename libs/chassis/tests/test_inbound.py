"""Every byte that came in is kept under its own key, read back as it was, and its message is one however often it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import ContextSource, Event
from chassis.eventstore import EventRegistry, Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.eventstore.work import UnknownAggregate
from chassis.exceptions.case import CaseState, ExceptionCase
from chassis.inbound import (
    INBOUND_MESSAGES,
    AlreadyDecided,
    Arrival,
    ExpiredRaw,
    Fact,
    InboundMessage,
    MessageState,
    NoSuchBytes,
    RawTampered,
    SpanPlan,
    SpansFault,
    cover,
    keep,
    message_id_of,
    messages_by_delivery,
    project_inbound_messages,
    read_raw,
    read_span,
)
from chassis.inbound.message import FINDINGS_MAX
from chassis.inbound.spans import SPAN_BYTES_MAX
from chassis.inbound.taken_files import TakenFile
from chassis.keys import ErasedKey, MemoryKeyStore, Sealer, entity_key_id
from chassis.testing import FixedClock, assert_golden, context, given, happened
from hypothesis import given as for_all
from hypothesis import strategies as st

ANN, BOB = derive("patient", "ann"), derive("patient", "bob")
RAW = b"ISA*..~CLP*ANN*1~CLP*BOB*1~IEA~"
SPANS = [SpanPlan(7, 10, ANN), SpanPlan(17, 10, BOB)]
ARRIVAL = Arrival("clearinghouse", "remit-0001.835", "x12-835", "NORTH", "ISA13 000000001")

Store = MemoryEventStore | PostgresEventStore


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    registry = EventRegistry((InboundMessage,))
    if request.param == "memory":
        yield MemoryEventStore(registry, [project_inbound_messages])
        return
    database = request.getfixturevalue("database")
    migrate(database.owner, (INBOUND_MESSAGES,), "sample_app")
    with PostgresEventStore(database.app, registry, [project_inbound_messages], (INBOUND_MESSAGES,)) as opened:
        yield opened


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(MemoryKeyStore())


def receive(store: Store, sealer: Sealer, raw: bytes = RAW, arrival: Arrival = ARRIVAL) -> UUID:
    def decide(work: Work) -> UUID:
        return keep(work, sealer, arrival, raw, SPANS if raw == RAW else []).id

    return transact(store, context(), decide)


def test_a_message_is_read_back_byte_for_byte(store: Store, sealer: Sealer) -> None:
    identity = receive(store, sealer)
    assert identity == message_id_of(sealer, ARRIVAL, RAW)
    assert read_raw(store, sealer, identity) == RAW
    assert read_span(store, sealer, identity, 7, 10) == b"CLP*ANN*1~"
    assert read_span(store, sealer, identity, 5, 16) == RAW[5:21]
    assert read_span(store, sealer, identity, 0, 0) == b""


def test_no_byte_is_kept_in_the_clear(store: Store, sealer: Sealer) -> None:
    identity = receive(store, sealer)
    spans = store.spans(identity)
    assert [(span.start, span.length, span.key_id) for span in spans] == [
        (0, 7, entity_key_id("NORTH")),
        (7, 10, ANN),
        (17, 10, BOB),
        (27, 4, entity_key_id("NORTH")),
    ]
    assert not any(b"CLP" in span.ciphertext or b"ISA" in span.ciphertext for span in spans)


def test_expired_bytes_are_deleted_and_their_hash_is_told(store: Store, sealer: Sealer) -> None:
    identity = receive(store, sealer)
    transact(store, context(), lambda work: work.require(InboundMessage, identity).accept())

    def expire(work: Work) -> None:
        assert work.require(InboundMessage, identity).expire_raw(3653)
        work.expire_spans(identity)

    transact(store, context(), expire)
    assert store.spans(identity) == []
    with pytest.raises(ExpiredRaw, match=sealer.content_address(RAW).hex()):
        read_raw(store, sealer, identity)


def test_the_same_delivery_twice_is_one_message_with_its_verdict(store: Store, sealer: Sealer) -> None:
    first = receive(store, sealer)
    transact(store, context(), lambda work: work.require(InboundMessage, first).accept())
    assert receive(store, sealer) == first
    again = Work(store, context())
    assert keep(again, sealer, ARRIVAL, RAW, SPANS).state is MessageState.ACCEPTED
    assert again.pending_events() == []
    assert store.last_position() == 2
    assert len(store.spans(first)) == 4


def test_other_bytes_or_another_delivery_are_another_message(store: Store, sealer: Sealer) -> None:
    first = receive(store, sealer)
    changed = receive(store, sealer, RAW + b"\n")
    elsewhere = receive(store, sealer, arrival=replace(ARRIVAL, delivery_key="remit-0002.835"))
    assert len({first, changed, elsewhere}) == 3
    found = messages_by_delivery(store, "clearinghouse", "remit-0001.835")
    assert {row["message_id"] for row in found} == {first, changed}
    assert messages_by_delivery(store, "clearinghouse", "nothing") == []


def test_after_erasing_one_patient_the_other_bytes_are_still_read(store: Store, sealer: Sealer) -> None:
    identity = receive(store, sealer)
    sealer.keys.erase(ANN)
    with pytest.raises(ErasedKey):
        read_raw(store, sealer, identity)
    assert read_span(store, sealer, identity, 17, 14) == RAW[17:]


def test_an_empty_message_is_kept_too(store: Store, sealer: Sealer) -> None:
    identity = receive(store, sealer, b"")
    assert read_raw(store, sealer, identity) == b""


@pytest.mark.parametrize(("start", "length"), [(-1, 3), (0, len(RAW) + 1), (len(RAW), 1), (3, -1)])
def test_bytes_outside_the_message_are_refused(store: Store, sealer: Sealer, start: int, length: int) -> None:
    identity = receive(store, sealer)
    with pytest.raises(NoSuchBytes):
        read_span(store, sealer, identity, start, length)


def test_what_never_came_is_not_read(store: Store, sealer: Sealer) -> None:
    with pytest.raises(UnknownAggregate):
        read_raw(store, sealer, derive("nothing"))


@pytest.mark.servers
@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_span_that_was_exchanged_or_removed_is_noticed(
    store: Store, sealer: Sealer, request: pytest.FixtureRequest
) -> None:
    identity = receive(store, sealer)
    admin = request.getfixturevalue("database").admin
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("ALTER TABLE raw_spans DISABLE TRIGGER append_only")
        connection.execute("DELETE FROM raw_spans WHERE ordinal = 3")
    with pytest.raises(RawTampered):
        read_raw(store, sealer, identity)


def test_the_row_tells_the_message_and_its_verdict(store: Store, sealer: Sealer) -> None:
    identity = receive(store, sealer)
    clock = FixedClock()

    def quarantine(work: Work) -> None:
        message = work.require(InboundMessage, identity)
        message.quarantine(["claim 1: out of balance", "claim 2: out of balance"], residual=Money(-1))

    transact(store, context(), quarantine)
    (row,) = store.rows(INBOUND_MESSAGES, {"state": "quarantined"})
    assert (row["finding_count"], row["first_finding"], row["residual_minor"]) == (2, "claim 1: out of balance", -1)
    assert (row["span_count"], row["size_bytes"], row["readings"], row["decided_at"]) == (4, len(RAW), 1, clock.now)


RECEIVED = happened(
    InboundMessage.Received,
    source_system="clearinghouse",
    delivery_key="d1",
    source_reference="ISA13 1",
    format="x12-835",
    entity="NORTH",
    size_bytes=31,
    content_address="ab" * 32,
    span_count=4,
    span_digest="cd" * 32,
)
QUARANTINED = happened(InboundMessage.Quarantined, findings=("BPR02",), finding_count=1)
ACCEPTED = happened(InboundMessage.Accepted)


def test_a_received_message_is_accepted_with_its_facts() -> None:
    facts = (Fact(name="claims", value="2"),)
    outcome = given(InboundMessage, [RECEIVED]).when(lambda message: message.accept(facts))
    outcome.then(happened(InboundMessage.Accepted, facts=facts))


def test_the_same_verdict_again_changes_nothing() -> None:
    given(InboundMessage, [RECEIVED, ACCEPTED]).when(lambda message: message.accept()).then()
    given(InboundMessage, [RECEIVED, QUARANTINED]).when(lambda message: message.quarantine(["x"])).then()


def test_another_verdict_is_refused() -> None:
    outcome = given(InboundMessage, [RECEIVED, ACCEPTED]).when(lambda message: message.refuse(["x"]))
    outcome.then_refused(AlreadyDecided, "is accepted, not refused")


@pytest.mark.parametrize(
    ("history", "verdict"), [([RECEIVED], MessageState.ACCEPTED), ([RECEIVED, ACCEPTED], MessageState.REFUSED)]
)
def test_what_is_not_decided_is_not_read_again_and_no_acceptance_is_taken_back(
    history: list[object], verdict: MessageState
) -> None:
    outcome = given(InboundMessage, history).when(lambda message: message.reprocess(verdict, "mended"))  # type: ignore[arg-type]
    outcome.then_refused(AlreadyDecided)


def test_an_accepted_message_is_read_again_and_stays_accepted() -> None:
    outcome = given(InboundMessage, [RECEIVED, ACCEPTED])
    outcome.when(lambda message: message.reprocess(MessageState.ACCEPTED, "mended")).then(
        happened(
            InboundMessage.Reprocessed, verdict=MessageState.ACCEPTED, reason="mended", findings=(), finding_count=0
        )
    )


def test_a_quarantined_message_read_again_has_its_new_verdict() -> None:
    before = given(InboundMessage, [RECEIVED, QUARANTINED])
    before.when(lambda message: message.reprocess(MessageState.ACCEPTED, "payer added")).then(
        happened(
            InboundMessage.Reprocessed,
            verdict=MessageState.ACCEPTED,
            reason="payer added",
            findings=(),
            finding_count=0,
        )
    )
    assert before.aggregate.state is MessageState.ACCEPTED


def test_findings_are_bounded_and_counted() -> None:
    many = [f"claim {number}" for number in range(FINDINGS_MAX + 20)]
    outcome = given(InboundMessage, [RECEIVED]).when(lambda message: message.refuse(many))
    outcome.then(happened(InboundMessage.Refused, findings=tuple(many[:FINDINGS_MAX]), finding_count=FINDINGS_MAX + 20))


@for_all(st.data())
def test_every_byte_is_covered_once_and_the_planned_ones_by_their_own_key(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 60))
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=10)))
    keys = [ANN, BOB, derive("patient", "cy")]
    plans = [
        SpanPlan(start, end - start, data.draw(st.sampled_from(keys)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    rest = derive("rest")
    by_byte = {at: plan.key_id for plan in plans for at in range(plan.start, plan.end)}
    whole = cover(data.draw(st.permutations(plans)), size, rest)
    assert [(at, span.key_id) for span in whole for at in range(span.start, span.end)] == [
        (at, by_byte.get(at, rest)) for at in range(size)
    ]
    assert all(one.key_id != two.key_id for one, two in pairwise(whole))


@pytest.mark.parametrize(
    "plans",
    [
        [SpanPlan(0, 5, ANN), SpanPlan(4, 2, BOB)],
        [SpanPlan(0, 11, ANN)],
        [SpanPlan(-1, 2, ANN)],
        [SpanPlan(3, -1, ANN)],
    ],
)
def test_plans_that_overlap_or_leave_the_message_are_a_fault(plans: list[SpanPlan]) -> None:
    with pytest.raises(SpansFault):
        cover(plans, 10, BOB)


def test_a_long_span_is_cut_into_several() -> None:
    whole = cover([], 2 * SPAN_BYTES_MAX + 1, BOB)
    assert [(span.start, span.length) for span in whole] == [
        (0, SPAN_BYTES_MAX),
        (SPAN_BYTES_MAX, SPAN_BYTES_MAX),
        (2 * SPAN_BYTES_MAX, 1),
    ]


def example_events() -> list[Event]:
    """One of each stored event of the chassis."""
    message = InboundMessage(derive("inbound-message", "golden"), ContextSource(context()))
    facts = {"facts": (Fact(name="ISA13", value="000000001"),)}
    found = {"findings": ("segment 12 CLP: paid 60.00, adjusted 30.00, charged 100.00",), "finding_count": 1}
    message.trigger_event(InboundMessage.Received, **RECEIVED.fields)
    message.trigger_event(InboundMessage.Accepted, **facts)
    message.trigger_event(InboundMessage.Quarantined, **found, **facts, residual=Money(1000))
    message.trigger_event(InboundMessage.Refused, **found, **facts)
    verdict = {"verdict": MessageState.ACCEPTED, "reason": "payer added", "residual": None}
    message.trigger_event(InboundMessage.Reprocessed, **found, **facts, **verdict)
    message.trigger_event(InboundMessage.RawExpired, keep_days=3653)
    case = ExceptionCase(derive("exception-case", "golden"), ContextSource(context()))
    case.trigger_event(
        ExceptionCase.Raised,
        code="UnknownPayer",
        summary="payer AETNA7 is not in the master data",
        subject="remittance-received",
        subject_id=derive("subject", "golden"),
        message_id=derive("message", "golden"),
        entity="NORTH",
        amount=Money(12345),
        due_on=date(2026, 6, 30),
    )
    case.trigger_event(ExceptionCase.Assigned, owner="kim")
    case.trigger_event(ExceptionCase.Ended, how=CaseState.DISMISSED, reason="sent to another tenant")
    restated = {"summary": "two remittances name AETNA7", "amount": Money(20000)}
    case.trigger_event(ExceptionCase.Restated, **restated, entity="SOUTH")
    case.trigger_event(ExceptionCase.DismissalProposed, reason="sent to another tenant")
    file = TakenFile(derive("taken-file", "golden"), ContextSource(context()))
    file.take("charges.csv", "9f86d081")
    return [*message.pending, *case.pending, *file.pending]


def test_stored_events_of_the_chassis_are_stored_as_ever() -> None:
    registry = EventRegistry((InboundMessage, ExceptionCase, TakenFile))
    examples = example_events()
    assert {event.TOPIC for event in examples} == registry.classes.keys()
    assert_golden(registry, Path(__file__).parent / "golden", examples)
