"""What an ERP is to hold, and what its own books say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from canonical.codes import AccountRole
from canonical.ids import derive, external_number
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.eventstore import Work
from ledger_adapter.domain.journal_entry import JournalEntry, journal_id
from ledger_adapter.domain.subledger import GroupKind
from throughline.checker.invariants.erp_agreement import ErpMove, at_erp
from throughline.checker.vocabulary import CHART

ENTITIES = ("NORTH", "SOUTH")
DAYS = (date(2026, 3, 5), date(2026, 4, 17), date(2026, 5, 29))
KINDS = (GroupKind.PATIENT_PAYMENT, GroupKind.REMITTANCE, GroupKind.CHARGES)


@dataclass(frozen=True, slots=True)
class Intent:
    """One entry that the ERP must hold once."""

    number: int
    seed: int

    @property
    def entity(self) -> str:
        return ENTITIES[self.number % 2]

    @property
    def kind(self) -> GroupKind:
        return KINDS[self.number % len(KINDS)]

    @property
    def day(self) -> date:
        return DAYS[self.number % len(DAYS)]

    @property
    def group_id(self) -> UUID:
        return derive("erp-storm", self.seed, self.number)

    @property
    def external_number(self) -> str:
        return external_number(journal_id(self.kind, self.group_id))

    @property
    def lines(self) -> tuple[JournalLine, ...]:
        """No two intents have the same amount, so that nothing can stand in for another."""
        amount = Money(100_00 + self.number)
        if self.kind is GroupKind.PATIENT_PAYMENT:
            return (
                JournalLine(account=AccountRole.GATEWAY_CLEARING, amount=amount),
                JournalLine(account=AccountRole.AR_PATIENT, amount=-amount, party=f"PATIENTS-{self.entity}"),
            )
        payer = ("ACME", "MEDICARE")[self.number % 4 // 2]
        other = AccountRole.EFT_CLEARING if self.kind is GroupKind.REMITTANCE else AccountRole.GROSS_REVENUE
        return (
            JournalLine(account=AccountRole.AR_PAYER, amount=amount, party=payer),
            JournalLine(account=other, amount=-amount),
        )

    def intend(self, work: Work) -> None:
        work.get_or_new(JournalEntry, journal_id(self.kind, self.group_id)).intend(
            entity=self.entity,
            effective_date=self.day,
            lines=self.lines,
            group_kind=self.kind,
            group_id=self.group_id,
            posting_ids=(self.group_id,),
        )

    @property
    def as_held(self) -> tuple[str, Mapping[tuple[str, str], int]]:
        """The day and the lines with which the ERP must hold it."""
        return self.day.isoformat(), at_erp(
            {(each.account, each.party): each.amount.minor for each in self.lines}, CHART
        )


@dataclass(slots=True)
class Verdict:
    """What the ERP's own books say of the intents, by our numbers."""

    intents: int
    struck: Counter[str]
    killed: int
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    uncertain: int = 0
    not_confirmed: int = 0

    @property
    def holds(self) -> bool:
        wrong = (self.missing, self.twice, self.unbalanced, self.different, self.foreign)
        return not any(wrong) and not self.uncertain and not self.not_confirmed


def compare(intents: Sequence[Intent], moves: Sequence[ErpMove], verdict: Verdict) -> None:
    """Notes in the verdict where the ERP's books are not the intents, each once."""
    held: dict[str, list[ErpMove]] = {}
    for move in moves:
        held.setdefault(move.number, []).append(move)
        if sum(move.lines.values()):
            verdict.unbalanced.append(move.number)
    for intent in intents:
        documents = held.pop(intent.external_number, [])
        if not documents:
            verdict.missing.append(intent.external_number)
        elif len(documents) > 1:
            verdict.twice.append(intent.external_number)
        elif not _is(intent, documents[0]):
            verdict.different.append(intent.external_number)
    verdict.foreign += held


def _is(intent: Intent, move: ErpMove) -> bool:
    day, lines = intent.as_held
    return (move.entity, move.day, move.is_posted, dict(move.lines)) == (intent.entity, day, True, dict(lines))
