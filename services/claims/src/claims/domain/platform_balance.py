"""What an external platform holds to be open of a claim at its payers, held against what we hold."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event


class PlatformBalance(Aggregate):
    """Reported, and then compared, again wherever one of the two moves; its id follows from the first payer's claim."""

    def start(self) -> None:
        self.platform = ""
        self.entity = ""
        self.as_of = date.min
        self.theirs = Money.zero()
        self.ours: Money | None = None
        self.comparisons = 0

    class Reported(Event):
        """`theirs` is open at all payers together, at the end of `as_of`; the report is the inbound message of this id."""

        TOPIC = "claims.platform-balance.reported"
        claim_id: UUID
        encounter_id: UUID
        posting: int
        entity: Public[str]
        platform: Public[str]
        theirs: Money
        as_of: Financial[date]
        message_id: UUID | None = None

        def apply(self, balance: PlatformBalance) -> None:
            balance.platform = self.platform
            balance.entity = self.entity
            balance.as_of = self.as_of
            balance.theirs = self.theirs
            balance.ours = None

    class Compared(Event):
        TOPIC = "claims.platform-balance.compared"
        number: int
        ours: Money
        theirs: Money

        def apply(self, balance: PlatformBalance) -> None:
            balance.comparisons = self.number
            balance.ours = self.ours

    def report(
        self,
        *,
        claim_id: UUID,
        encounter_id: UUID,
        posting: int,
        entity: str,
        platform: str,
        theirs: Money,
        as_of: date,
        message_id: UUID,
    ) -> None:
        """Takes the platform's word; an older one, or the same again, changes nothing."""
        if as_of < self.as_of or (platform, as_of, theirs) == (self.platform, self.as_of, self.theirs):
            return
        self.trigger_event(
            self.Reported,
            claim_id=claim_id,
            encounter_id=encounter_id,
            posting=posting,
            entity=entity,
            platform=platform,
            theirs=theirs,
            as_of=as_of,
            message_id=message_id,
        )

    def compare(self, ours: Money) -> bool:
        """Whether this tells anything that the last comparison did not."""
        if ours == self.ours:
            return False
        self.trigger_event(self.Compared, number=self.comparisons + 1, ours=ours, theirs=self.theirs)
        return True


def platform_balance_id_of(claim_id: UUID) -> UUID:
    return derive("platform-balance", claim_id)
