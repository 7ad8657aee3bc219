"""Looks for patients who may be one person: a few questions to the read models for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chassis.domain import Context
from chassis.eventstore import Question, Table, Work
from chassis.exceptions import raise_case

from intake.application.merging import OPEN, are_one, end_case_of, settle_pairs_made_one
from intake.application.patient_rows import BLOCKS, IDENTIFIERS, MATCHES, PATIENTS
from intake.domain.likeness import Likeness, likeness_of
from intake.domain.match_keys import MatchKeys
from intake.domain.patient import Patient
from intake.domain.patient_match import CASE_CODES, MatchKind, MatchState, PatientMatch, match_id_of

SHARED_BY_MAX = 50
SUGGESTIONS_MAX = 5
ROWS_MAX = 100_000
"""A name and birth date, or an identifier, that more patients share tells nobody apart; the best suggestions go on."""

ANSWERS = {MatchState.LINKED: "linked by an identifier", MatchState.UNLIKELY: "no longer likely"}
Changed = Patient.Registered | Patient.DetailsChanged
_DetailsChanged = Patient.DetailsChanged
_SIDES = ("first_id", "second_id")


@dataclass(slots=True)
class _Known:
    """Who has which key, of those in the store and those in this batch, and whom a person is asked about already."""

    keys: dict[UUID, MatchKeys] = field(default_factory=dict)
    asked: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
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
    """Compares every patient whom this batch has registered or changed: links, and asks a person where it must.

    Whoever registers the same person meanwhile, in another process, makes saving fail: then both are compared.
    """
    _settle_merged(work)
    changed = {
        event.originator_id: event
        for event in work.pending_events()
        if isinstance(event, Changed) and event.match_keys is not None
    }
    if not changed:
        return
    asked = _asked_about(work, [each.originator_id for each in changed.values() if isinstance(each, _DetailsChanged)])
    known = _known(work, {identity: event.match_keys for identity, event in changed.items() if event.match_keys}, asked)
    found = {identity: _likenesses(known, identity) for identity in changed}
    pairs = {identity: [other for other, _ in likenesses] for identity, likenesses in found.items()}
    asked_of = ((one, other) for one, others in pairs.items() for other in others)
    work.prefetch(identity for one, other in asked_of for identity in (other, match_id_of(one, other)))
    for identity, event in changed.items():
        work.within(Context(event.timestamp, event.meta))
        _settle(work, known, identity, found[identity])


def _settle_merged(work: Work) -> None:
    merges = [event for event in work.pending_events() if isinstance(event, Patient.Merged)]
    if merges:
        work.within(Context(merges[-1].timestamp, merges[-1].meta))
        settle_pairs_made_one(work)


def _asked_about(work: Work, patient_ids: list[UUID]) -> dict[UUID, set[UUID]]:
    """With whom each of these patients waits in the queue: what is asked may have been answered by what has changed."""
    pairs: dict[UUID, set[UUID]] = defaultdict(set)
    sides = [Question(MATCHES, {side: sorted(patient_ids), "state": OPEN}, limit=ROWS_MAX) for side in _SIDES]
    for rows in work.store.rows_of_each(sides) if patient_ids else ():
        for row in rows:
            one, other = (row[side] for side in _SIDES)
            assert isinstance(one, UUID)
            assert isinstance(other, UUID)
            pairs[one].add(other)
            pairs[other].add(one)
    return pairs


def _known(work: Work, changed: Mapping[UUID, MatchKeys], asked: dict[UUID, set[UUID]]) -> _Known:
    known = _Known(asked=asked)
    wanted = (
        (IDENTIFIERS, "identifier", {key for keys in changed.values() for key in keys.identifiers}),
        (BLOCKS, "block", {key for keys in changed.values() for key in keys.blocks}),
    )
    asked_at_once = [(column, _sharing(work, table, column, keys)) for table, column, keys in wanted if keys]
    answers = work.rows_of_each_to_stay([question for _, question in asked_at_once])
    for (column, _), rows in zip(asked_at_once, answers, strict=True):
        for row in rows:
            assert isinstance(row["patient_id"], UUID)
            known.note(str(row[column]), row["patient_id"])
    stored = {identity for shared in known.sharing.values() for identity in shared} | asked.keys()
    stored -= changed.keys()
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


def _sharing(work: Work, table: Table, column: str, keys: set[str]) -> Question:
    """Asks who has those of the keys that tell patients apart; nobody else may have them by the time this batch is saved."""
    counts = work.store.sums(table, (), (column,), {column: sorted(keys)})
    many = {str(row[column]) for row in counts if _number(row["count"]) > SHARED_BY_MAX}
    return Question(table, {column: sorted(keys - many)}, limit=ROWS_MAX)


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _likenesses(known: _Known, patient_id: UUID) -> list[tuple[UUID, Likeness]]:
    """Everybody who shares a key with the patient, the likeliest first."""
    keys = known.keys[patient_id]
    others = dict.fromkeys(known.others((*keys.identifiers, *keys.blocks), patient_id)) | dict.fromkeys(
        sorted(known.asked.get(patient_id, ()))
    )
    found = [(other, likeness_of(keys, known.keys[other])) for other in others if other in known.keys]
    return sorted(found, key=lambda each: (-each[1].score, each[0]))


def _settle(work: Work, known: _Known, patient_id: UUID, likenesses: list[tuple[UUID, Likeness]]) -> None:
    keys = known.keys[patient_id]
    suggested = 0
    for other_id, likeness in likenesses:
        match = work.get_or_new(PatientMatch, match_id_of(patient_id, other_id))
        if match.state is MatchState.DISTINCT:
            continue
        other = known.keys[other_id]
        shares_identifier = other.source != keys.source and not set(keys.identifiers).isdisjoint(other.identifiers)
        if shares_identifier and not likeness.contradicts:
            work.require(Patient, patient_id).link(other_id)
            work.require(Patient, other_id).link(patient_id)
            _answer(work, match, MatchState.LINKED, likeness)
        elif shares_identifier:
            _ask(work, patient_id, other_id, MatchKind.CONTRADICTION, likeness)
        elif likeness.is_probable and suggested < SUGGESTIONS_MAX:
            suggested += 1
            _ask(work, patient_id, other_id, MatchKind.PROBABLE, likeness)
        elif not likeness.is_probable:
            _answer(work, match, MatchState.UNLIKELY, likeness)


def _answer(work: Work, match: PatientMatch, state: MatchState, likeness: Likeness) -> None:
    """Ends a question that what came in has answered."""
    if match.is_open:
        end_case_of(work, match, f"{ANSWERS[state]}: {likeness}")
        match.settle(state, likeness)


def _ask(work: Work, one: UUID, other: UUID, kind: MatchKind, likeness: Likeness) -> None:
    """Puts the pair into the queue, once, unless they are one person already."""
    if are_one(work, one, other):
        return
    match = work.get_or_new(PatientMatch, match_id_of(one, other))
    if match.suggest(one, other, kind, likeness):
        raise_case(
            work,
            match.case_cause,
            code=CASE_CODES[kind],
            summary=f"{one} and {other}: {likeness.score} of 100 points, {likeness}",
            subject="patient-match",
            subject_id=match.id,
        )
