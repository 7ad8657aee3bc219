"""Errors planted in a consistent world: each is found by the right controls, to the cent, with its first divergence, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

import pytest
from canonical.codes import AccountRole
from canonical.events.ledger import JournalConfirmed, JournalIntended
from canonical.events.payments import RemittanceAccepted
from canonical.ids import derive
from canonical.journal import JournalLine
from canonical.money import Money
from reconciliation.domain.books import patient_party
from reconciliation.domain.findings import ControlResult, Verdict

from .world import Bench, Entry, World, account_of, consistent_world, replaced

REMITTANCE = derive("test-remittance", "NORTH", "ACME")
ENTRY = f"remittance-{REMITTANCE}"
NORTH_PATIENTS = patient_party("NORTH")


@dataclass(frozen=True)
class Expected:
    """Where a break must be found: `control/compared entity account party`, its residual, and what diverges first."""

    place: str
    cents: int
    what: str
    subject_id: UUID | None


def found_in(results: Iterable[ControlResult]) -> set[Expected]:
    found = set()
    for result in results:
        if result.verdict is Verdict.BROKEN:
            place, first = result.place, result.first_divergence
            assert first is not None, f"a break without a first divergence: {place}"
            name = f"{place.control}/{place.compared} {place.entity} {place.account} {place.party}".strip()
            found.add(Expected(name, result.unexplained.minor, first.what, first.subject_id))
    return found


def held_by_the_erp(entity: str, lines: Iterable[JournalLine], what: str, subject: UUID | None) -> set[Expected]:
    """The breaks that follow where the ERP lacks these lines (ours minus theirs): account by account, and by control."""
    expected = set()
    for line in lines:
        account, cents = line.account.value, line.amount.minor
        place = f"{entity} {account} {line.party}".strip()
        expected.add(Expected(f"trial-balance/confirmed-erp {place}", cents, what, subject))
        if account.startswith("ar-p"):
            expected.add(Expected(f"{account}/subledger-erp {place}", cents, what, subject))
        elif account.endswith("-clearing"):
            expected.add(Expected(f"{account}/erp-zero {place}", -cents, what, subject))
    return expected


def negated(lines: Iterable[JournalLine]) -> list[JournalLine]:
    return [line.model_copy(update={"amount": -line.amount}) for line in lines]


def entry_of(world: World) -> Entry:
    return world.entries[ENTRY]


def missing_at_the_erp(world: World) -> set[Expected]:
    entry = entry_of(world)
    del world.erp["NORTH"][entry.number]
    return held_by_the_erp("NORTH", entry.lines, "journal-entry", entry.journal_id)


def doubled_at_the_erp(world: World) -> set[Expected]:
    entry = entry_of(world)
    world.erp["NORTH"]["BOOKED-BY-HAND"] = entry.lines
    return held_by_the_erp("NORTH", negated(entry.lines), "erp-document", None)


def one_cent_at_the_erp(world: World) -> set[Expected]:
    entry = entry_of(world)
    first, second = entry.lines[0], entry.lines[1]
    changed = replaced(entry.lines, 0, amount=first.amount + Money(1))
    world.erp["NORTH"][entry.number] = replaced(changed, 1, amount=second.amount - Money(1))
    lacking = [
        first.model_copy(update={"amount": Money(-1)}),
        second.model_copy(update={"amount": Money(1)}),
    ]
    return held_by_the_erp("NORTH", lacking, "journal-entry", entry.journal_id)


def other_party_at_the_erp(world: World) -> set[Expected]:
    entry = entry_of(world)
    place, line = _line(entry, AccountRole.AR_PAYER)
    world.erp["NORTH"][entry.number] = replaced(entry.lines, place, party="UNITY")
    other = line.model_copy(update={"party": "UNITY", "amount": -line.amount})
    return held_by_the_erp("NORTH", [line, other], "journal-entry", entry.journal_id)


def other_account_at_the_erp(world: World) -> set[Expected]:
    entry = entry_of(world)
    place, line = _line(entry, AccountRole.CONTRACTUAL_ALLOWANCE)
    world.erp["NORTH"][entry.number] = replaced(entry.lines, place, account=AccountRole.PROCESSING_FEES)
    other = line.model_copy(update={"account": AccountRole.PROCESSING_FEES, "amount": -line.amount})
    return held_by_the_erp("NORTH", [line, other], "journal-entry", entry.journal_id)


def other_entity_at_the_erp(world: World) -> set[Expected]:
    entry = entry_of(world)
    world.erp["SOUTH"][entry.number] = world.erp["NORTH"].pop(entry.number)
    return held_by_the_erp("NORTH", entry.lines, "journal-entry", entry.journal_id) | held_by_the_erp(
        "SOUTH", negated(entry.lines), "journal-entry", entry.journal_id
    )


def never_in_a_journal_entry(world: World) -> set[Expected]:
    """Posted to the subledger, and its entry was never made."""
    entry = entry_of(world)
    del world.erp["NORTH"][entry.number]
    _forget(world, JournalIntended, entry.journal_id)
    _forget(world, JournalConfirmed, entry.journal_id)
    del world.entries[ENTRY]
    broken = held_by_the_erp("NORTH", entry.lines, "remittance", REMITTANCE)
    return {one for one in broken if not one.place.startswith("trial-balance")}


def claim_never_posted(world: World) -> set[Expected]:
    """An adjudicated claim that the ledger forgot, before anything was booked of it."""
    claim = next(claim for claim in world.claims if claim.remittance_id == REMITTANCE and claim.paid)
    _without(world, claim.encounter_id)
    return {
        Expected("ar-payer/billing-subledger NORTH ar-payer ACME", -10_000, "claim", claim.claim_id),
        Expected(
            f"ar-patient/billing-subledger NORTH ar-patient {NORTH_PATIENTS}",
            1_500,
            "patient-responsibility",
            derive("adjudication", claim.claim_id),
        ),
        Expected("eft-clearing/erp-zero NORTH eft-clearing", -6_000, "remittance", REMITTANCE),
    }


def claim_posted_twice(world: World) -> set[Expected]:
    """The subledger has a claim's contractual share twice, and so have its entry and the ERP."""
    claim = next(claim for claim in world.claims if claim.remittance_id == REMITTANCE and claim.paid)
    allowance = [
        line
        for place, line in enumerate(world.lines)
        if line.encounter_id == claim.encounter_id
        and (
            line.account is AccountRole.CONTRACTUAL_ALLOWANCE
            or world.lines[place - 1].account is AccountRole.CONTRACTUAL_ALLOWANCE
        )
    ]
    world.lines.extend(allowance)
    _rebook(world)
    return {Expected("ar-payer/billing-subledger NORTH ar-payer ACME", 2_500, "claim", claim.claim_id)}


def one_cent_in_billing(world: World) -> set[Expected]:
    claim = next(claim for claim in world.claims if claim.remittance_id == REMITTANCE and claim.paid)
    claim.contractual -= 1
    return {Expected("ar-payer/billing-subledger NORTH ar-payer ACME", 1, "claim", claim.claim_id)}


def claim_of_another_payer(world: World) -> set[Expected]:
    """A charge is posted to the account of another payer."""
    claim = world.claims[0]
    assert (claim.entity, claim.payer) == ("NORTH", "ACME")
    for line in world.lines:
        if line.group == "charges-NORTH" and line.encounter_id == claim.encounter_id and line.party:
            line.party = "UNITY"
    _rebook(world, "charges-NORTH")
    return {
        Expected("ar-payer/billing-subledger NORTH ar-payer ACME", 10_000, "claim", claim.claim_id),
        Expected("ar-payer/billing-subledger NORTH ar-payer UNITY", -10_000, "encounter", claim.encounter_id),
    }


def denial_not_kept_apart(world: World) -> set[Expected]:
    """A denied claim whose denied amount was left with the payer's open receivable."""
    claim = next(claim for claim in world.claims if claim.remittance_id == REMITTANCE and claim.denied)
    world.lines = [
        line for line in world.lines if not (line.encounter_id == claim.encounter_id and line.group == ENTRY)
    ]
    _rebook(world)
    return {
        Expected("ar-payer/billing-subledger NORTH ar-payer ACME", -10_000, "claim", claim.claim_id),
        Expected("ar-payer-denied/billing-subledger NORTH ar-payer-denied ACME", 10_000, "claim", claim.claim_id),
    }


def cash_of_a_patient_lost(world: World) -> set[Expected]:
    """A payment that the ledger never booked, though payments applied it."""
    claim = world.claims[0]
    payment_id = derive("test-payment", claim.claim_id)
    group = f"payment-{payment_id}"
    world.lines = [line for line in world.lines if line.group != group]
    entry = world.entries.pop(group)
    del world.erp["NORTH"][entry.number]
    _forget(world, JournalIntended, entry.journal_id)
    _forget(world, JournalConfirmed, entry.journal_id)
    return {
        Expected(
            f"ar-patient/billing-subledger NORTH ar-patient {NORTH_PATIENTS}",
            -1_500,
            "patient-account",
            account_of(claim),
        ),
        Expected("gateway-clearing/erp-zero NORTH gateway-clearing", -1_500, "payment", payment_id),
    }


def deposit_never_booked(world: World) -> set[Expected]:
    group = f"deposit-{REMITTANCE}"
    entry = world.entries.pop(group)
    world.lines = [line for line in world.lines if line.group != group]
    del world.erp["NORTH"][entry.number]
    _forget(world, JournalIntended, entry.journal_id)
    _forget(world, JournalConfirmed, entry.journal_id)
    return {Expected("eft-clearing/erp-zero NORTH eft-clearing", 12_000, "remittance", REMITTANCE)}


def remittance_never_accepted(world: World) -> set[Expected]:
    """Booked, though payments never said that it was accepted: the clearing account holds what nobody expects."""
    world.events = [
        event
        for event in world.events
        if not (isinstance(event, RemittanceAccepted) and event.summary.remittance_id == REMITTANCE)
    ]
    return {Expected("eft-clearing/erp-zero NORTH eft-clearing", 12_000, "remittance", REMITTANCE)}


def subledger_changed_by_hand(world: World) -> set[Expected]:
    """A row of the subledger's balances was changed beside its events."""
    line = next(line for line in world.lines if line.account is AccountRole.AR_PAYER and line.entity == "SOUTH")
    line.cents += 7
    claim = world.of(line.encounter_id or UUID(int=0))
    return {
        Expected(f"ar-payer/billing-subledger SOUTH ar-payer {line.party}", -7, "claim", claim.claim_id),
        Expected(f"ar-payer/subledger-erp SOUTH ar-payer {line.party}", 7, "subledger", None),
    }


def _line(entry: Entry, account: AccountRole) -> tuple[int, JournalLine]:
    return next((place, line) for place, line in enumerate(entry.lines) if line.account is account)


def _forget(world: World, kind: type[JournalIntended | JournalConfirmed], journal_id: UUID) -> None:
    world.events = [
        event for event in world.events if not (isinstance(event, kind) and event.head.journal_id == journal_id)
    ]


def _without(world: World, encounter_id: UUID) -> None:
    world.lines = [line for line in world.lines if not (line.encounter_id == encounter_id and line.group == ENTRY)]
    _rebook(world)


def _rebook(world: World, group: str = ENTRY) -> None:
    """The entry of a group is made of its lines as they are now, everywhere."""
    entry = world.entries.pop(group)
    _forget(world, JournalIntended, entry.journal_id)
    _forget(world, JournalConfirmed, entry.journal_id)
    world.book(group, entry.kind, entry.group_id, entry.entity)


PLANTED: tuple[Callable[[World], set[Expected]], ...] = (
    missing_at_the_erp,
    doubled_at_the_erp,
    one_cent_at_the_erp,
    other_party_at_the_erp,
    other_account_at_the_erp,
    other_entity_at_the_erp,
    never_in_a_journal_entry,
    claim_never_posted,
    claim_posted_twice,
    one_cent_in_billing,
    claim_of_another_payer,
    denial_not_kept_apart,
    cash_of_a_patient_lost,
    deposit_never_booked,
    remittance_never_accepted,
    subledger_changed_by_hand,
)


def test_a_consistent_world_has_nothing_unexplained() -> None:
    results = Bench(consistent_world()).prove()
    assert found_in(results) == set()
    assert all(not result.unexplained for result in results)
    assert {result.place.control for result in results} == {
        "ar-payer",
        "ar-payer-denied",
        "ar-patient",
        "eft-clearing",
        "gateway-clearing",
        "unidentified-receipts",
        "due-to-payer",
        "provider-level",
        "unapplied-payer",
        "trial-balance",
    }


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_error_is_found_where_it_is_and_nowhere_else(plant: Callable[[World], set[Expected]]) -> None:
    world = consistent_world()
    expected = plant(world)
    assert expected, "the error must show somewhere"
    assert found_in(Bench(world).prove()) == expected


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_every_planted_error_opens_one_break_for_each_place(plant: Callable[[World], set[Expected]]) -> None:
    world = consistent_world()
    expected = plant(world)
    bench = Bench(world)
    bench.prove()
    bench.prove()
    assert [(row["state"], row["occurrence"]) for row in bench.breaks()] == [("opened", 1)] * len(expected)
