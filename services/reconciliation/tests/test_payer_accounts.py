"""What payers put off, take, pay on top or pay for claims nobody knows: billing and subledger agree, or say where not."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from canonical.codes import AccountRole
from canonical.ids import derive
from canonical.money import Money
from reconciliation.application.ports import RemittancePart
from reconciliation.domain.books import OpenCase, PayerOverpayment
from reconciliation.domain.findings import ControlResult, Verdict

from .world import DAY, PAYERS, Bench, ProviderMove, World, consistent_world

PUT_OFF, TAKEN, UNKNOWN = (derive("test-remittance", name) for name in ("put-off", "taken", "unknown"))
OVERPAYMENT = derive("test-overpayment", 1)
Role = AccountRole


def payers_world() -> World:
    """40.00 put off by one remittance, 15.00 of them taken by the next, which also kept 3.00 and paid 1.00 of interest; and
    25.00 that no claim holds."""
    world = consistent_world()
    moves = (
        (PUT_OFF, Role.DUE_TO_PAYER, -4_000),
        (TAKEN, Role.DUE_TO_PAYER, 1_500),
        (TAKEN, Role.LEVIES_WITHHELD, 300),
        (TAKEN, Role.INTEREST_INCOME, -100),
    )
    for remittance_id, account, cents in moves:
        world.provider_moves.append(ProviderMove("NORTH", remittance_id, cents, account is Role.DUE_TO_PAYER))
        world.post("plb", "NORTH", account, Role.EFT_CLEARING, cents, remittance_id, on=DAY)
    world.unapplied.append(RemittancePart(UNKNOWN, Money(2_500), DAY))
    world.post("unknown", "NORTH", Role.EFT_CLEARING, Role.UNAPPLIED_PAYER, 2_500, UNKNOWN, on=DAY)
    world.post("cash", "NORTH", Role.CASH, Role.EFT_CLEARING, 200, PUT_OFF, on=DAY)
    for group in ("plb", "unknown", "cash"):
        world.book(group, "remittance", derive("group", group), "NORTH")
    bring_to_zero(world)
    return world


def bring_to_zero(world: World) -> None:
    """Clears what the tests leave on EFT clearing, which is not what they are about."""
    left = sum(line.cents for line in world.lines if line.account is Role.EFT_CLEARING and line.group in GROUPS)
    world.post("rest", "NORTH", Role.CASH, Role.EFT_CLEARING, left, TAKEN, on=DAY)
    world.book("rest", "deposit", derive("group", "rest"), "NORTH")


GROUPS = ("plb", "unknown", "cash")


def of(results: tuple[ControlResult, ...], control: str) -> ControlResult:
    (found,) = [one for one in results if one.place.control == control and one.place.entity == "NORTH"]
    return found


@pytest.mark.parametrize(
    ("control", "cents"), [("due-to-payer", -2_500), ("provider-level", 200), ("unapplied-payer", -2_500)]
)
def test_both_sides_agree(control: str, cents: int) -> None:
    found = of(Bench(payers_world()).prove(), control)
    assert (found.verdict, found.ours, found.theirs) == (Verdict.AGREES, Money(cents), Money(cents))


def test_a_clean_story_opens_no_break() -> None:
    bench = Bench(payers_world())
    assert [str(one.place) for one in bench.prove() if one.verdict is Verdict.BROKEN] == []
    assert bench.breaks() == []


def cent_at_payments(world: World) -> UUID:
    world.provider_moves[0].cents -= 1
    return PUT_OFF


def levy_on_another_account(world: World) -> UUID:
    for line in world.lines:
        if line.account is Role.LEVIES_WITHHELD:
            line.account = Role.CASH
    return TAKEN


def matched_and_not_booked(world: World) -> UUID:
    world.unapplied.clear()
    return UNKNOWN


@pytest.mark.parametrize(
    ("spoil", "control", "cents"),
    [
        (cent_at_payments, "due-to-payer", -1),
        (levy_on_another_account, "provider-level", 300),
        (matched_and_not_booked, "unapplied-payer", 2_500),
    ],
)
def test_a_difference_is_led_back_to_its_remittance(spoil: Callable[[World], UUID], control: str, cents: int) -> None:
    world = payers_world()
    remittance_id = spoil(world)
    found = of(Bench(world).prove(), control)
    assert (found.verdict, found.unexplained) == (Verdict.BROKEN, Money(cents))
    assert found.first_divergence is not None
    assert (found.first_divergence.what, found.first_divergence.subject_id) == ("remittance", remittance_id)


def test_a_remittance_that_waits_for_a_rule_at_the_ledger_explains_what_is_not_posted() -> None:
    world = payers_world()
    world.provider_moves.append(ProviderMove("NORTH", derive("test-remittance", "odd"), 700, of_items=False))
    world.cases.append(OpenCase("ledger", "UnmappedProviderAdjustment", derive("test-remittance", "odd")))
    found = of(Bench(world).prove(), "provider-level")
    assert found.verdict is Verdict.EXPLAINED
    assert [(item.reason, item.amount.minor) for item in found.items] == [
        ("in exception: UnmappedProviderAdjustment", 700)
    ]


def test_what_is_owed_back_to_a_payer_is_no_receivable_and_what_it_recouped_is_not_due_to_it() -> None:
    world = consistent_world()
    payer, owed = PAYERS[0], Role.REFUNDS_PAYABLE_PAYER
    world.post("over", "NORTH", Role.AR_PAYER, owed, 8_000, OVERPAYMENT, payer=payer)
    world.post("over", "NORTH", owed, Role.DUE_TO_PAYER, 3_000, OVERPAYMENT)
    world.book("over", "payer-overpayment", OVERPAYMENT, "NORTH")
    assert differing(world) != []
    world.overpayments.append(PayerOverpayment("NORTH", payer, Money(8_000), Money(3_000)))
    assert differing(world) == []


def differing(world: World) -> list[str]:
    return [str(one.place) for one in Bench(world).prove() if one.verdict is Verdict.BROKEN]
