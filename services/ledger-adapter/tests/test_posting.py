"""Intent, probe, post, confirm: each entry reaches the ERP once, whatever breaks in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest
from canonical.ids import derive, external_number
from chassis.domain import Refusal, Unavailable
from chassis.eventstore.work import CrashPoint
from chassis.testing import context
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp, OneErpForAll
from ledger_adapter.application.exchanging import TAKEN_MAX
from ledger_adapter.application.ports import Erp, ErpJournal, Pending, Posted, RefusalKind, Refused
from ledger_adapter.application.posting import JournalPosting
from ledger_adapter.application.publishing import publish
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.use_cases import ReasonMissing, resume_journal
from ledger_adapter.main import assemble

from .examples import charged, deposit, patient_paid
from .world import World


@pytest.fixture
def world() -> World:
    return World()


def pay(world: World, count: int = 1) -> None:
    """Intends one entry per patient payment."""
    world.deliver(*(patient_paid("10.00", number=number) for number in range(count)))


def only_journal(world: World) -> UUID:
    (row,) = world.rows(JOURNALS)
    assert isinstance(row["journal_id"], UUID)
    return row["journal_id"]


def history(world: World) -> list[str]:
    """The events of journal entries, in order."""
    logged = [entry.event for entry in world.store.log(0, 10_000)]
    return [event.TOPIC.rsplit(".", 1)[1] for event in logged if ".journal-entry." in event.TOPIC]


def test_an_entry_is_intended_probed_posted_and_confirmed(world: World) -> None:
    pay(world)
    world.sweep()
    assert history(world) == ["intended", "probed", "posted", "confirmed"]
    assert [row["erp_document"] for row in world.rows(JOURNALS)] == ["FAKE-1"]


def test_a_timeout_after_the_work_is_found_by_asking_and_not_sent_again(world: World) -> None:
    world.erp.faults = [ErpFault.TIMEOUT_AFTER_WORK]
    pay(world)
    world.sweep()
    assert history(world) == ["intended", "probed", "became-uncertain", "posted", "confirmed"]
    assert len(world.erp.documents) == 1


def test_a_timeout_before_the_work_is_sent_again_after_asking(world: World) -> None:
    world.erp.faults = [ErpFault.TIMEOUT_BEFORE_WORK]
    pay(world)
    world.sweep()
    assert history(world) == ["intended", "probed", "became-uncertain", "probed", "posted", "confirmed"]
    assert len(world.erp.documents) == 1


def test_half_a_batch_is_completed_and_nothing_twice(world: World) -> None:
    world.erp.faults = [ErpFault.HALF_THE_BATCH]
    pay(world, 6)
    world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"] * 6}
    assert len(world.erp.documents) == 6


def test_an_outage_pauses_longer_and_longer_and_loses_nothing(world: World) -> None:
    world.erp.is_down = True
    pay(world, 3)
    asked = []
    for _ in range(40):
        before = world.erp.calls
        world.sweep()
        asked.append(world.erp.calls - before)
        world.clock.advance(seconds=1)
    assert world.journals() == {"patient-payment": ["intended"] * 3}
    assert 4 <= sum(asked) <= 8
    world.erp.is_down = False
    world.clock.advance(seconds=30)
    world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"] * 3}
    assert world.cases() == []


def test_an_erp_that_fails_slowly_is_paused_from_when_it_failed(world: World) -> None:
    erp, asked = world.erp, []

    def slow(entity: str, numbers: object) -> object:
        asked.append(world.clock())
        world.clock.advance(seconds=60)
        raise Unavailable("no answer within 60 s")

    erp.find = slow  # type: ignore[method-assign, assignment]
    pay(world)
    posting = JournalPosting(world.store, world.clock, OneErpForAll(erp, ("NORTH",)), erp.name)
    for _ in range(3):
        posting.run()
    assert len(asked) == 1


def test_a_refused_entry_is_a_case_and_not_tried_again(world: World) -> None:
    pay(world)
    (row,) = world.rows(JOURNALS)
    world.erp.refused_numbers[str(row["external_number"])] = RefusalKind.INVALID
    world.sweep()
    calls = world.erp.calls
    world.sweep()
    assert world.erp.calls == calls
    assert world.journals() == {"patient-payment": ["rejected"]}
    assert world.cases() == ["ErpRejected"]


def test_an_error_that_nobody_classified_is_not_tried_again(world: World) -> None:
    pay(world)
    (row,) = world.rows(JOURNALS)
    world.erp.refused_numbers[str(row["external_number"])] = RefusalKind.UNCLASSIFIED
    world.sweep()
    assert world.journals() == {"patient-payment": ["rejected"]}
    assert world.cases() == ["UnclassifiedErpError"]


def test_one_refused_entry_does_not_hold_up_its_batch(world: World) -> None:
    pay(world, 5)
    world.erp.refused_numbers[str(world.rows(JOURNALS)[2]["external_number"])] = RefusalKind.INVALID
    world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"] * 4 + ["rejected"]}


def test_an_entry_of_a_closed_period_is_held_until_a_person_resumes_it(world: World) -> None:
    world.erp.closed_months = {(2026, 3)}
    pay(world)
    world.sweep()
    assert world.journals() == {"patient-payment": ["held-for-period"]}
    assert world.cases() == ["PeriodClosed"]
    world.erp.closed_months = set()
    resume_journal(world.store, context(), only_journal(world), "March was opened again")
    world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"]}
    assert world.cases() == []


def test_resuming_needs_a_reason_and_a_stopped_entry(world: World) -> None:
    pay(world)
    with pytest.raises(ReasonMissing):
        resume_journal(world.store, context(), only_journal(world), "ok")
    with pytest.raises(Refusal, match="only one that was refused"):
        resume_journal(world.store, context(), only_journal(world), "just because")


def test_an_erp_that_holds_another_amount_is_a_case(world: World) -> None:
    world.erp.faults = [ErpFault.LOSES_ONE_CENT]
    pay(world)
    world.sweep()
    assert world.journals() == {"patient-payment": ["differs"]}
    assert world.cases() == ["ErpDiffers"]
    reason = str(world.rows(JOURNALS)[0]["reason"])
    assert "ours 1000 minor units, at the ERP 999" in reason


def test_a_number_that_is_taken_and_cannot_be_found_is_a_case(world: World) -> None:
    pay(world)
    (row,) = world.rows(JOURNALS)
    world.erp.refused_numbers[str(row["external_number"])] = RefusalKind.NUMBER_TAKEN
    world.sweep()
    told = history(world)
    assert told[:3] == ["intended", "probed", "became-uncertain"]
    assert told[-2:] == ["probed", "rejected"]
    assert told.count("became-uncertain") == TAKEN_MAX
    assert world.cases() == ["NumberTaken"]


def test_what_a_slow_erp_booked_after_our_patience_ended_is_found_and_not_rejected(world: World) -> None:
    world.erp.faults = [ErpFault.SEEN_LATE]
    pay(world, 3)
    world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"] * 3}
    assert len(world.erp.documents) == 3
    assert world.cases() == []


def test_an_entity_without_an_erp_is_a_case_and_its_entries_wait(world: World) -> None:
    world.deliver(charged(1, entity="WEST"))
    world.settle()
    assert world.cases() == ["UnknownEntity"]
    assert world.journals() == {"charges": ["intended"]}


class Died(BaseException):
    """The process is gone."""


def dies_at(fatal: str) -> CrashPoint:
    def crash(step: str) -> None:
        if step == fatal:
            raise Died(step)

    return crash


@pytest.mark.parametrize(("step", "booked_before"), [("before-erp", 0), ("after-erp", 1)])
def test_a_process_that_dies_around_the_erp_call_books_once(world: World, step: str, booked_before: int) -> None:
    pay(world)
    erps = OneErpForAll(world.erp, ("NORTH",))
    with pytest.raises(Died):
        JournalPosting(world.store, world.clock, erps, world.erp.name, crash_point=dies_at(step)).run()
    assert len(world.erp.documents) == booked_before
    assert world.journals() == {"patient-payment": ["probed"]}
    world.core = world.started()
    world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"]}
    assert len(world.erp.documents) == 1


def test_two_replicas_that_post_at_once_book_once(world: World) -> None:
    pay(world, 3)
    second = JournalPosting(world.store, world.clock, OneErpForAll(world.erp, ("NORTH",)), world.erp.name)
    posted = world.erp.post
    interfered: list[int] = []

    def post_while_the_other_sweeps(entity: str, documents: object) -> object:
        if not interfered:
            interfered.append(1)
            second.run()
        return posted(entity, documents)  # type: ignore[arg-type]

    world.erp.post = post_while_the_other_sweeps  # type: ignore[method-assign, assignment]
    world.sweep()
    assert interfered == [1]
    assert world.journals() == {"patient-payment": ["confirmed"] * 3}
    assert len(world.erp.documents) == 3


def test_what_is_announced_follows_the_entry(world: World) -> None:
    pay(world)
    world.sweep()
    announced = [public.TYPE for entry in world.store.log(0, 100) for public in publish(entry.event)]
    assert announced == ["journal-intended", "journal-confirmed"]


FAULTS = st.lists(
    st.sampled_from([None, *(fault for fault in ErpFault if fault is not ErpFault.LOSES_ONE_CENT)]), max_size=10
)


@settings(max_examples=60, deadline=None)
@given(
    faults=FAULTS,
    outages=st.lists(st.booleans(), max_size=6),
    deaths=st.lists(st.sampled_from(["before-erp", "after-erp", "after-commit"]), max_size=3),
)
def test_whatever_breaks_every_entry_is_booked_exactly_once(
    faults: list[ErpFault | None], outages: list[bool], deaths: list[str]
) -> None:
    world = World(erp=FakeErp(faults=list(faults)))  # type: ignore[arg-type]
    pay(world, 4)
    for crash_point in map(dies_at, deaths):
        posting = JournalPosting(
            world.store, world.clock, OneErpForAll(world.erp, ("NORTH",)), "fake", crash_point=crash_point
        )
        world.erp.is_down = outages.pop() if outages else False
        try:
            posting.run()
        except Died:
            world.core = world.started()
    world.erp.is_down = False
    for _ in range(10):
        world.clock.advance(seconds=40)
        world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"] * 4}
    assert len({document.number for document in world.erp.documents}) == len(world.erp.documents) == 4
    assert world.balances("confirmed_minor") == world.at_the_erp()


class Recording(FakeErp):
    """Remembers in which order documents came, batch by batch."""

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        self.batches.append([document.number for document in documents])
        return super().post(entity, documents)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.batches: list[list[str]] = []


def kinds_of(world: World, erp: Recording) -> list[set[str]]:
    kinds = {str(row["external_number"]): str(row["kind"]) for row in world.rows(JOURNALS)}
    return [{kinds[number] for number in batch} for batch in erp.batches]


def test_patients_money_goes_before_what_was_intended_earlier_and_never_in_one_batch_with_it() -> None:
    erp = Recording()
    world = World(erp=erp)
    world.deliver(deposit(), charged())
    pay(world, 3)
    world.settle()
    assert kinds_of(world, erp)[0] == {"patient-payment"}
    assert all(len(kinds) == 1 for kinds in kinds_of(world, erp))
    assert world.journals() == {
        "charges": ["confirmed"],
        "deposit": ["confirmed"],
        "patient-payment": ["confirmed"] * 3,
    }


def test_a_lane_that_is_stuck_keeps_no_other_waiting() -> None:
    world = World()
    pay(world)
    stuck = external_number(only_journal(world))
    world.erp.refused_numbers = {stuck: RefusalKind.NUMBER_TAKEN}
    world.deliver(deposit())
    world.sweep()
    assert world.journals() == {"deposit": ["confirmed"], "patient-payment": ["rejected"]}


def test_patients_money_without_end_starves_no_other_lane() -> None:
    erp = Recording()
    world = World(erp=erp)
    world.deliver(deposit())
    posting = JournalPosting(world.store, world.clock, OneErpForAll(erp, ("NORTH",)), erp.name)
    for number in range(20):
        world.deliver(patient_paid("10.00", number=number))
        posting.run()
    assert world.journals()["deposit"] == ["confirmed"]


def test_an_erp_that_is_down_keeps_no_other_erp_waiting() -> None:
    world = World(erp=FakeErp(is_down=True))
    other = FakeErp(name="other")
    world.deliver(deposit(), deposit(remittance_id=derive("test-remittance", 2), entity="SOUTH"))

    class Two(OneErpForAll):
        def of(self, entity: str) -> Erp:
            return other if entity == "SOUTH" else world.erp

        def name_of(self, entity: str) -> str:
            return self.of(entity).name

        def names(self) -> Sequence[str]:
            return ("fake", "other")

    core = assemble(world.store, world.clock, world.master, Two(world.erp, ("NORTH", "SOUTH")))
    for sweep in core.sweeps:
        if sweep.name == "post-journals-other":
            while sweep.run():
                pass
    assert [document.effective_date for document in other.documents]
    assert world.journals() == {"deposit": ["confirmed", "intended"]}
