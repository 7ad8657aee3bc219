"""The history of the edits: every run of every claim, from the events of today and from those of before."""

from __future__ import annotations

from datetime import date

from chassis.eventstore import Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.testing import context
from claims.application.reactions import content_of
from claims.application.use_cases import release_claim
from claims.application.work_queries import edit_runs_of
from claims.application.work_read_models import EDIT_RUNS
from claims.domain.claim import Claim
from claims.domain.rules.edit_history import EditHistory, Stage, edit_history_id_of
from claims.main import SHAPE

from .work_examples import FINDINGS, edit_run
from .world import EDITS, MASTER_DATA, ClaimsUnderTest, charged, claim_id, status


def runs(service: ClaimsUnderTest, number: int = 1) -> list[tuple[object, object, bool]]:
    """Number, stage, and whether the claim passed."""
    return [(run["number"], run["stage"], not run["findings"]) for run in edit_runs_of(service.store, claim_id(number))]


def test_a_claim_that_goes_straight_out_keeps_its_runs_in_the_events_that_they_led_to() -> None:
    service = ClaimsUnderTest().submitted(1)

    drafted, ready, submitted = service.store.story(claim_id())

    assert isinstance(drafted, Claim.Drafted)
    assert isinstance(ready, Claim.MadeReady)
    assert isinstance(submitted, Claim.Submitted)
    assert [run and run.number for run in (ready.edit_run, submitted.edit_run)] == [1, 2]
    assert service.store.story(edit_history_id_of(claim_id())) == []


def test_releases_that_change_nothing_are_runs_like_any_other() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1, has_member_id=False))

    for _ in range(2):
        transact(service.store, context(), lambda work: release_claim(work, claim_id(), EDITS, "try"))

    assert runs(service) == [(1, "draft", False), (2, "release", False), (3, "release", False)]


def test_a_claim_that_is_rejected_and_released_goes_on_counting_its_runs() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(status(accepted=False))

    transact(service.store, context(), lambda work: release_claim(work, claim_id(), EDITS, "mended"))
    service.sweep()

    assert runs(service) == [(1, "draft", True), (2, "submission", True), (3, "release", True), (4, "submission", True)]


def test_a_claim_that_is_edited_and_left_for_a_later_interchange_keeps_that_run_too() -> None:
    old = next(payer for payer in MASTER_DATA.payers if payer.code == "ACME")
    yesterday = date(2026, 3, 1)
    renamed = (
        old.model_copy(update={"valid_until": yesterday}),
        old.model_copy(update={"valid_from": date(2026, 3, 2), "name": "ACME NEW"}),
    )
    others = tuple(payer for payer in MASTER_DATA.payers if payer.code != "ACME")
    service = ClaimsUnderTest(MASTER_DATA.model_copy(update={"payers": (*renamed, *others)}))
    lines = tuple(line.model_copy(update={"service_date": yesterday}) for line in charged().charges)
    service.receive(charged(1), charged(2, service_from=yesterday, service_to=yesterday, charges=lines))

    service.sweep()

    left_behind = [(1, "draft", True), (2, "submission", True), (3, "submission", True)]
    assert sorted((runs(service, 1), runs(service, 2))) == [left_behind[:2], left_behind]
    assert {service.claim(number)["state"] for number in (1, 2)} == {"submitted"}


def test_a_history_of_before_shows_and_the_next_run_counts_on() -> None:
    service = ClaimsUnderTest(MASTER_DATA, _store_of_before())

    service.sweep()

    assert runs(service) == [(1, "draft", False), (2, "release", True), (3, "submission", True)]


def test_the_history_rebuilt_from_old_and_new_events_is_the_live_one() -> None:
    service = ClaimsUnderTest(MASTER_DATA, _store_of_before())
    service.sweep()
    live = service.store.read_model_hash(EDIT_RUNS)

    service.store.rebuild_read_models()

    assert service.store.read_model_hash(EDIT_RUNS) == live


def _store_of_before() -> MemoryEventStore:
    """One claim that was held and then released by a build which kept the runs of the edits beside the claim."""
    store = MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
    work = Work(store, context())
    claim = work.get_or_new(Claim, claim_id())
    history = work.get_or_new(EditHistory, edit_history_id_of(claim_id()))
    claim.draft(content_of(charged()))
    claim.trigger_event(Claim.Held, number=1, reasons=(FINDINGS[0].reason,))
    claim.trigger_event(Claim.MadeReady)
    for run in (edit_run(1, Stage.DRAFT, FINDINGS), edit_run(2, Stage.RELEASE)):
        history.trigger_event(EditHistory.Ran, claim_id=claim.id, **dict(run))
    work.commit()
    return store
