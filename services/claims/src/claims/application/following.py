"""What follows from every change of a claim's decisions, whoever made it: denials and contract reviews."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.master_data import KnownMasterData
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

    def __init__(self, master_data: KnownMasterData, tolerance: Money = TOLERANCE) -> None:
        self._master_data = master_data
        self._tolerance = tolerance
        self._rows = master_data.fee_schedules
        self._schedules = FeeSchedules(self._rows)

    def follow(self, work: Work, claims: Iterable[Claim]) -> None:
        """To be called in the unit of work that changed the decisions; loads what it needs in one query."""
        schedules = self._schedules_now()
        compared = [(claim, comparison_of(claim, schedules, self._master_data)) for claim in claims]
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

    def _schedules_now(self) -> FeeSchedules:
        """Today's, found by payer and procedure again only where master data has other rows now."""
        rows = self._master_data.fee_schedules
        if rows is not self._rows:
            self._rows, self._schedules = rows, FeeSchedules(rows)
        return self._schedules
