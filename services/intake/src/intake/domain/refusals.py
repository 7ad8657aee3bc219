"""What intake refuses, each refusal named for its rule and carrying the field; no message holds PHI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.domain import Conflict, Refusal

FINDINGS_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule at one field. `field` is a path in the message, `rule` a stable name, `note` what is needed."""

    field: str
    rule: str
    note: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}: {self.note}"


class InvalidMessage(Refusal):
    """A message that breaks rules of its format or of billing; each finding names field and rule."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        shown = "; ".join(map(str, findings[:FINDINGS_SHOWN_MAX]))
        super().__init__(shown)
        self.findings = tuple(findings)

    @property
    def code(self) -> str:
        return self.findings[0].rule if self.findings else type(self).__name__


class UnknownReference(InvalidMessage):
    """A message refers to a resource of its source that has not come in."""


class ChargeChanged(Conflict):
    """A charge came again under its id with other content, and not as a correction."""


class ChargeMoved(Conflict):
    """A charge came again for another encounter, and not as a correction."""


class ReportedOtherwise(Conflict):
    """A payment or adjustment of the source's own books came again with other content."""


class Defect(Refusal):
    """Our own code failed on a message; it is kept, to be read again after the mending."""


class EncounterMoved(Conflict):
    """An encounter came again for another patient or another entity."""


class NothingHeld(Refusal):
    """The encounter is not held, so there is nothing to release."""


class StillHeld(Refusal):
    """Today's master data does not clear the encounter either; the message names field and rule of each reason."""


class SelfMerge(Refusal):
    """A patient was to be merged into itself."""


class NotMerged(Refusal):
    """The two patients are not merged, so there is nothing to take back."""


class CircularMerge(Conflict):
    """The survivor is itself a record of the person that was to be retired."""


class MergedElsewhere(Conflict):
    """The patient to be retired is merged into another person already."""


class UnclearUnmerge(Conflict):
    """The two patients are one person by way of a third: which merge was wrong is not said."""


class MergedPatients(Refusal):
    """The two patients are merged; take the merge back to say that they are two persons."""
