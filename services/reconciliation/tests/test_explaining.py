"""What is on its way or in an exception explains a difference to the cent; what moves is no break yet."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from canonical.codes import AccountRole
from canonical.events.ledger import JournalConfirmed
from canonical.events.payments import DepositMatched, DepositUnidentified, PatientRefundMoved
from canonical.ids import derive
from canonical.money import Money
from reconciliation.domain.books import GATEWAY_CLEARING, ClearingEntry, OpenCase, OpenGroup
from reconciliation.domain.controls import NO_DEPOSIT, NO_REMITTANCE, NOT_PAID_OUT, NOT_SETTLED
from reconciliation.domain.findings import ControlResult, Verdict

from .test_planted_errors import ENTRY, REMITTANCE, missing_at_the_erp, one_cent_in_billing
from .world import DAY, Bench, Role, World, consistent_world, replaced, summed


def items_of(results: tuple[ControlResult, ...], control: str, compared: str, entity: str) -> list[tuple[str, int]]:
    return [
        (item.reason, item.amount.minor)
        for result in results
        for item in result.items
        if (result.place.control, result.place.compared, result.place.entity) == (control, compared, entity)
    ]


def broken(results: tuple[ControlResult, ...]) -> list[str]:
    return [str(result.place) for result in results if result.verdict is Verdict.BROKEN]


def unconfirmed(world: World, group: str, state: str) -> None:
    entry = world.entries[group]
    entry.state = state
    world.events = [
        event
        for event in world.events
        if not (isinstance(event, JournalConfirmed) and event.head.journal_id == entry.journal_id)
    ]


def without_claim(world: World) -> UUID:
    """One claim of a deposited remittance could not be posted, so the remittance waits in no journal entry."""
    claim = next(claim for claim in world.claims if claim.remittance_id == REMITTANCE and claim.paid)
    world.lines = [
        line for line in world.lines if not (line.group == ENTRY and line.encounter_id == claim.encounter_id)
    ]
    entry = world.entries.pop(ENTRY)
    del world.erp["NORTH"][entry.number]
    world.events = [
        event for event in world.events if getattr(getattr(event, "head", None), "journal_id", None) != entry.journal_id
    ]
    lines = summed(line for line in world.lines if line.group == ENTRY)
    reason = "remittance not complete: 1 posting missing"
    world.open_groups.append(OpenGroup("NORTH", REMITTANCE, "remittance", reason, lines))
    return claim.claim_id


def test_open_items_explain_the_clearing_accounts_one_by_one() -> None:
    results = Bench(consistent_world()).prove()
    assert items_of(results, "eft-clearing", "erp-zero", "SOUTH") == [(NO_DEPOSIT, 12_000)]
    assert items_of(results, "eft-clearing", "erp-zero", "NORTH") == []
    assert items_of(results, "gateway-clearing", "erp-zero", "NORTH") == [(NOT_PAID_OUT, 1_500)]


def refunded(world: World, refund_id: UUID) -> None:
    """A refund of 5.00 left the gateway's balance, and no payout has settled it yet."""
    world.post("refund", "NORTH", Role.UNAPPLIED_PATIENT, Role.GATEWAY_CLEARING, 500, refund_id)
    world.book("refund", "refund", refund_id, "NORTH")
    told = {"refund_id": refund_id, "payment_id": refund_id, "patient_id": None, "step": "paid", "entity": "NORTH"}
    world.events.append(PatientRefundMoved.model_validate({**told, "amount": Money(500), "effective_date": DAY}))
    world.not_paid_out.append(ClearingEntry("NORTH", GATEWAY_CLEARING, refund_id, "refund", Money(-500), DAY))


def test_what_went_back_and_is_in_no_payout_yet_explains_the_gateways_account() -> None:
    world = consistent_world()
    refunded(world, derive("test-refund", 1))
    results = Bench(world).prove()
    found = items_of(results, "gateway-clearing", "erp-zero", "NORTH")
    assert found == [(NOT_PAID_OUT, 1_500), (f"refund {NOT_SETTLED}", -500)]
    assert broken(results) == []


def unidentified(world: World, deposit_id: UUID, *, matched: bool = False) -> None:
    """A deposit that nobody could name, and its remittance where that came since."""
    world.post("nobodys", "NORTH", Role.CASH, Role.UNIDENTIFIED_RECEIPTS, 7_700, deposit_id)
    fact = {"deposit_id": deposit_id, "entity": "NORTH", "amount": Money(7_700), "effective_date": DAY}
    world.events.append(DepositUnidentified.model_validate(fact))
    if matched:
        remittance = {"remittance_id": derive("test-remittance", "late"), "was_unidentified": True}
        world.post("nobodys", "NORTH", Role.UNIDENTIFIED_RECEIPTS, Role.CASH, 7_700, deposit_id)
        world.events.append(DepositMatched.model_validate(fact | remittance))
    world.book("nobodys", "unidentified-deposit", deposit_id, "NORTH")


def test_deposits_that_nobody_can_name_explain_their_account_one_by_one() -> None:
    world, deposit_id = consistent_world(), derive("test-deposit", "nobodys")
    unidentified(world, deposit_id)
    results = Bench(world).prove()
    assert items_of(results, "unidentified-receipts", "erp-zero", "NORTH") == [(NO_REMITTANCE, -7_700)]
    assert broken(results) == []


def test_a_deposit_that_was_named_since_is_no_open_item_of_nobodys_account() -> None:
    world, deposit_id = consistent_world(), derive("test-deposit", "nobodys")
    unidentified(world, deposit_id, matched=True)
    bench = Bench(world)
    assert items_of(bench.prove(), "unidentified-receipts", "erp-zero", "NORTH") == []


def test_an_open_exception_explains_the_claim_that_was_not_posted() -> None:
    world = consistent_world()
    world.cases.append(OpenCase("ledger", "UnmappedAdjustment", without_claim(world)))
    results = Bench(world).prove()
    assert broken(results) == []
    assert items_of(results, "ar-payer", "billing-subledger", "NORTH") == [
        ("in exception: UnmappedAdjustment", -10_000)
    ]
    assert items_of(results, "ar-patient", "billing-subledger", "NORTH") == [
        ("in exception: UnmappedAdjustment", 1_500)
    ]
    reason = "remittance not complete: 1 posting missing"
    assert items_of(results, "eft-clearing", "erp-zero", "NORTH") == [(f"remittance not booked yet: {reason}", -12_000)]


def test_the_same_claim_without_its_exception_is_a_break() -> None:
    world = consistent_world()
    without_claim(world)
    places = broken(Bench(world).prove())
    assert len(places) == 2
    assert all("billing-subledger" in place for place in places)


def test_an_entry_that_is_not_at_the_erp_yet_explains_what_the_erp_lacks() -> None:
    world = consistent_world()
    unconfirmed(world, ENTRY, "held-for-period")
    del world.erp["NORTH"][world.entries[ENTRY].number]
    results = Bench(world).prove()
    assert broken(results) == []
    assert ("journal entry not confirmed yet: held-for-period", -12_000) in items_of(
        results, "eft-clearing", "erp-zero", "NORTH"
    )


def test_an_entry_at_the_erp_that_nobody_confirmed_explains_what_we_lack() -> None:
    world = consistent_world()
    unconfirmed(world, ENTRY, "posted")
    results = Bench(world).prove()
    assert broken(results) == []
    assert ("at the ERP, and not confirmed: posted", -12_000) in items_of(
        results, "trial-balance", "confirmed-erp", "NORTH"
    )


def test_an_entry_that_the_erp_holds_otherwise_is_explained_while_it_is_not_confirmed() -> None:
    world = consistent_world()
    unconfirmed(world, ENTRY, "differs")
    entry = world.entries[ENTRY]
    changed = replaced(entry.lines, 0, amount=entry.lines[0].amount + Money(1))
    world.erp["NORTH"][entry.number] = replaced(changed, 1, amount=entry.lines[1].amount - Money(1))
    assert broken(Bench(world).prove()) == []


def test_what_is_posted_and_waits_for_its_batch_is_explained() -> None:
    world = consistent_world()
    claim = world.claims[0]
    claim.charge += 500
    facts = {"payer": claim.payer, "encounter_id": claim.encounter_id, "patient_id": claim.patient_id}
    world.post("later", "NORTH", AccountRole.AR_PAYER, AccountRole.GROSS_REVENUE, 500, claim.encounter_id, **facts)
    lines = summed(line for line in world.lines if line.group == "later")
    world.open_groups.append(OpenGroup("NORTH", derive("batch"), "charges", "batch not closed", lines))
    results = Bench(world).prove()
    assert broken(results) == []
    assert ("batch not closed", 500) in items_of(results, "ar-payer", "subledger-erp", "NORTH")


def test_a_difference_in_books_that_move_is_in_motion_and_no_break() -> None:
    world = consistent_world()
    one_cent_in_billing(world)
    world.is_busy = True
    bench = Bench(world)
    results = bench.prove()
    assert [result.verdict for result in results if result.unexplained] == [Verdict.IN_MOTION]
    assert bench.breaks() == []
    assert bench.pauses == 7


def test_a_difference_that_stays_the_same_over_two_proofs_is_not_in_motion() -> None:
    world = consistent_world()
    one_cent_in_billing(world)
    world.is_busy = True
    bench = Bench(world)
    bench.prove()
    assert len(broken(bench.prove())) == 1


def test_a_difference_that_changes_from_proof_to_proof_stays_in_motion() -> None:
    world = consistent_world()
    one_cent_in_billing(world)
    world.is_busy = True
    bench = Bench(world)
    bench.prove()
    one_cent_in_billing(world)
    assert broken(bench.prove()) == []


def test_agreeing_books_are_read_once() -> None:
    bench = Bench(consistent_world())
    bench.prove()
    assert bench.pauses == 0


def test_books_that_stand_still_are_read_twice_before_a_break_is_told() -> None:
    world = consistent_world()
    missing_at_the_erp(world)
    bench = Bench(world)
    bench.prove()
    assert bench.pauses == 1


@pytest.mark.parametrize(
    ("pause_seconds", "verdict", "pauses"),
    [(1, Verdict.BROKEN, 5), (5, Verdict.BROKEN, 1), (0.5, Verdict.IN_MOTION, 7)],
)
def test_books_must_stand_still_for_as_long_as_patience_says(
    pause_seconds: float, verdict: Verdict, pauses: int
) -> None:
    world = consistent_world()
    one_cent_in_billing(world)
    bench = Bench(world, patience=timedelta(seconds=5), pause_seconds=pause_seconds)
    assert [result.verdict for result in bench.prove() if result.unexplained] == [verdict]
    assert bench.pauses == pauses


def test_a_difference_is_dated_from_when_it_was_first_seen() -> None:
    world = consistent_world()
    one_cent_in_billing(world)
    bench = Bench(world, patience=timedelta(seconds=150))
    seen = []
    for _ in range(4):
        seen += [(result.verdict, result.since) for result in bench.prove() if result.unexplained]
    first = seen[0][1]
    assert [since for _, since in seen] == [first] * 4
    assert [verdict for verdict, _ in seen] == [Verdict.IN_MOTION] * 3 + [Verdict.BROKEN]


def test_a_remittance_of_which_nothing_could_be_posted_is_explained() -> None:
    """Its only claims are in exceptions, and its deposit is booked."""
    world = consistent_world()
    waiting = [claim for claim in world.claims if claim.remittance_id == REMITTANCE]
    world.lines = [line for line in world.lines if line.group != ENTRY]
    entry = world.entries.pop(ENTRY)
    del world.erp["NORTH"][entry.number]
    world.events = [
        event for event in world.events if getattr(getattr(event, "head", None), "journal_id", None) != entry.journal_id
    ]
    world.cases += [OpenCase("ledger", "UnmappedAdjustment", claim.claim_id) for claim in waiting]
    world.open_groups.append(
        OpenGroup("NORTH", REMITTANCE, "remittance", "remittance not complete: 3 postings missing", ())
    )
    assert broken(Bench(world).prove()) == []


def test_a_deposit_of_another_entity_leaves_both_sides_open() -> None:
    """The announced deposit names SOUTH, the remittance NORTH: neither clears the other."""
    world = consistent_world()
    world.events = [
        event.model_copy(update={"entity": "SOUTH"})
        if isinstance(event, DepositMatched) and event.remittance_id == REMITTANCE
        else event
        for event in world.events
    ]
    places = broken(Bench(world).prove())
    assert sorted("NORTH" in place for place in places) == [False, True]


@pytest.mark.parametrize("service", ["claims", "payments", "ledger", "reconciliation"])
def test_no_time_makes_a_break_of_a_difference_while_a_service_is_behind(service: str) -> None:
    world = consistent_world()
    one_cent_in_billing(world)
    world.behind.add(service)
    bench = Bench(world, pause_seconds=1)
    for _ in range(3):
        assert broken(bench.prove()) == []
    assert bench.breaks() == []
    world.behind.clear()
    assert broken(bench.prove()) != []
