"""Runs the edits on claims, keeps what each run said, and tells what a run would say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from canonical.encounter import EncounterPhi
from chassis.domain import Refusal
from chassis.eventstore import EventStore, Work

from claims.application.contexts import caused_by
from claims.application.ports import PatientDetailsVault
from claims.domain.claim import Claim
from claims.domain.rules.edit_history import EditHistory, KeptRun, Stage, edit_history_id_of
from claims.domain.rules.edits import ClaimEdits, EditRun
from claims.domain.rules.rule import RuleSet


class DetailsClosed(Refusal):
    """The sealed details of the claim open no more, so that the edits just before sending cannot be run."""


def run_edits(work: Work, claim: Claim, edits: ClaimEdits, stage: Stage, phi: EncounterPhi | None = None) -> KeptRun:
    """What the edits say of the claim now. Whoever asks gives the run to the claim, which keeps it whatever it says."""
    run = edits.run(claim.content, work.context.now.date(), phi)
    return KeptRun.of(run, _runs_before(work, claim, stage) + 1, stage)


def prefetch_edit_runs(work: Work, claims: Iterable[Claim]) -> None:
    """Loads what `run_edits` counts on beside the claims themselves."""
    work.prefetch(edit_history_id_of(claim.id) for claim in claims if not claim.edit_runs)


def _runs_before(work: Work, claim: Claim, stage: Stage) -> int:
    """Claims that were edited before their own events kept the runs go on counting where their history ended."""
    if claim.edit_runs or stage is Stage.DRAFT:
        return claim.edit_runs
    return work.get_or_new(EditHistory, edit_history_id_of(claim.id)).runs


class DryRun:
    """Says what the edits would say of a claim today, with its details open, and changes nothing."""

    def __init__(self, store: EventStore, edits: ClaimEdits, vault: PatientDetailsVault) -> None:
        self._store = store
        self._edits = edits
        self._vault = vault

    @property
    def rules(self) -> RuleSet:
        """The rules in force."""
        return self._edits.rules

    def of(self, claim_id: UUID, now: datetime, rules: RuleSet) -> EditRun:
        """What a run of these rules would find.

        Raises:
            UnknownAggregate: there is no such claim.
            DetailsClosed: see there.
        """
        content = Work(self._store, caused_by(now, claim_id)).require(Claim, claim_id).content
        (phi,) = self._vault.open_details([content.details])
        if phi is None:
            raise DetailsClosed(f"claim {claim_id}: its details open no more")
        return ClaimEdits(rules, self._edits.master_data).run(content, now.date(), phi)
