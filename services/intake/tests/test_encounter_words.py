"""Whether an encounter goes on, by what its source said last, in whatever order its words come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from intake.domain.encounter import Encounter
from intake.domain.facts import ChargesComplete, EncounterCancelled, EncounterReopened, Fact

from .test_hl7_stories import IN1, Sender, ft1, total_billed
from .test_revisions import ENCOUNTER, START, VISIT, Source, charge, visit


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def ended(hour: int) -> Fact:
    return visit(finished=True, said_at=at(hour))


def cancelled(hour: int) -> Fact:
    return EncounterCancelled("PV1", VISIT, at(hour))


def reopened(hour: int) -> Fact:
    return EncounterReopened("PV1", VISIT, at(hour))


def completed(hour: int) -> Fact:
    return ChargesComplete("FT1", VISIT, at(hour))


STORIES = {
    "cancelled by mistake": (ended(1), cancelled(2), reopened(3), ended(4)),
    "never was after all": (ended(1), reopened(2), cancelled(3)),
    "goes on after its end": (ended(1), reopened(2), ended(3), reopened(4)),
    "ended twice": (ended(1), reopened(2), ended(3)),
    "charged on": (completed(1), reopened(2)),
}
ENDS = {
    "cancelled by mistake": "finished",
    "never was after all": "cancelled",
    "goes on after its end": "open",
    "ended twice": "finished",
    "charged on": "open",
}


@pytest.mark.parametrize("story", STORIES)
def test_it_ends_as_the_newest_word_says_in_whatever_order_they_come(story: str) -> None:
    for words in permutations(STORIES[story]):
        source = Source(finished=False)
        for word in words:
            assert source.tell(word).accepted
        assert source.row["state"] == ENDS[story], words


def test_the_sender_is_told_that_a_late_older_word_was_not_taken() -> None:
    source = Source()
    source.tell(charge())
    source.tell(reopened(3))
    assert "older-word" in source.tell(cancelled(2)).notes[0]
    assert "older-word" in source.tell(ended(1)).notes[0]
    assert source.billed() == {1: "100.00"}


def test_a_word_that_does_not_say_when_is_taken_as_it_comes() -> None:
    source = Source()
    source.tell(reopened(3))
    source.tell(EncounterCancelled("PV1", VISIT))
    assert source.row["state"] == "cancelled"


def test_the_same_word_again_is_recorded_only_where_it_is_newer() -> None:
    source = Source()
    for hour in (1, 1, 2):
        source.tell(ended(hour))
    kinds = [type(event) for event in source.service.store.story(ENCOUNTER)]
    assert kinds.count(Encounter.Finished) == 1
    assert kinds.count(Encounter.StateSaidAgain) == 2


def test_a_cancellation_over_hl7_that_comes_late_does_not_undo_that_the_visit_goes_on() -> None:
    sender = Sender()
    sender.send("ADT^A01", IN1, stamp="100800")
    sender.send("DFT^P03", ft1("A", "100.00"), IN1, stamp="100900")
    sender.send("ADT^A13", stamp="101200")
    assert "older-word" in sender.send("ADT^A11", stamp="101000").notes[0]
    assert total_billed(sender).decimal_text == "100.00"
    assert sender.send("ADT^A11", stamp="101300").accepted
    assert total_billed(sender).decimal_text == "0.00"
