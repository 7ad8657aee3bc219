"""Looks for patients who may be one person: a few questions to the read models for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chassis.domain import Context
from chassis.eventstore import Question, Table, Work
from chassis.exceptions import raise_case

from intake.application.merging import are_one
from intake.application.patient_rows import BLOCKS, IDENTIFIERS, PATIENTS
from intake.domain.likeness import Likeness, likeness_of
from intake.domain.match_keys import MatchKeys
from intake.domain.patient import Patient
from intake.domain.patient_match import CASE_CODES, MatchKind, MatchState, PatientMatch, match_id_of

SHARED_BY_MAX = 50
SUGGESTIONS_MAX = 5
ROWS_MAX = 100_000
"""A name and birth date, or an identifier, that more patients share tells nobody apart; the best suggestions go on."""

Changed = Patient.Registered | Patient.DetailsChanged


@dataclass(slots=True)
class _Known:
    """Who has which key, of those in the store and those in this batch."""

    keys: dict[UUID, MatchKeys] = field(default_factory=dict)
    sharing: dict[str, dict[UUID, None]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, key: str, patient_id: UUID) -> None:
        self.sharing[key][patient_id] = None

    def others(self, keys: Iterable[str], patient_id: UUID) -> list[UUID]:
        """Patients who share one of these keys with this one, in the order they were noted."""
        found: dict[UUID, None] = {}
        for key in keys:
            shared = self.sharing.get(key, {})
            if len(shared) <= SHARED_BY_MAX:
                found |= shared
        found.pop(patient_id, None)
        return list(found)


def match_people(work: Work) -> None:
    """Compares every patient whom this batch has registered or changed: links, and asks a person where it must."""
    changed = {
        event.originator_id: event
        for event in work.pending_events()
        if isinstance(event, Changed) and event.match_keys is not None
    }
    if not changed:
        return
    known = _known(work, {identity: event.match_keys for identity, event in changed.items() if event.match_keys})
    found = {identity: _likenesses(known, identity) for identity in changed}
    pairs = {identity: [other for other, _ in likenesses] for identity, likenesses in found.items()}
    work.prefetch(identity for others in pairs.values() for identity in others)
    work.prefetch(match_id_of(one, other) for one, others in pairs.items() for other in others)
    for identity, event in changed.items():
        work.within(Context(event.timestamp, event.meta))
        _settle(work, known, identity, found[identity])


def _known(work: Work, changed: Mapping[UUID, MatchKeys]) -> _Known:
    known = _Known()
    questions = [
        _telling(work, IDENTIFIERS, "identifier", {key for keys in changed.values() for key in keys.identifiers}),
        _telling(work, BLOCKS, "block", {key for keys in changed.values() for key in keys.blocks}),
    ]
    for question, rows in zip(questions, work.store.rows_of_each(questions), strict=True):
        for row in rows:
            assert isinstance(row["patient_id"], UUID)
            known.note(str(row[question.table.key[0]]), row["patient_id"])
    stored = {identity for shared in known.sharing.values() for identity in shared} - changed.keys()
    if stored:
        for row in work.rows(PATIENTS, {"patient_id": sorted(stored)}, limit=ROWS_MAX):
            assert isinstance(row["patient_id"], UUID)
            if row["match_keys"]:
                known.keys[row["patient_id"]] = MatchKeys.model_validate_json(str(row["match_keys"]))
    for identity, keys in changed.items():
        known.keys[identity] = keys
        for key in (*keys.identifiers, *keys.blocks):
            known.note(key, identity)
    return known


def _telling(work: Work, table: Table, column: str, keys: set[str]) -> Question:
    """The question for those of the keys that tell patients apart."""
    counts = work.store.sums(table, (), (column,), {column: sorted(keys)}) if keys else []
    few = [row[column] for row in counts if _number(row["count"]) <= SHARED_BY_MAX]
    return Question(table, {column: few}, limit=ROWS_MAX)


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _likenesses(known: _Known, patient_id: UUID) -> list[tuple[UUID, Likeness]]:
    """Everybody who shares a key with the patient, the likeliest first."""
    keys = known.keys[patient_id]
    others = known.others((*keys.identifiers, *keys.blocks), patient_id)
    found = [(other, likeness_of(keys, known.keys[other])) for other in others if other in known.keys]
    return sorted(found, key=lambda each: (-each[1].score, each[0]))


def _settle(work: Work, known: _Known, patient_id: UUID, likenesses: list[tuple[UUID, Likeness]]) -> None:
    keys = known.keys[patient_id]
    suggested = 0
    for other_id, likeness in likenesses:
        if work.get_or_new(PatientMatch, match_id_of(patient_id, other_id)).state is MatchState.DISTINCT:
            continue
        other = known.keys[other_id]
        shares_identifier = other.source != keys.source and not set(keys.identifiers).isdisjoint(other.identifiers)
        if shares_identifier and not likeness.contradicts:
            work.require(Patient, patient_id).link(other_id)
            work.require(Patient, other_id).link(patient_id)
        elif shares_identifier:
            _ask(work, patient_id, other_id, MatchKind.CONTRADICTION, likeness)
        elif likeness.is_probable and suggested < SUGGESTIONS_MAX:
            suggested += 1
            _ask(work, patient_id, other_id, MatchKind.PROBABLE, likeness)


def _ask(work: Work, one: UUID, other: UUID, kind: MatchKind, likeness: Likeness) -> None:
    """Puts the pair into the queue, once, unless they are one person already."""
    if are_one(work, one, other):
        return
    match = work.get_or_new(PatientMatch, match_id_of(one, other))
    if match.suggest(one, other, kind, likeness):
        raise_case(
            work,
            match.id,
            code=CASE_CODES[kind],
            summary=f"{one} and {other}: {likeness.score} of 100 points, {likeness}",
            subject="patient-match",
            subject_id=match.id,
        )
