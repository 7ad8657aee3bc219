"""The demo's changed charges: which claims the EHR changes, and how the page tells what became of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from canonical.money import Money
from sandbox.world.ehr import DeliveryKind
from sandbox.world.later_words import LaterWord
from sandbox.world.oracle import claim_of
from sandbox.world.payer import Payers
from sandbox.world.received_claims import Frequency
from sandbox.world.scenario import Scenario
from throughline.demo.later_charges import LaterCharges
from throughline.demo.revised_facts import RevisedClaim
from throughline.demo.traffic import Traffic
from throughline.demo.traffic_facts import ClaimStory
from throughline.demo.traffic_report import tell_revised

from .test_demo_traffic import TODAY, decided, traffic

ENCOUNTERS = 320


def paid_story(folder: Path) -> tuple[LaterCharges, Traffic, Payers]:
    """Every claim of a demo's story decided once, and nothing said yet."""
    told, payers = traffic(folder, ENCOUNTERS)
    told.pend()
    payers.settle(TODAY)
    return LaterCharges(payers, Scenario.demo(TODAY, encounters=ENCOUNTERS), told), told, payers


def test_each_kind_of_word_is_said_of_a_paid_claim_over_its_wire(tmp_path: Path) -> None:
    later, _, payers = paid_story(tmp_path)
    kinds = [delivery.kind for delivery in later.say()]
    assert [each.word for each in later.visits] == [LaterWord.CORRECTED, LaterWord.VOIDED, LaterWord.LATE]
    assert kinds == [DeliveryKind.BUNDLE, DeliveryKind.MLLP, DeliveryKind.MLLP]
    assert all(payers.decisions[each.claim].paid for each in later.visits)
    assert later.sent_as() == dict.fromkeys((each.claim for each in later.visits), Frequency.ORIGINAL)


def test_the_story_after_it_is_the_story_before_but_for_these_visits(tmp_path: Path) -> None:
    later, _, _ = paid_story(tmp_path)
    before = later.as_revised.total
    later.say()
    change = Money.total(each.after.total - each.before.total for each in later.visits)
    assert later.as_revised.total == before + change
    assert len(later.as_revised.encounters) == ENCOUNTERS


def test_payers_change_no_claim_of_their_own_accord_that_the_ehr_has_changed(tmp_path: Path) -> None:
    later, told, payers = paid_story(tmp_path)
    later.say()
    corrected = next(each for each in later.visits if each.word is LaterWord.CORRECTED)
    file = next(file for _, _, file in payers.claim_files() if file.claim.patient_control_number == corrected.claim)
    file.claim, file.is_waiting = claim_of(corrected.after), True
    followed = told.choose()
    assert corrected.claim not in (followed.denied, followed.corrected)


def test_the_page_says_what_was_charged_what_the_payer_was_sent_and_what_it_pays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    story = ClaimStory("PCN1", "ACME", "reversed", (decided("paid", 60_00), decided("reversal", -60_00)))
    heads: list[str] = []
    tell_revised([RevisedClaim("the visit never was", Money(100_00), Money(0), "void (8)", story)], heads.append)
    printed = capsys.readouterr().out
    assert heads == ["Charges that changed after they were billed and paid"]
    for text in ("the visit never was", "100.00", "void (8)", "60.00", "reversed", "J02"):
        assert text in printed
    tell_revised([], heads.append)
    assert len(heads) == 1
