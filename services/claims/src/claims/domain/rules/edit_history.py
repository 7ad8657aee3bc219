"""What the edits said of one claim, run by run, as the claim's events keep it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

from claims.domain.claim_content import HoldReason
from claims.domain.rules.edits import EditFinding, EditRun


class Stage(StrEnum):
    """When the edits were run: at the draft, at a release by a person, or just before the claim was to leave."""

    DRAFT = "draft"
    RELEASE = "release"
    SUBMISSION = "submission"


class KeptRun(CanonicalModel):
    """`number` counts the runs of one claim from 1; without findings the claim passed."""

    number: int
    stage: Stage
    rules_version: Public[str]
    rules_digest: Public[str]
    rules_run: int
    findings: tuple[EditFinding, ...]

    @classmethod
    def of(cls, run: EditRun, number: int, stage: Stage) -> KeptRun:
        return cls.trusted(
            number=number,
            stage=stage,
            rules_version=run.rules_version,
            rules_digest=run.rules_digest,
            rules_run=run.rules_run,
            findings=run.findings,
        )

    @property
    def reasons(self) -> tuple[HoldReason, ...]:
        """Why the claim may not go out, nothing where it may."""
        return tuple(finding.reason for finding in self.findings)


class EditHistory(Aggregate):
    """The runs of before the claim's own events kept them; nothing is added to it. Its id follows from the claim's."""

    def start(self) -> None:
        self.runs = 0

    class Ran(Event):
        """One run, see `KeptRun`."""

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


def edit_history_id_of(claim_id: UUID) -> UUID:
    return derive("edit-history", claim_id)
