"""J01 to J27, each once: the fact, and the lines that it books, as an accountant writes them."""

from __future__ import annotations

from datetime import date

import pytest
from canonical.envelope import PublicEvent
from canonical.events.payments import PayerOverpaymentMoved
from canonical.ids import derive
from chassis.testing import context
from ledger_adapter.adapters.fake_erp import OneErpForAll
from ledger_adapter.application.dry_run import DryRun
from ledger_adapter.application.reactions import reactions_by_upstream
from ledger_adapter.domain.credit_balances import CreditBalance, Debtor, sides_of
from ledger_adapter.domain.posting_rules import MEMOS, RULES

from .examples import (
    accepted,
    adjudicated,
    applied_later,
    charged,
    denial_released,
    denial_written_off,
    deposit,
    encounter_id,
    money,
    negated,
    patient_paid,
    payment_unknown,
    payout,
)
from .revision_examples import revised
from .test_patient_entries import dispute, not_expected, refund, returned, written_off
from .test_unidentified_deposits import unidentified
from .world import REMITTANCES, World

PATIENTS = "ar-patient PATIENTS-NORTH"
CHARGED = charged()
BACK = negated(adjudicated(), remittance_id=REMITTANCES[1])


def overpayment(step: str) -> PayerOverpaymentMoved:
    return PayerOverpaymentMoved(
        overpayment_id=derive("test-overpayment", 1),
        move_id=derive("test-overpayment", 1, step),
        step=step,
        entity="NORTH",
        payer="ACME",
        amount=money("80.00"),
        effective_date=date(2026, 3, 22),
    )


def decided(paid: str, *adjustments: tuple[str, str, str]) -> PublicEvent:
    """A later decision on the charge of 100.00, so that no estimate is released."""
    return adjudicated(paid=paid, adjustments=adjustments, first=False)


# What was told before, the fact, and its lines: the rule, Dr or Cr, account and party, amount.
JOURNALS: dict[str, tuple[tuple[PublicEvent, ...], PublicEvent, tuple[str, ...]]] = {
    "J01 charge to a payer, J03 what its contract takes off": (
        (),
        CHARGED,
        (
            "J01 Dr ar-payer ACME 100.00",
            "J01 Cr gross-revenue 100.00",
            "J03 Dr contractual-allowance 30.00",
            "J03 Cr ar-allowance 30.00",
        ),
    ),
    "J01 charge to the patient": (
        (),
        charged(payer=""),
        (f"J01 Dr {PATIENTS} 100.00", "J01 Cr gross-revenue 100.00"),
    ),
    "J02 charge corrected": (
        (CHARGED,),
        revised(CHARGED, ("60.00",)),
        (
            "J02 Cr ar-payer ACME 100.00",
            "J02 Dr gross-revenue 100.00",
            "J02 Cr contractual-allowance 30.00",
            "J02 Dr ar-allowance 30.00",
            "J01 Dr ar-payer ACME 60.00",
            "J01 Cr gross-revenue 60.00",
            "J03 Dr contractual-allowance 18.00",
            "J03 Cr ar-allowance 18.00",
        ),
    ),
    "J04 paid in full": (
        (CHARGED,),
        decided("100.00"),
        ("J04 Dr eft-clearing 100.00", "J04 Cr ar-payer ACME 100.00"),
    ),
    "J05 the estimate released and the contractual taken, at the first decision": (
        (CHARGED,),
        adjudicated(paid="70.00", adjustments=(("CO", "45", "30.00"),)),
        (
            "J05 Dr ar-allowance 30.00",
            "J05 Cr contractual-allowance 30.00",
            "J04 Dr eft-clearing 70.00",
            "J04 Cr ar-payer ACME 70.00",
            "J05 Dr contractual-allowance 30.00",
            "J05 Cr ar-payer ACME 30.00",
        ),
    ),
    "J06 sequestration": (
        (CHARGED,),
        decided("0.00", ("CO", "253", "100.00")),
        ("J06 Dr sequestration 100.00", "J06 Cr ar-payer ACME 100.00"),
    ),
    "J07 the patient's share": (
        (CHARGED,),
        decided("0.00", ("PR", "1", "100.00")),
        (f"J07 Dr {PATIENTS} 100.00", "J07 Cr ar-payer ACME 100.00"),
    ),
    "J08 what an earlier payer paid is a memo": ((CHARGED,), decided("0.00", ("OA", "23", "100.00")), ()),
    "J09 denied": (
        (CHARGED,),
        decided("0.00", ("CO", "50", "100.00")),
        ("J09 Dr ar-payer-denied ACME 100.00", "J09 Cr ar-payer ACME 100.00"),
    ),
    "J09 a denial that a later decision covers": (
        (),
        denial_released(),
        ("J09 Dr ar-payer ACME 100.00", "J09 Cr ar-payer-denied ACME 100.00"),
    ),
    "J10 a denial given up": (
        (),
        denial_written_off(),
        ("J10 Dr denial-write-off 100.00", "J10 Cr ar-payer-denied ACME 100.00"),
    ),
    "J11 reversed by the payer": (
        (CHARGED, adjudicated()),
        BACK,
        (
            "J11 Cr eft-clearing 60.00",
            "J11 Dr ar-payer ACME 60.00",
            "J11 Cr contractual-allowance 30.00",
            "J11 Dr ar-payer ACME 30.00",
            f"J11 Cr {PATIENTS} 10.00",
            "J11 Dr ar-payer ACME 10.00",
        ),
    ),
    "J12 kept back by the payer, J13 paid on top": (
        (),
        accepted(0, "0.00", adjustments=(("WO", "25.00"), ("L6", "-2.00"))),
        (
            "J12 Dr due-to-payer 25.00",
            "J12 Cr eft-clearing 25.00",
            "J13 Cr interest-income 2.00",
            "J13 Dr eft-clearing 2.00",
        ),
    ),
    "J14 deposit matched": ((), deposit(), ("J14 Dr cash 60.00", "J14 Cr eft-clearing 60.00")),
    "J15 patient's payment, applied and not": (
        (),
        patient_paid("10.00", "5.00"),
        (
            "J15 Dr gateway-clearing 10.00",
            f"J15 Cr {PATIENTS} 10.00",
            "J15 Dr gateway-clearing 5.00",
            "J15 Cr unapplied-patient 5.00",
        ),
    ),
    "J16 applied later": ((), applied_later(), ("J16 Dr unapplied-patient 5.00", f"J16 Cr {PATIENTS} 5.00")),
    "J17 payout": (
        (),
        payout(),
        (
            "J17 Dr cash 9.41",
            "J17 Cr gateway-clearing 9.41",
            "J17 Dr processing-fees 0.59",
            "J17 Cr gateway-clearing 0.59",
        ),
    ),
    "J18 refund owed": (
        (),
        refund("approved"),
        ("J18 Dr unapplied-patient 4.00", "J18 Cr refunds-payable 4.00"),
    ),
    "J18 refund paid": ((), refund("paid"), ("J18 Dr refunds-payable 4.00", "J18 Cr gateway-clearing 4.00")),
    "J19 dispute withdrawn": (
        (),
        dispute("withdrawn"),
        (
            "J19 Dr disputes-receivable 10.00",
            "J19 Cr gateway-clearing 10.00",
            "J19 Dr dispute-fees 15.00",
            "J19 Cr gateway-clearing 15.00",
        ),
    ),
    "J19 dispute lost": (
        (),
        dispute("lost"),
        ("J19 Dr unapplied-patient 10.00", "J19 Cr disputes-receivable 10.00"),
    ),
    "J19 returned by the payer's bank": (
        (),
        returned(),
        ("J19 Dr unapplied-patient 10.00", "J19 Cr gateway-clearing 10.00"),
    ),
    "J20 overpayment owed back": (
        (),
        overpayment("identified"),
        ("J20 Dr ar-payer ACME 80.00", "J20 Cr refunds-payable-payer 80.00"),
    ),
    "J20 overpayment returned": (
        (),
        overpayment("returned"),
        ("J20 Dr refunds-payable-payer 80.00", "J20 Cr cash 80.00"),
    ),
    "J21 charity": ((), written_off("charity"), ("J21 Dr charity-care 3.00", f"J21 Cr {PATIENTS} 3.00")),
    "J22 not expected to be paid": (
        (),
        not_expected("3.00"),
        ("J22 Dr price-concession 3.00", "J22 Cr concession-allowance 3.00"),
    ),
    "J22 a price concession given": (
        (),
        written_off("price-concession"),
        ("J22 Dr price-concession 3.00", f"J22 Cr {PATIENTS} 3.00"),
    ),
    "J23 bad debt": ((), written_off("bad-debt"), ("J23 Dr bad-debt 3.00", f"J23 Cr {PATIENTS} 3.00")),
    "J24 small balance": (
        (),
        written_off("small-balance"),
        ("J24 Dr small-balance 3.00", f"J24 Cr {PATIENTS} 3.00"),
    ),
    "J26 cash for a claim nobody knows": (
        (),
        payment_unknown(),
        ("J26 Dr eft-clearing 25.00", "J26 Cr unapplied-payer 25.00"),
    ),
    "J27 deposit that nothing explains": (
        (),
        unidentified(),
        ("J27 Dr cash 60.00", "J27 Cr unidentified-receipts 60.00"),
    ),
}
SHOWN = {
    "presented": ("J25 Dr ar-payer ACME 5.00", "J25 Cr credit-balances 5.00"),
    "reversed": ("J25 Cr ar-payer ACME 5.00", "J25 Dr credit-balances 5.00"),
}


@pytest.mark.parametrize("name", JOURNALS)
def test_each_fact_books_what_the_accountant_says(name: str) -> None:
    before, fact, expected = JOURNALS[name]
    world = World()
    world.deliver(*before)
    reactions = [each for some in reactions_by_upstream(world.master).values() for each in some]
    dry = DryRun(world.store, OneErpForAll(world.erp, ("NORTH",)), reactions)
    preview = dry.of_fact(context(), fact.SERVICE, fact.TYPE, fact.model_dump_json().encode())
    assert (preview.refusal, preview.waits_for) == ("", "")
    lines = [line for posting in preview.postings for line in posting.lines]
    assert tuple(_words(line.rule, line.account.value, line.party, line.amount.minor) for line in lines) == expected


@pytest.mark.parametrize("side", sides_of("NORTH", date(2026, 3, 31)), ids=lambda side: side.step)
def test_a_credit_balance_is_shown_and_taken_back_by_j25(side: object) -> None:
    presentation = next(each for each in sides_of("NORTH", date(2026, 3, 31)) if each == side)
    lines = presentation.lines(CreditBalance(Debtor("ACME", str(encounter_id())), money("5.00")))
    words = tuple(_words(line.rule, line.account.value, line.party, line.amount.minor) for line in lines)
    assert words == SHOWN[presentation.step]


def test_every_rule_is_in_the_table() -> None:
    named = {code for name in JOURNALS for code in name.replace(",", " ").split() if code[1:].isdigit()} | {"J25"}
    assert named == {f"J{number:02}" for number in range(1, 28)}
    assert {rule.code for rule in RULES.values()} | set(MEMOS.values()) <= named


def _words(rule: str, account: str, party: str, minor: int) -> str:
    side = "Dr" if minor > 0 else "Cr"
    return " ".join(filter(None, (rule, side, account, party, money(f"{abs(minor) / 100:.2f}").decimal_text)))
