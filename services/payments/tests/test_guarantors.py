"""Who answers for a visit is known by the last word of its source, and gets the statements of its account."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from canonical.events.intake import ChargesRevised, EncounterCharged, VisitGuarantorChanged
from canonical.ids import derive
from chassis.messaging import Delivery
from chassis.testing.clock import START
from payments.adapters.statement_html import html_of
from payments.application.guarantors import accounts_answered_for
from payments.application.statements import statement
from payments.domain.patient_account import account_id_of

from .examples import DAY, ENCOUNTER, PATIENT
from .test_front_desk import charged, revised
from .world import World, adjudication, delivery

ACCOUNT = account_id_of("NORTH", PATIENT)
MOTHER, FATHER = derive("test-guarantor", 1), derive("test-guarantor", 2)


def told(event: EncounterCharged | ChargesRevised, guarantor: UUID | None, sequence: int) -> Delivery:
    return delivery(event.model_copy(update={"guarantor_id": guarantor}), ENCOUNTER, sequence)


def words(payer: str = "") -> list[Delivery]:
    return [
        told(charged(8000, payer=payer), MOTHER, 1),
        told(revised(8000, 5000, 1, payer=payer), FATHER, 2),
        told(revised(5000, 6000, 2, payer=payer), MOTHER, 3),
    ]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("payer", ["", "ACME"])
def test_the_last_word_stands_in_whatever_order_it_comes(order: tuple[int, ...], payer: str) -> None:
    world = World()
    messages = [words(payer)[place] for place in order]
    world.deliver(*messages, *messages)
    assert accounts_answered_for(world.store, MOTHER) == [ACCOUNT]
    assert accounts_answered_for(world.store, FATHER) == []


@pytest.mark.parametrize("guarantor", [MOTHER, None])
def test_a_statement_says_who_answers_for_its_visits_where_that_is_known(guarantor: UUID | None) -> None:
    world = World()
    world.deliver(told(charged(8000, payer="ACME"), guarantor, 1), adjudication(2500))
    found = statement(world.store, ACCOUNT, DAY, START + timedelta(days=1))
    assert found is not None
    assert found.guarantors == ((guarantor,) if guarantor else ())
    assert ("Who answers for it" in html_of(found)) == bool(guarantor)


def changed(guarantor: UUID, sequence: int) -> Delivery:
    event = VisitGuarantorChanged(encounter_id=ENCOUNTER, entity="NORTH", patient_id=PATIENT, guarantor_id=guarantor)
    return delivery(event, ENCOUNTER, sequence)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_answers_by_now_is_told_in_statements_though_nothing_of_the_charges_changed(order: tuple[int, ...]) -> None:
    world = World()
    told_so_far = [told(charged(8000), MOTHER, 1), told(revised(8000, 5000, 1), MOTHER, 2), changed(FATHER, 3)]
    world.deliver(*(told_so_far[place] for place in order))
    assert accounts_answered_for(world.store, FATHER) == [ACCOUNT]
    found = statement(world.store, ACCOUNT, DAY, START + timedelta(days=1))
    assert found is not None
    assert found.guarantors == (FATHER,)


def test_a_later_posting_says_who_answers_whatever_revisions_an_earlier_one_had() -> None:
    world = World()
    second = charged(4000).model_copy(update={"posting": 2})
    world.deliver(told(charged(8000), MOTHER, 1), told(revised(8000, 5000, 1), MOTHER, 2), told(second, FATHER, 3))
    assert accounts_answered_for(world.store, FATHER) == [ACCOUNT]
