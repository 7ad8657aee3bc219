"""The edits of a deployment: its rules and the master data they are asked against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from canonical.classes import CanonicalModel, Public
from canonical.encounter import EncounterPhi
from canonical.master_data import KnownMasterData

from claims.domain.claim_content import ClaimContent, HoldReason
from claims.domain.rules.facts import subject_of
from claims.domain.rules.rule import Finding, RuleSet


class EditFinding(CanonicalModel):
    """What one rule of a run found; `owner` is the queue that works it."""

    rule: Public[str]
    rule_version: int
    owner: Public[str]
    reason: HoldReason


@dataclass(frozen=True, slots=True)
class EditRun:
    """One run of all rules in force over one claim; without findings it may go out."""

    rules_version: str
    rules_digest: str
    rules_run: int
    findings: tuple[EditFinding, ...]


@dataclass(frozen=True, slots=True)
class ClaimEdits:
    rules: RuleSet
    master_data: KnownMasterData

    def run(self, content: ClaimContent, today: date, phi: EncounterPhi | None = None) -> EditRun:
        """Pure: the same claim, day and details give the same findings. `phi` are its opened details."""
        found = self.rules.run(subject_of(content, self.master_data, today, phi))
        in_force = self.rules.in_force(content.service_from)
        return EditRun(self.rules.version, self.rules.digest, in_force, tuple(map(_kept, found)))


def _kept(found: Finding) -> EditFinding:
    return EditFinding(rule=found.rule, rule_version=found.rule_version, owner=found.owner, reason=found.reason)
