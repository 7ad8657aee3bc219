"""What follows from every change of a claim's decisions, whoever made it: denials and contract reviews."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.master_data import MasterData
from canonical.money import Money
from chassis.eventstore import Work

from claims.application.contracts import comparison_of, review_contract
from claims.application.denials import denial_ids_of, may_have_denials, settle_denials
from claims.domain.claim import Claim
from claims.domain.contract import FeeSchedules
from claims.domain.contract_review import contract_review_id_of

TOLERANCE = Money.of("1.00")


class DecisionFollowing:
    """`follow` brings the work on claims up to their decisions; an underpayment up to the tolerance is let go."""

    def __init__(self, master_data: MasterData, tolerance: Money = TOLERANCE) -> None:
        self._master_data = master_data
        self._schedules = FeeSchedules(master_data.fee_schedules)
        self._tolerance = tolerance

    def follow(self, work: Work, claims: Iterable[Claim]) -> None:
        """To be called in the unit of work that changed the decisions; loads what it needs in one query."""
        compared = [(claim, comparison_of(claim, self._schedules, self._master_data)) for claim in claims]
        denied = [claim for claim, _ in compared if may_have_denials(claim)]
        reviewed = [
            (claim, found)
            for claim, found in compared
            if (found and found.shortfall > self._tolerance) or claim.adjudications > 1
        ]
        work.prefetch(
            [
                *(identity for claim in denied for identity in denial_ids_of(claim)),
                *(contract_review_id_of(claim.id) for claim, _ in reviewed),
            ]
        )
        for claim in denied:
            settle_denials(work, claim, self._master_data)
        for claim, found in reviewed:
            review_contract(work, claim, found, self._tolerance)
