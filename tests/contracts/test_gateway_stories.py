"""Each of the gateway's stories ends with its balances, journals and cases, in whatever order and however often it is told."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.gateway_table import CHARGED, STORIES
from tests.contracts.gateway_till import GatewayStory, Journals, Till, in_any_order, in_words, patient_of, sums_of
from tests.contracts.money_road import MoneyRoad, OwnGateway, Told, charged


def told(name: str, story: GatewayStory) -> tuple[OwnGateway, Till, list[Told]]:
    """All that is told in a story, in order: the charges first."""
    gateway = OwnGateway()
    till = gateway.till(name)
    story.happens(till)
    return gateway, till, [charged(patient_of(name)), *till.webhooks]


def check(story: GatewayStory, till: Till, road: MoneyRoad, reading: Callable[[Journals], Journals] = Counter) -> None:
    assert road.cents(till.patient_id) == (story.balance, story.applied, story.unapplied)
    booked = road.journals(till.patient_id, till.ids)
    assert in_words(reading(booked)) == in_words(reading(sums_of([CHARGED, *story.journals])))
    assert [code for code, _ in road.cases()] == sorted(story.cases)


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_as_the_accountant_says(name: str) -> None:
    gateway, till, all_of_it = told(name, STORIES[name])
    road = MoneyRoad(gateway)
    for each in all_of_it:
        road.tell(each)
        road.settle()
    check(STORIES[name], till, road)


@given(name=st.sampled_from(sorted(STORIES)), luck=st.integers(0, 2**32), pauses=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_each_story_ends_the_same_in_any_order_with_repetitions(name: str, luck: int, pauses: float) -> None:
    gateway, till, all_of_it = told(name, STORIES[name])
    dice = random.Random(luck)
    again = [*all_of_it, *dice.choices(all_of_it, k=len(all_of_it) // 2)]
    dice.shuffle(again)
    road = MoneyRoad(gateway)
    for each in again:
        road.tell(each)
        if dice.random() < pauses:
            road.settle()
    road.settle()
    check(STORIES[name], till, road, in_any_order)
