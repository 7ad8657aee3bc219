"""The accountant's desk: what would be booked is what is booked, and every line of an entry is explained to the cent."""

from __future__ import annotations

from datetime import date

import grpc
import pytest
from billing.ledger.v1 import ledger_desk_pb2 as pb
from canonical.codes import AccountRole, Dimension
from canonical.envelope import PublicEvent
from canonical.journal import JournalLine
from chassis.domain import Refusal
from chassis.eventstore import Work, transact
from chassis.rpc import BadArgument, NotThere
from chassis.testing import context
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp, OneErpForAll
from ledger_adapter.adapters.grpc_desk import CALLS, LedgerDesk, ledger_desk
from ledger_adapter.application import late_journals
from ledger_adapter.application.dry_run import DryRun, NotToBeSent, UnknownFact, UnreadableFact, rows_of
from ledger_adapter.application.ports import ErpLine, RefusalKind
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.reactions import reactions_by_upstream
from ledger_adapter.domain.journal_entry import JournalEntry
from ledger_adapter.domain.period_calendar import PeriodCalendar, calendar_id
from ledger_adapter.domain.posting_rules import MEMOS, RULES
from ledger_adapter.domain.rule_words import words_of
from ledger_adapter.domain.subledger import SubledgerPosting

from .examples import REMITTANCE, accepted, adjudicated, charged, deposit, patient_paid, payout
from .world import World

CALL: grpc.ServicerContext = None  # type: ignore[assignment]
ENTITIES = ("NORTH", "SOUTH")


def reactions(world: World) -> list[object]:
    return [each for some in reactions_by_upstream(world.master).values() for each in some]


def dry(world: World) -> DryRun:
    return DryRun(world.store, OneErpForAll(world.erp, ENTITIES), reactions(world))  # type: ignore[arg-type]


def desk(world: World) -> LedgerDesk:
    return LedgerDesk(world.core, OneErpForAll(world.erp, ENTITIES), reactions(world))  # type: ignore[arg-type]


def of_fact(world: World, event: PublicEvent) -> pb.DryRunResponse:
    fact = event.model_dump_json()
    return desk(world).DryRun(pb.DryRunRequest(service=event.SERVICE, type=event.TYPE, fact=fact), CALL)


def _content_of(line: JournalLine | ErpLine) -> tuple[object, ...]:
    dimensions = (line.payer_class, line.department, line.cost_center, line.location)
    return (line.account, line.party, line.amount, *dimensions)


FACTS = st.sampled_from([charged(), patient_paid("10.00", "5.00"), deposit(), payout(), charged(2, ("1.10", "2.20"))])


@settings(max_examples=40, deadline=None)
@given(st.lists(FACTS, max_size=4), FACTS)
def test_what_a_dry_run_shows_is_what_the_real_one_books(before: list[PublicEvent], event: PublicEvent) -> None:
    world = World(erp=FakeErp(kept_dimensions=frozenset(Dimension)))
    world.deliver(*before)
    position = world.store.last_position()
    preview = dry(world).of_fact(context(), event.SERVICE, event.TYPE, event.model_dump_json().encode())
    assert world.store.last_position() == position
    world.deliver(event)
    stored = [entry.event for entry in world.store.log(position, 1000)]
    drafted = [each for each in stored if isinstance(each, SubledgerPosting.Drafted)]
    assert [each.lines for each in preview.postings] == [each.lines for each in drafted]
    assert preview.stands == (not drafted)
    world.settle()
    sent = {document.number: document for document in world.erp.documents}
    for journal in preview.journals:
        assert journal.document is not None
        held = sent[journal.head.external_number]
        assert held.effective_date == journal.document.effective_date
        assert list(map(_content_of, held.lines)) == list(map(_content_of, journal.document.lines))


def test_a_fact_that_was_booked_stands_and_another_content_is_refused() -> None:
    world = World()
    world.deliver(patient_paid("10.00"))
    assert of_fact(world, patient_paid("10.00")).stands
    assert of_fact(world, patient_paid("11.00")).refusal.startswith("FactChanged: ")


def test_a_decision_whose_charges_are_not_here_would_wait_and_one_without_a_rule_would_be_a_case() -> None:
    world = World()
    assert "have not been posted" in of_fact(world, adjudicated()).waits_for
    world.deliver(charged())
    unmapped = adjudicated(adjustments=(("PR", "96", "40.00"),))
    assert of_fact(world, unmapped).refusal.startswith("UnmappedAdjustment: PR-96")


def test_what_joins_a_batch_or_a_remittance_is_shown_as_what_it_adds() -> None:
    told = of_fact(World(), charged())
    assert not told.journals
    assert {(line.account, line.party): line.amount.minor for line in told.joins} == {
        ("ar-payer", "ACME"): 10000,
        ("gross-revenue", ""): -10000,
        ("contractual-allowance", ""): 3000,
        ("ar-allowance", ""): -3000,
    }
    assert {line.rule for line in told.lines} == {"J01", "J03"}
    assert "charge billed to a payer" in {line.words for line in told.lines}


def test_a_closed_period_shows_where_the_entry_would_go() -> None:
    world = World(erp=FakeErp(told_months={(2026, 3), (2026, 4)}, closed_months={(2026, 3)}))
    world.settle()
    (journal,) = of_fact(world, deposit()).journals
    assert (journal.effective_date, journal.booked_on) == ("2026-03-17", "2026-04-01")


def test_the_erp_would_get_the_codes_of_its_chart_and_the_dimensions_that_it_keeps() -> None:
    world = World(erp=FakeErp(kept_dimensions=frozenset({Dimension.PAYER_CLASS})))
    (journal,) = of_fact(world, payout()).journals
    fees = next(each for each in journal.document if each.line.account == "processing-fees")
    assert fees.account_code == f"{list(AccountRole).index(AccountRole.PROCESSING_FEES) + 1000}"
    world.erp.is_down = True
    world.deliver(charged())
    world.settle()
    (entry,) = [row for row in world.rows(JOURNALS) if row["kind"] == "charges"]
    told = desk(world).DryRun(pb.DryRunRequest(journal=str(entry["external_number"])), CALL)
    revenue = [each.line for each in told.journals[0].document if each.line.account == "gross-revenue"]
    assert [(line.payer_class, line.department) for line in revenue] == [("commercial", "")]


def of_entry(world: World) -> pb.DraftedJournal:
    (entry,) = world.rows(JOURNALS)
    (told,) = desk(world).DryRun(pb.DryRunRequest(journal=str(entry["external_number"])), CALL).journals
    return told


@pytest.mark.parametrize("is_answered", [False, True])
def test_an_entry_that_may_have_been_sent_keeps_its_day_though_its_period_was_closed_since(is_answered: bool) -> None:
    world = World(erp=FakeErp(told_months={(2026, 3), (2026, 4)}))
    world.settle()
    world.erp.is_down = True
    world.deliver(deposit())
    world.settle()
    (row,) = world.rows(JOURNALS)

    def hand_over(work: Work) -> None:
        entry = work.require(JournalEntry, row["journal_id"])  # type: ignore[arg-type]
        entry.record_probe(erp="fake")
        if is_answered:
            entry.record_uncertain("a timeout")
        world.erp.closed_months.add((2026, 3))
        world.erp.is_down = False
        work.require(PeriodCalendar, calendar_id("NORTH")).tell("NORTH", "fake", world.erp.periods("NORTH"))

    transact(world.store, context(), hand_over)
    assert of_entry(world).booked_on == "2026-03-17"


@pytest.mark.parametrize(("faults", "state"), [((), "confirmed"), ((ErpFault.LOSES_ONE_CENT,), "differs")])
def test_an_entry_that_is_at_the_erp_would_not_be_sent(faults: tuple[ErpFault, ...], state: str) -> None:
    world = World(erp=FakeErp(faults=list(faults)))
    world.deliver(deposit())
    world.settle()
    with pytest.raises(NotToBeSent, match=state):
        of_entry(world)


def test_an_entry_that_the_erp_refused_would_not_be_sent() -> None:
    world = World()
    world.erp.is_down = True
    world.deliver(deposit())
    world.settle()
    world.erp.is_down = False
    world.erp.refused_numbers[of_entry(world).external_number] = RefusalKind.INVALID
    for _ in range(5):
        world.clock.advance(seconds=600)
        world.sweep()
    with pytest.raises(NotToBeSent, match="rejected"):
        of_entry(world)


def test_a_fact_that_cannot_be_read_is_refused_by_its_place_and_never_by_its_content() -> None:
    world = World()
    with pytest.raises(UnknownFact, match="payments/nothing"):
        dry(world).of_fact(context(), "payments", "nothing", b"{}")
    with pytest.raises(UnreadableFact) as refused:
        dry(world).of_fact(context(), "intake", "encounter-charged", b'{"encounter_id": "Jane Doe"}')
    assert "Jane" not in str(refused.value)
    with pytest.raises(BadArgument, match="one of them"):
        desk(world).DryRun(pb.DryRunRequest(), CALL)
    assert issubclass(UnknownFact, Refusal)


def test_every_line_of_an_entry_is_explained_to_the_cent() -> None:
    world = World()
    world.deliver(
        charged(1),
        charged(2, ("50.00",)),
        adjudicated(1),
        adjudicated(2, "50.00", "50.00", (), position=1),
        accepted(2, "110.00"),
    )
    world.settle()
    told_of = 0
    for row in world.rows(JOURNALS):
        told = desk(world).ExplainJournal(pb.ExplainJournalRequest(journal=str(row["journal_id"])), CALL)
        assert len(told.lines) == len(told.journal.lines)
        for each in told.lines:
            assert sum(cause.amount.minor for cause in each.causes) == each.line.amount.minor
            assert all(len(cause.rules) == len(cause.words) and cause.examples for cause in each.causes)
            told_of += 1
    assert told_of > 5


def test_an_explained_remittance_names_its_rules_its_claims_and_their_places() -> None:
    world = World()
    world.deliver(charged(), adjudicated(), accepted())
    world.settle()
    (row,) = [row for row in world.rows(JOURNALS) if row["group_id"] == REMITTANCE]
    told = desk(world).ExplainJournal(pb.ExplainJournalRequest(journal=str(row["external_number"])), CALL)
    cash = next(each for each in told.lines if each.line.account == "eft-clearing")
    (cause,) = cash.causes
    assert (list(cause.rules), list(cause.words), cause.count) == (["J04"], ["claim paid by the payer"], 1)
    assert (cause.examples[0].remittance_position, cause.examples[0].item_id) == (0, str(REMITTANCE))


def test_an_entry_that_nobody_knows_is_not_there() -> None:
    with pytest.raises(NotThere):
        desk(World()).ExplainJournal(pb.ExplainJournalRequest(journal="TL00000000000000000X"), CALL)


def test_every_rule_has_words_on_both_of_its_accounts() -> None:
    for fact, rule in RULES.items():
        for account in (rule.debit, rule.credit):
            assert fact.value in words_of(rule.code, account)
    assert all(code.startswith("J") for code in MEMOS.values())
    assert words_of("J99", AccountRole.CASH) == "rule J99, which is no longer in use"


def test_periods_tell_the_policy_and_how_many_entries_they_hold() -> None:
    world = World(erp=FakeErp(told_months={(2026, 3)}, closed_months={(2026, 3)}))
    world.settle()
    world.deliver(charged())
    world.settle()
    told = desk(world).ListPeriods(pb.ListPeriodsRequest(entity="NORTH"), CALL).periods
    assert [(each.name, each.state, each.late_entries, each.held) for each in told] == [
        ("2026-03", "soft-closed", "next-open", 1)
    ]


def test_a_period_that_the_erp_tells_no_more_is_not_listed() -> None:
    world = World(erp=FakeErp(told_months={(2026, 3), (2026, 4)}))
    world.settle()
    world.erp.told_months.discard((2026, 3))
    world.clock.advance(seconds=31)
    world.sweep()
    told = desk(world).ListPeriods(pb.ListPeriodsRequest(entity="NORTH"), CALL).periods
    assert [each.name for each in told] == ["2026-04"]


def test_the_prior_period_report_says_where_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(erp=FakeErp(told_months={(2026, 3), (2026, 4)}, closed_months={(2026, 3)}))
    world.settle()
    world.deliver(charged(), deposit())
    world.settle()
    request = pb.ListLateJournalsRequest(entity="NORTH")
    assert not desk(world).ListLateJournals(request, CALL).has_more
    monkeypatch.setattr(late_journals, "LATE_MAX", 1)
    cut = desk(world).ListLateJournals(request, CALL)
    assert (len(cut.journals), cut.has_more) == (1, True)


def test_the_prior_period_report_holds_what_was_booked_later_and_its_sums() -> None:
    world = World(erp=FakeErp(told_months={(2026, 3), (2026, 4)}, closed_months={(2026, 3)}))
    world.settle()
    world.deliver(charged(), deposit(), charged(2, day=date(2026, 4, 2)))
    world.settle()
    report = desk(world).ListLateJournals(pb.ListLateJournalsRequest(entity="NORTH"), CALL)
    assert {(each.journal.kind, each.booked_on) for each in report.journals} == {
        ("charges", "2026-04-01"),
        ("deposit", "2026-04-01"),
    }
    assert {line.account: line.amount.minor for line in report.totals if line.account in ("cash", "ar-payer")} == {
        "cash": 6000,
        "ar-payer": 10000,
    }
    none = pb.ListLateJournalsRequest(entity="NORTH", booked_from="2026-04-02")
    assert not desk(world).ListLateJournals(none, CALL).journals
    with pytest.raises(BadArgument, match="booked_until"):
        desk(world).ListLateJournals(pb.ListLateJournalsRequest(entity="NORTH", booked_until="April"), CALL)


def test_ours_and_the_erps_balances_are_compared_by_party_and_by_each_dimension_kept() -> None:
    world = World(erp=FakeErp(kept_dimensions=frozenset({Dimension.DEPARTMENT})))
    world.deliver(charged(1, ("60.00", "40.00"), departments=("N-FM", "N-ER")))
    world.settle()
    told = desk(world).CompareBalances(pb.CompareBalancesRequest(entity="NORTH"), CALL)
    assert all(row.ours.minor == row.theirs.minor for row in (*told.balances, *told.by_dimension))
    revenue = {row.value: row.theirs.minor for row in told.by_dimension if row.account == "gross-revenue"}
    assert revenue == {"N-FM": -6000, "N-ER": -4000}
    (entry,) = world.erp.documents
    world.erp.edit("NORTH", entry.number, AccountRole.GROSS_REVENUE, -100)
    again = desk(world).CompareBalances(pb.CompareBalancesRequest(entity="NORTH"), CALL)
    assert [row.account for row in again.balances if row.ours.minor != row.theirs.minor] == ["gross-revenue"]


def test_every_method_of_the_desk_has_a_scope_and_all_but_one_only_read() -> None:
    world = World()
    service = ledger_desk(world.core, OneErpForAll(world.erp, ENTITIES), ())
    assert set(service.scopes) == {
        method.name for method in pb.DESCRIPTOR.services_by_name["LedgerDeskService"].methods
    }
    writing = {name for name, scope in service.scopes.items() if scope == "ledger.write"}
    assert writing == {"PresentCreditBalances"}
    assert {service.scopes[name] for name in CALLS} == {"ledger.read"}


def test_the_lines_of_a_posting_are_summed_as_the_read_model_sums_them() -> None:
    world = World()
    world.deliver(charged(1, ("60.00", "40.00"), departments=("N-FM", "N-ER")))
    (drafted,) = [each.event for each in world.store.log(0, 10) if isinstance(each.event, SubledgerPosting.Drafted)]
    assert {(row["account"], row["department"]) for row in rows_of(drafted)} >= {
        ("gross-revenue", "N-FM"),
        ("gross-revenue", "N-ER"),
    }
