"""What became of claims whose charges the EHR changed after they were paid."""

from __future__ import annotations

from dataclasses import dataclass

from canonical.money import Money
from sandbox.world.later_words import LaterWord
from sandbox.world.received_claims import Frequency

from throughline.connection import Access
from throughline.demo.later_charges import LaterCharges
from throughline.demo.traffic_facts import ClaimStory, claim_stories

SAID = {
    LaterWord.CORRECTED: "one charge is dearer",
    LaterWord.VOIDED: "the visit never was",
    LaterWord.LATE: "one charge more",
}


@dataclass(frozen=True, slots=True)
class RevisedClaim:
    """One claim before and after: what the EHR said, what the payer was sent for it (CLM05-3), and every decision."""

    said: str
    charge_before: Money
    charge_now: Money
    sent_as: str
    story: ClaimStory

    @property
    def paid_before(self) -> Money:
        """What the first decision paid."""
        return self.story.decisions[0].paid if self.story.decisions else Money(0)


def gather_revised(access: Access, later: LaterCharges) -> list[RevisedClaim]:
    """Asks claims for each of them, and the payers for the version that they have."""
    stories = claim_stories(access, [each.claim for each in later.visits])
    sent_as = later.sent_as()
    return [
        RevisedClaim(
            said=SAID[each.word],
            charge_before=each.before.total,
            charge_now=each.after.total,
            sent_as=_version(sent_as[each.claim]),
            story=story,
        )
        for each, story in zip(later.visits, stories, strict=True)
    ]


def _version(frequency: Frequency) -> str:
    return f"{frequency.name.lower()} ({frequency.value})"
