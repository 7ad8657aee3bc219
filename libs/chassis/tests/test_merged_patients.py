"""Merged patients as a service that is told of them knows them: the newest word holds, in any order and number."""

from __future__ import annotations

import itertools
from pathlib import Path
from uuid import UUID

import pytest
from canonical.envelope import Envelope
from canonical.events.intake import PatientsMerged, PatientsUnmerged
from canonical.ids import derive
from chassis.eventstore import EventRegistry, Work
from chassis.eventstore.memory import MemoryEventStore
from chassis.merged_patients import (
    PatientMerge,
    group_of,
    merge_id_of,
    project_merges,
    when_patients_merged_note_it,
    when_patients_unmerged_note_it,
)
from chassis.testing import assert_golden, context

A, B, C, D = (derive("patient", name) for name in "ABCD")


def told(store: MemoryEventStore, retired: UUID, survivor: UUID, word: int, *, merged: bool = True) -> None:
    """One word of intake; `word` counts what it recorded of the retired patient."""
    kind = PatientsMerged if merged else PatientsUnmerged
    event = kind(survivor_id=survivor, retired_id=retired, by_source=True)
    envelope = Envelope(
        id=derive("event", retired, word),
        service=event.SERVICE,
        type=event.TYPE,
        key=retired,
        sequence=word,
        time=context().now,
        correlation_id=A,
        causation_id=A,
        actor="test",
    )
    work = Work(store, context())
    if isinstance(event, PatientsMerged):
        when_patients_merged_note_it(work, event, envelope)
    else:
        when_patients_unmerged_note_it(work, event, envelope)
    work.commit()


def store() -> MemoryEventStore:
    return MemoryEventStore(EventRegistry([PatientMerge]), [project_merges])


def test_who_is_merged_with_nobody_is_a_group_of_one() -> None:
    assert group_of(store(), A) == (A,)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_group_is_the_same_whoever_is_asked_for_and_in_whatever_order_it_came(order: tuple[int, ...]) -> None:
    known = store()
    words = ((A, B), (B, C), (D, C))
    for place in order:
        told(known, *words[place], 1)
    for each in (A, B, C, D):
        group = group_of(known, each)
        assert (group[0], set(group)) == (C, {A, B, C, D})


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_word_of_a_patient_holds_in_any_order(order: tuple[int, ...]) -> None:
    known = store()
    for place in (*order, *order):
        if place == 1:
            told(known, A, B, 2, merged=False)
        else:
            told(known, A, (B, B, C)[place], place + 1)
    assert (group_of(known, A), group_of(known, B)) == ((C, A), (B,))


def test_parting_leaves_nothing_behind() -> None:
    known = store()
    told(known, A, B, 1)
    told(known, A, B, 2, merged=False)
    assert (group_of(known, A), group_of(known, B)) == ((A,), (B,))


def test_its_stored_event_is_as_it_was_first_written() -> None:
    event = PatientMerge.Told(
        originator_id=merge_id_of(A),
        originator_version=1,
        timestamp=context().now,
        meta=context().meta,
        retired_id=A,
        survivor_id=B,
        word=3,
    )
    assert_golden(EventRegistry([PatientMerge]), Path(__file__).parent / "golden" / "merged-patients", [event])
