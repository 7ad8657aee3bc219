"""What the edits said of one claim, run by run."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

from claims.domain.rules.edits import EditFinding, EditRun


class Stage(StrEnum):
    """When the edits were run: at the draft, at a release by a person, or just before the claim was to leave."""

    DRAFT = "draft"
    RELEASE = "release"
    SUBMISSION = "submission"


class EditHistory(Aggregate):
    """Its id follows from the claim's."""

    def start(self) -> None:
        self.runs = 0

    class Ran(Event):
        """`number` counts the runs of one claim from 1; without findings the claim passed."""

        TOPIC = "claims.edit-history.ran"
        claim_id: UUID
        number: int
        stage: Stage
        rules_version: Public[str]
        rules_digest: Public[str]
        rules_run: int
        findings: tuple[EditFinding, ...]

        def apply(self, history: EditHistory) -> None:
            history.runs = self.number

    def record(self, claim_id: UUID, stage: Stage, run: EditRun) -> None:
        self.trigger_event(
            self.Ran,
            claim_id=claim_id,
            number=self.runs + 1,
            stage=stage,
            rules_version=run.rules_version,
            rules_digest=run.rules_digest,
            rules_run=run.rules_run,
            findings=run.findings,
        )


def edit_history_id_of(claim_id: UUID) -> UUID:
    return derive("edit-history", claim_id)
