"""What the simulated EHR says later makes of the first word on a visit what it is to be."""

from __future__ import annotations

import json
from datetime import date

import pytest
from canonical.money import Money
from sandbox.world.ehr import DeliveryKind
from sandbox.world.encounters import SimulatedEncounter, Wire
from sandbox.world.later_words import LaterWord, as_said, front_desk_payment, word_between
from sandbox.world.scenario import Scenario

STORY = Scenario.tell(6215, 14, date(2026, 3, 2))


def visit(wire: Wire) -> SimulatedEncounter:
    return next(each for each in STORY.billable if each.wire is wire and len(each.charges) > 2)


def said(before: SimulatedEncounter, word: LaterWord) -> list[tuple[str, str]]:
    """Number and kind of every charge that the later message holds."""
    (message,) = word_between(before, as_said(before, word)).messages
    if before.wire is Wire.FHIR:
        resources = [entry["resource"] for entry in json.loads(message)["entry"]]
        return [(each["id"], each["status"]) for each in resources if each["resourceType"] == "ChargeItem"]
    rows = [row.split("|") for row in message.decode().split("\r")]
    return [(row[2], row[6]) for row in rows if row[0] == "FT1"]


@pytest.mark.parametrize(("wire", "kinds"), [(Wire.FHIR, ("billable", "entered-in-error")), (Wire.HL7, ("CG", "CD"))])
def test_only_what_changed_is_said(wire: Wire, kinds: tuple[str, str]) -> None:
    before, (stands, gone) = visit(wire), kinds
    numbers = [charge.transaction_id for charge in before.charges]
    assert said(before, LaterWord.CORRECTED) == [(numbers[0], stands)]
    assert said(before, LaterWord.TAKEN_BACK) == [(numbers[-1], gone)]
    assert said(before, LaterWord.VOIDED) == [(number, gone) for number in numbers]
    assert said(before, LaterWord.LATE) == [(f"{before.visit_number}-L", stands)]


@pytest.mark.parametrize("wire", list(Wire))
def test_each_word_is_a_message_of_its_own(wire: Wire) -> None:
    before = visit(wire)
    after = as_said(before, LaterWord.CORRECTED)
    assert word_between(before, after, 1).messages != word_between(before, after, 2).messages


def test_cash_of_the_front_desk_is_told_by_hl7() -> None:
    told = front_desk_payment(visit(Wire.FHIR), Money(12_50))
    assert told.kind is DeliveryKind.MLLP
    (row,) = [row.split("|") for row in told.messages[0].decode().split("\r") if row.startswith("FT1")]
    assert (row[6], row[11]) == ("PY", "12.50&USD")
