"""What a reader has to say about a file: findings, their consequence, and the verdict that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from canonical.money import Money


class Verdict(StrEnum):
    """What may be done with a transaction set: used, kept for a person to look at, or not used at all."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Severity(StrEnum):
    """The consequence of a finding: none, the set is quarantined, the set is refused."""

    NOTE = "note"
    QUARANTINE = "quarantine"
    REFUSE = "refuse"


class Level(StrEnum):
    """Where a residual lies."""

    LINE = "line"
    CLAIM = "claim"
    TRANSACTION = "transaction"


VERDICT_OF = {
    Severity.NOTE: Verdict.ACCEPTED,
    Severity.QUARANTINE: Verdict.QUARANTINED,
    Severity.REFUSE: Verdict.REFUSED,
}
_RANK = {Verdict.ACCEPTED: 0, Verdict.QUARANTINED: 1, Verdict.REFUSED: 2}
KEPT_OF_A_CODE_MAX = 100
KEPT_OF_A_FILE_MAX = 10_000


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The strictest of the verdicts; accepted when there is none."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation.

    `position` counts from ST = 1 inside a transaction set, and from the first segment of the file = 1 outside of one.
    `expected` and `found` are counts, control numbers or amounts, never a patient's data. `level` and `residual`
    are present when money does not add up.
    """

    code: str
    severity: Severity
    segment: str
    position: int
    message: str
    expected: str = ""
    found: str = ""
    level: Level | None = None
    residual: Money | None = None


@dataclass(slots=True)
class Room:
    """How many findings more may be kept of one file, whatever is wrong with it."""

    left: int = KEPT_OF_A_FILE_MAX


@dataclass(slots=True)
class FindingLog:
    """Findings in file order, the first `KEPT_OF_A_CODE_MAX` of each code; the verdict counts all, kept or not.

    `severities` replaces the severity of the rules it names, as the sender's policy says. `room` is shared by the logs of a file; the
    first finding of a log is kept even where there is none left.
    """

    severities: Mapping[str, Severity] = field(default_factory=dict)
    room: Room = field(default_factory=Room)
    kept: list[Finding] = field(default_factory=list)
    omitted: int = 0
    verdict: Verdict = Verdict.ACCEPTED
    counts: dict[str, int] = field(default_factory=dict)

    def judged(self, finding: Finding) -> Finding:
        """The finding with the severity that the policy gives it."""
        severity = self.severities.get(finding.code, finding.severity)
        return finding if severity is finding.severity else replace(finding, severity=severity)

    def add(self, finding: Finding) -> None:
        finding = self.judged(finding)
        self.verdict = worst((self.verdict, VERDICT_OF[finding.severity]))
        seen = self.counts.get(finding.code, 0)
        self.counts[finding.code] = seen + 1
        if not self.kept or (seen < KEPT_OF_A_CODE_MAX and self.room.left > 0):
            self.room.left -= 1
            self.kept.append(finding)
        else:
            self.omitted += 1

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    def note(self, code: str, segment: str, position: int, message: str) -> None:
        self.add(Finding(code, Severity.NOTE, segment, position, message))

    def quarantine(
        self, code: str, segment: str, position: int, message: str, *, expected: str = "", found: str = ""
    ) -> None:
        self.add(Finding(code, Severity.QUARANTINE, segment, position, message, expected, found))

    def refuse(self, code: str, segment: str, position: int, message: str) -> None:
        self.add(Finding(code, Severity.REFUSE, segment, position, message))
